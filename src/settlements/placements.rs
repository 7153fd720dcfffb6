//! Costs of placed people: a month's salary and the like, prorated by days and shares over the hosts, each host's part one
//! cost item.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::parties::{Parties, employer};
use super::store::{self, NewCostItem};
use super::views::{CostEyes, CostItemView};
use super::{periods, settlement_store};
use crate::calendar::{FiscalYear, month_range};
use crate::costs::{Component, Payer, PayerRule, Stay, Yen, prorate};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OrganisationId};
use crate::pools::store::ProgrammeRow;

/// A month's cost of a placed person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expert_id": 12, "month": "2026-06-01", "component": "salary", "amount_yen": 300_000}))]
pub struct CreatePlacementCostBody {
    /// The person.
    pub expert_id: ExpertId,
    /// First day of the month.
    pub month: NaiveDate,
    /// Kind of cost.
    pub component: Component,
    /// Yen for the whole month.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
    /// How it came about.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// What a month's cost came to, host by host.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacementCosts {
    /// One item for each host, and one for what no host has.
    #[schema(max_items = 500)]
    pub items: Vec<CostItemView>,
}

/// Enters a month's cost of a placed person. Each host's days and share decide its part (日割り); what no host has stays
/// with the programme's prefecture, or with the employer where its rule says so.
pub fn enter(
    conn: &mut Conn,
    ctx: &Ctx,
    programme: ProgrammeRow,
    body: CreatePlacementCostBody,
) -> Result<Outcome<PlacementCosts>, Error> {
    let (first, last) = month_range(body.month);
    let fiscal_year = FiscalYear::of(first).starting_year();
    let year = crate::pools::store::year(conn, programme.id, fiscal_year)?;
    let postings = crate::postings::store::of_expert_between(conn, programme.id, body.expert_id, first, last)?;
    let mut fields = Fields::new();
    fields.check(
        year.is_some(),
        "/month",
        "no_rules_for_year",
        "この年度の事業の規則が設定されていません",
        "No rules for this year",
    );
    fields.check(
        body.month == first,
        "/month",
        "not_first_day",
        "月の初日を指定してください",
        "Must be the first day of a month",
    );
    fields.check(last < ctx.today(), "/month", "not_over", "終わった月を指定してください", "The month is not over yet");
    fields.within("/amount_yen", body.amount_yen, 0, Yen::MAX.get());
    fields.text("/note", &body.note, 2000);
    fields.check(
        !postings.is_empty(),
        "/expert_id",
        "not_placed",
        "この月にこの事業で配属された人を指定してください",
        "Must be placed by this programme in the month",
    );
    fields.check(
        !matches!(body.component, Component::Honorarium | Component::VendorFee),
        "/component",
        "not_of_a_placement",
        "謝金・委託料は訪問または注文の費用です",
        "Honoraria and contract fees belong to visits and orders",
    );
    fields.finish()?;
    let year = year.ok_or_else(|| Error::internal("year"))?;
    lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    lock_row(conn, Lockable::Expert, body.expert_id.0)?;
    periods::require_open(conn, programme.owner_organisation_id, fiscal_year, first)?;
    if settlement_store::final_placement(conn, programme.id, body.expert_id, first)? {
        return Err(Error::new(ErrorCode::SettlementFixed));
    }
    let existing = store::placement_items(conn, programme.id, body.expert_id, first, last, body.component)?;
    if !existing.is_empty() {
        return Err(Error::new(ErrorCode::Duplicate).field(
            "/component",
            "already_calculated",
            "この月のこの費目はすでに確定しています。修正は追給・返納で行います",
            "This kind of cost of the month is fixed; corrections are adjustments",
        ));
    }
    let end = last.succ_opt().unwrap_or(last);
    let stays: Vec<Stay> = postings
        .iter()
        .map(|posting| {
            let days = (posting.valid_to.min(end) - posting.valid_from.max(first)).num_days().max(0);
            Ok(Stay {
                host: posting.host_organisation_id.0,
                days: u32::try_from(days).map_err(Error::internal)?,
                share_percent: u32::try_from(posting.share_percent).map_err(Error::internal)?,
            })
        })
        .collect::<Result<_, Error>>()?;
    let amount = Yen::new(body.amount_yen).map_err(Error::internal)?;
    let days = u32::try_from((end - first).num_days()).map_err(Error::internal)?;
    let parts = prorate(amount, days, &stays).map_err(Error::internal)?;
    let employer = employer(conn, body.expert_id)?;
    let rule = year.rules.payer_rule(body.component);
    let mut ids = Vec::new();
    let mut keep = |conn: &mut Conn, host: Option<OrganisationId>, part: Yen| -> Result<(), Error> {
        let rule = match host {
            Some(_) => rule.clone(),
            // No host has these days: who pays at first keeps them.
            None => {
                let payer = match rule.first_paid_by.unwrap_or(rule.rest) {
                    payer @ (Payer::Company | Payer::SendingBody) => payer,
                    _ => Payer::Prefecture,
                };
                PayerRule { first_paid_by: rule.first_paid_by, ..PayerRule::all(body.component, payer) }
            }
        };
        let owner = programme.owner_organisation_id;
        let shares = Parties::single(owner, host.unwrap_or(owner), employer).divide_by(&rule, part)?;
        let kept_rule = serde_json::to_string(&rule).map_err(Error::internal)?;
        let explanation = match host {
            Some(host) => {
                let own: Vec<String> = stays
                    .iter()
                    .filter(|stay| stay.host == host.0)
                    .map(|stay| format!("{}日×{}%", stay.days, stay.share_percent))
                    .collect();
                format!(
                    "月額{amount} × （{}） ÷ {days}日{}{}",
                    own.join("＋"),
                    if body.note.is_empty() { "" } else { "、" },
                    body.note
                )
            }
            None => format!("月額{amount}のうち受入先のない分"),
        };
        let new = NewCostItem {
            programme: programme.id,
            owner: programme.owner_organisation_id,
            fiscal_year,
            occurred_on: first,
            dispatch: None,
            visit: None,
            expert: Some(body.expert_id),
            order: None,
            settlement: None,
            adjusts: None,
            component: body.component,
            amount: part,
            paid_directly: 0,
            paid_minutes: None,
            first_paid_by: rule.first_paid_by,
            agreement: None,
            payer_rule: Some(&kept_rule),
            undisclosed: year.rules.amounts_undisclosed,
            approximate: false,
            explanation: &explanation,
        };
        ids.push(store::insert(conn, &new, shares, ctx.now)?);
        Ok(())
    };
    for (host, part) in parts.hosts() {
        keep(conn, Some(OrganisationId(*host)), *part)?;
    }
    if parts.rest() > Yen::ZERO {
        keep(conn, None, parts.rest())?;
    }
    let eyes = CostEyes { organisation: ctx.organisation(), is_owner: true };
    let mut items = Vec::new();
    for id in &ids {
        let (row, shares) = store::item(conn, *id)?.ok_or_else(Error::not_found)?;
        items.push(CostItemView::new(&row, &shares, eyes));
    }
    let audit = Audit::new("programme", programme.id.0, programme.owner_organisation_id).created(json!({
        "expert_id": body.expert_id, "month": first, "component": body.component, "amount_yen": amount, "cost_items": ids,
    }));
    Ok(Outcome {
        view: PlacementCosts { items },
        audit,
        version: None,
        location: Some(format!("/api/v1/cost-items?fiscal_year={fiscal_year}")),
        secret: false,
    })
}
