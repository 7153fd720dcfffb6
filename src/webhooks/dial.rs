//! Making one attempt: an HTTP POST that dials checked addresses only, follows no redirect, ends in time and keeps nothing
//! of what the receiver says but status, `Retry-After` and whether there was a body.
//!
//! The calls block and are made from a worker thread. Nothing is kept between attempts, no connection either: each one is
//! checked anew.

use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};

use super::gate::{Gate, ProxyDoor, Refusal, Stopped};
use super::lookup::Lookup;
use super::sign::SignedHeaders;
use super::target::{Target, TargetRules};

/// How much of a response's body is read before the connection is closed, in bytes.
const BODY_MAX: u64 = 16 * 1_024;
/// How long a receiver that has already answered may take for its body.
const BODY_LIMIT: Duration = Duration::from_secs(2);
/// Most bytes of a response's head.
const HEAD_MAX: usize = 16 * 1_024;
/// Most bytes of a `Retry-After` that can mean anything.
const RETRY_AFTER_MAX: usize = 64;
/// How long the lookup may take that decides between the proxy and the operator's networks; a closed network often knows
/// no public names.
const ROUTE_LIMIT: Duration = Duration::from_secs(5);

/// How endpoints are called.
#[derive(Debug, Clone)]
pub struct DialSettings {
    /// What may be called.
    pub rules: TargetRules,
    /// Longest time for one attempt, from the lookup to the end of the response's head. The specification wants 15 to 30 s.
    pub timeout: Duration,
    /// What the request calls itself in `User-Agent`.
    pub user_agent: String,
    /// PEM file with certificate authorities to trust *besides* the system's, for receivers inside LGWAN.
    pub ca_file: Option<PathBuf>,
    /// `http://[user:password@]host[:port]` of the proxy through which everything leaves that is not inside the operator's
    /// networks. The proxy then finds the host and must refuse private addresses itself; what this server can
    /// look up is refused here all the same.
    pub proxy: Option<SecretString>,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialSettingsProblem {
    /// The CA file cannot be read or holds no certificate.
    CaFile {
        /// What was wrong.
        reason: String,
    },
    /// No address of an HTTP proxy.
    Proxy,
    /// The time-out is zero.
    NoTimeout,
}

impl fmt::Display for DialSettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaFile { reason } => write!(f, "the CA file is not usable: {reason}"),
            Self::Proxy => f.write_str("the proxy must be http://[user:password@]host[:port]"),
            Self::NoTimeout => f.write_str("the time-out must be longer than zero"),
        }
    }
}

impl std::error::Error for DialSettingsProblem {}

/// What is known of a response's body. Its text is never kept: a receiver could make this server fetch and show what it
/// should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodySeen {
    /// None.
    Empty,
    /// Some, read to its end.
    Whole,
    /// More than is read, or it took too long, or broke off.
    Cut,
}

/// A receiver's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, 100 to 999.
    pub status: u16,
    /// The header `Retry-After` as it came, if it is short enough to mean anything.
    pub retry_after: Option<String>,
    /// What is known of the body.
    pub body: BodySeen,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialFailure {
    /// Nothing was dialled, on purpose.
    Refused(Refusal),
    /// The host has no address.
    NameNotFound,
    /// No connection: refused, unreachable.
    Connect,
    /// No protected connection: wrong, expired or unknown certificate, no common version.
    Tls,
    /// No whole answer in time.
    Timeout,
    /// The connection broke. The receiver may have the message; the next attempt bears the same id.
    Broken,
    /// What came back is no HTTP/1.1, or its head is too long.
    Protocol,
    /// The operator's proxy could not or would not connect.
    Proxy,
}

impl DialFailure {
    /// The stable name that the delivery log shows.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(Refusal::Address(_)) => "address_refused",
            Self::Refused(Refusal::PlainHttp) => "https_required",
            Self::Refused(Refusal::Port) => "port_refused",
            Self::NameNotFound => "name_not_found",
            Self::Connect => "no_connection",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "connection_broken",
            Self::Protocol => "no_http",
            Self::Proxy => "proxy",
        }
    }

    /// Whether the fault lies with the operator and says nothing about the receiver: it must not get its endpoint switched off.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Proxy)
    }
}

impl fmt::Display for DialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            other => f.write_str(other.code()),
        }
    }
}

impl std::error::Error for DialFailure {}

/// Calls endpoints.
#[derive(Debug)]
pub struct Dialler {
    gate: Gate,
    direct: Agent,
    proxied: Option<Agent>,
    authorities: usize,
}

impl Dialler {
    /// Reads the certificate authorities and makes ready; connects to nothing.
    ///
    /// # Errors
    /// [`DialSettingsProblem`].
    pub fn new(settings: &DialSettings, lookup: Arc<dyn Lookup>) -> Result<Self, DialSettingsProblem> {
        if settings.timeout.is_zero() {
            return Err(DialSettingsProblem::NoTimeout);
        }
        let certificates = authorities(settings)?;
        let authorities = certificates.len();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(certificates)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let gate = Gate { rules: Arc::new(settings.rules.clone()), lookup: Arc::clone(&lookup) };
        let direct = agent(settings, tls.clone(), None, gate.clone());
        let proxied = match &settings.proxy {
            None => None,
            Some(proxy) => {
                let (proxy, uri) = read_proxy(proxy)?;
                Some(agent(settings, tls, Some(proxy), ProxyDoor { lookup, proxy: uri }))
            }
        };
        Ok(Self { gate, direct, proxied, authorities })
    }

