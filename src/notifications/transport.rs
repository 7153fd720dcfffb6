//! Handing one mail to the relay and saying honestly what became of it.
//!
//! This room opens connections and judges replies; it keeps no queue and decides no retry. Encryption is what the
//! configuration names and never less: there is no mode that falls back to clear text, and a password never travels
//! without TLS. SPF, DKIM and DMARC belong to the relay.
//!
//! The calls block and are made from a worker thread.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters, TlsParametersBuilder};
use lettre::{Message, transport::smtp};
use secrecy::SecretString;

use super::message::{OutgoingMail, build_message};
use super::replies::judge;
use super::session::{Refusal, Session};

/// How long an unused connection is kept for the next mail. Relays and firewalls drop idle ones after minutes, the
/// latter without a word, and a dropped one costs a whole time-out to notice.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// How many unused connections are kept: as many as a process may use at once.
const IDLE_MAX: usize = 20;
/// How many mails the in-memory mailbox keeps; older ones are forgotten.
pub const MEMORY_MAX: usize = 1_000;
/// Longest reply text kept in a receipt or failure, in characters.
const DETAIL_MAX_CHARS: usize = 300;

/// How the connection to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte (usually port 465).
    Tls,
    /// STARTTLS, required: a relay that does not offer it, or fails at it, is given neither password nor mail
    /// (usually port 587 or 25).
    StartTls,
    /// Clear text, for a relay on the same machine or in a closed network. No password can be used with it.
    None,
}

/// Where and how mail is handed over.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host name or IP address of the relay; with TLS also the name its certificate must bear.
    pub host: String,
    /// TCP port of the relay.
    pub port: u16,
    /// Protection of the connection.
    pub security: SmtpSecurity,
    /// Account at the relay, if it wants one; needs `password`.
    pub username: Option<String>,
    /// Password of the account; needs `username`.
    pub password: Option<SecretString>,
    /// PEM file with the certificate authorities to trust *instead of* the system's, for relays with a private one.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for each single answer of the relay, connecting included.
    pub timeout: Duration,
    /// Envelope sender, to which notices of failed delivery go; without one, the address in `From`.
    pub bounce_address: Option<String>,
    /// Mails after which a connection is replaced; 0 for no limit.
    pub max_per_connection: u32,
}

/// Why settings cannot be used. Found once, when the mailer is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsProblem {
    /// No host is named: clear text least of all may go to a guessed relay.
    HostMissing,
    /// One of user name and password is missing.
    IncompleteCredentials,
    /// A password together with [`SmtpSecurity::None`] would be readable on the wire.
    PasswordWithoutTls,
    /// A CA file together with [`SmtpSecurity::None`]: somebody expects protection that is not there.
    CaFileWithoutTls,
    /// The CA file cannot be read, or holds no certificate.
    CaFile {
        /// What was wrong with it.
        reason: String,
    },
    /// The time-out is zero.
    NoTimeout,
    /// The address for bounces is none.
    BounceAddress,
    /// The TLS library refused the settings.
    Tls {
        /// What it said.
        reason: String,
    },
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostMissing => f.write_str("the relay's host is not named"),
            Self::IncompleteCredentials => f.write_str("user name and password must be given together"),
            Self::PasswordWithoutTls => f.write_str("a password needs TLS or STARTTLS"),
            Self::CaFileWithoutTls => f.write_str("a CA file has no meaning without TLS or STARTTLS"),
            Self::CaFile { reason } => write!(f, "the CA file is not usable: {reason}"),
            Self::NoTimeout => f.write_str("the time-out must be longer than zero"),
            Self::BounceAddress => f.write_str("the address for bounces is not a mail address"),
            Self::Tls { reason } => write!(f, "TLS cannot be set up: {reason}"),
        }
    }
}

impl std::error::Error for SettingsProblem {}

