//! What the API sends and takes for costs. Amounts that are not disclosed go to the pool's owner alone: nobody else gets
//! a member for them, only the flag that says so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{CostStatus, Estimate, Payer, component_of};
use super::store::{CostItemRow, CostShareRow};
use crate::clock::UtcTime;
use crate::costs::Component;
use crate::error::Error;
use crate::ids::{CostItemId, DispatchId, OrganisationId, RequestId, VisitId};

/// Whose eyes costs are seen with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostEyes {
    /// The organisation that looks.
    pub organisation: OrganisationId,
    /// Whether it looks as the pool's owner.
    pub is_owner: bool,
}

/// A party's share.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostShareView {
    /// Who pays.
    pub organisation_id: OrganisationId,
    /// As what.
    pub payer: Payer,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 13_333)]
    pub amount_yen: i64,
}

/// One kind of cost of a visit.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostItemView {
    /// Id.
    pub id: CostItemId,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// The visit.
    pub visit_id: VisitId,
    /// Kind of cost.
    pub component: Component,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// State.
    pub status: CostStatus,
    /// Yen; absent where the amount is not disclosed to the asking party.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 20_000)]
    pub amount_yen: Option<i64>,
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
    pub fn new(row: &CostItemRow, shares: &[CostShareRow], eyes: CostEyes) -> Result<Self, Error> {
        let shown = eyes.is_owner || !row.undisclosed;
        Ok(Self {
            id: row.id,
            dispatch_id: row.dispatch_id,
            visit_id: row.visit_id,
            component: component_of(&row.component)?,
            fiscal_year: row.fiscal_year,
            status: row.status,
            amount_yen: shown.then_some(row.amount_yen),
            explanation: shown.then(|| row.explanation.clone()),
            shares: shares
                .iter()
                .filter(|share| shown && share.cost_item_id == row.id)
                .filter(|share| eyes.is_owner || share.organisation_id == eyes.organisation)
                .map(|share| CostShareView {
                    organisation_id: share.organisation_id,
                    payer: share.payer,
                    amount_yen: share.amount_yen,
                })
                .collect(),
            amounts_undisclosed: row.undisclosed,
            created_at: row.created_at,
        })
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
    /// The prefecture's part: for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub prefecture_yen: Option<i64>,
    /// The municipality's part: for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub municipality_yen: Option<i64>,
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
            prefecture_yen: eyes.is_owner.then(|| of(&|share| share.payer == Payer::Prefecture)),
            municipality_yen: eyes.is_owner.then(|| of(&|share| share.payer == Payer::Municipality)),
            own_share_yen: Some(of(&|share| share.organisation_id == eyes.organisation)),
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
    /// The prefecture's part: for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub prefecture_yen: Option<i64>,
    /// The municipality's part, of all bodies together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub municipality_yen: Option<i64>,
    /// Whether the fee table is not published, so that nothing can be computed.
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
        let shown = estimate.filter(|_| eyes.is_owner || !undisclosed);
        Self {
            request_id,
            visits,
            minutes_per_visit: minutes,
            honorarium_per_visit_yen: shown.map(|e| e.per_visit.get()),
            honorarium_yen: shown.map(|e| e.total.get()),
            prefecture_yen: shown.filter(|_| eyes.is_owner).map(|e| e.prefecture.get()),
            municipality_yen: shown.map(|e| e.municipality.get()),
            // Even that a table is kept back says nothing of its amounts.
            fee_must_be_entered: estimate.is_none(),
            amounts_undisclosed: undisclosed,
        }
    }
}

/// An actual cost of a visit, entered by the office.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"component": "travel", "amount_yen": 3_480, "note": "静岡―浜松 往復（実費）"}))]
pub struct CreateCostItemBody {
    /// Kind of cost; an honorarium only where the fee table is not published.
    pub component: Component,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
    /// How it came about, for example the way travelled.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}
