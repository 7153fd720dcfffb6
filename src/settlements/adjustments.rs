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
use super::settlement_store::{self, SettlementRow, SettlementStatus, Subject};
use super::settlement_views::{CreateAdjustmentBody, SettlementView};
use super::store::{self, CostItemRow, CostShareRow, NewCostItem};
use super::{menu_store, menus, periods, service};
use crate::calendar::FiscalYear;
use crate::costs::{Component, Payer, PayerRule, Yen};
use crate::db::Conn;
use crate::dispatches::store::DispatchRow;
use crate::dispatches::visit_store;
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{CostItemId, OrganisationId};

/// Days after which a correction is due where nothing else is said.
const DUE_AFTER_DAYS: u64 = 30;

/// What an item and its corrections come to: the amount, and everybody's part.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// Yen.
    pub amount: i64,
    /// Of these, paid directly to carrier or hotel.
    pub directly: i64,
    /// Yen by party.
    pub parts: BTreeMap<(Payer, Option<OrganisationId>), i64>,
}

impl Position {
    /// Sums an item and its corrections.
    pub fn of(items: &[&CostItemRow], shares: &[CostShareRow]) -> Self {
        let mut found = Self::default();
        for item in items {
            found.amount += item.amount_yen;
            found.directly += item.paid_directly_yen;
            for share in shares.iter().filter(|share| share.cost_item_id == item.id) {
                *found.parts.entry((share.payer, share.organisation_id)).or_insert(0) += share.amount_yen;
            }
        }
        found
    }

