//! REST: imports.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::ImportKind;
use super::views::{CreateImportBody, ImportPage, ImportView};
use super::{service, store};
use crate::auth::policy::ManageImports;
use crate::error::Error;
use crate::http::{Read, Write};
use crate::ids::ImportId;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::office_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_imports).service(create_import).service(get_import).service(apply_import).service(discard_import);
}

/// Filters of the import list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportListParams {
    /// Only of this kind.
    #[param(inline)]
    kind: Option<ImportKind>,
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

/// 取込みの一覧 / Imports of the own organisation.
#[utoipa::path(tag = "imports", params(ImportListParams), extensions(("x-permission" = json!("manage_imports"))),
    responses((status = 200, description = "新しい順", content((ImportPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/imports")]
async fn list_imports(read: Read<ManageImports>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: ImportListParams| {
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("imports", params.kind))?;
        let page = list.page(store::list(conn, ctx, params.kind, &list)?, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(Into::into).collect();
        export::list_answer(
            params.format,
            ImportPage { items, next_cursor: page.next_cursor },
            next,
            "取込み",
            office_tables::imports,
        )
    })
    .await
}

/// ファイルを読み込んで確認する / Reads a file and shows what it means; nothing is written yet.
#[utoipa::path(tag = "imports", request_body = CreateImportBody, extensions(("x-permission" = json!("manage_imports"))),
    responses((status = 201, description = "読み込んだ。誤りがあれば行と列ごとに示す", body = ImportView)))]
#[post("/imports")]
async fn create_import(write: Write<ManageImports>) -> Result<HttpResponse, Error> {
    write.create(service::create).await
}

/// 取込み / One import with its problems and preview.
#[utoipa::path(tag = "imports", params(("id" = ImportId, Path)), extensions(("x-permission" = json!("manage_imports"))),
    responses((status = 200, description = "取込み", body = ImportView)))]
#[get("/imports/{id}")]
async fn get_import(read: Read<ManageImports>) -> Result<HttpResponse, Error> {
    let id = read.id::<ImportId>("id");
    read.object(move |conn, ctx| store::owned(conn, ctx, id?), |_, _, row| ImportView::of(row)).await
}

/// 取り込む（すべて、または何もしない） / Writes all of a file, or nothing.
#[utoipa::path(tag = "imports", params(("id" = ImportId, Path)),
    extensions(("x-permission" = json!("manage_imports")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り込んだ", body = ImportView)))]
#[post("/imports/{id}/apply")]
async fn apply_import(write: Write<ManageImports>) -> Result<HttpResponse, Error> {
    let id = write.id::<ImportId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::apply).await
}

/// 破棄する / Gives a file up and forgets what it held.
#[utoipa::path(tag = "imports", params(("id" = ImportId, Path)),
    extensions(("x-permission" = json!("manage_imports")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "破棄した", body = ImportView)))]
#[post("/imports/{id}/discard")]
async fn discard_import(write: Write<ManageImports>) -> Result<HttpResponse, Error> {
    let id = write.id::<ImportId>("id").ok();
    write.change(move |conn, ctx| store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::discard).await
}
