//! What a request would cost whom: prices a hypothetical request by a year's rules, before anything is filed. Changes
//! nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agreement_store::{AgreementFigures, populations, sharing_body};
use super::agreement_views::AgreementBodyFigures;
use super::budget_store;
use super::model::{honorarium, laid_out};
use super::parties::{Parties, Share, prepare};
use super::service::reckon_trip;
use super::views::{CostShareView, CreateTripBody, PayerAmount};
use crate::costs::{Component, FeeInput, Payer, SharingBody, SharingTerms, Trip, Yen};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, Fields};
use crate::ids::{OrganisationId, ProgrammeId};
use crate::pools::rules::ProgrammeRules;
use crate::pools::store::{ProgrammeRow, Standing, YearRow};
use crate::requests::model::Mode;

/// A hypothetical request.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"visits": 3, "minutes_per_visit": 240, "mode": "onsite", "bodies": [{"organisation_id": 33}],
    "costs": [{"component": "venue", "amount_yen": 12_000}]}))]
pub struct SimulateBody {
    /// Visits.
    #[schema(minimum = 1, maximum = 100)]
    pub visits: i32,
    /// Minutes of each.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes_per_visit: i32,
    /// How they take place.
    pub mode: Mode,
    /// The bodies, the lead first.
    #[schema(min_items = 1, max_items = 500)]
    pub bodies: Vec<AgreementBodyFigures>,
    /// How they share; the programme's own terms when absent.
    pub terms: Option<SharingTerms>,
    /// The expert's grade, where the fee table has grades.
    #[schema(max_length = 40)]
    pub grade: Option<String>,
    /// Kilometres one way, where it has a surcharge.
    #[schema(minimum = 0, maximum = 5000)]
    pub distance_km: Option<u32>,
    /// The fee of a visit in yen, where the table names none.
    #[schema(minimum = 0, maximum = 10_000_000)]
    pub fee_yen: Option<i64>,
    /// The trip of each visit.
    pub trip: Option<Trip>,
    /// Other costs, in all.
    #[serde(default)]
    #[schema(max_items = 15)]
    pub costs: Vec<SimulatedCost>,
}

/// A cost that is assumed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedCost {
    /// Kind of cost.
    pub component: Component,
    /// Yen.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount_yen: i64,
}

/// What the request would cost whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SimulationView {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// By kind of cost.
    #[schema(max_items = 20)]
    pub items: Vec<SimulatedItem>,
    /// Yen in all.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 72_000)]
    pub total_yen: i64,
    /// Who bears how much; adds up to the total.
    #[schema(max_items = 6)]
    pub by_payer: Vec<PayerAmount>,
    /// Everybody's part by name; adds up to the total.
    #[schema(max_items = 510)]
    pub shares: Vec<CostShareView>,
    /// Whether the money of the year reaches; absent where it is not limited or not the asking party's to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    /// What the special allocation tax presumably returns to the bodies: estimates, no payer.
    #[schema(max_items = 20)]
    pub allocation_tax: Vec<AllocationTaxEstimate>,
}

/// A kind of cost of a hypothetical request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SimulatedItem {
    /// Kind of cost.
    pub component: Component,
    /// How often.
    #[schema(minimum = 1, maximum = 100, example = 3)]
    pub times: i32,
    /// Yen each time.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 20_000)]
    pub amount_yen: i64,
    /// How it comes about.
    #[schema(max_length = 2000)]
    pub explanation: String,
}

/// What the special allocation tax (特別交付税) presumably returns.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AllocationTaxEstimate {
    /// What it is for.
    #[schema(max_length = 200)]
    pub label: String,
    /// Yen of cost it looks at.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub cost_yen: i64,
    /// Yen, an estimate.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub estimate_yen: i64,
    /// Where the rule stands.
    #[schema(max_length = 500)]
    pub source: String,
}

