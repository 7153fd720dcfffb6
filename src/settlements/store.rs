//! SQL of cost items and their shares.

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::CostStatus;
use super::parties::Share;
use crate::clock::UtcTime;
use crate::costs::{Component, Payer, Yen};
use crate::db::Conn;
use crate::db::dialect::{self, Numbered, insert_rows};
use crate::db::schema::{cost_items, cost_shares, dispatches, request_participants};
use crate::dispatches::store::Audience;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{
    CostAgreementId, CostItemId, DispatchId, ExpertId, MenuOrderId, OrganisationId, ProgrammeId, SettlementId, VisitId,
};

/// One kind of cost of a visit, a placed person's month, or an order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cost_items)]
pub struct CostItemRow {
    /// Id.
    pub id: CostItemId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Starting year of the fiscal year to which it is charged.
    pub fiscal_year: i32,
    /// The day of the work.
    pub occurred_on: NaiveDate,
    /// The dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// The visit.
    pub visit_id: Option<VisitId>,
    /// The expert.
    pub expert_id: Option<ExpertId>,
    /// The order.
    pub order_id: Option<MenuOrderId>,
    /// The settlement that took it in.
    pub settlement_id: Option<SettlementId>,
    /// The item that it corrects.
    pub adjusts_id: Option<CostItemId>,
    /// Kind of cost.
    pub component: Component,
    /// Yen; below zero in corrections only.
    pub amount_yen: i64,
    /// Of these, paid directly to carrier or hotel.
    pub paid_directly_yen: i64,
    /// Minutes paid by an honorarium.
    pub paid_minutes: Option<i32>,
    /// Who pays at first.
    pub first_paid_by: Option<Payer>,
    /// The agreement by which hosts share it.
    pub agreement_id: Option<CostAgreementId>,
    /// The rule by which it is paid, as JSON, where no dispatch keeps the rules.
    pub payer_rule: Option<String>,
    /// Whether only the owner sees the amount.
    pub undisclosed: bool,
    /// Whether it is reckoned from an approximate figure.
    pub approximate: bool,
    /// How it came about.
    pub explanation: String,
    /// State.
    pub status: CostStatus,
    /// When it was calculated.
    pub created_at: UtcTime,
}

/// A party's share in a cost item.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cost_shares)]
pub struct CostShareRow {
    /// The item.
    pub cost_item_id: CostItemId,
    /// Who pays; `None` where the payer is not registered here.
    pub organisation_id: Option<OrganisationId>,
    /// As what.
    pub payer: Payer,
    /// Yen.
    pub amount_yen: i64,
}

/// What the list of cost items can be narrowed by.
#[derive(Debug, Clone, Default)]
pub struct CostFilter {
    /// Only of this dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// Only of this settlement.
    pub settlement_id: Option<SettlementId>,
    /// Only of this order.
    pub order_id: Option<MenuOrderId>,
    /// Only of this fiscal year.
    pub fiscal_year: Option<i32>,
    /// Only those in which this body pays a share.
    pub organisation_id: Option<OrganisationId>,
    /// Only of this kind.
    pub component: Option<Component>,
}

