//! SQL of offers and the visits they ask for, and who sees an offer.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{AnsweredVia, DeclineReason, OfferStatus, OfferedVisit};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::dialect::insert_rows;
use crate::db::schema::{experts, offer_visits, offers, organisations, programmes, requests};
use crate::db::{Conn, Day, Ids};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, Versioned};
use crate::ids::{ExpertId, OfferId, OrganisationId, PoolId, ProgrammeId, RequestId, UserId};
use crate::requests::model::{Mode, RequestStatus};

/// An offer.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = offers)]
pub struct OfferRow {
    /// Id.
    pub id: OfferId,
    /// The request it is for.
    pub request_id: RequestId,
    /// The expert asked.
    pub expert_id: ExpertId,
    /// Place in the order of preference, from 1.
    pub rank: i32,
    /// Where it stands.
    pub status: OfferStatus,
    /// A word of the coordinator.
    pub message: String,
    /// Who proposed the expert.
    pub proposed_by: Option<UserId>,
    /// Hours the expert has to answer.
    pub valid_hours: i32,
    /// When it was last sent.
    pub sent_at: Option<UtcTime>,
    /// First instant that is too late for an answer.
    pub expires_at: Option<UtcTime>,
    /// When it was answered.
    pub answered_at: Option<UtcTime>,
    /// How the answer arrived.
    pub answered_via: Option<AnsweredVia>,
    /// Why the expert does not go.
    pub answer_reason_code: Option<DeclineReason>,
    /// What the expert wrote.
    pub answer_note: String,
    /// SHA-256 of the one-time link's token.
    pub token_hash: Option<String>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

/// A visit an offer asks for, or the expert proposes instead.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = offer_visits)]
pub struct OfferVisitRow {
    /// Id of the row.
    pub id: i64,
    /// The offer.
    pub offer_id: OfferId,
    /// Place in the list, from 0.
    pub position: i32,
    /// The Japanese day; `None`: to be arranged.
    pub day: Option<NaiveDate>,
    /// When it begins, in minutes of the day.
    pub start_minute: Option<i32>,
    /// How long it lasts, in minutes.
    pub minutes: i32,
    /// How it takes place.
    pub mode: Mode,
    /// Where.
    pub place: String,
    /// Proposed by the expert, not asked for.
    pub proposed: bool,
}

impl From<&OfferVisitRow> for OfferedVisit {
    fn from(row: &OfferVisitRow) -> Self {
        Self { day: row.day, start_minute: row.start_minute, minutes: row.minutes, mode: row.mode, place: row.place.clone() }
    }
}

/// An offer with the facts people need beside it.
#[derive(Debug, Clone, Queryable)]
pub struct OfferRecord {
    /// The offer.
    pub offer: OfferRow,
    /// Name of the expert.
    pub expert_name: String,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Who applied.
    pub applicant_organisation_id: OrganisationId,
    /// Name of the applicant.
    pub applicant_name: String,
    /// Theme of the request.
    pub theme: String,
}

impl Versioned for OfferRecord {
    fn version(&self) -> i64 {
        self.offer.version
    }
}

/// Whose offers are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All offers for requests of pools that the organisation owns.
    Owner(OrganisationId),
    /// Offers that were sent to these experts. What only waits in a queue is none of their business yet.
    Experts(Vec<ExpertId>),
    /// Any offer: for the one-time link and for jobs.
    Any,
}

/// What the principal sees: the office and its auditors the offers of their own pools, an expert the own ones, nobody
/// else any.
pub fn scope(ctx: &Ctx) -> Scope {
    match ctx.principal.acts_as {
        Role::PrefecturalCoordinator | Role::Auditor => Scope::Owner(ctx.organisation()),
        Role::Expert => Scope::Experts(ctx.principal.expert_ids.clone()),
        _ => Scope::Experts(Vec::new()),
    }
}

/// Which offers: every condition that is given must hold.
#[derive(Debug, Clone)]
pub struct OfferFilter {
    /// Whose.
    pub scope: Scope,
    /// This offer only.
    pub id: Option<OfferId>,
    /// Of this request only.
    pub request_id: Option<RequestId>,
    /// To this expert only.
    pub expert_id: Option<ExpertId>,
    /// In one of these states; empty: in any.
    pub statuses: Vec<OfferStatus>,
    /// With this link only.
    pub token_hash: Option<String>,
}