    /// What of another amount is paid directly where nobody says so: all where all was, else as much as was.
    fn directly_at(&self, amount: i64) -> i64 {
        if self.directly == self.amount { amount } else { self.directly.min(amount) }
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

/// The rule by which an item is paid and the parties under which it is divided.
fn context(conn: &mut Conn, item: &CostItemRow) -> Result<(PayerRule, Parties), Error> {
    if let Some(id) = item.dispatch_id {
        let dispatch = crate::dispatches::store::find(conn, id)?.ok_or_else(Error::not_found)?;
        let rules = dispatch.rules()?;
        let visit = match item.visit_id {
            Some(visit) => visit_store::find(conn, visit)?,
            None => None,
        };
        let parties = Parties::of_dispatch(conn, &dispatch, &rules, visit.as_ref())?;
        return Ok((rules.payer_rule(item.component), parties));
    }
    let rule = item.payer_rule.as_deref().ok_or_else(|| Error::internal("a cost of no dispatch without its payer rule"))?;
    let rule: PayerRule = serde_json::from_str(rule).map_err(Error::internal)?;
    let owner = item.owner_organisation_id;
    if let Some(order) = item.order_id {
        let order = menu_store::find(conn, order)?.ok_or_else(Error::not_found)?;
        return Ok((rule, Parties::single(owner, order.organisation_id, None)));
    }
    let host = store::shares_of(conn, &[item.id])?
        .into_iter()
        .find(|share| share.payer == Payer::Host)
        .and_then(|share| share.organisation_id)
        .unwrap_or(owner);
    let employer = item.expert_id.map(|expert| super::parties::employer(conn, expert)).transpose()?.flatten();
    Ok((rule, Parties::single(owner, host, employer)))
}

/// To which fiscal year a correction is charged: that of the work while its cash is open today, whatever day the correction
/// carries, else the one of its day.
fn charged_to(conn: &mut Conn, ctx: &Ctx, item: &CostItemRow, day: NaiveDate) -> Result<i32, Error> {
    let year = FiscalYear::new(item.fiscal_year).map_err(Error::internal)?;
    let open = ctx.today() <= year.closing_day() && !periods::year_is_closed(conn, item.owner_organisation_id, item.fiscal_year)?;
    Ok(if open { item.fiscal_year } else { FiscalYear::of(day).starting_year() })
}

/// Adds the correction of an item to a new amount under new shares; `None` when nothing changes.
fn correct(
    conn: &mut Conn,
    ctx: &Ctx,
    item: &CostItemRow,
    target: Option<(Yen, Option<i64>)>,
    day: NaiveDate,
    reason: &str,
) -> Result<Option<CostItemId>, Error> {
    let (corrections, mut shares) = store::adjustments_of(conn, item.id)?;
    shares.extend(store::shares_of(conn, &[item.id])?);
    let all: Vec<&CostItemRow> = std::iter::once(item).chain(&corrections).collect();
    let now = Position::of(&all, &shares);
    let (target, directly) = match target {
        Some((target, directly)) => (target, directly.unwrap_or_else(|| now.directly_at(target.get()))),
        None => (Yen::new(now.amount).map_err(Error::internal)?, now.directly),
    };
    let (rule, parties) = context(conn, item)?;
    let wanted = parties.divide_by(&rule, target)?;
    let difference = now.difference(&wanted)?;
    let delta = target.get() - now.amount;
    if difference.is_empty() && delta == 0 && directly == now.directly {
        return Ok(None);
    }
    let fiscal_year = charged_to(conn, ctx, item, day)?;
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
        paid_directly: directly - now.directly,
        paid_minutes: None,
        first_paid_by: item.first_paid_by,
        agreement: parties.agreement(),
        payer_rule: item.payer_rule.as_deref(),
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
    if let Some(directly) = body.paid_directly_yen {
        fields.within("/paid_directly_yen", directly, 0, body.amount_yen.clamp(0, Yen::MAX.get()));
    }
    fields.check(
        day <= ctx.today(),
        "/adjusted_on",
        "in_the_future",
        "今日以前の日付にしてください",
        "Must not lie in the future",
    );
    fields.check(
        row.confirmed_on.is_none_or(|confirmed| day >= confirmed),
        "/adjusted_on",
        "before_start",
        "額の確定の日以降にしてください",
        "Must not precede the day on which the amount became final",
    );
    if let Some(due) = body.due_on {
        fields.check(due >= day, "/due_on", "before_start", "訂正の日以降にしてください", "Must not precede the correction");
    }
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
    if item.component == Component::Honorarium {
        service::check_honorarium_amount(conn, &item, body.amount_yen)?;
    }
    let Some(id) = correct(conn, ctx, &item, Some((target, body.paid_directly_yen)), day, &body.reason)? else {
        return Err(Error::new(ErrorCode::ValidationFailed).field(
            "/amount_yen",
            "nothing_to_change",
            "現在の額と同じです",
            "The amount is the same as it stands",
        ));
    };
    match row.subject()? {
        Subject::Dispatch(dispatch) => {
            let dispatch = crate::dispatches::store::find(conn, dispatch)?.ok_or_else(Error::not_found)?;
            budget::bind(conn, ctx, dispatch.request_id, &dispatch.rules()?, BudgetEntryKind::Commit)?;
        }
        Subject::Order(order) => {
            let (order, year) = menus::worked_on(conn, ctx, order)?;
            let spent = Yen::new(store::spent_on_order(conn, order.id, order.fiscal_year)?).map_err(Error::internal)?;
            menus::bind(conn, ctx, &order, &year, spent, BudgetEntryKind::Commit)?;
        }
        Subject::Placement(..) => {}
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::costs::{Sharing, SharingBasis, SharingBody, SharingPart, SharingRemainder, SharingTerms};

    const BODIES: i64 = 5;

    fn parties(percent: u32, remainder: SharingRemainder, weights: &[u64], leaving: &[bool]) -> Parties {
        let bodies: Vec<SharingBody> = (1..=BODIES)
            .zip(weights.iter().zip(leaving))
            // The lead stays.
            .filter(|(id, (_, leaves))| *id == 1 || !**leaves)
            .map(|(id, (weight, _))| SharingBody {
                id,
                code: Some(format!("{id:06}")),
                is_lead: id == 1,
                fixed: Some(*weight),
                ..SharingBody::default()
            })
            .collect();
        let parts = vec![
            SharingPart { percent, basis: SharingBasis::Equal {} },
            SharingPart { percent: 100 - percent, basis: SharingBasis::Fixed {} },
        ];
        let sharing = Sharing::prepare(&SharingTerms { parts, remainder, groups: Vec::new() }, &bodies).unwrap();
        Parties { sharing: Some((sharing, None)), ..Parties::single(OrganisationId(90), OrganisationId(1), None) }
    }

    proptest! {
        /// Whatever is corrected and whoever leaves: every correction's parts sum to what the amount changes by, and what
        /// original and corrections come to is what the last amount under the last agreement gives by itself.
        #[test]
        fn corrections_and_withdrawals_reconcile_to_the_yen(
            percent in 1u32..100,
            remainder in prop::sample::select(vec![SharingRemainder::Lead, SharingRemainder::Prefecture,
                SharingRemainder::LargestRemainder, SharingRemainder::FirstInstalment]),
            weights in prop::collection::vec(1u64..400_000, 5),
            steps in prop::collection::vec((0i64..=50_000_000, prop::collection::vec(prop::bool::weighted(0.3), 5)), 1..8),
            prefecture in 0u32..3,
        ) {
            let rule = match prefecture {
                0 => PayerRule::all(Component::Honorarium, Payer::Host),
                _ => PayerRule::ratio(Component::Honorarium, Payer::Prefecture, 1, prefecture + 1, Payer::Host),
            };
            let mut stands = Position::default();
            for (amount, leaving) in steps {
                let parties = parties(percent, remainder, &weights, &leaving);
                let wanted = parties.divide_by(&rule, Yen::new(amount).unwrap()).unwrap();
                let moved = stands.difference(&wanted).unwrap();
                prop_assert_eq!(moved.iter().map(|share| share.amount.get()).sum::<i64>(), amount - stands.amount);
                stands.amount = amount;
                for share in moved {
                    *stands.parts.entry((share.payer, share.organisation)).or_insert(0) += share.amount.get();
                }
                stands.parts.retain(|_, yen| *yen != 0);
                let afresh: BTreeMap<_, _> =
                    wanted.into_iter().map(|share| ((share.payer, share.organisation), share.amount.get())).collect();
                prop_assert_eq!(&stands.parts, &afresh);
                prop_assert!(stands.parts.values().all(|yen| *yen > 0));
            }
        }
    }
}
