//! Days on which public offices are closed: Saturdays, Sundays, national holidays and the turn of the year.
//!
//! National holidays follow 国民の祝日に関する法律 as it stood in each year from 2000 to 2099, the exceptions of 2019 to 2021
//! included; the equinoxes are reckoned by the formula of the National Astronomical Observatory's almanac, which the Cabinet's
//! notice confirms each February. Local closing days (沖縄県の慰霊の日, 広島市の平和記念日) are not part of it.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Whether a day is a national holiday, substitute (振替休日) and sandwiched days (国民の休日) included.
pub fn is_national_holiday(day: NaiveDate) -> bool {
    named(day) || is_substitute(day) || is_sandwiched(day)
}

/// Whether public offices are closed on a day (地方自治法4条の2: by ordinance also from 29 December to 3 January).
pub fn is_closed(day: NaiveDate) -> bool {
    let turn_of_year = matches!((day.month(), day.day()), (12, 29..=31) | (1, 1..=3));
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || turn_of_year || is_national_holiday(day)
}

/// The nearest open day: the day itself, else the next one or, with `earlier`, the one before.
pub fn business_day(day: NaiveDate, earlier: bool) -> NaiveDate {
    let mut found = day;
    // The longest run of closed days is far below a month.
    for _ in 0..31 {
        if !is_closed(found) {
            break;
        }
        let step = Days::new(1);
        let moved = if earlier { found.checked_sub_days(step) } else { found.checked_add_days(step) };
        found = moved.unwrap_or(found);
    }
    found
}

/// Whether a day has a holiday of its own.
fn named(day: NaiveDate) -> bool {
    let (year, month, date) = (day.year(), day.month(), day.day());
    // Which occurrence of a Monday it is in its month; 0 on other weekdays.
    let monday = if day.weekday() == Weekday::Mon { date.div_ceil(7) } else { 0 };
    match (month, date) {
        (1, 1) | (2, 11) | (4, 29) | (5, 3) | (5, 5) | (11, 3) | (11, 23) => true,
        (1, _) => monday == 2,
        (2, 23) => year >= 2020,
        (3, _) => date == equinox(year, 20_843_100),
        (5, 1) => year == 2019,
        (5, 4) => year >= 2007,
        (7, _) => match year {
            2020 => matches!(date, 23 | 24),
            2021 => matches!(date, 22 | 23),
            ..=2002 => date == 20,
            _ => monday == 3,
        },
        (8, _) => match year {
            2020 => date == 10,
            2021 => date == 8,
            2016.. => date == 11,
            _ => false,
        },
        (9, _) => date == equinox(year, 23_248_800) || if year <= 2002 { date == 15 } else { monday == 3 },
        (10, 22) if year == 2019 => true,
        (10, _) => monday == 2 && !matches!(year, 2020 | 2021),
        (12, 23) => year <= 2018,
        _ => false,
    }
}

/// The day of an equinox in March or September, 1980 to 2099; `base` is its millionths of a day for 1980.
fn equinox(year: i32, base: i64) -> u32 {
    let years = i64::from(year) - 1980;
    let day = (base + 242_194 * years).div_euclid(1_000_000) - years.div_euclid(4);
    u32::try_from(day).unwrap_or(0)
}

fn before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(day)
}

/// A holiday on a Sunday moves to the next day that is none itself; before 2007 to the Monday only.
fn is_substitute(day: NaiveDate) -> bool {
    if named(day) || day.weekday() == Weekday::Sun {
        return false;
    }
    let mut earlier = before(day);
    for _ in 0..7 {
        if !named(earlier) {
            return false;
        }
        if earlier.weekday() == Weekday::Sun {
            return day.year() >= 2007 || day.weekday() == Weekday::Mon;
        }
        earlier = before(earlier);
    }
    false
}

/// A day between two holidays is one too (in 2019 also 30 April and 2 May).
fn is_sandwiched(day: NaiveDate) -> bool {
    let after = day.succ_opt().unwrap_or(day);
    !named(day) && day.weekday() != Weekday::Sun && named(before(day)) && named(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn holidays(year: i32) -> Vec<String> {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        first
            .iter_days()
            .take_while(|day| day.year() == year)
            .filter(|day| is_national_holiday(*day))
            .map(|day| day.format("%m%d").to_string())
            .collect()
    }

    /// The lists the Cabinet Office publishes (国民の祝日について).
    #[test]
    fn published_years() {
        assert_eq!(
            holidays(2019),
            [
                "0101", "0114", "0211", "0321", "0429", "0430", "0501", "0502", "0503", "0504", "0505", "0506", "0715", "0811",
                "0812", "0916", "0923", "1014", "1022", "1103", "1104", "1123"
            ]
        );
        assert_eq!(
            holidays(2021),
            [
                "0101", "0111", "0211", "0223", "0320", "0429", "0503", "0504", "0505", "0722", "0723", "0808", "0809", "0920",
                "0923", "1103", "1123"
            ]
        );
        assert_eq!(
            holidays(2026),
            [
                "0101", "0112", "0211", "0223", "0320", "0429", "0503", "0504", "0505", "0506", "0720", "0811", "0921", "0922",
                "0923", "1012", "1103", "1123"
            ]
        );
        assert_eq!(
            holidays(2006),
            [
                "0102", "0101", "0109", "0211", "0321", "0429", "0503", "0504", "0505", "0717", "0918", "0923", "1009", "1103",
                "1123", "1223"
            ]
            .into_iter()
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
        );
    }

    #[test]
    fn due_days_move_to_open_days() {
        // 20 May 2029 is a Sunday; 御坊 pays earlier, statutory deadlines run later.
        assert_eq!(business_day(day("2029-05-20"), true), day("2029-05-18"));
        assert_eq!(business_day(day("2029-05-20"), false), day("2029-05-21"));
        assert_eq!(business_day(day("2026-05-03"), false), day("2026-05-07"));
        assert_eq!(business_day(day("2026-12-29"), false), day("2027-01-04"));
        assert_eq!(business_day(day("2027-01-01"), true), day("2026-12-28"));
        assert_eq!(business_day(day("2026-05-20"), true), day("2026-05-20"));
    }
}
