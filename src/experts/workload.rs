//! An expert's load over a fiscal year beside what was agreed.

use chrono::{Months, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use super::load;
use super::model::{self, share_percent};
use super::store::ExpertRow;
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::ExpertId;

/// An expert's load over a fiscal year. Held and planned visits count as planned; a visit without date counts in the
/// month in which it is wished.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertWorkloadView {
    /// The expert.
    pub expert_id: ExpertId,
    /// Starting year (R8 = 2026).
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// April to March.
    #[schema(min_items = 12, max_items = 12)]
    pub months: Vec<WorkloadMonth>,
    /// Visits of the year.
    #[schema(minimum = 0)]
    pub visits: i64,
    /// Minutes ahead.
    #[schema(minimum = 0)]
    pub planned_minutes: i64,
    /// Minutes done.
    #[schema(minimum = 0)]
    pub done_minutes: i64,
    /// Agreed minutes of the year; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 527_040)]
    pub capacity_minutes: Option<i32>,
    /// Minutes done and ahead in percent of the agreed ones, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub share_percent: Option<i64>,
    /// Days of the year: fixed days once each, visits without date one each.
    #[schema(minimum = 0)]
    pub days: i64,
    /// Agreed days of the year; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 366)]
    pub capacity_days: Option<i32>,
    /// Engagements going on now.
    #[schema(minimum = 0)]
    pub engagements: i64,
    /// Most engagements at a time; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub capacity_simultaneous: Option<i32>,
    /// Agreed minutes of a calendar week, Monday to Sunday; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_080)]
    pub capacity_minutes_week: Option<i32>,
}

/// An expert's load in one month.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkloadMonth {
    /// The month.
    #[schema(min_length = 7, max_length = 7, pattern = "^[0-9]{4}-[0-9]{2}$", example = "2026-05")]
    pub month: String,
    /// Visits.
    #[schema(minimum = 0)]
    pub visits: i64,
    /// Minutes ahead.
    #[schema(minimum = 0)]
    pub planned_minutes: i64,
    /// Minutes done.
    #[schema(minimum = 0)]
    pub done_minutes: i64,
    /// Agreed minutes of a month; absent: not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 44_640)]
    pub capacity_minutes: Option<i32>,
    /// Minutes done and ahead in percent of the agreed ones, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub share_percent: Option<i64>,
}

/// The load of an expert in a fiscal year.
pub fn of(conn: &mut Conn, expert: &ExpertRow, year: FiscalYear) -> Result<ExpertWorkloadView, Error> {
    let (from, to) = (year.first_day(), year.last_day());
    let rows = load::minutes_by_month(conn, &[expert.id], from, to)?;
    let entries = load::entries(conn, expert.id, from, to)?;
    let engagements = load::engagements(conn, expert.id)?.len();
    let share = |minutes: i64, capacity: Option<i32>| capacity.map(|capacity| share_percent(minutes, i64::from(capacity)));
    let months: Vec<WorkloadMonth> = months(from)
        .map(|month| {
            let row = rows.iter().find(|row| row.month == month);
            WorkloadMonth {
                month: month.format("%Y-%m").to_string(),
                visits: row.map_or(0, |row| row.visits),
                planned_minutes: row.map_or(0, |row| row.planned_minutes),
                done_minutes: row.map_or(0, |row| row.done_minutes),
                capacity_minutes: expert.capacity_minutes_month,
                share_percent: share(row.map_or(0, load::LoadRow::minutes), expert.capacity_minutes_month),
            }
        })
        .collect();
    let planned_minutes = months.iter().map(|month| month.planned_minutes).sum();
    let done_minutes = months.iter().map(|month| month.done_minutes).sum();
    Ok(ExpertWorkloadView {
        expert_id: expert.id,
        fiscal_year: year.starting_year(),
        visits: months.iter().map(|month| month.visits).sum(),
        planned_minutes,
        done_minutes,
        capacity_minutes: expert.capacity_minutes_year,
        share_percent: share(planned_minutes + done_minutes, expert.capacity_minutes_year),
        days: i64::try_from(model::days(entries.iter())).unwrap_or(i64::MAX),
        capacity_days: expert.capacity_days_year,
        engagements: i64::try_from(engagements).unwrap_or(i64::MAX),
        capacity_simultaneous: expert.capacity_simultaneous,
        capacity_minutes_week: expert.capacity_minutes_week,
        months,
    })
}

fn months(first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (0..12).filter_map(move |n| first.checked_add_months(Months::new(n)))
}
