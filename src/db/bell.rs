//! Rings whenever something was committed, for threads that work on what others write.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Counts the commits of this process.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    /// Something was committed, or whoever waits is to look up.
    pub fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        *rung = rung.wrapping_add(1);
        self.changed.notify_all();
    }

    /// How often it has rung.
    pub fn rung(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has rung more often than `heard`, but not longer than `longest`.
    pub fn wait(&self, heard: u64, longest: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(rung, longest, |rung| *rung == heard));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rang_before_the_wait_is_heard() {
        let bell = Bell::default();
        let heard = bell.rung();
        bell.ring();
        // Would last for ever if it were not.
        bell.wait(heard, Duration::MAX);
        std::thread::scope(|scope| {
            let (bell, heard) = (&bell, bell.rung());
            let waiting = scope.spawn(move || bell.wait(heard, Duration::MAX));
            bell.ring();
            waiting.join().unwrap();
        });
    }
}
