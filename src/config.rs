//! Typed configuration: a TOML file, overridden by the environment, secrets also from files. An unknown key is fatal.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::db::ConnSettings;
use crate::db::connection::DatabaseUrl;

/// Prefix of environment variables; `TASUKI_DATABASE__URL` sets `database.url`, `TASUKI_SMTP__PASSWORD_FILE` names a
/// file that holds `smtp.password`.
pub const ENV_PREFIX: &str = "TASUKI_";

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: String,
    /// The address people use, without a trailing slash; links in mails begin with it.
    pub base_url: String,
    /// What the service calls itself.
    pub service_name: String,
    /// Number of HTTP workers; 0 takes one per core.
    pub http_workers: usize,
    /// The database.
    pub database: DatabaseConfig,
    /// Sign-in.
    pub auth: AuthConfig,
    /// The mail relay.
    pub smtp: SmtpConfig,
    /// Mail texts.
    pub mail: MailConfig,
    /// When the clock reminds.
    pub reminders: RemindersConfig,
    /// Background work.
    pub worker: WorkerConfig,
    /// Telling programs.
    pub webhooks: WebhooksConfig,
    /// Limits.
    pub limits: LimitsConfig,
    /// Logs.
    pub log: LogConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            base_url: "http://127.0.0.1:8080".to_owned(),
            service_name: "たすき".to_owned(),
            http_workers: 0,
            database: DatabaseConfig::default(),
            auth: AuthConfig::default(),
            smtp: SmtpConfig::default(),
            mail: MailConfig::default(),
            reminders: RemindersConfig::default(),
            worker: WorkerConfig::default(),
            webhooks: WebhooksConfig::default(),
            limits: LimitsConfig::default(),
            log: LogConfig::default(),
        }
    }
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite:FILE`, `postgres://…`; may hold a password, so it is redacted when printed.
    pub url: SecretString,
    /// Connections for reading (SQLite) or in all (PostgreSQL).
    pub connections: u32,
    /// PostgreSQL: longest statement and longest wait for a lock, in milliseconds.
    pub statement_timeout_ms: u32,
    /// SQLite: how much of the file is mapped into memory, in MiB, 0 to 4096; 0 maps nothing. A mapped part counts as memory of
    /// the process for as long as it is in use, and can be taken back by the system at any time.
    pub mapped_mib: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        let ConnSettings { statement_timeout_ms, mapped_mib } = ConnSettings::default();
        Self { url: SecretString::from("sqlite:tasuki.db"), connections: 8, statement_timeout_ms, mapped_mib }
    }
}

/// `[auth]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// How long an access token works, 1 to 15 minutes.
    pub access_token_minutes: i64,
    /// How long a session can be renewed, 1 to 90 days.
    pub refresh_token_days: i64,
    /// After how many minutes without a page being asked for a sign-in to the pages ends, 5 to 1440.
    pub idle_minutes: i64,
    /// At least 32 characters; signs access tokens.
    pub signing_key: SecretString,
    /// The key before, still accepted while keys are exchanged.
    pub previous_signing_key: SecretString,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            issuer: "tasuki".to_owned(),
            audience: "tasuki-api".to_owned(),
            access_token_minutes: 15,
            refresh_token_days: 14,
            idle_minutes: 60,
            signing_key: SecretString::from(""),
            previous_signing_key: SecretString::from(""),
        }
    }
}

/// How the connection to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// TLS from the first byte.
    Tls,
    /// Plain text that must become TLS before anything is sent.
    Starttls,
    /// No protection: only for a relay on the same protected network, and warned about.
    None,
}

/// `[smtp]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpConfig {
    /// The relay; empty: no mail leaves, it waits in the outbox.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Protection of the connection.
    pub security: SmtpSecurity,
    /// User name, empty for none.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Sender address.
    pub from_address: String,
    /// Sender name.
    pub from_name: String,
    /// Where notices of failed delivery go (the envelope sender, RFC 5321); empty: to `from_address`.
    pub bounce_address: String,
    /// Most mails in any minute, over all processes together; 0 for no limit, else 2 to 100,000.
    pub max_per_minute: u32,
    /// Mails after which a connection is closed and a new one opened; 0 for no limit.
    pub max_per_connection: u32,
    /// A PEM file of an own certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for the relay, in seconds.
    pub timeout_seconds: u64,
}

