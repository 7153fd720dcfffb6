//! Corrections of final amounts (追給・返納). The original stays; the correction is a cost item of its own that names it,
//! and its shares are what everybody bears now less what everybody bore before.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::json;

use super::billing::{self, Terms};
use super::budget;
use super::budget_store::BudgetEntryKind;
use super::lifecycle::SettlementVerb;
use super::parties::{Parties, Share};
use super::periods;
use super::settlement_store::{self, SettlementRow, SettlementStatus, Subject};
use super::settlement_views::{CreateAdjustmentBody, SettlementView};
use super::store::{self, CostItemRow, CostShareRow, NewCostItem};
use crate::calendar::FiscalYear;
use crate::costs::{Payer, Yen};
use crate::db::Conn;
use crate::dispatches::store::DispatchRow;
use crate::dispatches::visit_store;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{CostItemId, OrganisationId};
use crate::pools::rules::ProgrammeRules;

/// Days after which a correction is due where nothing else is said.
const DUE_AFTER_DAYS: u64 = 30;

/// What an item and its corrections come to: the amount, and everybody's part.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// Yen.
    pub amount: i64,
    /// Yen by party.
    pub parts: BTreeMap<(Payer, Option<OrganisationId>), i64>,
}

impl Position {
    /// Sums an item and its corrections.
    pub fn of(items: &[&CostItemRow], shares: &[CostShareRow]) -> Self {
        let mut found = Self::default();
        for item in items {
            found.amount += item.amount_yen;
            for share in shares.iter().filter(|share| share.cost_item_id == item.id) {
                *found.parts.entry((share.payer, share.organisation_id)).or_insert(0) += share.amount_yen;
            }
        }
        found
    }

    /// What has to be added to come to other shares; parties whose part stays are left out.
    pub fn difference(&self, shares: &[Share]) -> Result<Vec<Share>, Error> {
        let mut parts: BTreeMap<(Payer, Option<OrganisationId>), i64> =
            self.parts.iter().map(|(party, yen)| (*party, -yen)).collect();
        for share in shares {
            *parts.entry((share.payer, share.organisation)).or_insert(0) += share.amount.get();
        }
        parts
            .into_iter()
            .filter(|(_, yen)| *yen != 0)
            .map(|((payer, organisation), yen)| {
                Ok(Share { payer, organisation, amount: Yen::new(yen).map_err(Error::internal)? })
            })
            .collect()
    }
}

/// The rules and parties under which an item was divided.
fn context(conn: &mut Conn, item: &CostItemRow) -> Result<(ProgrammeRules, Parties, Option<DispatchRow>), Error> {
    if let Some(id) = item.dispatch_id {
        let dispatch = crate::dispatches::store::find(conn, id)?.ok_or_else(Error::not_found)?;
        let rules = dispatch.rules()?;
        let visit = match item.visit_id {
            Some(visit) => visit_store::find(conn, visit)?,
            None => None,
        };
        let parties = Parties::of_dispatch(conn, &dispatch, &rules, visit.as_ref())?;
        return Ok((rules, parties, Some(dispatch)));
    }
    let year = crate::pools::store::year(conn, item.programme_id, item.fiscal_year)?.ok_or_else(Error::not_found)?;
    let host = store::shares_of(conn, &[item.id])?
        .into_iter()
        .find(|share| share.payer == Payer::Host)
        .and_then(|share| share.organisation_id)
        .unwrap_or(item.owner_organisation_id);
    let employer = match item.expert_id {
        Some(expert) => super::parties::employer(conn, expert)?,
        None => None,
    };
    Ok((year.rules, Parties::single(item.owner_organisation_id, host, employer), None))
}

/// To which fiscal year a correction is charged: that of the work while its cash is open, else the one of the day.
fn charged_to(conn: &mut Conn, item: &CostItemRow, day: NaiveDate) -> Result<i32, Error> {
    let year = FiscalYear::new(item.fiscal_year).map_err(Error::internal)?;
    let open = day <= year.closing_day() && !periods::year_is_closed(conn, item.owner_organisation_id, item.fiscal_year)?;
    Ok(if open { item.fiscal_year } else { FiscalYear::of(day).starting_year() })
}

