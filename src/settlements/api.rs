//! REST: costs and shares.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::store::{self, CostFilter};
use super::views::{
    CostEstimateView, CostEyes, CostItemPage, CostItemView, CostTotals, CreateCostItemBody, CreateTripBody, DispatchCosts,
    TripCosts,
};
use super::{model, service};
use crate::auth::policy::{ManageCosts, ReadCosts};
use crate::costs::Component;
use crate::db::Conn;
use crate::dispatches::service::lock_year;
use crate::dispatches::store::{Audience, DispatchRow, owner_only, visible_dispatch};
use crate::dispatches::visit_store::{VisitRow, visible_visit};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Ctx, Read, Write};
use crate::ids::{CostItemId, DispatchId, MenuOrderId, OrganisationId, RequestId, SettlementId, VisitId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_cost_items)
        .service(get_dispatch_costs)
        .service(get_cost_estimate)
        .service(create_cost_item)
        .service(create_trip);
    super::agreement_api::configure(config);
    super::budget_api::configure(config);
    super::profile_api::configure(config);
    super::settlement_api::configure(config);
    super::document_api::configure(config);
}

/// Filters of the cost list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CostItemListParams {
    /// Only of this dispatch.
    dispatch_id: Option<DispatchId>,
    /// Only of this settlement.
    settlement_id: Option<SettlementId>,
    /// Only of this order.
    order_id: Option<MenuOrderId>,
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Only those in which this body pays a share.
    organisation_id: Option<OrganisationId>,
    /// Only of this kind.
    #[param(inline)]
    component: Option<Component>,
    /// Whether to count all.
    total: Option<bool>,
    /// JSON, or a file with everything the filters leave (at most 10,000 rows).
    #[param(inline)]
    format: Option<ExportFormat>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 費用の一覧 / Cost items of dispatches one sees.
#[utoipa::path(tag = "cost-items", params(CostItemListParams), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "確定した順", content((CostItemPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/cost-items")]
async fn list_cost_items(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: CostItemListParams| {
        let filter = CostFilter {
            dispatch_id: params.dispatch_id,
            settlement_id: params.settlement_id,
            order_id: params.order_id,
            fiscal_year: params.fiscal_year,
            organisation_id: params.organisation_id,
            component: params.component,
        };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("cost-items", &filter))?;
        let rows = store::list(conn, Audience::of(ctx), &filter, &list)?;
        let total = match params.total {
            Some(true) => Some(store::count(conn, Audience::of(ctx), &filter)?),
            _ => None,
        };
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let ids: Vec<CostItemId> = page.items.iter().map(|row| row.id).collect();
        let shares = store::shares_of(conn, &ids)?;
        let items = page
            .items
            .iter()
            .map(|row| {
                let is_owner = matches!(Audience::of(ctx), Audience::Owner(me) if me == row.owner_organisation_id);
                CostItemView::new(row, &shares, CostEyes { organisation: ctx.organisation(), is_owner })
            })
            .collect();
        let view = CostItemPage { items, next_cursor: page.next_cursor, total };
        export::list_answer(params.format, view, next, "費用", list_tables::cost_items)
    })
    .await
}

/// 派遣の費用 / All costs of a dispatch with their sums.
#[utoipa::path(tag = "cost-items", params(("id" = DispatchId, Path)), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "費用と負担額", body = DispatchCosts)))]
#[get("/dispatches/{id}/costs")]
async fn get_dispatch_costs(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = read.id::<DispatchId>("id");
    read.run_after(
        move |conn, ctx| visible_dispatch(conn, ctx, id?),
        |conn, ctx, dispatch: DispatchRow, _: NoQuery| {
            let (rows, shares) = store::for_dispatch(conn, dispatch.id)?;
            let eyes = service::eyes(ctx, &dispatch);
            let totals = CostTotals::new(&rows, &shares, eyes, dispatch.rules()?.amounts_undisclosed);
            let items = rows.iter().map(|row| CostItemView::new(row, &shares, eyes)).collect();
            Ok(Answer::Json(DispatchCosts { dispatch_id: dispatch.id, items, totals }))
        },
    )
    .await
}

/// 申請の費用見込み / What a request will presumably cost.
#[utoipa::path(tag = "cost-items", params(("id" = RequestId, Path)), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "謝金の見込み（旅費等は含まない）", body = CostEstimateView)))]
#[get("/requests/{id}/cost-estimate")]
async fn get_cost_estimate(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| crate::requests::store::visible(conn, ctx, id?),
        |conn, ctx, request, _: NoQuery| {
            let year = crate::pools::store::year(conn, request.programme_id, request.fiscal_year)?;
            let rules = year.ok_or_else(Error::not_found)?.rules;
            let is_owner = matches!(Audience::of(ctx), Audience::Owner(me) if me == request.owner_organisation_id);
            let eyes = CostEyes { organisation: ctx.organisation(), is_owner };
            let estimate = model::estimate(&rules, request.visit_count, request.minutes_per_visit)?;
            let (visits, minutes) = (request.visit_count, request.minutes_per_visit);
            Ok(Answer::Json(CostEstimateView::new(request.id, visits, minutes, estimate, eyes, rules.amounts_undisclosed)))
        },
    )
    .await
}

/// A visit of an own dispatch: 404 when not visible, 403 when only visible, 404 while nothing is decided.
fn own_visit(conn: &mut Conn, ctx: &Ctx, id: VisitId) -> Result<(DispatchRow, VisitRow), Error> {
    let visit = visible_visit(conn, ctx, id)?;
    let dispatch = visit.dispatch_id.ok_or_else(Error::not_found)?;
    let dispatch = crate::dispatches::store::find(conn, dispatch)?.ok_or_else(Error::not_found)?;
    owner_only(ctx, &dispatch)?;
    lock_year(conn, &dispatch)?;
    Ok((dispatch, visit))
}

/// 訪問の費用を入力する / Enters an actual cost of a visit.
#[utoipa::path(tag = "cost-items", params(("id" = VisitId, Path)), request_body = CreateCostItemBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-unversioned" = json!(true))),
    responses((status = 201, description = "確定した", body = CostItemView)))]
#[post("/visits/{id}/costs")]
async fn create_cost_item(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.under(move |conn, ctx| own_visit(conn, ctx, id.ok_or_else(Error::not_found)?), service::enter_cost).await
}

/// 訪問の旅費を入力する / Enters the trip of a visit; the travel rule of the day of departure says what is paid.
#[utoipa::path(tag = "cost-items", params(("id" = VisitId, Path)), request_body = CreateTripBody,
    extensions(("x-permission" = json!("manage_costs")), ("x-unversioned" = json!(true))),
    responses((status = 201, description = "確定した", body = TripCosts)))]
#[post("/visits/{id}/trip")]
async fn create_trip(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.under(move |conn, ctx| own_visit(conn, ctx, id.ok_or_else(Error::not_found)?), service::enter_trip).await
}
