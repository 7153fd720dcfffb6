//! SQL of what hangs on a request: wished dates, skills, preferred experts, joint applicants, interested bodies.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::dialect::insert_rows;
use crate::db::schema::{
    experts, memberships, organisations, request_interests, request_participants, request_preferences, request_skills,
    request_wished_dates, skill_items,
};
use crate::error::Error;
use crate::ids::{ExpertId, OrganisationId, RequestId, SkillItemId, UserId};

/// A wished date, in the order of the wish.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct WishedDateRow {
    /// 1 is the first wish.
    pub rank: i32,
    /// The Japanese day.
    pub day: NaiveDate,
    /// From this minute of the day; absent together with `end_minute`: any time.
    pub start_minute: Option<i32>,
    /// Until this minute of the day.
    pub end_minute: Option<i32>,
}

/// A skill that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct SkillRow {
    /// The item of a framework.
    pub skill_item_id: SkillItemId,
    /// Its name.
    pub name: String,
    /// The level from which on it is met, 1 the lowest.
    pub min_level: i32,
    /// Whether it excludes those who lack it.
    pub must: bool,
    /// Required skills of the request with the same number are alternatives: one of them is enough.
    pub alternative_group: Option<i32>,
    /// Whether a level that was only claimed does not count.
    pub verified_only: bool,
}

/// A skill to ask for, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedSkill {
    /// The item of a framework.
    pub skill_item_id: SkillItemId,
    /// The level from which on it is met.
    pub min_level: i32,
    /// Whether it excludes those who lack it.
    pub must: bool,
    /// The number of the alternatives it is one of.
    pub alternative_group: Option<i32>,
    /// Whether a level that was only claimed does not count.
    pub verified_only: bool,
}

impl From<SkillRow> for AskedSkill {
    fn from(row: SkillRow) -> Self {
        Self {
            skill_item_id: row.skill_item_id,
            min_level: row.min_level,
            must: row.must,
            alternative_group: row.alternative_group,
            verified_only: row.verified_only,
        }
    }
}

/// A body that takes part: the applicant as lead, and joint applicants.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct ParticipantRow {
    /// The body.
    pub organisation_id: OrganisationId,
    /// Whether it is the applicant.
    pub is_lead: bool,
    /// When it agreed; absent: not yet.
    pub consented_at: Option<UtcTime>,
    /// Who recorded the consent.
    pub consented_by: Option<UserId>,
}

/// The wished dates of a request in order.
pub fn wished_dates(conn: &mut Conn, id: RequestId) -> Result<Vec<WishedDateRow>, Error> {
    Ok(request_wished_dates::table
        .filter(request_wished_dates::request_id.eq(id))
        .order(request_wished_dates::rank)
        .select((
            request_wished_dates::rank,
            request_wished_dates::day,
            request_wished_dates::start_minute,
            request_wished_dates::end_minute,
        ))
        .load(conn)?)
}

/// The skills asked for, required ones first.
pub fn skills(conn: &mut Conn, id: RequestId) -> Result<Vec<SkillRow>, Error> {
    Ok(request_skills::table
        .inner_join(skill_items::table)
        .filter(request_skills::request_id.eq(id))
        .order((request_skills::must.desc(), skill_items::position, request_skills::skill_item_id))
        .select((
            request_skills::skill_item_id,
            skill_items::name,
            request_skills::min_level,
            request_skills::must,
            request_skills::alternative_group,
            request_skills::verified_only,
        ))
        .load(conn)?)
}

/// The preferred experts in the applicant's order.
pub fn preferences(conn: &mut Conn, id: RequestId) -> Result<Vec<ExpertId>, Error> {
    Ok(request_preferences::table
        .filter(request_preferences::request_id.eq(id))
        .order(request_preferences::rank)
        .select(request_preferences::expert_id)
        .load(conn)?)
}

/// The preferred experts in the applicant's order, with their names.
pub fn named_preferences(conn: &mut Conn, id: RequestId) -> Result<Vec<(ExpertId, String)>, Error> {
    Ok(request_preferences::table
        .inner_join(experts::table)
        .filter(request_preferences::request_id.eq(id))
        .order(request_preferences::rank)
        .select((request_preferences::expert_id, experts::name))
        .load(conn)?)
}

