//! SQL of imports, and of the visits that a ledger brings.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::ledger_file::{LedgerVisit, RosterExpert};
use super::model::{ImportKind, ImportStatus};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::insert_rows;
use crate::db::schema::{experts, imports, users, visit_participants, visits};
use crate::error::{Error, ErrorCode};
use crate::experts::model::ExpertStatus;
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{ExpertId, ImportId, OrganisationId, PoolId, ProgrammeId};

/// How many values one `IN` list holds.
const CHUNK: usize = 1_000;

/// An import without its file.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = imports)]
pub struct ImportRow {
    /// Id.
    pub id: ImportId,
    /// Who imports.
    pub owner_organisation_id: OrganisationId,
    /// What the file holds.
    pub kind: ImportKind,
    /// The pool that experts go to.
    pub pool_id: Option<PoolId>,
    /// The programme that visits belong to.
    pub programme_id: Option<ProgrammeId>,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// State.
    pub status: ImportStatus,
    /// Rows of the file.
    pub row_count: i32,
    /// Problems found.
    pub error_count: i32,
    /// The first problems, JSON.
    pub errors: String,
    /// The first rows as understood and what else is to be known, JSON.
    pub preview: String,
    /// When it was applied.
    pub applied_at: Option<UtcTime>,
    /// Version.
    pub version: i64,
    /// Uploaded.
    pub created_at: UtcTime,
}

impl Versioned for ImportRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// An import to keep.
pub struct NewImport<'a> {
    /// What the file holds.
    pub kind: ImportKind,
    /// The pool that experts go to.
    pub pool_id: Option<PoolId>,
    /// The programme that visits belong to.
    pub programme_id: Option<ProgrammeId>,
    /// Name of the file.
    pub file_name: &'a str,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: &'a str,
    /// The file.
    pub content: &'a [u8],
    /// Rows of the file.
    pub row_count: i32,
    /// Problems found.
    pub error_count: i32,
    /// The first problems, JSON.
    pub errors: &'a str,
    /// The preview, JSON.
    pub preview: &'a str,
}

/// An import of the own organisation, or 404.
pub fn owned(conn: &mut Conn, ctx: &Ctx, id: ImportId) -> Result<ImportRow, Error> {
    Ok(imports::table
        .filter(imports::id.eq(id))
        .filter(imports::owner_organisation_id.eq(ctx.organisation()))
        .select(ImportRow::as_select())
        .first(conn)?)
}

/// The uploaded file.
pub fn content(conn: &mut Conn, id: ImportId) -> Result<Vec<u8>, Error> {
    Ok(imports::table.find(id).select(imports::content).first(conn)?)
}

/// A page of the own organisation's imports, newest first.
pub fn list(conn: &mut Conn, ctx: &Ctx, kind: Option<ImportKind>, list: &ListQuery) -> Result<Vec<ImportRow>, Error> {
    let mut query = imports::table
        .filter(imports::owner_organisation_id.eq(ctx.organisation()))
        .order(imports::id.desc())
        .limit(list.fetch())
        .select(ImportRow::as_select())
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(imports::kind.eq(kind));
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(imports::id.lt(ImportId(id)));
    }
    Ok(query.load(conn)?)
}

/// Keeps an uploaded file with what was found in it.
pub fn insert(conn: &mut Conn, ctx: &Ctx, new: &NewImport<'_>) -> Result<ImportRow, Error> {
    let id: ImportId = diesel::insert_into(imports::table)
        .values((
            imports::owner_organisation_id.eq(ctx.organisation()),
            imports::kind.eq(new.kind),
            imports::pool_id.eq(new.pool_id),
            imports::programme_id.eq(new.programme_id),
            imports::file_name.eq(new.file_name),
            imports::sha256.eq(new.sha256),
            imports::content.eq(new.content),
            imports::status.eq(ImportStatus::Previewed),
            imports::row_count.eq(new.row_count),
            imports::error_count.eq(new.error_count),
            imports::errors.eq(new.errors),
            imports::preview.eq(new.preview),
            imports::created_by.eq(ctx.principal.user_id()),
            imports::created_at.eq(ctx.now),
            imports::updated_at.eq(ctx.now),
        ))
        .returning(imports::id)
        .get_result(conn)?;
    owned(conn, ctx, id)
}

/// Moves an import to another state, 412 if somebody else was first. A discarded one forgets its file and preview, which
/// hold personal data.
pub fn set_status(conn: &mut Conn, row: &ImportRow, status: ImportStatus, now: UtcTime) -> Result<ImportRow, Error> {
    let target = imports::table.filter(imports::id.eq(row.id)).filter(imports::version.eq(row.version));
    let changed = match status {
        ImportStatus::Discarded => diesel::update(target)
            .set((
                imports::status.eq(status),
                imports::content.eq(Vec::<u8>::new()),
                imports::preview.eq("{}"),
                imports::errors.eq("[]"),
                imports::version.eq(imports::version + 1),
                imports::updated_at.eq(now),
            ))
            .execute(conn)?,
        ImportStatus::Applied | ImportStatus::Previewed => diesel::update(target)
            .set((
                imports::status.eq(status),
                imports::applied_at.eq(Some(now)),
                imports::version.eq(imports::version + 1),
                imports::updated_at.eq(now),
            ))
            .execute(conn)?,
    };
    if changed != 1 {
        return Err(Error::new(ErrorCode::StaleVersion));
    }
    Ok(imports::table.find(row.id).select(ImportRow::as_select()).first(conn)?)
}

