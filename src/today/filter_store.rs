//! SQL of the filters that people keep.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::saved_filters as filters;
use crate::error::Error;
use crate::ids::{SavedFilterId, UserId};

/// A filter of a list, kept under a name.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = filters)]
pub struct SavedFilterRow {
    /// Id.
    pub id: SavedFilterId,
    /// The list: its address as a page.
    pub page: String,
    /// Name.
    pub name: String,
    /// The conditions as a query string.
    pub query: String,
    /// Kept since.
    pub created_at: UtcTime,
}

/// The filters of a person, of all lists or of one, by list and name.
pub fn list(conn: &mut Conn, user: UserId, page: Option<&str>) -> Result<Vec<SavedFilterRow>, Error> {
    let mut query = filters::table
        .filter(filters::user_id.eq(user))
        .order((filters::page, filters::name))
        .select(SavedFilterRow::as_select())
        .into_boxed();
    if let Some(page) = page {
        query = query.filter(filters::page.eq(page.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// A filter of a person, or 404.
pub fn find(conn: &mut Conn, user: UserId, id: SavedFilterId) -> Result<SavedFilterRow, Error> {
    filters::table
        .filter(filters::id.eq(id))
        .filter(filters::user_id.eq(user))
        .select(SavedFilterRow::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(Error::not_found)
}

/// Adds a filter.
pub fn insert(
    conn: &mut Conn,
    user: UserId,
    (page, name, query): (&str, &str, &str),
    now: UtcTime,
) -> Result<SavedFilterRow, Error> {
    Ok(diesel::insert_into(filters::table)
        .values((
            filters::user_id.eq(user),
            filters::page.eq(page),
            filters::name.eq(name),
            filters::query.eq(query),
            filters::created_at.eq(now),
        ))
        .returning((filters::id, filters::page, filters::name, filters::query, filters::created_at))
        .get_result(conn)?)
}

/// Gives a filter other conditions.
pub fn set_query(conn: &mut Conn, id: SavedFilterId, query: &str) -> Result<(), Error> {
    diesel::update(filters::table.find(id)).set(filters::query.eq(query)).execute(conn)?;
    Ok(())
}

/// Removes a filter.
pub fn delete(conn: &mut Conn, id: SavedFilterId) -> Result<(), Error> {
    diesel::delete(filters::table.find(id)).execute(conn)?;
    Ok(())
}
