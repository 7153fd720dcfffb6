//! REST: visits.

use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::VisitStatus;
use super::store::Audience;
use super::visit_store::{self, VisitFilter};
use super::visit_views::{
    ArrangeVisitBody, CancelVisitBody, NoShowVisitBody, RecordVisitBody, RescheduleVisitBody, VisitPage, VisitView,
};
use super::visits;
use crate::auth::policy::{ReadDispatches, RecordVisits};
use crate::error::{Error, ErrorCode};
use crate::http::{Read, Write};
use crate::ids::{DispatchId, ExpertId, ProgrammeId, VisitId};
use crate::requests::model::Mode;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_visits)
        .service(get_visit)
        .service(arrange_visit)
        .service(record_visit)
        .service(cancel_visit)
        .service(record_no_show)
        .service(reschedule_visit);
}

/// Filters of the list of visits.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VisitListParams {
    /// Only of this programme.
    programme_id: Option<ProgrammeId>,
    /// Only of this dispatch.
    dispatch_id: Option<DispatchId>,
    /// Only of this expert.
    expert_id: Option<ExpertId>,
    /// First day. Visits to be arranged stand on the first day of the month they load.
    from: Option<NaiveDate>,
    /// Last day, inclusive.
    to: Option<NaiveDate>,
    /// Only in these states, comma-separated.
    #[param(max_length = 100, example = "planned,done")]
    status: Option<String>,
    /// Only of this mode.
    #[param(inline)]
    mode: Option<Mode>,
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

fn parameter(name: &'static str, code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::new(ErrorCode::UnknownParameter).field(name, code, ja.into(), en.into())
}

fn statuses(text: Option<&str>) -> Result<Vec<VisitStatus>, Error> {
    let Some(text) = text else { return Ok(Vec::new()) };
    text.split(',')
        .map(|part| {
            part.parse().map_err(|_| {
                parameter(
                    "status",
                    "unknown_value",
                    format!("「{part}」という状態はありません"),
                    format!("There is no state {part}"),
                )
            })
        })
        .collect()
}

/// 訪問の一覧 / Visits one sees, by day.
#[utoipa::path(tag = "visits", params(VisitListParams), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "日付順", content((VisitPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/visits")]
async fn list_visits(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: VisitListParams| {
        let filter = VisitFilter {
            pool_id: None,
            programme_id: params.programme_id,
            dispatch_id: params.dispatch_id,
            expert_id: params.expert_id,
            from: params.from,
            to: params.to,
            statuses: statuses(params.status.as_deref())?,
            mode: params.mode,
            id: None,
        };
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && to < from
        {
            return Err(parameter(
                "to",
                "before_start",
                "終了日は開始日以後にしてください",
                "The end must not be before the start",
            ));
        }
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("visits", &filter))?;
        let rows = visit_store::list(conn, Audience::of(ctx), &filter, &list)?;
        let total = match params.total {
            Some(true) => Some(visit_store::count(conn, Audience::of(ctx), &filter)?),
            _ => None,
        };
        let page = list.page(rows, |line| (line.visit.load_day.to_string(), line.visit.id.0));
        let next = page.next_cursor.clone();
        let ids: Vec<VisitId> = page.items.iter().map(|line| line.visit.id).collect();
        let enrolled = visit_store::participants(conn, &ids)?;
        let items = page.items.iter().map(|line| VisitView::of_line(line, &enrolled)).collect();
        let view = VisitPage { items, next_cursor: page.next_cursor, total };
        export::list_answer(params.format, view, next, "訪問", list_tables::visits)
    })
    .await
}

/// 訪問 / One visit.
#[utoipa::path(tag = "visits", params(("id" = VisitId, Path)), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "訪問", body = VisitView)))]
#[get("/visits/{id}")]
async fn get_visit(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = read.id::<VisitId>("id");
    read.object(
        move |conn, ctx| visit_store::visible_visit(conn, ctx, id?),
        |conn, ctx, visit| visits::view_of(conn, ctx, visit.id),
    )
    .await
}

/// 訪問の日程を決める / Gives a day and time to a visit that had none.
#[utoipa::path(tag = "visits", params(("id" = VisitId, Path)), request_body = ArrangeVisitBody,
    extensions(("x-permission" = json!("record_visits")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "決めた", body = VisitView)))]
#[post("/visits/{id}/arrange")]
async fn arrange_visit(write: Write<RecordVisits>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.change(move |conn, ctx| visits::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?), visits::arrange).await
}

/// 訪問の実績を記録する / Writes down what happened at a visit.
#[utoipa::path(tag = "visits", params(("id" = VisitId, Path)), request_body = RecordVisitBody,
    extensions(("x-permission" = json!("record_visits")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録し、謝金を計算した", body = VisitView)))]
#[post("/visits/{id}/record")]
async fn record_visit(write: Write<RecordVisits>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.change(move |conn, ctx| visits::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?), visits::record).await
}

/// 訪問を中止する / Calls one visit off.
#[utoipa::path(tag = "visits", params(("id" = VisitId, Path)), request_body = CancelVisitBody,
    extensions(("x-permission" = json!("record_visits")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "中止し、関係者へ通知した", body = VisitView)))]
#[post("/visits/{id}/cancel")]
async fn cancel_visit(write: Write<RecordVisits>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.change(move |conn, ctx| visits::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?), visits::cancel).await
}

/// 不参を記録する / Notes that a party did not come.
#[utoipa::path(tag = "visits", params(("id" = VisitId, Path)), request_body = NoShowVisitBody,
    extensions(("x-permission" = json!("record_visits")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = VisitView)))]
#[post("/visits/{id}/no-show")]
async fn record_no_show(write: Write<RecordVisits>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.change(move |conn, ctx| visits::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?), visits::no_show).await
}

/// 訪問の日程を変更する / Puts a visit on another day in the place of one.
#[utoipa::path(tag = "visits", params(("id" = VisitId, Path)), request_body = RescheduleVisitBody,
    extensions(("x-permission" = json!("record_visits")), ("x-if-match" = json!(true))),
    responses((status = 201, description = "新しい訪問を作り、関係者へ通知した", body = VisitView)))]
#[post("/visits/{id}/reschedule")]
async fn reschedule_visit(write: Write<RecordVisits>) -> Result<HttpResponse, Error> {
    let id = write.id::<VisitId>("id").ok();
    write.change(move |conn, ctx| visits::worked_on(conn, ctx, id.ok_or_else(Error::not_found)?), visits::reschedule).await
}
