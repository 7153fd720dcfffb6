//! REST: calendars.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::entries::{self, About};
use super::service;
use super::store;
use super::views::{CalendarFeedAddress, CalendarFeedPage, CalendarFeedView, CreateCalendarFeedBody};
use crate::auth::policy::{OwnCalendars, ReadDispatches};
use crate::dispatches::store::Audience;
use crate::dispatches::visit_store::{self, VisitFilter};
use crate::error::Error;
use crate::http::public::Public;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Ctx, ListQuery, Read, Write};
use crate::ids::{CalendarFeedId, UserId, VisitId};
use crate::notifications::calendars::CalendarMethod;
use crate::notifications::ics::{self, Status};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_calendar_feeds)
        .service(create_calendar_feed)
        .service(revoke_calendar_feed)
        .service(read_calendar)
        .service(get_visit_calendar);
}

/// An iCalendar file (RFC 5545).
#[derive(Debug, utoipa::ToSchema)]
#[schema(value_type = String, format = Binary, max_length = 5_000_000)]
pub struct CalendarFile(#[expect(dead_code, reason = "stands for the file in the document")] String);

/// Paging of the feeds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CalendarFeedListParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// The person who asks; a program has no calendar.
fn me(ctx: &Ctx) -> Result<UserId, Error> {
    ctx.principal.user_id().ok_or_else(Error::not_found)
}

/// 自分のカレンダーのアドレス / The signed-in person's calendar addresses.
#[utoipa::path(tag = "calendars", params(CalendarFeedListParams), extensions(("x-permission" = json!("own_calendars"))),
    responses((status = 200, description = "新しい順", body = CalendarFeedPage)))]
#[get("/calendar-feeds")]
async fn list_calendar_feeds(read: Read<OwnCalendars>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: CalendarFeedListParams| {
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &"calendar-feeds")?;
        let page = list.page(store::list(conn, me(ctx)?, &list)?, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(CalendarFeedView::from).collect();
        Ok(Answer::List(CalendarFeedPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// カレンダーのアドレスを作る / Makes a calendar address; it is shown in this answer only.
#[utoipa::path(tag = "calendars", request_body = CreateCalendarFeedBody, extensions(("x-permission" = json!("own_calendars"))),
    responses((status = 200, description = "作った（アドレスはこの応答でだけ示す）", body = CalendarFeedAddress)))]
#[post("/calendar-feeds")]
async fn create_calendar_feed(write: Write<OwnCalendars>) -> Result<HttpResponse, Error> {
    write.create(service::create).await
}

/// カレンダーのアドレスを失効させる / Revokes a calendar address for good.
#[utoipa::path(tag = "calendars", params(("id" = CalendarFeedId, Path)), extensions(("x-permission" = json!("own_calendars"))),
    responses((status = 200, description = "失効させた", body = CalendarFeedView)))]
#[post("/calendar-feeds/{id}/revoke")]
async fn revoke_calendar_feed(write: Write<OwnCalendars>) -> Result<HttpResponse, Error> {
    let id = write.id::<CalendarFeedId>("id").ok();
    write.under(move |conn, ctx| store::find(conn, me(ctx)?, id.ok_or_else(Error::not_found)?), service::revoke).await
}

fn file(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/calendar; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"tasuki.ics\""))
        .insert_header((header::CACHE_CONTROL, "private, max-age=300"))
        .body(text)
}

/// カレンダーを読む / The visits behind a secret calendar address.
#[utoipa::path(tag = "calendars", params(("token" = String, Path, max_length = 100)), extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "訪問の予定（iCalendar）", body = CalendarFile, content_type = "text/calendar")))]
#[get("/calendars/{token}")]
async fn read_calendar(request: HttpRequest, public: Public) -> Result<HttpResponse, Error> {
    let token = request.match_info().get("token").unwrap_or_default().to_owned();
    let token = token.strip_suffix(".ics").map(str::to_owned).unwrap_or(token);
    let (call, NoQuery {}) = public.query()?;
    call.limit("calendar", &token, service::FETCHES_A_MINUTE)?;
    let text = call.read(move |conn, call| service::read(conn, &call.app, &token, call.now)).await?;
    Ok(file(text))
}

/// 訪問のカレンダーファイル / The calendar file of one visit.
#[utoipa::path(tag = "calendars", params(("id" = VisitId, Path)), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "カレンダーファイル（iCalendar）", body = CalendarFile, content_type = "text/calendar")))]
#[get("/visits/{id}/calendar")]
async fn get_visit_calendar(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = read.id::<VisitId>("id").ok();
    read.run_after(
        move |conn, ctx| {
            let filter = VisitFilter { id: Some(id.ok_or_else(Error::not_found)?), ..VisitFilter::default() };
            let page = ListQuery::new(Some(1), None, &())?;
            visit_store::list(conn, Audience::of(ctx), &filter, &page)?.into_iter().next().ok_or_else(Error::not_found)
        },
        |_, ctx, line, _: NoQuery| {
            let event = entries::of(&ctx.app, &line.visit, About::from(&line), line.updated_at).ok_or_else(Error::not_found)?;
            let method = if event.status == Status::Cancelled { CalendarMethod::Cancel } else { CalendarMethod::Request };
            Ok(Answer::<()>::File {
                media_type: "text/calendar; charset=utf-8".to_owned(),
                name: format!("visit-{}.ics", line.visit.id),
                content: ics::invitation(&event, method).into_bytes(),
            })
        },
    )
    .await
}