impl OfferFilter {
    /// All offers of a scope.
    pub fn all(scope: Scope) -> Self {
        Self { scope, id: None, request_id: None, expert_id: None, statuses: Vec::new(), token_hash: None }
    }
}

/// Narrows a boxed query over offers and their requests to what a filter leaves: one for lists and for counts.
macro_rules! offers_filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        let filter: &OfferFilter = $filter;
        match &filter.scope {
            Scope::Owner(owner) => query = query.filter(requests::owner_organisation_id.eq(*owner)),
            Scope::Experts(ids) => {
                query = query.filter(offers::expert_id.eq_any(ids.clone())).filter(offers::sent_at.is_not_null())
            }
            Scope::Any => {}
        }
        if let Some(id) = filter.id {
            query = query.filter(offers::id.eq(id));
        }
        if let Some(id) = filter.request_id {
            query = query.filter(offers::request_id.eq(id));
        }
        if let Some(id) = filter.expert_id {
            query = query.filter(offers::expert_id.eq(id));
        }
        if !filter.statuses.is_empty() {
            query = query.filter(offers::status.eq_any(filter.statuses.clone()));
        }
        if let Some(hash) = &filter.token_hash {
            query = query.filter(offers::token_hash.eq(hash.clone()));
        }
        query
    }};
}

/// Offers, newest first, from the one before `before` on.
pub fn list(conn: &mut Conn, filter: &OfferFilter, before: Option<OfferId>, limit: i64) -> Result<Vec<OfferRecord>, Error> {
    let mut query = offers::table
        .inner_join(requests::table)
        .inner_join(experts::table)
        .inner_join(organisations::table.on(organisations::id.eq(requests::applicant_organisation_id)))
        .order(offers::id.desc())
        .limit(limit)
        .select((
            OfferRow::as_select(),
            experts::name,
            requests::owner_organisation_id,
            organisations::id,
            organisations::name,
            requests::theme,
        ))
        .into_boxed();
    query = offers_filtered!(query, filter);
    if let Some(id) = before {
        query = query.filter(offers::id.lt(id));
    }
    Ok(query.load(conn)?)
}

/// How many offers the same filter leaves.
pub fn count(conn: &mut Conn, filter: &OfferFilter) -> Result<i64, Error> {
    let query = offers::table.inner_join(requests::table).select(diesel::dsl::count_star()).into_boxed();
    Ok(offers_filtered!(query, filter).first(conn)?)
}

/// The offers of an owner that wait for an answer, the soonest to end first.
pub fn soonest_to_end(conn: &mut Conn, owner: OrganisationId, most: i64) -> Result<Vec<OfferRecord>, Error> {
    Ok(offers::table
        .inner_join(requests::table)
        .inner_join(experts::table)
        .inner_join(organisations::table.on(organisations::id.eq(requests::applicant_organisation_id)))
        .filter(requests::owner_organisation_id.eq(owner))
        .filter(offers::status.eq_any(WAITING))
        .order((offers::expires_at, offers::id))
        .limit(most)
        .select((
            OfferRow::as_select(),
            experts::name,
            requests::owner_organisation_id,
            organisations::id,
            organisations::name,
            requests::theme,
        ))
        .load(conn)?)
}

/// The states in which an answer is awaited: the expert's, or the office's to other dates.
pub const WAITING: [OfferStatus; 2] = [OfferStatus::Sent, OfferStatus::DatesProposed];

/// One offer that the principal sees, or 404.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: OfferId) -> Result<OfferRecord, Error> {
    one(conn, &OfferFilter { id: Some(id), ..OfferFilter::all(scope(ctx)) })?.ok_or_else(Error::not_found)
}

/// The offer a one-time link belongs to.
pub fn by_token(conn: &mut Conn, token_hash: &str) -> Result<Option<OfferRecord>, Error> {
    one(conn, &OfferFilter { token_hash: Some(token_hash.to_owned()), ..OfferFilter::all(Scope::Any) })
}

