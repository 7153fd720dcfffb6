//! Where claimed mails lie until a sender takes one.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::store::DueMessage;
use crate::clock::{Clock, UtcTime};

struct State {
    waiting: VecDeque<DueMessage>,
    closed: bool,
    good_until: UtcTime,
}

/// What lay on top.
pub(super) enum Taken {
    /// A mail to send.
    Good(DueMessage),
    /// A mail whose claim has run out: another worker may have it by now.
    Expired(DueMessage),
}

/// The mails of one worker between claim and attempt.
pub(super) struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

impl Desk {
    /// An empty desk, whose claims hold until then.
    pub(super) fn new(good_until: UtcTime) -> Self {
        Self { state: Mutex::new(State { waiting: VecDeque::new(), closed: false, good_until }), changed: Condvar::new() }
    }

    /// Lays mails on the desk.
    pub(super) fn put(&self, messages: impl IntoIterator<Item = DueMessage>) {
        self.lock().waiting.extend(messages);
        self.changed.notify_all();
    }

    /// The next mail; waits for one until the desk is closed and empty.
    pub(super) fn take(&self, clock: &Clock) -> Option<Taken> {
        let mut state = self.lock();
        loop {
            if let Some(message) = state.waiting.pop_front() {
                let good = clock.now() < state.good_until;
                return Some(if good { Taken::Good(message) } else { Taken::Expired(message) });
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Everything that nobody has taken.
    pub(super) fn clear(&self) -> Vec<DueMessage> {
        self.lock().waiting.drain(..).collect()
    }

    /// How many lie here.
    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Lets the senders go once nothing is left.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Notes that at `now` the claims were prolonged. Claims that had run out by then are not: their mails come back.
    pub(super) fn prolong(&self, now: UtcTime, good_until: UtcTime) -> Vec<DueMessage> {
        let mut state = self.lock();
        let expired = if now >= state.good_until { state.waiting.drain(..).collect() } else { Vec::new() };
        state.good_until = good_until;
        expired
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a desk however its round ends: senders that wait for ever would keep the process.
pub(super) struct Closing<'a>(pub(super) &'a Desk);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::ids::OutboxMessageId;

    fn message(n: i64) -> DueMessage {
        DueMessage {
            id: OutboxMessageId(n),
            message_id: String::new(),
            recipient_address: String::new(),
            recipient_name: String::new(),
            subject: String::new(),
            body: String::new(),
            secret: None,
            thread_id: None,
            attempts: 0,
            created_at: start(),
            calendars: None,
            locale: "ja".to_owned(),
            is_digest: false,
        }
    }

    fn start() -> UtcTime {
        serde_json::from_str("\"2026-04-06T01:00:00Z\"").unwrap()
    }

    #[test]
    fn nothing_is_sent_on_a_claim_that_has_run_out() {
        let clock = Clock::fixed(start());
        let later = |seconds| start().plus(Duration::seconds(seconds));
        let desk = Desk::new(later(120));
        desk.put((1..=5).map(message));
        assert!(matches!(desk.take(&clock), Some(Taken::Good(first)) if first.id.0 == 1));
        // Prolonged in time, the claims hold.
        assert!(desk.prolong(later(100), later(220)).is_empty());
        clock.set(later(219));
        assert!(matches!(desk.take(&clock), Some(Taken::Good(_))));
        clock.set(later(220));
        assert!(matches!(desk.take(&clock), Some(Taken::Expired(third)) if third.id.0 == 3));
        // Prolonged too late, they do not: the mails come back instead.
        assert_eq!(desk.prolong(later(230), later(350)).len(), 2);
        desk.close();
        assert!(desk.take(&clock).is_none());
    }
}
