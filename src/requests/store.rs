//! SQL of requests: finding them, who sees them, and writing them. The lists that hang on a request are in
//! [`super::children`], lists of requests in [`super::list`].

use chrono::NaiveDate;
use diesel::prelude::*;

pub use super::children::{ParticipantRow, SkillRow, WishedDateRow, interests, participants, preferences, skills, wished_dates};
use super::model::{ActivityKind, Mode, Origin, ReasonCode, RequestStatus};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{offers, programmes, request_participants, requests, visits};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, Versioned};
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, RequestId, UserId};
use crate::offers::model::OfferStatus;

/// A request as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = requests)]
pub struct RequestRow {
    /// Id.
    pub id: RequestId,
    /// The programme it asks.
    pub programme_id: ProgrammeId,
    /// Starting year of the fiscal year in which its period begins.
    pub fiscal_year: i32,
    /// Owner of the programme's pool: who reviews it.
    pub owner_organisation_id: OrganisationId,
    /// For whom it is; with joint applicants the lead body.
    pub applicant_organisation_id: OrganisationId,
    /// Who wrote it: the applicant, or the office for a body without account.
    pub filed_by_organisation_id: OrganisationId,
    /// The person who wrote it.
    pub filed_by_user_id: Option<UserId>,
    /// Asked for by a body, or opened by the prefecture.
    pub origin: Origin,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Theme, as typed.
    pub theme: String,
    /// The theme as it is searched and compared by.
    pub theme_key: String,
    /// Background and issue.
    pub background: String,
    /// What is to be reached.
    pub goal: String,
    /// How the expert takes part.
    pub mode: Mode,
    /// First day of the requested period.
    pub period_from: NaiveDate,
    /// Last day of the requested period.
    pub period_to: NaiveDate,
    /// Visits asked for.
    pub visit_count: i32,
    /// Minutes of each visit.
    pub minutes_per_visit: i32,
    /// Where.
    pub place: String,
    /// Who will attend.
    pub audience: String,
    /// How many will attend.
    pub audience_count: Option<i32>,
    /// Equipment at the place.
    pub equipment: String,
    /// Section in charge.
    pub department: String,
    /// Person in charge.
    pub contact_name: String,
    /// Address of the person in charge; empty: none.
    pub contact_email: String,
    /// Telephone of the person in charge; empty: none.
    pub contact_phone: String,
    /// The choice of the expert is left to the office (事務局一任).
    pub leave_to_office: bool,
    /// How the applicants want to divide the cost.
    pub budget_note: String,
    /// The place lies on a remote island (離島).
    pub on_island: bool,
    /// Codes of the languages that whoever comes has to speak, comma-separated; empty: none asked.
    pub languages: String,
    /// How many experts go as a team; 1: no team.
    pub experts_needed: i32,
    /// The members of the team take the visits in turn instead of all coming each time.
    pub rotation: bool,
    /// The stored state.
    pub status: RequestStatus,
    /// The coded reason of the last return, refusal and the like.
    pub status_reason_code: Option<ReasonCode>,
    /// The reason in words.
    pub status_reason: Option<String>,
    /// When it first reached the office; a correction keeps the place in the order of arrival.
    pub submitted_at: Option<UtcTime>,
    /// The request it was copied from.
    pub copied_from_id: Option<RequestId>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl Versioned for RequestRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// What the applicant writes; its own columns of a request.
#[derive(Debug, Clone, Insertable, AsChangeset)]
#[diesel(table_name = requests, treat_none_as_null = true)]
pub struct Content {
    /// Starting year of the fiscal year in which the period begins.
    pub fiscal_year: i32,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Theme, as typed.
    pub theme: String,
    /// The theme folded.
    pub theme_key: String,
    /// Background and issue.
    pub background: String,
    /// What is to be reached.
    pub goal: String,
    /// How the expert takes part.
    pub mode: Mode,
    /// First day.
    pub period_from: NaiveDate,
    /// Last day.
    pub period_to: NaiveDate,
    /// Visits asked for.
    pub visit_count: i32,
    /// Minutes of each visit.
    pub minutes_per_visit: i32,
    /// Where.
    pub place: String,
    /// Who will attend.
    pub audience: String,
    /// How many will attend.
    pub audience_count: Option<i32>,
    /// Equipment at the place.
    pub equipment: String,
    /// Section in charge.
    pub department: String,
    /// Person in charge.
    pub contact_name: String,
    /// Address of the person in charge.
    pub contact_email: String,
    /// Telephone of the person in charge.
    pub contact_phone: String,
    /// Left to the office.
    pub leave_to_office: bool,
    /// How the applicants want to divide the cost.
    pub budget_note: String,
    /// On a remote island.
    pub on_island: bool,
    /// Languages asked for, comma-separated.
    pub languages: String,
    /// Experts that go as a team.
    pub experts_needed: i32,
    /// The team takes turns.
    pub rotation: bool,
}

impl RequestRow {
    /// The part that the applicant writes.
    pub fn content(&self) -> Content {
        Content {
            fiscal_year: self.fiscal_year,
            activity_kind: self.activity_kind,
            theme: self.theme.clone(),
            theme_key: self.theme_key.clone(),
            background: self.background.clone(),
            goal: self.goal.clone(),
            mode: self.mode,
            period_from: self.period_from,
            period_to: self.period_to,
            visit_count: self.visit_count,
            minutes_per_visit: self.minutes_per_visit,
            place: self.place.clone(),
            audience: self.audience.clone(),
            audience_count: self.audience_count,
            equipment: self.equipment.clone(),
            department: self.department.clone(),
            contact_name: self.contact_name.clone(),
            contact_email: self.contact_email.clone(),
            contact_phone: self.contact_phone.clone(),
            leave_to_office: self.leave_to_office,
            budget_note: self.budget_note.clone(),
            on_island: self.on_island,
            languages: self.languages.clone(),
            experts_needed: self.experts_needed,
            rotation: self.rotation,
        }
    }

