//! Backup of the embedded database and the proof that a backup can be used. PostgreSQL is backed up by its own tools.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::audit::seal;
use crate::config::ConfigProblem;
use crate::db::connection::DatabaseUrl;
use crate::db::migrations::{self, SchemaState};
use crate::db::{ConnSettings, Db, dialect};
use crate::error::Error;

/// Writes a consistent copy of a SQLite database, also while the service runs.
pub fn backup(db: &Db, file: &Path) -> Result<(), Error> {
    if file.exists() {
        return Err(Error::internal(format!("{} already exists", file.display())));
    }
    let copied = db.read_blocking(|conn| Ok(dialect::copy_to_file(conn, &file.to_string_lossy())?))?;
    if copied { Ok(()) } else { Err(Error::internal("use pg_dump -Fc for PostgreSQL; see deploy/backup.md")) }
}

/// What a check of a backup found.
#[derive(Debug, Clone)]
pub struct BackupCheck {
    /// SQLite's own integrity check.
    pub integrity: String,
    /// Rows in the main tables.
    pub rows: Vec<(&'static str, i64)>,
    /// Sealed audit events that hold, and findings.
    pub audit: seal::Verification,
}

impl BackupCheck {
    /// Whether the backup can be used.
    pub fn is_good(&self) -> bool {
        self.integrity == "ok" && self.audit.findings.is_empty()
    }
}

#[derive(QueryableByName)]
struct Integrity {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Opens a copy of a backup and checks integrity, schema, rows and the audit chain. The file itself is not touched.
pub fn check(file: &Path) -> Result<BackupCheck, Error> {
    let scratch = std::env::temp_dir().join(format!("tasuki-restore-{}.db", crate::auth::secrets::short_name()?));
    std::fs::copy(file, &scratch).map_err(|e| Error::internal(ConfigProblem(format!("{}: {e}", file.display()))))?;
    let outcome = check_copy(&scratch);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", scratch.display()));
    }
    outcome
}

fn check_copy(scratch: &Path) -> Result<BackupCheck, Error> {
    let settings = ConnSettings { statement_timeout_ms: 0, mapped_mib: 0 };
    let db = Db::open(&DatabaseUrl::Sqlite(scratch.to_owned()), 1, settings)?;
    db.write_blocking(|conn| {
        if migrations::state(conn)? == SchemaState::Ahead {
            return Err(Error::internal("the backup comes from a newer release"));
        }
        let integrity: Integrity = diesel::sql_query("PRAGMA integrity_check").get_result(conn)?;
        use crate::db::schema::{audit_events, dispatches, experts, requests, users, visits};
        let rows = vec![
            ("users", users::table.count().get_result(conn)?),
            ("experts", experts::table.count().get_result(conn)?),
            ("requests", requests::table.count().get_result(conn)?),
            ("dispatches", dispatches::table.count().get_result(conn)?),
            ("visits", visits::table.count().get_result(conn)?),
            ("audit_events", audit_events::table.count().get_result(conn)?),
        ];
        Ok(BackupCheck { integrity: integrity.integrity_check, rows, audit: seal::verify(conn, None)? })
    })
}
