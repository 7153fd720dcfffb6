//! Use cases of the office: making offers, sending, withdrawing them, taking proposed dates. Answers are in
//! [`super::answer`]. Whoever changes an offer holds its request's lock, so that one offer cannot be answered, expire and be
//! withdrawn at the same time.

use serde_json::json;

use super::holds;
use super::mails;
use super::model::{
    self, ExpertStanding, Hindrance, LONGEST_VALIDITY_HOURS, MOST_OFFERS, OfferStatus, OfferVerb, OfferedVisit, VisitFrame,
};
use super::store::{self, NewOffer, OfferRecord, OfferRow};
use super::views::{CreateOfferBody, OfferView, SendOfferBody, TakeDatesBody, WithdrawOfferBody};
use crate::auth::secrets;
use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::dispatches::model::Party;
use crate::error::{Error, ErrorCode};
use crate::experts::model::{ConflictKind, ExceptionKind, ExpertStatus};
use crate::experts::store::ExpertRow;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OfferId, OrganisationId, RequestId};
use crate::pools::store::YearRow;
use crate::requests::model::RequestStatus;
use crate::requests::store::RequestRow;

pub use super::jobs::expire_due;

/// Locks a request and reads it as it is from then on.
pub(super) fn locked_request(conn: &mut Conn, id: RequestId) -> Result<RequestRow, Error> {
    lock_row(conn, Lockable::Request, id.0)?;
    crate::requests::store::find(conn, id)?.ok_or_else(Error::not_found)
}

/// Whether the request is accepted or its dispatch goes on: then experts are asked, for the dispatch or to replace one who
/// cannot go.
pub(super) fn takes_offers(conn: &mut Conn, request: &RequestRow) -> Result<bool, Error> {
    Ok(match request.status {
        RequestStatus::Accepted => true,
        RequestStatus::Decided => crate::dispatches::store::of_request(conn, request.id)?
            .is_some_and(|dispatch| dispatch.status == crate::dispatches::model::DispatchStatus::Decided),
        _ => false,
    })
}

/// 409 unless experts are asked for the request.
pub(super) fn require_accepted(conn: &mut Conn, request: &RequestRow) -> Result<(), Error> {
    if takes_offers(conn, request)? {
        return Ok(());
    }
    let verbs = request.status.verbs().into_iter().map(|verb| verb.as_str()).collect();
    Err(Error::transition(request.status.as_str(), verbs).detail(
        format!(
            "専門家への依頼は受理した申請（または派遣中の交代）についてのみ行えます（現在は「{}」）",
            request.status.label_ja()
        ),
        format!("Experts are asked for accepted requests and for replacements only (this one is {})", request.status),
    ))
}

/// The rules of the request's fiscal year.
pub(super) fn rules_of(conn: &mut Conn, request: &RequestRow) -> Result<YearRow, Error> {
    crate::pools::store::year(conn, request.programme_id, request.fiscal_year)?.ok_or_else(|| {
        Error::rule(
            "no_rules_for_year",
            "/visits",
            format!("{}年度の事業の規則が設定されていません", request.fiscal_year),
            format!("The programme has no rules for fiscal year {}", request.fiscal_year),
        )
    })
}

/// What the visits of an offer for this request are held against.
pub(super) fn frame_of(request: &RequestRow, rules: &YearRow, now: UtcTime) -> Result<VisitFrame, Error> {
    let fiscal_year = FiscalYear::new(request.fiscal_year).map_err(|error| Error::internal(error.code()))?;
    Ok(VisitFrame { fiscal_year, buffer_minutes: rules.rules.travel_buffer_minutes, now })
}

/// An expert's standing as far as it can hinder a visit.
pub(super) fn standing_of(conn: &mut Conn, expert: &ExpertRow) -> Result<ExpertStanding, Error> {
    Ok(ExpertStanding {
        registered: expert.status == ExpertStatus::Registered,
        appointed_from: expert.appointed_from,
        appointed_to: expert.appointed_to,
        leaves: crate::experts::store::exceptions(conn, expert.id)?
            .into_iter()
            .filter(|exception| exception.kind == ExceptionKind::Leave)
            .map(|leave| (leave.first_day, leave.last_day))
            .collect(),
    })
}

