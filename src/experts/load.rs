//! How much an expert has to do: minutes by month, and whether further visits keep within what was agreed.
//!
//! Visits that are held for an accepted offer, planned or done count; cancelled, failed and rescheduled ones do not.
//! A done visit counts its actual minutes, any other its planned ones. A visit without date loads the first day of the
//! month in which it is wished.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{self, Capacity, CapacityProblem, LoadEntry};
use super::store::ExpertRow;
use crate::calendar::{FiscalYear, month_range, wareki, week_range};
use crate::db::schema::visits;
use crate::db::{Conn, Ids};
use crate::error::{Error, ErrorCode};
use crate::ids::{ExpertId, RequestId};

/// States in which a visit counts as load.
pub const LOADING: [&str; 3] = ["held", "planned", "done"];
/// States in which a visit is still ahead.
pub const AHEAD: [&str; 2] = ["held", "planned"];

/// An expert's load in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadRow {
    /// Who.
    pub expert_id: ExpertId,
    /// First day of the month.
    pub month: NaiveDate,
    /// Minutes held or planned.
    pub planned_minutes: i64,
    /// Minutes done.
    pub done_minutes: i64,
    /// Visits that count.
    pub visits: i64,
}

impl LoadRow {
    /// Minutes done and ahead.
    pub fn minutes(&self) -> i64 {
        self.planned_minutes + self.done_minutes
    }
}

type VisitColumns = (ExpertId, NaiveDate, Option<NaiveDate>, String, i32, Option<i32>);

fn minutes((.., status, planned, actual): &VisitColumns) -> i64 {
    i64::from(if status == "done" { actual.unwrap_or(*planned) } else { *planned })
}

fn by_month(rows: Vec<VisitColumns>) -> Vec<LoadRow> {
    let mut months: BTreeMap<(ExpertId, NaiveDate), LoadRow> = BTreeMap::new();
    for row in rows {
        let month = month_range(row.1).0;
        let load = months.entry((row.0, month)).or_insert(LoadRow {
            expert_id: row.0,
            month,
            planned_minutes: 0,
            done_minutes: 0,
            visits: 0,
        });
        load.visits += 1;
        if row.3 == "done" {
            load.done_minutes += minutes(&row);
        } else {
            load.planned_minutes += minutes(&row);
        }
    }
    months.into_values().collect()
}

/// The load of experts by month, for visits whose day of load lies between two days, both included. Months without
/// visits have no row. Ordered by expert and month.
pub fn minutes_by_month(conn: &mut Conn, ids: &[ExpertId], from: NaiveDate, to: NaiveDate) -> Result<Vec<LoadRow>, Error> {
    Ok(by_month(loading(conn, ids, None, from, to)?))
}

