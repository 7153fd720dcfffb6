//! SQL of experts and their skills, areas, availability and conflicts, and who sees an expert.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::{AffiliationKind, Capacity, ConflictKind, EmployerConsent, ExceptionKind, ExpertStatus};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::dialect::insert_rows;
use crate::db::schema::{
    dispatch_experts, dispatches, expert_areas, expert_conflicts, expert_exceptions, expert_skills, expert_weekly_slots, experts,
    memberships, organisations, pools, request_participants, skill_frameworks, skill_items, visits,
};
use crate::db::{Conn, Ids, dialect};
use crate::error::{Error, ErrorCode, Locale};
use crate::http::{Ctx, Versioned};
use crate::ids::{ExpertId, OrganisationId, PoolId, SkillItemId, UserId, VisitId};
use crate::notifications::recipient::Recipient;
use crate::pools::store::{self as pools_store, Standing};
use crate::text;

/// A registration of an expert in a pool. A person registered in two pools has two.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = experts)]
pub struct ExpertRow {
    /// Id.
    pub id: ExpertId,
    /// The pool.
    pub pool_id: PoolId,
    /// The account with which the expert signs in.
    pub user_id: Option<UserId>,
    /// Name exactly as typed.
    pub name: String,
    /// Reading in full-width katakana.
    pub kana: String,
    /// The name in characters that every system shows (代替文字).
    pub alternative_name: String,
    /// Folded text for searching; never shown.
    pub search_key: String,
    /// Standing of the person.
    pub affiliation_kind: AffiliationKind,
    /// Employer or office.
    pub affiliation: String,
    /// What the expert does, for members to read.
    pub profile: String,
    /// Address for offers.
    pub email: String,
    /// Telephone.
    pub phone: String,
    /// Works on site.
    pub onsite: bool,
    /// Works online.
    pub online: bool,
    /// The body whose office stands for the place from which the expert travels.
    pub base_organisation_id: Option<OrganisationId>,
    /// That place in words.
    pub base_place: String,
    /// Language codes, comma-separated.
    pub languages: String,
    /// State.
    pub status: ExpertStatus,
    /// First day of the appointment (委嘱).
    pub appointed_from: NaiveDate,
    /// First day on which the appointment no longer counts; absent: without end.
    pub appointed_to: Option<NaiveDate>,
    /// Most engagements at a time.
    pub capacity_simultaneous: Option<i32>,
    /// Most minutes a month.
    pub capacity_minutes_month: Option<i32>,
    /// Most minutes a fiscal year.
    pub capacity_minutes_year: Option<i32>,
    /// Most days a fiscal year.
    pub capacity_days_year: Option<i32>,
    /// Goes to remote islands (離島).
    pub serves_islands: bool,
    /// Most minutes a calendar week, Monday to Sunday.
    pub capacity_minutes_week: Option<i32>,
    /// Whether the employer permits the work.
    pub employer_consent: EmployerConsent,
    /// Last day on which a given permit counts; absent: without end.
    pub employer_consent_until: Option<NaiveDate>,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl Versioned for ExpertRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl ExpertRow {
    /// The agreed limits.
    pub fn capacity(&self) -> Capacity {
        Capacity {
            simultaneous: self.capacity_simultaneous,
            minutes_week: self.capacity_minutes_week,
            minutes_month: self.capacity_minutes_month,
            minutes_year: self.capacity_minutes_year,
            days_year: self.capacity_days_year,
        }
    }

    /// Whether the appointment counts on every day of a period (both days included).
    pub fn appointed_during(&self, from: NaiveDate, to: NaiveDate) -> bool {
        self.appointed_from <= from && self.appointed_to.is_none_or(|end| end > to)
    }

    /// The columns that the office writes.
    pub fn data(&self) -> ExpertData {
        ExpertData {
            pool_id: self.pool_id,
            user_id: self.user_id,
            name: self.name.clone(),
            kana: self.kana.clone(),
            alternative_name: self.alternative_name.clone(),
            search_key: self.search_key.clone(),
            affiliation_kind: self.affiliation_kind,
            affiliation: self.affiliation.clone(),
            profile: self.profile.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            onsite: self.onsite,
            online: self.online,
            base_organisation_id: self.base_organisation_id,
            base_place: self.base_place.clone(),
            languages: self.languages.clone(),
            appointed_from: self.appointed_from,
            appointed_to: self.appointed_to,
            capacity_simultaneous: self.capacity_simultaneous,
            capacity_minutes_month: self.capacity_minutes_month,
            capacity_minutes_year: self.capacity_minutes_year,
            capacity_days_year: self.capacity_days_year,
            serves_islands: self.serves_islands,
            capacity_minutes_week: self.capacity_minutes_week,
            employer_consent: self.employer_consent,
            employer_consent_until: self.employer_consent_until,
        }
    }
}

/// The columns of a registration that the office writes; see [`ExpertRow`] for their meaning.
#[derive(Debug, Clone, Insertable, AsChangeset)]
#[diesel(table_name = experts, treat_none_as_null = true)]
#[expect(missing_docs, reason = "the same columns as ExpertRow")]
pub struct ExpertData {
    pub pool_id: PoolId,
    pub user_id: Option<UserId>,
    pub name: String,
    pub kana: String,
    pub alternative_name: String,
    pub search_key: String,
    pub affiliation_kind: AffiliationKind,
    pub affiliation: String,
    pub profile: String,
    pub email: String,
    pub phone: String,
    pub onsite: bool,
    pub online: bool,
    pub base_organisation_id: Option<OrganisationId>,
    pub base_place: String,
    pub languages: String,
    pub appointed_from: NaiveDate,
    pub appointed_to: Option<NaiveDate>,
    pub capacity_simultaneous: Option<i32>,
    pub capacity_minutes_month: Option<i32>,
    pub capacity_minutes_year: Option<i32>,
    pub capacity_days_year: Option<i32>,
    pub serves_islands: bool,
    pub capacity_minutes_week: Option<i32>,
    pub employer_consent: EmployerConsent,
    pub employer_consent_until: Option<NaiveDate>,
}

impl ExpertData {
    /// Makes the text that is searched agree with what was typed. Call it before writing.
    pub fn refresh_search_key(&mut self) {
        let parts = [&self.name, &self.kana, &self.alternative_name, &self.affiliation, &self.base_place, &self.profile];
        let folded: Vec<String> = parts.iter().map(|part| text::fold(part)).filter(|part| !part.is_empty()).collect();
        // A blank never stands in a folded text, so no search can match across two parts.
        self.search_key = folded.join(" ");
    }
}

/// Who an expert is.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = experts)]
pub struct NameRow {
    /// Id.
    pub id: ExpertId,
    /// Name exactly as typed.
    pub name: String,
    /// Standing of the person.
    pub affiliation_kind: AffiliationKind,
    /// Employer or office.
    pub affiliation: String,
}

/// A skill that an expert holds.
#[derive(Debug, Clone, Queryable)]
pub struct SkillRow {
    /// Who.
    pub expert_id: ExpertId,
    /// Which.
    pub skill_item_id: SkillItemId,
    /// Level on the framework's scale.
    pub level: i32,
    /// Whether somebody other than the expert has confirmed it.
    pub verified: bool,
}

/// A window of the ordinary week.
#[derive(Debug, Clone, Queryable)]
pub struct WeeklyRow {
    /// Who.
    pub expert_id: ExpertId,
    /// 1 Monday to 7 Sunday.
    pub weekday: i32,
    /// Beginning in minutes of the day.
    pub start_minute: i32,
    /// End in minutes of the day.
    pub end_minute: i32,
}

/// A period that differs from the ordinary week; both days belong to it.
#[derive(Debug, Clone, Queryable)]
pub struct ExceptionRow {
    /// Who.
    pub expert_id: ExpertId,
    /// How it differs.
    pub kind: ExceptionKind,
    /// First day.
    pub first_day: NaiveDate,
    /// Last day.
    pub last_day: NaiveDate,
    /// Beginning in minutes of each day; the whole day when absent.
    pub start_minute: Option<i32>,
    /// End in minutes of each day.
    pub end_minute: Option<i32>,
    /// Remark for the office and the expert.
    pub note: String,
}

/// A body that an expert must not serve or judge, or one of the two does not want to work with the other.
#[derive(Debug, Clone, Queryable)]
pub struct ConflictRow {
    /// Who.
    pub expert_id: ExpertId,
    /// The body.
    pub organisation_id: OrganisationId,
    /// Of which kind it is.
    pub kind: ConflictKind,
    /// Why.
    pub reason: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    pub valid_to: Option<NaiveDate>,
}

/// An expert whatever the visibility.
pub fn find(conn: &mut Conn, id: ExpertId) -> Result<Option<ExpertRow>, Error> {
    Ok(experts::table.find(id).select(ExpertRow::as_select()).first(conn).optional()?)
}

/// The experts with these ids, by id.
pub fn find_many(conn: &mut Conn, ids: &[ExpertId]) -> Result<Vec<ExpertRow>, Error> {
    Ok(experts::table.filter(experts::id.eq_any(ids)).order(experts::id).select(ExpertRow::as_select()).load(conn)?)
}

/// Who experts are, by id; ids of nobody are passed over.
pub fn names(conn: &mut Conn, ids: &[ExpertId]) -> Result<Vec<NameRow>, Error> {
    let ids = Ids::new(conn, ids.iter().map(|id| id.0));
    Ok(experts::table.filter(ids.among(experts::id)).order(experts::id).select(NameRow::as_select()).load(conn)?)
}

/// The names of the pools in which experts are registered, each with the registration.
pub fn pool_names(conn: &mut Conn, ids: &[ExpertId]) -> Result<Vec<(ExpertId, String)>, Error> {
    let ids = Ids::new(conn, ids.iter().map(|id| id.0));
    Ok(experts::table.inner_join(pools::table).filter(ids.among(experts::id)).select((experts::id, pools::name)).load(conn)?)
}

/// Some experts of a pool after one, by id; retired ones only where they are named.
pub fn some_of_pool(
    conn: &mut Conn,
    pool: PoolId,
    retired: &[ExpertId],
    after: ExpertId,
    most: i64,
) -> Result<Vec<ExpertRow>, Error> {
    Ok(experts::table
        .filter(experts::pool_id.eq(pool))
        .filter(experts::status.ne(ExpertStatus::Retired).or(experts::id.eq_any(retired)))
        .filter(experts::id.gt(after))
        .order(experts::id)
        .limit(most)
        .select(ExpertRow::as_select())
        .load(conn)?)
}

/// An expert with the principal's standing in the pool, or 404. Experts see themselves alone.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: ExpertId) -> Result<(ExpertRow, Standing), Error> {
    let own = ctx.principal.expert_ids.contains(&id);
    if ctx.principal.acts_as == Role::Expert && !own {
        return Err(Error::not_found());
    }
    let row = find(conn, id)?.ok_or_else(Error::not_found)?;
    if ctx.principal.acts_as == Role::Expert {
        return Ok((row, Standing::Registered));
    }
    let standing = pools_store::standing(conn, ctx, row.pool_id)?.ok_or_else(Error::not_found)?;
    Ok((row, standing))
}

