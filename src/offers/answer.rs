//! The expert's answer: accepted, declined or other dates proposed; signed in, by the one-time link, or entered by the office
//! on the expert's word. All three ways come through [`answer`].

use std::collections::BTreeSet;

use serde_json::json;

use super::holds;
use super::mails::{self, News};
use super::model::{self, AnsweredVia, DeclineReason, OfferStatus, OfferVerb, OfferedVisit};
use super::service::{self, Next};
use super::store::{self, OfferRecord, OfferRow};
use super::views::{AcceptOfferBody, DeclineOfferBody, OfferView, ProposeDatesBody};
use crate::auth::policy::Role;
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::OrganisationId;
use crate::requests::store::RequestRow;

/// What the expert answers.
#[derive(Debug)]
pub enum Answer {
    /// Goes.
    Accept,
    /// Does not go.
    Decline(DeclineReason),
    /// Would go on other dates: all visits as the expert could make them.
    ProposeDates(Vec<OfferedVisit>),
}

impl Answer {
    fn verb(&self) -> OfferVerb {
        match self {
            Self::Accept => OfferVerb::Accept,
            Self::Decline(_) => OfferVerb::Decline,
            Self::ProposeDates(_) => OfferVerb::ProposeDates,
        }
    }
}

/// How a signed-in principal answers: experts for themselves, the office on the expert's word.
fn via(ctx: &Ctx) -> AnsweredVia {
    if ctx.principal.acts_as == Role::Expert { AnsweredVia::Account } else { AnsweredVia::Office }
}

/// Accepts, signed in.
pub fn accept(conn: &mut Conn, ctx: &Ctx, seen: OfferRecord, body: AcceptOfferBody) -> Result<Outcome<OfferView>, Error> {
    signed_in(conn, ctx, &seen, Answer::Accept, &body.note)
}

/// Declines, signed in.
pub fn decline(conn: &mut Conn, ctx: &Ctx, seen: OfferRecord, body: DeclineOfferBody) -> Result<Outcome<OfferView>, Error> {
    signed_in(conn, ctx, &seen, Answer::Decline(body.reason_code), &body.note)
}

/// Proposes other dates, signed in.
pub fn propose_dates(conn: &mut Conn, ctx: &Ctx, seen: OfferRecord, body: ProposeDatesBody) -> Result<Outcome<OfferView>, Error> {
    let visits = body.visits.into_iter().map(Into::into).collect();
    signed_in(conn, ctx, &seen, Answer::ProposeDates(visits), &body.note)
}

fn signed_in(conn: &mut Conn, ctx: &Ctx, seen: &OfferRecord, given: Answer, note: &str) -> Result<Outcome<OfferView>, Error> {
    let (answered, audit) = answer(conn, ctx, seen, via(ctx), given, note)?;
    let view = service::view_of(conn, ctx, answered.id)?;
    Ok(Outcome::changed(view, answered.version, audit))
}

/// Writes an answer under the request's lock, with everything that follows from it: held visits, the next in the queue, the
/// mails. 409 when the offer is no longer open for it, has expired, or the expert cannot come any more; 412 when the offer
/// is another than was read.
pub fn answer(
    conn: &mut Conn,
    ctx: &Ctx,
    seen: &OfferRecord,
    via: AnsweredVia,
    given: Answer,
    note: &str,
) -> Result<(OfferRow, Audit), Error> {
    let verb = given.verb();
    let (request, offer) = service::under_lock(conn, ctx, &seen.offer, verb)?;
    if verb != OfferVerb::Decline {
        service::require_accepted(conn, &request)?;
    }
    let mut fields = Fields::new();
    fields.text("/note", note, 2000);
    let visits = match &given {
        Answer::ProposeDates(visits) => {
            let rules = service::rules_of(conn, &request)?;
            model::check_visits(&mut fields, "/visits", visits, &service::frame_of(&request, &rules, ctx.now)?);
            visits.clone()
        }
        Answer::Accept | Answer::Decline(_) => store::visits_of(conn, offer.id)?.iter().map(OfferedVisit::from).collect(),
    };
    fields.finish()?;
    let name = seen.expert_name.as_str();
    match given {
        Answer::Accept => {
            let held = take(conn, ctx, &request, &offer, &visits)?;
            let answered = store::mark_answered(conn, &offer, OfferStatus::Accepted, via, None, note, ctx.now)?;
            mails::to_office(conn, ctx, &request, &answered, name, &News::Accepted { visits: &visits })?;
            let audit = event(&request, &offer, &answered, json!({"visits": held}));
            Ok((answered, audit))
        }
        Answer::Decline(reason) => {
            let answered = store::mark_answered(conn, &offer, OfferStatus::Declined, via, Some(reason), note, ctx.now)?;
            let next = service::send_next(conn, ctx, &request)?;
            let next_expert = next.sent.as_ref().map(|(_, name)| name.clone());
            let said = if note.is_empty() { reason.label_ja().to_owned() } else { format!("{}：{note}", reason.label_ja()) };
            let news = News::Declined { reason: Some(said), next_expert };
            mails::to_office(conn, ctx, &request, &answered, name, &news)?;
            let mut audit = event(&request, &offer, &answered, followed_by(&next));
            audit.reason = Some(if note.is_empty() { reason.to_string() } else { format!("{reason}: {note}") });
            Ok((answered, audit))
        }
        Answer::ProposeDates(_) => {
            store::insert_visits(conn, offer.id, &visits, true)?;
            let answered = store::mark_answered(conn, &offer, OfferStatus::DatesProposed, via, None, note, ctx.now)?;
            mails::to_office(conn, ctx, &request, &answered, name, &News::DatesProposed { visits: &visits })?;
            let days: Vec<_> = visits.iter().map(|visit| visit.day).collect();
            let audit = event(&request, &offer, &answered, json!({"proposed_days": days}));
            Ok((answered, audit))
        }
    }
}

/// Holds the visits for an acceptance: under the expert's lock, which follows the request's, the standing and the agreed load
/// are checked; an overlap is refused by the database.
fn take(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    offer: &OfferRow,
    visits: &[OfferedVisit],
) -> Result<Vec<crate::ids::VisitId>, Error> {
    lock_row(conn, Lockable::Expert, offer.expert_id.0)?;
    let expert = service::expert_of(conn, offer)?;
    service::require_available(&service::standing_of(conn, &expert)?, visits, request)?;
    let added: Vec<_> = visits.iter().map(|visit| visit.load(request.period_from)).collect();
    crate::experts::load::check_capacity(conn, &expert, request.id, &added)?;
    let buffer = service::rules_of(conn, request)?.rules.travel_buffer_minutes;
    let mut bodies: BTreeSet<OrganisationId> =
        crate::requests::store::participants(conn, request.id)?.into_iter().map(|body| body.organisation_id).collect();
    bodies.insert(request.applicant_organisation_id);
    holds::hold(conn, request, offer, visits, buffer, &bodies, ctx.now)
}

/// What followed from a declined or expired offer, for its audit event.
pub(super) fn followed_by(next: &Next) -> serde_json::Value {
    json!({"next_offer": next.sent.as_ref().map(|(offer, _)| offer.id), "skipped_offers": next.skipped})
}

/// The audit event of an offer that an answer or the clock has ended.
pub(super) fn event(request: &RequestRow, before: &OfferRow, after: &OfferRow, facts: serde_json::Value) -> Audit {
    Audit::new("offer", after.id.0, request.owner_organisation_id).change(
        json!({"status": before.status}),
        json!({"status": after.status, "answered_via": after.answered_via, "followed_by": facts}),
    )
}
