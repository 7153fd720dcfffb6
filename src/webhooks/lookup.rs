//! From a host's name to its addresses. A trait, so that tests can be the DNS that lies.

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Why a name has no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupProblem {
    /// There is none, or nobody could say so.
    NotFound,
    /// No answer in time.
    Timeout,
}

/// Looks names up.
pub trait Lookup: fmt::Debug + Send + Sync + 'static {
    /// All addresses of a name, in the order in which they should be tried.
    ///
    /// # Errors
    /// [`LookupProblem`]; an empty answer is `NotFound`.
    fn addresses(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, LookupProblem>;
}

/// The operating system's way: hosts file, DNS, whatever it is set up with.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, host: &str, within: Duration) -> Result<Vec<IpAddr>, LookupProblem> {
        let host = host.to_owned();
        let (answer, answered) = mpsc::sync_channel(1);
        // The system's call cannot be broken off; a late answer finds nobody listening and its thread ends.
        std::thread::Builder::new()
            .name("webhook-lookup".to_owned())
            .spawn(move || {
                let found = (host.as_str(), 0).to_socket_addrs().map(|all| all.map(|address| address.ip()).collect::<Vec<_>>());
                drop(answer.send(found));
            })
            .map_err(|_| LookupProblem::NotFound)?;
        match answered.recv_timeout(within) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) | Err(RecvTimeoutError::Disconnected) => Err(LookupProblem::NotFound),
            Err(RecvTimeoutError::Timeout) => Err(LookupProblem::Timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_knows_the_machine_itself_and_no_invalid_name() {
        let found = SystemLookup.addresses("localhost", Duration::from_secs(20)).unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        // Forms that only the system's call understands still come back as the addresses they are.
        if let Ok(found) = SystemLookup.addresses("0x7f.1", Duration::from_secs(20)) {
            assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        }
        assert_eq!(SystemLookup.addresses("a..b", Duration::from_secs(20)), Err(LookupProblem::NotFound));
    }
}
