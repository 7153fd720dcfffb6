//! REST: agreements on sharing between the bodies of a joint request.

use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::agreement_views::{ConsentAgreementBody, CostAgreementList, CostAgreementView, CreateAgreementBody};
use super::{agreement_store, agreements};
use crate::auth::policy::{AgreeOnShares, ReadCosts};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Read, Write};
use crate::ids::{CostAgreementId, RequestId};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_agreements).service(create_agreement).service(consent_agreement);
}

/// 負担割合の合意の一覧 / Every version of the agreement of a joint request.
#[utoipa::path(tag = "cost-agreements", params(("id" = RequestId, Path)), extensions(("x-permission" = json!("read_costs"))),
    responses((status = 200, description = "新しい版から", body = CostAgreementList)))]
#[get("/requests/{id}/agreements")]
async fn list_agreements(read: Read<ReadCosts>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| crate::requests::store::visible(conn, ctx, id?),
        |conn, _, request, _: NoQuery| {
            let versions = agreement_store::of_request(conn, request.id)?;
            let items = versions.iter().map(agreements::view).collect::<Result<_, _>>()?;
            Ok(Answer::Json(CostAgreementList { items }))
        },
    )
    .await
}

/// 負担割合を提案する / Proposes a version; it comes into force when every body has agreed.
#[utoipa::path(tag = "cost-agreements", params(("id" = RequestId, Path)), request_body = CreateAgreementBody,
    extensions(("x-permission" = json!("agree_on_shares"))),
    responses((status = 201, description = "提案した", body = CostAgreementView)))]
#[post("/requests/{id}/agreements")]
async fn create_agreement(write: Write<AgreeOnShares>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write.under(move |conn, ctx| agreements::proposable(conn, ctx, id.ok_or_else(Error::not_found)?), agreements::propose).await
}

/// 負担割合に同意する / A body agrees to a proposed version.
#[utoipa::path(tag = "cost-agreements", params(("id" = CostAgreementId, Path)), request_body = ConsentAgreementBody,
    extensions(("x-permission" = json!("agree_on_shares")), ("x-unversioned" = json!(true))),
    responses((status = 200, description = "同意した", body = CostAgreementView)))]
#[post("/agreements/{id}/consent")]
async fn consent_agreement(write: Write<AgreeOnShares>) -> Result<HttpResponse, Error> {
    let id = write.id::<CostAgreementId>("id").ok();
    write.under(move |conn, ctx| agreements::consentable(conn, ctx, id.ok_or_else(Error::not_found)?), agreements::consent).await
}
