//! REST: settlements, claims, payments, orders, costs of placements, closed periods.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::menus::{
    self, CancelMenuOrderBody, CompleteMenuOrderBody, ContractMenuOrderBody, CreateMenuOrderBody, MenuOrderPage, MenuOrderView,
};
use super::periods::{self, ClosePeriodBody, ClosedPeriodList, ClosedPeriodView};
use super::placements::{self, CreatePlacementCostBody, PlacementCosts};
use super::settlement_store::{self, SettlementFilter, SettlementStatus};
use super::settlement_views::{
    BillSettlementBody, ClaimPage, ClaimView, ConfirmSettlementBody, CreateAdjustmentBody, CreateSettlementBody,
    ExpertPaymentPage, ExpertPaymentView, PayClaimBody, PayExpertBody, SettlementPage, SettlementSummary, SettlementVerbBody,
    SettlementView, claim_views, payment_view, view,
};
use super::{adjustments, billing, lifecycle};
use crate::auth::policy::{ManageCosts, OrderMenus, ReadCosts, ReadExpertPayments, Role};
use crate::dispatches::store::Audience;
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{ListQuery, Read, Versioned, Write};
use crate::ids::{ClaimId, DispatchId, ExpertPaymentId, MenuOrderId, ProgrammeId, SettlementId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_settlements)
        .service(create_settlement)
        .service(get_settlement)
        .service(calculate_settlement)
        .service(confirm_settlement)
        .service(bill_settlement)
        .service(adjust_settlement)
        .service(list_claims)
        .service(get_claim)
        .service(pay_claim)
        .service(list_expert_payments)
        .service(get_expert_payment)
        .service(pay_expert)
        .service(list_menu_orders)
        .service(create_menu_order)
        .service(get_menu_order)
        .service(contract_menu_order)
        .service(complete_menu_order)
        .service(cancel_menu_order)
        .service(create_placement_cost)
        .service(list_closed_periods)
        .service(close_period);
}

/// Filters of the list of settlements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SettlementListParams {
    /// Only of this programme.
    programme_id: Option<ProgrammeId>,
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Only in this state.
    #[param(inline)]
    status: Option<SettlementStatus>,
    /// Only of this dispatch.
    dispatch_id: Option<DispatchId>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 精算の一覧 / Settlements that concern the asking party.
