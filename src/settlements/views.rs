//! What the API sends and takes for costs. Amounts that are not disclosed go to the pool's owner alone: nobody else gets
//! a member for them, only the flag that says so.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{CostStatus, Estimate};
use super::store::{CostItemRow, CostShareRow};
use crate::clock::UtcTime;
use crate::costs::{Component, Payer, Trip};
use crate::ids::{
    CostAgreementId, CostItemId, DispatchId, ExpertId, MenuOrderId, OrganisationId, ProgrammeId, RequestId, SettlementId, VisitId,
};

/// Whose eyes costs are seen with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostEyes {
    /// The organisation that looks.
    pub organisation: OrganisationId,
    /// Whether it looks as the pool's owner.
    pub is_owner: bool,
}

/// A party's share.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CostShareView {
    /// Who pays; absent where the payer is not registered here (a ministry, a company).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<OrganisationId>,
    /// As what.
    pub payer: Payer,
    /// Yen; below zero in corrections only.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 13_333)]
    pub amount_yen: i64,
}

/// One kind of cost of a visit.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostItemView {
    /// Id.
    pub id: CostItemId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// The dispatch, for costs of visits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch_id: Option<DispatchId>,
    /// The visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit_id: Option<VisitId>,
    /// The expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_id: Option<ExpertId>,
    /// The order, for costs of menus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<MenuOrderId>,
    /// The settlement that took it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_id: Option<SettlementId>,
    /// The item that it corrects (追給・返納).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjusts_id: Option<CostItemId>,
    /// Kind of cost.
    pub component: Component,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The day of the work.
    pub occurred_on: NaiveDate,
    /// Who pays the whole at first; the others then reimburse their part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_paid_by: Option<Payer>,
    /// The agreement by which hosts share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement_id: Option<CostAgreementId>,
    /// Whether it is reckoned from an approximate figure (約).
    pub approximate: bool,
    /// State.
    pub status: CostStatus,
    /// Yen, below zero in corrections only; absent where the amount is not disclosed to the asking party.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 20_000)]
    pub amount_yen: Option<i64>,
    /// Of these, yen paid directly to carrier, hotel or agent; below zero in corrections only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 0)]
    pub paid_directly_yen: Option<i64>,
    /// How it came about; absent where the amount is not disclosed to the asking party.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "実績250分は240分以上のため1回20,000円")]
    pub explanation: Option<String>,
    /// Who pays how much: all shares for the owner, else the own ones.
    #[schema(max_items = 500)]
    pub shares: Vec<CostShareView>,
    /// Whether the programme keeps amounts from everybody but the owner.
    pub amounts_undisclosed: bool,
    /// When it was calculated.
    pub created_at: UtcTime,
}

impl CostItemView {
    /// An item with its shares out of all that were loaded, as the eyes see it.
    pub fn new(row: &CostItemRow, shares: &[CostShareRow], eyes: CostEyes) -> Self {
        let shown = eyes.is_owner || !row.undisclosed;
        Self {
            id: row.id,
            programme_id: row.programme_id,
            dispatch_id: row.dispatch_id,
            visit_id: row.visit_id,
            expert_id: row.expert_id,
            order_id: row.order_id,
            settlement_id: row.settlement_id,
            adjusts_id: row.adjusts_id,
            component: row.component,
            fiscal_year: row.fiscal_year,
            occurred_on: row.occurred_on,
            first_paid_by: row.first_paid_by,
            agreement_id: row.agreement_id,
            approximate: row.approximate,
            status: row.status,
            amount_yen: shown.then_some(row.amount_yen),
            paid_directly_yen: shown.then_some(row.paid_directly_yen),
            explanation: shown.then(|| row.explanation.clone()),
            shares: shares
                .iter()
                .filter(|share| shown && share.cost_item_id == row.id)
                .filter(|share| eyes.is_owner || share.organisation_id == Some(eyes.organisation))
                .map(|share| CostShareView {
                    organisation_id: share.organisation_id,
                    payer: share.payer,
                    amount_yen: share.amount_yen,
                })
                .collect(),
            amounts_undisclosed: row.undisclosed,
            created_at: row.created_at,
        }
    }
}

/// A page of cost items.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostItemPage {
    /// The items.
    #[schema(max_items = 200)]
    pub items: Vec<CostItemView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
    /// How many there are in all, when asked for with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

/// What one kind of payer bears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayerAmount {
    /// Who.
    pub payer: Payer,
    /// Yen.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 40_000)]
    pub amount_yen: i64,
}

/// Sums over the cost items of a dispatch.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct CostTotals {
    /// Cost items.
    #[schema(minimum = 0)]
    pub items: usize,
    /// Yen in all, as far as disclosed to the asking party; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 40_000)]
    pub amount_yen: Option<i64>,
    /// Who bears how much: for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 6)]
    pub by_payer: Option<Vec<PayerAmount>>,
    /// The asking organisation's own part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub own_share_yen: Option<i64>,
    /// Whether amounts are left out because the programme keeps them from everybody but the owner.
    pub amounts_undisclosed: bool,
}

