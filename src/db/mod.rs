//! The database: one build for SQLite and PostgreSQL, chosen by the scheme of the address. Owns connections, the two
//! doors ([`Db::read`], [`Db::write`]), migrations, the schema and every difference between the two dialects. No other
//! room may name a connection's variant.

mod among;
mod bell;
pub mod connection;
pub mod constraint;
pub mod dialect;
pub mod migrations;
pub mod schema;
mod time;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use diesel::r2d2::{ManageConnection as _, Pool};
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorCode};
pub use among::Ids;
pub use bell::Bell;
pub use connection::{Conn, ConnSettings};
use connection::{ConnManager, DatabaseUrl};
pub use time::Day;

/// How often a PostgreSQL transaction that lost a race is tried again before the client is told to come back.
const WRITE_ATTEMPTS: u32 = 5;

/// Longest wait for a connection, and of a write for its turn, before the client is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Both doors to one database.
#[derive(Clone)]
pub struct Db {
    readers: Pool<ConnManager>,
    writers: Pool<ConnManager>,
    /// Writes wait here, first come, first served, without keeping a thread from those who only read.
    turns: Arc<Semaphore>,
    committed: Arc<Bell>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").finish_non_exhaustive()
    }
}

impl Db {
    /// Opens the pools; a database that cannot be opened is told at once. SQLite gets one writing connection, since its writers exclude each other anyway and its own
    /// waiting is unfair; PostgreSQL shares one pool between both doors.
    pub fn open(url: &DatabaseUrl, connections: u32, settings: ConnSettings) -> Result<Self, Error> {
        // The pool itself would try again until its time is over, and then not say why.
        drop(ConnManager::new(url.clone(), settings).connect().map_err(Error::internal)?);
        let pool = |size: u32, idle: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(idle))
                .test_on_check_out(false)
                .connection_timeout(LONGEST_WAIT)
                .build(ConnManager::new(url.clone(), settings))
                .map_err(Error::from)
        };
        let committed = Arc::new(Bell::default());
        match url {
            DatabaseUrl::Sqlite(_) => {
                let writers = pool(1, 1)?;
                Ok(Self { readers: pool(connections.max(1), 1)?, writers, turns: Arc::new(Semaphore::new(1)), committed })
            }
            DatabaseUrl::Postgres(_) => {
                let connections = connections.max(2);
                // None is opened ahead of need: a command that ends while the pool still opens one would leave OpenSSL's
                // clean-up and that connection's handshake at the same tables, and crash.
                let shared = pool(connections, 0)?;
                // One connection stays for those who read, however many writes queue at one row.
                let turns = usize::try_from(connections - 1).unwrap_or(1);
                Ok(Self { readers: shared.clone(), writers: shared, turns: Arc::new(Semaphore::new(turns)), committed })
            }
        }
    }

    /// Runs queries off the event loop; on SQLite all of them see the same moment. The closure touches nothing but the
    /// connection.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, Error> + Send + 'static,
    {
        let db = self.clone();
        web::block(move || db.read_blocking(|conn| dialect::in_snapshot(conn, work))).await.map_err(Error::internal)?
    }

    /// Runs a transaction off the event loop. The closure may run more than once and touches nothing but the
    /// connection: whatever it returned as an error has been rolled back.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T, Error> + Send + 'static,
    {
        let Ok(Ok(_turn)) = tokio::time::timeout(LONGEST_WAIT, self.turns.acquire()).await else {
            let mut busy = Error::new(ErrorCode::Unavailable).caused_by("too many writes at once");
            busy.retry_after = Some(1);
            return Err(busy);
        };
        let db = self.clone();
        web::block(move || db.write_blocking(work)).await.map_err(Error::internal)?
    }

    /// [`Db::read`] for threads of our own (jobs, commands).
    pub fn read_blocking<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
        let mut conn = self.readers.get()?;
        work(&mut conn)
    }

    /// [`Db::write`] for threads of our own (jobs, commands).
    pub fn write_blocking<T>(&self, work: impl FnMut(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.write_quietly(work)?;
        self.committed.ring();
        Ok(done)
    }

    /// The same without ringing: for those who wait for the bell themselves.
    pub fn write_quietly<T>(&self, mut work: impl FnMut(&mut Conn) -> Result<T, Error>) -> Result<T, Error> {
        let mut conn = self.writers.get()?;
        for _ in 0..WRITE_ATTEMPTS {
            match dialect::in_write_transaction(&mut conn, &mut work) {
                Ok(value) => return Ok(value),
                Err(Attempt::Failed(error)) => return Err(error),
                Err(Attempt::LostRace) => {}
            }
        }
        let mut busy = Error::new(ErrorCode::Unavailable).caused_by("serialization failures");
        busy.retry_after = Some(1);
        Err(busy)
    }

    /// Rings after each commit of this process.
    pub fn committed(&self) -> &Bell {
        &self.committed
    }
}

/// How a transaction ended badly.
#[derive(Debug)]
pub enum Attempt {
    /// Another transaction won; the same work may succeed when repeated.
    LostRace,
    /// Repeating would not help.
    Failed(Error),
}

/// Marks an error that stands for a lost race, so that [`Db::write`] repeats the work.
pub(crate) const LOST_RACE: &str = "lost race";

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        if error.source.as_deref() == Some(LOST_RACE) { Self::LostRace } else { Self::Failed(error) }
    }
}

impl From<diesel::result::Error> for Attempt {
    fn from(error: diesel::result::Error) -> Self {
        Error::from(error).into()
    }
}
