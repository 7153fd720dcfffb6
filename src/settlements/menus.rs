//! Orders of service menus: a body orders from the programme's catalogue, contracts with the vendor, and the prefecture
//! bears its part by the payer rules of `vendor_fee`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::budget::Book;
use super::budget_store::{BudgetEntryKind, BudgetSubject};
use super::menu_store::{self, MenuOrderRow, NewMenuOrder};
use super::model::laid_out_by;
use super::parties::Parties;
use super::periods;
use super::store::{self, NewCostItem};
use crate::calendar::FiscalYear;
use crate::costs::{CONSUMPTION_TAX, Component, TaxRounding, Yen, add_tax, rate_on};
use crate::db::Conn;
use crate::db::dialect::{Lockable, lock_row};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{MenuOrderId, OrganisationId, ProgrammeId};
use crate::pools::store::{ProgrammeRow, YearRow};

crate::text_enum! {
    /// Where an order stands.
    pub enum MenuOrderStatus {
        /// Ordered.
        Ordered = "ordered", "申込み";
        /// The body has contracted with the vendor.
        Contracted = "contracted", "契約済み";
        /// The service is done and accepted.
        Completed = "completed", "完了";
        /// It does not take place.
        Cancelled = "cancelled", "取消し";
    }
}

crate::text_enum! {
    /// What can be done to an order.
    pub enum MenuOrderVerb {
        /// Note the contract.
        Contract = "contract", "契約";
        /// The service is done; its cost is shared.
        Complete = "complete", "完了";
        /// Give it up.
        Cancel = "cancel", "取消し";
    }
}

/// The state table.
pub const TRANSITIONS: &[(MenuOrderStatus, MenuOrderVerb, MenuOrderStatus)] = &[
    (MenuOrderStatus::Ordered, MenuOrderVerb::Contract, MenuOrderStatus::Contracted),
    (MenuOrderStatus::Contracted, MenuOrderVerb::Complete, MenuOrderStatus::Completed),
    (MenuOrderStatus::Ordered, MenuOrderVerb::Cancel, MenuOrderStatus::Cancelled),
    (MenuOrderStatus::Contracted, MenuOrderVerb::Cancel, MenuOrderStatus::Cancelled),
];

impl MenuOrderStatus {
    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: MenuOrderVerb) -> Result<Self, Error> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state.
    pub fn verbs(self) -> Vec<MenuOrderVerb> {
        TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect()
    }
}

/// An order as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MenuOrderView {
    /// Id.
    pub id: MenuOrderId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// The body that ordered.
    pub organisation_id: OrganisationId,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The menu as it was.
    #[schema(max_length = 40, example = "support")]
    pub menu_code: String,
    /// Its name as it was.
    #[schema(max_length = 200)]
    pub menu_name: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1000, example = 1)]
    pub quantity: i32,
    /// Yen for one.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 1_091_000)]
    pub unit_price_yen: i64,
    /// Whether the price is published as approximate (約): what is reckoned from it stays approximate.
    pub approximate: bool,
    /// Whether the price is without consumption tax (税抜).
    pub tax_excluded: bool,
    /// Consumption tax on top.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 109_100)]
    pub tax_yen: i64,
    /// Yen in all.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 1_200_100)]
    pub amount_yen: i64,
    /// The vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_organisation_id: Option<OrganisationId>,
    /// Number of the contract between body and vendor.
    #[schema(max_length = 100)]
    pub contract_number: String,
    /// Its day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contracted_on: Option<NaiveDate>,
    /// The day of completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_on: Option<NaiveDate>,
    /// State.
    pub status: MenuOrderStatus,
    /// What can be done to it.
    #[schema(max_items = 3)]
    pub verbs: Vec<MenuOrderVerb>,
    /// Note.
    #[schema(max_length = 2000)]
    pub note: String,
    /// Version, for `If-Match`.
    #[schema(minimum = 1)]
    pub version: i64,
}