/// An expert of the principal's own pool; 404 when not visible, 403 when only visible.
pub fn owned(conn: &mut Conn, ctx: &Ctx, id: ExpertId) -> Result<ExpertRow, Error> {
    let (row, standing) = visible(conn, ctx, id)?;
    pools_store::owner_only(standing)?;
    Ok(row)
}

/// An expert of the principal's own pool, or the principal as the expert; 404 when not visible, 403 when only visible.
pub fn owned_or_self(conn: &mut Conn, ctx: &Ctx, id: ExpertId) -> Result<ExpertRow, Error> {
    let (row, standing) = visible(conn, ctx, id)?;
    if standing == Standing::Member { Err(Error::new(ErrorCode::Forbidden)) } else { Ok(row) }
}

/// Adds an expert, registered.
pub fn insert(conn: &mut Conn, data: &ExpertData, now: UtcTime) -> Result<ExpertRow, Error> {
    Ok(diesel::insert_into(experts::table)
        .values((
            data.clone(),
            experts::status.eq(ExpertStatus::Registered),
            experts::created_at.eq(now),
            experts::updated_at.eq(now),
        ))
        .returning(experts::all_columns)
        .get_result(conn)?)
}

fn stale() -> Error {
    Error::new(ErrorCode::StaleVersion)
}

