//! SQL of closed periods. Month 0 stands for the whole year.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::closed_periods;
use crate::error::Error;
use crate::ids::{OrganisationId, UserId};

/// Fiscal year, month and when it was closed, of every period of an owner, the newest year first.
pub fn list(conn: &mut Conn, owner: OrganisationId) -> Result<Vec<(i32, i32, UtcTime)>, Error> {
    Ok(closed_periods::table
        .filter(closed_periods::owner_organisation_id.eq(owner))
        .order((closed_periods::fiscal_year.desc(), closed_periods::month))
        .select((closed_periods::fiscal_year, closed_periods::month, closed_periods::created_at))
        .load(conn)?)
}

/// The first of some months of a fiscal year that is closed.
pub fn first_closed(conn: &mut Conn, owner: OrganisationId, fiscal_year: i32, months: &[i32]) -> Result<Option<i32>, Error> {
    Ok(closed_periods::table
        .filter(closed_periods::owner_organisation_id.eq(owner))
        .filter(closed_periods::fiscal_year.eq(fiscal_year))
        .filter(closed_periods::month.eq_any(months))
        .order(closed_periods::month)
        .select(closed_periods::month)
        .first(conn)
        .optional()?)
}

/// Closes a period; a second time is refused by the database (409).
pub fn insert(
    conn: &mut Conn,
    owner: OrganisationId,
    (fiscal_year, month): (i32, i32),
    by: Option<UserId>,
    now: UtcTime,
) -> Result<i64, Error> {
    Ok(diesel::insert_into(closed_periods::table)
        .values((
            closed_periods::owner_organisation_id.eq(owner),
            closed_periods::fiscal_year.eq(fiscal_year),
            closed_periods::month.eq(month),
            closed_periods::closed_by.eq(by),
            closed_periods::created_at.eq(now),
        ))
        .returning(closed_periods::id)
        .get_result(conn)?)
}
