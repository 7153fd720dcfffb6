//! How many mails may leave in a minute (the provider's limit), counted by one instant that all processes share.

use chrono::Duration;

use crate::clock::UtcTime;

/// A limit of mails in any minute.
///
/// It is a token bucket kept as the instant at which the last slot taken comes due (the generic cell rate algorithm): a slot
/// every `interval`, and a few at once. Both are chosen so that what is left at once and what follows within the same minute
/// never exceed the limit together. A slot is spent when a mail is claimed, whatever becomes of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
    at_once: i64,
}

impl Pace {
    /// For so many mails in any minute; `None` for 0, which is no limit. A limit of 1 is kept as one mail a minute, with
    /// room for two in a minute that begins between them.
    pub fn per_minute(limit: u32) -> Option<Self> {
        if limit == 0 {
            return None;
        }
        let at_once = i64::from(limit / 10).max(1);
        let steady = (i64::from(limit) - at_once).max(1);
        // Rounded up: rather a microsecond too late than a mail too many.
        let interval = Duration::microseconds(60_000_000 / steady + 1);
        Some(Self { interval, at_once })
    }

    /// How many slots are free at `now`, when the last one taken comes due at `until`.
    pub fn free(self, until: Option<UtcTime>, now: UtcTime) -> i64 {
        let taken = until.map_or(0, |until| {
            let ahead = (until.naive() - now.naive()).num_microseconds().unwrap_or(i64::MAX).max(0);
            let step = self.step();
            ahead / step + i64::from(ahead % step > 0)
        });
        (self.at_once - taken).max(0)
    }

    /// The instant at which the last of `count` more slots comes due.
    pub fn take(self, until: Option<UtcTime>, now: UtcTime, count: i64) -> UtcTime {
        let from = until.filter(|until| *until > now).unwrap_or(now);
        from.plus(Duration::microseconds(self.step().saturating_mul(count)))
    }

    fn step(self) -> i64 {
        self.interval.num_microseconds().unwrap_or(i64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> UtcTime {
        serde_json::from_str("\"2026-04-06T01:00:00Z\"").unwrap()
    }

    proptest! {
        #[test]
        fn no_minute_sees_more_than_the_limit(
            limit in 2_u32..500,
            steps in proptest::collection::vec((0_i64..20_000_000, 1_i64..200), 1..200),
        ) {
            let pace = Pace::per_minute(limit).unwrap();
            let (mut now, mut until, mut sent) = (start(), None, Vec::<UtcTime>::new());
            for (pause, wanted) in steps {
                now = now.plus(Duration::microseconds(pause));
                let count = pace.free(until, now).min(wanted);
                until = Some(pace.take(until, now, count));
                sent.extend((0..count).map(|_| now));
            }
            for (first, from) in sent.iter().enumerate() {
                let end = from.plus(Duration::seconds(60));
                let within = sent[first..].iter().filter(|at| **at < end).count();
                prop_assert!(within <= usize::try_from(limit).unwrap(), "{} in a minute", within);
            }
        }
    }

    #[test]
    fn whoever_always_asks_gets_nearly_the_whole_limit() {
        for limit in [2, 10, 30, 1_000] {
            let pace = Pace::per_minute(limit).unwrap();
            let (mut until, mut sent) = (None, 0);
            for second in 0..3_600 {
                let now = start().plus(Duration::seconds(second));
                let count = pace.free(until, now);
                until = Some(pace.take(until, now, count));
                sent += count;
            }
            assert!(sent >= i64::from(limit) * 60 * 45 / 100 && sent <= i64::from(limit) * 60, "{limit}: {sent}");
        }
        assert_eq!(Pace::per_minute(0), None);
    }
}
