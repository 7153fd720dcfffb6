//! Rules of the figures: which fiscal years a table spans, when it is an estimate, shares, capacity. No database.

use chrono::{Datelike, NaiveDate};

use crate::calendar::FiscalYear;
use crate::error::{Error, ErrorCode};
use crate::organisations::bodies::PopulationBand;
use crate::requests::model::ActivityKind;

crate::text_enum! {
    /// By what the visits of a table are divided.
    pub enum DispatchBreakdown {
        /// By participating organisation: the parts are participations and exceed the visits where visits are joint.
        Organisation = "organisation", "団体別";
        /// By expert: the parts are participations.
        Expert = "expert", "専門家別";
        /// By mode; the parts add up.
        Mode = "mode", "形態別";
        /// By month of the visit; the parts add up.
        Month = "month", "月別";
        /// By kind of activity; the parts add up.
        Activity = "activity", "活動区分別";
    }
}

crate::text_enum! {
    /// Size class of a municipality; each class includes its lower bound.
    pub enum CoverageBand {
        /// Fewer than 10,000 inhabitants.
        Under10k = "under_10k", "1万人未満";
        /// 10,000 to 49,999.
        From10k = "from_10k", "1万人以上5万人未満";
        /// 50,000 to 99,999.
        From50k = "from_50k", "5万人以上10万人未満";
        /// 100,000 to 299,999.
        From100k = "from_100k", "10万人以上30万人未満";
        /// 300,000 and more.
        From300k = "from_300k", "30万人以上";
        /// No population figure is on record. Kept apart, never guessed.
        Unknown = "unknown", "人口未登録";
    }
}

impl CoverageBand {
    /// The class of a number of inhabitants, or [`CoverageBand::Unknown`].
    pub fn of(population: Option<i64>) -> Self {
        let Some(population) = population else { return Self::Unknown };
        match PopulationBand::of(u32::try_from(population).unwrap_or(u32::MAX)) {
            PopulationBand::Under10k => Self::Under10k,
            PopulationBand::From10k => Self::From10k,
            PopulationBand::From50k => Self::From50k,
            PopulationBand::From100k => Self::From100k,
            PopulationBand::From300k => Self::From300k,
        }
    }
}

/// The fiscal years a table spans, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Years {
    from: FiscalYear,
    to: FiscalYear,
}

impl Years {
    /// Most years of one table.
    pub const MOST: i32 = 30;

    /// The years from one to another, by starting year.
    ///
    /// # Errors
    /// 400 that names the parameter when a year is outside the calendar's bounds, the order is reversed, or the table
    /// would span more than [`Years::MOST`] years.
    pub fn new(from: i32, to: i32) -> Result<Self, Error> {
        let bound =
            |name: &str, year: i32| FiscalYear::new(year).map_err(|e| wrong(name, "out_of_range", e.to_string(), e.detail_en()));
        let (from, to) = (bound("from_fiscal_year", from)?, bound("to_fiscal_year", to)?);
        if to < from {
            return Err(wrong(
                "to_fiscal_year",
                "before_start",
                "終わりの年度は始めの年度以後にしてください",
                "Must not be before from_fiscal_year",
            ));
        }
        if to.starting_year() - from.starting_year() >= Self::MOST {
            return Err(wrong(
                "to_fiscal_year",
                "out_of_range",
                format!("一度に集計できるのは{}年度分までです", Self::MOST),
                format!("At most {} fiscal years at once", Self::MOST),
            ));
        }
        Ok(Self { from, to })
    }

    /// A single year.
    ///
    /// # Errors
    /// 400 outside the calendar's bounds.
    pub fn single(year: i32) -> Result<Self, Error> {
        let year = FiscalYear::new(year).map_err(|e| wrong("fiscal_year", "out_of_range", e.to_string(), e.detail_en()))?;
        Ok(Self { from: year, to: year })
    }

    /// First year.
    pub fn from(self) -> FiscalYear {
        self.from
    }

