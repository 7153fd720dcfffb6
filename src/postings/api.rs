//! REST: placements.

use std::collections::HashMap;

use actix_web::{HttpResponse, get, patch, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::days::{self, ExtendPostingBody, PostingDays, RecordPostingDayBody};
use super::model::PostingStatus;
use super::service;
use super::store::{self, PostingFilter};
use super::views::{CancelPostingBody, CreatePostingBody, PostingCountsView, PostingPage, PostingView, UpdatePostingBody};
use crate::auth::policy::{ManagePostings, ReadDispatches, RecordVisits};
use crate::error::Error;
use crate::http::read::Answer;
use crate::http::{Read, Write};
use crate::ids::{ExpertId, OrganisationId, PostingId, ProgrammeId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_postings)
        .service(create_posting)
        .service(get_posting)
        .service(update_posting)
        .service(cancel_posting)
        .service(extend_posting)
        .service(list_posting_days)
        .service(record_posting_day);
}

/// Filters of the list of placements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PostingListParams {
    /// Only under this programme.
    programme_id: Option<ProgrammeId>,
    /// Only with this host.
    host_organisation_id: Option<OrganisationId>,
    /// Only of this person.
    expert_id: Option<ExpertId>,
    /// Only in this state.
    status: Option<PostingStatus>,
    /// Only those running on this day; then hosts and people are counted too.
    on: Option<NaiveDate>,
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

/// 配属の一覧 / Placements of the own pools, with the own organisation as host, or of oneself.
#[utoipa::path(tag = "postings", params(PostingListParams), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "開始日の新しい順", content((PostingPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/postings")]
async fn list_postings(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: PostingListParams| {
        let filter = PostingFilter {
            programme_id: params.programme_id,
            host_organisation_id: params.host_organisation_id,
            expert_id: params.expert_id,
            status: params.status,
            on: params.on,
        };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("postings", &filter))?;
        let page = list.page(store::list(conn, ctx, &filter, &list)?, |row| (row.valid_from.to_string(), row.id.0));
        let ids: Vec<PostingId> = page.items.iter().map(|row| row.id).collect();
        let mut names: HashMap<PostingId, (String, String)> =
            store::names(conn, &ids)?.into_iter().map(|(id, host, expert)| (id, (host, expert))).collect();
        let items = page
            .items
            .into_iter()
            .map(|row| {
                let (host, expert) = names.remove(&row.id).unwrap_or_default();
                PostingView::new(row, host, expert)
            })
            .collect();
        let counts = match filter.on {
            Some(day) => Some(PostingCountsView::new(day, store::counts(conn, ctx, &filter)?)),
            None => None,
        };
        let next = page.next_cursor.clone();
        export::list_answer(
            params.format,
            PostingPage { items, counts, next_cursor: page.next_cursor },
            next,
            "配属",
            list_tables::postings,
        )
    })
    .await
}

/// 配属する / Places an expert with a host.
#[utoipa::path(tag = "postings", request_body = CreatePostingBody, extensions(("x-permission" = json!("manage_postings"))),
    responses((status = 201, description = "配属した", body = PostingView)))]
#[post("/postings")]
async fn create_posting(write: Write<ManagePostings>) -> Result<HttpResponse, Error> {
    write.create(service::create).await
}

/// 配属 / One placement.
#[utoipa::path(tag = "postings", params(("id" = PostingId, Path)), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "配属", body = PostingView)))]
#[get("/postings/{id}")]
async fn get_posting(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = read.id::<PostingId>("id");
    read.object(move |conn, ctx| store::visible(conn, ctx, id?), |conn, _, row| service::view(conn, row)).await
}

/// 配属を変更する / Changes a placement.
#[utoipa::path(tag = "postings", params(("id" = PostingId, Path)), request_body = UpdatePostingBody,
    extensions(("x-permission" = json!("manage_postings")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = PostingView)))]
#[patch("/postings/{id}")]
async fn update_posting(write: Write<ManagePostings>) -> Result<HttpResponse, Error> {
    let id = write.id::<PostingId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::update).await
}

/// 配属を取り消す / Cancels a placement as a whole.
#[utoipa::path(tag = "postings", params(("id" = PostingId, Path)), request_body = CancelPostingBody,
    extensions(("x-permission" = json!("manage_postings")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り消した", body = PostingView)))]
#[post("/postings/{id}/cancel")]
async fn cancel_posting(write: Write<ManagePostings>) -> Result<HttpResponse, Error> {
    let id = write.id::<PostingId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::cancel).await
}

/// 配属を延長する / Lets a placement go on beyond its term, by an amendment.
#[utoipa::path(tag = "postings", params(("id" = PostingId, Path)), request_body = ExtendPostingBody,
    extensions(("x-permission" = json!("manage_postings")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "延長した", body = PostingView)))]
#[post("/postings/{id}/extend")]
async fn extend_posting(write: Write<ManagePostings>) -> Result<HttpResponse, Error> {
    let id = write.id::<PostingId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), days::extend).await
}

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PostingDaysParams {
    /// A day of the month; this month when absent.
    month: Option<chrono::NaiveDate>,
}

/// 配属の勤務日 / The days of a month on which a placed person worked.
#[utoipa::path(tag = "postings", params(("id" = PostingId, Path), PostingDaysParams),
    extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "月ごとの勤務日", body = PostingDays)))]
#[get("/postings/{id}/days")]
async fn list_posting_days(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = read.id::<PostingId>("id");
    read.run_after(
        move |conn, ctx| store::visible(conn, ctx, id?),
        |conn, ctx, row, params: PostingDaysParams| {
            Ok(Answer::Json(days::month(conn, &row, params.month.unwrap_or_else(|| ctx.today()))?))
        },
    )
    .await
}

/// 勤務日を記録する / Records a day on which a placed person worked.
#[utoipa::path(tag = "postings", params(("id" = PostingId, Path)), request_body = RecordPostingDayBody,
    extensions(("x-permission" = json!("record_visits")), ("x-unversioned" = json!(true))),
    responses((status = 201, description = "記録した", body = PostingDays)))]
#[post("/postings/{id}/days")]
async fn record_posting_day(write: Write<RecordVisits>) -> Result<HttpResponse, Error> {
    let id = write.id::<PostingId>("id").ok();
    write.under(move |conn, ctx| days::recordable(conn, ctx, id.ok_or_else(Error::not_found)?), days::record).await
}
