//! Rate limits for each account or client, never for an address alone: a whole prefecture may share one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::clock::UtcTime;
use crate::error::{Error, ErrorCode};

/// Fixed one-minute windows, kept in this process.
#[derive(Debug)]
pub struct Rates {
    per_minute: u32,
    windows: Mutex<(i64, HashMap<String, u32>)>,
}

impl Rates {
    /// So many requests a minute for each key.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, windows: Mutex::new((0, HashMap::new())) }
    }

    /// Counts one request; 429 with the seconds to wait when the minute is used up.
    pub fn check(&self, key: &str, now: UtcTime) -> Result<(), Error> {
        self.check_at_most(key, self.per_minute, now)
    }

    /// Like [`Rates::check`]; also notes in `slot` where the account stands, for the headers of the answer.
    pub fn check_and_note(&self, key: &str, now: UtcTime, slot: &RateSlot) -> Result<(), Error> {
        let (standing, outcome) = self.count(key, self.per_minute, now);
        // A transaction that is tried again counts again; the first count is told.
        let _ = slot.0.set(standing);
        outcome
    }

    /// Like [`Rates::check`] for operations that bear fewer repetitions, such as trying passwords.
    pub fn check_at_most(&self, key: &str, most: u32, now: UtcTime) -> Result<(), Error> {
        self.count(key, most, now).1
    }

    fn count(&self, key: &str, most: u32, now: UtcTime) -> (Standing, Result<(), Error>) {
        let seconds = now.instant().timestamp();
        let minute = seconds.div_euclid(60);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.0 != minute {
            *windows = (minute, HashMap::new());
        }
        let count = windows.1.entry(key.to_owned()).or_insert(0);
        *count = count.saturating_add(1);
        let reset_seconds = u32::try_from(60 - seconds.rem_euclid(60)).unwrap_or(60);
        let standing = Standing { limit: most, remaining: most.saturating_sub(*count), reset_seconds };
        if *count > most {
            let mut error = Error::new(ErrorCode::TooManyRequests);
            error.retry_after = Some(reset_seconds);
            return (standing, Err(error));
        }
        (standing, Ok(()))
    }
}

/// Where an account stands in the running minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests a minute.
    pub limit: u32,
    /// Requests left.
    pub remaining: u32,
    /// Seconds until the count starts anew.
    pub reset_seconds: u32,
}

/// Carries the standing of a request's account from the transaction to the headers of the answer.
#[derive(Debug, Clone, Default)]
pub struct RateSlot(Arc<OnceLock<Standing>>);

impl RateSlot {
    /// The standing, once the account is known.
    pub fn standing(&self) -> Option<Standing> {
        self.0.get().copied()
    }
}
