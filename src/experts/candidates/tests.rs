use super::*;
use crate::calendar::jst_to_utc;

fn day(d: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 5, d).unwrap()
}

#[test]
fn held_time_is_cut_at_midnight_in_japan() {
    let at = |d, minute| UtcTime::from_naive(jst_to_utc(day(d), minute));
    let slot = |d, start_minute, end_minute| BusySlot { day: day(d), start_minute, end_minute };
    assert_eq!(slots(at(7, 600), at(7, 720)), [slot(7, 600, 720)]);
    assert_eq!(slots(at(7, 1380), at(8, 60)), [slot(7, 1380, 1440), slot(8, 0, 60)]);
    assert_eq!(slots(at(7, 1380), at(7, 1440)), [slot(7, 1380, 1440)]);
}

#[test]
fn exceptions_are_spread_over_the_wished_days_only() {
    let row = |kind, minutes: Option<(i32, i32)>| ExceptionRow {
        expert_id: ExpertId(1),
        kind,
        first_day: day(1),
        last_day: day(20),
        start_minute: minutes.map(|m| m.0),
        end_minute: minutes.map(|m| m.1),
        note: String::new(),
    };
    let days = BTreeSet::from([day(7), day(21)]);
    let mut candidate = blank();
    add_exception(&mut candidate, &row(ExceptionKind::Unavailable, Some((540, 720))), &days);
    add_exception(&mut candidate, &row(ExceptionKind::Available, None), &days);
    assert_eq!(
        candidate.exceptions,
        [
            AvailabilityException { day: day(7), available: false, start_minute: 540, end_minute: 720 },
            AvailabilityException { day: day(7), available: true, start_minute: 0, end_minute: 1440 },
        ]
    );
}

#[test]
fn visits_add_up_by_month_week_and_fiscal_year() {
    let mut load = Load::default();
    let on = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    load.add(on(2026, 4, 1), true, 100);
    load.add(on(2026, 4, 1), true, 50);
    load.add(on(2027, 3, 31), true, 200);
    load.add(on(2027, 4, 2), true, 400);
    load.add(on(2027, 4, 1), false, 800);
    let mut candidate = blank();
    load.put(&mut candidate);
    let years: Vec<(i32, u32)> =
        candidate.year_loads.iter().map(|load| (load.fiscal_year.starting_year(), load.minutes)).collect();
    assert_eq!(years, [(2026, 350), (2027, 1200)]);
    let months: Vec<(u32, u32)> = candidate.month_loads.iter().map(|load| (load.month, load.minutes)).collect();
    assert_eq!(months, [(4, 150), (3, 200), (4, 1200)]);
    // The week of 29 March to 4 April 2027 lies in two fiscal years; what has no day yet lies in no week.
    assert_eq!(
        candidate.week_loads,
        [WeekLoad { monday: on(2026, 3, 30), minutes: 150 }, WeekLoad { monday: on(2027, 3, 29), minutes: 600 }]
    );
    let days: Vec<u32> = candidate.year_days.iter().map(|days| days.days).collect();
    assert_eq!(days, [2, 2], "two visits on a day are one day, one without a day is one");
}

fn blank() -> Candidate {
    unhindered(ExpertId(1))
}
