//! REST: pools and programmes.

use actix_web::{HttpResponse, get, patch, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::views::{
    AddPoolMembersBody, CreatePoolBody, CreateProgrammeBody, CreateProgrammeYearBody, EndPoolMemberBody, PoolMemberList,
    PoolPage, PoolView, PresetList, ProgrammePage, ProgrammeView, ProgrammeYearList, ProgrammeYearView, ReplaceProgrammeYearBody,
    UpdatePoolBody, UpdateProgrammeBody,
};
use super::{presets, service, store};
use crate::auth::policy::{ManagePools, ReadPools};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Read, Versioned, Write};
use crate::ids::{PoolId, PoolMemberId, ProgrammeId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::office_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_pools)
        .service(create_pool)
        .service(get_pool)
        .service(update_pool)
        .service(list_pool_members)
        .service(add_pool_members)
        .service(end_pool_member)
        .service(list_presets)
        .service(list_programmes)
        .service(create_programme)
        .service(get_programme)
        .service(update_programme)
        .service(list_programme_years)
        .service(create_programme_year)
        .service(get_programme_year)
        .service(replace_programme_year);
}

/// Paging of lists without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PoolListParams {
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

/// 見える人材プールの一覧 / Pools that are visible today.
#[utoipa::path(tag = "pools", params(PoolListParams), extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "名前順", content((PoolPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/pools")]
async fn list_pools(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: PoolListParams| {
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &"pools")?;
        let page = list.page(store::list_pools(conn, ctx, &list)?, |(row, _)| (row.name.clone(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(|(row, _)| row.into()).collect();
        export::list_answer(
            params.format,
            PoolPage { items, next_cursor: page.next_cursor },
            next,
            "人材プール",
            office_tables::pools,
        )
    })
    .await
}

/// 人材プールを作る / Creates a pool.
#[utoipa::path(tag = "pools", request_body = CreatePoolBody, extensions(("x-permission" = json!("manage_pools"))),
    responses((status = 201, description = "作成した", body = PoolView)))]
#[post("/pools")]
async fn create_pool(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    write.create(service::create_pool).await
}

/// 人材プール / One pool.
#[utoipa::path(tag = "pools", params(("id" = PoolId, Path)), extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "人材プール", body = PoolView)))]
#[get("/pools/{id}")]
async fn get_pool(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    let id = read.id::<PoolId>("id");
    read.object(move |conn, ctx| Ok(store::visible_pool(conn, ctx, id?)?.0), |_, _, pool| Ok(PoolView::from(pool))).await
}

/// 人材プールを変更する / Changes a pool.
#[utoipa::path(tag = "pools", params(("id" = PoolId, Path)), request_body = UpdatePoolBody,
    extensions(("x-permission" = json!("manage_pools")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = PoolView)))]
#[patch("/pools/{id}")]
async fn update_pool(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    let id = write.id::<PoolId>("id").ok();
    write.change(move |conn, ctx| store::owned_pool(conn, ctx, id.ok_or_else(Error::not_found)?), service::update_pool).await
}

/// 人材プールの会員 / Members of a pool.
#[utoipa::path(tag = "pools", params(("id" = PoolId, Path)), extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "会員（過去・将来を含む）", body = PoolMemberList)))]
#[get("/pools/{id}/members")]
async fn list_pool_members(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    let id = read.id::<PoolId>("id");
    read.run_after(
        move |conn, ctx| Ok(store::visible_pool(conn, ctx, id?)?.0),
        |conn, _, pool, _: NoQuery| {
            let items = store::members(conn, pool.id)?.into_iter().map(Into::into).collect();
            Ok(Answer::Json(PoolMemberList { items }))
        },
    )
    .await
}

/// 会員を加える / Adds members to a pool.
#[utoipa::path(tag = "pools", params(("id" = PoolId, Path)), request_body = AddPoolMembersBody,
    extensions(("x-permission" = json!("manage_pools"))),
    responses((status = 200, description = "加えた", body = PoolView)))]
#[post("/pools/{id}/members")]
async fn add_pool_members(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    let id = write.id::<PoolId>("id").ok();
    write.under(move |conn, ctx| store::owned_pool(conn, ctx, id.ok_or_else(Error::not_found)?), service::add_members).await
}

/// 会員の終期を定める / Sets the end of a pool membership.
#[utoipa::path(tag = "pools", params(("id" = PoolId, Path), ("member_id" = PoolMemberId, Path)), request_body = EndPoolMemberBody,
    extensions(("x-permission" = json!("manage_pools")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = PoolView)))]
#[patch("/pools/{id}/members/{member_id}")]
async fn end_pool_member(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    let id = write.id::<PoolId>("id").ok();
    let member = write.id::<PoolMemberId>("member_id").ok();
    write
        .change(
            move |conn, ctx| store::owned_pool(conn, ctx, id.ok_or_else(Error::not_found)?),
            move |conn, ctx, pool, body| service::end_member(conn, ctx, pool, member.ok_or_else(Error::not_found)?, body),
        )
        .await
}

/// 公表されている事業の例 / Published schemes to start from.
#[utoipa::path(tag = "programmes", extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "規則の例", body = PresetList)))]
#[get("/programmes/presets")]
async fn list_presets(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    read.run(|_, _, _: NoQuery| Ok(Answer::Json(PresetList { items: presets::all()? }))).await
}

