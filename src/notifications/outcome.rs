//! What becomes of a mail after an attempt: sent, tried again, or given up.

use chrono::Duration;

use super::store::DueMessage;
use super::transport::{FailureKind, SendFailure, SendReceipt};
use crate::clock::UtcTime;

/// Attempts before a message is parked: with the back-off below, about three days.
pub const MOST_ATTEMPTS: i32 = 20;

crate::text_enum! {
    /// How an attempt to hand a mail over ended.
    pub enum DeliveryOutcome {
        /// The relay took it.
        Sent = "sent", "送信";
        /// Not taken for now; tried again.
        Deferred = "deferred", "一時的な拒否";
        /// Refused for good.
        Refused = "refused", "恒久的な拒否";
        /// The address was refused for good.
        RecipientRefused = "recipient_refused", "宛先なし";
        /// The mail cannot be composed.
        Unbuildable = "unbuildable", "作成不能";
        /// The connection or the worker ended before the answer was noted: the relay may have taken the mail.
        Unknown = "unknown", "結果不明";
    }
}

/// One attempt and what the relay said.
#[derive(Debug)]
pub struct Tried {
    /// The mail.
    pub message: DueMessage,
    /// When the answer came.
    pub at: UtcTime,
    /// The answer.
    pub result: Result<SendReceipt, SendFailure>,
}

/// Where a mail stands afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Sent.
    Sent,
    /// Waits until then.
    Queued(UtcTime),
    /// Given up. `permanent`: the relay, or the mail itself, said that trying again is of no use.
    Parked {
        /// Whether it was refused for good.
        permanent: bool,
    },
}

impl Tried {
    /// For the log of deliveries.
    pub fn outcome(&self) -> DeliveryOutcome {
        match &self.result {
            Ok(_) => DeliveryOutcome::Sent,
            Err(failure) => match failure.kind {
                FailureKind::Unbuildable => DeliveryOutcome::Unbuildable,
                FailureKind::Permanent if failure.recipient_refused => DeliveryOutcome::RecipientRefused,
                FailureKind::Permanent => DeliveryOutcome::Refused,
                FailureKind::Transient | FailureKind::Unreachable if failure.outcome_unknown => DeliveryOutcome::Unknown,
                FailureKind::Transient | FailureKind::Unreachable => DeliveryOutcome::Deferred,
            },
        }
    }

    /// Where the mail stands now.
    pub fn standing(&self) -> Standing {
        let attempts = self.message.attempts + 1;
        match &self.result {
            Ok(_) => Standing::Sent,
            Err(failure) if matches!(failure.kind, FailureKind::Permanent | FailureKind::Unbuildable) => {
                Standing::Parked { permanent: true }
            }
            Err(_) => after_failures(attempts, self.at),
        }
    }

    /// Reply code and words of the relay.
    pub fn said(&self) -> (Option<u16>, &str) {
        match &self.result {
            Ok(receipt) => (Some(receipt.code), &receipt.detail),
            Err(failure) => (failure.code, &failure.detail),
        }
    }
}

/// Where a mail stands after so many attempts that failed for now.
pub fn after_failures(attempts: i32, at: UtcTime) -> Standing {
    if attempts >= MOST_ATTEMPTS { Standing::Parked { permanent: false } } else { Standing::Queued(at.plus(back_off(attempts))) }
}

/// 1, 2, 4 … minutes, at most 6 hours.
fn back_off(attempts: i32) -> Duration {
    let minutes = 1_i64 << attempts.clamp(1, 10).saturating_sub(1);
    Duration::minutes(minutes.min(360))
}

/// How long all mail waits when the relay could not be reached `pauses` times in a row: 1, 2, 4, then 5 minutes.
pub fn relay_pause(pauses: i32) -> Duration {
    Duration::minutes((1_i64 << pauses.clamp(1, 4).saturating_sub(1)).min(5))
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
        let pauses: Vec<i64> = (0..=6).map(|n| relay_pause(n).num_minutes()).collect();
        assert_eq!(pauses, [1, 1, 2, 4, 5, 5, 5], "after an outage everything goes on within five minutes");
    }
}
