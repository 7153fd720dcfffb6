//! When an attempt is repeated, and what each answer means: Standard Webhooks 1.0.0, sections "Deliverability and
//! reliability" and "Delivery success and failure". No clock: the present is passed in.

use std::time::SystemTime;

use chrono::{DateTime, Duration, Utc};

/// Seconds from the attempt before to attempt 2, 3, … 10: the specification's schedule, 75 h 35 min in all.
const WAITS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Attempts before a delivery is given up.
pub const MOST_ATTEMPTS: u32 = 10;
/// How far the jitter moves a wait, in thousandths to either side: receivers that failed together do not come back together.
const JITTER: i64 = 100;
/// The longest wait that a receiver's `Retry-After` can order.
pub const LONGEST_RETRY_AFTER: Duration = Duration::hours(24);
/// How long after its first attempt a delivery is given up, whatever the receiver orders.
pub const GIVE_UP_AFTER: Duration = Duration::hours(96);
/// How long an endpoint may do nothing but fail before it is switched off.
pub const DEAD_AFTER: Duration = Duration::days(5);

/// How long to wait after the failed attempt number `attempt` (from 1) until the next one; `None`: that was the last.
/// The same `seed` (the delivery's id) always gives the same waits.
pub fn wait_after(attempt: u32, seed: u64) -> Option<Duration> {
    let position = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let milliseconds = WAITS.get(position)? * 1_000;
    // The remainder is below 201, so that it fits.
    let thousandths = i64::try_from(mix(seed, attempt) % (2 * JITTER.unsigned_abs() + 1)).unwrap_or(JITTER) - JITTER;
    Some(Duration::milliseconds(milliseconds + milliseconds * thousandths / 1_000))
}

/// SplitMix64 (Steele, Lea and Flood 2014): neighbouring seeds give unrelated numbers.
fn mix(seed: u64, attempt: u32) -> u64 {
    let mut z = seed.wrapping_add(u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What the answer to an attempt means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx: the receiver has it.
    Delivered,
    /// 410: the receiver wants nothing more from here; the endpoint is switched off.
    Gone,
    /// Anything else, 3xx included: try again later.
    Failed {
        /// How long the receiver asked to be left alone, already bounded.
        retry_after: Option<Duration>,
        /// The receiver is overloaded (429, 502, 503, 504): its other deliveries wait as well.
        overloaded: bool,
    },
}

/// Judges an answer by its status and its `Retry-After` header; `now` is needed where the header names a date.
pub fn judge(status: u16, retry_after: Option<&str>, now: DateTime<Utc>) -> Verdict {
    match status {
        200..=299 => Verdict::Delivered,
        410 => Verdict::Gone,
        _ => Verdict::Failed {
            retry_after: retry_after.and_then(|text| read_retry_after(text, now)),
            overloaded: matches!(status, 429 | 502 | 503 | 504),
        },
    }
}

/// What no answer at all means: a time-out, a refused connection, a broken handshake.
pub const NO_ANSWER: Verdict = Verdict::Failed { retry_after: None, overloaded: false };

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in any of HTTP's three forms. A date that has
/// passed is no wait; what cannot be read counts as absent; [`LONGEST_RETRY_AFTER`] is the most.
pub fn read_retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits without end mean long, not nothing.
        text.parse().ok().and_then(Duration::try_seconds).unwrap_or(LONGEST_RETRY_AFTER)
    } else {
        let until: SystemTime = httpdate::parse_http_date(text).ok()?;
        DateTime::<Utc>::from(until).signed_duration_since(now)
    };
    Some(wait.clamp(Duration::zero(), LONGEST_RETRY_AFTER))
}

/// What happens to a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing more: it arrived.
    Delivered,
    /// The delivery is given up and its endpoint switched off.
    DisableEndpoint,
    /// Another attempt at this instant.
    RetryAt(DateTime<Utc>),
    /// Given up; a person can replay it.
    GiveUp,
}

/// A delivery that has just been attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The delivery's id.
    pub seed: u64,
    /// When its first attempt was made; after a replay, the first since then.
    pub first_at: DateTime<Utc>,
    /// When this attempt ended.
    pub now: DateTime<Utc>,
}

/// Decides what happens to a delivery: the schedule's wait or the receiver's `Retry-After`, whichever is longer.
pub fn next(verdict: Verdict, attempted: Attempted) -> Next {
    let retry_after = match verdict {
        Verdict::Delivered => return Next::Delivered,
        Verdict::Gone => return Next::DisableEndpoint,
        Verdict::Failed { retry_after, .. } => retry_after.unwrap_or_else(Duration::zero),
    };
    let planned = wait_after(attempted.attempt, attempted.seed).map(|wait| wait.max(retry_after.min(LONGEST_RETRY_AFTER)));
    let at = planned.and_then(|wait| attempted.now.checked_add_signed(wait));
    match at {
        Some(at) if at.signed_duration_since(attempted.first_at) <= GIVE_UP_AFTER => Next::RetryAt(at),
        _ => Next::GiveUp,
    }
}

/// Whether an endpoint that has only failed since `failing_since` is switched off, so that it is not called for ever.
pub fn is_dead(failing_since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(failing_since) >= DEAD_AFTER
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
