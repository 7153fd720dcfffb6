//! SQL of organisations and populations.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::OrganisationKind;
use super::reach::Place;
use crate::clock::UtcTime;
use crate::db::schema::{organisations, populations};
use crate::db::{Conn, Ids};
use crate::error::Error;
use crate::http::{ListQuery, Versioned};
use crate::ids::OrganisationId;
use crate::text;

/// An organisation.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = organisations)]
pub struct OrganisationRow {
    /// Id.
    pub id: OrganisationId,
    /// Kind.
    pub kind: OrganisationKind,
    /// 全国地方公共団体コード.
    pub lg_code: Option<String>,
    /// The prefecture it lies in.
    pub prefecture_id: Option<OrganisationId>,
    /// The body it belongs to: a school's municipality, a council's secretariat.
    pub parent_id: Option<OrganisationId>,
    /// Name as typed.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Office latitude in millionths of a degree.
    pub latitude_e6: Option<i32>,
    /// Office longitude in millionths of a degree.
    pub longitude_e6: Option<i32>,
    /// Section mailbox that gets a copy of every mail.
    pub contact_email: Option<String>,
    /// Whether its staff's requests need its approver first.
    pub requires_approval: bool,
    /// Whether its people must set up a second factor.
    pub requires_second_factor: bool,
    /// First day of existence, where known.
    pub valid_from: Option<NaiveDate>,
    /// First day on which it no longer exists.
    pub valid_to: Option<NaiveDate>,
    /// The body it merged into.
    pub successor_id: Option<OrganisationId>,
    /// Version.
    pub version: i64,
}

impl OrganisationRow {
    /// What decides whether it is within somebody's reach.
    pub fn place(&self) -> Place {
        Place { id: self.id, kind: self.kind, parent: self.parent_id, prefecture: self.prefecture_id }
    }

    /// Whether it exists on a day.
    pub fn exists_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| to > day)
    }
}

impl Versioned for OrganisationRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// An organisation to add.
#[derive(Debug, Clone)]
pub struct NewOrganisation {
    /// Kind.
    pub kind: OrganisationKind,
    /// Code, for kinds that have one.
    pub lg_code: Option<String>,
    /// The prefecture it lies in.
    pub prefecture_id: Option<OrganisationId>,
    /// The body it belongs to.
    pub parent_id: Option<OrganisationId>,
    /// Name as typed.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Office latitude and longitude in millionths of a degree.
    pub place: Option<(i32, i32)>,
    /// Section mailbox.
    pub contact_email: Option<String>,
}

/// The organisation with an id.
pub fn find(conn: &mut Conn, id: OrganisationId) -> Result<Option<OrganisationRow>, Error> {
    Ok(organisations::table.find(id).select(OrganisationRow::as_select()).first(conn).optional()?)
}

/// The organisations with these ids.
pub fn find_many(conn: &mut Conn, ids: &[OrganisationId]) -> Result<Vec<OrganisationRow>, Error> {
    let ids = Ids::new(conn, ids.iter().map(|id| id.0));
    Ok(organisations::table
        .filter(ids.among(organisations::id))
        .order(organisations::id)
        .select(OrganisationRow::as_select())
        .load(conn)?)
}

/// The body that has a code now.
pub fn find_by_code(conn: &mut Conn, code: &str) -> Result<Option<OrganisationRow>, Error> {
    Ok(organisations::table
        .filter(organisations::lg_code.eq(code))
        .filter(organisations::valid_to.is_null())
        .select(OrganisationRow::as_select())
        .first(conn)
        .optional()?)
}

/// All bodies that have or had a code, by code; where a code was used again, the open body comes last.
pub fn all_that_had_code(conn: &mut Conn) -> Result<Vec<OrganisationRow>, Error> {
    let mut rows: Vec<OrganisationRow> = organisations::table
        .filter(organisations::lg_code.is_not_null())
        .order((organisations::lg_code, organisations::id))
        .select(OrganisationRow::as_select())
        .load(conn)?;
    rows.sort_by(|a, b| {
        let end = |row: &OrganisationRow| row.valid_to.unwrap_or(NaiveDate::MAX);
        a.lg_code.cmp(&b.lg_code).then(end(a).cmp(&end(b)))
    });
    Ok(rows)
}

/// All bodies that have a code now, by code.
pub fn all_with_code(conn: &mut Conn) -> Result<Vec<OrganisationRow>, Error> {
    Ok(organisations::table
        .filter(organisations::lg_code.is_not_null())
        .filter(organisations::valid_to.is_null())
        .order(organisations::lg_code)
        .select(OrganisationRow::as_select())
        .load(conn)?)
}

/// The municipalities of a prefecture that exist now, by code.
pub fn municipalities_of(conn: &mut Conn, prefecture: OrganisationId) -> Result<Vec<OrganisationRow>, Error> {
    Ok(organisations::table
        .filter(organisations::prefecture_id.eq(prefecture))
        .filter(organisations::kind.eq_any([
            OrganisationKind::City,
            OrganisationKind::SpecialWard,
            OrganisationKind::Town,
            OrganisationKind::Village,
        ]))
        .filter(organisations::valid_to.is_null())
        .order(organisations::lg_code)
        .select(OrganisationRow::as_select())
        .load(conn)?)
}

/// Adds an organisation.
pub fn insert(conn: &mut Conn, new: &NewOrganisation, now: UtcTime) -> Result<OrganisationRow, Error> {
    let id = insert_only(conn, new, now)?;
    find(conn, id)?.ok_or_else(Error::not_found)
}

