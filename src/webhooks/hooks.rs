//! What calling endpoints needs, made once from the configuration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::dial::{DialSettings, DialSettingsProblem, Dialler};
use super::lookup::SystemLookup;
use super::ranges::{AllowList, AllowListProblem};
use super::target::TargetRules;
use super::vault::{Vault, VaultProblem};
use crate::config::WebhooksConfig;

/// Everything that is needed to keep secrets and to call endpoints.
#[derive(Debug)]
pub struct Hooks {
    /// Keeps secrets.
    pub vault: Vault,
    /// Calls endpoints.
    pub dialler: Dialler,
    /// Which addresses may be called.
    pub rules: TargetRules,
}

/// Why webhooks cannot be set up.
#[derive(Debug)]
pub enum HooksProblem {
    /// An entry of the allow-list.
    Allow(AllowListProblem),
    /// The key.
    Vault(VaultProblem),
    /// Proxy, CA file or time-out.
    Dial(DialSettingsProblem),
}

impl fmt::Display for HooksProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow(problem) => write!(f, "webhooks.allow: {problem}"),
            Self::Vault(problem) => write!(f, "webhooks.key: {problem}"),
            Self::Dial(problem) => write!(f, "webhooks: {problem}"),
        }
    }
}

impl std::error::Error for HooksProblem {}

impl Hooks {
    /// Makes it; nothing where no key is set: then there are no webhooks.
    ///
    /// # Errors
    /// [`HooksProblem`].
    pub fn new(config: &WebhooksConfig) -> Result<Option<Self>, HooksProblem> {
        if config.key.expose_secret().is_empty() {
            return Ok(None);
        }
        let rules = TargetRules {
            allow: AllowList::parse(&config.allow).map_err(HooksProblem::Allow)?,
            http_inside: config.http_inside,
            ports: config.ports.clone(),
        };
        let settings = DialSettings {
            rules: rules.clone(),
            timeout: Duration::from_secs(config.timeout_seconds),
            user_agent: concat!("tasuki/", env!("CARGO_PKG_VERSION")).to_owned(),
            ca_file: config.ca_file.clone(),
            proxy: Some(config.proxy.clone()).filter(|proxy| !proxy.expose_secret().is_empty()),
        };
        Ok(Some(Self {
            vault: Vault::new(&config.key, &config.previous_key).map_err(HooksProblem::Vault)?,
            dialler: Dialler::new(&settings, Arc::new(SystemLookup)).map_err(HooksProblem::Dial)?,
            rules,
        }))
    }
}
