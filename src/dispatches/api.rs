//! REST: the decision on a request, dispatches, their amendments and evaluations.

use actix_web::{HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::DispatchStatus;
use super::report_views::{CreateEvaluationBody, EvaluationList, EvaluationView};
use super::store::{self, Audience, DispatchFilter, DispatchRow, DispatchSort};
use super::views::{
    AmendDispatchBody, CancelDispatchBody, DecideRequestBody, DispatchPage, DispatchSummary, DispatchView, ReplaceExpertBody,
    UpdateDispatchBody,
};
use super::{amend, decide, evaluations, records, replace, report_api, report_store, service, visit_api};
use crate::auth::policy::{DecideDispatches, ReadDispatches, ReadEvaluations, WriteEvaluations};
use crate::error::{Error, ErrorCode};
use crate::http::read::{Answer, NoQuery};
use crate::http::{Read, Write};
use crate::ids::{DispatchId, ExpertId, OrganisationId, ProgrammeId, RequestId};
use crate::requests::model::ActivityKind;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(decide_request)
        .service(list_dispatches)
        .service(get_dispatch)
        .service(update_dispatch)
        .service(amend_dispatch)
        .service(replace_dispatch_expert)
        .service(cancel_dispatch)
        .service(list_evaluations)
        .service(create_evaluation)
        .configure(visit_api::configure)
        .configure(report_api::configure);
}

/// 派遣を決定する / Decides a dispatch by accepted offers.
#[utoipa::path(tag = "dispatches", params(("id" = RequestId, Path)), request_body = DecideRequestBody,
    extensions(("x-permission" = json!("decide_dispatches")), ("x-if-match" = json!(true))),
    responses((status = 201, description = "決定した（相談以外は番号を付け、関係者へ通知する）", body = DispatchView)))]
#[post("/requests/{id}/decide")]
async fn decide_request(write: Write<DecideDispatches>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write
        .change(move |conn, ctx| crate::requests::store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), decide::decide)
        .await
}

/// Filters of the list of dispatches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DispatchListParams {
    /// Only of this programme.
    programme_id: Option<ProgrammeId>,
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Only in this state.
    #[param(inline)]
    status: Option<DispatchStatus>,
    /// Only of this kind of activity.
    #[param(inline)]
    activity_kind: Option<ActivityKind>,
    /// Only applied for by this body.
    applicant_organisation_id: Option<OrganisationId>,
    /// Only with this expert, now or before a replacement.
    expert_id: Option<ExpertId>,
    /// Only whose number begins so, or whose 文書番号 contains it.
    #[param(max_length = 100)]
    q: Option<String>,
    /// The order; changed last first when absent.
    #[param(inline)]
    sort: Option<DispatchSort>,
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

/// 派遣の一覧 / Dispatches one sees.
#[utoipa::path(tag = "dispatches", params(DispatchListParams), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "派遣", content((DispatchPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/dispatches")]
async fn list_dispatches(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: DispatchListParams| {
        if params.q.as_ref().is_some_and(|q| q.chars().count() > 100) {
            return Err(Error::new(ErrorCode::UnknownParameter).field(
                "q",
                "too_long",
                "100文字以内にしてください",
                "At most 100 characters",
            ));
        }
        let filter = DispatchFilter {
            programme_id: params.programme_id,
            fiscal_year: params.fiscal_year,
            status: params.status,
            activity_kind: params.activity_kind,
            applicant: params.applicant_organisation_id,
            expert: params.expert_id,
            q: params.q.filter(|q| !q.is_empty()),
        };
        let sort = params.sort.unwrap_or(DispatchSort::UpdatedDesc);
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("dispatches", &filter, sort))?;
        let rows = store::list(conn, Audience::of(ctx), &filter, sort, &list)?;
        let total = match params.total {
            Some(true) => Some(store::count(conn, Audience::of(ctx), &filter)?),
            _ => None,
        };
        let page = list.page(rows, |row| store::position(row, sort));
        let next = page.next_cursor.clone();
        let ids: Vec<DispatchId> = page.items.iter().map(|row| row.id).collect();
        let experts = records::experts_of(conn, &ids)?;
        let items = page.items.into_iter().map(|row| DispatchSummary::new(row, &experts)).collect();
        let view = DispatchPage { items, next_cursor: page.next_cursor, total };
        export::list_answer(params.format, view, next, "派遣", list_tables::dispatches)
    })
    .await
}

