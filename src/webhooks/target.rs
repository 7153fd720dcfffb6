//! The address of an endpoint: what may be typed, and the one form in which it is kept and dialled.
//!
//! The text is read as browsers read it (WHATWG URL, crate `url`), so that `https://0x7f.1/`, `https://2130706433/` and
//! `https://１２７.０.０.１/` are seen as the loopback address they are. This looks at the text only: what a name leads to
//! is checked when it is dialled (see [`super::dial`]), each time anew.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;
use url::{Host, Url};

use super::ranges::{AllowList, Range};

/// Longest address in bytes, before and after it is brought into its one form.
pub const URL_MAX: usize = 2_048;
/// Longest host name and longest part of it (RFC 1035).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// What the operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRules {
    /// Networks open to webhooks although they are not public.
    pub allow: AllowList,
    /// Whether an endpoint inside `allow` may speak plain `http`; never anybody outside.
    pub http_inside: bool,
    /// Ports that may be called.
    pub ports: Vec<u16>,
}

impl Default for TargetRules {
    fn default() -> Self {
        Self { allow: AllowList::default(), http_inside: false, ports: vec![443, 8443] }
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetProblem {
    /// No address of the form `https://host/…`.
    Malformed,
    /// More than [`URL_MAX`] bytes.
    TooLong,
    /// A space, a control character or a backslash: readers of addresses disagree about them.
    Character,
    /// Not `https`, and not a case in which `http` is allowed.
    HttpsRequired,
    /// A user name or password; they would end up in logs, and a signature says more.
    UserInfo,
    /// A `#…` part, which no server ever sees.
    Fragment,
    /// A port that the operator does not allow.
    Port,
    /// No host name that DNS and a certificate can hold.
    HostName,
    /// An address that no webhook may be sent to.
    Address(Range),
}

impl TargetProblem {
    /// The stable name that problem documents use.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "url_malformed",
            Self::TooLong => "too_long",
            Self::Character => "url_character",
            Self::HttpsRequired => "url_https_required",
            Self::UserInfo => "url_user_info",
            Self::Fragment => "url_fragment",
            Self::Port => "url_port",
            Self::HostName => "url_host_name",
            Self::Address(_) => "url_address_refused",
        }
    }
}

/// A checked address of an endpoint. Printing it for debugging shows scheme, host and port only: receivers put tokens
/// into path and query.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    uri: Uri,
}

impl Target {
    /// Reads and checks an address; tells everything that is wrong with it at once.
    ///
    /// # Errors
    /// One or more [`TargetProblem`]s, none twice.
    pub fn parse(text: &str, rules: &TargetRules) -> Result<Self, Vec<TargetProblem>> {
        if text.len() > URL_MAX {
            return Err(vec![TargetProblem::TooLong]);
        }
        // The standard drops tabs and line ends without a word and takes backslashes for slashes.
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(vec![TargetProblem::Character]);
        }
        let malformed = |()| vec![TargetProblem::Malformed];
        let authority = raw_authority(text).ok_or(()).map_err(malformed)?;
        let mut url = Url::parse(text).map_err(|_| malformed(()))?;

        let mut problems = Vec::new();
        if authority.contains('@') {
            problems.push(TargetProblem::UserInfo);
        }
        if url.fragment().is_some() {
            problems.push(TargetProblem::Fragment);
        }
        if !url.port_or_known_default().is_some_and(|port| rules.ports.contains(&port)) {
            problems.push(TargetProblem::Port);
        }
        problems.extend(check_host(&mut url, rules));
        if !problems.is_empty() {
            return Err(problems);
        }
        if url.as_str().len() > URL_MAX {
            return Err(vec![TargetProblem::TooLong]);
        }
        let uri = url.as_str().parse::<Uri>().map_err(|_| malformed(()))?;
        // Two readers, one meaning: the host that was checked here is the host that is dialled.
        if uri.host() != url.host_str() || uri.port_u16() != url.port() || uri.scheme_str() != Some(url.scheme()) {
            return Err(malformed(()));
        }
        Ok(Self { url, uri })
    }

    /// The address in its one form: what is stored, shown and compared.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port, for logs.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether the connection is protected.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.origin())
    }
}

/// What stands between `//` and the path, as typed. Other forms (`https:host`, `https:///host`) mean the same to a
/// browser, but to nobody else.
fn raw_authority(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    rest.split(['/', '?', '#']).next().filter(|authority| known && !authority.is_empty())
}

fn check_host(url: &mut Url, rules: &TargetRules) -> Option<TargetProblem> {
    let inside = match url.host() {
        None => return Some(TargetProblem::HostName),
        Some(Host::Ipv4(address)) => Inside::of(IpAddr::V4(address), rules),
        Some(Host::Ipv6(address)) => Inside::of(IpAddr::V6(address), rules),
        Some(Host::Domain(name)) => {
            // The root's dot changes nothing for DNS, but makes another name of it for certificates and comparisons.
            let bare = name.strip_suffix('.').unwrap_or(name).to_owned();
            if !is_host_name(&bare) || url.set_host(Some(&bare)).is_err() {
                return Some(TargetProblem::HostName);
            }
            // RFC 6761, section 6.3: such names never mean anything but the machine itself.
            if bare == "localhost" || bare.ends_with(".localhost") {
                Inside::of(IpAddr::from([127, 0, 0, 1]), rules)
            } else {
                Inside::Unknown
            }
        }
    };
    let plain_allowed = match inside {
        Inside::Refused(range) => return Some(TargetProblem::Address(range)),
        Inside::Yes => rules.http_inside,
        Inside::No => false,
        // Decided when it is dialled.
        Inside::Unknown => rules.http_inside && !rules.allow.is_empty(),
    };
    (url.scheme() != "https" && !plain_allowed).then_some(TargetProblem::HttpsRequired)
}

/// Where an address lies for the operator.
enum Inside {
    Yes,
    No,
    Unknown,
    Refused(Range),
}

impl Inside {
    fn of(address: IpAddr, rules: &TargetRules) -> Self {
        match rules.allow.refuses(address) {
            Some(range) => Self::Refused(range),
            None if rules.allow.contains(address) => Self::Yes,
            None => Self::No,
        }
    }
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
    };
    name.len() <= NAME_MAX && name.split('.').all(label)
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
