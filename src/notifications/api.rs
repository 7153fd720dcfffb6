//! REST: the outbox.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::resend::resend;
use super::store::{self, Filters};
use super::views::{NotificationPage, NotificationView};
use crate::auth::policy::ManageNotifications;
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Audit, Outcome, Read, Write};
use crate::ids::OutboxMessageId;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::office_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_notifications)
        .service(get_notification)
        .service(retry_notification)
        .service(resend_notification)
        .configure(super::log_api::configure);
}

crate::text_enum! {
    /// Where a mail stands.
    pub enum NotificationStatus {
        /// Waits.
        Queued = "queued", "送信待ち";
        /// Being sent.
        Sending = "sending", "送信中";
        /// The relay took it.
        Sent = "sent", "送信済み";
        /// Given up; somebody has to look.
        Parked = "parked", "保留";
    }
}

/// Filters of the outbox.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NotificationListParams {
    /// Only in this state.
    #[param(inline)]
    status: Option<NotificationStatus>,
    /// Only to this address, as it was written.
    #[param(min_length = 1, max_length = 254, example = "kikaku@town.example.jp")]
    recipient: Option<String>,
    /// Only mails that were refused for good, or only the others.
    permanent: Option<bool>,
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

/// 送信箱の一覧 / Mails of the own outbox.
#[utoipa::path(tag = "notifications", params(NotificationListParams), extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "新しい順", content((NotificationPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/notifications")]
async fn list_notifications(read: Read<ManageNotifications>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: NotificationListParams| {
        let filters = Filters {
            status: params.status.map(NotificationStatus::as_str),
            recipient: params.recipient,
            permanent: params.permanent,
        };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("notifications", &filters))?;
        let rows = store::list(conn, ctx.organisation(), &filters, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(Into::into).collect();
        export::list_answer(
            params.format,
            NotificationPage { items, next_cursor: page.next_cursor },
            next,
            "送信箱",
            office_tables::notifications,
        )
    })
    .await
}

/// 送信箱の1通 / One mail of the own outbox.
#[utoipa::path(tag = "notifications", params(("id" = OutboxMessageId, Path)), extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "通知", body = NotificationView)))]
#[get("/notifications/{id}")]
async fn get_notification(read: Read<ManageNotifications>) -> Result<HttpResponse, Error> {
    let id = read.id::<OutboxMessageId>("id");
    read.run_after(
        move |conn, ctx| store::find(conn, ctx.organisation(), id?),
        |_, _, row, _: NoQuery| Ok(Answer::Json(NotificationView::from(row))),
    )
    .await
}

/// Nothing to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// 保留の通知を送り直す / Puts a parked mail back into the queue.
#[utoipa::path(tag = "notifications", params(("id" = OutboxMessageId, Path)), extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "送信待ちに戻した", body = NotificationView)))]
#[post("/notifications/{id}/retry")]
async fn retry_notification(write: Write<ManageNotifications>) -> Result<HttpResponse, Error> {
    let id = write.id::<OutboxMessageId>("id").ok();
    write
        .under(
            move |conn, ctx| store::find(conn, ctx.organisation(), id.ok_or_else(Error::not_found)?),
            |conn, ctx, row, _: Empty| {
                if row.status != "parked" {
                    let state = if row.status == "sent" { "sent" } else { "queued" };
                    return Err(Error::transition(state, Vec::new()));
                }
                store::requeue(conn, row.id, ctx.now)?;
                let audit = Audit::new("notification", row.id.0, ctx.organisation())
                    .change(json!({"status": "parked"}), json!({"status": "queued"}));
                let row = store::find(conn, ctx.organisation(), row.id)?;
                Ok(Outcome::done(NotificationView::from(row), audit))
            },
        )
        .await
}

/// 通知を再送する / Sends a mail once more, as a new mail that says so. Refused while the mail is on its way, and when its
/// one-time link has been struck out.
#[utoipa::path(tag = "notifications", params(("id" = OutboxMessageId, Path)), extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 201, description = "再送の通知", body = NotificationView)))]
#[post("/notifications/{id}/resend")]
async fn resend_notification(write: Write<ManageNotifications>) -> Result<HttpResponse, Error> {
    let id = write.id::<OutboxMessageId>("id").ok();
    write
        .under(
            move |conn, ctx| store::find(conn, ctx.organisation(), id.ok_or_else(Error::not_found)?),
            |conn, ctx, row, _: Empty| {
                let domain = ctx.app.config.smtp.from_address.rsplit('@').next().unwrap_or_default();
                let repeat = resend(conn, &row, domain, ctx.now)?;
                let audit = Audit::new("notification", repeat.id.0, ctx.organisation())
                    .created(json!({"status": "queued", "resend_of": row.id}));
                let location = Some(format!("/api/v1/notifications/{}", repeat.id));
                Ok(Outcome { view: NotificationView::from(repeat), audit, version: None, location, secret: false })
            },
        )
        .await
}