/// The year's rules for somebody who may know what they cost: 404 when not visible, 403 where amounts are kept.
pub fn priceable(conn: &mut Conn, ctx: &Ctx, programme: ProgrammeId, year: i32) -> Result<(ProgrammeRow, YearRow, bool), Error> {
    let (row, standing) = crate::pools::store::visible_programme(conn, ctx, programme)?;
    let year = crate::pools::store::year(conn, programme, year)?.ok_or_else(Error::not_found)?;
    let owner = standing == Standing::Owner;
    if year.rules.amounts_undisclosed && !owner {
        return Err(Error::new(ErrorCode::Forbidden)
            .detail("この事業の金額は公表されていません", "The amounts of this programme are not disclosed"));
    }
    Ok((row, year, owner))
}

fn bodies(conn: &mut Conn, body: &SimulateBody, terms: Option<&SharingTerms>) -> Result<Vec<SharingBody>, Error> {
    let ids: Vec<OrganisationId> = body.bodies.iter().map(|one| one.organisation_id).collect();
    let rows = crate::organisations::store::find_many(conn, &ids)?;
    let people = match terms {
        Some(terms) => populations(conn, &ids, terms)?,
        None => Vec::new(),
    };
    let mut fields = Fields::new();
    fields.check(!ids.is_empty(), "/bodies", "required", "1団体以上を指定してください", "Name at least one body");
    fields.at_most("/bodies", ids.len(), 500);
    let mut found = Vec::new();
    for (i, one) in body.bodies.iter().enumerate() {
        let row = rows.iter().find(|row| row.id == one.organisation_id);
        let repeated = ids.iter().take(i).any(|id| *id == one.organisation_id);
        let pointer = format!("/bodies/{i}/organisation_id");
        fields.check(row.is_some(), pointer.clone(), "not_found", "登録されている団体を指定してください", "Must be registered");
        fields.check(!repeated, pointer, "duplicate", "同じ団体が重なっています", "The body is named twice");
        let figures = AgreementFigures {
            code: row.and_then(|row| row.lg_code.clone()),
            population: one
                .population
                .or_else(|| people.iter().find(|(id, _)| *id == one.organisation_id).map(|(_, people)| *people)),
            staff: one.staff,
            participants: one.participants,
            fiscal_need: one.fiscal_need,
            fixed: one.fixed,
        };
        let mut body = sharing_body(one.organisation_id, i == 0, &figures);
        // Use is not known beforehand and taken as even.
        (body.usage_minutes, body.usage_visits) = (Some(1), Some(1));
        found.push(body);
    }
    fields.finish()?;
    Ok(found)
}

/// The costs of one visit or of all, before they are divided.
fn items(rules: &ProgrammeRules, owner: OrganisationId, body: &SimulateBody) -> Result<Vec<SimulatedItem>, Error> {
    let mut fields = Fields::new();
    fields.within("/visits", i64::from(body.visits), 1, 100);
    fields.within("/minutes_per_visit", i64::from(body.minutes_per_visit), 15, 1440);
    for (i, cost) in body.costs.iter().enumerate() {
        fields.within(&format!("/costs/{i}/amount_yen"), cost.amount_yen, 0, Yen::MAX.get());
    }
    fields.within("/fee_yen", body.fee_yen.unwrap_or(0), 0, 10_000_000);
    fields.check(
        body.fee_yen.is_none() || rules.fee_table.must_be_entered(),
        "/fee_yen",
        "by_table",
        "謝金は単価表から計算されます",
        "The fee follows from the table",
    );
    fields.finish()?;
    let mut input = FeeInput::of_minutes(u32::try_from(body.minutes_per_visit).map_err(Error::internal)?);
    input.grade = body.grade.clone().or_else(|| rules.fee_table.lowest_grade());
    input.distance_km = body.distance_km.filter(|_| body.mode != Mode::Online);
    let mut items = Vec::new();
    let fee = match honorarium(rules, &input, false)? {
        Some(fee) => Some((fee.amount.get(), fee.explanation)),
        None => body.fee_yen.map(|yen| (yen, "入力された謝金".to_owned())),
    };
    if let Some((amount_yen, explanation)) = fee.filter(|(yen, _)| *yen > 0) {
        items.push(SimulatedItem { component: Component::Honorarium, times: body.visits, amount_yen, explanation });
    }
    if let Some(trip) = &body.trip {
        for part in reckon_trip(rules, Some(owner), body.mode, &CreateTripBody { trip: trip.clone() })? {
            let (component, amount_yen) = (part.component, part.amount.get());
            items.push(SimulatedItem { component, times: body.visits, amount_yen, explanation: part.explanation });
        }
    }
    for cost in &body.costs {
        let explanation = "入力された費用".to_owned();
        items.push(SimulatedItem { component: cost.component, times: 1, amount_yen: cost.amount_yen, explanation });
    }
    Ok(items)
}

