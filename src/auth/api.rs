//! REST: sign-in and the own account.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::policy::OwnAccount;
use super::views::{
    AcceptInvitationBody, ChangePasswordBody, CreateTokenBody, EndedSessionsView, MeView, PasswordSetView, RefreshTokenBody,
    RequestPasswordResetBody, ResetPasswordBody, SessionList, SwitchMembershipBody, TokenView,
};
use super::{account, service};
use crate::error::Error;
use crate::http::public::Public;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Read, Write};
use crate::ids::SessionId;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(create_token)
        .service(refresh_token)
        .service(request_password_reset)
        .service(reset_password)
        .service(accept_invitation)
        .service(logout)
        .service(switch_membership)
        .service(get_me)
        .service(list_sessions)
        .service(end_session)
        .service(change_password)
        .configure(super::second_factor_api::configure);
}

/// サインインする / Signs in with a password.
#[utoipa::path(tag = "auth", request_body = CreateTokenBody, extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "サインインした", body = TokenView)))]
#[post("/auth/token")]
async fn create_token(public: Public) -> Result<HttpResponse, Error> {
    public.answer(StatusCode::OK, service::sign_in).await
}

/// アクセストークンを更新する / Renews a session; the refresh token is replaced.
#[utoipa::path(tag = "auth", request_body = RefreshTokenBody, extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "更新した", body = TokenView)))]
#[post("/auth/refresh")]
async fn refresh_token(public: Public) -> Result<HttpResponse, Error> {
    public.answer(StatusCode::OK, service::refresh).await
}

/// パスワードの再設定を申し込む / Mails a link for a new password; the answer does not tell whether the address is known.
#[utoipa::path(tag = "auth", request_body = RequestPasswordResetBody, extensions(("x-permission" = json!("public"))),
    responses((status = 202, description = "受け付けた（登録のあるアドレスにだけメールを送る）")))]
#[post("/auth/password-reset")]
async fn request_password_reset(public: Public) -> Result<HttpResponse, Error> {
    public.answer(StatusCode::ACCEPTED, service::request_reset).await
}

/// パスワードを再設定する / Sets a new password with a mailed link; every session ends.
#[utoipa::path(tag = "auth", request_body = ResetPasswordBody, extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "再設定した", body = PasswordSetView)))]
#[post("/auth/password-reset/confirm")]
async fn reset_password(public: Public) -> Result<HttpResponse, Error> {
    public.answer(StatusCode::OK, service::reset_password).await
}

/// 招待を受けてパスワードを決める / Sets the first password with a mailed invitation.
#[utoipa::path(tag = "auth", request_body = AcceptInvitationBody, extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "登録した", body = PasswordSetView)))]
#[post("/auth/invitation/accept")]
async fn accept_invitation(public: Public) -> Result<HttpResponse, Error> {
    public.answer(StatusCode::OK, service::accept_invitation).await
}

/// サインアウトする / Ends the session of the request.
#[utoipa::path(tag = "auth", extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "サインアウトした", body = EndedSessionsView)))]
#[post("/auth/logout")]
async fn logout(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(account::sign_out).await
}

/// 所属を切り替える / Acts in another of the own memberships from now on.
#[utoipa::path(tag = "auth", request_body = SwitchMembershipBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "切り替えた", body = MeView)))]
#[post("/auth/switch")]
async fn switch_membership(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(account::switch).await
}

/// 自分の情報と権限 / Who is asking and what they may do.
#[utoipa::path(tag = "auth", extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "自分の情報", body = MeView)))]
#[get("/auth/me")]
async fn get_me(read: Read<OwnAccount>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, _: NoQuery| account::me(conn, ctx).map(Answer::Json)).await
}

/// 自分のセッション / The own open sessions.
#[utoipa::path(tag = "auth", extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "新しい順", body = SessionList)))]
#[get("/auth/sessions")]
async fn list_sessions(read: Read<OwnAccount>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, _: NoQuery| account::list_sessions(conn, ctx).map(Answer::Json)).await
}

/// セッションを終える / Ends one of the own sessions.
#[utoipa::path(tag = "auth", params(("id" = SessionId, Path)), extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "終えた", body = EndedSessionsView)))]
#[post("/auth/sessions/{id}/end")]
async fn end_session(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    let id = write.id::<SessionId>("id").ok();
    write.under(move |conn, ctx| account::own_session(conn, ctx, id.ok_or_else(Error::not_found)?), account::end_session).await
}

/// 自分のパスワードを変更する / Changes the own password; every other session ends.
#[utoipa::path(tag = "auth", request_body = ChangePasswordBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "変更した", body = EndedSessionsView)))]
#[post("/auth/password")]
async fn change_password(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(account::change_password).await
}