/// What the relay said when it took the mail over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReceipt {
    /// Reply code, `250`; the in-memory mailbox answers the same.
    pub code: u16,
    /// Reply text, often with the relay's queue number; addresses are masked.
    pub detail: String,
}

/// What a failure means for the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// This mail was not taken for now (4xx), or the connection broke on the way: try again later.
    Transient,
    /// This mail is refused for good (5xx): show it to the sender, do not try again.
    Permanent,
    /// The mail cannot be composed: park it, do not try again.
    Unbuildable,
    /// No usable session with the relay (down, refused, no TLS, wrong certificate, sign-in rejected, 421). Every mail
    /// waits, none is given up for it.
    Unreachable,
}

/// Why a mail was not handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// What it means for the mail.
    pub kind: FailureKind,
    /// The relay's reply code, when it gave one.
    pub code: Option<u16>,
    /// What happened, for the operator: no password, no address, no name, at most a few hundred characters.
    pub detail: String,
    /// The connection broke after the mail may have been handed over, so the relay may deliver it. A repeat bears
    /// the same `Message-ID`; wait before it.
    pub outcome_unknown: bool,
    /// The address itself was refused for good: nobody is there.
    pub recipient_refused: bool,
    /// The relay had heard of this mail before it failed, so the mail may be the reason, even of an unreachable relay.
    pub mail_tried: bool,
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for SendFailure {}

/// A mail kept by the in-memory mailbox.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The mail as given.
    pub mail: OutgoingMail,
    /// The message as it would have gone over the wire.
    pub raw: Vec<u8>,
}

/// Takes mail over for delivery.
#[derive(Debug)]
pub enum Mailer {
    /// Hands mail to a relay.
    Smtp(Box<SmtpMailer>),
    /// Keeps the last [`MEMORY_MAX`] mails and sends none: the mailbox of the demo.
    Memory(Arc<Mutex<Vec<Sent>>>),
}

impl Mailer {
    /// A mailer for the relay of `settings`. Opens no connection yet.
    ///
    /// # Errors
    /// [`SettingsProblem`] when the settings contradict themselves or the CA file is unusable.
    pub fn smtp(settings: SmtpSettings) -> Result<Self, SettingsProblem> {
        SmtpMailer::new(settings).map(|mailer| Self::Smtp(Box::new(mailer)))
    }

    /// An in-memory mailbox and the list it fills, oldest first.
    pub fn memory() -> (Self, Arc<Mutex<Vec<Sent>>>) {
        let sent = Arc::new(Mutex::new(Vec::new()));
        (Self::Memory(Arc::clone(&sent)), sent)
    }

    /// Hands one mail over. Blocks until the relay has answered or the time-out has passed.
    ///
    /// # Errors
    /// [`SendFailure`], whose kind says whether the mail, the relay or the network is the reason.
    pub fn send(&self, mail: &OutgoingMail) -> Result<SendReceipt, SendFailure> {
        let message = build_message(mail).map_err(|problem| SendFailure {
            kind: FailureKind::Unbuildable,
            code: None,
            detail: problem.to_string(),
            outcome_unknown: false,
            recipient_refused: false,
            mail_tried: true,
        })?;
        match self {
            Self::Smtp(mailer) => mailer.deliver(mail, &message),
            Self::Memory(sent) => {
                let mut sent = locked(sent);
                let surplus = (sent.len() + 1).saturating_sub(MEMORY_MAX);
                sent.drain(..surplus);
                sent.push(Sent { mail: mail.clone(), raw: message.formatted() });
                Ok(SendReceipt { code: 250, detail: "kept in memory".to_owned() })
            }
        }
    }

    /// Opens a session with the relay, signs in and ends: what a readiness check or a test mail form asks.
    ///
    /// # Errors
    /// [`SendFailure`] of kind [`FailureKind::Unreachable`]. The in-memory mailbox never fails.
    pub fn check(&self) -> Result<(), SendFailure> {
        match self {
            Self::Smtp(mailer) => mailer.session().map(|session| mailer.keep(session)),
            Self::Memory(_) => Ok(()),
        }
    }

