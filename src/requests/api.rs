//! REST: requests and their verbs.

use actix_web::{HttpResponse, get, patch, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::detail::{self, RequestStateView};
use super::list::{self, RequestFilter, RequestSort};
use super::model::ActivityKind;
use super::verb_views::{
    AcceptRequestBody, CancelRequestBody, ConsentRequestBody, CopyRequestBody, RequestReasonBody, RequestVerbBody,
    SendBackRequestBody,
};
use super::views::{CreateRequestBody, RequestPage, RequestView, UpdateRequestBody};
use super::{draft, joint, review, store, submit};
use crate::auth::policy::{ApproveRequests, ConsentRequests, FileRequests, ReadRequests, ReviewRequests};
use crate::error::{Error, ErrorCode};
use crate::http::{Fields, Read, Write};
use crate::ids::{OrganisationId, ProgrammeId, RequestId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_requests)
        .service(create_request)
        .service(get_request)
        .service(update_request)
        .service(copy_request)
        .service(submit_request)
        .service(approve_request)
        .service(send_back_request)
        .service(consent_request)
        .service(return_request)
        .service(accept_request)
        .service(waitlist_request)
        .service(reject_request)
        .service(withdraw_request)
        .service(cancel_request)
        .configure(super::thread_api::configure);
}

/// Filters of the request list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RequestListParams {
    /// Only of this programme.
    programme_id: Option<ProgrammeId>,
    /// Only of this fiscal year (starting year).
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Stored states, separated by commas.
    #[param(max_length = 200, example = "submitted,returned")]
    status: Option<String>,
    /// Stages, separated by commas.
    #[param(max_length = 300, example = "matching,offered")]
    stage: Option<String>,
    /// Only of this applicant.
    applicant_organisation_id: Option<OrganisationId>,
    /// Only of this kind.
    activity_kind: Option<ActivityKind>,
    /// Part of the theme; kana, width and case do not matter.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// Submitted on this day (JST) or later.
    submitted_from: Option<NaiveDate>,
    /// Submitted on this day (JST) or earlier.
    submitted_to: Option<NaiveDate>,
    /// Order; the latest change first when absent.
    sort: Option<RequestSort>,
    /// Whether to count all that the filters leave.
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

impl RequestListParams {
    /// The filter; every malformed parameter is named.
    fn filter(&self) -> Result<RequestFilter, Error> {
        let mut fields = Fields::new();
        if let Some(q) = &self.q {
            fields.line("q", q, 200);
        }
        if let (Some(from), Some(to)) = (self.submitted_from, self.submitted_to) {
            fields.period("submitted_to", from, to);
        }
        let filter = RequestFilter {
            programme_id: self.programme_id,
            fiscal_year: self.fiscal_year,
            statuses: several("status", self.status.as_deref(), &mut fields),
            stages: several("stage", self.stage.as_deref(), &mut fields),
            applicant: self.applicant_organisation_id,
            activity_kind: self.activity_kind,
            theme: self.q.clone(),
            submitted_from: self.submitted_from,
            submitted_to: self.submitted_to,
        };
        fields.finish_as(ErrorCode::UnknownParameter)?;
        Ok(filter)
    }
}

/// The values of a parameter that takes several, separated by commas.
pub(super) fn several<T: std::str::FromStr>(name: &str, text: Option<&str>, fields: &mut Fields) -> Vec<T> {
    let Some(text) = text else { return Vec::new() };
    let parsed: Vec<Option<T>> = text.split(',').map(|value| value.trim().parse().ok()).collect();
    fields.check(
        parsed.iter().all(Option::is_some),
        name,
        "unknown_value",
        "使えない値が含まれています",
        "Contains an unknown value",
    );
    parsed.into_iter().flatten().collect()
}

/// 派遣申請の一覧 / Requests that are visible.
#[utoipa::path(tag = "requests", params(RequestListParams), extensions(("x-permission" = json!("read_requests"))),
    responses((status = 200, description = "派遣申請", content((RequestPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/requests")]
async fn list_requests(read: Read<ReadRequests>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: RequestListParams| {
        let filter = params.filter()?;
        let sort = params.sort.unwrap_or(RequestSort::UpdatedDescending);
        let query = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("requests", &filter, sort))?;
        let counted = params.total == Some(true);
        let page = query.page(list::list(conn, ctx, &filter, sort, &query, counted)?, |row| list::position(sort, row));
        let total = if counted { Some(list::total(conn, ctx, &filter)?) } else { None };
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(detail::summary).collect();
        let view = RequestPage { items, next_cursor: page.next_cursor, total };
        export::list_answer(params.format, view, next, "派遣申請", list_tables::requests)
    })
    .await
}

/// 派遣申請の下書きを作る / Writes a new request, kept as a draft.
#[utoipa::path(tag = "requests", request_body = CreateRequestBody, extensions(("x-permission" = json!("file_requests"))),
    responses((status = 201, description = "作成した", body = RequestView)))]