    /// Whether the office may know of it: what others have only drafted is theirs alone.
    pub fn has_reached_office(&self) -> bool {
        self.submitted_at.is_some() || self.filed_by_organisation_id == self.owner_organisation_id
    }

    /// Whether an organisation may write it: the applicant itself, or the body that filed it for the applicant.
    pub fn is_written_by(&self, organisation: OrganisationId) -> bool {
        organisation == self.applicant_organisation_id || organisation == self.filed_by_organisation_id
    }
}

/// What a new request has beside its content.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of its pool.
    pub owner: OrganisationId,
    /// For whom.
    pub applicant: OrganisationId,
    /// Who writes it.
    pub filed_by: OrganisationId,
    /// The person who writes it.
    pub filed_by_user: Option<UserId>,
    /// Who began.
    pub origin: Origin,
    /// Copied from.
    pub copied_from: Option<RequestId>,
}

/// The request with an id, whatever the visibility.
pub fn find(conn: &mut Conn, id: RequestId) -> Result<Option<RequestRow>, Error> {
    Ok(requests::table.find(id).select(RequestRow::as_select()).first(conn).optional()?)
}

/// A request that the principal sees, or 404: the applicant and the participating bodies, the owner's coordinators and
/// auditors, experts to whom an offer for it was sent.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = find(conn, id)?.ok_or_else(Error::not_found)?;
    if sees(conn, ctx, &row)? { Ok(row) } else { Err(Error::not_found()) }
}