/// The addresses among these that accounts have already.
pub fn taken_addresses(conn: &mut Conn, addresses: &[String]) -> Result<HashSet<String>, Error> {
    let mut taken = HashSet::new();
    for part in addresses.chunks(CHUNK) {
        let found: Vec<String> = users::table.filter(users::email.eq_any(part)).select(users::email).load(conn)?;
        taken.extend(found);
    }
    Ok(taken)
}

/// All experts of a pool, retired ones included, as far as matching names and addresses needs them.
pub fn roster(conn: &mut Conn, pool: PoolId) -> Result<Vec<RosterExpert>, Error> {
    let rows: Vec<(ExpertId, String, String, String, ExpertStatus)> = experts::table
        .filter(experts::pool_id.eq(pool))
        .order(experts::id)
        .select((experts::id, experts::name, experts::alternative_name, experts::email, experts::status))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, name, alternative_name, email, status)| RosterExpert {
            id,
            name,
            alternative_name,
            email: email.to_ascii_lowercase(),
            retired: status == ExpertStatus::Retired,
        })
        .collect())
}

/// The ledger keys among these that visits have already, and whether the visit has only been planned so far.
pub fn known_keys(conn: &mut Conn, keys: &[String]) -> Result<HashMap<String, bool>, Error> {
    let mut known = HashMap::new();
    for part in keys.chunks(CHUNK) {
        let found: Vec<(Option<String>, String)> =
            visits::table.filter(visits::ledger_key.eq_any(part)).select((visits::ledger_key, visits::status)).load(conn)?;
        known.extend(found.into_iter().filter_map(|(key, status)| Some((key?, status == "planned"))));
    }
    Ok(known)
}

/// Day, expert and body of the visits that a programme has through the service itself in a period.
pub fn recorded(
    conn: &mut Conn,
    programme: ProgrammeId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<HashSet<(NaiveDate, ExpertId, OrganisationId)>, Error> {
    let rows: Vec<(NaiveDate, ExpertId, OrganisationId)> = visits::table
        .inner_join(visit_participants::table)
        .filter(visits::programme_id.eq(programme))
        .filter(visits::load_day.between(from, to))
        .filter(visits::origin.eq("service"))
        .filter(visits::day.is_not_null())
        .filter(visits::status.eq_any(["held", "planned", "done"]))
        .select((visits::load_day, visits::expert_id, visit_participants::organisation_id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Writes a visit of a ledger with its participants. One that an earlier ledger had as planned has taken place now.
pub fn insert_visit(
    conn: &mut Conn,
    (programme, owner): (ProgrammeId, OrganisationId),
    expert: ExpertId,
    visit: &LedgerVisit,
    now: UtcTime,
) -> Result<(), Error> {
    let lead = visit.organisations.first().ok_or_else(|| Error::internal("a ledger visit without a body"))?;
    let done = visit.status == super::ledger_file::LedgerStatus::Done;
    let planned_before = visits::table.filter(visits::ledger_key.eq(&visit.key)).filter(visits::status.eq("planned"));
    let changed = diesel::update(planned_before)
        .set((
            visits::status.eq(visit.status.as_str()),
            visits::activity_kind.eq(visit.activity),
            visits::actual_minutes.eq(done.then_some(visit.minutes)),
            visits::mode.eq(visit.mode),
            visits::place.eq(&visit.place),
            visits::attendees.eq(visit.attendees),
            visits::note.eq(&visit.note),
            visits::version.eq(visits::version + 1),
            visits::updated_at.eq(now),
        ))
        .execute(conn)?;
    if changed > 0 {
        return Ok(());
    }
    let id: i64 = diesel::insert_into(visits::table)
        .values((
            visits::programme_id.eq(programme),
            visits::owner_organisation_id.eq(owner),
            visits::applicant_organisation_id.eq(lead),
            visits::expert_id.eq(expert),
            visits::origin.eq("ledger"),
            visits::activity_kind.eq(visit.activity),
            visits::status.eq(visit.status.as_str()),
            visits::day.eq(Some(visit.day)),
            visits::load_day.eq(visit.day),
            visits::planned_minutes.eq(visit.minutes),
            visits::actual_minutes.eq(done.then_some(visit.minutes)),
            visits::mode.eq(visit.mode),
            visits::place.eq(&visit.place),
            visits::attendees.eq(visit.attendees),
            visits::note.eq(&visit.note),
            visits::ledger_key.eq(Some(&visit.key)),
            visits::created_at.eq(now),
            visits::updated_at.eq(now),
        ))
        .returning(visits::id)
        .get_result(conn)?;
    let rows: Vec<_> = visit
        .organisations
        .iter()
        .map(|organisation| (visit_participants::visit_id.eq(id), visit_participants::organisation_id.eq(organisation)))
        .collect();
    insert_rows!(conn, visit_participants::table, rows)?;
    Ok(())
}