/// The bodies that take part, the lead first.
pub fn participants(conn: &mut Conn, id: RequestId) -> Result<Vec<ParticipantRow>, Error> {
    Ok(request_participants::table
        .filter(request_participants::request_id.eq(id))
        .order((request_participants::is_lead.desc(), request_participants::organisation_id))
        .select((
            request_participants::organisation_id,
            request_participants::is_lead,
            request_participants::consented_at,
            request_participants::consented_by,
        ))
        .load(conn)?)
}

/// The bodies with an interest in the outcome of a request, by id.
pub fn interests(conn: &mut Conn, id: RequestId) -> Result<Vec<OrganisationId>, Error> {
    Ok(request_interests::table
        .filter(request_interests::request_id.eq(id))
        .order(request_interests::organisation_id)
        .select(request_interests::organisation_id)
        .load(conn)?)
}

/// The preferred experts of many requests.
pub fn preferences_of(conn: &mut Conn, ids: &[RequestId]) -> Result<Vec<(RequestId, ExpertId)>, Error> {
    Ok(request_preferences::table
        .filter(request_preferences::request_id.eq_any(ids))
        .order((request_preferences::request_id, request_preferences::rank))
        .select((request_preferences::request_id, request_preferences::expert_id))
        .load(conn)?)
}

/// The bodies of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bodies {
    /// Those that take part, with their names, the lead first.
    pub participants: Vec<(ParticipantRow, String)>,
    /// Those with an interest in the outcome, by id.
    pub interested: Vec<OrganisationId>,
}

/// The bodies that take part and those with an interest in the outcome, in one statement: both are part of every view.
pub fn bodies(conn: &mut Conn, id: RequestId) -> Result<Bodies, Error> {
    type Row = (Option<ParticipantRow>, String, Option<OrganisationId>);
    let (taking_part, concerned) = diesel::alias!(request_participants as taking_part, request_interests as concerned);
    let participants = taking_part
        .filter(taking_part.field(request_participants::request_id).eq(id))
        .select(taking_part.field(request_participants::organisation_id));
    let interested = concerned
        .filter(concerned.field(request_interests::request_id).eq(id))
        .select(concerned.field(request_interests::organisation_id));
    let rows: Vec<Row> = organisations::table
        .left_join(
            request_participants::table
                .on(request_participants::organisation_id.eq(organisations::id).and(request_participants::request_id.eq(id))),
        )
        .left_join(
            request_interests::table
                .on(request_interests::organisation_id.eq(organisations::id).and(request_interests::request_id.eq(id))),
        )
        .filter(organisations::id.eq_any(participants).or(organisations::id.eq_any(interested)))
        .order((organisations::lg_code, organisations::id))
        .select((
            (
                request_participants::organisation_id,
                request_participants::is_lead,
                request_participants::consented_at,
                request_participants::consented_by,
            )
                .nullable(),
            organisations::name,
            request_interests::organisation_id.nullable(),
        ))
        .load(conn)?;
    let mut bodies = Bodies::default();
    for (participant, name, interested) in rows {
        bodies.interested.extend(interested);
        bodies.participants.extend(participant.map(|participant| (participant, name)));
    }
    bodies.participants.sort_by_key(|(body, _)| !body.is_lead);
    bodies.interested.sort_unstable();
    Ok(bodies)
}

/// Of these bodies, the ones for which somebody can sign in on a day.
pub fn with_account(conn: &mut Conn, bodies: &[OrganisationId], day: NaiveDate) -> Result<Vec<OrganisationId>, Error> {
    Ok(memberships::table
        .filter(memberships::organisation_id.eq_any(bodies))
        .filter(memberships::valid_from.le(day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(day)))
        .select(memberships::organisation_id)
        .distinct()
        .load(conn)?)
}

/// Replaces the wished dates.
pub fn replace_wished_dates(conn: &mut Conn, id: RequestId, rows: &[WishedDateRow]) -> Result<(), Error> {
    diesel::delete(request_wished_dates::table.filter(request_wished_dates::request_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                request_wished_dates::request_id.eq(id),
                request_wished_dates::rank.eq(row.rank),
                request_wished_dates::day.eq(row.day),
                request_wished_dates::start_minute.eq(row.start_minute),
                request_wished_dates::end_minute.eq(row.end_minute),
            )
        })
        .collect();
    insert_rows!(conn, request_wished_dates::table, rows)?;
    Ok(())
}

