//! The one place where a name becomes addresses to dial, and where an address is refused. The HTTP client asks here for
//! each connection and dials what it is given, so nothing can change between the check and the call (DNS rebinding).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::lookup::{Lookup, LookupProblem};
use super::ranges::Range;
use super::target::TargetRules;

/// Most addresses of one name that are tried; the client holds no more than 16.
const MOST_ADDRESSES: usize = 8;
/// How long a lookup may take when the client sets no limit.
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// Why nothing was dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An address of the host lies in this range.
    Address(Range),
    /// Plain `http` to a host that is not inside the operator's networks.
    PlainHttp,
    /// A port that the operator does not (or no longer) allow.
    Port,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(range) => write!(f, "the host has a refused address ({})", range.code()),
            Self::PlainHttp => f.write_str("plain http leads out of the operator's networks"),
            Self::Port => f.write_str("the port is not allowed"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Checks every address of a host before any of them is dialled.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) rules: Arc<TargetRules>,
    pub(super) lookup: Arc<dyn Lookup>,
}

/// What a host's addresses are to the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) addresses: Vec<IpAddr>,
    /// All of them are inside the allow-list.
    pub(super) inside: bool,
}

/// Why a host does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    Refused(Refusal),
    Lookup(LookupProblem),
}

impl Gate {
    /// Looks the host up and checks all it has. One refused address refuses the host: who mixes public and private
    /// addresses has a mistake in the DNS or a plan.
    pub(super) fn pass(&self, uri: &Uri, within: Duration) -> Result<Passed, Stopped> {
        let refused = |refusal| Err(Stopped::Refused(refusal));
        if !port(uri).is_some_and(|port| self.rules.ports.contains(&port)) {
            return refused(Refusal::Port);
        }
        let host = uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let addresses = match bare.parse() {
            Ok(address) => vec![address],
            Err(_) => self.lookup.addresses(bare, within).map_err(Stopped::Lookup)?,
        };
        if addresses.is_empty() {
            return Err(Stopped::Lookup(LookupProblem::NotFound));
        }
        if let Some(range) = addresses.iter().find_map(|address| self.rules.allow.refuses(*address)) {
            return refused(Refusal::Address(range));
        }
        let inside = addresses.iter().all(|address| self.rules.allow.contains(*address));
        if uri.scheme_str() != Some("https") && !(inside && self.rules.http_inside) {
            return refused(Refusal::PlainHttp);
        }
        Ok(Passed { addresses, inside })
    }
}

impl Resolver for Gate {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        match self.pass(uri, limit(timeout)) {
            Ok(passed) => Ok(dialled(self, uri, &passed.addresses)),
            Err(Stopped::Refused(refusal)) => Err(Error::Other(Box::new(refusal))),
            Err(Stopped::Lookup(LookupProblem::Timeout)) => Err(Error::Timeout(timeout.reason)),
            Err(Stopped::Lookup(LookupProblem::NotFound)) => Err(Error::HostNotFound),
        }
    }
}

/// Finds the operator's own proxy, which may live anywhere, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct ProxyDoor {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) proxy: Uri,
}

impl Resolver for ProxyDoor {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        if uri.authority() != self.proxy.authority() {
            return Err(Error::HostNotFound);
        }
        let host = uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let addresses = match bare.parse() {
            Ok(address) => vec![address],
            Err(_) => self.lookup.addresses(bare, limit(timeout)).map_err(|_| Error::HostNotFound)?,
        };
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(dialled(self, uri, &addresses)) }
    }
}

fn limit(timeout: NextTimeout) -> Duration {
    timeout.not_zero().map_or(LOOKUP_LIMIT, |after| *after)
}

fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    })
}

fn dialled(resolver: &impl Resolver, uri: &Uri, addresses: &[IpAddr]) -> ResolvedSocketAddrs {
    let mut all = resolver.empty();
    for address in addresses.iter().take(MOST_ADDRESSES) {
        all.push(SocketAddr::new(*address, port(uri).unwrap_or_default()));
    }
    all
}
