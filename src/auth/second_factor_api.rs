//! REST: the own second factor.

use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::policy::OwnAccount;
use super::second_factor as service;
use super::second_factor_views::{
    RecoveryCodesView, SecondFactorCodeBody, SecondFactorPasswordBody, SecondFactorSecretView, SecondFactorView,
};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Read, Write};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(get_second_factor)
        .service(start_second_factor)
        .service(confirm_second_factor)
        .service(renew_recovery_codes)
        .service(remove_second_factor);
}

/// 2段階認証の状態 / Where the own second factor stands.
#[utoipa::path(tag = "auth", extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "2段階認証の状態", body = SecondFactorView)))]
#[get("/auth/second-factor")]
async fn get_second_factor(read: Read<OwnAccount>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, _: NoQuery| service::view(conn, ctx).map(Answer::Json)).await
}

/// 2段階認証の設定を始める / Makes a new secret for an authenticator; it counts once a code of it has been confirmed.
#[utoipa::path(tag = "auth", request_body = SecondFactorPasswordBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "認証アプリに登録する値。一度しか返さない", body = SecondFactorSecretView)))]
#[post("/auth/second-factor")]
async fn start_second_factor(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(service::start).await
}

/// 2段階認証を有効にする / Confirms the first code; from now on signing in asks for one.
#[utoipa::path(tag = "auth", request_body = SecondFactorCodeBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "有効にした。回復コードは一度しか返さない", body = RecoveryCodesView)))]
#[post("/auth/second-factor/confirm")]
async fn confirm_second_factor(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(service::confirm).await
}

/// 回復コードを作り直す / New recovery codes; the old ones stop working.
#[utoipa::path(tag = "auth", request_body = SecondFactorCodeBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "作り直した。一度しか返さない", body = RecoveryCodesView)))]
#[post("/auth/second-factor/recovery-codes")]
async fn renew_recovery_codes(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(service::renew_codes).await
}

/// 2段階認証を解除する / Takes the own second factor away.
#[utoipa::path(tag = "auth", request_body = SecondFactorPasswordBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "解除した", body = SecondFactorView)))]
#[post("/auth/second-factor/remove")]
async fn remove_second_factor(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(service::remove).await
}
