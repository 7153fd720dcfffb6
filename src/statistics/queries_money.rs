//! SQL of yen by component, payer and organisation. Only calculated items count: their shares are fixed and add up.

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::costs::{Component, Payer};
use crate::db::Conn;
use crate::db::schema::{cost_items, cost_shares};
use crate::error::Error;
use crate::ids::{OrganisationId, ProgrammeId};

/// Which costs count: those charged to a fiscal year, or those of work done in a period (a calendar year).
#[derive(Debug, Clone, Copy)]
pub enum CostPeriod {
    /// Charged to the fiscal year that starts in this year, corrections of earlier years included.
    Fiscal(i32),
    /// Of work between two days, both included.
    Days(NaiveDate, NaiveDate),
}

/// Narrows a query to a programme's costs of a period and loads it.
macro_rules! load_of {
    ($conn:expr, $query:expr, $programme:expr, $period:expr) => {{
        let query = $query.filter(cost_items::programme_id.eq($programme));
        match $period {
            CostPeriod::Fiscal(year) => query.filter(cost_items::fiscal_year.eq(year)).load($conn)?,
            CostPeriod::Days(from, to) => query.filter(cost_items::occurred_on.between(from, to)).load($conn)?,
        }
    }};
}

/// Yen of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentSum {
    /// The component.
    pub component: Component,
    /// Whether the items are kept from everybody but the pool's owner.
    pub undisclosed: bool,
    /// Whether they are reckoned from approximate figures.
    pub approximate: bool,
    /// Whether shares are fixed; other items are still being entered.
    pub calculated: bool,
    /// Yen.
    pub yen: i64,
    /// Items.
    pub items: i64,
}

/// Sums of cost items by component, disclosure and state.
pub fn by_component(conn: &mut Conn, programme: ProgrammeId, period: CostPeriod) -> Result<Vec<ComponentSum>, Error> {
    let query = cost_items::table
        .group_by((cost_items::component, cost_items::undisclosed, cost_items::approximate, cost_items::status))
        .select((
            cost_items::component,
            cost_items::undisclosed,
            cost_items::approximate,
            cost_items::status,
            sql::<BigInt>("CAST(COALESCE(SUM(cost_items.amount_yen), 0) AS BIGINT)"),
            sql::<BigInt>("COUNT(*)"),
        ));
    let rows: Vec<(Component, bool, bool, String, i64, i64)> = load_of!(conn, query, programme, period);
    Ok(rows
        .into_iter()
        .map(|(component, undisclosed, approximate, status, yen, items)| ComponentSum {
            component,
            undisclosed,
            approximate,
            calculated: status == "calculated",
            yen,
            items,
        })
        .collect())
}

/// Calculated yen that an organisation bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerSum {
    /// As what.
    pub payer: Payer,
    /// Who bears it; `None` where the payer is not registered here.
    pub organisation: Option<OrganisationId>,
    /// Whether the items are kept from everybody but the pool's owner.
    pub undisclosed: bool,
    /// Yen.
    pub yen: i64,
}

/// Sums of the shares of calculated items by payer, organisation and disclosure.
pub fn by_payer(conn: &mut Conn, programme: ProgrammeId, period: CostPeriod) -> Result<Vec<PayerSum>, Error> {
    // Columns of two tables: named as text, since the query builder groups by columns of one table only.
    let key = || {
        (
            sql::<Text>("cost_shares.payer"),
            sql::<Nullable<BigInt>>("cost_shares.organisation_id"),
            sql::<Bool>("cost_items.undisclosed"),
        )
    };
    let (payer, organisation, undisclosed) = key();
    let query = cost_shares::table
        .inner_join(cost_items::table)
        .filter(cost_items::status.eq("calculated"))
        .group_by(key())
        .select((payer, organisation, undisclosed, sql::<BigInt>("CAST(COALESCE(SUM(cost_shares.amount_yen), 0) AS BIGINT)")));
    let rows: Vec<(Payer, Option<OrganisationId>, bool, i64)> = load_of!(conn, query, programme, period);
    Ok(rows
        .into_iter()
        .map(|(payer, organisation, undisclosed, yen)| PayerSum { payer, organisation, undisclosed, yen })
        .collect())
}
