//! REST: the log of deliveries and the addresses that mail does not reach.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::views::{DeliveryAttemptPage, UndeliverableAddressPage, UndeliverableAddressView};
use super::{log_store, store};
use crate::auth::policy::ManageNotifications;
use crate::error::Error;
use crate::http::read::Answer;
use crate::http::{Audit, ListQuery, Outcome, Read, Write};
use crate::ids::{OutboxMessageId, UndeliverableAddressId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_attempts).service(list_undeliverable).service(clear_undeliverable);
}

/// Paging.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryListParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 配送の記録 / Every attempt to hand a mail over, and what the relay said.
#[utoipa::path(tag = "notifications", params(("id" = OutboxMessageId, Path), DeliveryListParams),
    extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "新しい順", body = DeliveryAttemptPage)))]
#[get("/notifications/{id}/attempts")]
async fn list_attempts(read: Read<ManageNotifications>) -> Result<HttpResponse, Error> {
    let id = read.id::<OutboxMessageId>("id");
    read.run_after(
        move |conn, ctx| store::find(conn, ctx.organisation(), id?),
        |conn, _, message, params: DeliveryListParams| {
            let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("attempts", message.id))?;
            let page = list.page(log_store::attempts_of(conn, message.id, &list)?, |row| (String::new(), row.id.0));
            let next = page.next_cursor.clone();
            let items = page.items.into_iter().map(Into::into).collect();
            Ok(Answer::List(DeliveryAttemptPage { items, next_cursor: page.next_cursor }, next))
        },
    )
    .await
}

/// 届かない宛先の一覧 / Addresses that refused mail of the own outbox for good. A mail that gets through takes an address off.
#[utoipa::path(tag = "notifications", params(DeliveryListParams), extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "新しい順", body = UndeliverableAddressPage)))]
#[get("/undeliverable-addresses")]
async fn list_undeliverable(read: Read<ManageNotifications>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: DeliveryListParams| {
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &"undeliverable")?;
        let rows = log_store::undeliverable(conn, ctx.organisation(), &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(Into::into).collect();
        Ok(Answer::List(UndeliverableAddressPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// Nothing to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// 届かない宛先の印を外す / Takes the mark off an address that has been put right.
#[utoipa::path(tag = "notifications", params(("id" = UndeliverableAddressId, Path)),
    extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "印を外した", body = UndeliverableAddressView)))]
#[post("/undeliverable-addresses/{id}/clear")]
async fn clear_undeliverable(write: Write<ManageNotifications>) -> Result<HttpResponse, Error> {
    let id = write.id::<UndeliverableAddressId>("id").ok();
    write
        .under(
            move |conn, ctx| log_store::find_undeliverable(conn, ctx.organisation(), id.ok_or_else(Error::not_found)?),
            |conn, ctx, row, _: Empty| {
                log_store::clear(conn, row.id)?;
                // The address itself is contact data and stays out of the trail.
                let audit = Audit::new("undeliverable_address", row.id.0, ctx.organisation())
                    .change(json!({"refusals": row.refusals}), json!({"refusals": 0}));
                Ok(Outcome::done(UndeliverableAddressView::from(row), audit))
            },
        )
        .await
}