    /// Last year.
    pub fn to(self) -> FiscalYear {
        self.to
    }

    /// First day of the first year.
    pub fn first_day(self) -> NaiveDate {
        self.from.first_day()
    }

    /// Last day of the last year.
    pub fn last_day(self) -> NaiveDate {
        self.to.last_day()
    }

    /// Every year in order.
    pub fn iter(self) -> impl Iterator<Item = FiscalYear> {
        std::iter::successors(Some(self.from), |year| Some(year.next())).take_while(move |year| *year <= self.to)
    }

    /// The first day of every month in order.
    pub fn months(self) -> impl Iterator<Item = NaiveDate> {
        std::iter::successors(Some(self.first_day()), |day| day.checked_add_months(chrono::Months::new(1)))
            .take_while(move |day| *day <= self.last_day())
    }
}

fn wrong(
    parameter: &str,
    code: &'static str,
    ja: impl Into<std::borrow::Cow<'static, str>>,
    en: impl Into<std::borrow::Cow<'static, str>>,
) -> Error {
    Error::new(ErrorCode::UnknownParameter).field(parameter, code, ja, en)
}

/// The kinds of activity that a table counts: those named (comma-separated), or all but consultations, which have
/// figures of their own.
///
/// # Errors
/// 400 for an unknown kind.
pub fn activities(names: Option<&str>) -> Result<Vec<ActivityKind>, Error> {
    let Some(names) = names else {
        return Ok(ActivityKind::ALL.iter().copied().filter(|kind| *kind != ActivityKind::Consultation).collect());
    };
    let mut kinds =
        names.split(',').map(|name| name.trim().parse::<ActivityKind>()).collect::<Result<Vec<_>, _>>().map_err(|_| {
            let known = ActivityKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            wrong(
                "activity",
                "unknown_value",
                format!("次のいずれかをコンマ区切りで指定してください: {known}"),
                format!("Must be a comma-separated list of {known}"),
            )
        })?;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// Whether a year's figures still hold visits that lie after `as_of`: such figures are an estimate, to be superseded.
pub fn is_estimate(year: FiscalYear, as_of: Option<NaiveDate>) -> bool {
    as_of.is_some_and(|day| day < year.last_day())
}

/// A month as a number: 202404 is April 2024.
pub fn month_number(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 100 + i64::from(day.month())
}

/// A month's number as people and programs read it: `2024-04`.
pub fn month_text(number: i64) -> String {
    format!("{:04}-{:02}", number / 100, number % 100)
}

/// `part` of `whole` in thousandths, rounded half up; nothing when there is no whole.
pub fn permille(part: i64, whole: i64) -> Option<i64> {
    if whole <= 0 {
        return None;
    }
    let doubled = i128::from(part) * 2000 + i128::from(whole);
    i64::try_from(doubled.div_euclid(i128::from(whole) * 2)).ok()
}

/// What an expert agreed to give in a fiscal year. Absent: not limited in that measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Minutes a calendar week.
    pub minutes_week: Option<i32>,
    /// Minutes a month.
    pub minutes_month: Option<i32>,
    /// Minutes a fiscal year.
    pub minutes_year: Option<i32>,
    /// Days a fiscal year.
    pub days_year: Option<i32>,
}

impl Capacity {
    /// Minutes of the whole year: the yearly limit, twelve monthly or fifty-two weekly ones, whichever is reached first.
    pub fn minutes(self) -> Option<i64> {
        let of_year = |limit: Option<i32>, times: i64| limit.map(|minutes| i64::from(minutes) * times);
        [of_year(self.minutes_week, 52), of_year(self.minutes_month, 12), of_year(self.minutes_year, 1)]
            .into_iter()
            .flatten()
            .min()
    }

