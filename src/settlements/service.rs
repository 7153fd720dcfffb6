//! Use cases of costs: the honorarium of a visit that is done, and actual costs entered by the office.

use chrono::Days;
use serde_json::json;

use super::budget;
use super::budget_store::BudgetEntryKind;
use super::model;
use super::parties::Parties;
use super::store::{self, CostItemRow, NewCostItem};
use super::views::{CostEyes, CostItemView, CostTotals, CreateCostItemBody, CreateTripBody, TripCosts};
use super::{lifecycle, periods, profile_store};
use crate::costs::{Component, FeeInput, FeeTable, TravelError, TravelItem, Yen, travel};
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::store::{DispatchRow, is_owner};
use crate::dispatches::visit_store::VisitRow;
use crate::error::{Error, ErrorCode};
use crate::experts::model::AffiliationKind;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{CostItemId, ExpertId, OrganisationId};
use crate::pools::rules::ProgrammeRules;
use crate::requests::model::Mode;

/// Days between leaving and the visit at most: several visits can share a trip, and islands are far.
const LONGEST_WAY_DAYS: u64 = 14;

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

/// What a fee table may look at beside the minutes of a visit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Worked {
    /// Of the minutes, travel.
    pub travel_minutes: u32,
    /// Of the minutes, waiting.
    pub waiting_minutes: u32,
    /// Of the minutes, breaks.
    pub break_minutes: u32,
    /// Kilometres one way.
    pub distance_km: Option<u32>,
}

/// A cost of a visit, to be divided and kept.
struct OfVisit<'a> {
    dispatch: &'a DispatchRow,
    visit: &'a VisitRow,
    rules: &'a ProgrammeRules,
}

impl OfVisit<'_> {
    fn keep(
        &self,
        conn: &mut Conn,
        ctx: &Ctx,
        (component, amount, paid_directly): (Component, Yen, Yen),
        paid_minutes: Option<i32>,
        explanation: &str,
    ) -> Result<CostItemId, Error> {
        let Self { dispatch, visit, rules } = *self;
        let day = visit.day.ok_or_else(|| Error::internal("a visit that is over has a day"))?;
        periods::require_open(conn, dispatch.owner_organisation_id, dispatch.fiscal_year, day)?;
        let parties = Parties::of_dispatch(conn, dispatch, rules, Some(visit))?;
        let shares = parties.divide(rules, component, amount)?;
        let new = NewCostItem {
            programme: dispatch.programme_id,
            owner: dispatch.owner_organisation_id,
            fiscal_year: dispatch.fiscal_year,
            occurred_on: day,
            dispatch: Some(dispatch.id),
            visit: Some(visit.id),
            expert: Some(visit.expert_id),
            order: None,
            settlement: None,
            adjusts: None,
            component,
            amount,
            paid_directly: paid_directly.get(),
            paid_minutes,
            first_paid_by: rules.payer_rule(component).first_paid_by,
            agreement: parties.agreement(),
            payer_rule: None,
            undisclosed: rules.amounts_undisclosed,
            approximate: false,
            explanation,
        };
        store::insert(conn, &new, shares, ctx.now)
    }
}

/// Keeps the honorarium of a visit that was just recorded as done, by the rules of its dispatch and its actual minutes,
/// with everybody's share. Returns the amount; `None` where the fee table names none and the office has to enter it.
/// Leaves no audit event of its own: the recording's event tells it.
pub fn calculate_for_visit(
    conn: &mut Conn,
    ctx: &Ctx,
    dispatch: &DispatchRow,
    visit: &VisitRow,
    worked: &Worked,
) -> Result<Option<Yen>, Error> {
    let rules = dispatch.rules()?;
    if rules.fee_table.must_be_entered() {
        return Ok(None);
    }
    let minutes = visit.actual_minutes.ok_or_else(|| Error::internal("a visit without actual minutes is not done"))?;
    let day = visit.day.ok_or_else(|| Error::internal("a visit that is done has a day"))?;
    let official = is_official(conn, visit.expert_id)?;
    let earlier = store::honoraria_on(conn, dispatch.programme_id, visit.expert_id, day)?;
    let grade = match rules.fee_table.has_grades() {
        true => profile_store::find(conn, visit.expert_id)?.map(|profile| profile.fee_grade),
        false => None,
    };
    let earlier_minutes: i32 = earlier.iter().filter_map(|item| item.paid_minutes).sum();
    let earlier_amount: i64 = earlier.iter().map(|item| item.amount_yen).sum();
    let input = FeeInput {
        minutes: u32::try_from(minutes).map_err(Error::internal)?,
        travel_minutes: worked.travel_minutes,
        waiting_minutes: worked.waiting_minutes,
        break_minutes: worked.break_minutes,
        distance_km: worked.distance_km.filter(|_| visit.mode != Mode::Online),
        grade,
        earlier_minutes: u32::try_from(earlier_minutes).map_err(Error::internal)?,
        earlier_amount: Yen::new(earlier_amount.max(0)).map_err(Error::internal)?,
    };
    let Some(honorarium) = model::honorarium(&rules, &input, official)? else { return Ok(None) };
    let of = OfVisit { dispatch, visit, rules: &rules };
    let paid_minutes = i32::try_from(honorarium.paid_minutes).ok();
    let cost = (Component::Honorarium, honorarium.amount, Yen::ZERO);
    of.keep(conn, ctx, cost, paid_minutes, &honorarium.explanation)?;
    Ok(Some(honorarium.amount))
}