impl CostTotals {
    /// Sums items and shares as the eyes see them. `undisclosed`: the programme keeps its amounts.
    pub fn new(items: &[CostItemRow], shares: &[CostShareRow], eyes: CostEyes, undisclosed: bool) -> Self {
        if undisclosed && !eyes.is_owner {
            return Self { items: items.len(), amounts_undisclosed: true, ..Self::default() };
        }
        let of = |wanted: &dyn Fn(&CostShareRow) -> bool| -> i64 {
            shares.iter().filter(|share| wanted(share)).map(|share| share.amount_yen).sum()
        };
        Self {
            items: items.len(),
            amount_yen: Some(items.iter().map(|item| item.amount_yen).sum()),
            by_payer: eyes.is_owner.then(|| {
                let of_payer = |payer: &Payer| PayerAmount { payer: *payer, amount_yen: of(&|share| share.payer == *payer) };
                Payer::ALL.iter().map(of_payer).filter(|part| part.amount_yen != 0).collect()
            }),
            own_share_yen: Some(of(&|share| share.organisation_id == Some(eyes.organisation))),
            amounts_undisclosed: undisclosed,
        }
    }
}

/// All costs of a dispatch.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchCosts {
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// The items by visit.
    #[schema(max_items = 10_000)]
    pub items: Vec<CostItemView>,
    /// Their sums.
    pub totals: CostTotals,
}

/// What a request will presumably cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostEstimateView {
    /// The request.
    pub request_id: RequestId,
    /// Visits asked for.
    #[schema(minimum = 1, maximum = 100, example = 3)]
    pub visits: i32,
    /// Minutes of each.
    #[schema(minimum = 15, maximum = 1440, example = 240)]
    pub minutes_per_visit: i32,
    /// Honorarium of one visit in yen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 20_000)]
    pub honorarium_per_visit_yen: Option<i64>,
    /// Of all visits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 60_000)]
    pub honorarium_yen: Option<i64>,
    /// Who bears how much: every payer for the owner, else what the bodies that apply bear together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 6)]
    pub by_payer: Option<Vec<PayerAmount>>,
    /// Whether the fee has to be entered, so that nothing can be computed.
    pub fee_must_be_entered: bool,
    /// Whether the programme keeps amounts from everybody but the owner.
    pub amounts_undisclosed: bool,
}

impl CostEstimateView {
    /// An estimate as the eyes see it.
    pub fn new(
        request_id: RequestId,
        visits: i32,
        minutes: i32,
        estimate: Option<Estimate>,
        eyes: CostEyes,
        undisclosed: bool,
    ) -> Self {
        let fee_must_be_entered = estimate.is_none();
        let shown = estimate.filter(|_| eyes.is_owner || !undisclosed);
        let of_bodies = |payer: Payer| eyes.is_owner || matches!(payer, Payer::Host | Payer::Requester);
        Self {
            request_id,
            visits,
            minutes_per_visit: minutes,
            honorarium_per_visit_yen: shown.as_ref().map(|e| e.per_visit.get()),
            honorarium_yen: shown.as_ref().map(|e| e.total.get()),
            by_payer: shown.as_ref().map(|e| {
                let parts = e.by_payer.iter().filter(|(payer, _)| of_bodies(*payer));
                parts.map(|(payer, part)| PayerAmount { payer: *payer, amount_yen: part.get() }).collect()
            }),
            // Even that a table is kept back says nothing of its amounts.
            fee_must_be_entered,
            amounts_undisclosed: undisclosed,
        }
    }
}

/// An actual cost of a visit, entered by the office.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"component": "travel", "amount_yen": 3_480, "note": "静岡―浜松 往復（実費）"}))]
pub struct CreateCostItemBody {
    /// Kind of cost; an honorarium only where no fee table gives it, salaries and the like never.
    pub component: Component,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
    /// Of these, yen paid directly to carrier, hotel or agent: not paid to the person, and no base of withholding.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub paid_directly_yen: i64,
    /// How it came about, for example the way travelled.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// A trip of a visit, paid by the travel rule of its day of departure.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trip": {"departs_on": "2026-05-20", "days": 2, "nights": 1, "stays_in": "22",
    "legs": [{"mode": "rail", "expense": {"yen": 6_140}}, {"mode": "rail", "expense": {"yen": 6_140}}],
    "lodging": {"yen": 9_800}}}))]
pub struct CreateTripBody {
    /// The trip.
    pub trip: Trip,
}

/// What is paid for a trip.
#[derive(Debug, Serialize, ToSchema)]
pub struct TripCosts {
    /// One item for each part of travel that the rule pays.
    #[schema(max_items = 10)]
    pub items: Vec<CostItemView>,
}