/// Narrows a query of cost items to what an audience sees: an owner its own, a body those of its dispatches and those in
/// which it bears a part.
macro_rules! costs_filtered {
    ($query:expr, $audience:expr, $filter:expr) => {{
        let mut query = match $audience {
            Audience::Owner(me) | Audience::Body(me) => $query.filter(
                cost_items::owner_organisation_id
                    .eq(me)
                    .or(exists(
                        cost_shares::table
                            .filter(cost_shares::cost_item_id.eq(cost_items::id))
                            .filter(cost_shares::organisation_id.eq(me)),
                    ))
                    .or(exists(
                        dispatches::table.filter(dispatches::id.nullable().eq(cost_items::dispatch_id)).filter(
                            dispatches::applicant_organisation_id.eq(me).or(exists(
                                request_participants::table
                                    .filter(request_participants::request_id.eq(dispatches::request_id))
                                    .filter(request_participants::organisation_id.eq(me)),
                            )),
                        ),
                    )),
            ),
            // Experts read their payments, not costs.
            Audience::Expert(_) => $query.filter(cost_items::id.eq(CostItemId(0))),
        };
        let filter: &CostFilter = $filter;
        if let Some(dispatch) = filter.dispatch_id {
            query = query.filter(cost_items::dispatch_id.eq(dispatch));
        }
        if let Some(settlement) = filter.settlement_id {
            query = query.filter(cost_items::settlement_id.eq(settlement));
        }
        if let Some(order) = filter.order_id {
            query = query.filter(cost_items::order_id.eq(order));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(cost_items::fiscal_year.eq(year));
        }
        if let Some(component) = filter.component {
            query = query.filter(cost_items::component.eq(component));
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

/// A page of the cost items that the audience sees, in the order in which they were calculated.
pub fn list(conn: &mut Conn, audience: Audience, filter: &CostFilter, page: &ListQuery) -> Result<Vec<CostItemRow>, Error> {
    let query = cost_items::table.select(CostItemRow::as_select()).order(cost_items::id).limit(page.fetch()).into_boxed();
    let mut query = costs_filtered!(query, audience, filter);
    if let Some((_, id)) = page.after() {
        query = query.filter(cost_items::id.gt(CostItemId(id)));
    }
    Ok(query.load(conn)?)
}

/// How many cost items the same list holds in all.
pub fn count(conn: &mut Conn, audience: Audience, filter: &CostFilter) -> Result<i64, Error> {
    let query = cost_items::table.select(diesel::dsl::count_star()).into_boxed();
    Ok(costs_filtered!(query, audience, filter).first(conn)?)
}

/// The shares of cost items in their order.
pub fn shares_of(conn: &mut Conn, items: &[CostItemId]) -> Result<Vec<CostShareRow>, Error> {
    let mut found = Vec::new();
    for some in items.chunks(500) {
        let rows: Vec<CostShareRow> = cost_shares::table
            .filter(cost_shares::cost_item_id.eq_any(some))
            .order((cost_shares::cost_item_id, cost_shares::place))
            .select(CostShareRow::as_select())
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

fn with_shares(conn: &mut Conn, items: Vec<CostItemRow>) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    let ids: Vec<CostItemId> = items.iter().map(|item| item.id).collect();
    let shares = shares_of(conn, &ids)?;
    Ok((items, shares))
}

/// All cost items of a dispatch with their shares.
pub fn for_dispatch(conn: &mut Conn, dispatch: DispatchId) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    let items = cost_items::table
        .filter(cost_items::dispatch_id.eq(dispatch))
        .order((cost_items::visit_id, cost_items::id))
        .select(CostItemRow::as_select())
        .load(conn)?;
    with_shares(conn, items)
}

/// All cost items of a settlement with their shares.
pub fn for_settlement(conn: &mut Conn, settlement: SettlementId) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    let items = cost_items::table
        .filter(cost_items::settlement_id.eq(settlement))
        .order(cost_items::id)
        .select(CostItemRow::as_select())
        .load(conn)?;
    with_shares(conn, items)
}

/// All cost items charged to a programme's year with their shares, by day.
pub fn for_year(conn: &mut Conn, programme: ProgrammeId, year: i32) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    let items = cost_items::table
        .filter(cost_items::programme_id.eq(programme))
        .filter(cost_items::fiscal_year.eq(year))
        .order((cost_items::occurred_on, cost_items::id))
        .select(CostItemRow::as_select())
        .load(conn)?;
    with_shares(conn, items)
}

/// A cost item with its shares.
pub fn item(conn: &mut Conn, id: CostItemId) -> Result<Option<(CostItemRow, Vec<CostShareRow>)>, Error> {
    let row: Option<CostItemRow> = cost_items::table.find(id).select(CostItemRow::as_select()).first(conn).optional()?;
    row.map(|row| Ok((row, shares_of(conn, &[id])?))).transpose()
}

/// The corrections of a cost item with their shares, in their order.
pub fn adjustments_of(conn: &mut Conn, id: CostItemId) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    let items = cost_items::table
        .filter(cost_items::adjusts_id.eq(id))
        .order(cost_items::id)
        .select(CostItemRow::as_select())
        .load(conn)?;
    with_shares(conn, items)
}

/// Yen that an order has come to, corrections charged to its year included.
pub fn spent_on_order(conn: &mut Conn, order: MenuOrderId, year: i32) -> Result<i64, Error> {
    let amounts: Vec<i64> = cost_items::table
        .filter(cost_items::order_id.eq(order))
        .filter(cost_items::fiscal_year.eq(year))
        .select(cost_items::amount_yen)
        .load(conn)?;
    Ok(amounts.iter().sum::<i64>().max(0))
}

/// What an expert was already paid for on a day, by the programme: yen of honoraria.
pub fn honoraria_on(
    conn: &mut Conn,
    programme: ProgrammeId,
    expert: ExpertId,
    day: NaiveDate,
) -> Result<Vec<CostItemRow>, Error> {
    Ok(cost_items::table
        .filter(cost_items::programme_id.eq(programme))
        .filter(cost_items::expert_id.eq(expert))
        .filter(cost_items::occurred_on.eq(day))
        .filter(cost_items::component.eq(Component::Honorarium))
        .select(CostItemRow::as_select())
        .load(conn)?)
}

/// The costs of one kind of a placed person in a month.
pub fn placement_items(
    conn: &mut Conn,
    programme: ProgrammeId,
    expert: ExpertId,
    first: NaiveDate,
    last: NaiveDate,
    component: Component,
) -> Result<Vec<CostItemRow>, Error> {
    Ok(cost_items::table
        .filter(cost_items::programme_id.eq(programme))
        .filter(cost_items::expert_id.eq(expert))
        .filter(cost_items::dispatch_id.is_null())
        .filter(cost_items::order_id.is_null())
        .filter(cost_items::occurred_on.between(first, last))
        .filter(cost_items::component.eq(component))
        .filter(cost_items::adjusts_id.is_null())
        .select(CostItemRow::as_select())
        .load(conn)?)
}

/// Items of one statement: SQLite takes 32,766 values.
const ITEMS_A_STATEMENT: usize = 500;
/// Shares of one statement.
const SHARES_A_STATEMENT: usize = 2_000;

/// A cost item to be kept.
#[derive(Debug, Clone)]
pub struct NewCostItem<'a> {
    /// The programme.
    pub programme: ProgrammeId,
    /// Owner of the pool.
    pub owner: OrganisationId,
    /// The fiscal year to which it is charged.
    pub fiscal_year: i32,
    /// The day of the work.
    pub occurred_on: NaiveDate,
    /// The dispatch.
    pub dispatch: Option<DispatchId>,
    /// The visit.
    pub visit: Option<VisitId>,
    /// The expert.
    pub expert: Option<ExpertId>,
    /// The order.
    pub order: Option<MenuOrderId>,
    /// The settlement that takes it in at once.
    pub settlement: Option<SettlementId>,
    /// The item that it corrects.
    pub adjusts: Option<CostItemId>,
    /// Kind of cost.
    pub component: Component,
    /// Yen.
    pub amount: Yen,
    /// Of these yen, paid directly to carrier or hotel; below zero in corrections only.
    pub paid_directly: i64,
    /// Minutes paid by an honorarium.
    pub paid_minutes: Option<i32>,
    /// Who pays at first.
    pub first_paid_by: Option<Payer>,
    /// The agreement by which hosts share it.
    pub agreement: Option<CostAgreementId>,
    /// The rule by which it is paid, as JSON, where no dispatch keeps the rules.
    pub payer_rule: Option<&'a str>,
    /// Whether only the owner sees the amount.
    pub undisclosed: bool,
    /// Whether it is reckoned from an approximate figure.
    pub approximate: bool,
    /// How it came about.
    pub explanation: &'a str,
}