impl From<MenuOrderRow> for MenuOrderView {
    fn from(row: MenuOrderRow) -> Self {
        Self {
            id: row.id,
            programme_id: row.programme_id,
            organisation_id: row.organisation_id,
            fiscal_year: row.fiscal_year,
            menu_code: row.menu_code,
            menu_name: row.menu_name,
            quantity: row.quantity,
            unit_price_yen: row.unit_price_yen,
            approximate: row.approximate,
            tax_excluded: row.tax_excluded,
            tax_yen: row.tax_yen,
            amount_yen: row.amount_yen,
            vendor_organisation_id: row.vendor_organisation_id,
            contract_number: row.contract_number,
            contracted_on: row.contracted_on,
            completed_on: row.completed_on,
            verbs: row.status.verbs(),
            status: row.status,
            note: row.note,
            version: row.version,
        }
    }
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub struct MenuOrderPage {
    /// The newest first.
    #[schema(max_items = 200)]
    pub items: Vec<MenuOrderView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A body orders a menu.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fiscal_year": 2026, "organisation_id": 12, "menu_code": "support", "quantity": 1}))]
pub struct CreateMenuOrderBody {
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100)]
    pub fiscal_year: i32,
    /// The body; the own organisation when absent.
    pub organisation_id: Option<OrganisationId>,
    /// The menu.
    #[schema(min_length = 1, max_length = 40)]
    pub menu_code: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1000)]
    pub quantity: i32,
    /// Yen for one, where the catalogue names no price or the quotation differs.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub unit_price_yen: Option<i64>,
    /// Note.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// The contract between body and vendor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"contracted_on": "2026-06-01", "contract_number": "契第12号", "unit_price_yen": 1_090_800}))]
pub struct ContractMenuOrderBody {
    /// Its day.
    pub contracted_on: NaiveDate,
    /// Its number.
    #[schema(max_length = 100)]
    pub contract_number: String,
    /// The price that was contracted, in yen for one; that of the order when absent. A contracted price is exact.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub unit_price_yen: Option<i64>,
    /// The vendor; that of the catalogue when absent.
    pub vendor_organisation_id: Option<OrganisationId>,
}

/// The service is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"completed_on": "2026-11-30"}))]
pub struct CompleteMenuOrderBody {
    /// When.
    pub completed_on: NaiveDate,
}

/// An order is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "事業の見直しのため"}))]
pub struct CancelMenuOrderBody {
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// An order that the principal sees: the owner's office, and the body that ordered.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: MenuOrderId) -> Result<MenuOrderRow, Error> {
    let me = ctx.organisation();
    menu_store::find(conn, id)?
        .filter(|row| row.owner_organisation_id == me || row.organisation_id == me)
        .filter(|_| ctx.principal.acts_as != crate::auth::policy::Role::Expert)
        .ok_or_else(Error::not_found)
}

/// An order with its year's rules, under the lock of the year; 403 unless the owner or the body itself acts.
pub fn worked_on(conn: &mut Conn, ctx: &Ctx, id: MenuOrderId) -> Result<(MenuOrderRow, YearRow), Error> {
    let row = visible(conn, ctx, id)?;
    let year = crate::pools::store::year(conn, row.programme_id, row.fiscal_year)?.ok_or_else(Error::not_found)?;
    lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    let row = menu_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    Ok((row, year))
}

/// 409 while an order is not completed.
pub fn require_completed(conn: &mut Conn, id: MenuOrderId) -> Result<(), Error> {
    let row = menu_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    if row.status == MenuOrderStatus::Completed {
        return Ok(());
    }
    Err(Error::transition(row.status.as_str(), row.status.verbs().iter().map(|verb| verb.as_str()).collect())
        .detail("注文の完了後に計算できます", "The order is not completed yet"))
}

/// Price, tax and sum of so many menus on a day.
fn price(unit: Yen, quantity: i32, tax_excluded: bool, on: NaiveDate) -> Result<(Yen, Yen), Error> {
    let too_much = |_| {
        Error::new(ErrorCode::ValidationFailed).field(
            "/unit_price_yen",
            "amount_out_of_range",
            "合計が1兆円を超えます",
            "The sum exceeds a trillion yen",
        )
    };
    let net = unit.checked_mul(i64::from(quantity)).map_err(too_much)?;
    if !tax_excluded {
        return Ok((Yen::ZERO, net));
    }
    let rate = rate_on(CONSUMPTION_TAX, on).map_or(0, |rate| rate.basis_points);
    let taxed = add_tax(net, rate, TaxRounding::Floor).map_err(too_much)?;
    Ok((taxed.tax, taxed.gross))
}

/// Brings what an order has bound up to date.
pub(super) fn bind(
    conn: &mut Conn,
    ctx: &Ctx,
    row: &MenuOrderRow,
    year: &YearRow,
    amount: Yen,
    kind: BudgetEntryKind,
) -> Result<(), Error> {
    let book = Book {
        year: (row.programme_id, row.fiscal_year),
        owner: row.owner_organisation_id,
        body: row.organisation_id,
        rules: &year.rules,
    };
    let target = laid_out_by(&row.rule()?, amount)?;
    book.set(conn, ctx, BudgetSubject::Order(row.id), target, kind)
}

