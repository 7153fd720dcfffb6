//! REST: activity reports.

use actix_web::{HttpResponse, get, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::ReportStatus;
use super::report_store::{self, ReportFilter};
use super::report_views::{
    ApproveReportBody, ReportPage, ReportSummary, ReportView, ReturnReportBody, SubmitReportBody, WriteReportBody,
};
use super::reports;
use super::store::Audience;
use crate::auth::policy::{ReadDispatches, ReviewReports, WriteReports};
use crate::error::Error;
use crate::http::{Read, Write};
use crate::ids::{DispatchId, OrganisationId, ProgrammeId, ReportId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_reports)
        .service(get_dispatch_report)
        .service(write_dispatch_report)
        .service(submit_report)
        .service(return_report)
        .service(approve_report);
}

/// Filters of the list of reports.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportListParams {
    /// Only of this programme.
    programme_id: Option<ProgrammeId>,
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Only in this state.
    #[param(inline)]
    status: Option<ReportStatus>,
    /// Only those (or none of those) that are not in although their last day is over.
    overdue: Option<bool>,
    /// Only of this body's dispatches.
    applicant_organisation_id: Option<OrganisationId>,
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

/// 実績報告書の一覧 / Reports one sees, by their last day.
#[utoipa::path(tag = "reports", params(ReportListParams), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "提出期限順", content((ReportPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/reports")]
async fn list_reports(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ReportListParams| {
        let today = ctx.today();
        let filter = ReportFilter {
            programme_id: params.programme_id,
            fiscal_year: params.fiscal_year,
            status: params.status,
            overdue: params.overdue.map(|overdue| (overdue, today)),
            applicant: params.applicant_organisation_id,
        };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("reports", &filter))?;
        let rows = report_store::list(conn, Audience::of(ctx), &filter, &list)?;
        let total = match params.total {
            Some(true) => Some(report_store::count(conn, Audience::of(ctx), &filter)?),
            _ => None,
        };
        let page = list.page(rows, report_store::position);
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(|line| ReportSummary::new(line, today)).collect();
        export::list_answer(
            params.format,
            ReportPage { items, next_cursor: page.next_cursor, total },
            next,
            "実績報告",
            list_tables::reports,
        )
    })
    .await
}

/// 派遣の実績報告書 / The report of a dispatch.
#[utoipa::path(tag = "reports", params(("id" = DispatchId, Path)), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "実績報告書", body = ReportView)))]
#[get("/dispatches/{id}/report")]
async fn get_dispatch_report(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = read.id::<DispatchId>("id");
    read.object(
        move |conn, ctx| reports::visible_of(conn, ctx, id?),
        |conn, ctx, (dispatch, report)| reports::view_of(conn, ctx, &dispatch, report),
    )
    .await
}

/// 実績報告書を書く / Writes the text and the numbers of a report.
#[utoipa::path(tag = "reports", params(("id" = DispatchId, Path)), request_body = WriteReportBody,
    extensions(("x-permission" = json!("write_reports")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "保存した（提出はしない）", body = ReportView)))]
#[put("/dispatches/{id}/report")]
async fn write_dispatch_report(write: Write<WriteReports>) -> Result<HttpResponse, Error> {
    let id = write.id::<DispatchId>("id").ok();
    write.change(move |conn, ctx| reports::written_of(conn, ctx, id.ok_or_else(Error::not_found)?), reports::write).await
}

/// 実績報告書を提出する / Hands a report in.
#[utoipa::path(tag = "reports", params(("id" = ReportId, Path)), request_body = SubmitReportBody,
    extensions(("x-permission" = json!("write_reports")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "提出した", body = ReportView)))]
#[post("/reports/{id}/submit")]
async fn submit_report(write: Write<WriteReports>) -> Result<HttpResponse, Error> {
    let id = write.id::<ReportId>("id").ok();
    write.change(move |conn, ctx| reports::written_by(conn, ctx, id.ok_or_else(Error::not_found)?), reports::submit).await
}

/// 実績報告書を差し戻す / Sends a report back for correction.
#[utoipa::path(tag = "reports", params(("id" = ReportId, Path)), request_body = ReturnReportBody,
    extensions(("x-permission" = json!("review_reports")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "差し戻し、申請団体へ通知した", body = ReportView)))]
#[post("/reports/{id}/return")]
async fn return_report(write: Write<ReviewReports>) -> Result<HttpResponse, Error> {
    let id = write.id::<ReportId>("id").ok();
    write.change(move |conn, ctx| reports::reviewed_by(conn, ctx, id.ok_or_else(Error::not_found)?), reports::send_back).await
}

/// 実績報告書を承認する / Approves a report; the dispatch is then complete.
#[utoipa::path(tag = "reports", params(("id" = ReportId, Path)), request_body = ApproveReportBody,
    extensions(("x-permission" = json!("review_reports")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "承認した", body = ReportView)))]
#[post("/reports/{id}/approve")]
async fn approve_report(write: Write<ReviewReports>) -> Result<HttpResponse, Error> {
    let id = write.id::<ReportId>("id").ok();
    write.change(move |conn, ctx| reports::reviewed_by(conn, ctx, id.ok_or_else(Error::not_found)?), reports::approve).await
}
