//! REST: experts, their skills, availability, conflicts and workload.

use std::collections::HashMap;

use actix_web::{HttpResponse, get, patch, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::availability::{self, ExpertAvailabilityView, ReplaceExpertAvailabilityBody};
use super::model::ExpertVerb;
use super::params::ExpertListParams;
use super::search;
use super::views::{
    CreateExpertBody, ExpertConflictList, ExpertPage, ExpertSkillLevel, ExpertStateBody, ExpertSummaryView, ExpertView,
    ReplaceExpertConflictsBody, ReplaceExpertSkillsBody, UpdateExpertBody,
};
use super::workload::{self, ExpertWorkloadView};
use super::{framework_api, service, store};
use crate::auth::policy::{ManageAvailability, ManageExperts, ReadExperts, ReadWorkload};
use crate::calendar::FiscalYear;
use crate::error::{Error, ErrorCode};
use crate::http::read::Answer;
use crate::http::{Read, Write};
use crate::ids::ExpertId;
use crate::pools::store::Standing;
use crate::statistics::export::{self, ExportFile};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_experts)
        .service(create_expert)
        .service(get_expert)
        .service(update_expert)
        .service(suspend_expert)
        .service(resume_expert)
        .service(retire_expert)
        .service(replace_expert_skills)
        .service(get_expert_availability)
        .service(replace_expert_availability)
        .service(get_expert_conflicts)
        .service(replace_expert_conflicts)
        .service(get_expert_workload)
        .configure(framework_api::configure);
}

/// 専門家を探す / Searches the experts of visible pools.
#[utoipa::path(tag = "experts", params(ExpertListParams), extensions(("x-permission" = json!("read_experts"))),
    responses((status = 200, description = "条件に合う専門家", content((ExpertPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/experts")]
async fn list_experts(read: Read<ReadExperts>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ExpertListParams| {
        let filter = params.filter(ctx.today())?;
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("experts", &filter))?;
        let counted = params.total.unwrap_or(false);
        let rows = search::list(conn, ctx, &filter, &list, counted)?;
        let page = list.page(rows, |row| search::position(filter.sort, row));
        let ids: Vec<ExpertId> = page.items.iter().map(|row| row.id).collect();
        let mut skills: HashMap<ExpertId, Vec<ExpertSkillLevel>> = HashMap::new();
        if !ids.is_empty() {
            for skill in store::skills(conn, &ids)? {
                let level = ExpertSkillLevel { skill_item_id: skill.skill_item_id, level: skill.level, verified: skill.verified };
                skills.entry(skill.expert_id).or_default().push(level);
            }
        }
        let items = page
            .items
            .into_iter()
            .map(|row| {
                let skills = skills.remove(&row.id).unwrap_or_default();
                ExpertSummaryView { skills, ..row.into() }
            })
            .collect();
        let total = if counted { Some(search::total(conn, ctx, &filter)?) } else { None };
        let next = page.next_cursor.clone();
        let view = ExpertPage { items, total, next_cursor: page.next_cursor };
        export::list_answer(params.format, view, next, "専門家", list_tables::experts)
    })
    .await
}

/// 専門家を登録する / Registers an expert.
#[utoipa::path(tag = "experts", request_body = CreateExpertBody, extensions(("x-permission" = json!("manage_experts"))),
    responses((status = 201, description = "登録した", body = ExpertView)))]
#[post("/experts")]
async fn create_expert(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    write.create(service::create_expert).await
}

/// 専門家 / One expert; contact data only where it may be seen.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), extensions(("x-permission" = json!("read_experts"))),
    responses((status = 200, description = "専門家", body = ExpertView)))]
#[get("/experts/{id}")]
async fn get_expert(read: Read<ReadExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertId>("id");
    read.object(
        move |conn, ctx| store::visible(conn, ctx, id?).map(|(row, standing)| (standing, row)),
        |conn, ctx, (standing, row)| {
            let sight = service::sight(conn, ctx, standing, row.id)?;
            service::view(conn, row, sight)
        },
    )
    .await
}

/// 専門家の登録内容を変更する / Changes an expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = UpdateExpertBody,
    extensions(("x-permission" = json!("manage_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = ExpertView)))]
#[patch("/experts/{id}")]
async fn update_expert(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::update_expert).await
}

async fn transition(write: Write<ManageExperts>, verb: ExpertVerb) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertId>("id").ok();
    write
        .change(
            move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?),
            move |conn, ctx, expert, body| service::transition(conn, ctx, expert, verb, body),
        )
        .await
}