/// Writes what the office can change; the version rises. 412 if somebody else was first.
pub fn update(conn: &mut Conn, row: &ExpertRow, data: &ExpertData, now: UtcTime) -> Result<ExpertRow, Error> {
    diesel::update(experts::table.filter(experts::id.eq(row.id)).filter(experts::version.eq(row.version)))
        .set((data.clone(), experts::version.eq(experts::version + 1), experts::updated_at.eq(now)))
        .returning(experts::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Moves a registration to another state; the version rises. 412 if somebody else was first.
pub fn set_status(conn: &mut Conn, row: &ExpertRow, status: ExpertStatus, now: UtcTime) -> Result<ExpertRow, Error> {
    diesel::update(experts::table.filter(experts::id.eq(row.id)).filter(experts::version.eq(row.version)))
        .set((experts::status.eq(status), experts::version.eq(experts::version + 1), experts::updated_at.eq(now)))
        .returning(experts::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(stale)
}

/// Raises the version after a change to skills, availability or conflicts. 412 if somebody else was first.
pub fn touch(conn: &mut Conn, row: &ExpertRow, now: UtcTime) -> Result<ExpertRow, Error> {
    set_status(conn, row, row.status, now)
}

/// Whether another expert of the pool who has not retired has this address.
pub fn address_is_taken(conn: &mut Conn, pool: PoolId, email: &str, except: Option<ExpertId>) -> Result<bool, Error> {
    let ids: Vec<ExpertId> = experts::table
        .filter(experts::pool_id.eq(pool))
        .filter(experts::email.eq(email))
        .filter(experts::status.ne(ExpertStatus::Retired))
        .select(experts::id)
        .load(conn)?;
    Ok(ids.into_iter().any(|id| Some(id) != except))
}

/// Whether a person is an expert of an organisation on a day, so that a registration of its pools may be theirs.
pub fn is_expert_account(conn: &mut Conn, user: UserId, organisation: OrganisationId, day: NaiveDate) -> Result<bool, Error> {
    let found: Option<UserId> = memberships::table
        .filter(memberships::user_id.eq(user))
        .filter(memberships::organisation_id.eq(organisation))
        .filter(memberships::role.eq(Role::Expert))
        .filter(memberships::valid_from.le(day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(day)))
        .select(memberships::user_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Visits of an expert that are still ahead: held for an offer, or planned.
pub fn visits_ahead(conn: &mut Conn, id: ExpertId) -> Result<i64, Error> {
    Ok(visits::table
        .filter(visits::expert_id.eq(id))
        .filter(visits::status.eq_any(["held", "planned"]))
        .count()
        .get_result(conn)?)
}

impl ExpertRow {
    /// The expert as somebody who is told, with the account if there is one.
    pub fn recipient(&self) -> Recipient {
        Recipient::person(&self.email, &self.name, "", Locale::Ja).with_account(self.user_id)
    }
}

/// A visit that is ahead.
#[derive(Debug, Clone, Queryable)]
pub struct VisitAhead {
    /// Id.
    pub id: VisitId,
    /// The day, where one is fixed.
    pub day: Option<NaiveDate>,
    /// Beginning in minutes of the day, where that is fixed.
    pub start_minute: Option<i32>,
    /// How long it lasts.
    pub minutes: i32,
    /// The body that is visited.
    pub applicant: String,
}

/// The visits of an expert from a day on, decided or promised, and those whose day is still open; the next first.
pub fn visits_from(conn: &mut Conn, id: ExpertId, from: NaiveDate) -> Result<Vec<VisitAhead>, Error> {
    Ok(visits::table
        .inner_join(organisations::table.on(organisations::id.eq(visits::applicant_organisation_id)))
        .filter(visits::expert_id.eq(id))
        .filter(visits::status.eq_any(super::load::AHEAD))
        .filter(visits::load_day.ge(from).or(visits::day.is_null()))
        .order((visits::load_day, visits::id))
        .select((visits::id, visits::day, visits::start_minute, visits::planned_minutes, organisations::name))
        .load(conn)?)
}

/// Whether an organisation may have an expert's contact data: a dispatch of the expert to it, as applicant or joint
/// applicant, has been decided and not been cancelled.
pub fn contact_is_shared(conn: &mut Conn, organisation: OrganisationId, id: ExpertId) -> Result<bool, Error> {
    let takes_part = request_participants::table
        .filter(request_participants::organisation_id.eq(organisation))
        .select(request_participants::request_id);
    let found: Option<ExpertId> = dispatch_experts::table
        .inner_join(dispatches::table)
        .filter(dispatch_experts::expert_id.eq(id))
        .filter(dispatch_experts::active.eq(true))
        .filter(dispatches::status.ne("cancelled"))
        .filter(dispatches::applicant_organisation_id.eq(organisation).or(dispatches::request_id.eq_any(takes_part)))
        .select(dispatch_experts::expert_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// The skills of experts, by expert and item.
pub fn skills(conn: &mut Conn, ids: &[ExpertId]) -> Result<Vec<SkillRow>, Error> {
    type Condition = Box<dyn BoxableExpression<expert_skills::table, <Conn as Connection>::Backend, SqlType = Bool>>;
    let mut query = expert_skills::table
        .order((expert_skills::expert_id, expert_skills::skill_item_id))
        .select((expert_skills::expert_id, expert_skills::skill_item_id, expert_skills::level, expert_skills::verified))
        .into_boxed();
    // Part of every page of the search: written so that both databases keep it prepared.
    let each = ids.iter().map(|id| Box::new(expert_skills::expert_id.eq(*id)) as Condition);
    query = if dialect::keeps_lists_prepared(conn) {
        query.filter(expert_skills::expert_id.eq_any(ids))
    } else {
        match each.reduce(|one, other| Box::new(one.or(other))) {
            Some(any) => query.filter(any),
            None => return Ok(Vec::new()),
        }
    };
    Ok(query.load(conn)?)
}

/// The skills of one expert with the names of the items.
pub fn named_skills(conn: &mut Conn, id: ExpertId) -> Result<Vec<(SkillRow, String)>, Error> {
    Ok(expert_skills::table
        .inner_join(skill_items::table)
        .filter(expert_skills::expert_id.eq(id))
        .order((skill_items::framework_id, skill_items::position))
        .select((
            (expert_skills::expert_id, expert_skills::skill_item_id, expert_skills::level, expert_skills::verified),
            skill_items::name,
        ))
        .load(conn)?)
}

/// Items with the highest level of their framework and their name, as far as they exist.
pub fn item_scales(conn: &mut Conn, ids: &[SkillItemId]) -> Result<Vec<(SkillItemId, i32, String)>, Error> {
    Ok(skill_items::table
        .inner_join(skill_frameworks::table)
        .filter(skill_items::id.eq_any(ids))
        .select((skill_items::id, skill_frameworks::highest_level, skill_items::name))
        .load(conn)?)
}

/// Replaces the skills of an expert.
pub fn replace_skills(conn: &mut Conn, id: ExpertId, skills: &[(SkillItemId, i32, bool)]) -> Result<(), Error> {
    diesel::delete(expert_skills::table.filter(expert_skills::expert_id.eq(id))).execute(conn)?;
    let (pool, kana): (PoolId, String) = experts::table.find(id).select((experts::pool_id, experts::kana)).first(conn)?;
    let rows: Vec<_> = skills
        .iter()
        .map(|(item, level, verified)| {
            (
                expert_skills::expert_id.eq(id),
                expert_skills::pool_id.eq(pool),
                expert_skills::kana.eq(&kana),
                expert_skills::skill_item_id.eq(item),
                expert_skills::level.eq(level),
                expert_skills::verified.eq(verified),
            )
        })
        .collect();
    insert_rows!(conn, expert_skills::table, rows)?;
    Ok(())
}

/// The areas to which an expert travels; none is anywhere.
pub fn areas(conn: &mut Conn, id: ExpertId) -> Result<Vec<OrganisationId>, Error> {
    Ok(expert_areas::table
        .filter(expert_areas::expert_id.eq(id))
        .order(expert_areas::organisation_id)
        .select(expert_areas::organisation_id)
        .load(conn)?)
}

/// Removes the areas of an expert.
pub fn clear_areas(conn: &mut Conn, id: ExpertId) -> Result<(), Error> {
    diesel::delete(expert_areas::table.filter(expert_areas::expert_id.eq(id))).execute(conn)?;
    Ok(())
}

/// Adds areas of an expert who has none of these, in one statement whatever their number. Ids that do not exist are left
/// out: the caller has checked them.
pub fn insert_areas(conn: &mut Conn, id: ExpertId, areas: &[OrganisationId]) -> Result<(), Error> {
    if areas.is_empty() {
        return Ok(());
    }
    let rows = experts::table
        .inner_join(organisations::table.on(organisations::id.eq_any(areas)))
        .filter(experts::id.eq(id))
        .select((experts::id, organisations::id));
    diesel::insert_into(expert_areas::table)
        .values(rows)
        .into_columns((expert_areas::expert_id, expert_areas::organisation_id))
        .execute(conn)?;
    Ok(())
}

/// The ordinary week of an expert; none is by arrangement at any time.
pub fn weekly(conn: &mut Conn, id: ExpertId) -> Result<Vec<WeeklyRow>, Error> {
    Ok(expert_weekly_slots::table
        .filter(expert_weekly_slots::expert_id.eq(id))
        .order((expert_weekly_slots::weekday, expert_weekly_slots::start_minute))
        .select(expert_weekly_slots::all_columns)
        .load(conn)?)
}

/// The exceptions of an expert, by first day.
pub fn exceptions(conn: &mut Conn, id: ExpertId) -> Result<Vec<ExceptionRow>, Error> {
    Ok(expert_exceptions::table
        .filter(expert_exceptions::expert_id.eq(id))
        .order((expert_exceptions::first_day, expert_exceptions::id))
        .select((
            expert_exceptions::expert_id,
            expert_exceptions::kind,
            expert_exceptions::first_day,
            expert_exceptions::last_day,
            expert_exceptions::start_minute,
            expert_exceptions::end_minute,
            expert_exceptions::note,
        ))
        .load(conn)?)
}

/// Replaces the week and the exceptions of an expert.
pub fn replace_availability(
    conn: &mut Conn,
    id: ExpertId,
    weekly: &[WeeklyRow],
    exceptions: &[ExceptionRow],
) -> Result<(), Error> {
    diesel::delete(expert_weekly_slots::table.filter(expert_weekly_slots::expert_id.eq(id))).execute(conn)?;
    diesel::delete(expert_exceptions::table.filter(expert_exceptions::expert_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = weekly
        .iter()
        .map(|row| {
            (
                expert_weekly_slots::expert_id.eq(id),
                expert_weekly_slots::weekday.eq(row.weekday),
                expert_weekly_slots::start_minute.eq(row.start_minute),
                expert_weekly_slots::end_minute.eq(row.end_minute),
            )
        })
        .collect();
    insert_rows!(conn, expert_weekly_slots::table, rows)?;
    let rows: Vec<_> = exceptions
        .iter()
        .map(|row| {
            (
                expert_exceptions::expert_id.eq(id),
                expert_exceptions::kind.eq(row.kind),
                expert_exceptions::first_day.eq(row.first_day),
                expert_exceptions::last_day.eq(row.last_day),
                expert_exceptions::start_minute.eq(row.start_minute),
                expert_exceptions::end_minute.eq(row.end_minute),
                expert_exceptions::note.eq(&row.note),
            )
        })
        .collect();
    insert_rows!(conn, expert_exceptions::table, rows)?;
    Ok(())
}

/// The conflicts of an expert, by first day.
pub fn conflicts(conn: &mut Conn, id: ExpertId) -> Result<Vec<ConflictRow>, Error> {
    Ok(expert_conflicts::table
        .filter(expert_conflicts::expert_id.eq(id))
        .order((expert_conflicts::valid_from, expert_conflicts::id))
        .select((
            expert_conflicts::expert_id,
            expert_conflicts::organisation_id,
            expert_conflicts::kind,
            expert_conflicts::reason,
            expert_conflicts::valid_from,
            expert_conflicts::valid_to,
        ))
        .load(conn)?)
}

/// Replaces the conflicts of an expert.
pub fn replace_conflicts(conn: &mut Conn, id: ExpertId, conflicts: &[ConflictRow]) -> Result<(), Error> {
    diesel::delete(expert_conflicts::table.filter(expert_conflicts::expert_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = conflicts
        .iter()
        .map(|row| {
            (
                expert_conflicts::expert_id.eq(id),
                expert_conflicts::organisation_id.eq(row.organisation_id),
                expert_conflicts::kind.eq(row.kind),
                expert_conflicts::reason.eq(&row.reason),
                expert_conflicts::valid_from.eq(row.valid_from),
                expert_conflicts::valid_to.eq(row.valid_to),
            )
        })
        .collect();
    insert_rows!(conn, expert_conflicts::table, rows)?;
    Ok(())
}