#[post("/requests")]
async fn create_request(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    write.create(draft::create).await
}

/// 派遣申請 / One request with its lists, its stage and what can be done now.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), extensions(("x-permission" = json!("read_requests"))),
    responses((status = 200, description = "派遣申請", body = RequestView)))]
#[get("/requests/{id}")]
async fn get_request(read: Read<ReadRequests>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.object(move |conn, ctx| store::visible(conn, ctx, id?), detail::view).await
}

/// 下書き・差戻し中の派遣申請を変更する / Changes a draft or returned request.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = UpdateRequestBody,
    extensions(("x-permission" = json!("file_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = RequestView)))]
#[patch("/requests/{id}")]
async fn update_request(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::written(conn, ctx, id.ok_or_else(Error::not_found)?), draft::update).await
}

/// 過去の申請を写して下書きを作る / Writes a new draft with the content of an earlier request.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = CopyRequestBody,
    extensions(("x-permission" = json!("file_requests"))),
    responses((status = 201, description = "作成した", body = RequestView)))]
#[post("/requests/{id}/copy")]
async fn copy_request(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write
        .under(
            move |conn, ctx| {
                let row = store::visible(conn, ctx, id.ok_or_else(Error::not_found)?)?;
                let owns = row.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
                store::allowed(owns || row.is_written_by(ctx.organisation()))?;
                Ok(row)
            },
            draft::copy,
        )
        .await
}

/// 申請する / Submits a request: to the own approver where there is one, otherwise to the office.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = RequestVerbBody,
    extensions(("x-permission" = json!("file_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "申請した。事業の要件に合わないときは422で、合わない要件をすべて返す", body = RequestStateView)))]
#[post("/requests/{id}/submit")]
async fn submit_request(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::written(conn, ctx, id.ok_or_else(Error::not_found)?), submit::submit).await
}

/// 団体内で承認する / The applicant's approver agrees; the request goes to the office.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = RequestVerbBody,
    extensions(("x-permission" = json!("approve_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "承認し、事務局に提出した", body = RequestStateView)))]
#[post("/requests/{id}/approve")]
async fn approve_request(write: Write<ApproveRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::applied(conn, ctx, id.ok_or_else(Error::not_found)?), submit::approve).await
}

/// 担当者へ戻す / The applicant's approver sends the request back to the staff.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = SendBackRequestBody,
    extensions(("x-permission" = json!("approve_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "戻した", body = RequestStateView)))]
#[post("/requests/{id}/send-back")]
async fn send_back_request(write: Write<ApproveRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::applied(conn, ctx, id.ok_or_else(Error::not_found)?), submit::send_back).await
}

/// 共同申請に同意する / A body of a joint request agrees to take part, or takes that back.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = ConsentRequestBody,
    extensions(("x-permission" = json!("consent_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "記録した", body = RequestView)))]
#[post("/requests/{id}/consent")]
async fn consent_request(write: Write<ConsentRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| joint::joined(conn, ctx, id.ok_or_else(Error::not_found)?), joint::consent).await
}

/// 差し戻す / The office sends a request back for correction.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = RequestReasonBody,
    extensions(("x-permission" = json!("review_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "差し戻した", body = RequestStateView)))]
#[post("/requests/{id}/return-for-correction")]
async fn return_request(write: Write<ReviewRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), review::return_for_correction).await
}

/// 受理する / The office accepts a request; limits, consents and budget are checked again.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = AcceptRequestBody,
    extensions(("x-permission" = json!("review_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "受理した", body = RequestStateView)))]
#[post("/requests/{id}/accept")]
async fn accept_request(write: Write<ReviewRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), review::accept).await
}

/// 補欠とする / The office puts a request on the waiting list.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = RequestReasonBody,
    extensions(("x-permission" = json!("review_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "補欠とした", body = RequestStateView)))]
#[post("/requests/{id}/waitlist")]
async fn waitlist_request(write: Write<ReviewRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), review::waitlist).await
}

/// 不採択とする / The office refuses a request.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = RequestReasonBody,
    extensions(("x-permission" = json!("review_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "不採択とした", body = RequestStateView)))]
#[post("/requests/{id}/reject")]
async fn reject_request(write: Write<ReviewRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), review::reject).await
}

/// 取り下げる / The applicant takes a request back before the decision.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = RequestReasonBody,
    extensions(("x-permission" = json!("file_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り下げた", body = RequestStateView)))]
#[post("/requests/{id}/withdraw")]
async fn withdraw_request(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::written(conn, ctx, id.ok_or_else(Error::not_found)?), review::withdraw).await
}

/// 中止する / Cancels a decided request and its dispatch.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = CancelRequestBody,
    extensions(("x-permission" = json!("review_requests")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "中止した", body = RequestStateView)))]
#[post("/requests/{id}/cancel")]
async fn cancel_request(write: Write<ReviewRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), review::cancel).await
}
