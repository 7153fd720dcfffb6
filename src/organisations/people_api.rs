//! REST: people and memberships.

use actix_web::{HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::hand_over::{HandOverBody, HandOverView};
use super::model::UserStatus;
use super::people::{self, UserFilter};
use super::people_service as service;
use super::people_views::{EndMembershipBody, InviteUserBody, NewMembershipBody, UpdateUserBody, UserPage, UserView};
use super::reach::Reach;
use crate::auth::policy::{ManageUsers, ReadUsers};
use crate::error::Error;
use crate::http::{Read, Write};
use crate::ids::{MembershipId, OrganisationId, UserId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::list_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_users)
        .service(invite_user)
        .service(get_user)
        .service(update_user)
        .service(disable_user)
        .service(enable_user)
        .service(reset_second_factor)
        .service(hand_over)
        .service(resend_invitation)
        .service(add_membership)
        .service(end_membership);
}

/// Filters of the list of people.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserListParams {
    /// With a membership, past ones included, in this organisation.
    organisation_id: Option<OrganisationId>,
    /// Part of the name, reading or address.
    #[param(min_length = 1, max_length = 100, example = "鈴木")]
    q: Option<String>,
    /// In this state.
    status: Option<UserStatus>,
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

/// 利用者の一覧 / People within reach.
#[utoipa::path(tag = "users", params(UserListParams), extensions(("x-permission" = json!("read_users"))),
    responses((status = 200, description = "名前順", content((UserPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/users")]
async fn list_users(read: Read<ReadUsers>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: UserListParams| {
        let filter = UserFilter { organisation_id: params.organisation_id, text: params.q, status: params.status };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("users", &filter))?;
        let rows = people::list(conn, &Reach::of(&ctx.principal), &filter, &list)?;
        let page = list.page(rows, |person| (person.user.name.clone(), person.user.id.0));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(Into::into).collect();
        export::list_answer(params.format, UserPage { items, next_cursor: page.next_cursor }, next, "利用者", list_tables::users)
    })
    .await
}

/// 利用者を招待する / Invites a person by mail.
#[utoipa::path(tag = "users", request_body = InviteUserBody, extensions(("x-permission" = json!("manage_users"))),
    responses((status = 201, description = "招待した", body = UserView)))]
#[post("/users")]
async fn invite_user(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    write.create(service::invite).await
}

/// 利用者 / One person.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), extensions(("x-permission" = json!("read_users"))),
    responses((status = 200, description = "利用者", body = UserView)))]
#[get("/users/{id}")]
async fn get_user(read: Read<ReadUsers>) -> Result<HttpResponse, Error> {
    let id = read.id::<UserId>("id");
    read.object(move |conn, ctx| people::visible(conn, ctx, id?), |_, _, person| Ok(UserView::from(person))).await
}

/// 利用者を変更する / Changes a person's name, address or language.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), request_body = UpdateUserBody,
    extensions(("x-permission" = json!("manage_users")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = UserView)))]
#[patch("/users/{id}")]
async fn update_user(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    write.change(move |conn, ctx| people::administered(conn, ctx, id.ok_or_else(Error::not_found)?), service::update).await
}

/// 利用者を停止する / Disables a person's account and ends its sessions.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)),
    extensions(("x-permission" = json!("manage_users")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "停止した", body = UserView)))]
#[post("/users/{id}/disable")]
async fn disable_user(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    write.change(move |conn, ctx| people::administered(conn, ctx, id.ok_or_else(Error::not_found)?), service::disable).await
}

/// 利用者の2段階認証を解除する / Takes the second factor away from somebody who has lost it; every session of theirs ends.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)),
    extensions(("x-permission" = json!("manage_users")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "解除した", body = UserView)))]
#[post("/users/{id}/reset-second-factor")]
async fn reset_second_factor(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    write
        .change(move |conn, ctx| people::administered(conn, ctx, id.ok_or_else(Error::not_found)?), service::reset_second_factor)
        .await
}

/// 異動する職員の仕事を引き継ぐ / Hands the work of people who leave to their successors, all or nothing.
#[utoipa::path(tag = "users", request_body = HandOverBody, extensions(("x-permission" = json!("manage_users"))),
    responses((status = 200, description = "引き継いだ", body = HandOverView)))]
#[post("/users/hand-over")]
async fn hand_over(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    write.create(super::hand_over::hand_over).await
}

/// 利用者の停止を解く / Enables a person's account.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)),
    extensions(("x-permission" = json!("manage_users")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "停止を解いた", body = UserView)))]
#[post("/users/{id}/enable")]
async fn enable_user(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    write.change(move |conn, ctx| people::administered(conn, ctx, id.ok_or_else(Error::not_found)?), service::enable).await
}

/// 招待メールを送り直す / Mails a new invitation link.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)),
    extensions(("x-permission" = json!("manage_users")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "送り直した", body = UserView)))]
#[post("/users/{id}/resend-invitation")]
async fn resend_invitation(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    write
        .change(move |conn, ctx| people::administered(conn, ctx, id.ok_or_else(Error::not_found)?), service::resend_invitation)
        .await
}

/// 所属を加える / Gives a person another membership.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), request_body = NewMembershipBody,
    extensions(("x-permission" = json!("manage_users"))),
    responses((status = 200, description = "加えた", body = UserView)))]
#[post("/users/{id}/memberships")]
async fn add_membership(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    write.under(move |conn, ctx| people::visible(conn, ctx, id.ok_or_else(Error::not_found)?), service::add_membership).await
}

/// 所属の終期を定める / Sets the end of a membership.
#[utoipa::path(tag = "users", params(("id" = UserId, Path), ("membership_id" = MembershipId, Path)), request_body = EndMembershipBody,
    extensions(("x-permission" = json!("manage_users")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "変更した", body = UserView)))]
#[patch("/users/{id}/memberships/{membership_id}")]
async fn end_membership(write: Write<ManageUsers>) -> Result<HttpResponse, Error> {
    let id = write.id::<UserId>("id").ok();
    let membership = write.id::<MembershipId>("membership_id").ok();
    write
        .change(
            move |conn, ctx| {
                let person = people::visible(conn, ctx, id.ok_or_else(Error::not_found)?)?;
                let membership = membership.filter(|id| person.memberships.iter().any(|held| held.id == *id));
                Ok(Target { membership: membership.ok_or_else(Error::not_found)?, person })
            },
            |conn, ctx, target, body| service::end_membership(conn, ctx, target.person, target.membership, body),
        )
        .await
}

/// A membership of a person; the person's version guards it.
struct Target {
    membership: MembershipId,
    person: people::Person,
}

impl crate::http::Versioned for Target {
    fn version(&self) -> i64 {
        crate::http::Versioned::version(&self.person)
    }
}