#[utoipa::path(tag = "settlements", params(SettlementListParams), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "新しい順", body = SettlementPage)))]
#[get("/settlements")]
async fn list_settlements(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: SettlementListParams| {
        let filter = SettlementFilter {
            id: None,
            programme_id: params.programme_id,
            fiscal_year: params.fiscal_year,
            status: params.status,
            dispatch_id: params.dispatch_id,
        };
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &format!("settlements {filter:?}"))?;
        let rows = settlement_store::list(conn, &Audience::of(ctx), &filter, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let items = page.items.iter().map(SettlementSummary::from).collect();
        let next = page.next_cursor.clone();
        Ok(Answer::List(SettlementPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// 精算を始める / Opens the settlement of a dispatch, a placed person's period, or an order.
#[utoipa::path(tag = "settlements", request_body = CreateSettlementBody, extensions(("x-permission" = json!("manage_costs"))),
    responses((status = 201, description = "作成した", body = SettlementView)))]
#[post("/settlements")]
async fn create_settlement(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    write.create(lifecycle::open).await
}

/// 精算 / A settlement with its costs, claims and payments.
#[utoipa::path(tag = "settlements", params(("id" = SettlementId, Path)), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "精算", body = SettlementView)))]
#[get("/settlements/{id}")]
async fn get_settlement(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = read.id::<SettlementId>("id");
    read.object(move |conn, ctx| lifecycle::visible(conn, ctx, id?), |conn, ctx, row| view(conn, ctx, &row)).await
}

/// 精算を計算する / Gathers the costs of work that is over.
#[utoipa::path(tag = "settlements", params(("id" = SettlementId, Path)), request_body = SettlementVerbBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "計算した", body = SettlementView)))]
#[post("/settlements/{id}/calculate")]
async fn calculate_settlement(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<SettlementId>("id").ok();
    write.change(move |conn, ctx| lifecycle::owned(conn, ctx, id.ok_or_else(Error::not_found)?), lifecycle::calculate).await
}

/// 額を確定する / Makes the amount final; corrections are adjustments from then on.
#[utoipa::path(tag = "settlements", params(("id" = SettlementId, Path)), request_body = ConfirmSettlementBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "確定した", body = SettlementView)))]
#[post("/settlements/{id}/confirm")]
async fn confirm_settlement(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<SettlementId>("id").ok();
    write.change(move |conn, ctx| lifecycle::owned(conn, ctx, id.ok_or_else(Error::not_found)?), lifecycle::confirm).await
}

/// 請求・支払を通知する / Issues claims between bodies and payments to experts.
#[utoipa::path(tag = "settlements", params(("id" = SettlementId, Path)), request_body = BillSettlementBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "発行した", body = SettlementView)))]
#[post("/settlements/{id}/bill")]
async fn bill_settlement(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<SettlementId>("id").ok();
    write.change(move |conn, ctx| lifecycle::owned(conn, ctx, id.ok_or_else(Error::not_found)?), billing::bill).await
}

/// 追給・返納を記録する / Corrects a final amount; the original stays.
#[utoipa::path(tag = "settlements", params(("id" = SettlementId, Path)), request_body = CreateAdjustmentBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = SettlementView)))]
#[post("/settlements/{id}/adjust")]
async fn adjust_settlement(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<SettlementId>("id").ok();
    write.change(move |conn, ctx| lifecycle::owned(conn, ctx, id.ok_or_else(Error::not_found)?), adjustments::adjust).await
}

/// Filters of the list of claims.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClaimListParams {
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Only those that are still owed, or only those that are paid.
    open: Option<bool>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 負担金等の一覧 / What bodies owe each other, as far as it concerns the asking party.
#[utoipa::path(tag = "settlements", params(ClaimListParams), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "新しい順", body = ClaimPage)))]
#[get("/claims")]
async fn list_claims(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ClaimListParams| {
        let scope = format!("claims {:?} {:?}", params.fiscal_year, params.open);
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &scope)?;
        let rows = settlement_store::list_claims(conn, ctx.organisation(), params.fiscal_year, params.open, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = claim_views(conn, page.items)?;
        Ok(Answer::List(ClaimPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// 負担金等 / What one body owes another.
#[utoipa::path(tag = "settlements", params(("id" = ClaimId, Path)), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "負担金等", body = ClaimView)))]
#[get("/claims/{id}")]
async fn get_claim(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = read.id::<ClaimId>("id");
    read.object(
        move |conn, ctx| billing::visible_claim(conn, ctx, id?),
        |conn, _, row| claim_views(conn, vec![row])?.pop().ok_or_else(Error::not_found),
    )
    .await
}

/// Filters of the list of payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExpertPaymentListParams {
    /// Only what was paid in this calendar year.
    #[param(minimum = 2000, maximum = 2100)]
    calendar_year: Option<i32>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 専門家への支払の一覧 / Payments to experts: all of the own office, or the own ones of an expert.
#[utoipa::path(tag = "settlements", params(ExpertPaymentListParams), extensions(("x-permission" = json!("read_expert_payments"))),
    responses((status = 200, description = "新しい順", body = ExpertPaymentPage)))]
#[get("/expert-payments")]
async fn list_expert_payments(read: Read<ReadExpertPayments>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ExpertPaymentListParams| {
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &format!("payments {:?}", params.calendar_year))?;
        let owner = (ctx.principal.acts_as != Role::Expert).then(|| ctx.organisation());
        let day = |year, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day);
        let year = params.calendar_year.and_then(|year| day(year, 1, 1).zip(day(year, 12, 31)));
        let rows = settlement_store::list_payments(conn, owner, &ctx.principal.expert_ids, year, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let items = page.items.iter().map(payment_view).collect();
        let next = page.next_cursor.clone();
        Ok(Answer::List(ExpertPaymentPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// 専門家への支払 / One payment to an expert.
#[utoipa::path(tag = "settlements", params(("id" = ExpertPaymentId, Path)), extensions(("x-permission" = json!("read_expert_payments"))),
    responses((status = 200, description = "支払", body = ExpertPaymentView)))]
#[get("/expert-payments/{id}")]
async fn get_expert_payment(read: Read<ReadExpertPayments>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertPaymentId>("id");
    read.object(move |conn, ctx| billing::visible_payment(conn, ctx, id?), |_, _, row| Ok(payment_view(&row))).await
}

/// 負担金等の納付を記録する / Records a payment of a claim.
#[utoipa::path(tag = "settlements", params(("id" = ClaimId, Path)), request_body = PayClaimBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = ClaimView)))]
#[post("/claims/{id}/pay")]
async fn pay_claim(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ClaimId>("id").ok();
    write
        .change(move |conn, ctx| Ok(billing::owned_claim(conn, ctx, id.ok_or_else(Error::not_found)?)?.0), billing::pay_claim)
        .await
}

/// 専門家への支払を記録する / Records when an expert was paid, or paid back.
#[utoipa::path(tag = "settlements", params(("id" = ExpertPaymentId, Path)), request_body = PayExpertBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = ExpertPaymentView)))]
#[post("/expert-payments/{id}/pay")]
async fn pay_expert(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertPaymentId>("id").ok();
    write
        .change(move |conn, ctx| Ok(billing::owned_payment(conn, ctx, id.ok_or_else(Error::not_found)?)?.0), billing::pay_expert)
        .await
}

/// Filters of the list of orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MenuOrderListParams {
    /// Only of this programme.
    programme_id: Option<ProgrammeId>,
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// メニュー注文の一覧 / Orders of service menus.
#[utoipa::path(tag = "menu-orders", params(MenuOrderListParams), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "新しい順", body = MenuOrderPage)))]
#[get("/menu-orders")]
async fn list_menu_orders(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: MenuOrderListParams| {
        let scope = format!("menu-orders {:?} {:?}", params.programme_id, params.fiscal_year);
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &scope)?;
        let rows = super::menu_store::list(conn, ctx.organisation(), params.programme_id, params.fiscal_year, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(MenuOrderView::from).collect();
        Ok(Answer::List(MenuOrderPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// メニューを注文する / Orders a service menu of a programme.
#[utoipa::path(tag = "menu-orders", params(("id" = ProgrammeId, Path)), request_body = CreateMenuOrderBody,
    extensions(("x-permission" = json!("order_menus"))),
    responses((status = 201, description = "注文した", body = MenuOrderView)))]
#[post("/programmes/{id}/menu-orders")]
async fn create_menu_order(write: Write<OrderMenus>) -> Result<HttpResponse, Error> {
    let id = write.id::<ProgrammeId>("id").ok();
    write
        .under(
            move |conn, ctx| Ok(crate::pools::store::visible_programme(conn, ctx, id.ok_or_else(Error::not_found)?)?.0),
            menus::order,
        )
        .await
}

/// メニュー注文 / One order.
#[utoipa::path(tag = "menu-orders", params(("id" = MenuOrderId, Path)), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "注文", body = MenuOrderView)))]
#[get("/menu-orders/{id}")]
async fn get_menu_order(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = read.id::<MenuOrderId>("id");
    read.object(move |conn, ctx| menus::visible(conn, ctx, id?), |_, _, row| Ok(MenuOrderView::from(row))).await
}

/// An order with its year, seen with the order's version.
struct WorkedOn(super::menu_store::MenuOrderRow, crate::pools::store::YearRow);

impl Versioned for WorkedOn {
    fn version(&self) -> i64 {
        self.0.version
    }
}

/// メニューの契約を記録する / Notes the contract between body and vendor.
#[utoipa::path(tag = "menu-orders", params(("id" = MenuOrderId, Path)), request_body = ContractMenuOrderBody,
    extensions(("x-permission" = json!("order_menus")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = MenuOrderView)))]
#[post("/menu-orders/{id}/contract")]
async fn contract_menu_order(write: Write<OrderMenus>) -> Result<HttpResponse, Error> {
    let id = write.id::<MenuOrderId>("id").ok();
    write
        .change(
            move |conn, ctx| menus::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?).map(|(row, year)| WorkedOn(row, year)),
            |conn, ctx, WorkedOn(row, year), body| menus::contract(conn, ctx, (row, year), body),
        )
        .await
}

/// メニューの完了を記録する / The service is done: its cost is divided.
#[utoipa::path(tag = "menu-orders", params(("id" = MenuOrderId, Path)), request_body = CompleteMenuOrderBody,
    extensions(("x-permission" = json!("order_menus")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = MenuOrderView)))]
#[post("/menu-orders/{id}/complete")]
async fn complete_menu_order(write: Write<OrderMenus>) -> Result<HttpResponse, Error> {
    let id = write.id::<MenuOrderId>("id").ok();
    write
        .change(
            move |conn, ctx| menus::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?).map(|(row, year)| WorkedOn(row, year)),
            |conn, ctx, WorkedOn(row, year), body| menus::complete(conn, ctx, (row, year), body),
        )
        .await
}

/// メニューの注文を取り消す / Gives an order up.
#[utoipa::path(tag = "menu-orders", params(("id" = MenuOrderId, Path)), request_body = CancelMenuOrderBody,
    extensions(("x-permission" = json!("order_menus")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り消した", body = MenuOrderView)))]
#[post("/menu-orders/{id}/cancel")]
async fn cancel_menu_order(write: Write<OrderMenus>) -> Result<HttpResponse, Error> {
    let id = write.id::<MenuOrderId>("id").ok();
    write
        .change(
            move |conn, ctx| menus::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?).map(|(row, year)| WorkedOn(row, year)),
            |conn, ctx, WorkedOn(row, year), body| menus::cancel(conn, ctx, (row, year), body),
        )
        .await
}

/// 配属の費用を入力する / Enters a month's cost of a placed person, prorated over the hosts.
#[utoipa::path(tag = "cost-items", params(("id" = ProgrammeId, Path)), request_body = CreatePlacementCostBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-unversioned" = json!(true))),
    responses((status = 201, description = "按分した", body = PlacementCosts)))]
#[post("/programmes/{id}/placement-costs")]
async fn create_placement_cost(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ProgrammeId>("id").ok();
    write
        .under(
            move |conn, ctx| crate::pools::store::owned_programme(conn, ctx, id.ok_or_else(Error::not_found)?),
            placements::enter,
        )
        .await
}

/// 締め切った期間 / The months and years that the own organisation has closed.
#[utoipa::path(tag = "settlements", extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "新しい年度から", body = ClosedPeriodList)))]
#[get("/closed-periods")]
async fn list_closed_periods(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, _: NoQuery| Ok(Answer::Json(ClosedPeriodList { items: periods::list(conn, ctx.organisation())? }))).await
}

/// 期間を締め切る / Closes a month or a fiscal year.
#[utoipa::path(tag = "settlements", request_body = ClosePeriodBody, extensions(("x-permission" = json!("manage_costs"))),
    responses((status = 201, description = "締め切った", body = ClosedPeriodView)))]
#[post("/closed-periods")]
async fn close_period(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    write.create(periods::close).await
}