/// Prices a hypothetical request; each visit is divided by itself, as it will be when it is done.
pub fn simulate(
    conn: &mut Conn,
    programme: &ProgrammeRow,
    year: &YearRow,
    owner: bool,
    body: &SimulateBody,
) -> Result<SimulationView, Error> {
    let rules = &year.rules;
    let terms = body.terms.as_ref().or(rules.sharing.as_ref());
    let bodies = bodies(conn, body, terms)?;
    let items = items(rules, programme.owner_organisation_id, body)?;
    let lead = bodies.first().map(|lead| OrganisationId(lead.id)).ok_or_else(|| Error::internal("no body"))?;
    let sharing = match terms {
        Some(terms) if bodies.len() > 1 => Some((prepare(terms, &bodies)?, None)),
        _ => None,
    };
    let parties = Parties { sharing, ..Parties::single(programme.owner_organisation_id, lead, None) };
    let mut shares: Vec<Share> = Vec::new();
    let (mut total, mut spent) = (Yen::ZERO, Yen::ZERO);
    let too_much = |_| {
        Error::new(ErrorCode::ValidationFailed).field(
            "/costs",
            "amount_out_of_range",
            "合計が1兆円を超えます",
            "The sum exceeds a trillion yen",
        )
    };
    let sum = |a: Yen, b: Yen| a.checked_add(b).map_err(too_much);
    for item in &items {
        let one = Yen::new(item.amount_yen).map_err(Error::internal)?;
        let times = |yen: Yen| yen.checked_mul(i64::from(item.times)).map_err(too_much);
        total = sum(total, times(one)?)?;
        spent = sum(spent, times(laid_out(rules, item.component, one)?)?)?;
        for share in parties.divide(rules, item.component, one)? {
            let amount = times(share.amount)?;
            let same = |other: &&mut Share| (other.payer, other.organisation) == (share.payer, share.organisation);
            match shares.iter_mut().find(same) {
                Some(known) => known.amount = sum(known.amount, amount)?,
                None => shares.push(Share { amount, ..share }),
            }
        }
    }
    let of = |payer: Payer| shares.iter().filter(|share| share.payer == payer).map(|share| share.amount.get()).sum::<i64>();
    let allocation_tax = rules
        .allocation_tax
        .iter()
        .map(|rule| {
            let mut cost = 0;
            for item in items.iter().filter(|item| rule.components.contains(&item.component)) {
                let one = Yen::new(item.amount_yen).map_err(Error::internal)?;
                let parts = parties.divide(rules, item.component, one)?;
                let own = parts.iter().filter(|share| share.payer == rule.payer).map(|share| share.amount.get()).sum::<i64>();
                cost += own * i64::from(item.times);
            }
            let estimate = rule.estimate(Yen::new(cost).map_err(Error::internal)?).map_err(Error::internal)?;
            let (label, source) = (rule.label.clone(), rule.source.clone());
            Ok(AllocationTaxEstimate { label, cost_yen: cost, estimate_yen: estimate.get(), source })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let within_budget = match rules.budget_yen.filter(|_| owner) {
        Some(budget) => Some(budget_store::bound(conn, programme.id, year.fiscal_year)? + spent.get() <= budget.get()),
        None => None,
    };
    Ok(SimulationView {
        programme_id: programme.id,
        fiscal_year: year.fiscal_year,
        items,
        total_yen: total.get(),
        by_payer: Payer::ALL
            .iter()
            .map(|payer| PayerAmount { payer: *payer, amount_yen: of(*payer) })
            .filter(|part| part.amount_yen != 0)
            .collect(),
        shares: shares
            .into_iter()
            .map(|share| CostShareView {
                organisation_id: share.organisation,
                payer: share.payer,
                amount_yen: share.amount.get(),
            })
            .collect(),
        within_budget,
        allocation_tax,
    })
}
