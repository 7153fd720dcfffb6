//! Every place where the two databases differ, each as a named function.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::{Attempt, Conn};
use crate::clock::UtcTime;
use crate::error::Error;
use crate::ids::OrganisationId;

/// Runs `work` in a transaction that takes the write lock first on SQLite (a late upgrade would fail at once) and is
/// READ COMMITTED on PostgreSQL.
pub(super) fn in_write_transaction<T>(
    conn: &mut Conn,
    work: &mut impl FnMut(&mut Conn) -> Result<T, Error>,
) -> Result<T, Attempt> {
    match conn {
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
        Conn::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?,
    }
    match work(conn) {
        Ok(value) => {
            <Conn as Connection>::TransactionManager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            // A failed rollback means a broken connection, which the pool replaces; the first error tells more.
            let _ = <Conn as Connection>::TransactionManager::rollback_transaction(conn);
            Err(error.into())
        }
    }
}

/// Runs queries that on SQLite see one moment, which also spares locking the file for each. On PostgreSQL each sees what
/// is committed when it begins: the two round trips that one moment for all would cost are not worth it.
pub(super) fn in_snapshot<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
    let Conn::Sqlite(c) = conn else { return work(conn) };
    AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?;
    let outcome = work(conn);
    // Nothing was written, so how it ends does not matter, only that it ends.
    <Conn as Connection>::TransactionManager::rollback_transaction(conn)?;
    outcome
}

/// Whether a statement with a list of values is kept prepared, whatever the length of the list.
pub fn keeps_lists_prepared(conn: &Conn) -> bool {
    matches!(conn, Conn::Postgres(_))
}

/// Adds any number of rows with one statement; none is no statement. On SQLite the statement of a single row stays prepared, while
/// that of several is read anew each time.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {{
        let rows = $rows;
        match $conn {
            _ if rows.is_empty() => Ok(0),
            $crate::db::Conn::Sqlite(c) if rows.len() == 1 => rows.into_iter().try_fold(0, |sum, row| {
                diesel::RunQueryDsl::execute(diesel::insert_into($table).values(row), c).map(|added| sum + added)
            }),
            $crate::db::Conn::Sqlite(c) => diesel::RunQueryDsl::execute(diesel::insert_into($table).values(rows), c),
            $crate::db::Conn::Postgres(c) => diesel::RunQueryDsl::execute(diesel::insert_into($table).values(rows), c),
        }
    }};
}
/// Adds a row unless one with the same key is there already.
macro_rules! insert_new {
    ($conn:expr, $table:expr, $row:expr) => {{
        let insert = diesel::insert_into($table).values($row).on_conflict_do_nothing();
        match $conn {
            $crate::db::Conn::Sqlite(c) => diesel::RunQueryDsl::execute(insert, c),
            $crate::db::Conn::Postgres(c) => diesel::RunQueryDsl::execute(insert, c),
        }
    }};
}
/// As [`insert_new`], and says a column of the row that was added, if it was.
macro_rules! insert_new_returning {
    ($conn:expr, $table:expr, $row:expr, $column:expr) => {{
        let insert = diesel::insert_into($table).values($row).on_conflict_do_nothing().returning($column);
        match $conn {
            $crate::db::Conn::Sqlite(c) => diesel::RunQueryDsl::get_results(insert, c),
            $crate::db::Conn::Postgres(c) => diesel::RunQueryDsl::get_results(insert, c),
        }
    }};
}
/// Loads rows to be worked on and locks them until the transaction ends, passing over those that others have locked. On
/// SQLite the write lock already excludes everybody else.
macro_rules! load_unlocked {
    ($conn:expr, $query:expr) => {{
        let query = $query;
        match $conn {
            $crate::db::Conn::Sqlite(c) => diesel::RunQueryDsl::load(query, c),
            $crate::db::Conn::Postgres(c) => diesel::RunQueryDsl::load(query.for_update().skip_locked(), c),
        }
    }};
}
pub(crate) use {insert_new, insert_new_returning, insert_rows, load_unlocked};

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

/// What the database has noted of changes to experts.
#[derive(Debug)]
pub struct ExpertChanges {
    /// Up to where everything is known: what is asked for next time.
    pub upto: i64,
    /// Whether there were changes since that are not kept any more.
    pub forgotten: bool,
    /// The changes since, with the expert; without one it is everybody.
    pub since: Vec<(i64, Option<i64>)>,
}

#[derive(QueryableByName)]
struct ChangeRow {
    #[diesel(sql_type = BigInt)]
    upto: i64,
    #[diesel(sql_type = Bool)]
    forgotten: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    expert_id: Option<i64>,
}