impl Default for SmtpConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 465,
            security: SmtpSecurity::Tls,
            username: String::new(),
            password: SecretString::from(""),
            from_address: "tasuki@localhost.localdomain".to_owned(),
            from_name: "たすき".to_owned(),
            bounce_address: String::new(),
            max_per_minute: 0,
            max_per_connection: 0,
            ca_file: None,
            timeout_seconds: 30,
        }
    }
}

/// `[mail]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Shown in 【】 at the start of each subject.
    pub subject_prefix: String,
    /// Hour of the day, in Japan, from which daily digests are written (0 to 23).
    pub digest_hour: u8,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { subject_prefix: "たすき".to_owned(), digest_hour: 8 }
    }
}

/// `[reminders]`: when the clock reminds, where no rule of a programme says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemindersConfig {
    /// Days after which the office is reminded of a request to which nothing has happened (1 to 60).
    pub unanswered_days: u8,
    /// Hours before the end of an offer at which the expert is reminded (1 to 240).
    pub offer_hours: u8,
    /// Days before a programme's window closes at which those who may apply are told (1 to 60).
    pub window_days: u8,
}

impl Default for RemindersConfig {
    fn default() -> Self {
        Self { unanswered_days: 5, offer_hours: 24, window_days: 7 }
    }
}

/// `[worker]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Whether `serve` also does the background work.
    pub enabled: bool,
    /// Pause between rounds, in seconds.
    pub poll_seconds: u64,
    /// Connections to the mail relay that one process uses at once, 1 to 20.
    pub mail_connections: usize,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { enabled: true, poll_seconds: 2, mail_connections: 2 }
    }
}

/// `[webhooks]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksConfig {
    /// 32 bytes in base64 under which signing secrets are kept; empty: there are no webhooks.
    pub key: SecretString,
    /// The key before, while keys are exchanged; it opens what it has sealed.
    pub previous_key: SecretString,
    /// Networks that may be called although they are not public, for receivers inside LGWAN, such as `10.20.0.0/16`.
    pub allow: Vec<String>,
    /// Whether receivers inside these networks may be called without TLS.
    pub http_inside: bool,
    /// Ports that may be called.
    pub ports: Vec<u16>,
    /// Longest wait for a receiver.
    pub timeout_seconds: u64,
    /// Certificate authorities to trust besides the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// `http://[user:password@]host[:port]` of the proxy to the outside; empty: none.
    pub proxy: SecretString,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            key: SecretString::from(String::new()),
            previous_key: SecretString::from(String::new()),
            allow: Vec::new(),
            http_inside: false,
            ports: vec![443, 8443],
            timeout_seconds: 20,
            ca_file: None,
            proxy: SecretString::from(String::new()),
        }
    }
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Largest request body in KiB.
    pub body_kib: usize,
    /// Requests a minute for each signed-in account or client.
    pub requests_per_minute: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        // Room for a 5 MiB attachment in base64.
        Self { body_kib: 7_168, requests_per_minute: 1_200 }
    }
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Form of the lines.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, or a filter such as `tasuki=debug,info`.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Json, level: "info".to_owned() }
    }
}

/// Why a configuration was refused.
#[derive(Debug)]
pub struct ConfigProblem(pub String);

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigProblem {}

/// Keys whose value may come from a file named by `<KEY>_FILE`.
const SECRETS: &[&str] = &[
    "database.url",
    "auth.signing_key",
    "auth.previous_signing_key",
    "smtp.password",
    "webhooks.key",
    "webhooks.previous_key",
    "webhooks.proxy",
];

