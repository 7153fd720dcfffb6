//! API clients: programs that act for one organisation with a role cut down to scopes and a key that expires. The key
//! is shown once and kept as a hash.

mod service;
mod store;
pub mod views;

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use self::views::{ApiClientKeyView, ApiClientPage, ApiClientView, CreateApiClientBody, RotateApiClientBody};
use super::policy::ManageApiClients;
use crate::error::Error;
use crate::http::{Read, Write};
use crate::ids::{ApiClientId, OrganisationId};
use crate::organisations::reach::Reach;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::office_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_api_clients)
        .service(create_api_client)
        .service(get_api_client)
        .service(revoke_api_client)
        .service(rotate_api_client);
}

/// Filters of the list of API clients.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApiClientListParams {
    /// Only of this organisation.
    organisation_id: Option<OrganisationId>,
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

/// APIクライアントの一覧 / API clients within reach.
#[utoipa::path(tag = "api-clients", params(ApiClientListParams), extensions(("x-permission" = json!("manage_api_clients"))),
    responses((status = 200, description = "登録順", content((ApiClientPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/api-clients")]
async fn list_api_clients(read: Read<ManageApiClients>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ApiClientListParams| {
        let list =
            export::list_query(params.format, params.limit, params.cursor.as_deref(), &("api-clients", params.organisation_id))?;
        let rows = store::list(conn, &Reach::of(&ctx.principal), params.organisation_id, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(|row| ApiClientView::new(row, ctx.now)).collect();
        export::list_answer(
            params.format,
            ApiClientPage { items, next_cursor: page.next_cursor },
            next,
            "APIクライアント",
            office_tables::api_clients,
        )
    })
    .await
}

/// APIクライアントを登録する / Creates an API client; its key is shown in this answer only.
#[utoipa::path(tag = "api-clients", request_body = CreateApiClientBody, extensions(("x-permission" = json!("manage_api_clients"))),
    responses((status = 201, description = "登録した（キーはこの応答でだけ示す）", body = ApiClientKeyView)))]
#[post("/api-clients")]
async fn create_api_client(write: Write<ManageApiClients>) -> Result<HttpResponse, Error> {
    write.create(service::create).await
}

/// APIクライアント / One API client.
#[utoipa::path(tag = "api-clients", params(("id" = ApiClientId, Path)), extensions(("x-permission" = json!("manage_api_clients"))),
    responses((status = 200, description = "APIクライアント", body = ApiClientView)))]
#[get("/api-clients/{id}")]
async fn get_api_client(read: Read<ManageApiClients>) -> Result<HttpResponse, Error> {
    let id = read.id::<ApiClientId>("id");
    read.object(move |conn, ctx| store::visible(conn, ctx, id?), |_, ctx, row| Ok(ApiClientView::new(row, ctx.now))).await
}

/// APIクライアントを失効させる / Revokes an API client at once and for good.
#[utoipa::path(tag = "api-clients", params(("id" = ApiClientId, Path)),
    extensions(("x-permission" = json!("manage_api_clients")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "失効させた", body = ApiClientView)))]
#[post("/api-clients/{id}/revoke")]
async fn revoke_api_client(write: Write<ManageApiClients>) -> Result<HttpResponse, Error> {
    let id = write.id::<ApiClientId>("id").ok();
    write.change(move |conn, ctx| store::visible(conn, ctx, id.ok_or_else(Error::not_found)?), service::revoke).await
}

/// APIキーを取り替える / Replaces the key; the one before stops working at once.
#[utoipa::path(tag = "api-clients", params(("id" = ApiClientId, Path)), request_body = RotateApiClientBody,
    extensions(("x-permission" = json!("manage_api_clients")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り替えた（キーはこの応答でだけ示す）", body = ApiClientKeyView)))]
#[post("/api-clients/{id}/rotate")]
async fn rotate_api_client(write: Write<ManageApiClients>) -> Result<HttpResponse, Error> {
    let id = write.id::<ApiClientId>("id").ok();
    write.change(move |conn, ctx| store::visible(conn, ctx, id.ok_or_else(Error::not_found)?), service::rotate).await
}