    /// How many mails can usefully be handed over at once when `wanted` connections are allowed.
    pub fn at_once(&self, wanted: usize) -> usize {
        match self {
            Self::Smtp(_) => wanted.clamp(1, IDLE_MAX),
            Self::Memory(_) => 1,
        }
    }
}

/// The settings with everything derived from them, and the connections kept for the next mail.
///
/// Connections are held here rather than in the library's pool, because that pool connects and sends in one step: a
/// refused sign-in (535) would look like a mail refused for good, and a wrong password would cost every queued mail.
pub struct SmtpMailer {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    bounce_address: Option<Address>,
    idle: Mutex<VecDeque<(Session, Instant)>>,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    fn new(settings: SmtpSettings) -> Result<Self, SettingsProblem> {
        if settings.host.trim().is_empty() {
            return Err(SettingsProblem::HostMissing);
        }
        if settings.username.is_some() != settings.password.is_some() {
            return Err(SettingsProblem::IncompleteCredentials);
        }
        if settings.timeout.is_zero() {
            return Err(SettingsProblem::NoTimeout);
        }
        let bounce_address =
            settings.bounce_address.as_deref().map(str::parse).transpose().map_err(|_| SettingsProblem::BounceAddress)?;
        let tls = if settings.security == SmtpSecurity::None {
            if settings.password.is_some() {
                return Err(SettingsProblem::PasswordWithoutTls);
            }
            if settings.ca_file.is_some() {
                return Err(SettingsProblem::CaFileWithoutTls);
            }
            None
        } else {
            Some(tls_parameters(&settings)?)
        };
        Ok(Self { settings, tls, bounce_address, idle: Mutex::default() })
    }

    fn deliver(&self, mail: &OutgoingMail, message: &Message) -> Result<SendReceipt, SendFailure> {
        let unbuildable = |detail: &str| SendFailure {
            kind: FailureKind::Unbuildable,
            code: None,
            detail: detail.to_owned(),
            outcome_unknown: false,
            recipient_refused: false,
            mail_tried: true,
        };
        let sender = self.bounce_address.clone().or_else(|| message.envelope().from().cloned());
        let envelope =
            Envelope::new(sender, message.envelope().to().to_vec()).map_err(|_| unbuildable("the mail has no envelope"))?;
        let content = String::from_utf8(message.formatted()).map_err(|_| unbuildable("the mail is not UTF-8"))?;
        let mut session = self.session()?;
        let mut handed = session.hand_over(&envelope, &content);
        // Relays end a session that was idle, or that has sent its share, with a 421 or without a word. On a connection that
        // has served before, that is no reason to wait.
        if session.mails() > 0 && handed.as_ref().is_err_and(Refusal::is_end_of_session) {
            session.abort();
            session = self.open()?;
            handed = session.hand_over(&envelope, &content);
        }
        match handed {
            Ok(response) => {
                self.keep(session);
                let text: Vec<&str> = response.message().collect();
                Ok(SendReceipt { code: response.code().into(), detail: masked(&text.join(" "), &quotable(mail)) })
            }
            Err(refusal) => {
                let failure = mail_failure(&refusal, mail);
                // A refusal of the mail leaves the session as good as it was.
                if failure.kind != FailureKind::Unreachable && failure.code.is_some() && session.reset() {
                    self.keep(session);
                } else {
                    session.abort();
                }
                Err(failure)
            }
        }
    }

    /// A connection that greeted, is as protected as the settings demand, and is signed in.
    fn session(&self) -> Result<Session, SendFailure> {
        while let Some((session, since)) = self.pop_idle() {
            if since.elapsed() < IDLE_LIMIT {
                return Ok(session);
            }
            session.abort();
        }
        self.open()
    }

