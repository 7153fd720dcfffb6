//! SQL of placements, and who sees one.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::{LegalBasis, Period, PostingStatus};
use crate::auth::policy::Role;
use crate::calendar::month_range;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{experts, organisations, posting_amendments, posting_days, postings};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{ExpertId, OrganisationId, PostingId, ProgrammeId};

type Backend = <Conn as Connection>::Backend;
type Condition = Box<dyn BoxableExpression<postings::table, Backend, SqlType = Bool>>;

/// A placement.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = postings)]
pub struct PostingRow {
    /// Id.
    pub id: PostingId,
    /// The programme under which it is made.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Who is placed.
    pub expert_id: ExpertId,
    /// With whom.
    pub host_organisation_id: OrganisationId,
    /// Part of the person's time, in percent.
    pub share_percent: i32,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day that no longer counts.
    pub valid_to: NaiveDate,
    /// On what it rests.
    pub legal_basis: LegalBasis,
    /// State.
    pub status: PostingStatus,
    /// Remark.
    pub note: String,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl Versioned for PostingRow {
    fn version(&self) -> i64 {
        self.version
    }
}

impl PostingRow {
    /// Its days.
    pub fn period(&self) -> Period {
        Period { from: self.valid_from, to: self.valid_to }
    }
}

/// What is listed. Everything that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct PostingFilter {
    /// Under this programme.
    pub programme_id: Option<ProgrammeId>,
    /// With this host.
    pub host_organisation_id: Option<OrganisationId>,
    /// Of this person.
    pub expert_id: Option<ExpertId>,
    /// In this state.
    pub status: Option<PostingStatus>,
    /// Active and running on this day.
    pub on: Option<NaiveDate>,
}

/// Distinct people and hosts of the placements running on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostingCounts {
    /// Placements.
    pub postings: i64,
    /// Hosts, each once.
    pub hosts: i64,
    /// People, each once.
    pub experts: i64,
}

/// The organisation runs the pool or is the host; the expert is the one placed.
fn sees(ctx: &Ctx, row: &PostingRow) -> bool {
    if ctx.principal.acts_as == Role::Expert {
        return ctx.principal.expert_ids.contains(&row.expert_id);
    }
    row.owner_organisation_id == ctx.organisation() || row.host_organisation_id == ctx.organisation()
}

/// A placement that the principal sees, or 404.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: PostingId) -> Result<PostingRow, Error> {
    let row: PostingRow = postings::table.find(id).select(PostingRow::as_select()).first(conn)?;
    if sees(ctx, &row) { Ok(row) } else { Err(Error::not_found()) }
}

/// A placement of the principal's own pool; 404 when not visible, 403 when only visible.
pub fn owned(conn: &mut Conn, ctx: &Ctx, id: PostingId) -> Result<PostingRow, Error> {
    let row = visible(conn, ctx, id)?;
    if row.owner_organisation_id == ctx.organisation() && ctx.principal.acts_as != Role::Expert {
        Ok(row)
    } else {
        Err(Error::new(ErrorCode::Forbidden))
    }
}

fn conditions(ctx: &Ctx, filter: &PostingFilter) -> Vec<Condition> {
    let me = ctx.organisation();
    let mut all: Vec<Condition> = Vec::new();
    if ctx.principal.acts_as == Role::Expert {
        all.push(Box::new(postings::expert_id.eq_any(ctx.principal.expert_ids.clone())));
    } else {
        all.push(Box::new(postings::owner_organisation_id.eq(me).or(postings::host_organisation_id.eq(me))));
    }
    if let Some(programme) = filter.programme_id {
        all.push(Box::new(postings::programme_id.eq(programme)));
    }
    if let Some(host) = filter.host_organisation_id {
        all.push(Box::new(postings::host_organisation_id.eq(host)));
    }
    if let Some(expert) = filter.expert_id {
        all.push(Box::new(postings::expert_id.eq(expert)));
    }
    if let Some(status) = filter.status {
        all.push(Box::new(postings::status.eq(status)));
    }
    if let Some(day) = filter.on {
        all.push(Box::new(postings::status.eq(PostingStatus::Active)));
        all.push(Box::new(postings::valid_from.le(day).and(postings::valid_to.gt(day))));
    }
    all
}

/// A page of the visible placements, latest beginning first.
pub fn list(conn: &mut Conn, ctx: &Ctx, filter: &PostingFilter, list: &ListQuery) -> Result<Vec<PostingRow>, Error> {
    let mut query = postings::table
        .order((postings::valid_from.desc(), postings::id.desc()))
        .limit(list.fetch())
        .select(PostingRow::as_select())
        .into_boxed();
    for condition in conditions(ctx, filter) {
        query = query.filter(condition);
    }
    if let Some((day, id)) = list.after_parsed::<NaiveDate>()? {
        let id = PostingId(id);
        query = query.filter(postings::valid_from.lt(day).or(postings::valid_from.eq(day).and(postings::id.lt(id))));
    }
    Ok(query.load(conn)?)
}

/// Counts over all pages.
pub fn counts(conn: &mut Conn, ctx: &Ctx, filter: &PostingFilter) -> Result<PostingCounts, Error> {
    let mut query = postings::table.select((postings::host_organisation_id, postings::expert_id)).into_boxed();
    for condition in conditions(ctx, filter) {
        query = query.filter(condition);
    }
    let rows: Vec<(OrganisationId, ExpertId)> = query.load(conn)?;
    let hosts: BTreeSet<_> = rows.iter().map(|(host, _)| *host).collect();
    let people: BTreeSet<_> = rows.iter().map(|(_, person)| *person).collect();
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    Ok(PostingCounts { postings: count(rows.len()), hosts: count(hosts.len()), experts: count(people.len()) })
}

