//! SQL of yen by component, payer and organisation. Only calculated items count: their shares are fixed and add up.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::model::Years;
use crate::db::Conn;
use crate::db::schema::{cost_items, cost_shares, visits};
use crate::error::Error;
use crate::ids::{OrganisationId, ProgrammeId};

/// Calculated yen of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentSum {
    /// Stable text of the component.
    pub component: String,
    /// Whether the items are kept from everybody but the pool's owner.
    pub undisclosed: bool,
    /// Whether shares are fixed; other items are still being entered.
    pub calculated: bool,
    /// Yen.
    pub yen: i64,
    /// Items.
    pub items: i64,
}

/// Sums of cost items by component, disclosure and state. A visit's cost belongs to the fiscal year of its day.
pub fn by_component(conn: &mut Conn, programme: ProgrammeId, years: Years) -> Result<Vec<ComponentSum>, Error> {
    let rows: Vec<(String, bool, String, i64, i64)> = cost_items::table
        .inner_join(visits::table)
        .filter(visits::programme_id.eq(programme))
        .filter(visits::load_day.between(years.first_day(), years.last_day()))
        .group_by((cost_items::component, cost_items::undisclosed, cost_items::status))
        .select((
            cost_items::component,
            cost_items::undisclosed,
            cost_items::status,
            sql::<BigInt>("CAST(COALESCE(SUM(cost_items.amount_yen), 0) AS BIGINT)"),
            sql::<BigInt>("COUNT(*)"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(component, undisclosed, status, yen, items)| ComponentSum {
            component,
            undisclosed,
            calculated: status == "calculated",
            yen,
            items,
        })
        .collect())
}

/// Calculated yen that an organisation bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerSum {
    /// Stable text of the payer: `prefecture` or `municipality`.
    pub payer: String,
    /// Who bears it.
    pub organisation: OrganisationId,
    /// Whether the items are kept from everybody but the pool's owner.
    pub undisclosed: bool,
    /// Yen.
    pub yen: i64,
}

/// Sums of the shares of calculated items by payer, organisation and disclosure.
pub fn by_payer(conn: &mut Conn, programme: ProgrammeId, years: Years) -> Result<Vec<PayerSum>, Error> {
    // Columns of two tables: named as text, since the query builder groups by columns of one table only.
    let key = || {
        (sql::<Text>("cost_shares.payer"), sql::<BigInt>("cost_shares.organisation_id"), sql::<Bool>("cost_items.undisclosed"))
    };
    let (payer, organisation, undisclosed) = key();
    let rows: Vec<(String, OrganisationId, bool, i64)> = cost_shares::table
        .inner_join(cost_items::table.inner_join(visits::table))
        .filter(visits::programme_id.eq(programme))
        .filter(visits::load_day.between(years.first_day(), years.last_day()))
        .filter(cost_items::status.eq("calculated"))
        .group_by(key())
        .select((payer, organisation, undisclosed, sql::<BigInt>("CAST(COALESCE(SUM(cost_shares.amount_yen), 0) AS BIGINT)")))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(payer, organisation, undisclosed, yen)| PayerSum { payer, organisation, undisclosed, yen })
        .collect())
}