impl Config {
    /// Reads a file (if given), then the environment, then checks every value.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigProblem> {
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| ConfigProblem(format!("{}: {e}", path.display())))?;
                text.parse().map_err(|e| ConfigProblem(format!("{}: {e}", path.display())))?
            }
        };
        for (name, value) in environment {
            let Some(key) = name.strip_prefix(ENV_PREFIX) else { continue };
            if matches!(key, "CONFIG" | "TEST_POSTGRES_URL" | "REQUIRE_POSTGRES") {
                continue;
            }
            set(&mut table, &key.to_ascii_lowercase().replace("__", "."), value)?;
        }
        for secret in SECRETS {
            take_secret_file(&mut table, secret)?;
        }
        let config: Self = table.try_into().map_err(|e| ConfigProblem(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// The database address.
    pub fn database_url(&self) -> Result<DatabaseUrl, ConfigProblem> {
        self.database
            .url
            .expose_secret()
            .parse()
            .map_err(|e: crate::error::Error| ConfigProblem(e.failure().source.unwrap_or_default()))
    }

    fn check(&self) -> Result<(), ConfigProblem> {
        let problem = |text: &str| Err(ConfigProblem(text.to_owned()));
        self.database_url()?;
        if !(1..=15).contains(&self.auth.access_token_minutes) {
            return problem("auth.access_token_minutes must be 1 to 15");
        }
        if !(1..=90).contains(&self.auth.refresh_token_days) {
            return problem("auth.refresh_token_days must be 1 to 90");
        }
        if !(5..=1440).contains(&self.auth.idle_minutes) {
            return problem("auth.idle_minutes must be 5 to 1440");
        }
        if self.database.mapped_mib > 4096 {
            return problem("database.mapped_mib must be 0 to 4096");
        }
        if !(self.base_url.starts_with("http://") || self.base_url.starts_with("https://")) || self.base_url.ends_with('/') {
            return problem("base_url must begin with http:// or https:// and end without a slash");
        }
        if self.smtp.security == SmtpSecurity::None && self.smtp.host.is_empty() {
            return problem("smtp.security = \"none\" must name the relay in smtp.host");
        }
        if !self.smtp.from_address.contains('@') {
            return problem("smtp.from_address must be a mail address");
        }
        let within = |value: u8, least: u8, most: u8| (least..=most).contains(&value);
        if !within(self.mail.digest_hour, 0, 23) {
            return problem("mail.digest_hour must be from 0 to 23");
        }
        if !within(self.reminders.unanswered_days, 1, 60) || !within(self.reminders.window_days, 1, 60) {
            return problem("reminders.unanswered_days and reminders.window_days must be from 1 to 60");
        }
        if !within(self.reminders.offer_hours, 1, 240) {
            return problem("reminders.offer_hours must be from 1 to 240");
        }
        crate::webhooks::hooks::Hooks::new(&self.webhooks).map_err(|e| ConfigProblem(e.to_string()))?;
        if !self.smtp.bounce_address.is_empty() && !self.smtp.bounce_address.contains('@') {
            return problem("smtp.bounce_address must be a mail address");
        }
        if self.smtp.max_per_minute != 0 && !(2..=100_000).contains(&self.smtp.max_per_minute) {
            return problem("smtp.max_per_minute must be 0 (no limit) or 2 to 100000");
        }
        if !(1..=20).contains(&self.worker.mail_connections) {
            return problem("worker.mail_connections must be 1 to 20");
        }
        Ok(())
    }

    /// Checks what only a server that signs tokens needs.
    pub fn check_for_serving(&self) -> Result<(), ConfigProblem> {
        if self.auth.signing_key.expose_secret().len() < 32 {
            return Err(ConfigProblem("auth.signing_key must have at least 32 characters".to_owned()));
        }
        Ok(())
    }

    /// Things that work but should be known; also shown by `/readyz`.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.smtp.security == SmtpSecurity::None {
            warnings.push(format!("mail travels unprotected to {}:{}", self.smtp.host, self.smtp.port));
        }
        if self.smtp.host.is_empty() {
            warnings.push("no mail relay is set: mail waits in the outbox".to_owned());
        }
        if self.base_url.starts_with("http://") && !self.base_url.contains("127.0.0.1") && !self.base_url.contains("localhost") {
            warnings.push("base_url is not https".to_owned());
        }
        warnings
    }

    /// The configuration in force, secrets replaced.
    pub fn redacted(&self) -> String {
        let secret = |value: &SecretString| if value.expose_secret().is_empty() { "(not set)" } else { "(set)" };
        let database = match self.database_url() {
            Ok(DatabaseUrl::Sqlite(path)) => format!("sqlite:{}", path.display()),
            Ok(DatabaseUrl::Postgres(url)) => match url.rsplit_once('@') {
                Some((_, place)) => format!("postgres://(credentials)@{place}"),
                None => url,
            },
            Err(_) => "(invalid)".to_owned(),
        };
        format!(
            "listen = {:?}\nbase_url = {:?}\nservice_name = {:?}\nhttp_workers = {}\n\n[database]\nurl = {database:?}\nconnections = {}\nstatement_timeout_ms = {}\nmapped_mib = {}\n\n\
             [auth]\nissuer = {:?}\naudience = {:?}\naccess_token_minutes = {}\nrefresh_token_days = {}\nidle_minutes = {}\nsigning_key = {}\nprevious_signing_key = {}\n\n\
             [smtp]\nhost = {:?}\nport = {}\nsecurity = {:?}\nusername = {:?}\npassword = {}\nfrom_address = {:?}\nfrom_name = {:?}\nbounce_address = {:?}\nmax_per_minute = {}\nmax_per_connection = {}\nca_file = {:?}\ntimeout_seconds = {}\n\n\
             [mail]\nsubject_prefix = {:?}\ndigest_hour = {}\n\n[reminders]\nunanswered_days = {}\noffer_hours = {}\nwindow_days = {}\n\n[worker]\nenabled = {}\npoll_seconds = {}\nmail_connections = {}\n\n[webhooks]\nkey = {}\nprevious_key = {}\nallow = {:?}\nhttp_inside = {}\nports = {:?}\ntimeout_seconds = {}\nca_file = {:?}\nproxy = {}\n\n[limits]\nbody_kib = {}\nrequests_per_minute = {}\n\n[log]\nformat = {:?}\nlevel = {:?}\n",
            self.listen,
            self.base_url,
            self.service_name,
            self.http_workers,
            self.database.connections,
            self.database.statement_timeout_ms,
            self.database.mapped_mib,
            self.auth.issuer,
            self.auth.audience,
            self.auth.access_token_minutes,
            self.auth.refresh_token_days,
            self.auth.idle_minutes,
            secret(&self.auth.signing_key),
            secret(&self.auth.previous_signing_key),
            self.smtp.host,
            self.smtp.port,
            self.smtp.security,
            self.smtp.username,
            secret(&self.smtp.password),
            self.smtp.from_address,
            self.smtp.from_name,
            self.smtp.bounce_address,
            self.smtp.max_per_minute,
            self.smtp.max_per_connection,
            self.smtp.ca_file,
            self.smtp.timeout_seconds,
            self.mail.subject_prefix,
            self.mail.digest_hour,
            self.reminders.unanswered_days,
            self.reminders.offer_hours,
            self.reminders.window_days,
            self.worker.enabled,
            self.worker.poll_seconds,
            self.worker.mail_connections,
            secret(&self.webhooks.key),
            secret(&self.webhooks.previous_key),
            self.webhooks.allow,
            self.webhooks.http_inside,
            self.webhooks.ports,
            self.webhooks.timeout_seconds,
            self.webhooks.ca_file,
            secret(&self.webhooks.proxy),
            self.limits.body_kib,
            self.limits.requests_per_minute,
            self.log.format,
            self.log.level,
        )
    }
}

