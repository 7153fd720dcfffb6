//! REST: plan-wide runs.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::store;
use super::views::{
    AllocationComparison, AllocationOptions, AllocationPage, AllocationSummary, AllocationVerification, AllocationView,
    ApplyAllocationBody, CancelAllocationBody, OverrideAllocationBody,
};
use super::{apply, asking, change, service};
use crate::auth::policy::MatchExperts;
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{ListQuery, Read, Write};
use crate::ids::{AllocationId, PoolId};
use crate::matching::allocation::instance::Instance;
use crate::matching::allocation::report::AllocationReport;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(create_allocation)
        .service(list_allocations)
        .service(get_allocation)
        .service(compare_allocations)
        .service(verify_allocation)
        .service(get_allocation_instance)
        .service(get_allocation_report)
        .service(cancel_allocation)
        .service(override_allocation)
        .service(apply_allocation);
}

/// 全体計画の作成を依頼する / Asks for a plan of all open requests of a pool; the background worker makes it.
#[utoipa::path(tag = "allocations", params(("id" = PoolId, Path)), request_body = AllocationOptions,
    extensions(("x-permission" = json!("match_experts"))),
    responses((status = 201, description = "受け付けた（計算は非同期）", body = AllocationView)))]
#[post("/pools/{id}/allocations")]
async fn create_allocation(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<PoolId>("id").ok();
    write
        .under(move |conn, ctx| crate::pools::store::owned_pool(conn, ctx, id.ok_or_else(Error::not_found)?), asking::create)
        .await
}

/// Filters of the list of runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllocationListParams {
    /// Only of this pool.
    pool_id: Option<PoolId>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 全体計画の一覧 / Runs of the own pools.
#[utoipa::path(tag = "allocations", params(AllocationListParams), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "新しい順", body = AllocationPage)))]
#[get("/allocations")]
async fn list_allocations(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: AllocationListParams| {
        let scope = format!("allocations {:?}", params.pool_id);
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &scope)?;
        let rows = store::list(conn, ctx.organisation(), params.pool_id, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(AllocationSummary::from).collect();
        Ok(Answer::List(AllocationPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// 全体計画 / One run with its plan, reasons and proof.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "計画", body = AllocationView)))]
#[get("/allocations/{id}")]
async fn get_allocation(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<AllocationId>("id");
    read.run_after(
        move |conn, ctx| service::owned(conn, ctx, id?),
        |conn, _, row, _: NoQuery| {
            let version = row.version;
            Ok(Answer::Versioned(service::view(conn, &row)?, version))
        },
    )
    .await
}

/// What a run is compared with.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ComparisonParams {
    /// The other run.
    with: AllocationId,
}

/// 計画の比較 / What another plan of the same pool does otherwise.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path), ComparisonParams),
    extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "相違点", body = AllocationComparison)))]
#[get("/allocations/{id}/comparison")]
async fn compare_allocations(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<AllocationId>("id");
    read.run_after(
        move |conn, ctx| service::owned(conn, ctx, id?),
        |conn, ctx, row, params: ComparisonParams| Ok(Answer::Json(service::compare(conn, ctx, &row, params.with)?)),
    )
    .await
}

/// 計画の検証 / Has the independent checker look at plan and proof as they are kept.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "検証結果", body = AllocationVerification)))]
#[get("/allocations/{id}/verification")]
async fn verify_allocation(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<AllocationId>("id");
    read.run_after(
        move |conn, ctx| service::owned(conn, ctx, id?),
        |conn, _, row, _: NoQuery| Ok(Answer::Json(service::verify(conn, &row)?)),
    )
    .await
}

/// 計画の入力データ / What was planned, in the documented instance format: `tasuki allocate` reads it. Without names.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "インスタンス（tasuki-allocation/1）", body = Instance)))]
#[get("/allocations/{id}/instance")]
async fn get_allocation_instance(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<AllocationId>("id");
    read.run_after(
        move |conn, ctx| service::owned(conn, ctx, id?),
        |conn, _, row, _: NoQuery| Ok(Answer::Json(service::instance(conn, &row)?)),
    )
    .await
}

/// 計画の結果と証明書 / What came out with its certificate, for `tasuki allocate --check` beside the instance.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "計算結果（tasuki-allocation-report/1）", body = AllocationReport)))]
#[get("/allocations/{id}/report")]
async fn get_allocation_report(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<AllocationId>("id");
    read.run_after(
        move |conn, ctx| service::owned(conn, ctx, id?),
        |conn, _, row, _: NoQuery| Ok(Answer::Json(service::report(conn, &row)?)),
    )
    .await
}

/// 計算を取り消す / Calls off a run that has no plan yet.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), request_body = CancelAllocationBody,
    extensions(("x-permission" = json!("match_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り消した", body = AllocationView)))]
#[post("/allocations/{id}/cancel")]
async fn cancel_allocation(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<AllocationId>("id").ok();
    write.change(move |conn, ctx| service::locked(conn, ctx, id.ok_or_else(Error::not_found)?), service::cancel).await
}

/// 割当てを変更する / Puts somebody else in the place of whom the plan names, with a reason.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), request_body = OverrideAllocationBody,
    extensions(("x-permission" = json!("match_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = AllocationView)))]
#[post("/allocations/{id}/override")]
async fn override_allocation(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<AllocationId>("id").ok();
    write.change(move |conn, ctx| service::locked(conn, ctx, id.ok_or_else(Error::not_found)?), change::override_assignment).await
}

/// 計画を適用する / Makes offers from the assignments; never a decision.
#[utoipa::path(tag = "allocations", params(("id" = AllocationId, Path)), request_body = ApplyAllocationBody,
    extensions(("x-permission" = json!("match_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "依頼を作成した（作成できなかったものは理由付きで返す）", body = AllocationView)))]
#[post("/allocations/{id}/apply")]
async fn apply_allocation(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<AllocationId>("id").ok();
    write.change(move |conn, ctx| service::locked(conn, ctx, id.ok_or_else(Error::not_found)?), apply::apply).await
}
