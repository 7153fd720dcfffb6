//! What a programme asks in the fiscal year after the work (翌年度調査).

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar::FiscalYear;
use crate::http::Fields;

/// A survey of the bodies that were served the year before (地域情報化アドバイザー派遣: 翌年度に調査).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyRule {
    /// Month of the day from which is asked.
    #[schema(minimum = 1, maximum = 12, example = 4)]
    pub month: i32,
    /// Day of that month.
    #[schema(minimum = 1, maximum = 31, example = 1)]
    pub day: i32,
    /// Days within which is answered; absent: no last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 365, example = 30, nullable = false)]
    pub due_days: Option<i32>,
    /// How to answer, as the mail is to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 1000, example = "調査票に記入し、事務局へ返送してください。")]
    pub instructions: String,
}

impl SurveyRule {
    /// The day of a fiscal year from which is asked; a day that its month does not have is the month's last.
    pub fn opens_in(&self, year: FiscalYear) -> Option<NaiveDate> {
        let month = u32::try_from(self.month).ok()?;
        let calendar_year = year.starting_year() + i32::from(month < 4);
        let day = u32::try_from(self.day).ok()?;
        (1..=day.min(31)).rev().find_map(|day| NaiveDate::from_ymd_opt(calendar_year, month, day))
    }

    /// The last day of the answer, where there is one.
    pub fn closes_in(&self, year: FiscalYear) -> Option<NaiveDate> {
        let days = u64::try_from(self.due_days?).ok()?;
        self.opens_in(year)?.checked_add_days(Days::new(days))
    }

    /// Every value that is out of bounds, under `base`.
    pub fn validate(&self, base: &str, fields: &mut Fields) {
        fields.within(&format!("{base}/month"), i64::from(self.month), 1, 12);
        fields.within(&format!("{base}/day"), i64::from(self.day), 1, 31);
        if let Some(days) = self.due_days {
            fields.within(&format!("{base}/due_days"), i64::from(days), 1, 365);
        }
        fields.text(&format!("{base}/instructions"), &self.instructions, 1000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn january_belongs_to_the_end_of_the_fiscal_year_and_short_months_end_early() {
        let rule = |month, day| SurveyRule { month, day, due_days: Some(30), instructions: String::new() };
        let year = FiscalYear::new(2026).unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        assert_eq!(rule(4, 1).opens_in(year), day("2026-04-01"));
        assert_eq!(rule(1, 15).opens_in(year), day("2027-01-15"));
        assert_eq!(rule(2, 31).opens_in(year), day("2027-02-28"));
        assert_eq!(rule(4, 1).closes_in(year), day("2026-05-01"));
    }
}
