//! SQL of the ledger of bound money.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::clock::UtcTime;
use crate::costs::Component;
use crate::db::Conn;
use crate::db::dialect::insert_new;
use crate::db::schema::{
    budget_entries, budget_warnings, cost_items, dispatches, expert_payment_profiles, experts, requests, visits,
};
use crate::error::Error;
use crate::experts::model::AffiliationKind;
use crate::http::ListQuery;
use crate::ids::{CostItemId, MenuOrderId, OrganisationId, ProgrammeId, RequestId};
use crate::requests::model::RequestStatus;

crate::text_enum! {
    /// Why an entry was written.
    pub enum BudgetEntryKind {
        /// A request was accepted: its estimate is bound.
        Reserve = "reserve", "見込み";
        /// It was decided, or its plan changed.
        Plan = "plan", "計画";
        /// What was done is known.
        Commit = "commit", "実績";
        /// It does not take place, or costs less.
        Release = "release", "解除";
    }
}

/// For what money is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetSubject {
    /// A request.
    Request(RequestId),
    /// An order of a menu.
    Order(MenuOrderId),
}

/// An entry of the ledger.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = budget_entries)]
pub struct BudgetEntryRow {
    /// Running number.
    pub id: i64,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The order.
    pub order_id: Option<MenuOrderId>,
    /// The body that applied or ordered.
    pub organisation_id: OrganisationId,
    /// Why.
    pub kind: BudgetEntryKind,
    /// Yen bound more, or less.
    pub delta_yen: i64,
    /// Yen bound for the same request or order after it.
    pub own_bound_yen: i64,
    /// Yen bound in the programme's year after it.
    pub bound_yen: i64,
    /// When.
    pub created_at: UtcTime,
}