fn sees(conn: &mut Conn, ctx: &Ctx, row: &RequestRow) -> Result<bool, Error> {
    let me = ctx.organisation();
    if ctx.principal.acts_as == Role::Expert {
        let sent: i64 = offers::table
            .filter(offers::request_id.eq(row.id))
            .filter(offers::expert_id.eq_any(&ctx.principal.expert_ids))
            .filter(offers::sent_at.is_not_null())
            .count()
            .get_result(conn)?;
        return Ok(sent > 0);
    }
    if row.applicant_organisation_id == me || (row.owner_organisation_id == me && sees_as_owner(ctx) && row.has_reached_office())
    {
        return Ok(true);
    }
    let takes_part: i64 = request_participants::table
        .filter(request_participants::request_id.eq(row.id))
        .filter(request_participants::organisation_id.eq(me))
        .count()
        .get_result(conn)?;
    Ok(takes_part > 0)
}

/// Whether the principal looks at an owner's requests as its office does.
pub(super) fn sees_as_owner(ctx: &Ctx) -> bool {
    matches!(ctx.principal.acts_as, Role::PrefecturalCoordinator | Role::Auditor)
}

/// Whether the principal is an expert who has accepted an offer for the request: who then sees contacts and attachments.
pub fn has_accepted(conn: &mut Conn, request: RequestId, experts: &[ExpertId]) -> Result<bool, Error> {
    let accepted: i64 = offers::table
        .filter(offers::request_id.eq(request))
        .filter(offers::expert_id.eq_any(experts))
        .filter(offers::status.eq("accepted"))
        .count()
        .get_result(conn)?;
    Ok(accepted > 0)
}

/// A request to the principal's own office: 404 when not visible, 403 unless a coordinator of the pool's owner.
pub fn owned(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = visible(conn, ctx, id)?;
    allowed(row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator())?;
    Ok(row)
}

/// A request that the principal's organisation writes: 404 when not visible, 403 unless applicant or filer.
pub fn written(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = visible(conn, ctx, id)?;
    allowed(row.is_written_by(ctx.organisation()))?;
    Ok(row)
}

/// A request of the principal's own organisation: 404 when not visible, 403 when it only takes part or looks on.
pub fn applied(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = visible(conn, ctx, id)?;
    allowed(row.applicant_organisation_id == ctx.organisation())?;
    Ok(row)
}

/// 403 unless `right`.
pub fn allowed(right: bool) -> Result<(), Error> {
    if right { Ok(()) } else { Err(Error::new(ErrorCode::Forbidden)) }
}

/// Adds a draft.
pub fn insert(conn: &mut Conn, new: &NewRequest, content: &Content, now: UtcTime) -> Result<RequestRow, Error> {
    Ok(diesel::insert_into(requests::table)
        .values((
            content,
            requests::programme_id.eq(new.programme_id),
            requests::owner_organisation_id.eq(new.owner),
            requests::applicant_organisation_id.eq(new.applicant),
            requests::filed_by_organisation_id.eq(new.filed_by),
            requests::filed_by_user_id.eq(new.filed_by_user),
            requests::origin.eq(new.origin),
            requests::copied_from_id.eq(new.copied_from),
            requests::status.eq(RequestStatus::Draft),
            requests::created_at.eq(now),
            requests::updated_at.eq(now),
        ))
        .returning(requests::all_columns)
        .get_result(conn)?)
}