/// One offer with its facts, whatever the visibility (for services that checked it).
pub fn record(conn: &mut Conn, id: OfferId) -> Result<OfferRecord, Error> {
    one(conn, &OfferFilter { id: Some(id), ..OfferFilter::all(Scope::Any) })?.ok_or_else(Error::not_found)
}

fn one(conn: &mut Conn, filter: &OfferFilter) -> Result<Option<OfferRecord>, Error> {
    Ok(list(conn, filter, None, 1)?.pop())
}

/// All offers of a request by rank; at most twenty.
pub fn of_request(conn: &mut Conn, request: RequestId) -> Result<Vec<OfferRow>, Error> {
    Ok(offers::table.filter(offers::request_id.eq(request)).order(offers::rank).select(OfferRow::as_select()).load(conn)?)
}

/// Who has been asked for some requests and has not said no, or waits to be asked: request, expert, state; by request and rank.
pub fn standing(conn: &mut Conn, requests: &[RequestId]) -> Result<Vec<(RequestId, ExpertId, OfferStatus)>, Error> {
    let requests = Ids::new(conn, requests.iter().map(|id| id.0));
    let rows: Vec<(RequestId, ExpertId, OfferStatus)> = offers::table
        .filter(requests.among(offers::request_id))
        .order((offers::request_id, offers::rank))
        .select((offers::request_id, offers::expert_id, offers::status))
        .load(conn)?;
    Ok(rows.into_iter().filter(|(_, _, status)| status.stands()).collect())
}

/// The accepted offers of a request by rank.
pub fn accepted_of(conn: &mut Conn, request: RequestId) -> Result<Vec<OfferRow>, Error> {
    Ok(offers::table
        .filter(offers::request_id.eq(request))
        .filter(offers::status.eq(OfferStatus::Accepted))
        .order(offers::rank)
        .select(OfferRow::as_select())
        .load(conn)?)
}

/// The visits an offer asks for, in order; not those the expert proposed instead.
pub fn visits_of(conn: &mut Conn, offer: OfferId) -> Result<Vec<OfferVisitRow>, Error> {
    Ok(visits_of_many(conn, &[offer])?.into_iter().filter(|visit| !visit.proposed).collect())
}

/// The visits of several offers, asked for and proposed, in order.
pub fn visits_of_many(conn: &mut Conn, ids: &[OfferId]) -> Result<Vec<OfferVisitRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(offer_visits::table
        .filter(offer_visits::offer_id.eq_any(ids))
        .order((offer_visits::offer_id, offer_visits::proposed, offer_visits::position))
        .select(OfferVisitRow::as_select())
        .load(conn)?)
}

/// Sent offers whose time is over, the longest overdue first, with the request each belongs to.
pub fn due(conn: &mut Conn, now: UtcTime, limit: i64) -> Result<Vec<(OfferId, RequestId)>, Error> {
    Ok(offers::table
        .filter(offers::status.eq(OfferStatus::Sent))
        .filter(offers::expires_at.le(now))
        .order((offers::expires_at, offers::id))
        .limit(limit)
        .select((offers::id, offers::request_id))
        .load(conn)?)
}

/// A new offer, not sent yet.
#[derive(Debug)]
pub struct NewOffer<'a> {
    /// The request.
    pub request_id: RequestId,
    /// The expert.
    pub expert_id: ExpertId,
    /// Place in the order of preference.
    pub rank: i32,
    /// A word of the coordinator.
    pub message: &'a str,
    /// Who proposes the expert.
    pub proposed_by: Option<UserId>,
    /// Hours the expert has to answer.
    pub valid_hours: i32,
}

/// Adds an offer to the queue.
pub fn insert(conn: &mut Conn, new: &NewOffer<'_>, now: UtcTime) -> Result<OfferRow, Error> {
    Ok(diesel::insert_into(offers::table)
        .values((
            offers::request_id.eq(new.request_id),
            offers::expert_id.eq(new.expert_id),
            offers::rank.eq(new.rank),
            offers::status.eq(OfferStatus::Queued),
            offers::message.eq(new.message),
            offers::proposed_by.eq(new.proposed_by),
            offers::valid_hours.eq(new.valid_hours),
            offers::created_at.eq(now),
            offers::updated_at.eq(now),
        ))
        .returning(offers::all_columns)
        .get_result(conn)?)
}