/// Yen that a programme's year has bound.
pub fn bound(conn: &mut Conn, programme: ProgrammeId, year: i32) -> Result<i64, Error> {
    let last: Option<i64> = budget_entries::table
        .filter(budget_entries::programme_id.eq(programme))
        .filter(budget_entries::fiscal_year.eq(year))
        .order(budget_entries::id.desc())
        .select(budget_entries::bound_yen)
        .first(conn)
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// Yen bound in a fiscal year, by programme.
pub fn bound_in_year(conn: &mut Conn, programmes: &[ProgrammeId], year: i32) -> Result<Vec<(ProgrammeId, i64)>, Error> {
    let last: Vec<Option<i64>> = budget_entries::table
        .filter(budget_entries::programme_id.eq_any(programmes))
        .filter(budget_entries::fiscal_year.eq(year))
        .group_by(budget_entries::programme_id)
        .select(diesel::dsl::max(budget_entries::id))
        .load(conn)?;
    let last: Vec<i64> = last.into_iter().flatten().collect();
    Ok(budget_entries::table
        .filter(budget_entries::id.eq_any(last))
        .select((budget_entries::programme_id, budget_entries::bound_yen))
        .load(conn)?)
}

/// Yen that a programme has bound, by fiscal year.
pub fn bound_by_year(conn: &mut Conn, programme: ProgrammeId) -> Result<Vec<(i32, i64)>, Error> {
    let last: Vec<Option<i64>> = budget_entries::table
        .filter(budget_entries::programme_id.eq(programme))
        .group_by(budget_entries::fiscal_year)
        .select(diesel::dsl::max(budget_entries::id))
        .load(conn)?;
    let last: Vec<i64> = last.into_iter().flatten().collect();
    Ok(budget_entries::table
        .filter(budget_entries::id.eq_any(last))
        .select((budget_entries::fiscal_year, budget_entries::bound_yen))
        .load(conn)?)
}

/// Yen bound for one request or order.
pub fn own_bound(conn: &mut Conn, subject: BudgetSubject) -> Result<i64, Error> {
    let query = budget_entries::table.order(budget_entries::id.desc()).select(budget_entries::own_bound_yen).into_boxed();
    let query = match subject {
        BudgetSubject::Request(id) => query.filter(budget_entries::request_id.eq(id)),
        BudgetSubject::Order(id) => query.filter(budget_entries::order_id.eq(id)),
    };
    Ok(query.first(conn).optional()?.unwrap_or(0))
}

/// Yen bound for everything of one body in a programme's year.
pub fn bound_of_body(conn: &mut Conn, programme: ProgrammeId, year: i32, body: OrganisationId) -> Result<i64, Error> {
    Ok(budget_entries::table
        .filter(budget_entries::programme_id.eq(programme))
        .filter(budget_entries::fiscal_year.eq(year))
        .filter(budget_entries::organisation_id.eq(body))
        .select(sql::<BigInt>("CAST(COALESCE(SUM(delta_yen), 0) AS BIGINT)"))
        .get_result(conn)?)
}

/// Yen bound by body.
pub fn by_body(conn: &mut Conn, programme: ProgrammeId, year: i32) -> Result<Vec<(OrganisationId, i64)>, Error> {
    Ok(budget_entries::table
        .filter(budget_entries::programme_id.eq(programme))
        .filter(budget_entries::fiscal_year.eq(year))
        .group_by(budget_entries::organisation_id)
        .order(budget_entries::organisation_id)
        .select((budget_entries::organisation_id, sql::<BigInt>("CAST(COALESCE(SUM(delta_yen), 0) AS BIGINT)")))
        .load(conn)?)
}

/// Adds an entry.
#[expect(clippy::too_many_arguments, reason = "the columns of a ledger's line")]
pub fn append(
    conn: &mut Conn,
    (programme, year): (ProgrammeId, i32),
    subject: BudgetSubject,
    body: OrganisationId,
    kind: BudgetEntryKind,
    delta: i64,
    (own, bound): (i64, i64),
    limit: Option<i64>,
    now: UtcTime,
) -> Result<(), Error> {
    let (request, order) = match subject {
        BudgetSubject::Request(id) => (Some(id), None),
        BudgetSubject::Order(id) => (None, Some(id)),
    };
    use budget_entries as t;
    diesel::insert_into(t::table)
        .values((
            t::programme_id.eq(programme),
            t::fiscal_year.eq(year),
            t::request_id.eq(request),
            t::order_id.eq(order),
            t::organisation_id.eq(body),
            t::kind.eq(kind),
            t::delta_yen.eq(delta),
            t::own_bound_yen.eq(own),
            t::bound_yen.eq(bound),
            t::limit_yen.eq(limit),
            t::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that a warning is due; `false` when it was given before.
pub fn warn_once(conn: &mut Conn, programme: ProgrammeId, year: i32, percent: i32, now: UtcTime) -> Result<bool, Error> {
    let row = (
        budget_warnings::programme_id.eq(programme),
        budget_warnings::fiscal_year.eq(year),
        budget_warnings::percent.eq(percent),
        budget_warnings::created_at.eq(now),
    );
    let added = insert_new!(conn, budget_warnings::table, row)?;
    Ok(added == 1)
}

/// The warnings that were given: percent and when.
pub fn warnings(conn: &mut Conn, programme: ProgrammeId, year: i32) -> Result<Vec<(i32, UtcTime)>, Error> {
    Ok(budget_warnings::table
        .filter(budget_warnings::programme_id.eq(programme))
        .filter(budget_warnings::fiscal_year.eq(year))
        .order(budget_warnings::percent)
        .select((budget_warnings::percent, budget_warnings::created_at))
        .load(conn)?)
}

/// A page of the ledger, the newest entry first.
pub fn entries(conn: &mut Conn, programme: ProgrammeId, year: i32, page: &ListQuery) -> Result<Vec<BudgetEntryRow>, Error> {
    let mut query = budget_entries::table
        .filter(budget_entries::programme_id.eq(programme))
        .filter(budget_entries::fiscal_year.eq(year))
        .order(budget_entries::id.desc())
        .limit(page.fetch())
        .select(BudgetEntryRow::as_select())
        .into_boxed();
    if let Some((_, id)) = page.after() {
        query = query.filter(budget_entries::id.lt(id));
    }
    Ok(query.load(conn)?)
}

/// A visit that is still ahead, and what its honorarium depends on.
#[derive(Debug, Clone, Queryable)]
pub struct PlannedVisit {
    /// Planned minutes.
    pub minutes: i32,
    /// What the expert is.
    pub affiliation_kind: AffiliationKind,
    /// The expert's grade in fee tables, if a profile is kept.
    pub fee_grade: Option<String>,
}

impl PlannedVisit {
    /// Whether the expert comes as an official on duty.
    pub fn is_official(&self) -> bool {
        self.affiliation_kind == AffiliationKind::PublicOfficial
    }
}

/// The visits of a request's dispatches that are still ahead.
pub fn planned_visits(conn: &mut Conn, request: RequestId) -> Result<Vec<PlannedVisit>, Error> {
    Ok(visits::table
        .inner_join(dispatches::table)
        .inner_join(experts::table)
        .left_join(expert_payment_profiles::table.on(expert_payment_profiles::expert_id.eq(visits::expert_id)))
        .filter(dispatches::request_id.eq(request))
        .filter(visits::status.eq_any(["held", "planned"]))
        .order(visits::id)
        .select((visits::planned_minutes, experts::affiliation_kind, expert_payment_profiles::fee_grade.nullable()))
        .load(conn)?)
}

/// Original item, kind and yen of the cost items of a request's dispatches, corrections under what they correct.
pub fn spent(conn: &mut Conn, request: RequestId) -> Result<Vec<(CostItemId, Component, i64)>, Error> {
    let rows: Vec<(CostItemId, Option<CostItemId>, Component, i64)> = cost_items::table
        .inner_join(dispatches::table)
        .filter(dispatches::request_id.eq(request))
        .filter(cost_items::fiscal_year.eq(dispatches::fiscal_year))
        .select((cost_items::id, cost_items::adjusts_id, cost_items::component, cost_items::amount_yen))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, adjusts, component, yen)| (adjusts.unwrap_or(id), component, yen)).collect())
}

/// A request that arrived earlier, or waits for money: id, what it asks for, body.
#[derive(Debug, Clone, Queryable)]
pub struct Waiting {
    /// The request.
    pub id: RequestId,
    /// State: submitted or waitlisted.
    pub status: RequestStatus,
    /// Visits asked for.
    pub visit_count: i32,
    /// Minutes of each.
    pub minutes_per_visit: i32,
    /// Experts who go as a team.
    pub experts_needed: i32,
    /// Whether the team takes turns.
    pub rotation: bool,
    /// When it arrived.
    pub submitted_at: Option<UtcTime>,
    /// The body that applied.
    pub applicant_organisation_id: OrganisationId,
    /// Its theme.
    pub theme: String,
}

/// The requests of a programme's year that arrived and are not decided on yet, in the order of arrival.
pub fn waiting(conn: &mut Conn, programme: ProgrammeId, year: i32) -> Result<Vec<Waiting>, Error> {
    Ok(requests::table
        .filter(requests::programme_id.eq(programme))
        .filter(requests::fiscal_year.eq(year))
        .filter(requests::status.eq_any([RequestStatus::Submitted, RequestStatus::Waitlisted]))
        .order((requests::submitted_at, requests::id))
        .select((
            requests::id,
            requests::status,
            requests::visit_count,
            requests::minutes_per_visit,
            requests::experts_needed,
            requests::rotation,
            requests::submitted_at,
            requests::applicant_organisation_id,
            requests::theme,
        ))
        .load(conn)?)
}
