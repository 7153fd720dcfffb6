//! What the API sends and takes for settlements, claims and payments.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::settlement_store::{self, ClaimKind, ClaimRow, ExpertPaymentRow, SettlementRow, SettlementStatus};
use super::store;
use super::views::{CostEyes, CostItemView, PayerAmount};
use crate::clock::UtcTime;
use crate::costs::{Payer, WithholdingCategory};
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{
    ClaimId, CostItemId, DispatchId, ExpertId, ExpertPaymentId, MenuOrderId, OrganisationId, ProgrammeId, SettlementId,
};

/// A settlement with its costs, claims and payments, as the asking party sees them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettlementView {
    /// Id.
    pub id: SettlementId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The dispatch it settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch_id: Option<DispatchId>,
    /// The placed person whose period it settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_id: Option<ExpertId>,
    /// First day of that period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_from: Option<NaiveDate>,
    /// First day after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_to: Option<NaiveDate>,
    /// The order it settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<MenuOrderId>,
    /// State.
    pub status: SettlementStatus,
    /// What the owner can do to it.
    #[schema(max_items = 10)]
    pub verbs: Vec<super::lifecycle::SettlementVerb>,
    /// The office's own 文書番号.
    #[schema(max_length = 100)]
    pub document_number: String,
    /// The day on which the amount became final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_on: Option<NaiveDate>,
    /// Yen in all, corrections included, as far as disclosed to the asking party.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 43_480)]
    pub amount_yen: Option<i64>,
    /// Who bears how much: for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 6)]
    pub by_payer: Option<Vec<PayerAmount>>,
    /// The asking organisation's own part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub own_share_yen: Option<i64>,
    /// Whether amounts are left out because the programme keeps them.
    pub partial: bool,
    /// The costs, corrections included.
    #[schema(max_items = 10_000)]
    pub items: Vec<CostItemView>,
    /// What bodies owe each other: all for the owner, else those that concern the asking party.
    #[schema(max_items = 1000)]
    pub claims: Vec<ClaimView>,
    /// What experts are paid: for the owner.
    #[schema(max_items = 1000)]
    pub payments: Vec<ExpertPaymentView>,
    /// Version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was opened.
    pub created_at: UtcTime,
}

/// A settlement in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettlementSummary {
    /// Id.
    pub id: SettlementId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The dispatch it settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch_id: Option<DispatchId>,
    /// The placed person whose period it settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_id: Option<ExpertId>,
    /// The order it settles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<MenuOrderId>,
    /// State.
    pub status: SettlementStatus,
    /// The day on which the amount became final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_on: Option<NaiveDate>,
}

impl From<&SettlementRow> for SettlementSummary {
    fn from(row: &SettlementRow) -> Self {
        Self {
            id: row.id,
            programme_id: row.programme_id,
            fiscal_year: row.fiscal_year,
            dispatch_id: row.dispatch_id,
            expert_id: row.expert_id,
            order_id: row.order_id,
            status: row.status,
            confirmed_on: row.confirmed_on,
        }
    }
}

/// A page of settlements.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettlementPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<SettlementSummary>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// What one body owes another.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimView {
    /// Id.
    pub id: ClaimId,
    /// The settlement.
    pub settlement_id: SettlementId,
    /// Number.
    #[schema(max_length = 40, example = "R8-C0003")]
    pub number: String,
    /// Why.
    pub kind: ClaimKind,
    /// Who gets the money.
    pub creditor_organisation_id: OrganisationId,
    /// Who owes it.
    pub debtor_organisation_id: OrganisationId,
    /// Yen.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 164_000)]
    pub amount_yen: i64,
    /// Yen paid by now.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 0)]
    pub paid_yen: i64,
    /// The day on which it was issued.
    pub issued_on: NaiveDate,
    /// Starting year of the fiscal year to which it belongs.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Whether it belongs to costs of an earlier year (過年度).
    pub prior_year: bool,
    /// Instalments; they sum to the amount.
    #[schema(max_items = 12)]
    pub instalments: Vec<InstalmentView>,
    /// Payments.
    #[schema(max_items = 1000)]
    pub payments: Vec<ClaimPaymentView>,
    /// Version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
}

/// A part of a claim that is due on one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstalmentView {
    /// Number.
    #[schema(minimum = 1, maximum = 12)]
    pub number: i32,
    /// Until when; an open day.
    pub due_on: NaiveDate,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
}

/// A payment of a claim.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimPaymentView {
    /// When.
    pub paid_on: NaiveDate,
    /// Yen.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
    /// Note.
    #[schema(max_length = 500)]
    pub note: String,
}

