//! REST: a person's notices, and how the person wants to be told.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::notice_store::{self, Read as Which};
use super::notice_views::{
    ChooseNotificationsBody, NoticePage, NoticeView, NoticesRead, NotificationPreferences, ReadNoticesBody,
};
use crate::auth::policy::ReadNotices;
use crate::error::{Error, ErrorCode};
use crate::http::read::{Answer, NoQuery};
use crate::http::{Audit, Ctx, Fields, ListQuery, Outcome, Read, Write};
use crate::ids::{NoticeId, UserId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_notices)
        .service(read_notices)
        .service(read_notice)
        .service(get_notification_preferences)
        .service(choose_notifications);
}

/// Filters of a person's notices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoticeListParams {
    /// Only unread ones, or only read ones.
    unread: Option<bool>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// The person who asks; a program has no notices.
fn me(ctx: &Ctx) -> Result<UserId, Error> {
    ctx.principal.user_id().ok_or_else(|| Error::new(ErrorCode::Forbidden))
}

/// 自分へのお知らせ / The signed-in person's notices.
#[utoipa::path(tag = "notifications", params(NoticeListParams), extensions(("x-permission" = json!("read_notices"))),
    responses((status = 200, description = "新しい順", body = NoticePage)))]
#[get("/notices")]
async fn list_notices(read: Read<ReadNotices>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: NoticeListParams| {
        let user = me(ctx)?;
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("notices", params.unread))?;
        let page = list.page(notice_store::list(conn, user, params.unread, &list)?, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(NoticeView::from).collect();
        let unread = notice_store::unread(conn, user)?;
        Ok(Answer::List(NoticePage { items, unread, next_cursor: page.next_cursor }, next))
    })
    .await
}

fn mark(conn: &mut crate::db::Conn, ctx: &Ctx, which: Which, id: NoticeId) -> Result<Outcome<NoticesRead>, Error> {
    let user = me(ctx)?;
    let marked = notice_store::mark_read(conn, user, which, ctx.now)?;
    let audit = Audit::new("notice", id.0, ctx.organisation()).change(json!({}), json!({"read": marked}));
    Ok(Outcome::done(NoticesRead { marked, unread: notice_store::unread(conn, user)? }, audit))
}

/// お知らせをまとめて既読にする / Marks a notice and all before it as read.
#[utoipa::path(tag = "notifications", request_body = ReadNoticesBody, extensions(("x-permission" = json!("read_notices"))),
    responses((status = 200, description = "既読にした件数", body = NoticesRead)))]
#[post("/notices/read")]
async fn read_notices(write: Write<ReadNotices>) -> Result<HttpResponse, Error> {
    write.create(|conn, ctx, body: ReadNoticesBody| mark(conn, ctx, Which::UpTo(body.up_to), body.up_to)).await
}

/// Nothing to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// お知らせを既読にする / Marks one notice as read.
#[utoipa::path(tag = "notifications", params(("id" = NoticeId, Path)), extensions(("x-permission" = json!("read_notices"))),
    responses((status = 200, description = "既読にした", body = NoticesRead)))]
#[post("/notices/{id}/read")]
async fn read_notice(write: Write<ReadNotices>) -> Result<HttpResponse, Error> {
    let id = write.id::<NoticeId>("id").ok();
    write
        .under(
            move |conn, ctx| {
                let user = ctx.principal.user_id().ok_or_else(Error::not_found)?;
                notice_store::find(conn, user, id.ok_or_else(Error::not_found)?)
            },
            |conn, ctx, notice, _: Empty| mark(conn, ctx, Which::One(notice.id), notice.id),
        )
        .await
}

/// お知らせの受け取り方 / How the signed-in person is told.
#[utoipa::path(tag = "notifications", extensions(("x-permission" = json!("read_notices"))),
    responses((status = 200, description = "話題ごとの受け取り方", body = NotificationPreferences)))]
#[get("/notification-preferences")]
async fn get_notification_preferences(read: Read<ReadNotices>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, _: NoQuery| {
        let chosen = notice_store::choices_of(conn, me(ctx)?)?;
        Ok(Answer::Json(NotificationPreferences::new(&chosen, ctx.app.config.mail.digest_hour)))
    })
    .await
}

/// お知らせの受け取り方を決める / Chooses how to be told.
///
/// 話題ごとに、すぐに送る（`immediate`）、1日1通にまとめる（`digest`）、メールでは送らない（`none`）から選びます。サービス内の
/// お知らせは選択によらず残ります。 / Notices in the service stay whatever is chosen.
#[utoipa::path(tag = "notifications", request_body = ChooseNotificationsBody, extensions(("x-permission" = json!("read_notices"))),
    responses((status = 200, description = "決めた受け取り方", body = NotificationPreferences)))]
#[post("/notification-preferences")]
async fn choose_notifications(write: Write<ReadNotices>) -> Result<HttpResponse, Error> {
    write
        .create(|conn, ctx, body: ChooseNotificationsBody| {
            let user = me(ctx)?;
            let mut fields = Fields::new();
            let mut chosen = BTreeMap::new();
            for (at, choice) in body.topics.iter().enumerate() {
                let again = chosen.insert(choice.topic, choice.mail).is_some();
                fields.check(
                    !again,
                    format!("/topics/{at}/topic"),
                    "duplicate",
                    "同じ話題は1回だけ指定してください",
                    "Name each topic once",
                );
            }
            fields.finish()?;
            let before = notice_store::choices_of(conn, user)?;
            notice_store::choose(conn, user, &chosen, ctx.now)?;
            let audit = Audit::new("user", user.0, ctx.organisation())
                .change(json!({"notification_preferences": before}), json!({"notification_preferences": chosen}));
            Ok(Outcome::done(NotificationPreferences::new(&chosen, ctx.app.config.mail.digest_hour), audit))
        })
        .await
}