    /// How much of the capacity is taken, in thousandths: of the measure that is nearest to its limit. May exceed 1000.
    pub fn taken_permille(self, minutes: i64, days: i64) -> Option<i64> {
        let by_minutes = self.minutes().and_then(|capacity| permille(minutes, capacity));
        let by_days = self.days_year.and_then(|capacity| permille(days, i64::from(capacity)));
        by_minutes.max(by_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn a_table_spans_whole_fiscal_years_in_order() {
        let years = Years::new(2019, 2024).unwrap();
        assert_eq!(years.iter().map(FiscalYear::short).collect::<Vec<_>>(), ["R1", "R2", "R3", "R4", "R5", "R6"]);
        assert_eq!((years.first_day(), years.last_day()), (day(2019, 4, 1), day(2025, 3, 31)));
        assert_eq!(years.months().count(), 72);
        let months: Vec<i64> = Years::single(2024).unwrap().months().map(month_number).collect();
        assert_eq!((months[0], months[11], months.len()), (202_404, 202_503, 12));
        assert_eq!(month_text(months[11]), "2025-03");
        assert_eq!(Years::new(2024, 2023).unwrap_err().fields[0].code, "before_start");
        assert_eq!(Years::new(1999, 2023).unwrap_err().fields[0].pointer, "from_fiscal_year");
        assert_eq!(Years::new(2000, 2030).unwrap_err().fields[0].code, "out_of_range");
        assert!(Years::new(2000, 2029).is_ok());
    }

    #[test]
    fn figures_are_an_estimate_until_the_year_is_over() {
        let r6 = FiscalYear::new(2024).unwrap();
        assert!(is_estimate(r6, Some(day(2025, 1, 31))));
        assert!(is_estimate(r6, Some(day(2025, 3, 30))));
        assert!(!is_estimate(r6, Some(day(2025, 3, 31))));
        assert!(!is_estimate(r6.previous(), Some(day(2025, 1, 31))));
        assert!(is_estimate(r6.next(), Some(day(2025, 1, 31))), "nothing of that year has happened yet");
        assert!(!is_estimate(r6, None));
    }

    #[test]
    fn consultations_are_counted_apart_unless_named() {
        assert!(!activities(None).unwrap().contains(&ActivityKind::Consultation));
        assert_eq!(activities(None).unwrap().len(), 4);
        assert_eq!(activities(Some("training, visit,visit")).unwrap(), [ActivityKind::Visit, ActivityKind::Training]);
        assert_eq!(activities(Some("party")).unwrap_err().fields[0].pointer, "activity");
        assert!(activities(Some("")).is_err());
    }

    #[test]
    fn shares_are_whole_thousandths() {
        assert_eq!(permille(1, 3), Some(333));
        assert_eq!(permille(2, 3), Some(667));
        assert_eq!(permille(1, 2000), Some(1), "half is rounded up");
        assert_eq!(permille(5, 0), None);
        assert_eq!(permille(30, 20), Some(1500));
    }

    #[test]
    fn capacity_is_the_limit_reached_first() {
        let capacity = Capacity { minutes_week: None, minutes_month: Some(600), minutes_year: Some(6_000), days_year: Some(10) };
        assert_eq!(capacity.minutes(), Some(6_000));
        assert_eq!(capacity.taken_permille(3_000, 2), Some(500));
        assert_eq!(capacity.taken_permille(3_000, 9), Some(900));
        assert_eq!(Capacity { minutes_month: Some(600), ..Capacity::default() }.minutes(), Some(7_200));
        assert_eq!(Capacity { minutes_week: Some(100), ..capacity }.minutes(), Some(5_200));
        assert_eq!(Capacity::default().taken_permille(3_000, 9), None);
    }

    #[test]
    fn municipalities_without_a_population_are_a_class_of_their_own() {
        assert_eq!(CoverageBand::of(None), CoverageBand::Unknown);
        assert_eq!(CoverageBand::of(Some(9_999)), CoverageBand::Under10k);
        assert_eq!(CoverageBand::of(Some(10_000)), CoverageBand::From10k);
        assert_eq!(CoverageBand::of(Some(9_000_000_000)), CoverageBand::From300k);
    }
}