/// Writes the content; 412 when the request has changed since it was read.
pub fn update(conn: &mut Conn, row: &RequestRow, content: &Content, now: UtcTime) -> Result<RequestRow, Error> {
    diesel::update(requests::table.filter(requests::id.eq(row.id)).filter(requests::version.eq(row.version)))
        .set((content, requests::version.eq(requests::version + 1), requests::updated_at.eq(now)))
        .returning(requests::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Moves the request to a state, with the reason where there is one (an earlier one is forgotten); 412 when the request
/// has changed since it was read.
pub fn set_status(
    conn: &mut Conn,
    row: &RequestRow,
    status: RequestStatus,
    reason: Option<(ReasonCode, &str)>,
    now: UtcTime,
) -> Result<RequestRow, Error> {
    diesel::update(requests::table.filter(requests::id.eq(row.id)).filter(requests::version.eq(row.version)))
        .set((
            requests::status.eq(status),
            requests::status_reason_code.eq(reason.map(|(code, _)| code)),
            requests::status_reason.eq(reason.map(|(_, text)| text).filter(|text| !text.is_empty())),
            requests::version.eq(requests::version + 1),
            requests::updated_at.eq(now),
        ))
        .returning(requests::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Moves the request to the state that submitting leads to; `submitted_at` is absent while an approver has yet to agree.
pub fn set_submitted(
    conn: &mut Conn,
    row: &RequestRow,
    status: RequestStatus,
    submitted_at: Option<UtcTime>,
    now: UtcTime,
) -> Result<RequestRow, Error> {
    diesel::update(requests::table.filter(requests::id.eq(row.id)).filter(requests::version.eq(row.version)))
        .set((
            requests::status.eq(status),
            requests::submitted_at.eq(submitted_at),
            requests::status_reason_code.eq(None::<ReasonCode>),
            requests::status_reason.eq(None::<String>),
            requests::version.eq(requests::version + 1),
            requests::updated_at.eq(now),
        ))
        .returning(requests::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Makes somebody else the person in charge of open requests of some bodies that name an address; how many.
pub fn hand_over_contact(
    conn: &mut Conn,
    bodies: &[OrganisationId],
    from_address: &str,
    (name, address): (&str, &str),
    now: UtcTime,
) -> Result<usize, Error> {
    let over = [RequestStatus::Rejected, RequestStatus::Withdrawn, RequestStatus::Cancelled];
    Ok(diesel::update(
        requests::table
            .filter(requests::applicant_organisation_id.eq_any(bodies))
            .filter(requests::contact_email.eq(from_address))
            .filter(requests::status.ne_all(over)),
    )
    .set((
        requests::contact_name.eq(name),
        requests::contact_email.eq(address),
        requests::version.eq(requests::version + 1),
        requests::updated_at.eq(now),
    ))
    .execute(conn)?)
}

/// Raises the version after a change to something that hangs on the request.
pub fn touch(conn: &mut Conn, row: &RequestRow, now: UtcTime) -> Result<RequestRow, Error> {
    diesel::update(requests::table.filter(requests::id.eq(row.id)).filter(requests::version.eq(row.version)))
        .set((requests::version.eq(requests::version + 1), requests::updated_at.eq(now)))
        .returning(requests::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// The other requests of the same applicant, programme and fiscal year that yearly limits count: id and folded theme.
pub fn counting_beside(conn: &mut Conn, row: &RequestRow) -> Result<Vec<(RequestId, String)>, Error> {
    Ok(requests::table
        .filter(requests::applicant_organisation_id.eq(row.applicant_organisation_id))
        .filter(requests::programme_id.eq(row.programme_id))
        .filter(requests::fiscal_year.eq(row.fiscal_year))
        .filter(requests::id.ne(row.id))
        .filter(requests::status.eq_any(RequestStatus::COUNTING))
        .order(requests::id)
        .select((requests::id, requests::theme_key))
        .load(conn)?)
}

/// Who goes for each of these requests: the experts that accepted or, where nobody has, those that were wished for.
pub fn experts_of(conn: &mut Conn, ids: &[RequestId]) -> Result<Vec<(RequestId, ExpertId)>, Error> {
    let mut found: Vec<(RequestId, ExpertId)> = offers::table
        .filter(offers::request_id.eq_any(ids))
        .filter(offers::status.eq("accepted"))
        .select((offers::request_id, offers::expert_id))
        .load(conn)?;
    let open: Vec<RequestId> = ids.iter().copied().filter(|id| !found.iter().any(|(request, _)| request == id)).collect();
    found.extend(super::children::preferences_of(conn, &open)?);
    Ok(found)
}

/// Several requests, whoever asks, by id.
pub fn find_many(conn: &mut Conn, ids: &[RequestId]) -> Result<Vec<RequestRow>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let rows: Vec<RequestRow> =
            requests::table.filter(requests::id.eq_any(some)).order(requests::id).select(RequestRow::as_select()).load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// How many waiting requests of the programme's year reached the office before this one.
pub fn waiting_before(conn: &mut Conn, row: &RequestRow) -> Result<i64, Error> {
    Ok(requests::table
        .filter(requests::programme_id.eq(row.programme_id))
        .filter(requests::fiscal_year.eq(row.fiscal_year))
        .filter(requests::status.eq(RequestStatus::Waitlisted))
        .filter(requests::id.ne(row.id))
        .filter(requests::submitted_at.lt(row.submitted_at))
        .count()
        .get_result(conn)?)
}

/// The visits that stand for a request: day, mode, planned minutes.
pub fn planned_visits(conn: &mut Conn, id: RequestId) -> Result<Vec<super::facts::PlannedVisit>, Error> {
    Ok(visits::table
        .filter(visits::request_id.eq(id))
        .filter(visits::status.eq_any(["held", "planned", "done"]))
        .order(visits::id)
        .select((visits::day, visits::mode, visits::planned_minutes))
        .load(conn)?)
}

fn stale() -> Error {
    Error::new(ErrorCode::StaleVersion)
}

/// The accepted requests of a pool for which no offer stands, by id.
pub fn waiting_for_experts(conn: &mut Conn, pool: PoolId, only: &[ProgrammeId]) -> Result<Vec<RequestRow>, Error> {
    accepted(conn, pool, only, false)
}

/// The accepted requests of a pool for teams, for which some offer stands, by id: perhaps not everybody has been asked.
pub fn teams_asked(conn: &mut Conn, pool: PoolId, only: &[ProgrammeId]) -> Result<Vec<RequestRow>, Error> {
    accepted(conn, pool, only, true)
}

fn accepted(conn: &mut Conn, pool: PoolId, only: &[ProgrammeId], teams_asked: bool) -> Result<Vec<RequestRow>, Error> {
    let standing: Vec<OfferStatus> = OfferStatus::ALL.iter().copied().filter(|status| status.stands()).collect();
    let asked = offers::table.filter(offers::request_id.eq(requests::id)).filter(offers::status.eq_any(standing));
    let asked = diesel::dsl::exists(asked);
    let mut query = requests::table
        .inner_join(programmes::table)
        .filter(programmes::pool_id.eq(pool))
        .filter(requests::status.eq(RequestStatus::Accepted))
        .order(requests::id)
        .select(RequestRow::as_select())
        .into_boxed();
    query = match teams_asked {
        true => query.filter(asked).filter(requests::experts_needed.gt(1)),
        false => query.filter(diesel::dsl::not(asked)),
    };
    if !only.is_empty() {
        query = query.filter(requests::programme_id.eq_any(only.to_vec()));
    }
    Ok(query.load(conn)?)
}

/// The requests of a pool that reached the office and are not accepted yet, those on the waiting list among them, by id.
pub fn not_yet_accepted(conn: &mut Conn, pool: PoolId, only: &[ProgrammeId]) -> Result<Vec<RequestRow>, Error> {
    let mut query = requests::table
        .inner_join(programmes::table)
        .filter(programmes::pool_id.eq(pool))
        .filter(requests::status.eq_any([RequestStatus::Submitted, RequestStatus::Waitlisted]))
        .order(requests::id)
        .select(RequestRow::as_select())
        .into_boxed();
    if !only.is_empty() {
        query = query.filter(requests::programme_id.eq_any(only.to_vec()));
    }
    Ok(query.load(conn)?)
}

/// The requests that wait for review and have not changed since before an instant.
pub fn untouched_since(conn: &mut Conn, before: UtcTime) -> Result<Vec<RequestRow>, Error> {
    Ok(requests::table
        .filter(requests::status.eq(RequestStatus::Submitted))
        .filter(requests::updated_at.le(before))
        .order(requests::id)
        .select(RequestRow::as_select())
        .load(conn)?)
}
