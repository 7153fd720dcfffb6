//! SQL of orders of service menus.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::menus::MenuOrderStatus;
use crate::clock::UtcTime;
use crate::costs::{PayerRule, Yen};
use crate::db::Conn;
use crate::db::schema::menu_orders;
use crate::error::Error;
use crate::http::{ListQuery, Versioned};
use crate::ids::{MenuOrderId, OrganisationId, ProgrammeId};
use crate::pools::rules::ServiceMenu;

/// An order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = menu_orders)]
pub struct MenuOrderRow {
    /// Id.
    pub id: MenuOrderId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// The body that ordered.
    pub organisation_id: OrganisationId,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// The menu as it was.
    pub menu_code: String,
    /// Its name as it was.
    pub menu_name: String,
    /// How many.
    pub quantity: i32,
    /// Yen for one.
    pub unit_price_yen: i64,
    /// Whether the price is published as approximate.
    pub approximate: bool,
    /// Whether it is without consumption tax.
    pub tax_excluded: bool,
    /// Consumption tax on top.
    pub tax_yen: i64,
    /// Yen in all.
    pub amount_yen: i64,
    /// The vendor.
    pub vendor_organisation_id: Option<OrganisationId>,
    /// Number of the contract between body and vendor.
    pub contract_number: String,
    /// Its day.
    pub contracted_on: Option<NaiveDate>,
    /// The day of completion.
    pub completed_on: Option<NaiveDate>,
    /// State.
    pub status: MenuOrderStatus,
    /// Note.
    pub note: String,
    /// The rule by which it is paid, as JSON, as it was when it was ordered.
    pub payer_rule: String,
    /// Version.
    pub version: i64,
}

impl MenuOrderRow {
    /// The rule by which it is paid.
    pub fn rule(&self) -> Result<PayerRule, Error> {
        serde_json::from_str(&self.payer_rule).map_err(Error::internal)
    }
}

impl Versioned for MenuOrderRow {
    fn version(&self) -> i64 {
        self.version
    }
}

/// One order, whoever asks.
pub fn find(conn: &mut Conn, id: MenuOrderId) -> Result<Option<MenuOrderRow>, Error> {
    Ok(menu_orders::table.find(id).select(MenuOrderRow::as_select()).first(conn).optional()?)
}

/// A page of the orders of a body and those in its programmes.
pub fn list(
    conn: &mut Conn,
    me: OrganisationId,
    programme: Option<ProgrammeId>,
    year: Option<i32>,
    page: &ListQuery,
) -> Result<Vec<MenuOrderRow>, Error> {
    let mut query = menu_orders::table
        .filter(menu_orders::owner_organisation_id.eq(me).or(menu_orders::organisation_id.eq(me)))
        .order(menu_orders::id.desc())
        .limit(page.fetch())
        .select(MenuOrderRow::as_select())
        .into_boxed();
    if let Some(programme) = programme {
        query = query.filter(menu_orders::programme_id.eq(programme));
    }
    if let Some(year) = year {
        query = query.filter(menu_orders::fiscal_year.eq(year));
    }
    if let Some((_, id)) = page.after() {
        query = query.filter(menu_orders::id.lt(MenuOrderId(id)));
    }
    Ok(query.load(conn)?)
}

/// An order to be kept.
#[derive(Debug, Clone)]
pub struct NewMenuOrder<'a> {
    /// The programme.
    pub programme: ProgrammeId,
    /// Owner of the pool.
    pub owner: OrganisationId,
    /// The body that orders.
    pub organisation: OrganisationId,
    /// Starting year of the fiscal year.
    pub fiscal_year: i32,
    /// The menu as it is.
    pub menu: &'a ServiceMenu,
    /// How many.
    pub quantity: i32,
    /// Price of one.
    pub unit_price: Yen,
    /// Whether the price is published as approximate.
    pub approximate: bool,
    /// Consumption tax on top.
    pub tax: Yen,
    /// In all.
    pub amount: Yen,
    /// Note.
    pub note: &'a str,
    /// The rule by which it is paid, as JSON.
    pub payer_rule: &'a str,
}

/// Adds an order.
pub fn insert(conn: &mut Conn, new: &NewMenuOrder<'_>, now: UtcTime) -> Result<MenuOrderId, Error> {
    use menu_orders as t;
    Ok(diesel::insert_into(t::table)
        .values((
            (
                t::programme_id.eq(new.programme),
                t::owner_organisation_id.eq(new.owner),
                t::organisation_id.eq(new.organisation),
                t::fiscal_year.eq(new.fiscal_year),
                t::menu_code.eq(&new.menu.code),
                t::menu_name.eq(&new.menu.name),
                t::quantity.eq(new.quantity),
                t::unit_price_yen.eq(new.unit_price.get()),
            ),
            (
                t::approximate.eq(new.approximate),
                t::tax_excluded.eq(new.menu.tax_excluded),
                t::tax_yen.eq(new.tax.get()),
                t::amount_yen.eq(new.amount.get()),
                t::vendor_organisation_id.eq(new.menu.vendor_organisation_id),
                t::status.eq(MenuOrderStatus::Ordered),
                t::note.eq(new.note),
                t::payer_rule.eq(new.payer_rule),
                t::created_at.eq(now),
                t::updated_at.eq(now),
            ),
        ))
        .returning(t::id)
        .get_result(conn)?)
}

/// Keeps an order as it stands now.
pub fn keep(conn: &mut Conn, row: &MenuOrderRow, now: UtcTime) -> Result<MenuOrderRow, Error> {
    use menu_orders as t;
    diesel::update(t::table.find(row.id))
        .set((
            t::unit_price_yen.eq(row.unit_price_yen),
            t::approximate.eq(row.approximate),
            t::tax_yen.eq(row.tax_yen),
            t::amount_yen.eq(row.amount_yen),
            t::vendor_organisation_id.eq(row.vendor_organisation_id),
            t::contract_number.eq(&row.contract_number),
            t::contracted_on.eq(row.contracted_on),
            t::completed_on.eq(row.completed_on),
            t::status.eq(row.status),
            t::version.eq(row.version + 1),
            t::updated_at.eq(now),
        ))
        .execute(conn)?;
    find(conn, row.id)?.ok_or_else(Error::not_found)
}
