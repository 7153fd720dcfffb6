//! Use cases of costs: the honorarium of a visit that is done, and actual costs entered by the office.

use serde_json::json;

use super::model::{self, component_text};
use super::store;
use super::views::{CostEyes, CostItemView, CostTotals, CreateCostItemBody};
use crate::costs::{Component, FeeTable, Yen};
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::store::{DispatchRow, is_owner};
use crate::dispatches::visit_store::VisitRow;
use crate::error::{Error, ErrorCode};
use crate::experts::model::AffiliationKind;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::ExpertId;

/// Most yen one cost item can have: what the database keeps.
const MOST_YEN: i64 = 1_000_000_000_000;

/// The eyes with which the principal sees a dispatch's costs.
pub fn eyes(ctx: &Ctx, dispatch: &DispatchRow) -> CostEyes {
    CostEyes { organisation: ctx.organisation(), is_owner: is_owner(ctx, dispatch) }
}

fn is_official(conn: &mut Conn, expert: ExpertId) -> Result<bool, Error> {
    let found = crate::experts::store::find(conn, expert)?.ok_or_else(|| Error::internal("the expert of a visit is missing"))?;
    Ok(found.affiliation_kind == AffiliationKind::PublicOfficial)
}

/// Keeps the honorarium of a visit that was just recorded as done, by the rules of its dispatch and its actual minutes,
/// with the shares of both sides. Returns the amount; `None` where the fee table is not published and the office has to
/// enter it. Leaves no audit event of its own: the recording's event tells it.
pub fn calculate_for_visit(conn: &mut Conn, ctx: &Ctx, dispatch: &DispatchRow, visit: &VisitRow) -> Result<Option<Yen>, Error> {
    let rules = dispatch.rules()?;
    let minutes = visit.actual_minutes.ok_or_else(|| Error::internal("a visit without actual minutes is not done"))?;
    let official = is_official(conn, visit.expert_id)?;
    let Some(honorarium) = model::honorarium(&rules, minutes, official)? else { return Ok(None) };
    let shares = model::shares(&rules, Component::Honorarium, honorarium.amount)?;
    store::insert(conn, dispatch, visit.id, &shares, rules.amounts_undisclosed, &honorarium.explanation, ctx.now)?;
    Ok(Some(honorarium.amount))
}

/// Enters an actual cost of a visit. The visit must be over (a visit called off can cost too: a room that was not
/// refunded); what is calculated is fixed, so a second item of the same kind is refused.
pub fn enter_cost(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: CreateCostItemBody,
) -> Result<Outcome<CostItemView>, Error> {
    if matches!(visit.status, VisitStatus::Held | VisitStatus::Planned) {
        let verbs = visit.status.verbs(visit.dated()).iter().map(|verb| verb.as_str()).collect();
        return Err(Error::transition(visit.status.as_str(), verbs).detail(
            "実績を記録した訪問（または中止した訪問）にのみ費用を入力できます",
            "Costs are entered once the visit is over or called off",
        ));
    }
    let (items, _) = store::for_dispatch(conn, dispatch.id)?;
    if items.iter().any(|item| item.visit_id == visit.id && item.component == component_text(body.component)) {
        return Err(Error::new(ErrorCode::Duplicate).field(
            "/component",
            "already_calculated",
            "この費目はすでに確定しています。確定した金額は書き換えられません",
            "This kind of cost is already calculated and fixed",
        ));
    }
    let rules = dispatch.rules()?;
    let mut fields = Fields::new();
    fields.within("/amount_yen", body.amount_yen, 0, MOST_YEN);
    fields.text("/note", &body.note, 2000);
    fields.finish()?;
    if body.component == Component::Honorarium {
        check_honorarium(conn, &rules.fee_table, &visit, body.amount_yen)?;
    }
    let amount = Yen::new(body.amount_yen).map_err(Error::internal)?;
    let shares = model::shares(&rules, body.component, amount)?;
    let explanation = if body.note.is_empty() { "実績額を入力".to_owned() } else { body.note };
    let id = store::insert(conn, &dispatch, visit.id, &shares, rules.amounts_undisclosed, &explanation, ctx.now)?;
    let audit = Audit::new("cost_item", id.0, dispatch.owner_organisation_id).created(json!({
        "dispatch_id": dispatch.id, "visit_id": visit.id, "component": body.component, "amount_yen": amount,
        "prefecture_yen": shares.prefecture(), "municipality_yen": shares.municipality(),
    }));
    let (row, shares) = store::item(conn, id)?;
    let view = CostItemView::new(&row, &shares, eyes(ctx, &dispatch))?;
    let location = format!("/api/v1/cost-items?dispatch_id={}", dispatch.id);
    Ok(Outcome { view, audit, version: None, location: Some(location), secret: false })
}

/// An honorarium is entered by hand only where no table gives it, for a visit that took place, and never for an
/// official on duty.
fn check_honorarium(conn: &mut Conn, table: &FeeTable, visit: &VisitRow, amount_yen: i64) -> Result<(), Error> {
    if !matches!(table, FeeTable::Undisclosed {}) || visit.status != VisitStatus::Done {
        return Err(Error::rule(
            "honorarium_by_table",
            "/component",
            "謝金は実績の記録時に単価表から計算されます",
            "The honorarium follows from the fee table when the visit is recorded",
        ));
    }
    if amount_yen > 0 && is_official(conn, visit.expert_id)? {
        return Err(Error::rule(
            "official_on_duty",
            "/amount_yen",
            "公務として従事する公務員の謝金は0円です",
            "A public official on duty gets no honorarium",
        ));
    }
    Ok(())
}

/// The sums of a dispatch's costs as the principal sees them.
pub fn totals(conn: &mut Conn, ctx: &Ctx, dispatch: &DispatchRow) -> Result<CostTotals, Error> {
    let (items, shares) = store::for_dispatch(conn, dispatch.id)?;
    Ok(CostTotals::new(&items, &shares, eyes(ctx, dispatch), dispatch.rules()?.amounts_undisclosed))
}