/// What of that load the visits for one request make up.
pub fn minutes_for_request(
    conn: &mut Conn,
    request: RequestId,
    ids: &[ExpertId],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<LoadRow>, Error> {
    Ok(by_month(loading(conn, ids, Some(request), from, to)?))
}

/// The visits that load some experts between two days, both included: all of them, or those for one request.
fn loading(
    conn: &mut Conn,
    ids: &[ExpertId],
    request: Option<RequestId>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<VisitColumns>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = Ids::new(conn, ids.iter().map(|id| id.0));
    let mut query = visits::table
        .filter(ids.among(visits::expert_id))
        .filter(visits::load_day.ge(from))
        .filter(visits::load_day.le(to))
        .filter(visits::status.eq_any(LOADING))
        .select((
            visits::expert_id,
            visits::load_day,
            visits::day,
            visits::status,
            visits::planned_minutes,
            visits::actual_minutes,
        ))
        .into_boxed();
    if let Some(request) = request {
        query = query.filter(visits::request_id.eq(request));
    }
    Ok(query.load(conn)?)
}

/// The visits that load an expert between two days, both included.
pub fn entries(conn: &mut Conn, id: ExpertId, from: NaiveDate, to: NaiveDate) -> Result<Vec<LoadEntry>, Error> {
    let rows: Vec<VisitColumns> = visits::table
        .filter(visits::expert_id.eq(id))
        .filter(visits::load_day.ge(from))
        .filter(visits::load_day.le(to))
        .filter(visits::status.eq_any(LOADING))
        .select((
            visits::expert_id,
            visits::load_day,
            visits::day,
            visits::status,
            visits::planned_minutes,
            visits::actual_minutes,
        ))
        .load(conn)?;
    Ok(rows.iter().map(|row| LoadEntry { load_day: row.1, dated: row.2.is_some(), minutes: minutes(row) }).collect())
}

/// The requests for which an expert has visits ahead: the engagements going on.
pub fn engagements(conn: &mut Conn, id: ExpertId) -> Result<Vec<RequestId>, Error> {
    Ok(visits::table
        .filter(visits::expert_id.eq(id))
        .filter(visits::status.eq_any(AHEAD))
        .filter(visits::request_id.is_not_null())
        .select(visits::request_id.assume_not_null())
        .distinct()
        .load(conn)?)
}

/// 409 naming the limit unless these further visits for a request keep within what the expert has agreed to. Visits of an
/// engagement that is already going on do not count as one more at a time. The caller holds the expert's lock.
pub fn check_capacity(conn: &mut Conn, expert: &ExpertRow, request: RequestId, added: &[LoadEntry]) -> Result<(), Error> {
    let capacity = expert.capacity();
    let (Some(first), Some(last)) =
        (added.iter().map(|entry| entry.load_day).min(), added.iter().map(|entry| entry.load_day).max())
    else {
        return Ok(());
    };
    if let Some(limit) = capacity.simultaneous {
        let going_on = engagements(conn, expert.id)?;
        if !going_on.contains(&request) && i64::try_from(going_on.len()).unwrap_or(i64::MAX) >= i64::from(limit) {
            return Err(refusal(CapacityProblem::Simultaneous { limit }));
        }
    }
    if (Capacity { simultaneous: None, ..capacity }).is_unlimited() {
        return Ok(());
    }
    // Weeks go on over the end of a fiscal year.
    let from = FiscalYear::of(first).first_day().min(week_range(first).0);
    let to = FiscalYear::of(last).last_day().max(week_range(last).1);
    let existing = entries(conn, expert.id, from, to)?;
    model::capacity_problem(&capacity, &existing, added).map_or(Ok(()), |problem| Err(refusal(problem)))
}

fn refusal(problem: CapacityProblem) -> Error {
    let (code, ja, en) = match problem {
        CapacityProblem::Simultaneous { limit } => (
            "capacity_simultaneous",
            format!("同時に担当できる派遣は{limit}件までです"),
            format!("At most {limit} engagements at a time"),
        ),
        CapacityProblem::WeekMinutes { monday, limit, total } => (
            "capacity_minutes_week",
            format!("{}からの1週間の上限{limit}分に対し{total}分になります", wareki(monday)),
            format!("{total} minutes in the week from {monday} where {limit} are agreed"),
        ),
        CapacityProblem::MonthMinutes { month, limit, total } => {
            let name = wareki(month);
            let name = name.strip_suffix("1日").unwrap_or(&name).to_owned();
            (
                "capacity_minutes_month",
                format!("{name}の上限{limit}分に対し{total}分になります"),
                format!("{total} minutes in {} where {limit} are agreed", month.format("%Y-%m")),
            )
        }
        CapacityProblem::YearMinutes { year, limit, total } => (
            "capacity_minutes_year",
            format!("{}の上限{limit}分に対し{total}分になります", year.label_ja()),
            format!("{total} minutes in fiscal year {} where {limit} are agreed", year.starting_year()),
        ),
        CapacityProblem::YearDays { year, limit, total } => (
            "capacity_days_year",
            format!("{}の上限{limit}日に対し{total}日になります", year.label_ja()),
            format!("{total} days in fiscal year {} where {limit} are agreed", year.starting_year()),
        ),
    };
    Error::new(ErrorCode::CapacityExceeded).detail(ja.clone(), en.clone()).field("/visits", code, ja, en)
}