/// 409 when the expert's standing rules the visits out.
pub(super) fn require_available(standing: &ExpertStanding, visits: &[OfferedVisit], request: &RequestRow) -> Result<(), Error> {
    let hindrances = standing.hindrances(visits, (request.period_from, request.period_to));
    let Some((_, first)) = hindrances.first() else { return Ok(()) };
    let (ja, en) = first.words();
    let error = Error::new(ErrorCode::ExpertUnavailable).detail(ja, en);
    Err(hindrances.into_iter().fold(error, |error, (place, hindrance)| {
        let (ja, en) = hindrance.words();
        error.field(pointer_of(place), hindrance.code(), ja, en)
    }))
}

fn pointer_of(place: Option<usize>) -> String {
    place.map_or_else(|| "/expert_id".to_owned(), |i| format!("/visits/{i}"))
}

/// Whether the expert has a conflict of interest on record with a body that takes part or has an interest, or the expert and the
/// applicant refuse one another.
pub(super) fn has_conflict(conn: &mut Conn, ctx: &Ctx, request: &RequestRow, expert: ExpertId) -> Result<bool, Error> {
    let mut bodies: Vec<OrganisationId> =
        crate::requests::store::participants(conn, request.id)?.into_iter().map(|body| body.organisation_id).collect();
    bodies.extend(crate::requests::store::interests(conn, request.id)?);
    bodies.push(request.applicant_organisation_id);
    let (from, to) = (request.period_from.min(ctx.today()), request.period_to);
    let conflicts = crate::experts::store::conflicts(conn, expert)?;
    Ok(conflicts.iter().any(|conflict| {
        let concerns = match conflict.kind {
            ConflictKind::Interest => bodies.contains(&conflict.organisation_id),
            ConflictKind::RefusedByExpert | ConflictKind::RefusedByBody => {
                conflict.organisation_id == request.applicant_organisation_id
            }
        };
        concerns && conflict.valid_from <= to && conflict.valid_to.is_none_or(|end| end > from)
    }))
}

/// The view of an offer as it is now.
pub(super) fn view_of(conn: &mut Conn, ctx: &Ctx, id: OfferId) -> Result<OfferView, Error> {
    let record = store::record(conn, id)?;
    let visits = store::visits_of_many(conn, &[id])?;
    Ok(OfferView::new(record, &visits, ctx.now))
}

fn asked(conn: &mut Conn, offer: OfferId) -> Result<Vec<OfferedVisit>, Error> {
    Ok(store::visits_of(conn, offer)?.iter().map(OfferedVisit::from).collect())
}

/// Makes an offer and sends it, or puts it in the queue.
pub fn create(conn: &mut Conn, ctx: &Ctx, request: RequestRow, body: CreateOfferBody) -> Result<Outcome<OfferView>, Error> {
    let request = locked_request(conn, request.id)?;
    require_accepted(conn, &request)?;
    let earlier = store::of_request(conn, request.id)?;
    let open_before = is_waiting(conn, &request, &earlier)?;
    let rules = rules_of(conn, &request)?;
    let pool = crate::pools::store::programme(conn, request.programme_id)?.pool_id;
    let expert = crate::experts::store::find(conn, body.expert_id)?.filter(|expert| expert.pool_id == pool);
    let visits: Vec<OfferedVisit> = body.visits.into_iter().map(Into::into).collect();

    let mut fields = Fields::new();
    fields.text("/message", &body.message, 2000);
    let valid_hours = body.valid_hours.unwrap_or(rules.rules.offer_valid_hours);
    fields.within("/valid_hours", i64::from(valid_hours), 1, i64::from(LONGEST_VALIDITY_HOURS));
    if let Some(reason) = &body.conflict_override_reason {
        fields.check(
            !reason.trim().is_empty(),
            "/conflict_override_reason",
            "required",
            "理由を入力してください",
            "Give the reason",
        );
        fields.text("/conflict_override_reason", reason, 1000);
    }
    model::check_visits(&mut fields, "/visits", &visits, &frame_of(&request, &rules, ctx.now)?);
    if expert.is_none() {
        fields.wrong(
            "/expert_id",
            "not_in_pool",
            "この事業の人材プールに登録された専門家を指定してください",
            "Must be an expert of the programme's pool",
        );
    }
    fields.finish()?;
    let expert = expert.ok_or_else(|| Error::internal("expert"))?;
    if earlier.iter().any(|offer| offer.expert_id == expert.id && offer.status.stands()) {
        return Err(Error::new(ErrorCode::Duplicate).field(
            "/expert_id",
            "duplicate",
            "この専門家にはすでに依頼しています",
            "This expert has already been asked for this request",
        ));
    }
    refuse_hindered(conn, &request, &expert, &visits)?;
    let conflict = has_conflict(conn, ctx, &request, expert.id)?;
    let override_reason = body.conflict_override_reason.filter(|_| conflict);
    if conflict && override_reason.is_none() {
        return Err(Error::rule(
            "conflict_of_interest",
            "/expert_id",
            "申請団体との利益相反が登録されています。依頼する場合は conflict_override_reason に理由を記載してください",
            "A conflict of interest with the applicant is on record; give conflict_override_reason to ask nevertheless",
        ));
    }
    let rank = earlier.iter().map(|offer| offer.rank).max().unwrap_or(0) + 1;
    if rank > MOST_OFFERS {
        return Err(Error::rule(
            "offers_per_request",
            "/expert_id",
            format!("1件の申請で依頼できるのは{MOST_OFFERS}回までです"),
            format!("At most {MOST_OFFERS} offers for one request"),
        ));
    }

    let new = NewOffer {
        request_id: request.id,
        expert_id: expert.id,
        rank,
        message: &body.message,
        proposed_by: ctx.principal.user_id(),
        valid_hours,
    };
    let mut offer = store::insert(conn, &new, ctx.now)?;
    store::insert_visits(conn, offer.id, &visits, false)?;
    if !(body.queue && open_before) {
        offer = send(conn, ctx, &request, &offer, &expert, &visits)?;
    }
    let mut audit = Audit::new("offer", offer.id.0, request.owner_organisation_id).created(json!({
        "request_id": request.id, "expert_id": expert.id, "rank": rank, "status": offer.status, "valid_hours": valid_hours,
        "days": visits.iter().map(|visit| visit.day).collect::<Vec<_>>(),
        "minutes": visits.iter().map(|visit| visit.minutes).collect::<Vec<_>>(),
        "conflict_overridden": conflict,
    }));
    if let Some(reason) = override_reason {
        audit = audit.because(reason);
    }
    let view = view_of(conn, ctx, offer.id)?;
    Ok(Outcome::created(view, offer.version, format!("/api/v1/offers/{}", offer.id), audit))
}

