//! The calendar every area shares: Japanese days, months, fiscal years and the era notation of official papers.
//!
//! Instants are kept in UTC; a *day* is always a day in Asia/Tokyo, which has been UTC+9 without daylight saving since
//! 1951, so the conversion is plain arithmetic and needs no time-zone data. Local bodies keep accounts from 1 April to
//! 31 March (Local Autonomy Act, article 208) and may pay and collect for a closed year until 31 May (article 235-5).
//!
//! Everything here is a pure function: the present moment comes from `clock`, never from this module. Public holidays are
//! those of [`crate::holidays`].

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Hours by which Asia/Tokyo is ahead of UTC.
const JST_OFFSET_HOURS: i64 = 9;

/// Minutes in a day; as a minute of the day it means the midnight that ends it (24:00).
pub const MINUTES_PER_DAY: u16 = 1440;

/// Why a date or a fiscal year was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarError {
    /// The fiscal year lies outside 2000..=2100; the value as given.
    FiscalYearOutOfRange(i32),
    /// The text is none of the accepted notations.
    Unreadable,
    /// The notation is right, the day does not exist (31 April, 29 February of a common year, month 13).
    NoSuchDay,
    /// The day exists but does not belong to the era written, as 平成31年5月1日.
    OutsideEra,
}

impl CalendarError {
    /// Stable machine code for error documents.
    pub fn code(self) -> &'static str {
        match self {
            Self::FiscalYearOutOfRange(_) => "fiscal_year_out_of_range",
            Self::Unreadable => "date_unreadable",
            Self::NoSuchDay => "no_such_day",
            Self::OutsideEra => "date_outside_era",
        }
    }

    /// The explanation in English; `Display` gives the Japanese one.
    pub fn detail_en(self) -> String {
        match self {
            Self::FiscalYearOutOfRange(year) => {
                format!("Fiscal year {year} is outside {} to {}.", FiscalYear::MIN, FiscalYear::MAX)
            }
            Self::Unreadable => "Not a date: write 2026-04-01, 2026/4/1, R8.4.1 or 令和8年4月1日.".to_owned(),
            Self::NoSuchDay => "There is no such day.".to_owned(),
            Self::OutsideEra => "The day does not belong to that era.".to_owned(),
        }
    }
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FiscalYearOutOfRange(year) => {
                write!(f, "年度{year}は{}から{}までの範囲にありません。", FiscalYear::MIN, FiscalYear::MAX)
            }
            Self::Unreadable => {
                f.write_str("日付として読めません。2026-04-01、2026/4/1、R8.4.1、令和8年4月1日のいずれかで書いてください。")
            }
            Self::NoSuchDay => f.write_str("存在しない日付です。"),
            Self::OutsideEra => f.write_str("その元号の期間にない日付です。"),
        }
    }
}

impl std::error::Error for CalendarError {}

/// A fiscal year (年度) by the calendar year in which it starts: 2024 is 令和6年度, 1 April 2024 – 31 March 2025.
///
/// Values from outside are bounded to 2000..=2100; the year of a given day and the neighbours of a year are plain
/// arithmetic and may leave those bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i32", into = "i32")]
#[schema(value_type = i32, minimum = 2000, maximum = 2100, example = 2026)]
pub struct FiscalYear(i32);

impl FiscalYear {
    /// First year accepted from outside.
    pub const MIN: i32 = 2000;
    /// Last year accepted from outside.
    pub const MAX: i32 = 2100;

    /// The fiscal year that starts on 1 April of `starting_year`.
    ///
    /// # Errors
    /// [`CalendarError::FiscalYearOutOfRange`] outside 2000..=2100.
    pub fn new(starting_year: i32) -> Result<Self, CalendarError> {
        if (Self::MIN..=Self::MAX).contains(&starting_year) {
            Ok(Self(starting_year))
        } else {
            Err(CalendarError::FiscalYearOutOfRange(starting_year))
        }
    }

    /// The fiscal year a day belongs to: January to March count to the year before.
    pub fn of(day: NaiveDate) -> Self {
        if day.month() >= 4 { Self(day.year()) } else { Self(day.year() - 1) }
    }

    /// The calendar year in which it starts, as stored and as sent.
    pub fn starting_year(self) -> i32 {
        self.0
    }

