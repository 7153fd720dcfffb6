//! Sending what is in the outbox: claim, send, note. A crash between the relay's acceptance and our note repeats one
//! mail with the same Message-ID; nothing is ever lost.

use chrono::Duration;

use super::message::OutgoingMail;
use super::store::{self, DueMessage};
use super::transport::FailureKind;
use crate::app::App;
use crate::clock::UtcTime;
use crate::error::Error;

/// How long a claimed message is left to its worker.
const LEASE_MINUTES: i64 = 10;
/// Messages claimed at once.
const BATCH: i64 = 20;
/// Attempts before a message is parked: with the back-off below, about three days.
const MOST_ATTEMPTS: i32 = 20;

/// Sends one batch; returns how many messages were handled.
pub fn send_batch(app: &App, worker: &str) -> Result<usize, Error> {
    let Some(mailer) = &app.mailer else { return Ok(0) };
    let now = app.clock.now();
    let batch = app.db.write_blocking(|conn| store::claim(conn, worker, now, Duration::minutes(LEASE_MINUTES), BATCH))?;
    for message in &batch {
        let outcome = mailer.send(&outgoing(app, message));
        let now = app.clock.now();
        match outcome {
            Ok(_) => app.db.write_blocking(|conn| store::mark_sent(conn, message, now, app.demo))?,
            Err(failure) => {
                let permanent = matches!(failure.kind, FailureKind::Permanent | FailureKind::Unbuildable);
                // A relay that cannot be reached says nothing about the message: it waits as long as it takes.
                let spent = message.attempts >= MOST_ATTEMPTS && failure.kind != FailureKind::Unreachable;
                let next = (!permanent && !spent).then(|| now.plus(back_off(message.attempts)));
                tracing::warn!(message = message.id.0, attempts = message.attempts, parked = next.is_none(), detail = failure.detail, "mail not sent");
                app.db.write_blocking(|conn| store::mark_failed(conn, message.id, &failure.detail, next, now))?;
            }
        }
    }
    Ok(batch.len())
}

/// 1, 2, 4 … minutes, at most 6 hours.
fn back_off(attempts: i32) -> Duration {
    let minutes = 1_i64 << attempts.clamp(1, 10).saturating_sub(1);
    Duration::minutes(minutes.min(360))
}

fn outgoing(app: &App, message: &DueMessage) -> OutgoingMail {
    OutgoingMail {
        message_id: message.message_id.clone(),
        from_address: app.config.smtp.from_address.clone(),
        from_name: app.config.smtp.from_name.clone(),
        to_address: message.recipient_address.clone(),
        to_name: Some(message.recipient_name.clone()).filter(|name| !name.is_empty()),
        subject: message.subject.clone(),
        text: message.body.clone(),
        in_reply_to: None,
        references: message.thread_id.clone(),
        date: UtcTime::instant(message.created_at),
    }
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
        assert!(waits.iter().sum::<i64>() > 2 * 24 * 60, "a relay that is down over a weekend loses nothing");
    }
}
