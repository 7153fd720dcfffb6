//! REST: messages and attachments of a request.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::attachments::{self, AttachmentFile, AttachmentList, AttachmentView, CreateAttachmentBody};
use super::messages::{self, CreateMessageBody, RequestMessagePage, RequestMessageView};
use super::store;
use super::verb_views::RequestVerbBody;
use crate::auth::policy::{FileRequests, ReadRequests, WriteMessages};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{ListQuery, Read, Write};
use crate::ids::{AttachmentId, RequestId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_request_messages)
        .service(create_request_message)
        .service(list_request_attachments)
        .service(create_request_attachment)
        .service(download_request_attachment)
        .service(remove_request_attachment);
}

/// Paging of a thread.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RequestMessageListParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 申請についてのやり取り / The thread between applicants and office.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path), RequestMessageListParams),
    extensions(("x-permission" = json!("read_requests"))),
    responses((status = 200, description = "古い順", body = RequestMessagePage)))]
#[get("/requests/{id}/messages")]
async fn list_request_messages(read: Read<ReadRequests>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| messages::readable(conn, ctx, id?),
        |conn, _, row, params: RequestMessageListParams| {
            let query = ListQuery::new(params.limit, params.cursor.as_deref(), &("messages", row.id))?;
            let page = query.page(messages::list(conn, row.id, &query)?, |message| (String::new(), message.id.0));
            let next = page.next_cursor.clone();
            Ok(Answer::List(RequestMessagePage { items: page.items, next_cursor: page.next_cursor }, next))
        },
    )
    .await
}

/// メッセージを書く / Writes to the thread; the other side is told by mail.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = CreateMessageBody,
    extensions(("x-permission" = json!("write_messages"))),
    responses((status = 200, description = "書いた", body = RequestMessageView)))]
#[post("/requests/{id}/messages")]
async fn create_request_message(write: Write<WriteMessages>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.under(move |conn, ctx| messages::readable(conn, ctx, id.ok_or_else(Error::not_found)?), messages::write).await
}

/// 添付ファイルの一覧 / The files of a request.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), extensions(("x-permission" = json!("read_requests"))),
    responses((status = 200, description = "古い順", body = AttachmentList)))]
#[get("/requests/{id}/attachments")]
async fn list_request_attachments(read: Read<ReadRequests>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| attachments::readable(conn, ctx, id?),
        |conn, _, row, _: NoQuery| Ok(Answer::Json(AttachmentList { items: attachments::list(conn, row.id)? })),
    )
    .await
}

/// ファイルを添付する / Attaches a file while the request can be edited.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = CreateAttachmentBody,
    extensions(("x-permission" = json!("file_requests")), ("x-unversioned" = json!(true))),
    responses((status = 201, description = "添付した", body = AttachmentView)))]
#[post("/requests/{id}/attachments")]
async fn create_request_attachment(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.under(move |conn, ctx| store::written(conn, ctx, id.ok_or_else(Error::not_found)?), attachments::attach).await
}

/// 添付ファイルを受け取る / Downloads a file; it is never shown in place.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path), ("attachment_id" = AttachmentId, Path)),
    extensions(("x-permission" = json!("read_requests"))),
    responses((status = 200, description = "ファイルの内容（ダウンロード専用）", content((AttachmentFile = "application/pdf"),
        (AttachmentFile = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (AttachmentFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (AttachmentFile = "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        (AttachmentFile = "image/png"), (AttachmentFile = "image/jpeg"), (AttachmentFile = "text/plain"), (AttachmentFile = "text/csv")))))]
#[get("/requests/{id}/attachments/{attachment_id}")]
async fn download_request_attachment(read: Read<ReadRequests>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    let attachment = read.id::<AttachmentId>("attachment_id");
    read.run_after(
        move |conn, ctx| {
            let row = attachments::readable(conn, ctx, id?)?;
            attachments::content(conn, row.id, attachment?)
        },
        |_, _, (media_type, name, content), _: NoQuery| Ok(Answer::<()>::File { media_type, name, content }),
    )
    .await
}

/// 添付ファイルを外す / Takes a file away while the request can be edited.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path), ("attachment_id" = AttachmentId, Path)), request_body = RequestVerbBody,
    extensions(("x-permission" = json!("file_requests"))),
    responses((status = 200, description = "残りの添付ファイル", body = AttachmentList)))]
#[post("/requests/{id}/attachments/{attachment_id}/remove")]
async fn remove_request_attachment(write: Write<FileRequests>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    let attachment = write.id::<AttachmentId>("attachment_id").ok();
    write
        .under(
            move |conn, ctx| {
                let row = store::written(conn, ctx, id.ok_or_else(Error::not_found)?)?;
                let attachment = attachment.ok_or_else(Error::not_found)?;
                let known = attachments::list(conn, row.id)?.iter().any(|file| file.id == attachment);
                if known { Ok((row, attachment)) } else { Err(Error::not_found()) }
            },
            attachments::remove,
        )
        .await
}
