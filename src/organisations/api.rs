//! REST: organisations.

use actix_web::{HttpResponse, get, patch, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::OrganisationKind;
use super::store::{self, OrganisationFilter};
use super::views::{CreateOrganisationBody, OrganisationPage, OrganisationView, UpdateOrganisationBody};
use super::{people_api, service};
use crate::auth::policy::{ManageOrganisations, ReadOrganisations};
use crate::error::{Error, ErrorCode};
use crate::http::{Read, Write};
use crate::ids::OrganisationId;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations of organisations and people.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_organisations)
        .service(create_organisation)
        .service(get_organisation)
        .service(update_organisation)
        .configure(people_api::configure);
}

/// Filters of the list of organisations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganisationListParams {
    /// Part of the name or reading; kana and width do not matter.
    #[param(min_length = 1, max_length = 100, example = "はままつ")]
    q: Option<String>,
    /// Kinds, separated by commas.
    #[param(max_length = 300, example = "city,town,village")]
    kinds: Option<String>,
    /// This prefecture and what lies in it.
    prefecture_id: Option<OrganisationId>,
    /// 全国地方公共団体コード, six digits.
    #[param(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$", example = "221309")]
    lg_code: Option<String>,
    /// Organisations that exist on this day, with the population known then; today when absent.
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

/// 団体の一覧 / Organisations.
#[utoipa::path(tag = "organisations", params(OrganisationListParams), extensions(("x-permission" = json!("read_organisations"))),
    responses((status = 200, description = "登録順（組込みの団体はコード順）", content((OrganisationPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/organisations")]
async fn list_organisations(read: Read<ReadOrganisations>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: OrganisationListParams| {
        let day = params.on.unwrap_or_else(|| ctx.today());
        let filter = OrganisationFilter {
            text: params.q,
            kinds: kinds(params.kinds.as_deref())?,
            prefecture_id: params.prefecture_id,
            lg_code: params.lg_code,
            on: Some(day),
        };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("organisations", &filter))?;
        let page = list.page(store::list(conn, &filter, &list)?, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = service::views(conn, ctx, page.items, day)?;
        export::list_answer(
            params.format,
            OrganisationPage { items, next_cursor: page.next_cursor },
            next,
            "団体",
            list_tables::organisations,
        )
    })
    .await
}

fn kinds(text: Option<&str>) -> Result<Vec<OrganisationKind>, Error> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse().map_err(|_| {
                Error::new(ErrorCode::UnknownParameter).field(
                    "kinds",
                    "unknown_value",
                    format!("「{part}」という団体の種類はありません"),
                    format!("There is no kind {part:?}"),
                )
            })
        })
        .collect()
}

/// 団体を登録する / Creates an organisation that has no code of its own.
#[utoipa::path(tag = "organisations", request_body = CreateOrganisationBody, extensions(("x-permission" = json!("manage_organisations"))),
    responses((status = 201, description = "登録した", body = OrganisationView)))]
#[post("/organisations")]
async fn create_organisation(write: Write<ManageOrganisations>) -> Result<HttpResponse, Error> {
    write.create(service::create).await
}

/// 団体 / One organisation.
#[utoipa::path(tag = "organisations", params(("id" = OrganisationId, Path)), extensions(("x-permission" = json!("read_organisations"))),
    responses((status = 200, description = "団体", body = OrganisationView)))]
#[get("/organisations/{id}")]
async fn get_organisation(read: Read<ReadOrganisations>) -> Result<HttpResponse, Error> {
    let id = read.id::<OrganisationId>("id");
    read.object(move |conn, _| store::find(conn, id?)?.ok_or_else(Error::not_found), service::view).await
}

/// 団体を変更する / Changes an organisation.
#[utoipa::path(tag = "organisations", params(("id" = OrganisationId, Path)), request_body = UpdateOrganisationBody,
    extensions(("x-permission" = json!("manage_organisations")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = OrganisationView)))]
#[patch("/organisations/{id}")]
async fn update_organisation(write: Write<ManageOrganisations>) -> Result<HttpResponse, Error> {
    let id = write.id::<OrganisationId>("id").ok();
    write.change(move |conn, ctx| service::administered(conn, ctx, id.ok_or_else(Error::not_found)?), service::update).await
}