/// A body orders a menu, or the office does for it. The prefecture's part is bound in its budget.
pub fn order(
    conn: &mut Conn,
    ctx: &Ctx,
    programme: ProgrammeRow,
    body: CreateMenuOrderBody,
) -> Result<Outcome<MenuOrderView>, Error> {
    let me = ctx.organisation();
    let who = body.organisation_id.unwrap_or(me);
    let year = crate::pools::store::year(conn, programme.id, body.fiscal_year)?;
    let mut fields = Fields::new();
    fields.check(
        year.is_some(),
        "/fiscal_year",
        "no_rules_for_year",
        "この年度の事業の規則が設定されていません",
        "The programme has no rules for this fiscal year",
    );
    fields.within("/quantity", i64::from(body.quantity), 1, 1000);
    fields.text("/note", &body.note, 2000);
    let pool_members = crate::pools::store::member_ids_on(conn, programme.pool_id, ctx.today())?;
    let is_office = programme.owner_organisation_id == me;
    fields.check(
        (is_office || who == me) && pool_members.contains(&who),
        "/organisation_id",
        "not_a_member",
        "人材プールの会員である自団体を指定してください（事務局は会員を指定できます）",
        "Must be the own organisation, a member of the pool; the office can name any member",
    );
    let menu = year.as_ref().and_then(|year| year.rules.menus.iter().find(|menu| menu.code == body.menu_code)).cloned();
    fields.check(
        menu.is_some(),
        "/menu_code",
        "unknown_menu",
        "メニュー一覧にあるコードを指定してください",
        "Must be in the catalogue",
    );
    let unit = body.unit_price_yen.or(menu.as_ref().and_then(|menu| menu.unit_price_yen).map(Yen::get));
    fields.check(
        unit.is_some(),
        "/unit_price_yen",
        "required",
        "単価が公表されていないメニューです。見積額を入力してください",
        "The catalogue names no price: enter the quotation",
    );
    if let Some(unit) = unit {
        fields.within("/unit_price_yen", unit, 0, 1_000_000_000);
    }
    if let Some(menu) = &menu {
        // A published approximate price is a price; what differs from it is a quotation of its own.
        fields.check(
            is_office || body.unit_price_yen.is_none() || menu.unit_price_yen.is_none(),
            "/unit_price_yen",
            "office_only",
            "単価の変更は事務局が行います",
            "Only the office deviates from the catalogue's price",
        );
    }
    fields.finish()?;
    let (Some(year), Some(menu), Some(unit)) = (year, menu, unit) else { return Err(Error::internal("order")) };
    lock_row(conn, Lockable::ProgrammeYear, year.id.0)?;
    periods::require_year_open(conn, programme.owner_organisation_id, body.fiscal_year)?;
    let unit = Yen::new(unit).map_err(Error::internal)?;
    let (tax, amount) = price(unit, body.quantity, menu.tax_excluded, ctx.today())?;
    let rule = serde_json::to_string(&year.rules.payer_rule(Component::VendorFee)).map_err(Error::internal)?;
    let new = NewMenuOrder {
        programme: programme.id,
        owner: programme.owner_organisation_id,
        organisation: who,
        fiscal_year: body.fiscal_year,
        menu: &menu,
        quantity: body.quantity,
        unit_price: unit,
        approximate: menu.approximate && body.unit_price_yen.is_none(),
        tax,
        amount,
        note: &body.note,
        payer_rule: &rule,
    };
    let id = menu_store::insert(conn, &new, ctx.now)?;
    let row = menu_store::find(conn, id)?.ok_or_else(Error::not_found)?;
    bind(conn, ctx, &row, &year, amount, BudgetEntryKind::Reserve)?;
    let audit = Audit::new("menu_order", row.id.0, row.owner_organisation_id)
        .created(
            json!({"organisation_id": who, "menu_code": row.menu_code, "quantity": row.quantity, "amount_yen": row.amount_yen}),
        )
        .for_body(who, me);
    let location = format!("/api/v1/menu-orders/{}", row.id);
    let version = row.version;
    Ok(Outcome::created(row.into(), version, location, audit))
}

fn moved(row: MenuOrderRow, before: MenuOrderStatus, ctx: &Ctx) -> Outcome<MenuOrderView> {
    let audit = Audit::new("menu_order", row.id.0, row.owner_organisation_id)
        .change(json!({"status": before}), json!({"status": row.status, "amount_yen": row.amount_yen}))
        .for_body(row.organisation_id, ctx.organisation());
    let version = row.version;
    Outcome::changed(row.into(), version, audit)
}

