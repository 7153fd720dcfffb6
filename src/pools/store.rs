//! SQL of pools, members, programmes and yearly rules, and who sees a pool.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::ProgrammeRules;
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::schema::{organisations, pool_members, pools, programme_years, programmes};
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{OrganisationId, PoolId, PoolMemberId, ProgrammeId, ProgrammeYearId};

/// A pool.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = pools)]
pub struct PoolRow {
    /// Id.
    pub id: PoolId,
    /// Who owns and runs it.
    pub owner_organisation_id: OrganisationId,
    /// Name.
    pub name: String,
    /// What its experts are called.
    pub expert_title: String,
    /// For members to read.
    pub description: String,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

/// A programme with the owner of its pool.
#[derive(Debug, Clone, Queryable)]
pub struct ProgrammeRow {
    /// Id.
    pub id: ProgrammeId,
    /// Its pool.
    pub pool_id: PoolId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Name.
    pub name: String,
    /// For applicants to read.
    pub description: String,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

/// The rules of a programme for a fiscal year.
#[derive(Debug, Clone)]
pub struct YearRow {
    /// Id.
    pub id: ProgrammeYearId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// The rules.
    pub rules: ProgrammeRules,
    /// Version.
    pub version: i64,
}

/// A membership of a pool.
#[derive(Debug, Clone, Queryable)]
pub struct MemberRow {
    /// Id.
    pub id: PoolMemberId,
    /// The member.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation_name: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    pub valid_to: Option<NaiveDate>,
}

impl Versioned for PoolRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Versioned for ProgrammeRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Versioned for YearRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// How the asking organisation stands to a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Runs it.
    Owner,
    /// Belongs to it today.
    Member,
    /// Is registered in it as an expert.
    Registered,
}

/// The pools that the principal sees: those its organisation owns or belongs to on the day, those of its parent body
/// (a school's municipality or prefecture), those an expert is registered in.
pub fn visible_pool_ids(conn: &mut Conn, ctx: &Ctx) -> Result<Vec<(PoolId, Standing)>, Error> {
    let me = ctx.organisation();
    let today = ctx.today();
    let mut found: Vec<(PoolId, Standing)> = Vec::new();
    if ctx.principal.acts_as == Role::Expert {
        let ids: Vec<PoolId> = crate::db::schema::experts::table
            .filter(crate::db::schema::experts::id.eq_any(&ctx.principal.expert_ids))
            .select(crate::db::schema::experts::pool_id)
            .distinct()
            .load(conn)?;
        return Ok(ids.into_iter().map(|id| (id, Standing::Registered)).collect());
    }
    let rows: Vec<(PoolId, OrganisationId)> = pools::table
        .left_join(
            pool_members::table.on(pool_members::pool_id
                .eq(pools::id)
                .and(pool_members::organisation_id.eq(me))
                .and(pool_members::valid_from.le(today))
                .and(pool_members::valid_to.is_null().or(pool_members::valid_to.gt(today)))),
        )
        .filter(pools::owner_organisation_id.eq(me).or(pool_members::id.is_not_null()))
        .select((pools::id, pools::owner_organisation_id))
        .distinct()
        .load(conn)?;
    for (id, owner) in rows {
        found.push((id, if owner == me { Standing::Owner } else { Standing::Member }));
    }
    Ok(found)
}

/// A pool with the principal's standing, or 404.
pub fn visible_pool(conn: &mut Conn, ctx: &Ctx, id: PoolId) -> Result<(PoolRow, Standing), Error> {
    let standing = standing(conn, ctx, id)?.ok_or_else(Error::not_found)?;
    let row = pools::table.find(id).select(PoolRow::as_select()).first(conn)?;
    Ok((row, standing))
}

/// The principal's standing in a pool.
pub fn standing(conn: &mut Conn, ctx: &Ctx, id: PoolId) -> Result<Option<Standing>, Error> {
    Ok(visible_pool_ids(conn, ctx)?.into_iter().find(|(pool, _)| *pool == id).map(|(_, standing)| standing))
}

/// A pool that the principal's organisation owns; visible but not owned → 403 by the caller's permission or here.
pub fn owned_pool(conn: &mut Conn, ctx: &Ctx, id: PoolId) -> Result<PoolRow, Error> {
    let (row, standing) = visible_pool(conn, ctx, id)?;
    owner_only(standing)?;
    Ok(row)
}

/// The other pools of an owner: id and name, by id.
pub fn other_pools(conn: &mut Conn, owner: OrganisationId, beside: PoolId, most: usize) -> Result<Vec<(PoolId, String)>, Error> {
    Ok(pools::table
        .filter(pools::owner_organisation_id.eq(owner))
        .filter(pools::id.ne(beside))
        .order(pools::id)
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select((pools::id, pools::name))
        .load(conn)?)
}

/// The programmes of a pool.
pub fn programmes_of(conn: &mut Conn, pool: PoolId) -> Result<Vec<ProgrammeId>, Error> {
    Ok(programmes::table.filter(programmes::pool_id.eq(pool)).order(programmes::id).select(programmes::id).load(conn)?)
}

/// 403 unless the pool is the principal's own.
pub fn owner_only(standing: Standing) -> Result<(), Error> {
    if standing == Standing::Owner { Ok(()) } else { Err(Error::new(crate::error::ErrorCode::Forbidden)) }
}

/// A pool whatever the visibility (for services that checked another object).
pub fn pool(conn: &mut Conn, id: PoolId) -> Result<PoolRow, Error> {
    Ok(pools::table.find(id).select(PoolRow::as_select()).first(conn)?)
}

/// A page of the visible pools by name.
pub fn list_pools(conn: &mut Conn, ctx: &Ctx, list: &ListQuery) -> Result<Vec<(PoolRow, String)>, Error> {
    let ids: Vec<PoolId> = visible_pool_ids(conn, ctx)?.into_iter().map(|(id, _)| id).collect();
    let mut query = pools::table
        .inner_join(organisations::table)
        .filter(pools::id.eq_any(ids))
        .order((pools::name, pools::id))
        .limit(list.fetch())
        .select((PoolRow::as_select(), organisations::name))
        .into_boxed();
    if let Some((key, id)) = list.after() {
        let key = key.to_owned();
        query = query.filter(pools::name.gt(key.clone()).or(pools::name.eq(key).and(pools::id.gt(PoolId(id)))));
    }
    Ok(query.load(conn)?)
}

/// Adds a pool.
pub fn insert_pool(
    conn: &mut Conn,
    owner: OrganisationId,
    name: &str,
    expert_title: &str,
    description: &str,
    now: UtcTime,
) -> Result<PoolRow, Error> {
    Ok(diesel::insert_into(pools::table)
        .values((
            pools::owner_organisation_id.eq(owner),
            pools::name.eq(name),
            pools::expert_title.eq(expert_title),
            pools::description.eq(description),
            pools::created_at.eq(now),
            pools::updated_at.eq(now),
        ))
        .returning(pools::all_columns)
        .get_result(conn)?)
}

/// Writes a pool's own fields; its version rises.
pub fn update_pool(conn: &mut Conn, row: &PoolRow, now: UtcTime) -> Result<PoolRow, Error> {
    Ok(diesel::update(pools::table.find(row.id))
        .set((
            pools::name.eq(&row.name),
            pools::expert_title.eq(&row.expert_title),
            pools::description.eq(&row.description),
            pools::version.eq(pools::version + 1),
            pools::updated_at.eq(now),
        ))
        .returning(pools::all_columns)
        .get_result(conn)?)
}

/// The members of a pool, past and future included, by name.
pub fn members(conn: &mut Conn, pool: PoolId) -> Result<Vec<MemberRow>, Error> {
    Ok(pool_members::table
        .inner_join(organisations::table)
        .filter(pool_members::pool_id.eq(pool))
        .order((organisations::lg_code, organisations::name, pool_members::valid_from))
        .select((pool_members::id, organisations::id, organisations::name, pool_members::valid_from, pool_members::valid_to))
        .load(conn)?)
}

/// The organisations that somebody deals with: members, today, of the pools seen, and those pools' owners; by code and name.
pub fn bodies_around(conn: &mut Conn, ctx: &Ctx) -> Result<Vec<(OrganisationId, String)>, Error> {
    let pools: Vec<PoolId> = visible_pool_ids(conn, ctx)?.into_iter().map(|(id, _)| id).collect();
    let today = ctx.today();
    let members = pool_members::table
        .filter(pool_members::pool_id.eq_any(pools.clone()))
        .filter(pool_members::valid_from.le(today))
        .filter(pool_members::valid_to.is_null().or(pool_members::valid_to.gt(today)))
        .select(pool_members::organisation_id);
    let owners = pools::table.filter(pools::id.eq_any(pools)).select(pools::owner_organisation_id);
    Ok(organisations::table
        .filter(organisations::id.eq_any(members).or(organisations::id.eq_any(owners)))
        .order((organisations::lg_code, organisations::name, organisations::id))
        .select((organisations::id, organisations::name))
        .load(conn)?)
}

/// The organisations that are members of a pool on a day.
pub fn member_ids_on(conn: &mut Conn, pool: PoolId, day: NaiveDate) -> Result<Vec<OrganisationId>, Error> {
    Ok(pool_members::table
        .filter(pool_members::pool_id.eq(pool))
        .filter(pool_members::valid_from.le(day))
        .filter(pool_members::valid_to.is_null().or(pool_members::valid_to.gt(day)))
        .order(pool_members::organisation_id)
        .select(pool_members::organisation_id)
        .distinct()
        .load(conn)?)
}

/// Adds a member.
pub fn insert_member(
    conn: &mut Conn,
    pool: PoolId,
    organisation: OrganisationId,
    from: NaiveDate,
    to: Option<NaiveDate>,
    now: UtcTime,
) -> Result<PoolMemberId, Error> {
    Ok(diesel::insert_into(pool_members::table)
        .values((
            pool_members::pool_id.eq(pool),
            pool_members::organisation_id.eq(organisation),
            pool_members::valid_from.eq(from),
            pool_members::valid_to.eq(to),
            pool_members::created_at.eq(now),
        ))
        .returning(pool_members::id)
        .get_result(conn)?)
}

/// Sets the end of a membership of a pool; 404 if it is not of that pool.
pub fn end_member(conn: &mut Conn, pool: PoolId, member: PoolMemberId, to: Option<NaiveDate>) -> Result<(), Error> {
    let rows = diesel::update(pool_members::table.filter(pool_members::id.eq(member)).filter(pool_members::pool_id.eq(pool)))
        .set(pool_members::valid_to.eq(to))
        .execute(conn)?;
    if rows == 1 { Ok(()) } else { Err(Error::not_found()) }
}

/// Raises a pool's version after a change to its members.
pub fn touch_pool(conn: &mut Conn, pool: PoolId, now: UtcTime) -> Result<i64, Error> {
    Ok(diesel::update(pools::table.find(pool))
        .set((pools::version.eq(pools::version + 1), pools::updated_at.eq(now)))
        .returning(pools::version)
        .get_result(conn)?)
}

type ProgrammeColumns = (
    programmes::id,
    programmes::pool_id,
    pools::owner_organisation_id,
    programmes::name,
    programmes::description,
    programmes::version,
    programmes::created_at,
    programmes::updated_at,
);
const PROGRAMME: ProgrammeColumns = (
    programmes::id,
    programmes::pool_id,
    pools::owner_organisation_id,
    programmes::name,
    programmes::description,
    programmes::version,
    programmes::created_at,
    programmes::updated_at,
);

/// A programme whatever the visibility.
pub fn programme(conn: &mut Conn, id: ProgrammeId) -> Result<ProgrammeRow, Error> {
    Ok(programmes::table.inner_join(pools::table).filter(programmes::id.eq(id)).select(PROGRAMME).first(conn)?)
}

/// A programme of a visible pool, or 404.
pub fn visible_programme(conn: &mut Conn, ctx: &Ctx, id: ProgrammeId) -> Result<(ProgrammeRow, Standing), Error> {
    let row = programme(conn, id)?;
    let standing = standing(conn, ctx, row.pool_id)?.ok_or_else(Error::not_found)?;
    Ok((row, standing))
}

/// A programme of the principal's own pool; 404 when not visible, 403 when only visible.
pub fn owned_programme(conn: &mut Conn, ctx: &Ctx, id: ProgrammeId) -> Result<ProgrammeRow, Error> {
    let (row, standing) = visible_programme(conn, ctx, id)?;
    owner_only(standing)?;
    Ok(row)
}

/// A page of the programmes of visible pools by name.
pub fn list_programmes(conn: &mut Conn, ctx: &Ctx, pool: Option<PoolId>, list: &ListQuery) -> Result<Vec<ProgrammeRow>, Error> {
    let ids: Vec<PoolId> =
        visible_pool_ids(conn, ctx)?.into_iter().map(|(id, _)| id).filter(|id| pool.is_none_or(|p| p == *id)).collect();
    let mut query = programmes::table
        .inner_join(pools::table)
        .filter(pools::id.eq_any(ids))
        .order((programmes::name, programmes::id))
        .limit(list.fetch())
        .select(PROGRAMME)
        .into_boxed();
    if let Some((key, id)) = list.after() {
        let key = key.to_owned();
        query =
            query.filter(programmes::name.gt(key.clone()).or(programmes::name.eq(key).and(programmes::id.gt(ProgrammeId(id)))));
    }
    Ok(query.load(conn)?)
}

/// Adds a programme.
pub fn insert_programme(
    conn: &mut Conn,
    pool: PoolId,
    name: &str,
    description: &str,
    now: UtcTime,
) -> Result<ProgrammeRow, Error> {
    let id: ProgrammeId = diesel::insert_into(programmes::table)
        .values((
            programmes::pool_id.eq(pool),
            programmes::name.eq(name),
            programmes::description.eq(description),
            programmes::created_at.eq(now),
            programmes::updated_at.eq(now),
        ))
        .returning(programmes::id)
        .get_result(conn)?;
    programme(conn, id)
}

/// Writes a programme's own fields; its version rises.
pub fn update_programme(conn: &mut Conn, row: &ProgrammeRow, now: UtcTime) -> Result<ProgrammeRow, Error> {
    diesel::update(programmes::table.find(row.id))
        .set((
            programmes::name.eq(&row.name),
            programmes::description.eq(&row.description),
            programmes::version.eq(programmes::version + 1),
            programmes::updated_at.eq(now),
        ))
        .execute(conn)?;
    programme(conn, row.id)
}

type YearColumns = (ProgrammeYearId, ProgrammeId, i32, String, i64);

fn parse_year((id, programme_id, fiscal_year, rules, version): YearColumns) -> Result<YearRow, Error> {
    let rules = serde_json::from_str(&rules).map_err(Error::internal)?;
    Ok(YearRow { id, programme_id, fiscal_year, rules, version })
}

/// The rules of an owner's programmes for a fiscal year, with the programmes' names.
pub fn owned_years(conn: &mut Conn, owner: OrganisationId, fiscal_year: i32) -> Result<Vec<(YearRow, String)>, Error> {
    let rows: Vec<(YearColumns, String)> = programme_years::table
        .inner_join(programmes::table.inner_join(pools::table))
        .filter(pools::owner_organisation_id.eq(owner))
        .filter(programme_years::fiscal_year.eq(fiscal_year))
        .order(programme_years::programme_id)
        .select((
            (
                programme_years::id,
                programme_years::programme_id,
                programme_years::fiscal_year,
                programme_years::rules,
                programme_years::version,
            ),
            programmes::name,
        ))
        .load(conn)?;
    rows.into_iter().map(|(row, name)| Ok((parse_year(row)?, name))).collect()
}

/// The rules of every programme for these fiscal years, with the programmes.
pub fn years_in(conn: &mut Conn, fiscal_years: &[i32]) -> Result<Vec<(YearRow, ProgrammeRow)>, Error> {
    let rows: Vec<(YearColumns, ProgrammeRow)> = programme_years::table
        .inner_join(programmes::table.inner_join(pools::table))
        .filter(programme_years::fiscal_year.eq_any(fiscal_years))
        .order(programme_years::id)
        .select((
            (
                programme_years::id,
                programme_years::programme_id,
                programme_years::fiscal_year,
                programme_years::rules,
                programme_years::version,
            ),
            PROGRAMME,
        ))
        .load(conn)?;
    rows.into_iter().map(|(row, programme)| Ok((parse_year(row)?, programme))).collect()
}

/// The rules for a fiscal year, if they are set.
pub fn year(conn: &mut Conn, programme: ProgrammeId, fiscal_year: i32) -> Result<Option<YearRow>, Error> {
    let row: Option<YearColumns> = programme_years::table
        .filter(programme_years::programme_id.eq(programme))
        .filter(programme_years::fiscal_year.eq(fiscal_year))
        .select((
            programme_years::id,
            programme_years::programme_id,
            programme_years::fiscal_year,
            programme_years::rules,
            programme_years::version,
        ))
        .first(conn)
        .optional()?;
    row.map(parse_year).transpose()
}

/// The rules of several programmes and fiscal years, those that are set.
pub fn years_of(conn: &mut Conn, wanted: &[(ProgrammeId, i32)]) -> Result<Vec<YearRow>, Error> {
    let programmes = Ids::new(conn, wanted.iter().map(|(programme, _)| programme.0));
    let years = Ids::new(conn, wanted.iter().map(|(_, year)| i64::from(*year)));
    let rows: Vec<YearColumns> = programme_years::table
        .filter(programmes.among(programme_years::programme_id))
        .filter(years.among(programme_years::fiscal_year))
        .select((
            programme_years::id,
            programme_years::programme_id,
            programme_years::fiscal_year,
            programme_years::rules,
            programme_years::version,
        ))
        .load(conn)?;
    let rows = rows.into_iter().filter(|row| wanted.contains(&(row.1, row.2)));
    rows.map(parse_year).collect()
}

/// The fiscal years that have rules, newest first.
pub fn years(conn: &mut Conn, programme: ProgrammeId) -> Result<Vec<YearRow>, Error> {
    let rows: Vec<YearColumns> = programme_years::table
        .filter(programme_years::programme_id.eq(programme))
        .order(programme_years::fiscal_year.desc())
        .select((
            programme_years::id,
            programme_years::programme_id,
            programme_years::fiscal_year,
            programme_years::rules,
            programme_years::version,
        ))
        .load(conn)?;
    rows.into_iter().map(parse_year).collect()
}

/// Sets the rules of a fiscal year for the first time.
pub fn insert_year(
    conn: &mut Conn,
    programme: ProgrammeId,
    fiscal_year: i32,
    rules: &ProgrammeRules,
    now: UtcTime,
) -> Result<YearRow, Error> {
    let text = serde_json::to_string(rules).map_err(Error::internal)?;
    let row: YearColumns = diesel::insert_into(programme_years::table)
        .values((
            programme_years::programme_id.eq(programme),
            programme_years::fiscal_year.eq(fiscal_year),
            programme_years::rules.eq(text),
            programme_years::created_at.eq(now),
            programme_years::updated_at.eq(now),
        ))
        .returning((
            programme_years::id,
            programme_years::programme_id,
            programme_years::fiscal_year,
            programme_years::rules,
            programme_years::version,
        ))
        .get_result(conn)?;
    parse_year(row)
}

/// Replaces the rules of a fiscal year; the version rises.
pub fn update_year(conn: &mut Conn, id: ProgrammeYearId, rules: &ProgrammeRules, now: UtcTime) -> Result<i64, Error> {
    let text = serde_json::to_string(rules).map_err(Error::internal)?;
    Ok(diesel::update(programme_years::table.find(id))
        .set((
            programme_years::rules.eq(text),
            programme_years::version.eq(programme_years::version + 1),
            programme_years::updated_at.eq(now),
        ))
        .returning(programme_years::version)
        .get_result(conn)?)
}
