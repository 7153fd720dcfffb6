//! The schedule under a clock that the test moves.

use proptest::prelude::*;

use super::*;

fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-01-05T12:00:00Z").unwrap().to_utc()
}

/// Makes attempts until the delivery ends; returns the instants of them all.
fn attempts(seed: u64, verdict: Verdict) -> Vec<DateTime<Utc>> {
    let mut made = vec![noon()];
    loop {
        let now = *made.last().unwrap();
        let attempt = u32::try_from(made.len()).unwrap();
        match next(verdict, Attempted { attempt, seed, first_at: noon(), now }) {
            Next::RetryAt(at) => made.push(at),
            Next::GiveUp => return made,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_schedule_is_that_of_the_specification() {
    assert_eq!(usize::try_from(MOST_ATTEMPTS).unwrap(), WAITS.len() + 1);
    assert_eq!(WAITS.iter().sum::<i64>(), 75 * 3_600 + 35 * 60 + 5);
    assert_eq!(wait_after(0, 1), None);
    assert_eq!(wait_after(MOST_ATTEMPTS, 1), None);
}

#[test]
fn a_receiver_that_is_down_is_tried_ten_times_over_about_three_days() {
    for seed in [0, 1, 2, 99_999, u64::MAX] {
        let made = attempts(seed, NO_ANSWER);
        assert_eq!(made.len(), 10);
        for (pair, wait) in made.windows(2).zip(WAITS) {
            let gap = (pair[1] - pair[0]).num_milliseconds();
            assert!((wait * 900..=wait * 1_100).contains(&gap), "{wait} s became {gap} ms");
        }
        assert_eq!(made, attempts(seed, NO_ANSWER), "the same delivery, the same waits");
    }
}

#[test]
fn deliveries_that_failed_together_do_not_come_back_together() {
    let waits: std::collections::BTreeSet<_> = (0..100).map(|seed| wait_after(4, seed)).collect();
    assert!(waits.len() > 60, "{} different waits of 201 possible", waits.len());
}

#[test]
fn each_answer_means_what_the_specification_says() {
    let failed = |overloaded| Verdict::Failed { retry_after: None, overloaded };
    for (status, verdict) in [
        (200, Verdict::Delivered),
        (204, Verdict::Delivered),
        (299, Verdict::Delivered),
        (100, failed(false)),
        (199, failed(false)),
        (300, failed(false)),
        (301, failed(false)),
        (302, failed(false)),
        (304, failed(false)),
        (307, failed(false)),
        (400, failed(false)),
        (401, failed(false)),
        (404, failed(false)),
        (409, failed(false)),
        (410, Verdict::Gone),
        (429, failed(true)),
        (500, failed(false)),
        (502, failed(true)),
        (503, failed(true)),
        (504, failed(true)),
        (999, failed(false)),
        (0, failed(false)),
    ] {
        assert_eq!(judge(status, None, noon()), verdict, "{status}");
    }
    let attempted = Attempted { attempt: 1, seed: 1, first_at: noon(), now: noon() };
    assert_eq!(next(Verdict::Delivered, attempted), Next::Delivered);
    assert_eq!(next(judge(410, Some("60"), noon()), attempted), Next::DisableEndpoint);
}

#[test]
fn retry_after_is_read_in_all_its_forms_and_bounded() {
    for (text, seconds) in [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 120 ", Some(120)),
        ("86400", Some(86_400)),
        ("86401", Some(86_400)),
        ("99999999999999999999999999", Some(86_400)),
        ("Mon, 05 Jan 2026 12:02:00 GMT", Some(120)),
        ("Monday, 05-Jan-26 12:02:00 GMT", Some(120)),
        ("Mon Jan  5 12:02:00 2026", Some(120)),
        ("Mon, 05 Jan 2026 11:00:00 GMT", Some(0)),
        ("Tue, 05 Jan 2027 12:00:00 GMT", Some(86_400)),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
    ] {
        assert_eq!(read_retry_after(text, noon()).map(|wait| wait.num_seconds()), seconds, "{text:?}");
    }
}

#[test]
fn retry_after_lengthens_a_wait_but_neither_shortens_it_nor_goes_on_for_ever() {
    let after = |attempt, header: &str| {
        next(judge(503, Some(header), noon()), Attempted { attempt, seed: 7, first_at: noon(), now: noon() })
    };
    assert_eq!(after(1, "600"), Next::RetryAt(noon() + Duration::minutes(10)));
    assert_eq!(after(9, "1"), Next::RetryAt(noon() + wait_after(9, 7).unwrap()));
    let made = attempts(7, judge(429, Some("999999"), noon()));
    assert_eq!(made.len(), 5, "once a day, and given up after four days");
}

#[test]
fn an_endpoint_that_only_fails_is_dead_after_five_days() {
    assert!(!is_dead(noon(), noon() + Duration::days(5) - Duration::seconds(1)));
    assert!(is_dead(noon(), noon() + Duration::days(5)));
}

proptest! {
    #[test]
    fn reading_any_header_ends_within_the_bounds(text in "\\PC{0,40}") {
        if let Some(wait) = read_retry_after(&text, noon()) {
            prop_assert!(wait >= Duration::zero() && wait <= LONGEST_RETRY_AFTER);
        }
    }

    #[test]
    fn a_delivery_always_ends(seed in any::<u64>(), seconds in 0_u32..200_000) {
        let made = attempts(seed, judge(503, Some(&seconds.to_string()), noon()));
        prop_assert!(made.len() <= 10);
        prop_assert!(*made.last().unwrap() - noon() <= GIVE_UP_AFTER);
    }
}