/// The changes to experts since a point that was given before as [`ExpertChanges::upto`]; none with the largest number. On SQLite
/// the point is the last change. On PostgreSQL, where a change noted earlier may be committed later, it is the oldest
/// transaction that was not over: the same changes may come again, but none is missed. Transactions that have not begun yet are
/// those of another cluster, from which the database was restored.
pub fn expert_changes(conn: &mut Conn, since: i64) -> QueryResult<ExpertChanges> {
    const SQLITE: &str = "SELECT s.upto, (SELECT upto FROM expert_changes_forgotten) > ?1 AS forgotten, c.id, c.expert_id \
        FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'expert_changes'), 0) AS upto) s LEFT JOIN expert_changes c ON c.id > ?1";
    const POSTGRES: &str = "SELECT s.upto, s.forgotten >= $1 AND s.forgotten < s.top AS forgotten, c.id, c.expert_id \
        FROM (SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) AS upto, \
        CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT) AS top, \
        (SELECT upto FROM expert_changes_forgotten) AS forgotten) s LEFT JOIN expert_changes c ON c.xid >= $1 AND c.xid < s.top";
    let rows: Vec<ChangeRow> = match conn {
        Conn::Sqlite(c) => diesel::sql_query(SQLITE).bind::<BigInt, _>(since).load(c)?,
        Conn::Postgres(c) => diesel::sql_query(POSTGRES).bind::<BigInt, _>(since).load(c)?,
    };
    let first = rows.first().ok_or(diesel::result::Error::NotFound)?;
    let (upto, forgotten) = (first.upto, first.forgotten);
    let since = rows.into_iter().filter_map(|row| Some((row.id?, row.expert_id))).collect();
    Ok(ExpertChanges { upto, forgotten, since })
}

/// Forgets all but the last changes to experts; who has not looked since learns of it by [`ExpertChanges::forgotten`].
pub fn forget_expert_changes(conn: &mut Conn, kept: i64) -> QueryResult<()> {
    const SQLITE: [&str; 2] = [
        "UPDATE expert_changes_forgotten SET upto = MAX(upto, COALESCE((SELECT MAX(id) FROM expert_changes), 0) - ?)",
        "DELETE FROM expert_changes WHERE id <= (SELECT MAX(id) FROM expert_changes) - ?",
    ];
    // One statement, so that what is deleted is what is counted.
    const POSTGRES: &str = "WITH s AS (SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT) AS top, \
        (SELECT MAX(id) FROM expert_changes) - $1 AS last), \
        gone AS (DELETE FROM expert_changes c USING s WHERE c.id <= s.last RETURNING c.xid) \
        UPDATE expert_changes_forgotten f SET upto = GREATEST(CASE WHEN f.upto < s.top THEN f.upto ELSE 0 END, \
        COALESCE((SELECT MAX(gone.xid) FROM gone WHERE gone.xid < s.top), 0)) FROM s";
    match conn {
        Conn::Sqlite(c) => {
            SQLITE.into_iter().try_for_each(|one| diesel::sql_query(one).bind::<BigInt, _>(kept).execute(c).map(drop))
        }
        Conn::Postgres(c) => diesel::sql_query(POSTGRES).bind::<BigInt, _>(kept).execute(c).map(drop),
    }
}

/// Takes the right to work on `key` until the transaction ends. `false`: somebody else holds it. On SQLite the write
/// lock already excludes everybody else.
pub fn try_claim(conn: &mut Conn, key: &str) -> QueryResult<bool> {
    match conn {
        Conn::Sqlite(_) => Ok(true),
        Conn::Postgres(c) => diesel::sql_query("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken")
            .bind::<Text, _>(key)
            .get_result::<Flag>(c)
            .map(|flag| flag.taken),
    }
}

/// Waits for the right to work on `key` until the transaction ends.
pub fn claim(conn: &mut Conn, key: &str) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => {
            diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind::<Text, _>(key).execute(c).map(drop)
        }
    }
}

/// As [`claim`], but shared with others who claim it so; nobody has it alone meanwhile.
pub fn claim_shared(conn: &mut Conn, key: &str) -> QueryResult<()> {
    match conn {
        // The write lock is already held.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => diesel::sql_query("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
            .bind::<Text, _>(key)
            .execute(c)
            .map(drop),
    }
}

/// The tables whose rows can be locked before a limit is checked.
#[derive(Debug, Clone, Copy)]
pub enum Lockable {
    /// A programme's year: its budget.
    ProgrammeYear,
    /// A request: its offers and decision.
    Request,
    /// An expert: load and calendar.
    Expert,
    /// The mail relay: what may still be sent.
    MailRelay,
}

/// Locks a row until the transaction ends, by touching it; order: programme year, request, expert. The relay is locked
/// alone.
pub fn lock_row(conn: &mut Conn, table: Lockable, id: i64) -> QueryResult<usize> {
    let statement = match table {
        Lockable::ProgrammeYear => "UPDATE programme_years SET version = version WHERE id = $1",
        Lockable::Request => "UPDATE requests SET version = version WHERE id = $1",
        Lockable::Expert => "UPDATE experts SET version = version WHERE id = $1",
        Lockable::MailRelay => "UPDATE mail_relay SET pauses = pauses WHERE id = $1",
    };
    match conn {
        // The write lock is already held.
        Conn::Sqlite(_) => Ok(1),
        Conn::Postgres(c) => diesel::sql_query(statement).bind::<BigInt, _>(id).execute(c),
    }
}