/// Adds an organisation without reading it back.
pub fn insert_only(conn: &mut Conn, new: &NewOrganisation, now: UtcTime) -> Result<OrganisationId, Error> {
    Ok(diesel::insert_into(organisations::table)
        .values((
            organisations::kind.eq(new.kind),
            organisations::lg_code.eq(&new.lg_code),
            organisations::prefecture_id.eq(new.prefecture_id),
            organisations::parent_id.eq(new.parent_id),
            organisations::name.eq(&new.name),
            organisations::kana.eq(&new.kana),
            organisations::search_key.eq(search_key(&new.name, &new.kana)),
            organisations::latitude_e6.eq(new.place.map(|place| place.0)),
            organisations::longitude_e6.eq(new.place.map(|place| place.1)),
            organisations::contact_email.eq(&new.contact_email),
            organisations::created_at.eq(now),
            organisations::updated_at.eq(now),
        ))
        .returning(organisations::id)
        .get_result(conn)?)
}

/// Writes the fields that can change; the version rises.
pub fn update(conn: &mut Conn, row: &OrganisationRow, now: UtcTime) -> Result<i64, Error> {
    Ok(diesel::update(organisations::table.find(row.id))
        .set((
            organisations::name.eq(&row.name),
            organisations::kana.eq(&row.kana),
            organisations::search_key.eq(search_key(&row.name, &row.kana)),
            organisations::contact_email.eq(&row.contact_email),
            organisations::requires_approval.eq(row.requires_approval),
            organisations::requires_second_factor.eq(row.requires_second_factor),
            organisations::valid_to.eq(row.valid_to),
            organisations::successor_id.eq(row.successor_id),
            organisations::version.eq(organisations::version + 1),
            organisations::updated_at.eq(now),
        ))
        .returning(organisations::version)
        .get_result(conn)?)
}

fn search_key(name: &str, kana: &str) -> String {
    format!("{} {}", text::fold(name), text::fold(kana))
}

/// Filters of the list.
#[derive(Debug, Clone, Default)]
pub struct OrganisationFilter {
    /// Part of the name or reading, kana and width folded.
    pub text: Option<String>,
    /// Kinds.
    pub kinds: Vec<OrganisationKind>,
    /// In this prefecture.
    pub prefecture_id: Option<OrganisationId>,
    /// With this code.
    pub lg_code: Option<String>,
    /// That exist on this day; all that ever existed when absent.
    pub on: Option<NaiveDate>,
}

/// A page by id (the built-in bodies come in order of code).
pub fn list(conn: &mut Conn, filter: &OrganisationFilter, list: &ListQuery) -> Result<Vec<OrganisationRow>, Error> {
    let mut query =
        organisations::table.order(organisations::id).limit(list.fetch()).select(OrganisationRow::as_select()).into_boxed();
    if let Some(text) = &filter.text {
        query = query.filter(organisations::search_key.like(format!("%{}%", text::like_pattern(&text::fold(text)))).escape('\\'));
    }
    if !filter.kinds.is_empty() {
        query = query.filter(organisations::kind.eq_any(filter.kinds.clone()));
    }
    if let Some(prefecture) = filter.prefecture_id {
        query = query.filter(organisations::prefecture_id.eq(prefecture).or(organisations::id.eq(prefecture)));
    }
    if let Some(code) = &filter.lg_code {
        query = query.filter(organisations::lg_code.eq(code.clone()));
    }
    if let Some(day) = filter.on {
        query = query
            .filter(organisations::valid_from.is_null().or(organisations::valid_from.le(day)))
            .filter(organisations::valid_to.is_null().or(organisations::valid_to.gt(day)));
    }
    if let Some((_, id)) = list.after() {
        query = query.filter(organisations::id.gt(OrganisationId(id)));
    }
    Ok(query.load(conn)?)
}

/// A population figure.
#[derive(Debug, Clone, Queryable)]
pub struct PopulationRow {
    /// Whose.
    pub organisation_id: OrganisationId,
    /// People.
    pub population: i64,
    /// The figure is rounded to this many.
    pub rounded_to: i32,
    /// On which day.
    pub as_of: NaiveDate,
    /// From where.
    pub source: String,
}

/// The newest population of each organisation known on a day.
pub fn populations_on(conn: &mut Conn, ids: &[OrganisationId], day: NaiveDate) -> Result<Vec<PopulationRow>, Error> {
    let rows: Vec<PopulationRow> = populations::table
        .filter(populations::organisation_id.eq_any(ids))
        .filter(populations::as_of.le(day))
        .order((populations::organisation_id, populations::as_of.desc()))
        .select((
            populations::organisation_id,
            populations::population,
            populations::rounded_to,
            populations::as_of,
            populations::source,
        ))
        .load(conn)?;
    let mut newest: Vec<PopulationRow> = Vec::new();
    for row in rows {
        if newest.last().is_none_or(|last| last.organisation_id != row.organisation_id) {
            newest.push(row);
        }
    }
    Ok(newest)
}

/// Of which organisations there is a figure for which day.
pub fn population_days(conn: &mut Conn) -> Result<Vec<(OrganisationId, NaiveDate)>, Error> {
    Ok(populations::table.select((populations::organisation_id, populations::as_of)).load(conn)?)
}

/// Adds a population figure.
pub fn insert_population(
    conn: &mut Conn,
    id: OrganisationId,
    population: i64,
    rounded_to: i32,
    as_of: NaiveDate,
    source: &str,
) -> Result<(), Error> {
    diesel::insert_into(populations::table)
        .values((
            populations::organisation_id.eq(id),
            populations::population.eq(population),
            populations::rounded_to.eq(rounded_to),
            populations::as_of.eq(as_of),
            populations::source.eq(source),
        ))
        .execute(conn)?;
    Ok(())
}
