//! When the clock speaks of something that ends.

use chrono::NaiveDate;

/// Days before the end at which those concerned are told, the longest first.
pub const DAYS_BEFORE: [i64; 2] = [14, 3];

/// Which of [`DAYS_BEFORE`] is reached for something whose first day that no longer counts is `ends`; nothing while there is
/// more time, or when it is over. Who was not told in time (the service stood still) is told of the nearest one only.
pub fn stage(today: NaiveDate, ends: NaiveDate) -> Option<i64> {
    let left = (ends - today).num_days();
    (left > 0).then(|| DAYS_BEFORE.iter().copied().filter(|days| left <= *days).min()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_threshold_has_its_days_and_the_end_none() {
        let day = |n: u32| NaiveDate::from_ymd_opt(2026, 11, n).unwrap();
        let end = day(20);
        let stages: Vec<Option<i64>> = (5..=21).map(|n| stage(day(n), end)).collect();
        assert_eq!(stages[0], None, "15 days are left");
        assert!(stages[1..=11].iter().all(|stage| *stage == Some(14)), "14 to 4 days");
        assert!(stages[12..=14].iter().all(|stage| *stage == Some(3)), "3 to 1 days");
        assert_eq!(stages[15..], [None, None], "over");
    }
}