/// Keys that are numbers; every other value from the environment is text, even if it is made of digits.
const NUMBERS: &[&str] = &[
    "http_workers",
    "connections",
    "statement_timeout_ms",
    "mapped_mib",
    "access_token_minutes",
    "refresh_token_days",
    "idle_minutes",
    "port",
    "timeout_seconds",
    "digest_hour",
    "unanswered_days",
    "offer_hours",
    "window_days",
    "poll_seconds",
    "mail_connections",
    "max_per_minute",
    "max_per_connection",
    "body_kib",
    "requests_per_minute",
];

fn set(table: &mut toml::Table, path: &str, value: String) -> Result<(), ConfigProblem> {
    let key = path.rsplit('.').next().unwrap_or(path);
    let parsed = match value.parse::<i64>() {
        Ok(number) if NUMBERS.contains(&key) => toml::Value::Integer(number),
        _ if key == "enabled" && matches!(value.as_str(), "true" | "false") => toml::Value::Boolean(value == "true"),
        _ => toml::Value::String(value),
    };
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), parsed);
            Ok(())
        }
        Some((section, key)) => match table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new())) {
            toml::Value::Table(inner) => {
                inner.insert(key.to_owned(), parsed);
                Ok(())
            }
            _ => Err(ConfigProblem(format!("{section} is not a section"))),
        },
    }
}