/// 409 while a visit is still ahead, or once its settlement is final.
fn require_over(conn: &mut Conn, dispatch: &DispatchRow, visit: &VisitRow) -> Result<(), Error> {
    if matches!(visit.status, VisitStatus::Held | VisitStatus::Planned) {
        let verbs = visit.status.verbs(visit.dated()).iter().map(|verb| verb.as_str()).collect();
        return Err(Error::transition(visit.status.as_str(), verbs).detail(
            "実績を記録した訪問（または中止した訪問）にのみ費用を入力できます",
            "Costs are entered once the visit is over or called off",
        ));
    }
    lifecycle::require_not_final(conn, dispatch.id)
}

fn require_new(
    conn: &mut Conn,
    dispatch: &DispatchRow,
    visit: &VisitRow,
    component: Component,
    pointer: &str,
) -> Result<(), Error> {
    let (items, _) = store::for_dispatch(conn, dispatch.id)?;
    if items.iter().any(|item| item.visit_id == Some(visit.id) && item.component == component && item.adjusts_id.is_none()) {
        return Err(Error::new(ErrorCode::Duplicate).field(
            pointer,
            "already_calculated",
            "この費目はすでに確定しています。確定した金額は書き換えられません",
            "This kind of cost is already calculated and fixed",
        ));
    }
    Ok(())
}

/// Enters an actual cost of a visit. The visit must be over (a visit called off can cost too: a room that was not
/// refunded); what is calculated is fixed, so a second item of the same kind is refused.
pub fn enter_cost(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: CreateCostItemBody,
) -> Result<Outcome<CostItemView>, Error> {
    require_over(conn, &dispatch, &visit)?;
    require_new(conn, &dispatch, &visit, body.component, "/component")?;
    let rules = dispatch.rules()?;
    let mut fields = Fields::new();
    fields.within("/amount_yen", body.amount_yen, 0, MOST_YEN);
    fields.within("/paid_directly_yen", body.paid_directly_yen, 0, body.amount_yen.clamp(0, MOST_YEN));
    fields.text("/note", &body.note, 2000);
    fields.check(
        !placed_only(body.component),
        "/component",
        "not_of_a_visit",
        "給与等は配属の費用として入力してください",
        "Salaries and the like are costs of a placement",
    );
    fields.check(
        !body.component.is_travel() || visit.mode != Mode::Online || visit.status != VisitStatus::Done,
        "/component",
        "online_without_travel",
        "オンラインの訪問に旅費はありません",
        "A visit online has no travel",
    );
    fields.finish()?;
    if body.component == Component::Honorarium {
        check_honorarium(conn, &rules.fee_table, &visit, body.amount_yen)?;
    }
    let amount = Yen::new(body.amount_yen).map_err(Error::internal)?;
    let directly = Yen::new(body.paid_directly_yen).map_err(Error::internal)?;
    let explanation = if body.note.is_empty() { "実績額を入力".to_owned() } else { body.note };
    let of = OfVisit { dispatch: &dispatch, visit: &visit, rules: &rules };
    let id = of.keep(conn, ctx, (body.component, amount, directly), None, &explanation)?;
    budget::bind(conn, ctx, dispatch.request_id, &rules, BudgetEntryKind::Commit)?;
    let (row, shares) = store::item(conn, id)?.ok_or_else(Error::not_found)?;
    let audit = Audit::new("cost_item", id.0, dispatch.owner_organisation_id).created(json!({
        "dispatch_id": dispatch.id, "visit_id": visit.id, "component": body.component, "amount_yen": amount,
        "shares": shares.iter().map(|share| json!([share.payer, share.organisation_id, share.amount_yen])).collect::<Vec<_>>(),
    }));
    let view = CostItemView::new(&row, &shares, eyes(ctx, &dispatch));
    let location = format!("/api/v1/cost-items?dispatch_id={}", dispatch.id);
    Ok(Outcome { view, audit, version: None, location: Some(location), secret: false })
}

/// Kinds of cost that placed people have, and visits do not.
pub fn placed_only(component: Component) -> bool {
    matches!(component, Component::Salary | Component::Allowance | Component::SocialInsurance | Component::RetirementAllowance)
}