/// 422 naming every visit that the expert's standing rules out.
fn refuse_hindered(conn: &mut Conn, request: &RequestRow, expert: &ExpertRow, visits: &[OfferedVisit]) -> Result<(), Error> {
    let mut fields = Fields::new();
    for (place, hindrance) in standing_of(conn, expert)?.hindrances(visits, (request.period_from, request.period_to)) {
        let (ja, en) = hindrance.words();
        fields.wrong(pointer_of(place), hindrance.code(), ja, en);
    }
    fields.finish_as(ErrorCode::RuleRefused)
}

/// Sends an offer: a new one-time link, a new end, the mail. The caller has checked that it may go out.
fn send(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    offer: &OfferRow,
    expert: &ExpertRow,
    visits: &[OfferedVisit],
) -> Result<OfferRow, Error> {
    let expires_at = model::expiry(ctx.now, offer.valid_hours, visits).ok_or_else(|| in_the_past(offer))?;
    let token = secrets::generate()?;
    let sent = store::mark_sent(conn, offer, offer.valid_hours, expires_at, &secrets::sha256(token.as_bytes()), ctx.now)?;
    mails::to_expert(conn, ctx, request, &sent, expert, visits, &token)?;
    Ok(sent)
}

fn in_the_past(offer: &OfferRow) -> Error {
    Error::transition(offer.status.as_str(), offer.status.verbs().into_iter().map(|verb| verb.as_str()).collect()).detail(
        "訪問の日時がすでに過ぎているため送付できません",
        "A visit has already begun, so the expert cannot be asked any more",
    )
}

/// An offer as it is under its request's lock, with that request. 409 when its state does not allow the verb, 412 when it
/// is another than the client read.
pub(super) fn under_lock(conn: &mut Conn, ctx: &Ctx, seen: &OfferRow, verb: OfferVerb) -> Result<(RequestRow, OfferRow), Error> {
    let request = locked_request(conn, seen.request_id)?;
    let offer = store::record(conn, seen.id)?.offer;
    let status = offer.status.at(offer.expires_at, ctx.now);
    if status == OfferStatus::Expired && verb != OfferVerb::Withdraw {
        return Err(expired());
    }
    offer.status.after(verb)?;
    if offer.version != seen.version {
        return Err(Error::new(ErrorCode::StaleVersion));
    }
    Ok((request, offer))
}

