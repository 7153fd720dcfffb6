//! Files attached to a request: rows of the database, given back for download only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::media;
use super::model::RequestVerb;
use super::store::{self, RequestRow};
use super::verb_views::RequestVerbBody;
use crate::auth::policy::Role;
use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::attachments;
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{AttachmentId, RequestId};

/// Most files of a request.
const MOST_FILES: i64 = 20;

/// An attached file, without its content.
#[derive(Debug, Clone, Queryable, Serialize, ToSchema)]
pub struct AttachmentView {
    /// Id.
    pub id: AttachmentId,
    /// Name.
    #[schema(max_length = 255, example = "現状の業務フロー.pdf")]
    pub file_name: String,
    /// Media type.
    #[schema(max_length = 100, example = "application/pdf")]
    pub media_type: String,
    /// Bytes.
    #[schema(minimum = 1, maximum = 5_242_880)]
    pub size_bytes: i32,
    /// SHA-256 of the content in hexadecimal digits.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// When it was attached.
    pub created_at: UtcTime,
}

/// The files of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentList {
    /// Oldest first.
    #[schema(max_items = 20)]
    pub items: Vec<AttachmentView>,
}

/// The content of an attached file, as it was attached. Its name is in `Content-Disposition`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = String, format = Binary, max_length = 5_242_880)]
pub struct AttachmentFile(pub Vec<u8>);

/// A file to attach: at most 5 MiB; pdf, docx, xlsx, pptx, png, jpeg, txt or csv.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"file_name": "概要.txt", "media_type": "text/plain", "content_base64": "5qaC6KaB"}))]
pub struct CreateAttachmentBody {
    /// Name with the ending of its kind.
    #[schema(min_length = 1, max_length = 255)]
    pub file_name: String,
    /// Media type.
    #[schema(min_length = 1, max_length = 100)]
    pub media_type: String,
    /// The content in base64 (RFC 4648, with padding).
    #[schema(min_length = 4, max_length = 6_990_508)]
    pub content_base64: String,
}

/// A request whose files the principal may have: 404 when not visible, 403 for experts until they have accepted.
pub fn readable(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = store::visible(conn, ctx, id)?;
    let may = ctx.principal.acts_as != Role::Expert || store::has_accepted(conn, id, &ctx.principal.expert_ids)?;
    store::allowed(may)?;
    Ok(row)
}

/// The files of a request, oldest first.
pub fn list(conn: &mut Conn, request: RequestId) -> Result<Vec<AttachmentView>, Error> {
    Ok(attachments::table
        .filter(attachments::request_id.eq(request))
        .order(attachments::id)
        .select((
            attachments::id,
            attachments::file_name,
            attachments::media_type,
            attachments::size_bytes,
            attachments::sha256,
            attachments::created_at,
        ))
        .load(conn)?)
}

/// A file with its content: media type, name, bytes; 404 when it is not of that request.
pub fn content(conn: &mut Conn, request: RequestId, id: AttachmentId) -> Result<(String, String, Vec<u8>), Error> {
    Ok(attachments::table
        .filter(attachments::id.eq(id))
        .filter(attachments::request_id.eq(request))
        .select((attachments::media_type, attachments::file_name, attachments::content))
        .first(conn)?)
}