/// The names of the host and the person of placements.
pub fn names(conn: &mut Conn, ids: &[PostingId]) -> Result<Vec<(PostingId, String, String)>, Error> {
    Ok(postings::table
        .inner_join(experts::table)
        .inner_join(organisations::table.on(organisations::id.eq(postings::host_organisation_id)))
        .filter(postings::id.eq_any(ids))
        .select((postings::id, organisations::name, experts::name))
        .load(conn)?)
}

/// The active placements of a person or with a host of a programme that overlap a period. The caller holds the locks.
pub fn around(
    conn: &mut Conn,
    expert: ExpertId,
    programme: ProgrammeId,
    host: OrganisationId,
    period: Period,
) -> Result<Vec<PostingRow>, Error> {
    Ok(postings::table
        .filter(postings::status.eq(PostingStatus::Active))
        .filter(postings::valid_from.lt(period.to))
        .filter(postings::valid_to.gt(period.from))
        .filter(
            postings::expert_id.eq(expert).or(postings::programme_id.eq(programme).and(postings::host_organisation_id.eq(host))),
        )
        .order(postings::id)
        .select(PostingRow::as_select())
        .load(conn)?)
}

/// A placement to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = postings)]
#[expect(missing_docs, reason = "columns of PostingRow")]
pub struct NewPosting {
    pub programme_id: ProgrammeId,
    pub owner_organisation_id: OrganisationId,
    pub expert_id: ExpertId,
    pub host_organisation_id: OrganisationId,
    pub share_percent: i32,
    pub valid_from: NaiveDate,
    pub valid_to: NaiveDate,
    pub legal_basis: LegalBasis,
    pub status: PostingStatus,
    pub note: String,
    pub created_at: UtcTime,
    pub updated_at: UtcTime,
}

/// Adds a placement.
pub fn insert(conn: &mut Conn, new: NewPosting) -> Result<PostingRow, Error> {
    Ok(diesel::insert_into(postings::table).values(new).returning(postings::all_columns).get_result(conn)?)
}

/// Writes a changed placement, whose version is still the one read; it rises. 412 if somebody else was first.
pub fn update(conn: &mut Conn, row: &PostingRow, now: UtcTime) -> Result<PostingRow, Error> {
    diesel::update(postings::table.filter(postings::id.eq(row.id)).filter(postings::version.eq(row.version)))
        .set((
            postings::share_percent.eq(row.share_percent),
            postings::valid_from.eq(row.valid_from),
            postings::valid_to.eq(row.valid_to),
            postings::legal_basis.eq(row.legal_basis),
            postings::status.eq(row.status),
            postings::note.eq(&row.note),
            postings::version.eq(postings::version + 1),
            postings::updated_at.eq(now),
        ))
        .returning(postings::all_columns)
        .get_result(conn)
        .optional()?
        .ok_or_else(|| Error::new(ErrorCode::StaleVersion))
}

/// The placements of a person by a programme that touch a period, both days included.
pub fn of_expert_between(
    conn: &mut Conn,
    programme: crate::ids::ProgrammeId,
    expert: crate::ids::ExpertId,
    first: chrono::NaiveDate,
    last: chrono::NaiveDate,
) -> Result<Vec<PostingRow>, Error> {
    Ok(postings::table
        .filter(postings::programme_id.eq(programme))
        .filter(postings::expert_id.eq(expert))
        .filter(postings::status.eq(super::model::PostingStatus::Active))
        .filter(postings::valid_from.le(last))
        .filter(postings::valid_to.gt(first))
        .order(postings::id)
        .select(PostingRow::as_select())
        .load(conn)?)
}

/// The recorded days of the month in which a day lies.
pub fn days_of(conn: &mut Conn, posting: PostingId, day: NaiveDate) -> Result<Vec<NaiveDate>, Error> {
    let (first, last) = month_range(day);
    Ok(posting_days::table
        .filter(posting_days::posting_id.eq(posting))
        .filter(posting_days::day.between(first, last))
        .order(posting_days::day)
        .select(posting_days::day)
        .load(conn)?)
}

/// Records a day; a second time is refused by the database (409).
pub fn insert_day(conn: &mut Conn, posting: PostingId, day: NaiveDate, note: &str, now: UtcTime) -> Result<(), Error> {
    diesel::insert_into(posting_days::table)
        .values((
            posting_days::posting_id.eq(posting),
            posting_days::day.eq(day),
            posting_days::note.eq(note),
            posting_days::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps an extension: the new end, the office's document number and why.
pub fn insert_amendment(
    conn: &mut Conn,
    before: &PostingRow,
    (new_to, document_number, reason): (NaiveDate, &str, &str),
    now: UtcTime,
) -> Result<(), Error> {
    diesel::insert_into(posting_amendments::table)
        .values((
            posting_amendments::posting_id.eq(before.id),
            posting_amendments::document_number.eq(document_number),
            posting_amendments::old_to.eq(before.valid_to),
            posting_amendments::new_to.eq(new_to),
            posting_amendments::reason.eq(reason),
            posting_amendments::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The placements that go on and whose first day that no longer counts lies after `today` and not after `until`.
pub fn ending_between(conn: &mut Conn, today: NaiveDate, until: NaiveDate) -> Result<Vec<PostingRow>, Error> {
    Ok(postings::table
        .filter(postings::status.eq(super::model::PostingStatus::Active))
        .filter(postings::valid_to.gt(today))
        .filter(postings::valid_to.le(until))
        .order(postings::id)
        .select(PostingRow::as_select())
        .load(conn)?)
}