/// Adds visits to an offer: asked for, or proposed by the expert.
pub fn insert_visits(conn: &mut Conn, offer: OfferId, visits: &[OfferedVisit], proposed: bool) -> Result<(), Error> {
    let rows: Vec<_> = (0_i32..)
        .zip(visits)
        .map(|(position, visit)| {
            (
                offer_visits::offer_id.eq(offer),
                offer_visits::position.eq(position),
                offer_visits::day.eq(visit.day),
                offer_visits::start_minute.eq(visit.start_minute),
                offer_visits::minutes.eq(visit.minutes),
                offer_visits::mode.eq(visit.mode),
                offer_visits::place.eq(&visit.place),
                offer_visits::proposed.eq(proposed),
            )
        })
        .collect();
    insert_rows!(conn, offer_visits::table, rows)?;
    Ok(())
}

/// Puts the proposed visits in the place of those that were asked for.
pub fn take_proposed_visits(conn: &mut Conn, offer: OfferId) -> Result<(), Error> {
    let of_offer = offer_visits::table.filter(offer_visits::offer_id.eq(offer));
    diesel::delete(of_offer.filter(offer_visits::proposed.eq(false))).execute(conn)?;
    diesel::update(offer_visits::table.filter(offer_visits::offer_id.eq(offer)))
        .set(offer_visits::proposed.eq(false))
        .execute(conn)?;
    Ok(())
}

fn stale() -> Error {
    Error::new(ErrorCode::StaleVersion)
}

