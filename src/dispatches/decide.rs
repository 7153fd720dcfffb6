//! The decision on a request (派遣決定): from accepted offers to a dispatch with its number, planned visits, report and
//! notices, in one transaction.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::json;

use super::model::{decision_number, lies_within, load_day, within_one_year};
use super::notices;
use super::records;
use super::report_store;
use super::service::{locked_expert, refresh_report, require_standing, view_of};
use super::store::NewDispatch;
use super::views::{DecideRequestBody, DispatchView};
use super::visit_store::{self, VisitRow};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::db::dialect::{self, Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OfferId};
use crate::offers::store::OfferRow;
use crate::pools::rules::ProgrammeRules;
use crate::requests::model::{ActivityKind, RequestVerb};
use crate::requests::store::RequestRow;

/// Kind under which decisions are numbered.
const NUMBERED_AS: &str = "dispatch";

/// Decides a dispatch by accepted offers; several send a team. Whatever else was offered is withdrawn, and what may have
/// changed since the request was accepted (consents, limits, budget, the experts' standing) is looked at once more.
pub fn decide(conn: &mut Conn, ctx: &Ctx, seen: RequestRow, body: DecideRequestBody) -> Result<Outcome<DispatchView>, Error> {
    seen.status.after(RequestVerb::Decide)?;
    let period = (body.period_from.unwrap_or(seen.period_from), body.period_to.unwrap_or(seen.period_to));
    let year = crate::pools::service::rules_on(conn, seen.programme_id, period.0, "/period_from")?;
    lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    lock_row(conn, Lockable::Request, seen.id.0)?;
    let request = crate::requests::store::find(conn, seen.id)?.ok_or_else(Error::not_found)?;
    let status = request.status.after(RequestVerb::Decide)?;
    if request.version != seen.version {
        return Err(Error::new(ErrorCode::StaleVersion));
    }
    let accepted = crate::offers::store::accepted_of(conn, request.id)?;
    require_acceptance(&request, &accepted)?;
    let rules = &year.rules;
    let decided_on = body.decided_on.unwrap_or_else(|| ctx.today());
    let chosen = chosen(ctx, &request, &accepted, &body, period, decided_on)?;
    other_decider(ctx, rules, &chosen, "/offer_ids")?;

    let offer_ids: Vec<OfferId> = chosen.iter().map(|offer| offer.id).collect();
    let held = visit_store::held_by(conn, &offer_ids)?;
    let fiscal_year = FiscalYear::of(period.0);
    check_visits(&held, period, fiscal_year, "/period_to")?;
    let number = match request.activity_kind {
        ActivityKind::Consultation => None,
        _ => {
            let running =
                dialect::next_document_number(conn, request.owner_organisation_id, NUMBERED_AS, fiscal_year.starting_year())?;
            Some(decision_number(fiscal_year, running))
        }
    };
    let row = records::insert_dispatch(
        conn,
        &NewDispatch {
            request_id: request.id,
            programme_id: request.programme_id,
            owner: request.owner_organisation_id,
            applicant: request.applicant_organisation_id,
            activity_kind: request.activity_kind,
            fiscal_year,
            number,
            document_number: &body.document_number,
            decided_on,
            decided_by: ctx.principal.user_id(),
            period,
            rules,
        },
        ctx.now,
    )?;
    for offer in &chosen {
        records::add_expert(conn, row.id, offer.expert_id, offer.id)?;
    }
    visit_store::plan_held(conn, &offer_ids, row.id, load_day(None, period.0), ctx.now)?;
    visit_store::enrol_participants(conn, row.id)?;
    // What the dispatch does not use is given up first, so that only its own visits are held against the limits.
    let withdrawn = crate::offers::service::withdraw_open(conn, ctx, &request)?;
    crate::requests::service::check_before_decision(conn, ctx, &request)?;
    require_experts(conn, &chosen, &held, period)?;
    report_store::insert(conn, row.id, None, ctx.now)?;
    let visits = visit_store::of_dispatch(conn, row.id)?;
    refresh_report(conn, ctx, &row, &visits)?;
    crate::requests::store::set_status(conn, &request, status, None, ctx.now)?;
    notices::decided(conn, ctx, &row, &request, &visits, rules.report_due_days)?;

    let mut audit = Audit::new("dispatch", row.id.0, row.owner_organisation_id)
        .change(
            json!({"request_status": request.status}),
            json!({
                "request_id": request.id, "request_status": status, "number": row.number, "document_number": row.document_number,
                "decided_on": row.decided_on, "period_from": row.period_from, "period_to": row.period_to, "offer_ids": offer_ids,
                "expert_ids": chosen.iter().map(|offer| offer.expert_id).collect::<Vec<_>>(), "visits": visits.len(),
                "offers_withdrawn": withdrawn,
            }),
        )
        .for_body(row.applicant_organisation_id, ctx.organisation());
    if !body.note.is_empty() {
        audit = audit.because(body.note);
    }
    let view = view_of(conn, ctx, &row)?;
    Ok(Outcome::created(view, row.version, format!("/api/v1/dispatches/{}", row.id), audit))
}