/// The decoded file, or everything that is wrong with it.
fn checked(body: &CreateAttachmentBody, fields: &mut Fields) -> (&'static str, Vec<u8>) {
    fields.line("/file_name", &body.file_name, 255);
    fields.check(
        !body.file_name.contains(['/', '\\', ':']) && body.file_name.chars().count() <= 255,
        "/file_name",
        "not_a_file_name",
        "ファイル名に/ \\ :は使えません",
        "A file name has no / \\ or :",
    );
    let content = STANDARD.decode(body.content_base64.as_bytes()).ok();
    match &content {
        None => fields.wrong("/content_base64", "not_base64", "base64の形式で入力してください", "Must be base64"),
        Some(bytes) => {
            fields.check(!bytes.is_empty(), "/content_base64", "required", "空のファイルは添付できません", "The file is empty");
            fields.check(
                bytes.len() <= media::LARGEST,
                "/content_base64",
                "too_large",
                "5MiB以内にしてください",
                "At most 5 MiB",
            );
        }
    }
    let content = content.unwrap_or_default();
    let Some(kind) = media::declared(&body.media_type) else {
        fields.wrong(
            "/media_type",
            "not_allowed",
            "pdf、docx、xlsx、pptx、png、jpeg、txt、csvを添付できます",
            "Attach pdf, docx, xlsx, pptx, png, jpeg, txt or csv",
        );
        return ("", content);
    };
    fields.check(
        kind.is_named_by(&body.file_name),
        "/file_name",
        "wrong_ending",
        "拡張子がファイルの種類と合っていません",
        "The ending does not fit the media type",
    );
    fields.check(
        content.is_empty() || kind.is_content(&content),
        "/content_base64",
        "wrong_content",
        "内容がファイルの種類と合っていません（マクロ付きの文書は添付できません）",
        "The content is not of this media type (documents with macros are refused)",
    );
    (kind.media_type, content)
}

/// Attaches a file while the request can be edited.
pub fn attach(conn: &mut Conn, ctx: &Ctx, row: RequestRow, body: CreateAttachmentBody) -> Result<Outcome<AttachmentView>, Error> {
    row.status.after(RequestVerb::Edit)?;
    let mut fields = Fields::new();
    let (media_type, content) = checked(&body, &mut fields);
    let count: i64 = attachments::table.filter(attachments::request_id.eq(row.id)).count().get_result(conn)?;
    fields.check(count < MOST_FILES, "/", "too_many", "添付は20件までです", "At most 20 files");
    fields.finish()?;
    let (size_bytes, sha256) = (i32::try_from(content.len()).map_err(Error::internal)?, secrets::sha256(&content));
    let id: AttachmentId = diesel::insert_into(attachments::table)
        .values((
            attachments::request_id.eq(row.id),
            attachments::file_name.eq(&body.file_name),
            attachments::media_type.eq(media_type),
            attachments::size_bytes.eq(size_bytes),
            attachments::sha256.eq(&sha256),
            attachments::content.eq(content),
            attachments::uploaded_by.eq(ctx.principal.user_id()),
            attachments::created_at.eq(ctx.now),
        ))
        .returning(attachments::id)
        .get_result(conn)?;
    let audit = Audit::new("request", row.id.0, row.owner_organisation_id)
        .created(json!({"attachment_id": id, "sha256": sha256, "size_bytes": size_bytes}))
        .for_body(row.applicant_organisation_id, ctx.organisation());
    let view = AttachmentView {
        id,
        file_name: body.file_name,
        media_type: media_type.to_owned(),
        size_bytes,
        sha256,
        created_at: ctx.now,
    };
    let mut outcome = Outcome::done(view, audit);
    outcome.location = Some(format!("/api/v1/requests/{}/attachments/{id}", row.id));
    Ok(outcome)
}

/// Takes a file away while the request can be edited; its hash stays in the audit.
pub fn remove(
    conn: &mut Conn,
    ctx: &Ctx,
    (row, id): (RequestRow, AttachmentId),
    _: RequestVerbBody,
) -> Result<Outcome<AttachmentList>, Error> {
    row.status.after(RequestVerb::Edit)?;
    let files = list(conn, row.id)?;
    let gone = files.iter().find(|file| file.id == id).ok_or_else(Error::not_found)?;
    let audit = Audit::new("request", row.id.0, row.owner_organisation_id)
        .change(json!({"attachment_id": id, "sha256": gone.sha256}), json!({"attachment_id": null}))
        .for_body(row.applicant_organisation_id, ctx.organisation());
    diesel::delete(attachments::table.filter(attachments::id.eq(id)).filter(attachments::request_id.eq(row.id))).execute(conn)?;
    let items = files.into_iter().filter(|file| file.id != id).collect();
    Ok(Outcome::done(AttachmentList { items }, audit))
}