    /// 1 April.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0, 4, 1).unwrap_or(NaiveDate::MIN)
    }

    /// 31 March of the following calendar year.
    pub fn last_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0.saturating_add(1), 3, 31).unwrap_or(NaiveDate::MAX)
    }

    /// 31 May after the year's end: the last day on which its money may still be paid or collected (出納整理期間).
    /// No work may be done and no obligation entered into for the year after [`FiscalYear::last_day`].
    pub fn closing_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0.saturating_add(1), 5, 31).unwrap_or(NaiveDate::MAX)
    }

    /// Whether the day lies between the first and the last day.
    pub fn contains(self, day: NaiveDate) -> bool {
        Self::of(day) == self
    }

    /// The following fiscal year.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The preceding fiscal year.
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The name on papers: `令和6年度`. The year that began under 平成31 is called `令和元年度`, the usage of national and
    /// local bodies since May 2019; years before 昭和 are named by number alone.
    pub fn label_ja(self) -> String {
        match self.era_year() {
            Some((era, 1)) => format!("{}元年度", era.name),
            Some((era, year)) => format!("{}{year}年度", era.name),
            None => format!("{}年度", self.0),
        }
    }

    /// The short form used in document numbers and column heads: `R6`, `H30`.
    pub fn short(self) -> String {
        match self.era_year() {
            Some((era, year)) => format!("{}{year}", era.letter),
            None => self.0.to_string(),
        }
    }

    fn era_year(self) -> Option<(&'static Era, i32)> {
        ERAS.iter().find(|era| self.0 >= era.first_fiscal_year).map(|era| (era, self.0 - era.start.0 + 1))
    }
}

impl TryFrom<i32> for FiscalYear {
    type Error = CalendarError;

    fn try_from(starting_year: i32) -> Result<Self, CalendarError> {
        Self::new(starting_year)
    }
}

impl From<FiscalYear> for i32 {
    fn from(year: FiscalYear) -> i32 {
        year.0
    }
}

/// An era of the Japanese calendar: what JIS X 0301 abbreviates by one letter.
struct Era {
    name: &'static str,
    letter: char,
    /// First day as year, month, day.
    start: (i32, u32, u32),
    /// Starting year of the fiscal year named the era's first: 令和 began within fiscal 2019, which is 令和元年度 as a
    /// whole; 平成 began in January of 昭和63年度, so that 平成元年度 is the one after.
    first_fiscal_year: i32,
}

impl Era {
    fn first_day(&self) -> NaiveDate {
        let (year, month, day) = self.start;
        NaiveDate::from_ymd_opt(year, month, day).unwrap_or(NaiveDate::MIN)
    }
}

/// Newest first, with the starts given in JIS X 0301.
const ERAS: [Era; 3] = [
    Era { name: "令和", letter: 'R', start: (2019, 5, 1), first_fiscal_year: 2019 },
    Era { name: "平成", letter: 'H', start: (1989, 1, 8), first_fiscal_year: 1989 },
    Era { name: "昭和", letter: 'S', start: (1926, 12, 25), first_fiscal_year: 1926 },
];

fn era_of(day: NaiveDate) -> Option<&'static Era> {
    ERAS.iter().find(|era| day >= era.first_day())
}

/// The Japanese day on which an instant falls. `utc` is without zone and means UTC.
pub fn jst_day(utc: NaiveDateTime) -> NaiveDate {
    to_jst(utc).date()
}

/// The minute of the Japanese day (0..=1439) on which an instant falls; seconds are cut.
pub fn jst_minute(utc: NaiveDateTime) -> u16 {
    let minutes = (to_jst(utc).time() - NaiveTime::MIN).num_minutes();
    u16::try_from(minutes).unwrap_or(0)
}

/// The instant (UTC) at a minute of a Japanese day: 0 is its beginning, 540 is 9:00, 1440 the midnight that ends it.
/// Larger minutes run on into the following days.
pub fn jst_to_utc(day: NaiveDate, minute_of_day: u16) -> NaiveDateTime {
    let shift = TimeDelta::minutes(i64::from(minute_of_day) - JST_OFFSET_HOURS * 60);
    let midnight = day.and_time(NaiveTime::MIN);
    midnight.checked_add_signed(shift).unwrap_or(midnight)
}

fn to_jst(utc: NaiveDateTime) -> NaiveDateTime {
    utc.checked_add_signed(TimeDelta::hours(JST_OFFSET_HOURS)).unwrap_or(utc)
}

/// First and last day of the month in which the day lies, both inclusive.
pub fn month_range(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = day.with_day(1).unwrap_or(day);
    let last =
        first.checked_add_months(Months::new(1)).and_then(|next| next.checked_sub_days(Days::new(1))).unwrap_or(NaiveDate::MAX);
    (first, last)
}

/// Monday and Sunday of the week in which the day lies (ISO 8601), both inclusive.
pub fn week_range(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let since_monday = u64::from(day.weekday().num_days_from_monday());
    let monday = day.checked_sub_days(Days::new(since_monday)).unwrap_or(NaiveDate::MIN);
    (monday, monday.checked_add_days(Days::new(6)).unwrap_or(NaiveDate::MAX))
}

