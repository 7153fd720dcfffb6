//! Sending what is in the outbox: claim, send, note. A crash between the relay's acceptance and our note repeats one
//! mail with the same Message-ID; nothing is ever lost.

use chrono::Duration;

use super::outgoing::outgoing;
use super::store;
use super::transport::FailureKind;
use crate::app::App;
use crate::error::Error;

/// How long a claimed message is left to its worker.
const LEASE_MINUTES: i64 = 10;
/// Messages claimed at once.
const BATCH: i64 = 20;
/// Attempts before a message is parked: with the back-off below, about three days.
const MOST_ATTEMPTS: i32 = 20;
/// How long all mail waits when the relay cannot be reached.
const RELAY_PAUSE_MINUTES: i64 = 5;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Messages that were sent or refused.
    pub handled: usize,
    /// Whether there may be more to send now: the batch was not empty and the relay could be reached.
    pub go_on: bool,
}

/// Sends one batch.
pub fn send_batch(app: &App, worker: &str) -> Result<Batch, Error> {
    let Some(mailer) = &app.mailer else { return Ok(Batch { handled: 0, go_on: false }) };
    let now = app.clock.now();
    let batch = app.db.write_blocking(|conn| store::claim(conn, worker, now, Duration::minutes(LEASE_MINUTES), BATCH))?;
    for (position, message) in batch.iter().enumerate() {
        let outcome = mailer.send(&outgoing(app, message));
        let now = app.clock.now();
        match outcome {
            Ok(_) => app.db.write_blocking(|conn| store::mark_sent(conn, message, now, app.demo))?,
            // A relay that cannot be reached says nothing about the messages: none of them has been tried, and all of
            // them wait. Trying each would outlast the lease when every try takes a whole time-out.
            Err(failure) if failure.kind == FailureKind::Unreachable => {
                tracing::warn!(detail = failure.detail, "the mail relay cannot be reached");
                let untried: Vec<_> = batch.iter().skip(position).map(|message| message.id).collect();
                let until = now.plus(Duration::minutes(RELAY_PAUSE_MINUTES));
                app.db.write_blocking(|conn| store::postpone(conn, &untried, &failure.detail, until))?;
                return Ok(Batch { handled: position, go_on: false });
            }
            Err(failure) => {
                let permanent = matches!(failure.kind, FailureKind::Permanent | FailureKind::Unbuildable);
                let spent = message.attempts >= MOST_ATTEMPTS;
                let next = (!permanent && !spent).then(|| now.plus(back_off(message.attempts)));
                tracing::warn!(
                    message = message.id.0,
                    attempts = message.attempts,
                    parked = next.is_none(),
                    detail = failure.detail,
                    "mail not sent"
                );
                app.db.write_blocking(|conn| store::mark_failed(conn, message.id, &failure.detail, next, now))?;
            }
        }
    }
    Ok(Batch { handled: batch.len(), go_on: !batch.is_empty() })
}

/// 1, 2, 4 … minutes, at most 6 hours.
fn back_off(attempts: i32) -> Duration {
    let minutes = 1_i64 << attempts.clamp(1, 10).saturating_sub(1);
    Duration::minutes(minutes.min(360))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_but_never_more_than_six_hours() {
        let waits: Vec<i64> = (1..=20).map(|n| back_off(n).num_minutes()).collect();
        assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits.last(), Some(&360));
        assert!(waits.iter().sum::<i64>() > 2 * 24 * 60, "a relay that refuses everything over a weekend loses nothing");
    }
}
