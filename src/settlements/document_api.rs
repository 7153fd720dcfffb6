//! REST: issued documents, and the price of a hypothetical request.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::document_store::{self, DocumentKind, Reader};
use super::documents::{self, DocumentPage, DocumentView, IssueDocumentBody};
use super::simulate::{self, SimulateBody, SimulationView};
use crate::auth::policy::{ManageCosts, ReadDocuments, SimulateCosts};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Audit, ListQuery, Outcome, Read, Write};
use crate::ids::{DocumentId, ProgrammeId};
use crate::statistics::export::ExportFile;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_documents)
        .service(issue_document)
        .service(get_document)
        .service(get_document_content)
        .service(simulate_request);
}

/// Filters of the list of documents.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DocumentListParams {
    /// Only of this kind.
    #[param(inline)]
    kind: Option<DocumentKind>,
    /// Only of the fiscal year that starts in this year.
    #[param(minimum = 2000, maximum = 2100)]
    fiscal_year: Option<i32>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 発行した文書の一覧 / Documents that the own organisation issued or received; an expert's notices of payment.
#[utoipa::path(tag = "documents", params(DocumentListParams), extensions(("x-permission" = json!("read_documents"))),
    responses((status = 200, description = "新しい順", body = DocumentPage)))]
#[get("/documents")]
async fn list_documents(read: Read<ReadDocuments>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: DocumentListParams| {
        let scope = format!("documents {:?} {:?}", params.kind, params.fiscal_year);
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &scope)?;
        let rows = document_store::list(conn, &Reader::of(ctx), params.kind, params.fiscal_year, &list)?;
        let page = list.page(rows, |row| (String::new(), row.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(DocumentView::from).collect();
        Ok(Answer::List(DocumentPage { items, next_cursor: page.next_cursor }, next))
    })
    .await
}

/// 文書を発行する / Issues a document from the data as they are now.
#[utoipa::path(tag = "documents", request_body = IssueDocumentBody, extensions(("x-permission" = json!("manage_costs"))),
    responses((status = 201, description = "発行した", body = DocumentView)))]
#[post("/documents")]
async fn issue_document(write: Write<ManageCosts>) -> Result<HttpResponse, Error> {
    write.create(documents::issue).await
}

/// 発行した文書 / One document without its content.
#[utoipa::path(tag = "documents", params(("id" = DocumentId, Path)), extensions(("x-permission" = json!("read_documents"))),
    responses((status = 200, description = "文書", body = DocumentView)))]
#[get("/documents/{id}")]
async fn get_document(read: Read<ReadDocuments>) -> Result<HttpResponse, Error> {
    let id = read.id::<DocumentId>("id");
    read.run_after(
        move |conn, ctx| document_store::visible(conn, &Reader::of(ctx), id?),
        |_, _, row, _: NoQuery| Ok(Answer::Json(DocumentView::from(row))),
    )
    .await
}

/// 文書の内容 / The paper as it was issued, for printing on A4.
#[utoipa::path(tag = "documents", params(("id" = DocumentId, Path)), extensions(("x-permission" = json!("read_documents"))),
    responses((status = 200, description = "発行時のまま（HTML、A4印刷用）", body = ExportFile, content_type = "text/html")))]
#[get("/documents/{id}/content")]
async fn get_document_content(read: Read<ReadDocuments>) -> Result<HttpResponse, Error> {
    let id = read.id::<DocumentId>("id");
    read.run_after(
        move |conn, ctx| document_store::visible(conn, &Reader::of(ctx), id?),
        |conn, _, row, _: NoQuery| {
            let content = document_store::html(conn, row.id)?.into_bytes();
            let name = format!("{}_{}.html", row.title, row.number);
            Ok(Answer::<()>::File { media_type: "text/html; charset=utf-8".to_owned(), name, content })
        },
    )
    .await
}

/// 費用を試算する / Prices a hypothetical request by a year's rules; files nothing.
#[utoipa::path(tag = "programmes", params(("id" = ProgrammeId, Path), ("fiscal_year" = i32, Path, minimum = 2000, maximum = 2100)),
    request_body = SimulateBody, extensions(("x-permission" = json!("simulate_costs")), ("x-unversioned" = json!(true))),
    responses((status = 200, description = "試算した", body = SimulationView)))]
#[post("/programmes/{id}/years/{fiscal_year}/simulate")]
async fn simulate_request(write: Write<SimulateCosts>) -> Result<HttpResponse, Error> {
    let id = write.id::<ProgrammeId>("id").ok();
    let year = write.id::<i32>("fiscal_year").ok();
    write
        .under(
            move |conn, ctx| {
                let (id, year) = (id.ok_or_else(Error::not_found)?, year.ok_or_else(Error::not_found)?);
                simulate::priceable(conn, ctx, id, year)
            },
            |conn, _, (programme, year, owner), body: SimulateBody| {
                let view = simulate::simulate(conn, &programme, &year, owner, &body)?;
                // Who asked for which price is on record like every other use of a verb.
                let audit = Audit::new("programme_year", year.id.0, programme.owner_organisation_id)
                    .created(json!({"simulated_visits": body.visits, "bodies": body.bodies.len()}));
                Ok(Outcome { view, audit, version: None, location: None, secret: false })
            },
        )
        .await
}