    /// How many certificate authorities are trusted; without any, every `https` endpoint fails.
    pub fn authorities(&self) -> usize {
        self.authorities
    }

    /// Makes one attempt.
    ///
    /// # Errors
    /// [`DialFailure`] when no status came back.
    pub fn post(&self, target: &Target, headers: &SignedHeaders, body: &[u8]) -> Result<Answer, DialFailure> {
        let route = self.route(target)?;
        let mut request = route.agent().post(target.uri()).header("content-type", "application/json");
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        let response = request.send(body).map_err(|error| route.blame(failure(error)))?;
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.filter(|text| text.len() <= RETRY_AFTER_MAX).map(str::to_owned),
            body: look_at(response.into_body()),
        })
    }

    /// Directly, or through the proxy whatever is not inside the operator's networks.
    fn route(&self, target: &Target) -> Result<Route<'_>, DialFailure> {
        let Some(proxied) = &self.proxied else { return Ok(Route::Direct(&self.direct)) };
        match self.gate.pass(target.uri(), ROUTE_LIMIT) {
            // The direct way checks again when it dials.
            Ok(passed) if passed.inside => Ok(Route::Direct(&self.direct)),
            Ok(_) => Ok(Route::Proxied(proxied)),
            Err(Stopped::Refused(refusal)) => Err(DialFailure::Refused(refusal)),
            Err(Stopped::Lookup(_)) if target.is_https() => Ok(Route::Proxied(proxied)),
            Err(Stopped::Lookup(_)) => Err(DialFailure::NameNotFound),
        }
    }
}

/// The way to a receiver.
enum Route<'a> {
    Direct(&'a Agent),
    Proxied(&'a Agent),
}

impl Route<'_> {
    fn agent(&self) -> &Agent {
        match self {
            Self::Direct(agent) | Self::Proxied(agent) => agent,
        }
    }

    /// On the way through the proxy, only the proxy is looked up and connected to.
    fn blame(&self, failure: DialFailure) -> DialFailure {
        match (self, failure) {
            (Self::Proxied(_), DialFailure::NameNotFound | DialFailure::Connect) => DialFailure::Proxy,
            (_, failure) => failure,
        }
    }
}

fn agent(settings: &DialSettings, tls: TlsConfig, proxy: Option<Proxy>, resolver: impl Resolver) -> Agent {
    let config = Agent::config_builder()
        .tls_config(tls)
        // Said even when there is none: the client would else take one from the environment, past the gate.
        .proxy(proxy)
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .max_response_header_size(HEAD_MAX)
        .timeout_global(Some(settings.timeout))
        .timeout_recv_body(Some(BODY_LIMIT))
        .user_agent(settings.user_agent.as_str())
        .build();
    Agent::with_parts(config, DefaultConnector::new(), resolver)
}

fn authorities(settings: &DialSettings) -> Result<Vec<Certificate<'static>>, DialSettingsProblem> {
    // What cannot be read of the system's store is left out, as every program on the machine does.
    let system = rustls_native_certs::load_native_certs().certs;
    let mut all: Vec<_> = system.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    if let Some(path) = &settings.ca_file {
        let unusable = |reason: String| DialSettingsProblem::CaFile { reason };
        let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let before = all.len();
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(error.to_string()))? {
                all.push(certificate);
            }
        }
        if all.len() == before {
            return Err(unusable("no certificate in it".to_owned()));
        }
    }
    Ok(all)
}

fn read_proxy(text: &SecretString) -> Result<(Proxy, Uri), DialSettingsProblem> {
    let text = text.expose_secret();
    if !text.starts_with("http://") {
        return Err(DialSettingsProblem::Proxy);
    }
    let proxy = Proxy::new(text).map_err(|_| DialSettingsProblem::Proxy)?;
    let uri = proxy.uri().clone();
    Ok((proxy, uri))
}

/// Reads a little, so that a receiver that has not finished is not cut off for nothing, and keeps none of it.
fn look_at(body: Body) -> BodySeen {
    let mut reader = body.into_reader().take(BODY_MAX + 1);
    match io::copy(&mut reader, &mut io::sink()) {
        Ok(0) => BodySeen::Empty,
        Ok(bytes) if bytes <= BODY_MAX => BodySeen::Whole,
        _ => BodySeen::Cut,
    }
}

fn failure(error: ureq::Error) -> DialFailure {
    match error {
        ureq::Error::Other(inner) => inner.downcast_ref().map_or(DialFailure::Connect, |refusal| DialFailure::Refused(*refusal)),
        ureq::Error::HostNotFound => DialFailure::NameNotFound,
        ureq::Error::Timeout(_) => DialFailure::Timeout,
        ureq::Error::Tls(_) | ureq::Error::TlsRequired | ureq::Error::Pem(_) | ureq::Error::Rustls(_) => DialFailure::Tls,
        ureq::Error::ConnectionFailed => DialFailure::Connect,
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => DialFailure::Proxy,
        ureq::Error::Io(error) => io_failure(&error),
        _ => DialFailure::Protocol,
    }
}

fn io_failure(error: &io::Error) -> DialFailure {
    use io::ErrorKind as Kind;
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return DialFailure::Tls;
    }
    match error.kind() {
        Kind::TimedOut | Kind::WouldBlock => DialFailure::Timeout,
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => DialFailure::Broken,
        _ => DialFailure::Connect,
    }
}

#[cfg(test)]
#[path = "dial_tests.rs"]
mod tests;