/// The tables whose rows get their numbers before they are kept, because rows that belong to them are kept first.
#[derive(Debug, Clone, Copy)]
pub enum Numbered {
    /// Cost items: their shares come first.
    CostItem,
}

/// So many numbers for new rows of a table, rising; nobody else gets them.
pub fn take_ids(conn: &mut Conn, table: Numbered, count: usize) -> QueryResult<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let name = match table {
        Numbered::CostItem => "cost_items",
    };
    match conn {
        // The write lock is held until the rows are kept, which is when SQLite's counter moves on.
        Conn::Sqlite(c) => {
            let last: Option<Number> = diesel::sql_query("SELECT seq AS id FROM sqlite_sequence WHERE name = $1")
                .bind::<Text, _>(name)
                .get_result(c)
                .optional()?;
            let last = last.map_or(0, |last| last.id);
            Ok((last + 1..=last + count).collect())
        }
        Conn::Postgres(c) => {
            let numbers: Vec<Number> =
                diesel::sql_query("SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2)")
                    .bind::<Text, _>(name)
                    .bind::<BigInt, _>(count)
                    .load(c)?;
            let mut ids: Vec<i64> = numbers.into_iter().map(|number| number.id).collect();
            ids.sort_unstable();
            Ok(ids)
        }
    }
}

/// The next number of an owner's kind of document in a fiscal year, without gaps or repeats.
pub fn next_document_number(conn: &mut Conn, owner: OrganisationId, document_kind: &str, year: i32) -> QueryResult<i32> {
    use super::schema::document_numbers::dsl::*;
    let row = (owner_organisation_id.eq(owner.0), kind.eq(document_kind), fiscal_year.eq(year), last_number.eq(1));
    macro_rules! upsert {
        ($c:expr) => {
            diesel::insert_into(document_numbers)
                .values(row)
                .on_conflict((owner_organisation_id, kind, fiscal_year))
                .do_update()
                .set(last_number.eq(last_number + 1))
                .returning(last_number)
                .get_result($c)
        };
    }
    match conn {
        Conn::Sqlite(c) => upsert!(c),
        Conn::Postgres(c) => upsert!(c),
    }
}

/// Takes a job's lease if nobody holds it any more; `true` when it was taken.
pub fn take_lease(conn: &mut Conn, job: &str, owner: &str, now: UtcTime, until: UtcTime) -> QueryResult<bool> {
    use super::schema::job_leases::dsl::*;
    macro_rules! ensure {
        ($c:expr) => {
            diesel::insert_into(job_leases)
                .values((name.eq(job), claimed_by.eq(""), claimed_until.eq(now)))
                .on_conflict_do_nothing()
                .execute($c)?
        };
    }
    match conn {
        Conn::Sqlite(c) => ensure!(c),
        Conn::Postgres(c) => ensure!(c),
    };
    diesel::update(job_leases.filter(name.eq(job)).filter(claimed_until.le(now).or(claimed_by.eq(owner))))
        .set((claimed_by.eq(owner), claimed_until.eq(until), last_run_at.eq(now)))
        .execute(conn)
        .map(|rows| rows == 1)
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The schema as text, sorted, for comparing before and after migrations.
pub fn dump_schema(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let lines: Vec<Line> = match conn {
        Conn::Sqlite(c) => diesel::sql_query(
            "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') AS line FROM sqlite_schema \
             WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> '__diesel_schema_migrations' ORDER BY 1",
        )
        .load(c)?,
        Conn::Postgres(c) => diesel::sql_query(
            "SELECT line FROM ( \
             SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '') AS line \
               FROM information_schema.columns WHERE table_schema = current_schema() \
             UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
               FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0 \
             UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = current_schema() \
             UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal \
             UNION ALL SELECT 'function ' || proname FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace \
               AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') \
             ) AS lines WHERE line NOT LIKE '%__diesel_schema_migrations%' ORDER BY 1",
        )
        .load(c)?,
    };
    Ok(lines.into_iter().map(|row| row.line).collect())
}

/// Which database this is, for logs and readiness.
pub fn name(conn: &Conn) -> &'static str {
    match conn {
        Conn::Sqlite(_) => "sqlite",
        Conn::Postgres(_) => "postgresql",
    }
}

/// Writes a consistent copy of a SQLite database to a file. PostgreSQL is backed up by its own tools.
pub fn copy_to_file(conn: &mut Conn, path: &str) -> QueryResult<bool> {
    match conn {
        Conn::Sqlite(c) => {
            diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(path).execute(c)?;
            Ok(true)
        }
        Conn::Postgres(_) => Ok(false),
    }
}

/// Brings what the planner knows of the data up to date where that is due. PostgreSQL does it by itself; SQLite looks at the
/// tables that have changed much since it last did, and at few of their rows.
pub fn refresh_statistics(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => c.batch_execute("PRAGMA optimize = 0x10002"),
        Conn::Postgres(_) => Ok(()),
    }
}