fn take_secret_file(table: &mut toml::Table, path: &str) -> Result<(), ConfigProblem> {
    let Some((section, key)) = path.split_once('.') else { return Ok(()) };
    let Some(toml::Value::Table(inner)) = table.get_mut(section) else { return Ok(()) };
    if let Some(file) = inner.remove(&format!("{key}_file")) {
        let name = file.as_str().ok_or_else(|| ConfigProblem(format!("{path}_file must name a file")))?;
        let secret = std::fs::read_to_string(name).map_err(|e| ConfigProblem(format!("{path}_file {name}: {e}")))?;
        inner.insert(key.to_owned(), toml::Value::String(secret.trim_end().to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigProblem> {
        Config::load(None, pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_environment_sets_values_and_digits_stay_text_where_text_is_meant() {
        let config = load(&[
            ("TASUKI_SMTP__USERNAME", "12345"),
            ("TASUKI_SMTP__PORT", "587"),
            ("TASUKI_SMTP__MAX_PER_MINUTE", "30"),
            ("TASUKI_WORKER__ENABLED", "false"),
            ("TASUKI_AUTH__SIGNING_KEY", "00000000000000000000000000000000"),
            ("OTHER", "x"),
        ])
        .unwrap();
        assert_eq!(config.smtp.username, "12345");
        assert_eq!((config.smtp.port, config.smtp.max_per_minute), (587, 30));
        assert!(!config.worker.enabled);
        assert!(config.check_for_serving().is_ok());
    }

    #[test]
    fn refuses_what_it_does_not_know_or_must_not_accept() {
        for pairs in [
            &[("TASUKI_COLOUR", "red")][..],
            &[("TASUKI_SMTP__COLOUR", "red")],
            &[("TASUKI_DATABASE__URL", "mysql://x/y")],
            &[("TASUKI_DATABASE__URL", "tasuki.db")],
            &[("TASUKI_AUTH__ACCESS_TOKEN_MINUTES", "16")],
            &[("TASUKI_SMTP__SECURITY", "none")],
            &[("TASUKI_SMTP__SECURITY", "opportunistic")],
            &[("TASUKI_SMTP__BOUNCE_ADDRESS", "bounces")],
            &[("TASUKI_SMTP__MAX_PER_MINUTE", "1")],
            &[("TASUKI_WORKER__MAIL_CONNECTIONS", "0")],
            &[("TASUKI_BASE_URL", "https://example.jp/")],
        ] {
            assert!(load(pairs).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn secrets_come_from_files_and_are_never_printed() {
        let folder = std::env::temp_dir().join(format!("tasuki-config-{}", std::process::id()));
        std::fs::write(&folder, "a-secret-of-more-than-32-characters!\n").unwrap();
        let config = load(&[
            ("TASUKI_AUTH__SIGNING_KEY_FILE", folder.to_str().unwrap()),
            ("TASUKI_DATABASE__URL", "postgres://user:hunter2@db/tasuki"),
        ])
        .unwrap();
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(config.auth.signing_key.expose_secret(), "a-secret-of-more-than-32-characters!");
        let printed = format!("{}{config:?}", config.redacted());
        assert!(!printed.contains("a-secret") && !printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("postgres://(credentials)@db/tasuki"));
    }
}
