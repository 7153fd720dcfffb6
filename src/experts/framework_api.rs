//! REST: skill frameworks.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::frameworks::{self, CreateSkillFrameworkBody, SkillFrameworkPage, SkillFrameworkView};
use crate::auth::policy::{ManageSkills, ReadSkills};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{ListQuery, Read, Write};
use crate::ids::SkillFrameworkId;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_skill_frameworks).service(create_skill_framework).service(get_skill_framework);
}

/// Filters of the list of skill frameworks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SkillFrameworkListParams {
    /// Only the editions of this framework.
    #[param(max_length = 60, example = "mic_external_talent")]
    code: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// スキル標準の一覧 / Skill frameworks with their skills.
#[utoipa::path(tag = "skill-frameworks", params(SkillFrameworkListParams), extensions(("x-permission" = json!("read_skills"))),
    responses((status = 200, description = "コード順、版の古い順", body = SkillFrameworkPage)))]
#[get("/skill-frameworks")]
async fn list_skill_frameworks(read: Read<ReadSkills>) -> Result<HttpResponse, Error> {
    read.run(|conn, _, params: SkillFrameworkListParams| {
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("skill-frameworks", &params.code))?;
        let page = frameworks::list(conn, params.code.as_deref(), &list)?;
        let next = page.next_cursor.clone();
        Ok(Answer::List(page, next))
    })
    .await
}

/// スキル標準を登録する / Loads a skill framework in a new edition.
#[utoipa::path(tag = "skill-frameworks", request_body = CreateSkillFrameworkBody,
    extensions(("x-permission" = json!("manage_skills"))),
    responses((status = 201, description = "登録した", body = SkillFrameworkView)))]
#[post("/skill-frameworks")]
async fn create_skill_framework(write: Write<ManageSkills>) -> Result<HttpResponse, Error> {
    write.create(frameworks::create).await
}

/// スキル標準 / One skill framework with its skills.
#[utoipa::path(tag = "skill-frameworks", params(("id" = SkillFrameworkId, Path)), extensions(("x-permission" = json!("read_skills"))),
    responses((status = 200, description = "スキル標準", body = SkillFrameworkView)))]
#[get("/skill-frameworks/{id}")]
async fn get_skill_framework(read: Read<ReadSkills>) -> Result<HttpResponse, Error> {
    let id = read.id::<SkillFrameworkId>("id");
    read.run_after(move |conn, _| frameworks::find(conn, id?), |_, _, view, _: NoQuery| Ok(Answer::Json(view))).await
}
