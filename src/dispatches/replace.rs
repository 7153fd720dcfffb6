//! Another expert in the place of one, under the same number.

use serde_json::json;

use super::amend::{require_limits, require_report_open};
use super::decide::{check_visits, other_decider};
use super::model::{AmendmentKind, DispatchVerb, VisitStatus, load_day};
use super::notices::{self, Amended, Item};
use super::records::{self, NewAmendment};
use super::service::{bind, lock_year, locked_expert, refresh_report, request_of, require_standing, view_of};
use super::store::DispatchRow;
use super::views::{DispatchView, ReplaceExpertBody};
use super::visit_store::{self, VisitRow};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::experts::load::check_capacity;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::VisitId;
use crate::offers::store::OfferRow;
use crate::settlements::budget_store::BudgetEntryKind;

/// Replaces an expert: who takes over has accepted an offer for the same request. The visits that the offer holds take the
/// place of those still ahead, one for one in their order; what the offer does not name goes over as it is planned.
/// Visits whose day is past stay with the one who went.
pub fn replace_expert(
    conn: &mut Conn,
    ctx: &Ctx,
    before: DispatchRow,
    body: ReplaceExpertBody,
) -> Result<Outcome<DispatchView>, Error> {
    before.status.after(DispatchVerb::ReplaceExpert)?;
    lock_year(conn, &before)?;
    lock_row(conn, Lockable::Request, before.request_id.0)?;
    require_report_open(conn, &before)?;
    let offer = checked(conn, &before, &body)?;
    other_decider(ctx, &before.rules()?, std::slice::from_ref(&offer), "/offer_id")?;
    let (from, to) = (body.from_expert_id, offer.expert_id);
    let (first, second) = (from.min(to), from.max(to));
    lock_row(conn, Lockable::Expert, first.0)?;
    lock_row(conn, Lockable::Expert, second.0)?;

    let request = request_of(conn, &before)?;
    crate::requests::service::check_replacement(conn, &request, to, "/offer_id")?;
    let today = ctx.today();
    let ahead: Vec<VisitRow> = visit_store::of_dispatch(conn, before.id)?
        .into_iter()
        .filter(|visit| visit.expert_id == from && visit.status == VisitStatus::Planned)
        .filter(|visit| visit.day.is_none_or(|day| day >= today))
        .collect();
    let held = visit_store::held_by(conn, &[offer.id])?;
    check_visits(&held, (before.period_from, before.period_to), before.year()?, "/offer_id")?;
    let replaced: Vec<(VisitRow, VisitRow)> = ahead.iter().cloned().zip(held.iter().cloned()).collect();
    let handed_over: Vec<VisitRow> = ahead.iter().skip(held.len()).cloned().collect();

    for (old, new) in &replaced {
        let mut old = old.clone();
        old.status = VisitStatus::Rescheduled;
        old.rescheduled_to_id = Some(new.id);
        old.cancel_reason = Some(body.reason.clone());
        visit_store::update(conn, &old, ctx.now)?;
    }
    visit_store::plan_held(conn, &[offer.id], before.id, load_day(None, before.period_from), ctx.now)?;
    visit_store::enrol_participants(conn, before.id)?;
    let expert = locked_expert(conn, to)?;
    let mut going: Vec<VisitRow> = held.clone();
    going.extend(handed_over.iter().cloned());
    require_standing(conn, &expert, &going, (before.period_from, before.period_to), "/offer_id")?;
    let load: Vec<_> = handed_over.iter().map(VisitRow::load).collect();
    check_capacity(conn, &expert, request.id, &load)?;
    for visit in &handed_over {
        let mut visit = visit.clone();
        visit.expert_id = to;
        visit_store::update(conn, &visit, ctx.now)?;
    }
    records::replace_expert(conn, before.id, from, to)?;
    records::add_expert(conn, before.id, to, offer.id)?;
    crate::offers::service::withdraw_open(conn, ctx, &request)?;

    let old = json!({"expert_id": from, "visits": ids(&ahead)});
    let new = json!({
        "expert_id": to, "offer_id": offer.id, "visits": ids(&held), "handed_over": ids(&handed_over),
    });
    let amendment = NewAmendment {
        kind: AmendmentKind::ExpertReplacement,
        document_number: &body.document_number,
        old: old.clone(),
        new: new.clone(),
        reason: &body.reason,
    };
    records::insert_amendment(conn, ctx, &before, &amendment)?;
    let mut row = before;
    row.amendment_number += 1;
    let row = records::update_dispatch(conn, &row, ctx.now)?;
    let visits = visit_store::of_dispatch(conn, row.id)?;
    require_limits(conn, ctx, &row, &request, &visits)?;
    bind(conn, ctx, &row, BudgetEntryKind::Plan)?;
    refresh_report(conn, ctx, &row, &visits)?;

    let parties = notices::parties(conn, ctx, &row, &request)?;
    let mut items = vec![Item::expert(parties.name_of(from), parties.name_of(to))];
    items.extend(
        replaced
            .iter()
            .filter(|(old, new)| (old.day, old.start_minute) != (new.day, new.start_minute))
            .map(|(old, new)| Item::visit(Some(old), Some(new))),
    );
    let were_ahead = notices::still_ahead(&ahead);
    let told = Amended {
        items: &items,
        reason: Some(&body.reason),
        visits: &visits,
        before: &were_ahead,
        also: &[from],
        newcomer: Some((to, row.rules()?.report_due_days)),
        key: format!("amendment{}", row.amendment_number),
    };
    notices::amended(conn, ctx, &row, &parties, &told)?;
    let audit = Audit::new("dispatch", row.id.0, row.owner_organisation_id).change(old, new).because(body.reason);
    Ok(Outcome::changed(view_of(conn, ctx, &row)?, row.version, audit))
}

fn ids(visits: &[VisitRow]) -> Vec<VisitId> {
    visits.iter().map(|visit| visit.id).collect()
}

/// The accepted offer of the one who takes over, after every value of the body was looked at.
fn checked(conn: &mut Conn, row: &DispatchRow, body: &ReplaceExpertBody) -> Result<OfferRow, Error> {
    let experts = records::experts_of(conn, &[row.id])?;
    let goes = |id| experts.iter().any(|expert| expert.active && expert.expert_id == id);
    let offer = crate::offers::store::accepted_of(conn, row.request_id)?.into_iter().find(|offer| offer.id == body.offer_id);
    let mut fields = Fields::new();
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.optional_line("/document_number", &body.document_number, 100);
    fields.check(
        goes(body.from_expert_id),
        "/from_expert_id",
        "not_in_dispatch",
        "この派遣の専門家を指定してください",
        "Must be an expert of the dispatch",
    );
    match &offer {
        None => fields.wrong(
            "/offer_id",
            "not_accepted",
            "この申請で承諾された依頼を指定してください",
            "Must be an accepted offer of the dispatch's request",
        ),
        Some(offer) => fields.check(
            !goes(offer.expert_id),
            "/offer_id",
            "already_in_dispatch",
            "この専門家はすでにこの派遣の専門家です",
            "This expert already belongs to the dispatch",
        ),
    }
    fields.finish()?;
    offer.ok_or_else(|| Error::new(ErrorCode::ValidationFailed))
}
