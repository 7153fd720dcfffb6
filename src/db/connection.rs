//! Connecting: the address decides the database, and each connection is set up before use.

#![expect(missing_docs, reason = "the derive macro generates items without documentation")]

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, R2D2Connection};

use crate::error::{Error, ErrorCode};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL, the production database.
    Postgres(PgConnection),
    /// SQLite, the embedded default.
    Sqlite(SqliteConnection),
}

/// A database address whose scheme is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:path` or `sqlite://path`.
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`.
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = Error;

    /// An unknown scheme is refused: a typing error must not silently create an empty file.
    fn from_str(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() && path != ":memory:" {
                return Ok(Self::Sqlite(PathBuf::from(path)));
            }
        }
        Err(Error::new(ErrorCode::Internal)
            .caused_by("database.url must begin with sqlite: (a file), postgres:// or postgresql://"))
    }
}

/// Makes and checks connections for the pool.
#[derive(Debug)]
pub struct ConnManager {
    url: DatabaseUrl,
    settings: ConnSettings,
}

/// How connections are set up.
#[derive(Debug, Clone, Copy)]
pub struct ConnSettings {
    /// PostgreSQL: longest statement and longest wait for a lock, in milliseconds.
    pub statement_timeout_ms: u32,
    /// SQLite: how much of the file is mapped into memory, in MiB.
    pub mapped_mib: u32,
}

impl Default for ConnSettings {
    fn default() -> Self {
        Self { statement_timeout_ms: 15_000, mapped_mib: 256 }
    }
}

impl ConnManager {
    /// A manager for one address.
    pub fn new(url: DatabaseUrl, settings: ConnSettings) -> Self {
        Self { url, settings }
    }
}

impl ManageConnection for ConnManager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, Self::Error> {
        let failed = diesel::r2d2::Error::QueryError;
        match &self.url {
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute(&format!(
                    "SET TIME ZONE 'UTC'; SET statement_timeout = {0}; SET lock_timeout = {0}; \
                     SET idle_in_transaction_session_timeout = 60000;",
                    self.settings.statement_timeout_ms
                ))
                .map_err(failed)?;
                Ok(Conn::Postgres(conn))
            }
            DatabaseUrl::Sqlite(path) => {
                let mut conn =
                    SqliteConnection::establish(&path.to_string_lossy()).map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096; PRAGMA mmap_size = {}; PRAGMA temp_store = MEMORY;",
                    u64::from(self.settings.mapped_mib) << 20
                ))
                .map_err(failed)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}