/// 派遣 / One dispatch with its experts, visits, report, amendments and costs.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), extensions(("x-permission" = json!("read_dispatches"))),
    responses((status = 200, description = "派遣", body = DispatchView)))]
#[get("/dispatches/{id}")]
async fn get_dispatch(read: Read<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = read.id::<DispatchId>("id");
    read.object(
        move |conn, ctx| store::visible_dispatch(conn, ctx, id?),
        |conn, ctx, row: DispatchRow| service::view_of(conn, ctx, &row),
    )
    .await
}

/// 文書番号・後続の派遣を登録する / Changes the document number or names the successor.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), request_body = UpdateDispatchBody,
    extensions(("x-permission" = json!("decide_dispatches")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = DispatchView)))]
#[patch("/dispatches/{id}")]
async fn update_dispatch(write: Write<DecideDispatches>) -> Result<HttpResponse, Error> {
    let id = write.id::<DispatchId>("id").ok();
    write
        .change(move |conn, ctx| store::owned_dispatch(conn, ctx, id.ok_or_else(Error::not_found)?), service::update_dispatch)
        .await
}

/// 変更決定をする / Amends a dispatch: visits added, moved or dropped, another period.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), request_body = AmendDispatchBody,
    extensions(("x-permission" = json!("decide_dispatches")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更し、関係者へ通知した", body = DispatchView)))]
#[post("/dispatches/{id}/amend")]
async fn amend_dispatch(write: Write<DecideDispatches>) -> Result<HttpResponse, Error> {
    let id = write.id::<DispatchId>("id").ok();
    write.change(move |conn, ctx| store::owned_dispatch(conn, ctx, id.ok_or_else(Error::not_found)?), amend::amend).await
}

/// 専門家を交代する / Puts another expert in the place of one, under the same number.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), request_body = ReplaceExpertBody,
    extensions(("x-permission" = json!("decide_dispatches")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "交代し、関係者へ通知した", body = DispatchView)))]
#[post("/dispatches/{id}/replace-expert")]
async fn replace_dispatch_expert(write: Write<DecideDispatches>) -> Result<HttpResponse, Error> {
    let id = write.id::<DispatchId>("id").ok();
    write
        .change(move |conn, ctx| store::owned_dispatch(conn, ctx, id.ok_or_else(Error::not_found)?), replace::replace_expert)
        .await
}

/// 派遣を中止する / Calls a dispatch off.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), request_body = CancelDispatchBody,
    extensions(("x-permission" = json!("decide_dispatches")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "中止し、関係者へ通知した", body = DispatchView)))]
#[post("/dispatches/{id}/cancel")]
async fn cancel_dispatch(write: Write<DecideDispatches>) -> Result<HttpResponse, Error> {
    let id = write.id::<DispatchId>("id").ok();
    write
        .change(move |conn, ctx| store::owned_dispatch(conn, ctx, id.ok_or_else(Error::not_found)?), service::cancel_dispatch)
        .await
}

/// 派遣の評価（人材プールの所有者のみ） / Evaluations of a dispatch, for the pool's owner.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), extensions(("x-permission" = json!("read_evaluations"))),
    responses((status = 200, description = "記入順", body = EvaluationList)))]
#[get("/dispatches/{id}/evaluations")]
async fn list_evaluations(read: Read<ReadEvaluations>) -> Result<HttpResponse, Error> {
    let id = read.id::<DispatchId>("id");
    read.run_after(
        move |conn, ctx| store::owned_dispatch(conn, ctx, id?),
        |conn, _, row, _: NoQuery| {
            let items = report_store::evaluations_of(conn, row.id)?.into_iter().map(Into::into).collect();
            Ok(Answer::Json(EvaluationList { items }))
        },
    )
    .await
}

/// 専門家を評価する / Evaluates an expert's work; the pool's owner reads it.
#[utoipa::path(tag = "dispatches", params(("id" = DispatchId, Path)), request_body = CreateEvaluationBody,
    extensions(("x-permission" = json!("write_evaluations")), ("x-unversioned" = json!(true))),
    responses((status = 201, description = "評価した", body = EvaluationView)))]
#[post("/dispatches/{id}/evaluations")]
async fn create_evaluation(write: Write<WriteEvaluations>) -> Result<HttpResponse, Error> {
    let id = write.id::<DispatchId>("id").ok();
    write
        .under(move |conn, ctx| evaluations::evaluated_by(conn, ctx, id.ok_or_else(Error::not_found)?), evaluations::create)
        .await
}