/// Replaces the skills asked for.
pub fn replace_skills(conn: &mut Conn, id: RequestId, skills: &[AskedSkill]) -> Result<(), Error> {
    diesel::delete(request_skills::table.filter(request_skills::request_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = skills
        .iter()
        .map(|skill| {
            (
                request_skills::request_id.eq(id),
                request_skills::skill_item_id.eq(skill.skill_item_id),
                request_skills::min_level.eq(skill.min_level),
                request_skills::must.eq(skill.must),
                request_skills::alternative_group.eq(skill.alternative_group),
                request_skills::verified_only.eq(skill.verified_only),
            )
        })
        .collect();
    insert_rows!(conn, request_skills::table, rows)?;
    Ok(())
}

/// Replaces the preferred experts, first choice first.
pub fn replace_preferences(conn: &mut Conn, id: RequestId, experts: &[ExpertId]) -> Result<(), Error> {
    diesel::delete(request_preferences::table.filter(request_preferences::request_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = (1_i32..)
        .zip(experts)
        .map(|(rank, expert)| {
            (
                request_preferences::request_id.eq(id),
                request_preferences::rank.eq(rank),
                request_preferences::expert_id.eq(*expert),
            )
        })
        .collect();
    insert_rows!(conn, request_preferences::table, rows)?;
    Ok(())
}

/// Replaces the bodies that take part: the lead, who agrees by applying, and the others, who have yet to.
pub fn replace_participants(
    conn: &mut Conn,
    id: RequestId,
    lead: OrganisationId,
    others: &[OrganisationId],
    by: Option<UserId>,
    now: UtcTime,
) -> Result<(), Error> {
    diesel::delete(request_participants::table.filter(request_participants::request_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = std::iter::once(&lead)
        .chain(others)
        .map(|organisation| {
            let is_lead = *organisation == lead;
            (
                request_participants::request_id.eq(id),
                request_participants::organisation_id.eq(*organisation),
                request_participants::is_lead.eq(is_lead),
                request_participants::consented_at.eq(is_lead.then_some(now)),
                request_participants::consented_by.eq(by.filter(|_| is_lead)),
            )
        })
        .collect();
    insert_rows!(conn, request_participants::table, rows)?;
    Ok(())
}

/// Replaces the bodies with an interest in the outcome.
pub fn replace_interests(conn: &mut Conn, id: RequestId, bodies: &[OrganisationId]) -> Result<(), Error> {
    diesel::delete(request_interests::table.filter(request_interests::request_id.eq(id))).execute(conn)?;
    insert_interests(conn, id, bodies)
}

/// Adds the bodies with an interest in the outcome of a new request.
pub fn insert_interests(conn: &mut Conn, id: RequestId, bodies: &[OrganisationId]) -> Result<(), Error> {
    let rows: Vec<_> =
        bodies.iter().map(|body| (request_interests::request_id.eq(id), request_interests::organisation_id.eq(*body))).collect();
    insert_rows!(conn, request_interests::table, rows)?;
    Ok(())
}

/// Sets or clears the consent of a body.
pub fn set_consent(
    conn: &mut Conn,
    id: RequestId,
    organisation: OrganisationId,
    consent: Option<(UtcTime, Option<UserId>)>,
) -> Result<(), Error> {
    let row = request_participants::table
        .filter(request_participants::request_id.eq(id))
        .filter(request_participants::organisation_id.eq(organisation));
    let changed = diesel::update(row)
        .set((
            request_participants::consented_at.eq(consent.map(|(at, _)| at)),
            request_participants::consented_by.eq(consent.and_then(|(_, by)| by)),
        ))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(Error::not_found()) }
}

/// Forgets the consents of everybody but the lead, because what they agreed to has changed.
pub fn forget_consents(conn: &mut Conn, id: RequestId) -> Result<(), Error> {
    diesel::update(
        request_participants::table
            .filter(request_participants::request_id.eq(id))
            .filter(request_participants::is_lead.eq(false)),
    )
    .set((request_participants::consented_at.eq(None::<UtcTime>), request_participants::consented_by.eq(None::<UserId>)))
    .execute(conn)?;
    Ok(())
}