/// A page of claims.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<ClaimView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A payment to an expert or to the company that sends one; below zero it is paid back.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertPaymentView {
    /// Id.
    pub id: ExpertPaymentId,
    /// The settlement.
    pub settlement_id: SettlementId,
    /// The correction it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_item_id: Option<CostItemId>,
    /// Number.
    #[schema(max_length = 40, example = "R8-P0003")]
    pub number: String,
    /// The expert.
    pub expert_id: ExpertId,
    /// The company that is paid in the expert's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee_organisation_id: Option<OrganisationId>,
    /// Under what it is withheld from.
    pub withholding_category: WithholdingCategory,
    /// Yen of honorarium.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 20_000)]
    pub honorarium_yen: i64,
    /// Yen of travel paid to the person.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 0)]
    pub travel_yen: i64,
    /// Yen withheld.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 2_042)]
    pub withholding_yen: i64,
    /// Yen paid out.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 17_958)]
    pub net_yen: i64,
    /// Until when.
    pub due_on: NaiveDate,
    /// When it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_on: Option<NaiveDate>,
    /// Version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
}

/// A page of payments.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertPaymentPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<ExpertPaymentView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A payment as the API shows it.
pub fn payment_view(row: &ExpertPaymentRow) -> ExpertPaymentView {
    ExpertPaymentView {
        id: row.id,
        settlement_id: row.settlement_id,
        cost_item_id: row.cost_item_id,
        number: row.number.clone(),
        expert_id: row.expert_id,
        payee_organisation_id: row.payee_organisation_id,
        withholding_category: row.withholding_category,
        honorarium_yen: row.honorarium_yen,
        travel_yen: row.travel_yen,
        withholding_yen: row.withholding_yen,
        net_yen: row.net_yen,
        due_on: row.due_on,
        paid_on: row.paid_on,
        version: row.version,
    }
}

/// Claims with their instalments and payments.
pub fn claim_views(conn: &mut Conn, rows: Vec<ClaimRow>) -> Result<Vec<ClaimView>, Error> {
    let ids: Vec<ClaimId> = rows.iter().map(|row| row.id).collect();
    let instalments = settlement_store::instalments(conn, &ids)?;
    let payments = settlement_store::payments(conn, &ids)?;
    Ok(rows
        .into_iter()
        .map(|row| ClaimView {
            id: row.id,
            settlement_id: row.settlement_id,
            number: row.number,
            kind: row.kind,
            creditor_organisation_id: row.creditor_organisation_id,
            debtor_organisation_id: row.debtor_organisation_id,
            amount_yen: row.amount_yen,
            paid_yen: row.paid_yen,
            issued_on: row.issued_on,
            fiscal_year: row.fiscal_year,
            prior_year: row.prior_year,
            instalments: instalments
                .iter()
                .filter(|(claim, ..)| *claim == row.id)
                .map(|(_, number, due_on, amount_yen)| InstalmentView {
                    number: *number,
                    due_on: *due_on,
                    amount_yen: *amount_yen,
                })
                .collect(),
            payments: payments
                .iter()
                .filter(|(claim, ..)| *claim == row.id)
                .map(|(_, paid_on, amount_yen, note)| ClaimPaymentView {
                    paid_on: *paid_on,
                    amount_yen: *amount_yen,
                    note: note.clone(),
                })
                .collect(),
            version: row.version,
        })
        .collect())
}

