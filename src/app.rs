//! The composition root: everything a request or a job needs, built once; tests build the same with other parts.

use std::sync::Arc;

use crate::auth::tokens::TokenKeys;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{ConnSettings, Db};
use crate::error::Error;
use crate::experts::candidates::Memory;
use crate::http::rate::Rates;
use crate::notifications::transport::Mailer;
use crate::webhooks::hooks::Hooks;

/// The application.
#[derive(Debug)]
pub struct App {
    /// Configuration in force.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Keys of access tokens.
    pub keys: TokenKeys,
    /// Rate limits.
    pub rates: Rates,
    /// The way out for mail; without one, mail waits in the outbox.
    pub mailer: Option<Mailer>,
    /// What calling webhooks needs; nothing where no key is set.
    pub webhooks: Option<Hooks>,
    /// What is remembered of experts.
    pub experts: Memory,
    /// Whether this is the demo: its mailbox page shows what would be sent.
    pub demo: bool,
}

impl App {
    /// Opens the database and puts the parts together.
    pub fn new(config: Config, clock: Clock, mailer: Option<Mailer>, demo: bool) -> Result<Arc<Self>, Error> {
        let url = config.database_url().map_err(Error::internal)?;
        let settings =
            ConnSettings { statement_timeout_ms: config.database.statement_timeout_ms, mapped_mib: config.database.mapped_mib };
        let db = Db::open(&url, config.database.connections, settings)?;
        Ok(Arc::new(Self {
            webhooks: Hooks::new(&config.webhooks).map_err(Error::internal)?,
            keys: TokenKeys::new(&config.auth),
            experts: Memory::default(),
            rates: Rates::new(config.limits.requests_per_minute),
            db,
            clock,
            mailer,
            demo,
            config,
        }))
    }
}
