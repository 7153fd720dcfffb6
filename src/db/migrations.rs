//! Migrations, embedded for both databases and kept under the same names.

use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Conn;
use crate::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

fn source(conn: &Conn) -> EmbeddedMigrations {
    match conn {
        Conn::Sqlite(_) => SQLITE,
        Conn::Postgres(_) => POSTGRES,
    }
}

/// Brings the schema to this release; returns the names of what ran.
pub fn apply(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let source = source(conn);
    let applied = conn.run_pending_migrations(source).map_err(Error::internal)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// Takes every migration back; for tests of the way down.
pub fn revert_all(conn: &mut Conn) -> Result<(), Error> {
    let source = source(conn);
    conn.revert_all_migrations(source).map(drop).map_err(Error::internal)
}

/// How the schema stands to this release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// As this release expects it.
    Current,
    /// So many migrations have yet to run.
    Behind(usize),
    /// The database knows migrations that this release does not: a newer release has been here.
    Ahead,
}

/// Compares the database with this release.
pub fn state(conn: &mut Conn) -> Result<SchemaState, Error> {
    let source = source(conn);
    let known: Vec<String> = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&source)
        .map_err(Error::internal)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = conn.applied_migrations().map_err(Error::internal)?;
    if applied.iter().any(|version| !known.contains(&version.to_string())) {
        return Ok(SchemaState::Ahead);
    }
    let missing = known.len() - applied.len();
    Ok(if missing == 0 { SchemaState::Current } else { SchemaState::Behind(missing) })
}