/// 409 that says an offer's time is over.
pub(super) fn expired() -> Error {
    Error::transition(OfferStatus::Expired.as_str(), Vec::new())
        .detail("回答期限を過ぎたため、この依頼は終了しました", "The offer has expired: the time to answer is over")
}

/// The expert of an offer.
pub(super) fn expert_of(conn: &mut Conn, offer: &OfferRow) -> Result<ExpertRow, Error> {
    crate::experts::store::find(conn, offer.expert_id)?.ok_or_else(|| Error::internal("the expert of an offer is missing"))
}

/// Sends an offer that waits in the queue, by hand.
pub fn send_queued(conn: &mut Conn, ctx: &Ctx, seen: OfferRecord, _: SendOfferBody) -> Result<Outcome<OfferView>, Error> {
    let (request, offer) = under_lock(conn, ctx, &seen.offer, OfferVerb::Send)?;
    require_accepted(conn, &request)?;
    let visits = asked(conn, offer.id)?;
    let expert = expert_of(conn, &offer)?;
    require_available(&standing_of(conn, &expert)?, &visits, &request)?;
    let sent = send(conn, ctx, &request, &offer, &expert, &visits)?;
    changed(conn, ctx, &request, &offer, &sent)
}

/// Takes the dates the expert proposed: they replace those asked for and the expert is asked again.
pub fn take_dates(conn: &mut Conn, ctx: &Ctx, seen: OfferRecord, body: TakeDatesBody) -> Result<Outcome<OfferView>, Error> {
    let (request, mut offer) = under_lock(conn, ctx, &seen.offer, OfferVerb::TakeDates)?;
    require_accepted(conn, &request)?;
    let mut fields = Fields::new();
    let before = offer.clone();
    if let Some(message) = body.message {
        fields.text("/message", &message, 2000);
        offer.message = message;
    }
    if let Some(hours) = body.valid_hours {
        fields.within("/valid_hours", i64::from(hours), 1, i64::from(LONGEST_VALIDITY_HOURS));
        offer.valid_hours = hours;
    }
    fields.finish()?;
    let expert = expert_of(conn, &offer)?;
    store::take_proposed_visits(conn, offer.id)?;
    let visits = asked(conn, offer.id)?;
    require_available(&standing_of(conn, &expert)?, &visits, &request)?;
    let sent = send(conn, ctx, &request, &offer, &expert, &visits)?;
    changed(conn, ctx, &request, &before, &sent)
}

fn changed(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    before: &OfferRow,
    after: &OfferRow,
) -> Result<Outcome<OfferView>, Error> {
    let audit = Audit::new("offer", after.id.0, request.owner_organisation_id).change(
        json!({"status": before.status, "expires_at": before.expires_at}),
        json!({"status": after.status, "expires_at": after.expires_at, "valid_hours": after.valid_hours}),
    );
    let view = view_of(conn, ctx, after.id)?;
    Ok(Outcome::changed(view, after.version, audit))
}

/// Takes an offer back. What an accepted one holds is released; once the dispatch is decided, the dispatch is to be
/// changed instead. Nobody is asked automatically: the office is at work on it.
pub fn withdraw(conn: &mut Conn, ctx: &Ctx, seen: OfferRecord, body: WithdrawOfferBody) -> Result<Outcome<OfferView>, Error> {
    let (request, offer) = under_lock(conn, ctx, &seen.offer, OfferVerb::Withdraw)?;
    let used = offer.status == OfferStatus::Accepted && !holds::offers_holding(conn, request.id)?.contains(&offer.id);
    if used && matches!(request.status, RequestStatus::Decided | RequestStatus::Cancelled) {
        return Err(Error::transition(offer.status.as_str(), Vec::new()).detail(
            "派遣決定後は依頼を取り消せません。派遣の変更または中止の手続きをしてください",
            "The dispatch is decided: amend or cancel the dispatch instead",
        ));
    }
    let mut fields = Fields::new();
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 1000);
    fields.finish()?;
    let (ended, released) =
        withdraw_one(conn, ctx, &request, &offer, body.party.unwrap_or(Party::Prefecture), Some(&body.reason))?;
    let audit = Audit::new("offer", ended.id.0, request.owner_organisation_id)
        .change(json!({"status": offer.status}), json!({"status": ended.status, "visits_released": released}))
        .because(body.reason);
    let view = view_of(conn, ctx, ended.id)?;
    Ok(Outcome::changed(view, ended.version, audit))
}