/// Enters a trip: the travel rule of the day of departure says what of it is paid, part by part. A trip that was given up
/// pays what was not refunded, at most what the rule would have paid.
pub fn enter_trip(
    conn: &mut Conn,
    ctx: &Ctx,
    (dispatch, visit): (DispatchRow, VisitRow),
    body: CreateTripBody,
) -> Result<Outcome<TripCosts>, Error> {
    require_over(conn, &dispatch, &visit)?;
    let rules = dispatch.rules()?;
    if let Some(day) = visit.day {
        let earliest = day.checked_sub_days(Days::new(LONGEST_WAY_DAYS)).unwrap_or(day);
        let mut fields = Fields::new();
        fields.check(
            (earliest..=day).contains(&body.trip.departs_on),
            "/trip/departs_on",
            "not_of_this_visit",
            "訪問日か、その前14日以内の出発日にしてください",
            "Must lie within the 14 days up to the visit",
        );
        fields.finish()?;
    }
    let items = reckon_trip(&rules, Some(dispatch.owner_organisation_id), visit.mode, &body)?;
    let of = OfVisit { dispatch: &dispatch, visit: &visit, rules: &rules };
    let mut ids = Vec::new();
    for item in &items {
        require_new(conn, &dispatch, &visit, item.component, "/trip")?;
        let cost = (item.component, item.amount, item.paid_directly);
        ids.push(of.keep(conn, ctx, cost, None, &item.explanation)?);
    }
    budget::bind(conn, ctx, dispatch.request_id, &rules, BudgetEntryKind::Commit)?;
    let mut views = Vec::new();
    for id in &ids {
        let (row, shares) = store::item(conn, *id)?.ok_or_else(Error::not_found)?;
        views.push(CostItemView::new(&row, &shares, eyes(ctx, &dispatch)));
    }
    let audit = Audit::new("visit", visit.id.0, dispatch.owner_organisation_id).created(json!({
        "trip": body.trip, "cost_items": ids, "amounts_yen": items.iter().map(|item| item.amount).collect::<Vec<_>>(),
    }));
    let location = format!("/api/v1/cost-items?dispatch_id={}", dispatch.id);
    Ok(Outcome { view: TripCosts { items: views }, audit, version: None, location: Some(location), secret: false })
}

/// What the rules pay for a trip; 422 with the place in the trip that is not right.
pub fn reckon_trip(
    rules: &ProgrammeRules,
    organisation: Option<OrganisationId>,
    mode: Mode,
    body: &CreateTripBody,
) -> Result<Vec<TravelItem>, Error> {
    let trip = &body.trip;
    if mode == Mode::Online && !trip.cancelled {
        return Err(Error::rule(
            "online_without_travel",
            "/trip",
            "オンラインの訪問に旅費はありません",
            "A visit online has no travel",
        ));
    }
    travel(&rules.travel_rules, organisation.map(|id| id.0), trip).map_err(|error| match error {
        TravelError::Trip(problems) => {
            let mut fields = Fields::new();
            for problem in problems {
                fields.wrong(format!("/trip{}", problem.pointer), problem.code, problem.detail_ja, problem.detail_en);
            }
            fields.finish().err().unwrap_or_else(|| Error::new(ErrorCode::ValidationFailed))
        }
        TravelError::PaidTwice => Error::rule(
            "paid_twice",
            "/trip/paid_by_employer",
            "所属先が旅費を支給しているため、重ねて支給できません",
            "The employer already pays for the trip",
        ),
        TravelError::NoRule(day) => Error::rule(
            "no_travel_rule",
            "/trip/departs_on",
            format!("{day}出発の旅行に適用する旅費規程がありません。事業の規則に登録するか、実費を費目ごとに入力してください"),
            format!("No travel rule holds for a departure on {day}: add one to the rules, or enter actual costs by kind"),
        ),
        TravelError::Money(error) => {
            Error::new(ErrorCode::ValidationFailed).field("/trip", error.code(), error.to_string(), error.detail_en())
        }
    })
}

/// An honorarium is entered by hand only where no table gives it, for a visit that took place, within what was agreed,
/// and never for an official on duty.
fn check_honorarium(conn: &mut Conn, table: &FeeTable, visit: &VisitRow, amount_yen: i64) -> Result<(), Error> {
    if !table.must_be_entered() || visit.status != VisitStatus::Done {
        return Err(Error::rule(
            "honorarium_by_table",
            "/component",
            "謝金は実績の記録時に単価表から計算されます",
            "The honorarium follows from the fee table when the visit is recorded",
        ));
    }
    within_agreed(conn, table, visit.expert_id, amount_yen)
}

/// What an honorarium is corrected to keeps to what was agreed as well, and an official on duty still gets none.
pub(super) fn check_honorarium_amount(conn: &mut Conn, item: &CostItemRow, amount_yen: i64) -> Result<(), Error> {
    let (Some(dispatch), Some(expert)) = (item.dispatch_id, item.expert_id) else { return Ok(()) };
    let dispatch = crate::dispatches::store::find(conn, dispatch)?.ok_or_else(Error::not_found)?;
    within_agreed(conn, &dispatch.rules()?.fee_table, expert, amount_yen)
}

fn within_agreed(conn: &mut Conn, table: &FeeTable, expert: ExpertId, amount_yen: i64) -> Result<(), Error> {
    if let FeeTable::Agreed { cap: Some(cap) } = table
        && amount_yen > cap.get()
    {
        return Err(Error::rule(
            "fee_cap",
            "/amount_yen",
            format!("謝金は1回{cap}以内です"),
            format!("At most {} yen a visit", cap.get()),
        ));
    }
    if amount_yen > 0 && is_official(conn, expert)? {
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
