//! Rate limits for each account or client, never for an address alone: a whole prefecture may share one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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

    /// Like [`Rates::check`] for operations that bear fewer repetitions, such as trying passwords.
    pub fn check_at_most(&self, key: &str, most: u32, now: UtcTime) -> Result<(), Error> {
        let seconds = now.instant().timestamp();
        let minute = seconds.div_euclid(60);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.0 != minute {
            *windows = (minute, HashMap::new());
        }
        let count = windows.1.entry(key.to_owned()).or_insert(0);
        *count += 1;
        if *count > most {
            let mut error = Error::new(ErrorCode::TooManyRequests);
            error.retry_after = u32::try_from(60 - seconds.rem_euclid(60)).ok();
            return Err(error);
        }
        Ok(())
    }
}