/// Notes the contract. From now on the price is exact.
pub fn contract(
    conn: &mut Conn,
    ctx: &Ctx,
    (row, year): (MenuOrderRow, YearRow),
    body: ContractMenuOrderBody,
) -> Result<Outcome<MenuOrderView>, Error> {
    let before = row.status;
    let mut row = row;
    row.status = before.after(MenuOrderVerb::Contract)?;
    let fiscal_year = FiscalYear::new(row.fiscal_year).map_err(Error::internal)?;
    let mut fields = Fields::new();
    fields.line("/contract_number", &body.contract_number, 100);
    fields.check(
        fiscal_year.contains(body.contracted_on) && body.contracted_on <= ctx.today(),
        "/contracted_on",
        "outside_fiscal_year",
        "注文の年度内で今日以前の日付にしてください",
        "Must lie in the order's fiscal year and not in the future",
    );
    if let Some(unit) = body.unit_price_yen {
        fields.within("/unit_price_yen", unit, 0, 1_000_000_000);
    }
    fields.finish()?;
    let unit = Yen::new(body.unit_price_yen.unwrap_or(row.unit_price_yen)).map_err(Error::internal)?;
    let (tax, amount) = price(unit, row.quantity, row.tax_excluded, body.contracted_on)?;
    (row.unit_price_yen, row.tax_yen, row.amount_yen) = (unit.get(), tax.get(), amount.get());
    row.approximate = row.approximate && body.unit_price_yen.is_none();
    row.contracted_on = Some(body.contracted_on);
    row.contract_number = body.contract_number;
    row.vendor_organisation_id = body.vendor_organisation_id.or(row.vendor_organisation_id);
    let row = menu_store::keep(conn, &row, ctx.now)?;
    bind(conn, ctx, &row, &year, amount, BudgetEntryKind::Plan)?;
    Ok(moved(row, before, ctx))
}

/// The service is done: its cost is divided by the payer rules.
pub fn complete(
    conn: &mut Conn,
    ctx: &Ctx,
    (row, year): (MenuOrderRow, YearRow),
    body: CompleteMenuOrderBody,
) -> Result<Outcome<MenuOrderView>, Error> {
    let before = row.status;
    let mut row = row;
    row.status = before.after(MenuOrderVerb::Complete)?;
    let fiscal_year = FiscalYear::new(row.fiscal_year).map_err(Error::internal)?;
    let mut fields = Fields::new();
    fields.check(
        fiscal_year.contains(body.completed_on)
            && body.completed_on <= ctx.today()
            && row.contracted_on.is_some_and(|day| day <= body.completed_on),
        "/completed_on",
        "outside_fiscal_year",
        "契約日以降、注文の年度内で今日以前の日付にしてください",
        "Must not precede the contract, and lie in the order's fiscal year and not in the future",
    );
    fields.finish()?;
    periods::require_open(conn, row.owner_organisation_id, row.fiscal_year, body.completed_on)?;
    row.completed_on = Some(body.completed_on);
    let row = menu_store::keep(conn, &row, ctx.now)?;
    let amount = Yen::new(row.amount_yen).map_err(Error::internal)?;
    let parties = Parties::single(row.owner_organisation_id, row.organisation_id, None);
    let rule = row.rule()?;
    let shares = parties.divide_by(&rule, amount)?;
    let explanation = format!(
        "{} {}件（単価{}円{}）",
        row.menu_name,
        row.quantity,
        row.unit_price_yen,
        if row.tax_excluded { "・税抜" } else { "" }
    );
    let new = NewCostItem {
        programme: row.programme_id,
        owner: row.owner_organisation_id,
        fiscal_year: row.fiscal_year,
        occurred_on: body.completed_on,
        dispatch: None,
        visit: None,
        expert: None,
        order: Some(row.id),
        settlement: None,
        adjusts: None,
        component: Component::VendorFee,
        amount,
        paid_directly: 0,
        paid_minutes: None,
        first_paid_by: rule.first_paid_by,
        agreement: None,
        payer_rule: Some(&row.payer_rule),
        undisclosed: year.rules.amounts_undisclosed,
        approximate: row.approximate,
        explanation: &explanation,
    };
    store::insert(conn, &new, shares, ctx.now)?;
    bind(conn, ctx, &row, &year, amount, BudgetEntryKind::Commit)?;
    Ok(moved(row, before, ctx))
}

/// Gives an order up; what was bound for it is free again.
pub fn cancel(
    conn: &mut Conn,
    ctx: &Ctx,
    (row, year): (MenuOrderRow, YearRow),
    body: CancelMenuOrderBody,
) -> Result<Outcome<MenuOrderView>, Error> {
    let before = row.status;
    let mut row = row;
    row.status = before.after(MenuOrderVerb::Cancel)?;
    let mut fields = Fields::new();
    fields.check(!body.reason.trim().is_empty(), "/reason", "required", "理由を入力してください", "Give the reason");
    fields.text("/reason", &body.reason, 2000);
    fields.finish()?;
    let row = menu_store::keep(conn, &row, ctx.now)?;
    bind(conn, ctx, &row, &year, Yen::ZERO, BudgetEntryKind::Release)?;
    let mut outcome = moved(row, before, ctx);
    outcome.audit = outcome.audit.because(body.reason);
    Ok(outcome)
}
