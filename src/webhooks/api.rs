//! REST: webhooks.

use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::DeliveryStatus;
use super::service;
use super::store::{self, EndpointRow};
use super::views::{
    CreateWebhookBody, ReplayWebhookBody, RotateWebhookBody, UpdateWebhookBody, WebhookDeliveryDetail, WebhookDeliveryPage,
    WebhookDeliveryView, WebhookEndpointPage, WebhookEndpointView, WebhookReplayed, WebhookSecretView,
};
use crate::auth::policy::ManageWebhooks;
use crate::db::Conn;
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Ctx, ListQuery, Read, Write};
use crate::ids::{WebhookDeliveryId, WebhookEndpointId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_webhooks)
        .service(create_webhook)
        .service(get_webhook)
        .service(update_webhook)
        .service(delete_webhook)
        .service(enable_webhook)
        .service(disable_webhook)
        .service(rotate_webhook_secret)
        .service(test_webhook)
        .service(replay_webhook)
        .service(list_webhook_deliveries)
        .service(get_webhook_delivery)
        .service(replay_webhook_delivery);
}

/// Paging of the endpoints.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhookListParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// Filters of what was sent to an endpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhookDeliveryListParams {
    /// Only in this state.
    #[param(inline)]
    status: Option<DeliveryStatus>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

fn own(conn: &mut Conn, ctx: &Ctx, id: Option<WebhookEndpointId>) -> Result<EndpointRow, Error> {
    store::find(conn, ctx.organisation(), id.ok_or_else(Error::not_found)?)
}

/// Webhookの一覧 / The own organisation's webhooks.
#[utoipa::path(tag = "webhooks", params(WebhookListParams), extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "登録順", body = WebhookEndpointPage)))]
#[get("/webhooks")]
async fn list_webhooks(read: Read<ManageWebhooks>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: WebhookListParams| {
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &"webhooks")?;
        let page = list.page(store::list(conn, ctx.organisation(), &list)?, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(|row| WebhookEndpointView::new(row, ctx.now)).collect();
        Ok(Answer::List(WebhookEndpointPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// Webhookを登録する / Registers a webhook; its secret is shown in this answer only.
#[utoipa::path(tag = "webhooks", request_body = CreateWebhookBody, extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 201, description = "登録した（署名鍵はこの応答でだけ示す）", body = WebhookSecretView)))]
#[post("/webhooks")]
async fn create_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    write.create(service::create).await
}

/// Webhookの内容 / One webhook.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)), extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "Webhookの内容", body = WebhookEndpointView)))]
#[get("/webhooks/{id}")]
async fn get_webhook(read: Read<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = read.id::<WebhookEndpointId>("id").ok();
    read.object(move |conn, ctx| own(conn, ctx, id), |_, ctx, row| Ok(WebhookEndpointView::new(row, ctx.now))).await
}

/// Webhookを変える / Changes address, purpose or filter.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)), request_body = UpdateWebhookBody,
    extensions(("x-permission" = json!("manage_webhooks")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変えた", body = WebhookEndpointView)))]
#[patch("/webhooks/{id}")]
async fn update_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.change(move |conn, ctx| own(conn, ctx, id), service::update).await
}

/// Webhookを削除する / Takes a webhook away with everything that was or would be sent to it.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)),
    extensions(("x-permission" = json!("manage_webhooks")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "削除した", body = WebhookEndpointView)))]
#[delete("/webhooks/{id}")]
async fn delete_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.change(move |conn, ctx| own(conn, ctx, id), service::delete).await
}

/// Webhookを再開する / Switches a webhook on again.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)),
    extensions(("x-permission" = json!("manage_webhooks")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "再開した", body = WebhookEndpointView)))]
#[post("/webhooks/{id}/enable")]
async fn enable_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.change(move |conn, ctx| own(conn, ctx, id), service::enable).await
}

/// Webhookを止める / Switches a webhook off; what waits is given up and can be replayed.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)),
    extensions(("x-permission" = json!("manage_webhooks")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "止めた", body = WebhookEndpointView)))]
#[post("/webhooks/{id}/disable")]
async fn disable_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.change(move |conn, ctx| own(conn, ctx, id), service::disable).await
}

/// 署名鍵を取り替える / Makes a new secret; for a time, 24 hours unless said otherwise, deliveries bear signatures of both.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)), request_body = RotateWebhookBody,
    extensions(("x-permission" = json!("manage_webhooks")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り替えた（署名鍵はこの応答でだけ示す）", body = WebhookSecretView)))]
#[post("/webhooks/{id}/rotate-secret")]
async fn rotate_webhook_secret(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.change(move |conn, ctx| own(conn, ctx, id), service::rotate).await
}

/// テストを送る / Sends a test event.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)), extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "送信待ちにした", body = WebhookDeliveryView)))]
#[post("/webhooks/{id}/test")]
async fn test_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.under(move |conn, ctx| own(conn, ctx, id), service::test).await
}

/// ある時点からの配信を送り直す / Sends everything since an instant again.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path)), request_body = ReplayWebhookBody,
    extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "送信待ちにした件数", body = WebhookReplayed)))]
#[post("/webhooks/{id}/replay")]
async fn replay_webhook(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookEndpointId>("id").ok();
    write.under(move |conn, ctx| own(conn, ctx, id), service::replay_since).await
}

/// 配信の記録 / What was or is to be sent to a webhook.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookEndpointId, Path), WebhookDeliveryListParams),
    extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "新しい順", body = WebhookDeliveryPage)))]
#[get("/webhooks/{id}/deliveries")]
async fn list_webhook_deliveries(read: Read<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = read.id::<WebhookEndpointId>("id").ok();
    read.run_after(
        move |conn, ctx| own(conn, ctx, id),
        |conn, _, endpoint, params: WebhookDeliveryListParams| {
            let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("deliveries", endpoint.id, params.status))?;
            let rows = store::list_deliveries(conn, endpoint.id, params.status, &list)?;
            let page = list.page(rows, |row| (String::new(), row.id.0));
            let next = page.next_cursor.clone();
            let items = page.items.into_iter().map(WebhookDeliveryView::from).collect();
            Ok(Answer::List(WebhookDeliveryPage { items, next_cursor: page.next_cursor }, next))
        },
    )
    .await
}

/// 1件の配信と送信の記録 / One delivery with its attempts.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookDeliveryId, Path)), extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "配信", body = WebhookDeliveryDetail)))]
#[get("/webhook-deliveries/{id}")]
async fn get_webhook_delivery(read: Read<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = read.id::<WebhookDeliveryId>("id");
    read.run_after(
        move |conn, ctx| store::find_delivery(conn, ctx.organisation(), id?),
        |conn, _, row, _: NoQuery| Ok(Answer::Json(service::detail(conn, row)?)),
    )
    .await
}

/// 1件を送り直す / Sends one delivery again, under its own message id.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookDeliveryId, Path)), extensions(("x-permission" = json!("manage_webhooks"))),
    responses((status = 200, description = "送信待ちにした", body = WebhookDeliveryView)))]
#[post("/webhook-deliveries/{id}/replay")]
async fn replay_webhook_delivery(write: Write<ManageWebhooks>) -> Result<HttpResponse, Error> {
    let id = write.id::<WebhookDeliveryId>("id").ok();
    write
        .under(
            move |conn, ctx| store::find_delivery(conn, ctx.organisation(), id.ok_or_else(Error::not_found)?),
            service::replay_one,
        )
        .await
}