/// The columns of a cost item that is being calculated.
#[derive(Insertable)]
#[diesel(table_name = cost_items)]
struct CostItemInsert<'a> {
    id: CostItemId,
    programme_id: ProgrammeId,
    owner_organisation_id: OrganisationId,
    fiscal_year: i32,
    occurred_on: NaiveDate,
    dispatch_id: Option<DispatchId>,
    visit_id: Option<VisitId>,
    expert_id: Option<ExpertId>,
    order_id: Option<MenuOrderId>,
    settlement_id: Option<SettlementId>,
    adjusts_id: Option<CostItemId>,
    component: Component,
    amount_yen: i64,
    paid_directly_yen: i64,
    paid_minutes: Option<i32>,
    first_paid_by: Option<Payer>,
    agreement_id: Option<CostAgreementId>,
    payer_rule: Option<&'a str>,
    undisclosed: bool,
    approximate: bool,
    explanation: &'a str,
    status: CostStatus,
    created_at: UtcTime,
    updated_at: UtcTime,
}

impl<'a> CostItemInsert<'a> {
    fn of(id: CostItemId, new: &NewCostItem<'a>, now: UtcTime) -> Self {
        Self {
            id,
            programme_id: new.programme,
            owner_organisation_id: new.owner,
            fiscal_year: new.fiscal_year,
            occurred_on: new.occurred_on,
            dispatch_id: new.dispatch,
            visit_id: new.visit,
            expert_id: new.expert,
            order_id: new.order,
            settlement_id: new.settlement,
            adjusts_id: new.adjusts,
            component: new.component,
            amount_yen: new.amount.get(),
            paid_directly_yen: new.paid_directly,
            paid_minutes: new.paid_minutes,
            first_paid_by: new.first_paid_by,
            agreement_id: new.agreement,
            payer_rule: new.payer_rule,
            undisclosed: new.undisclosed,
            approximate: new.approximate,
            explanation: new.explanation,
            status: CostStatus::Calculated,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Keeps one cost item; see [`insert_many`].
pub fn insert(conn: &mut Conn, new: &NewCostItem<'_>, shares: Vec<Share>, now: UtcTime) -> Result<CostItemId, Error> {
    let ids = insert_many(conn, &[(new.clone(), shares)], now)?;
    ids.first().copied().ok_or_else(|| Error::internal("a cost item was not kept"))
}

/// Keeps cost items with their shares, fixed, a batch a statement; the database refuses shares that do not sum to
/// the amount, and a second item of the same kind for a visit (409). The ids are in the order of the items.
pub fn insert_many(conn: &mut Conn, items: &[(NewCostItem<'_>, Vec<Share>)], now: UtcTime) -> Result<Vec<CostItemId>, Error> {
    let ids = dialect::take_ids(conn, Numbered::CostItem, items.len())?;
    let ids: Vec<CostItemId> = ids.into_iter().map(CostItemId).collect();
    let numbered: Vec<_> = ids.iter().copied().zip(items).collect();
    let shares: Vec<_> = numbered
        .iter()
        .flat_map(|(id, (_, shares))| (0_i32..).zip(shares).map(move |(place, share)| (*id, place, share)))
        .map(|(id, place, share)| {
            (
                cost_shares::cost_item_id.eq(id),
                cost_shares::place.eq(place),
                cost_shares::organisation_id.eq(share.organisation),
                cost_shares::payer.eq(share.payer),
                cost_shares::amount_yen.eq(share.amount.get()),
            )
        })
        .collect();
    for some in shares.chunks(SHARES_A_STATEMENT) {
        insert_rows!(conn, cost_shares::table, some)?;
    }
    for some in numbered.chunks(ITEMS_A_STATEMENT) {
        let rows: Vec<CostItemInsert<'_>> = some.iter().map(|(id, (new, _))| CostItemInsert::of(*id, new, now)).collect();
        insert_rows!(conn, cost_items::table, &rows)?;
    }
    Ok(ids)
}