/// 409 while no expert has accepted: a decision exists only after an acceptance.
fn require_acceptance(request: &RequestRow, accepted: &[OfferRow]) -> Result<(), Error> {
    if !accepted.is_empty() {
        return Ok(());
    }
    let verbs =
        request.status.verbs().into_iter().filter(|verb| *verb != RequestVerb::Decide).map(|verb| verb.as_str()).collect();
    Err(Error::transition(request.status.as_str(), verbs)
        .detail("承諾した専門家がいないため決定できません", "No expert has accepted yet, so there is nothing to decide"))
}

/// The chosen offers, after every value of the body was looked at.
fn chosen(
    ctx: &Ctx,
    request: &RequestRow,
    accepted: &[OfferRow],
    body: &DecideRequestBody,
    period: (NaiveDate, NaiveDate),
    decided_on: NaiveDate,
) -> Result<Vec<OfferRow>, Error> {
    let mut fields = Fields::new();
    fields.optional_line("/document_number", &body.document_number, 100);
    fields.text("/note", &body.note, 2000);
    fields.check(
        decided_on <= ctx.today(),
        "/decided_on",
        "in_the_future",
        "今日以前の日付にしてください",
        "Must not lie in the future",
    );
    fields.check(
        !body.offer_ids.is_empty(),
        "/offer_ids",
        "required",
        "承諾された依頼を1件以上指定してください",
        "Name at least one accepted offer",
    );
    fields.at_most("/offer_ids", body.offer_ids.len(), 20);
    fields.period("/period_to", period.0, period.1);
    if period.1 >= period.0 && !within_one_year(period.0, period.1) {
        let year = FiscalYear::of(period.0);
        fields.wrong(
            "/period_to",
            "period_crosses_fiscal_year",
            format!("1件の決定は{}を越えられません。3月31日までの分と4月1日からの分の2件に分けてください", year.label_ja()),
            format!(
                "A decision must not leave fiscal year {}: split it into one until 31 March and one from 1 April",
                year.starting_year()
            ),
        );
    }
    fields.check(
        FiscalYear::of(period.0).starting_year() == request.fiscal_year,
        "/period_from",
        "outside_fiscal_year",
        "申請の年度内の日付にしてください",
        "Must lie in the request's fiscal year",
    );
    let mut seen = BTreeSet::new();
    let mut chosen: Vec<OfferRow> = Vec::new();
    for (i, id) in body.offer_ids.iter().enumerate() {
        let pointer = format!("/offer_ids/{i}");
        match accepted.iter().find(|offer| offer.id == *id) {
            None => fields.wrong(
                pointer,
                "not_accepted",
                "この申請で承諾された依頼を指定してください",
                "Must be an accepted offer of this request",
            ),
            Some(offer) => {
                fields.check(seen.insert(*id), pointer, "duplicate", "同じ依頼が重なっています", "The offer is named twice");
                chosen.push(offer.clone());
            }
        }
    }
    fields.finish()?;
    Ok(chosen)
}

/// Where the rules want it, the decider is another person than the one who proposed the expert; a program, behind which no
/// person can be named, cannot decide then.
pub(super) fn other_decider(ctx: &Ctx, rules: &ProgrammeRules, chosen: &[OfferRow], pointer: &'static str) -> Result<(), Error> {
    if !rules.decider_differs_from_proposer {
        return Ok(());
    }
    let decider = ctx.principal.user_id();
    if decider.is_some() && chosen.iter().all(|offer| offer.proposed_by != decider) {
        return Ok(());
    }
    Err(Error::rule(
        "decider_differs_from_proposer",
        pointer,
        "この事業では、専門家を提案した人とは別の人が決定します",
        "In this programme the decision is made by another person than the one who proposed the expert",
    ))
}

/// 422 naming the visits outside the decided period or its fiscal year.
pub(super) fn check_visits(
    held: &[VisitRow],
    period: (NaiveDate, NaiveDate),
    year: FiscalYear,
    pointer: &'static str,
) -> Result<(), Error> {
    let mut fields = Fields::new();
    for day in held.iter().filter_map(|visit| visit.day).filter(|day| !lies_within(*day, period.0, period.1, year)) {
        fields.wrong(
            pointer,
            "visit_outside_period",
            format!("{day}の訪問が派遣期間（{}～{}）の外にあります", period.0, period.1),
            format!("The visit of {day} lies outside the period ({} to {})", period.0, period.1),
        );
    }
    fields.finish_as(ErrorCode::RuleRefused)
}

/// 422 naming every visit that an expert's registration, appointment or leave rules out by now. Experts are locked in the
/// order of their ids.
fn require_experts(conn: &mut Conn, chosen: &[OfferRow], held: &[VisitRow], period: (NaiveDate, NaiveDate)) -> Result<(), Error> {
    let experts: BTreeSet<ExpertId> = chosen.iter().map(|offer| offer.expert_id).collect();
    for id in experts {
        let expert = locked_expert(conn, id)?;
        let own: Vec<VisitRow> = held.iter().filter(|visit| visit.expert_id == id).cloned().collect();
        require_standing(conn, &expert, &own, period, "/offer_ids")?;
    }
    Ok(())
}