/// The day as official papers write it: `令和8年4月1日`, the first year of an era as `令和元年5月1日`. Days before 昭和
/// are written by the Gregorian year.
pub fn wareki(day: NaiveDate) -> String {
    let (month, day_of_month) = (day.month(), day.day());
    match era_of(day) {
        Some(era) => {
            let year = day.year() - era.start.0 + 1;
            if year == 1 {
                format!("{}元年{month}月{day_of_month}日", era.name)
            } else {
                format!("{}{year}年{month}月{day_of_month}日", era.name)
            }
        }
        None => format!("{}年{month}月{day_of_month}日", day.year()),
    }
}

/// Reads a day as people type it: `2026-04-01`, `2026/4/1`, `2026年4月1日`, `R8.4.1`, `令和8年4月1日`, `令和元年5月1日`;
/// full-width characters and spaces around and between are accepted. The eras are 昭和 (S), 平成 (H) and 令和 (R); a
/// Gregorian year needs four digits.
///
/// # Errors
/// [`CalendarError::Unreadable`] for any other notation, [`CalendarError::NoSuchDay`], and
/// [`CalendarError::OutsideEra`] for a day that the written era does not contain (昭和64年1月8日).
pub fn parse_japanese_date(text: &str) -> Result<NaiveDate, CalendarError> {
    let folded: String = text.chars().filter(|c| !c.is_whitespace()).map(half_width).collect();
    let (era, rest) = split_era(&folded);
    let [year, month, day] = split_parts(rest).ok_or(CalendarError::Unreadable)?;
    let month = number(month, 2)?;
    let day = number(day, 2)?;
    let Some(era) = era else {
        if year.len() != 4 {
            return Err(CalendarError::Unreadable);
        }
        return ymd(number(year, 4)?, month, day);
    };
    let year = if year == "元" { 1 } else { number(year, 2)? };
    if year == 0 {
        return Err(CalendarError::OutsideEra);
    }
    let date = ymd(u32::try_from(era.start.0).unwrap_or(0) + year - 1, month, day)?;
    match era_of(date) {
        Some(actual) if actual.letter == era.letter => Ok(date),
        _ => Err(CalendarError::OutsideEra),
    }
}

/// ASCII form of the full-width digits, letters and separators that Japanese keyboards produce.
fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => c,
    }
}

fn split_era(text: &str) -> (Option<&'static Era>, &str) {
    for era in &ERAS {
        if let Some(rest) = text.strip_prefix(era.name) {
            return (Some(era), rest);
        }
        let lower = era.letter.to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix([era.letter, lower]) {
            return (Some(era), rest);
        }
    }
    (None, text)
}