/// Adds the correction of an item to a new amount under new shares; `None` when nothing changes.
fn correct(
    conn: &mut Conn,
    ctx: &Ctx,
    item: &CostItemRow,
    target: Option<Yen>,
    day: NaiveDate,
    reason: &str,
) -> Result<Option<CostItemId>, Error> {
    let (corrections, mut shares) = store::adjustments_of(conn, item.id)?;
    shares.extend(store::shares_of(conn, &[item.id])?);
    let all: Vec<&CostItemRow> = std::iter::once(item).chain(&corrections).collect();
    let now = Position::of(&all, &shares);
    let target = target.map_or_else(|| Yen::new(now.amount).map_err(Error::internal), Ok)?;
    let (rules, parties, _) = context(conn, item)?;
    let wanted = parties.divide(&rules, item.component, target)?;
    let difference = now.difference(&wanted)?;
    let delta = target.get() - now.amount;
    if difference.is_empty() && delta == 0 {
        return Ok(None);
    }
    let fiscal_year = charged_to(conn, item, day)?;
    let within = if fiscal_year == item.fiscal_year { item.occurred_on } else { day };
    periods::require_open(conn, item.owner_organisation_id, fiscal_year, day)?;
    let new = NewCostItem {
        programme: item.programme_id,
        owner: item.owner_organisation_id,
        fiscal_year,
        occurred_on: within,
        dispatch: item.dispatch_id,
        visit: item.visit_id,
        expert: item.expert_id,
        order: item.order_id,
        settlement: item.settlement_id,
        adjusts: Some(item.id),
        component: item.component,
        amount: Yen::new(delta).map_err(Error::internal)?,
        paid_directly: Yen::ZERO,
        paid_minutes: None,
        first_paid_by: item.first_paid_by,
        agreement: parties.agreement(),
        undisclosed: item.undisclosed,
        approximate: item.approximate,
        explanation: reason,
    };
    store::insert(conn, &new, difference, ctx.now).map(Some)
}

/// Corrects a final amount to what it should have been.
pub fn adjust(
    conn: &mut Conn,
    ctx: &Ctx,
    row: SettlementRow,
    body: CreateAdjustmentBody,
) -> Result<Outcome<SettlementView>, Error> {
    let before = row.status;
    let after = before.after(SettlementVerb::Adjust)?;
    let day = body.adjusted_on.unwrap_or_else(|| ctx.today());
    let mut fields = Fields::new();
    fields.within("/amount_yen", body.amount_yen, 0, Yen::MAX.get());
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.check(
        day <= ctx.today(),
        "/adjusted_on",
        "in_the_future",
        "今日以前の日付にしてください",
        "Must not lie in the future",
    );
    let item = store::item(conn, body.cost_item_id)?
        .map(|(item, _)| item)
        .filter(|item| item.settlement_id == Some(row.id) && item.adjusts_id.is_none());
    fields.check(
        item.is_some(),
        "/cost_item_id",
        "not_of_settlement",
        "この精算の費用を指定してください（追給・返納そのものは訂正できません）",
        "Must be an original cost item of this settlement",
    );
    fields.finish()?;
    let Some(item) = item else { return Err(Error::not_found()) };
    let target = Yen::new(body.amount_yen).map_err(Error::internal)?;
    let Some(id) = correct(conn, ctx, &item, Some(target), day, &body.reason)? else {
        return Err(Error::new(ErrorCode::ValidationFailed).field(
            "/amount_yen",
            "nothing_to_change",
            "現在の額と同じです",
            "The amount is the same as it stands",
        ));
    };
    if let Subject::Dispatch(dispatch) = row.subject()? {
        let dispatch = crate::dispatches::store::find(conn, dispatch)?.ok_or_else(Error::not_found)?;
        budget::bind(conn, ctx, dispatch.request_id, &dispatch.rules()?, BudgetEntryKind::Commit)?;
    }
    if before != SettlementStatus::Confirmed {
        let due = day.checked_add_days(Days::new(DUE_AFTER_DAYS)).unwrap_or(day);
        let terms = Terms { issued_on: day, due: vec![body.due_on.unwrap_or(due)], earlier: false };
        billing::issue_for_correction(conn, ctx, &row, id, &terms)?;
    }
    let mut row = row;
    row.status = after;
    settlement_store::update(conn, &row, None, ctx.now)?;
    // What nobody reimburses through this system leaves nothing to pay.
    billing::settle_if_paid(conn, ctx, row.id)?;
    let row = settlement_store::find(conn, row.id)?.ok_or_else(Error::not_found)?;
    let audit = Audit::new("settlement", row.id.0, row.owner_organisation_id)
        .change(json!({"cost_item_id": item.id}), json!({"amount_yen": target, "adjustment_id": id, "status": row.status}))
        .because(body.reason);
    let view = super::settlement_views::view(conn, ctx, &row)?;
    Ok(Outcome::changed(view, row.version, audit))
}

/// Shares every cost of a dispatch anew under the agreement that holds now: corrections of nothing in sum, by which the
/// parts move. The caller has seen that the settlement is not final.
pub fn share_anew(conn: &mut Conn, ctx: &Ctx, dispatch: &DispatchRow) -> Result<(), Error> {
    let (items, _) = store::for_dispatch(conn, dispatch.id)?;
    for item in items.iter().filter(|item| item.adjusts_id.is_none()) {
        correct(conn, ctx, item, None, ctx.today(), "負担割合の変更")?;
    }
    Ok(())
}
