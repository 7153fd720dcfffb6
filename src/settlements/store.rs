//! SQL of cost items and their shares.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{CostStatus, Payer, component_text};
use crate::clock::UtcTime;
use crate::costs::{Component, Shares};
use crate::db::Conn;
use crate::db::schema::{cost_items, cost_shares, dispatch_experts, dispatches, request_participants};
use crate::dispatches::store::{Audience, DispatchRow, seen_by};
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{CostItemId, DispatchId, OrganisationId, VisitId};

/// One kind of cost of a visit.
#[derive(Debug, Clone, Queryable)]
pub struct CostItemRow {
    /// Id.
    pub id: CostItemId,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// The visit.
    pub visit_id: VisitId,
    /// Kind of cost, as stored.
    pub component: String,
    /// Yen.
    pub amount_yen: i64,
    /// Whether only the owner sees the amount.
    pub undisclosed: bool,
    /// How it came about.
    pub explanation: String,
    /// State.
    pub status: CostStatus,
    /// When it was calculated.
    pub created_at: UtcTime,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
}

/// A party's share in a cost item.
#[derive(Debug, Clone, Queryable)]
pub struct CostShareRow {
    /// The item.
    pub cost_item_id: CostItemId,
    /// Who pays.
    pub organisation_id: OrganisationId,
    /// As what.
    pub payer: Payer,
    /// Yen.
    pub amount_yen: i64,
}

type ItemColumns = (
    cost_items::id,
    cost_items::dispatch_id,
    cost_items::visit_id,
    cost_items::component,
    cost_items::amount_yen,
    cost_items::undisclosed,
    cost_items::explanation,
    cost_items::status,
    cost_items::created_at,
    dispatches::owner_organisation_id,
    dispatches::fiscal_year,
);
const ITEM: ItemColumns = (
    cost_items::id,
    cost_items::dispatch_id,
    cost_items::visit_id,
    cost_items::component,
    cost_items::amount_yen,
    cost_items::undisclosed,
    cost_items::explanation,
    cost_items::status,
    cost_items::created_at,
    dispatches::owner_organisation_id,
    dispatches::fiscal_year,
);

/// What the list of cost items can be narrowed by.
#[derive(Debug, Clone, Default)]
pub struct CostFilter {
    /// Only of this dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// Only of this fiscal year.
    pub fiscal_year: Option<i32>,
    /// Only those in which this body pays a share.
    pub organisation_id: Option<OrganisationId>,
    /// Only of this kind.
    pub component: Option<Component>,
}

macro_rules! costs_filtered {
    ($query:expr, $audience:expr, $filter:expr) => {{
        let mut query = seen_by!($query, $audience);
        let filter: &CostFilter = $filter;
        if let Some(dispatch) = filter.dispatch_id {
            query = query.filter(dispatches::id.eq(dispatch));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(dispatches::fiscal_year.eq(year));
        }
        if let Some(component) = filter.component {
            query = query.filter(cost_items::component.eq(component_text(component)));
        }
        if let Some(body) = filter.organisation_id {
            query = query.filter(exists(
                cost_shares::table
                    .filter(cost_shares::cost_item_id.eq(cost_items::id))
                    .filter(cost_shares::organisation_id.eq(body)),
            ));
        }
        query
    }};
}

/// A page of the cost items of dispatches the audience sees, in the order in which they were calculated.
pub fn list(conn: &mut Conn, audience: Audience, filter: &CostFilter, page: &ListQuery) -> Result<Vec<CostItemRow>, Error> {
    let query =
        dispatches::table.inner_join(cost_items::table).select(ITEM).order(cost_items::id).limit(page.fetch()).into_boxed();
    let mut query = costs_filtered!(query, audience, filter);
    if let Some((_, id)) = page.after() {
        query = query.filter(cost_items::id.gt(CostItemId(id)));
    }
    Ok(query.load(conn)?)
}

/// How many cost items the same list holds in all.
pub fn count(conn: &mut Conn, audience: Audience, filter: &CostFilter) -> Result<i64, Error> {
    let query = dispatches::table.inner_join(cost_items::table).select(diesel::dsl::count_star()).into_boxed();
    Ok(costs_filtered!(query, audience, filter).first(conn)?)
}

/// The shares of cost items, the prefecture's first.
pub fn shares_of(conn: &mut Conn, items: &[CostItemId]) -> Result<Vec<CostShareRow>, Error> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    Ok(cost_shares::table
        .filter(cost_shares::cost_item_id.eq_any(items))
        .order((cost_shares::cost_item_id, cost_shares::payer.desc(), cost_shares::organisation_id))
        .select((cost_shares::cost_item_id, cost_shares::organisation_id, cost_shares::payer, cost_shares::amount_yen))
        .load(conn)?)
}

/// All cost items of a dispatch with their shares.
pub fn for_dispatch(conn: &mut Conn, dispatch: DispatchId) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    let items: Vec<CostItemRow> = dispatches::table
        .inner_join(cost_items::table)
        .filter(cost_items::dispatch_id.eq(dispatch))
        .order((cost_items::visit_id, cost_items::id))
        .select(ITEM)
        .load(conn)?;
    let ids: Vec<CostItemId> = items.iter().map(|item| item.id).collect();
    let shares = shares_of(conn, &ids)?;
    Ok((items, shares))
}

/// A cost item with its shares.
pub fn item(conn: &mut Conn, id: CostItemId) -> Result<(CostItemRow, Vec<CostShareRow>), Error> {
    let row = dispatches::table.inner_join(cost_items::table).filter(cost_items::id.eq(id)).select(ITEM).first(conn)?;
    let shares = shares_of(conn, &[id])?;
    Ok((row, shares))
}

/// Keeps a cost item with its shares and fixes it; the database refuses shares that do not sum to the amount, and a
/// second item of the same kind for the visit (409). A party that pays nothing has no share.
pub fn insert(
    conn: &mut Conn,
    dispatch: &DispatchRow,
    visit: VisitId,
    shares: &Shares,
    undisclosed: bool,
    explanation: &str,
    now: UtcTime,
) -> Result<CostItemId, Error> {
    let id: CostItemId = diesel::insert_into(cost_items::table)
        .values((
            cost_items::dispatch_id.eq(dispatch.id),
            cost_items::visit_id.eq(visit),
            cost_items::component.eq(component_text(shares.component())),
            cost_items::amount_yen.eq(shares.total().get()),
            cost_items::undisclosed.eq(undisclosed),
            cost_items::explanation.eq(explanation),
            cost_items::status.eq(CostStatus::Open),
            cost_items::created_at.eq(now),
            cost_items::updated_at.eq(now),
        ))
        .returning(cost_items::id)
        .get_result(conn)?;
    let parties = [
        (Payer::Prefecture, dispatch.owner_organisation_id, shares.prefecture()),
        (Payer::Municipality, dispatch.applicant_organisation_id, shares.municipality()),
    ];
    for (payer, organisation, amount) in parties {
        if amount.get() > 0 {
            diesel::insert_into(cost_shares::table)
                .values((
                    cost_shares::cost_item_id.eq(id),
                    cost_shares::organisation_id.eq(organisation),
                    cost_shares::payer.eq(payer),
                    cost_shares::amount_yen.eq(amount.get()),
                ))
                .execute(conn)?;
        }
    }
    diesel::update(cost_items::table.find(id)).set(cost_items::status.eq(CostStatus::Calculated)).execute(conn)?;
    Ok(id)
}