/// Filters of the programme list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProgrammeListParams {
    /// Only of this pool.
    pool_id: Option<PoolId>,
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

/// 事業の一覧 / Programmes of visible pools.
#[utoipa::path(tag = "programmes", params(ProgrammeListParams), extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "名前順", content((ProgrammePage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/programmes")]
async fn list_programmes(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ProgrammeListParams| {
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("programmes", params.pool_id))?;
        let page = list.page(store::list_programmes(conn, ctx, params.pool_id, &list)?, |row| (row.name.clone(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(Into::into).collect();
        export::list_answer(
            params.format,
            ProgrammePage { items, next_cursor: page.next_cursor },
            next,
            "事業",
            office_tables::programmes,
        )
    })
    .await
}

/// 事業を作る / Creates a programme.
#[utoipa::path(tag = "programmes", request_body = CreateProgrammeBody, extensions(("x-permission" = json!("manage_pools"))),
    responses((status = 201, description = "作成した", body = ProgrammeView)))]
#[post("/programmes")]
async fn create_programme(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    write.create(service::create_programme).await
}

/// 事業 / One programme.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path)), extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "事業", body = ProgrammeView)))]
#[get("/programmes/{id}")]
async fn get_programme(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    let id = read.id::<ProgrammeId>("id");
    read.object(move |conn, ctx| Ok(store::visible_programme(conn, ctx, id?)?.0), |_, _, row| Ok(ProgrammeView::from(row))).await
}

/// 事業を変更する / Changes a programme.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path)), request_body = UpdateProgrammeBody,
    extensions(("x-permission" = json!("manage_pools")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = ProgrammeView)))]
#[patch("/programmes/{id}")]
async fn update_programme(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    let id = write.id::<ProgrammeId>("id").ok();
    write
        .change(move |conn, ctx| store::owned_programme(conn, ctx, id.ok_or_else(Error::not_found)?), service::update_programme)
        .await
}

/// 年度ごとの規則の一覧 / Fiscal years that have rules.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path)), extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "新しい年度から", body = ProgrammeYearList)))]
#[get("/programmes/{id}/years")]
async fn list_programme_years(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    let id = read.id::<ProgrammeId>("id");
    read.run_after(
        move |conn, ctx| store::visible_programme(conn, ctx, id?),
        |conn, _, (row, standing), _: NoQuery| {
            let items = store::years(conn, row.id)?.into_iter().map(|year| ProgrammeYearView::seen(year, standing)).collect();
            Ok(Answer::Json(ProgrammeYearList { items }))
        },
    )
    .await
}

/// 年度の規則を定める / Sets the rules of a fiscal year.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path)), request_body = CreateProgrammeYearBody,
    extensions(("x-permission" = json!("manage_pools"))),
    responses((status = 201, description = "定めた", body = ProgrammeYearView)))]
#[post("/programmes/{id}/years")]
async fn create_programme_year(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    let id = write.id::<ProgrammeId>("id").ok();
    write.under(move |conn, ctx| store::owned_programme(conn, ctx, id.ok_or_else(Error::not_found)?), service::create_year).await
}

/// 年度の規則 / The rules of a fiscal year.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path), ("fiscal_year" = i32, Path, minimum = 2000, maximum = 2100)),
    extensions(("x-permission" = json!("read_pools"))),
    responses((status = 200, description = "規則", body = ProgrammeYearView)))]
#[get("/programmes/{id}/years/{fiscal_year}")]
async fn get_programme_year(read: Read<ReadPools>) -> Result<HttpResponse, Error> {
    let id = read.id::<ProgrammeId>("id");
    let year = read.id::<i32>("fiscal_year");
    read.object(
        move |conn, ctx| {
            let (row, standing) = store::visible_programme(conn, ctx, id?)?;
            let year = store::year(conn, row.id, year?)?.ok_or_else(Error::not_found)?;
            Ok(SeenYear { year, standing })
        },
        |_, _, SeenYear { year, standing }| Ok(ProgrammeYearView::seen(year, standing)),
    )
    .await
}

/// A year with the eyes it is seen with.
struct SeenYear {
    year: store::YearRow,
    standing: store::Standing,
}

impl Versioned for SeenYear {
    fn version(&self) -> i64 {
        self.year.version()
    }
}

/// 年度の規則を改める / Replaces the rules of a fiscal year.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path), ("fiscal_year" = i32, Path, minimum = 2000, maximum = 2100)),
    request_body = ReplaceProgrammeYearBody,
    extensions(("x-permission" = json!("manage_pools")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "改めた", body = ProgrammeYearView)))]
#[put("/programmes/{id}/years/{fiscal_year}")]
async fn replace_programme_year(write: Write<ManagePools>) -> Result<HttpResponse, Error> {
    let id = write.id::<ProgrammeId>("id").ok();
    let year = write.id::<i32>("fiscal_year").ok();
    write
        .change(
            move |conn, ctx| {
                let row = store::owned_programme(conn, ctx, id.ok_or_else(Error::not_found)?)?;
                let year = store::year(conn, row.id, year.ok_or_else(Error::not_found)?)?.ok_or_else(Error::not_found)?;
                Ok((row, year))
            },
            service::replace_year,
        )
        .await
}