/// A settlement as the principal sees it.
pub fn view(conn: &mut Conn, ctx: &Ctx, row: &SettlementRow) -> Result<SettlementView, Error> {
    let me = ctx.organisation();
    let is_owner = row.owner_organisation_id == me;
    let (mut items, shares) = store::for_settlement(conn, row.id)?;
    if !is_owner && row.expert_id.is_some() {
        // A placed person's other hosts pay for themselves: a host sees what it bears a part of.
        let bears = |item: &store::CostItemRow| {
            shares.iter().any(|share| share.cost_item_id == item.id && share.organisation_id == Some(me))
        };
        items.retain(bears);
    }
    let mut claims = settlement_store::claims_of(conn, &[row.id])?;
    claims.retain(|claim| is_owner || claim.debtor_organisation_id == me || claim.creditor_organisation_id == me);
    let payments = if is_owner { settlement_store::payments_of(conn, &[row.id])? } else { Vec::new() };
    let partial = !is_owner && items.iter().any(|item| item.undisclosed);
    let shown: Vec<_> = items.iter().filter(|item| is_owner || !item.undisclosed).collect();
    let of = |wanted: &dyn Fn(&store::CostShareRow) -> bool| -> i64 {
        let listed = |share: &&store::CostShareRow| shown.iter().any(|item| item.id == share.cost_item_id);
        shares.iter().filter(listed).filter(|share| wanted(share)).map(|share| share.amount_yen).sum()
    };
    let by_payer = is_owner.then(|| {
        let part = |payer: &Payer| PayerAmount { payer: *payer, amount_yen: of(&|share| share.payer == *payer) };
        Payer::ALL.iter().map(part).filter(|part| part.amount_yen != 0).collect()
    });
    let eyes = CostEyes { organisation: me, is_owner };
    Ok(SettlementView {
        id: row.id,
        programme_id: row.programme_id,
        owner_organisation_id: row.owner_organisation_id,
        fiscal_year: row.fiscal_year,
        dispatch_id: row.dispatch_id,
        expert_id: row.expert_id,
        period_from: row.period_from,
        period_to: row.period_to,
        order_id: row.order_id,
        status: row.status,
        verbs: if is_owner { row.status.verbs() } else { Vec::new() },
        document_number: row.document_number.clone(),
        confirmed_on: row.confirmed_on,
        amount_yen: (!shown.is_empty() || !partial).then(|| shown.iter().map(|item| item.amount_yen).sum()),
        by_payer,
        own_share_yen: (!shown.is_empty() || !partial).then(|| of(&|share| share.organisation_id == Some(me))),
        partial,
        items: items.iter().map(|item| CostItemView::new(item, &shares, eyes)).collect(),
        claims: claim_views(conn, claims)?,
        payments: payments.iter().map(payment_view).collect(),
        version: row.version,
        created_at: row.created_at,
    })
}

/// What is to be settled: exactly one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dispatch_id": 12}))]
pub struct CreateSettlementBody {
    /// A dispatch.
    pub dispatch_id: Option<DispatchId>,
    /// A placed person's period.
    pub placement: Option<PlacementPeriod>,
    /// An order.
    pub order_id: Option<MenuOrderId>,
}

/// A placed person's period: a month, a quarter, a year.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementPeriod {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// The person.
    pub expert_id: ExpertId,
    /// First day.
    pub from: NaiveDate,
    /// First day after it.
    pub to: NaiveDate,
}

/// A verb that needs nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct SettlementVerbBody {}

/// The amount becomes final.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"document_number": "デ推第45号"}))]
pub struct ConfirmSettlementBody {
    /// The day; today when absent.
    pub confirmed_on: Option<NaiveDate>,
    /// The office's own 文書番号.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub document_number: String,
}

crate::text_enum! {
    /// To which open day a due day moves when offices are closed on it.
    pub enum ClosedDay {
        /// The next one.
        Later = "later", "翌開庁日";
        /// The one before.
        Earlier = "earlier", "直前の開庁日";
    }
}

/// Claims and payments are issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"due_on": ["2026-05-20", "2026-08-20", "2026-11-20", "2027-02-20"], "closed_day": "earlier"}))]
pub struct BillSettlementBody {
    /// The day of issue; today when absent.
    pub issued_on: Option<NaiveDate>,
    /// The days on which equal instalments are due; experts are paid by the last. Fractions are in the first (端数計算法3条).
    #[schema(min_items = 1, max_items = 12)]
    pub due_on: Vec<NaiveDate>,
    /// To which open day a due day moves; the next one when absent.
    pub closed_day: Option<ClosedDay>,
}

/// A final amount is corrected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cost_item_id": 31, "amount_yen": 20_000, "reason": "実績3時間を4時間に訂正"}))]
pub struct CreateAdjustmentBody {
    /// The original item.
    pub cost_item_id: CostItemId,
    /// What it should have been, in yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
    /// What of it is paid directly to carrier or hotel, in yen; absent: all where all was, else as much as was.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub paid_directly_yen: Option<i64>,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// The day of the correction; today when absent.
    pub adjusted_on: Option<NaiveDate>,
    /// Until when it is paid or paid back; 30 days later when absent.
    pub due_on: Option<NaiveDate>,
}

/// A claim is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paid_on": "2026-05-20", "amount_yen": 41_000}))]
pub struct PayClaimBody {
    /// When.
    pub paid_on: NaiveDate,
    /// Yen.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
    /// Note.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: String,
}

/// An expert is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paid_on": "2026-05-20"}))]
pub struct PayExpertBody {
    /// When.
    pub paid_on: NaiveDate,
}
