//! The thread between the applicants and the office. Experts are not in it.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::mails;
use super::store::{self, RequestRow};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{organisations, request_messages, users};
use crate::error::Error;
use crate::http::{Audit, Ctx, Fields, ListQuery, Outcome};
use crate::ids::{MessageId, OrganisationId, RequestId, UserId};

/// A message.
#[derive(Debug, Clone, Queryable, Serialize, ToSchema)]
pub struct RequestMessageView {
    /// Id.
    pub id: MessageId,
    /// The person; absent when a program wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_user_id: Option<UserId>,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub author_name: Option<String>,
    /// The body for which it was written.
    pub author_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200)]
    pub author_organisation_name: String,
    /// The text.
    #[schema(max_length = 10_000)]
    pub body: String,
    /// When.
    pub created_at: UtcTime,
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestMessagePage {
    /// Oldest first.
    #[schema(max_items = 200)]
    pub items: Vec<RequestMessageView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A new message.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body": "当日の参加人数を教えてください。"}))]
pub struct CreateMessageBody {
    /// The text.
    #[schema(min_length = 1, max_length = 10_000)]
    pub body: String,
}

/// A request whose thread the principal is in: 404 when not visible, 403 for experts.
pub fn readable(conn: &mut Conn, ctx: &Ctx, id: RequestId) -> Result<RequestRow, Error> {
    let row = store::visible(conn, ctx, id)?;
    store::allowed(ctx.principal.acts_as != Role::Expert)?;
    Ok(row)
}

/// A page of the thread, oldest first.
pub fn list(conn: &mut Conn, request: RequestId, list: &ListQuery) -> Result<Vec<RequestMessageView>, Error> {
    let mut query = request_messages::table
        .inner_join(organisations::table)
        .left_join(users::table)
        .filter(request_messages::request_id.eq(request))
        .order(request_messages::id)
        .limit(list.fetch())
        .select((
            request_messages::id,
            request_messages::author_user_id,
            users::name.nullable(),
            request_messages::author_organisation_id,
            organisations::name,
            request_messages::body,
            request_messages::created_at,
        ))
        .into_boxed();
    if let Some((_, id)) = list.after() {
        query = query.filter(request_messages::id.gt(MessageId(id)));
    }
    Ok(query.load(conn)?)
}

/// Adds a message and tells the other side. The audit event says that somebody wrote, not what.
pub fn write(conn: &mut Conn, ctx: &Ctx, row: RequestRow, body: CreateMessageBody) -> Result<Outcome<RequestMessageView>, Error> {
    let mut fields = Fields::new();
    if body.body.trim().is_empty() {
        fields.wrong("/body", "required", "入力してください", "Must not be empty");
    } else {
        fields.text("/body", &body.body, 10_000);
    }
    fields.finish()?;
    let author_user_id = ctx.principal.user_id();
    let id: MessageId = diesel::insert_into(request_messages::table)
        .values((
            request_messages::request_id.eq(row.id),
            request_messages::author_user_id.eq(author_user_id),
            request_messages::author_organisation_id.eq(ctx.organisation()),
            request_messages::body.eq(&body.body),
            request_messages::created_at.eq(ctx.now),
        ))
        .returning(request_messages::id)
        .get_result(conn)?;
    mails::message(conn, ctx, &row, ctx.organisation(), id.0, &body.body)?;
    let audit = Audit::new("request", row.id.0, row.owner_organisation_id).created(json!({"message_id": id}));
    let view = RequestMessageView {
        id,
        author_user_id,
        author_name: author_user_id.map(|_| ctx.principal.name.clone()),
        author_organisation_id: ctx.organisation(),
        author_organisation_name: ctx.principal.organisation_name.clone(),
        body: body.body,
        created_at: ctx.now,
    };
    Ok(Outcome::done(view, audit))
}
