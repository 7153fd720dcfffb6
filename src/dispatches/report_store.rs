//! SQL of reports, their outcomes and evaluations.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{ReportStatus, VisitStatus};
use super::store::{Audience, DispatchRow, seen_by, visible_dispatch};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::insert_rows;
use crate::db::schema::{
    dispatch_experts, dispatches, evaluations, organisations, report_outcomes, reports, request_participants, requests, users,
    visits,
};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{DispatchId, ExpertId, OrganisationId, ProgrammeId, ReportId, UserId};

/// An activity report (実績報告書): one for each dispatch.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = reports)]
pub struct ReportRow {
    /// Id.
    pub id: ReportId,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// State.
    pub status: ReportStatus,
    /// Last day; absent when no visit is left.
    pub due_on: Option<NaiveDate>,
    /// What was done, as typed.
    pub content: String,
    /// What came of it, as typed.
    pub result: String,
    /// What comes next, as typed.
    pub next_step: String,
    /// When it was last handed in.
    pub submitted_at: Option<UtcTime>,
    /// By whom.
    pub submitted_by: Option<UserId>,
    /// Why it was sent back, as typed.
    pub returned_reason: Option<String>,
    /// When it was approved.
    pub approved_at: Option<UtcTime>,
    /// By whom.
    pub approved_by: Option<UserId>,
    /// Which reminder went out last: the last day it named and its stage.
    pub reminded: Option<String>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl Versioned for ReportRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// Opens the report of a decided dispatch.
pub fn insert(conn: &mut Conn, dispatch: DispatchId, due_on: Option<NaiveDate>, now: UtcTime) -> Result<(), Error> {
    diesel::insert_into(reports::table)
        .values((
            reports::dispatch_id.eq(dispatch),
            reports::status.eq(ReportStatus::Due),
            reports::due_on.eq(due_on),
            reports::created_at.eq(now),
            reports::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The report of a dispatch.
pub fn of_dispatch(conn: &mut Conn, dispatch: DispatchId) -> Result<ReportRow, Error> {
    Ok(reports::table.filter(reports::dispatch_id.eq(dispatch)).select(ReportRow::as_select()).first(conn)?)
}

/// Sets the last day of a report that is not approved yet. The text is untouched, so its version stays.
pub fn set_due(conn: &mut Conn, dispatch: DispatchId, due_on: Option<NaiveDate>, now: UtcTime) -> Result<(), Error> {
    diesel::update(reports::table.filter(reports::dispatch_id.eq(dispatch)).filter(reports::status.ne(ReportStatus::Approved)))
        .set((reports::due_on.eq(due_on), reports::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Writes what can change of a report; the version rises. 412 when somebody else was first.
pub fn update(conn: &mut Conn, row: &ReportRow, now: UtcTime) -> Result<ReportRow, Error> {
    diesel::update(reports::table.find(row.id).filter(reports::version.eq(row.version)))
        .set((
            reports::status.eq(row.status),
            reports::content.eq(&row.content),
            reports::result.eq(&row.result),
            reports::next_step.eq(&row.next_step),
            reports::submitted_at.eq(row.submitted_at),
            reports::submitted_by.eq(row.submitted_by),
            reports::returned_reason.eq(&row.returned_reason),
            reports::approved_at.eq(row.approved_at),
            reports::approved_by.eq(row.approved_by),
            reports::version.eq(reports::version + 1),
            reports::updated_at.eq(now),
        ))
        .returning(reports::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(|| Error::new(ErrorCode::StaleVersion))
}

/// A report the principal sees with its dispatch, or 404.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: ReportId) -> Result<(DispatchRow, ReportRow), Error> {
    let row: ReportRow = reports::table.find(id).select(ReportRow::as_select()).first(conn)?;
    Ok((visible_dispatch(conn, ctx, row.dispatch_id)?, row))
}

/// The amounts that a report counts, by counter.
pub fn outcomes(conn: &mut Conn, report: ReportId) -> Result<BTreeMap<String, i32>, Error> {
    let rows: Vec<(String, i32)> = report_outcomes::table
        .filter(report_outcomes::report_id.eq(report))
        .select((report_outcomes::counter, report_outcomes::amount))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Replaces the amounts that a report counts.
pub fn set_outcomes(conn: &mut Conn, report: ReportId, amounts: &BTreeMap<String, i32>) -> Result<(), Error> {
    diesel::delete(report_outcomes::table.filter(report_outcomes::report_id.eq(report))).execute(conn)?;
    let rows: Vec<_> = amounts
        .iter()
        .map(|(counter, amount)| {
            (report_outcomes::report_id.eq(report), report_outcomes::counter.eq(counter), report_outcomes::amount.eq(*amount))
        })
        .collect();
    insert_rows!(conn, report_outcomes::table, rows)?;
    Ok(())
}

/// What the list of reports can be narrowed by.
#[derive(Debug, Clone, Default)]
pub struct ReportFilter {
    /// Only of this programme.
    pub programme_id: Option<ProgrammeId>,
    /// Only of this fiscal year.
    pub fiscal_year: Option<i32>,
    /// Only in this state.
    pub status: Option<ReportStatus>,
    /// Only those (true) or none of those (false) that are not in although their last day lies before this one.
    pub overdue: Option<(bool, NaiveDate)>,
    /// Only of bodies' own dispatches.
    pub applicant: Option<OrganisationId>,
}

/// A line of the list of reports.
#[derive(Debug, Clone, Queryable)]
pub struct ReportLine {
    /// Id.
    pub id: ReportId,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// Its number.
    pub number: Option<String>,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    pub applicant_name: String,
    /// Theme of the request.
    pub theme: String,
    /// State.
    pub status: ReportStatus,
    /// Last day.
    pub due_on: Option<NaiveDate>,
    /// When it was last handed in.
    pub submitted_at: Option<UtcTime>,
    /// When it was approved.
    pub approved_at: Option<UtcTime>,
    /// Version.
    pub version: i64,
}

const NOT_IN: [ReportStatus; 2] = [ReportStatus::Due, ReportStatus::Returned];

macro_rules! reports_filtered {
    ($query:expr, $audience:expr, $filter:expr) => {{
        let mut query = seen_by!($query, $audience);
        let filter: &ReportFilter = $filter;
        if let Some(programme) = filter.programme_id {
            query = query.filter(dispatches::programme_id.eq(programme));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(dispatches::fiscal_year.eq(year));
        }
        if let Some(status) = filter.status {
            query = query.filter(reports::status.eq(status));
        }
        if let Some(applicant) = filter.applicant {
            query = query.filter(dispatches::applicant_organisation_id.eq(applicant));
        }
        if let Some((overdue, today)) = filter.overdue {
            query = if overdue {
                query.filter(reports::status.eq_any(NOT_IN)).filter(reports::due_on.lt(today))
            } else {
                query.filter(reports::status.ne_all(NOT_IN).or(reports::due_on.is_null()).or(reports::due_on.ge(today)))
            };
        }
        query
    }};
}

/// What stands for the last day of reports that have none, in the order of the list: after all that have one.
const NO_DAY: &str = "9999-12-31";

/// A page of the reports the audience sees, by last day; those without one come last.
pub fn list(conn: &mut Conn, audience: Audience, filter: &ReportFilter, page: &ListQuery) -> Result<Vec<ReportLine>, Error> {
    let query = dispatches::table
        .inner_join(requests::table)
        .inner_join(organisations::table.on(organisations::id.eq(dispatches::applicant_organisation_id)))
        .inner_join(reports::table)
        .select((
            reports::id,
            dispatches::id,
            dispatches::number,
            dispatches::owner_organisation_id,
            dispatches::applicant_organisation_id,
            organisations::name,
            requests::theme,
            reports::status,
            reports::due_on,
            reports::submitted_at,
            reports::approved_at,
            reports::version,
        ))
        .order((reports::due_on.is_null().asc(), reports::due_on.asc(), reports::id.asc()))
        .limit(page.fetch())
        .into_boxed();
    let mut query = reports_filtered!(query, audience, filter);
    if let Some((key, id)) = page.after() {
        let id = ReportId(id);
        if key == NO_DAY {
            query = query.filter(reports::due_on.is_null()).filter(reports::id.gt(id));
        } else {
            let day: NaiveDate = key.parse().map_err(|_| Error::new(ErrorCode::InvalidCursor))?;
            query = query.filter(
                reports::due_on.is_null().or(reports::due_on.gt(day)).or(reports::due_on.eq(day).and(reports::id.gt(id))),
            );
        }
    }
    Ok(query.load(conn)?)
}

/// Where a line stands in the list, for the cursor.
pub fn position(line: &ReportLine) -> (String, i64) {
    (line.due_on.map_or_else(|| NO_DAY.to_owned(), |day| day.to_string()), line.id.0)
}

/// How many reports the same list holds in all.
pub fn count(conn: &mut Conn, audience: Audience, filter: &ReportFilter) -> Result<i64, Error> {
    let query = dispatches::table.inner_join(reports::table).select(diesel::dsl::count_star()).into_boxed();
    Ok(reports_filtered!(query, audience, filter).first(conn)?)
}

/// Notes which reminder went out. The text is untouched, so the version stays.
pub fn set_reminded(conn: &mut Conn, report: ReportId, mark: &str) -> Result<(), Error> {
    diesel::update(reports::table.find(report)).set(reports::reminded.eq(mark)).execute(conn)?;
    Ok(())
}

/// The reports that are not in and whose last day is `until` or before, with their dispatches.
pub fn not_in_until(conn: &mut Conn, until: NaiveDate) -> Result<Vec<(ReportRow, DispatchRow)>, Error> {
    Ok(reports::table
        .inner_join(dispatches::table)
        .filter(reports::status.eq_any(NOT_IN))
        .filter(reports::due_on.le(until))
        .order((reports::due_on, reports::id))
        .select((ReportRow::as_select(), DispatchRow::as_select()))
        .load(conn)?)
}

/// An evaluation of an expert's work.
#[derive(Debug, Clone, Queryable)]
pub struct EvaluationRow {
    /// Id.
    pub id: i64,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// The expert.
    pub expert_id: ExpertId,
    /// From 1 (poor) to 5 (excellent).
    pub score: i32,
    /// In words.
    pub comment: String,
    /// Name of the person who wrote it.
    pub created_by: Option<String>,
    /// When.
    pub created_at: UtcTime,
}

/// Whether an expert did a visit of a dispatch.
pub fn has_done_visit(conn: &mut Conn, dispatch: DispatchId, expert: ExpertId) -> Result<bool, Error> {
    Ok(diesel::select(exists(
        visits::table
            .filter(visits::dispatch_id.eq(dispatch))
            .filter(visits::expert_id.eq(expert))
            .filter(visits::status.eq(VisitStatus::Done)),
    ))
    .get_result(conn)?)
}

/// Adds an evaluation; 409 when the expert has one for this dispatch.
pub fn insert_evaluation(
    conn: &mut Conn,
    dispatch: DispatchId,
    expert: ExpertId,
    score: i32,
    comment: &str,
    by: Option<UserId>,
    now: UtcTime,
) -> Result<i64, Error> {
    Ok(diesel::insert_into(evaluations::table)
        .values((
            evaluations::dispatch_id.eq(dispatch),
            evaluations::expert_id.eq(expert),
            evaluations::score.eq(score),
            evaluations::comment.eq(comment),
            evaluations::created_by.eq(by),
            evaluations::created_at.eq(now),
        ))
        .returning(evaluations::id)
        .get_result(conn)?)
}

/// The evaluations of a dispatch in the order in which they were written.
pub fn evaluations_of(conn: &mut Conn, dispatch: DispatchId) -> Result<Vec<EvaluationRow>, Error> {
    Ok(evaluations::table
        .left_join(users::table)
        .filter(evaluations::dispatch_id.eq(dispatch))
        .order(evaluations::id)
        .select((
            evaluations::id,
            evaluations::dispatch_id,
            evaluations::expert_id,
            evaluations::score,
            evaluations::comment,
            users::name.nullable(),
            evaluations::created_at,
        ))
        .load(conn)?)
}