fn withdraw_one(
    conn: &mut Conn,
    ctx: &Ctx,
    request: &RequestRow,
    offer: &OfferRow,
    party: Party,
    reason: Option<&str>,
) -> Result<(OfferRow, usize), Error> {
    let had_accepted = offer.status == OfferStatus::Accepted;
    let was_told = offer.status != OfferStatus::Queued;
    let ended = store::mark_ended(conn, offer, OfferStatus::Withdrawn, ctx.now)?;
    let released = if had_accepted { holds::release(conn, offer.id, party, reason, ctx.now)? } else { 0 };
    if was_told {
        let visits = asked(conn, offer.id)?;
        let expert = expert_of(conn, offer)?;
        mails::withdrawn_to_expert(conn, ctx, request, &ended, &expert, &visits, had_accepted)?;
    }
    Ok((ended, released))
}

/// Closes what a request leaves open, for callers that move the request on (decision, rejection, withdrawal) and hold its
/// lock: queued and sent offers are withdrawn, and visits that are still *held* are cancelled together with the accepted
/// offers they belong to. At the decision, call it after the dispatch's visits have become `planned`: what is held then
/// is what the dispatch does not use. Experts who knew of the offer are told. Leaves no audit event of its own: the
/// caller's event tells the change. Returns how many offers were withdrawn.
pub fn withdraw_open(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<usize, Error> {
    let offers = store::of_request(conn, request.id)?;
    if offers.is_empty() {
        return Ok(0);
    }
    let holding = holds::offers_holding(conn, request.id)?;
    let mut withdrawn = 0;
    for offer in offers {
        let ends = match offer.status {
            OfferStatus::Accepted => holding.contains(&offer.id),
            status => status.stands(),
        };
        if ends {
            withdraw_one(conn, ctx, request, &offer, Party::Prefecture, None)?;
            withdrawn += 1;
        }
    }
    Ok(withdrawn)
}

/// Whether somebody has yet to answer, or has accepted and waits for the decision or the replacement. Those who already
/// belong to the decided dispatch wait for nothing.
fn is_waiting(conn: &mut Conn, request: &RequestRow, offers: &[OfferRow]) -> Result<bool, Error> {
    if offers.iter().any(|offer| offer.status.is_open()) {
        return Ok(true);
    }
    let accepted: Vec<OfferId> =
        offers.iter().filter(|offer| offer.status == OfferStatus::Accepted).map(|offer| offer.id).collect();
    if request.status == RequestStatus::Accepted || accepted.is_empty() {
        return Ok(!accepted.is_empty());
    }
    Ok(holds::offers_holding(conn, request.id)?.iter().any(|id| accepted.contains(id)))
}

/// What asking the next in line came to.
#[derive(Debug, Default)]
pub struct Next {
    /// The offer that was sent, with the name of its expert.
    pub sent: Option<(OfferRow, String)>,
    /// Queued offers that could not go out any more (visits begun, expert no longer available) and were withdrawn.
    pub skipped: Vec<OfferId>,
}

/// Asks the next in the queue, if nobody else is asked or waits for the decision and the request is still to be matched. The caller holds
/// the request's lock.
pub fn send_next(conn: &mut Conn, ctx: &Ctx, request: &RequestRow) -> Result<Next, Error> {
    let mut next = Next::default();
    if !matches!(request.status, RequestStatus::Accepted | RequestStatus::Decided) {
        return Ok(next);
    }
    let offers = store::of_request(conn, request.id)?;
    if is_waiting(conn, request, &offers)? {
        return Ok(next);
    }
    // The applicant's order of preference, then the order in which the office put them in line.
    let wished = crate::requests::store::preferences(conn, request.id)?;
    let mut queued: Vec<OfferRow> = offers.into_iter().filter(|offer| offer.status == OfferStatus::Queued).collect();
    queued.sort_by_key(|offer| (wished.iter().position(|expert| *expert == offer.expert_id).unwrap_or(usize::MAX), offer.rank));
    for offer in queued {
        let visits = asked(conn, offer.id)?;
        let expert = expert_of(conn, &offer)?;
        let hindrances: Vec<(Option<usize>, Hindrance)> =
            standing_of(conn, &expert)?.hindrances(&visits, (request.period_from, request.period_to));
        if !hindrances.is_empty() || model::expiry(ctx.now, offer.valid_hours, &visits).is_none() {
            store::mark_ended(conn, &offer, OfferStatus::Withdrawn, ctx.now)?;
            next.skipped.push(offer.id);
            continue;
        }
        next.sent = Some((send(conn, ctx, request, &offer, &expert, &visits)?, expert.name));
        break;
    }
    Ok(next)
}