    fn open(&self) -> Result<Session, SendFailure> {
        Session::open(&self.settings, self.tls.as_ref()).map_err(|error| SendFailure {
            kind: FailureKind::Unreachable,
            code: error.status().map(u16::from),
            detail: masked(&format!("no session with the relay: {error}"), self.settings.username.as_deref().as_slice()),
            outcome_unknown: false,
            recipient_refused: false,
            mail_tried: false,
        })
    }

    fn pop_idle(&self) -> Option<(Session, Instant)> {
        // The most recent first: the older ones are the likelier to have been dropped.
        locked(&self.idle).pop_back()
    }

    fn keep(&self, session: Session) {
        let limit = self.settings.max_per_connection;
        if limit > 0 && session.mails() >= limit {
            return session.abort();
        }
        let surplus = {
            let mut idle = locked(&self.idle);
            idle.push_back((session, Instant::now()));
            if idle.len() > IDLE_MAX { idle.pop_front() } else { None }
        };
        if let Some((session, _)) = surplus {
            session.abort();
        }
    }
}

/// Says goodbye to the relay on the connections still open.
impl Drop for SmtpMailer {
    fn drop(&mut self) {
        while let Some((session, _)) = self.pop_idle() {
            session.abort();
        }
    }
}

fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, SettingsProblem> {
    let mut builder = TlsParametersBuilder::new(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|error| SettingsProblem::CaFile { reason: error.to_string() })?;
        // The library takes a file without any certificate for an empty list, which would then trust nobody.
        if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
            return Err(SettingsProblem::CaFile { reason: "it holds no PEM certificate".to_owned() });
        }
        let certificate = Certificate::from_pem(&pem).map_err(|error| SettingsProblem::CaFile { reason: error.to_string() })?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|error| match settings.ca_file {
        Some(_) => SettingsProblem::CaFile { reason: error.to_string() },
        None => SettingsProblem::Tls { reason: error.to_string() },
    })
}

/// What a refusal after the session stood means for this mail.
fn mail_failure(refusal: &Refusal, mail: &OutgoingMail) -> SendFailure {
    let code = refusal.error.status().map(u16::from);
    let judged = judge(refusal.stage, code, &reply_text(&refusal.error));
    let what = match judged.kind {
        FailureKind::Permanent => "refused by the relay",
        _ if code.is_some() => "not taken by the relay for now",
        _ => "the connection broke while the mail was handed over",
    };
    SendFailure {
        kind: judged.kind,
        code,
        detail: masked(&format!("{what}: {}", refusal.error), &quotable(mail)),
        outcome_unknown: judged.outcome_unknown,
        recipient_refused: judged.recipient_refused,
        mail_tried: judged.mail_tried,
    }
}

/// The relay's own words in an error of the library.
fn reply_text(error: &smtp::Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// What a relay's reply may quote of a mail and nobody else needs to read.
fn quotable(mail: &OutgoingMail) -> Vec<&str> {
    let local_part = |address| str::split(address, '@').next().unwrap_or_default();
    let mut values = vec![
        mail.subject.as_str(),
        mail.to_address.as_str(),
        mail.from_address.as_str(),
        local_part(&mail.to_address),
        local_part(&mail.from_address),
    ];
    values.extend(mail.to_name.as_deref());
    values
}

/// A relay's words on one line, bounded, with `private` values and whatever looks like an address masked.
fn masked(text: &str, private: &[&str]) -> String {
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // One or two letters would mask half the sentence and give nobody away.
    for value in private.iter().filter(|value| value.chars().count() > 2) {
        text = text.replace(value, "*");
    }
    let words: Vec<&str> = text.split_whitespace().map(|word| if word.contains('@') { "<address>" } else { word }).collect();
    words.join(" ").chars().take(DETAIL_MAX_CHARS).collect()
}

/// The lock, also after a panic elsewhere: a list of mails or connections is whole between any two statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