/// 専門家を一時停止する / Suspends an expert: no new work, what is agreed stands.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ExpertStateBody,
    extensions(("x-permission" = json!("manage_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "一時停止した", body = ExpertView)))]
#[post("/experts/{id}/suspend")]
async fn suspend_expert(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    transition(write, ExpertVerb::Suspend).await
}

/// 専門家の登録を再開する / Ends a suspension.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ExpertStateBody,
    extensions(("x-permission" = json!("manage_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "再開した", body = ExpertView)))]
#[post("/experts/{id}/resume")]
async fn resume_expert(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    transition(write, ExpertVerb::Resume).await
}

/// 専門家の登録を終了する / Ends a registration for good; refused while visits are ahead.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ExpertStateBody,
    extensions(("x-permission" = json!("manage_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "終了した", body = ExpertView)))]
#[post("/experts/{id}/retire")]
async fn retire_expert(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    transition(write, ExpertVerb::Retire).await
}

/// 専門家のスキルを定める / Replaces the skills of an expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ReplaceExpertSkillsBody,
    extensions(("x-permission" = json!("manage_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "定めた", body = ExpertView)))]
#[put("/experts/{id}/skills")]
async fn replace_expert_skills(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::replace_skills).await
}

/// 専門家の対応できる時間 / When an expert can work.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), extensions(("x-permission" = json!("read_experts"))),
    responses((status = 200, description = "曜日ごとの時間帯と例外", body = ExpertAvailabilityView)))]
#[get("/experts/{id}/availability")]
async fn get_expert_availability(read: Read<ReadExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertId>("id");
    read.object(
        move |conn, ctx| store::visible(conn, ctx, id?).map(|(row, standing)| (standing, row)),
        |conn, _, (standing, row)| availability::view(conn, &row, standing != Standing::Member),
    )
    .await
}

/// 専門家の対応できる時間を定める / Replaces when an expert can work; by the office or the expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ReplaceExpertAvailabilityBody,
    extensions(("x-permission" = json!("manage_availability")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "定めた", body = ExpertAvailabilityView)))]
#[put("/experts/{id}/availability")]
async fn replace_expert_availability(write: Write<ManageAvailability>) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertId>("id").ok();
    write.change(move |conn, ctx| store::owned_or_self(conn, ctx, id.ok_or_else(Error::not_found)?), availability::replace).await
}

/// 専門家の利益相反 / Bodies that an expert must not serve or judge; for the pool's owner and the expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), extensions(("x-permission" = json!("read_experts"))),
    responses((status = 200, description = "利益相反の団体", body = ExpertConflictList)))]
#[get("/experts/{id}/conflicts")]
async fn get_expert_conflicts(read: Read<ReadExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertId>("id");
    read.object(move |conn, ctx| store::owned_or_self(conn, ctx, id?), |conn, _, row| service::conflict_list(conn, &row)).await
}

/// 専門家の利益相反を定める / Replaces the conflicts of an expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), request_body = ReplaceExpertConflictsBody,
    extensions(("x-permission" = json!("manage_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "定めた", body = ExpertConflictList)))]
#[put("/experts/{id}/conflicts")]
async fn replace_expert_conflicts(write: Write<ManageExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ExpertId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::replace_conflicts).await
}

/// The year of a workload.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExpertWorkloadParams {
    /// Starting year of the fiscal year (R8 = 2026); the present one when absent.
    #[param(minimum = 2000, maximum = 2100, example = 2026)]
    fiscal_year: Option<i32>,
}

/// 専門家の稼働状況 / An expert's load over a fiscal year; for the pool's owner and the expert.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path), ExpertWorkloadParams),
    extensions(("x-permission" = json!("read_workload"))),
    responses((status = 200, description = "月ごとの稼働", body = ExpertWorkloadView)))]
#[get("/experts/{id}/workload")]
async fn get_expert_workload(read: Read<ReadWorkload>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertId>("id");
    read.run_after(
        move |conn, ctx| store::owned_or_self(conn, ctx, id?),
        |conn, ctx, expert, params: ExpertWorkloadParams| {
            let year = match params.fiscal_year {
                None => FiscalYear::of(ctx.today()),
                Some(year) => FiscalYear::new(year).map_err(|_| {
                    Error::new(ErrorCode::UnknownParameter).field(
                        "fiscal_year",
                        "out_of_range",
                        "2000から2100までの値にしてください",
                        "Must be from 2000 to 2100",
                    )
                })?,
            };
            workload::of(conn, &expert, year).map(Answer::Json)
        },
    )
    .await
}