/// Year, month and day of `8年4月1日`, `8.4.1`, `8/4/1` or `8-4-1`; the separators may not be mixed.
fn split_parts(text: &str) -> Option<[&str; 3]> {
    if let Some((year, rest)) = text.split_once('年') {
        let (month, rest) = rest.split_once('月')?;
        return Some([year, month, rest.strip_suffix('日')?]);
    }
    let separator = text.chars().find(|c| matches!(c, '.' | '/' | '-'))?;
    let mut parts = text.split(separator);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

fn number(digits: &str, max_digits: usize) -> Result<u32, CalendarError> {
    let only_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !only_digits || digits.len() > max_digits {
        return Err(CalendarError::Unreadable);
    }
    digits.parse().map_err(|_| CalendarError::Unreadable)
}

fn ymd(year: u32, month: u32, day: u32) -> Result<NaiveDate, CalendarError> {
    let year = i32::try_from(year).map_err(|_| CalendarError::Unreadable)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(CalendarError::NoSuchDay)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn the_fiscal_year_turns_on_the_first_of_april() {
        assert_eq!(FiscalYear::of(day(2025, 3, 31)).starting_year(), 2024);
        assert_eq!(FiscalYear::of(day(2025, 4, 1)).starting_year(), 2025);
        let r6 = FiscalYear::new(2024).unwrap();
        assert_eq!((r6.first_day(), r6.last_day()), (day(2024, 4, 1), day(2025, 3, 31)));
        assert_eq!(r6.closing_day(), day(2025, 5, 31));
        assert_eq!(r6.next().previous(), r6);
    }

    #[test]
    fn fiscal_years_are_named_by_era() {
        let label = |year| FiscalYear(year).label_ja() + " " + &FiscalYear(year).short();
        assert_eq!(label(2024), "令和6年度 R6");
        assert_eq!(label(2019), "令和元年度 R1");
        assert_eq!(label(2018), "平成30年度 H30");
        assert_eq!(label(1989), "平成元年度 H1");
        assert_eq!(label(1988), "昭和63年度 S63");
        assert_eq!(label(1900), "1900年度 1900");
    }

    #[test]
    fn a_fiscal_year_from_json_is_an_integer_within_bounds() {
        assert_eq!(serde_json::from_str::<FiscalYear>("2024").unwrap(), FiscalYear(2024));
        assert_eq!(serde_json::to_string(&FiscalYear(2024)).unwrap(), "2024");
        for refused in ["1999", "2101", "\"R6\"", "2024.0"] {
            assert!(serde_json::from_str::<FiscalYear>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_day_begins_at_fifteen_hundred_utc_of_the_day_before() {
        let midnight = jst_to_utc(day(2026, 4, 1), 0);
        assert_eq!(midnight, day(2026, 3, 31).and_hms_opt(15, 0, 0).unwrap());
        assert_eq!(jst_day(midnight), day(2026, 4, 1));
        assert_eq!(jst_day(midnight - TimeDelta::microseconds(1)), day(2026, 3, 31));
        assert_eq!(jst_to_utc(day(2026, 4, 1), MINUTES_PER_DAY), jst_to_utc(day(2026, 4, 2), 0));
        assert_eq!(jst_minute(jst_to_utc(day(2026, 4, 1), 900)), 900);
    }

    #[test]
    fn months_end_where_they_should() {
        assert_eq!(month_range(day(2024, 2, 10)), (day(2024, 2, 1), day(2024, 2, 29)));
        assert_eq!(month_range(day(2025, 12, 31)), (day(2025, 12, 1), day(2025, 12, 31)));
    }

    #[test]
    fn papers_carry_the_era() {
        assert_eq!(wareki(day(2026, 4, 1)), "令和8年4月1日");
        assert_eq!(wareki(day(2019, 5, 1)), "令和元年5月1日");
        assert_eq!(wareki(day(2019, 4, 30)), "平成31年4月30日");
        assert_eq!(wareki(day(1989, 1, 7)), "昭和64年1月7日");
        assert_eq!(wareki(day(1926, 12, 24)), "1926年12月24日");
    }

    #[test]
    fn dates_are_read_as_people_type_them() {
        for text in [
            "R8.4.1",
            "r8.4.1",
            "令和8年4月1日",
            "令和８年４月１日",
            "Ｒ８．４．１",
            "2026/4/1",
            "2026-04-01",
            "2026年4月1日",
            " 令和 8年 4月 1日 ",
        ] {
            assert_eq!(parse_japanese_date(text), Ok(day(2026, 4, 1)), "{text}");
        }
        assert_eq!(parse_japanese_date("令和元年5月1日"), Ok(day(2019, 5, 1)));
        assert_eq!(parse_japanese_date("S64.1.7"), Ok(day(1989, 1, 7)));
        assert_eq!(parse_japanese_date("昭和元年12月25日"), Ok(day(1926, 12, 25)));
    }

    #[test]
    fn what_is_not_a_date_is_refused_by_its_reason() {
        let cases = [
            ("平成31年5月1日", CalendarError::OutsideEra),
            ("令和1年4月30日", CalendarError::OutsideEra),
            ("昭和64年1月8日", CalendarError::OutsideEra),
            ("昭和1年12月24日", CalendarError::OutsideEra),
            ("R0.4.1", CalendarError::OutsideEra),
            ("R8.4.31", CalendarError::NoSuchDay),
            ("2026-13-01", CalendarError::NoSuchDay),
            ("2025/2/29", CalendarError::NoSuchDay),
            ("", CalendarError::Unreadable),
            ("R8.4", CalendarError::Unreadable),
            ("R8.4.1.2", CalendarError::Unreadable),
            ("R8.4/1", CalendarError::Unreadable),
            ("26/4/1", CalendarError::Unreadable),
            ("T15.1.1", CalendarError::Unreadable),
            ("2026-+4-01", CalendarError::Unreadable),
            ("令和99999999999年4月1日", CalendarError::Unreadable),
            ("2026-04-01T00:00", CalendarError::Unreadable),
        ];
        for (text, error) in cases {
            assert_eq!(parse_japanese_date(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn era_notation_reads_back(days in 0i32..60_000) {
            let date = day(1926, 12, 25) + Days::new(u64::from(days.unsigned_abs()));
            prop_assert_eq!(parse_japanese_date(&wareki(date)), Ok(date));
            prop_assert_eq!(parse_japanese_date(&date.to_string()), Ok(date));
        }

        #[test]
        fn every_day_lies_in_its_fiscal_year_and_month(days in 0u64..60_000) {
            let date = day(1926, 1, 1) + Days::new(days);
            let year = FiscalYear::of(date);
            prop_assert!(year.first_day() <= date && date <= year.last_day());
            let (first, last) = month_range(date);
            prop_assert!(first <= date && date <= last && last.month() == date.month());
        }

        #[test]
        fn any_text_is_read_or_refused_without_harm(text in ".{0,20}") {
            let _ = parse_japanese_date(&text);
        }
    }
}