/// Writes that an offer was sent: a new link, a new end, no answer. 412 when somebody changed it since it was read.
pub fn mark_sent(
    conn: &mut Conn,
    offer: &OfferRow,
    valid_hours: i32,
    expires_at: UtcTime,
    token_hash: &str,
    now: UtcTime,
) -> Result<OfferRow, Error> {
    diesel::update(offers::table.filter(offers::id.eq(offer.id)).filter(offers::version.eq(offer.version)))
        .set((
            offers::status.eq(OfferStatus::Sent),
            offers::message.eq(&offer.message),
            offers::valid_hours.eq(valid_hours),
            offers::sent_at.eq(Some(now)),
            offers::expires_at.eq(Some(expires_at)),
            offers::answered_at.eq(None::<UtcTime>),
            offers::answered_via.eq(None::<AnsweredVia>),
            offers::answer_reason_code.eq(None::<DeclineReason>),
            offers::answer_note.eq(""),
            offers::token_hash.eq(Some(token_hash)),
            offers::version.eq(offers::version + 1),
            offers::updated_at.eq(now),
        ))
        .returning(offers::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Writes an answer. 412 when somebody changed the offer since it was read.
pub fn mark_answered(
    conn: &mut Conn,
    offer: &OfferRow,
    status: OfferStatus,
    via: AnsweredVia,
    reason: Option<DeclineReason>,
    note: &str,
    now: UtcTime,
) -> Result<OfferRow, Error> {
    diesel::update(offers::table.filter(offers::id.eq(offer.id)).filter(offers::version.eq(offer.version)))
        .set((
            offers::status.eq(status),
            offers::answered_at.eq(Some(now)),
            offers::answered_via.eq(Some(via)),
            offers::answer_reason_code.eq(reason),
            offers::answer_note.eq(note),
            offers::version.eq(offers::version + 1),
            offers::updated_at.eq(now),
        ))
        .returning(offers::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Writes that an offer ended without an answer of the expert (withdrawn, expired). 412 when somebody changed it since
/// it was read.
pub fn mark_ended(conn: &mut Conn, offer: &OfferRow, status: OfferStatus, now: UtcTime) -> Result<OfferRow, Error> {
    diesel::update(offers::table.filter(offers::id.eq(offer.id)).filter(offers::version.eq(offer.version)))
        .set((offers::status.eq(status), offers::version.eq(offers::version + 1), offers::updated_at.eq(now)))
        .returning(offers::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// An offer that stands and on which nothing has been decided, with the request it is for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct StandingOffer {
    /// Id.
    pub id: OfferId,
    /// The request.
    pub request_id: RequestId,
    /// With whom it stands.
    pub expert_id: ExpertId,
    /// State.
    pub status: OfferStatus,
    /// Programme of the request.
    pub programme_id: ProgrammeId,
    /// Its fiscal year.
    pub fiscal_year: i32,
    /// Who asks.
    pub applicant_organisation_id: OrganisationId,
    /// The theme, as themes are compared.
    pub theme_key: String,
    /// First day of the requested period.
    #[diesel(deserialize_as = Day)]
    pub period_from: NaiveDate,
}

/// Narrows offers to those that stand in some pools, with some experts or all, while nothing has been decided on them.
macro_rules! undecided {
    ($query:expr, $conn:ident, $pools:ident, $only:ident) => {{
        let stands: Vec<OfferStatus> = OfferStatus::ALL.iter().copied().filter(|status| status.stands()).collect();
        let all = $query
            .filter(programmes::pool_id.eq_any($pools))
            .filter(offers::status.eq_any(stands))
            // Of a request that has been decided, those that are to replace somebody and are not answered.
            .filter(
                requests::status
                    .eq(RequestStatus::Accepted)
                    .or(requests::status.eq(RequestStatus::Decided).and(offers::status.ne(OfferStatus::Accepted))),
            )
            .into_boxed();
        match $only {
            Some(experts) => {
                let experts = Ids::new($conn, experts.iter().map(|id| id.0));
                all.filter(experts.among(offers::expert_id))
            }
            None => all,
        }
    }};
}

/// The offers that stand with the experts of some pools, or with some of them, while nothing has been decided on them.
pub fn undecided(conn: &mut Conn, pools: &[PoolId], only: Option<&[ExpertId]>) -> Result<Vec<StandingOffer>, Error> {
    let all = offers::table.inner_join(requests::table.inner_join(programmes::table));
    Ok(undecided!(all, conn, pools, only)
        .order(offers::id)
        .select((
            offers::id,
            offers::request_id,
            offers::expert_id,
            offers::status,
            requests::programme_id,
            requests::fiscal_year,
            requests::applicant_organisation_id,
            requests::theme_key,
            requests::period_from,
        ))
        .load(conn)?)
}

/// The visits of those offers, asked for and proposed.
pub fn visits_undecided(conn: &mut Conn, pools: &[PoolId], only: Option<&[ExpertId]>) -> Result<Vec<OfferVisitRow>, Error> {
    let all = offer_visits::table.inner_join(offers::table.inner_join(requests::table.inner_join(programmes::table)));
    Ok(undecided!(all, conn, pools, only).order(offer_visits::id).select(OfferVisitRow::as_select()).load(conn)?)
}

/// Requests of a pool with the experts who declined an offer for them or let it run out.
pub fn refused_or_expired(conn: &mut Conn, pool: PoolId) -> Result<Vec<(RequestId, ExpertId)>, Error> {
    Ok(offers::table
        .inner_join(requests::table.inner_join(programmes::table))
        .filter(programmes::pool_id.eq(pool))
        .filter(requests::status.eq(crate::requests::model::RequestStatus::Accepted))
        .filter(offers::status.eq_any([OfferStatus::Declined, OfferStatus::Expired]))
        .select((offers::request_id, offers::expert_id))
        .distinct()
        .load(conn)?)
}

/// The offers that wait for the expert's answer and end after `now` and not after `until`.
pub fn unanswered_until(conn: &mut Conn, now: UtcTime, until: UtcTime) -> Result<Vec<OfferRow>, Error> {
    Ok(offers::table
        .filter(offers::status.eq(OfferStatus::Sent))
        .filter(offers::expires_at.gt(now))
        .filter(offers::expires_at.le(until))
        .order(offers::id)
        .select(OfferRow::as_select())
        .load(conn)?)
}
