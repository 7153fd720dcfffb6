//! REST: candidates, offers, answers.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::candidates::{self, CandidatePage, ExcludedPage};
use super::link::{self, LinkAnswerBody, LinkOfferView};
use super::model::OfferStatus;
use super::near::{self, FittingRequests, NearMissView};
use super::store::{self, OfferFilter, OfferRecord};
use super::views::{
    AcceptOfferBody, CreateOfferBody, DeclineOfferBody, OfferList, OfferPage, OfferView, ProposeDatesBody, SendOfferBody,
    TakeDatesBody, WithdrawOfferBody,
};
use super::{answer, service};
use crate::auth::policy::{AnswerOffers, MatchExperts, ReadOffers, Role};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::public::Public;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Ctx, ListQuery, Read, Write};
use crate::ids::{ExpertId, OfferId, RequestId};
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::office_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_candidates)
        .service(list_excluded_candidates)
        .service(get_near_misses)
        .service(list_fitting_requests)
        .service(list_request_offers)
        .service(create_offer)
        .service(list_offers)
        .service(get_offer)
        .service(send_offer)
        .service(accept_offer)
        .service(decline_offer)
        .service(propose_offer_dates)
        .service(take_offer_dates)
        .service(withdraw_offer)
        .service(get_link_offer)
        .service(answer_link_offer);
}

/// Paging of candidates.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CandidateListParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// Where the page begins, from the page before.
    #[param(max_length = 500)]
    cursor: Option<String>,
}

/// 候補者の一覧 / Experts who can take the request, best first.
///
/// チームの一部にすでに依頼しているときは、残る人数・スキル・回について順位を付けます。
/// Where a part of a team has been asked already, they are ranked for what is left of it.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path), CandidateListParams),
    extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "得点順。得点の内訳と、対象外の理由別の人数を含む", body = CandidatePage)))]
#[get("/requests/{id}/candidates")]
async fn list_candidates(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| crate::requests::store::owned(conn, ctx, id?),
        |conn, ctx, request, params: CandidateListParams| {
            let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("candidates", request.id))?;
            let page = candidates::page(conn, ctx, &request, &list)?;
            let next = page.next_cursor.clone();
            Ok(Answer::List(page, next))
        },
    )
    .await
}

/// 対象外の専門家と理由 / Experts who cannot take the request, with every reason.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path), CandidateListParams),
    extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "登録順", body = ExcludedPage)))]
#[get("/requests/{id}/candidates/excluded")]
async fn list_excluded_candidates(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| crate::requests::store::owned(conn, ctx, id?),
        |conn, _, request, params: CandidateListParams| {
            let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("excluded", request.id))?;
            let page = candidates::excluded_page(conn, &request, &list)?;
            let next = page.next_cursor.clone();
            Ok(Answer::List(page, next))
        },
    )
    .await
}

/// あと一歩の候補者 / The smallest changes that would bring in experts who cannot take the request as it is.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "条件の変更案（少ない変更から）、他の時期、他の人材プール", body = NearMissView)))]
#[get("/requests/{id}/candidates/near-misses")]
async fn get_near_misses(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| crate::requests::store::owned(conn, ctx, id?),
        |conn, ctx, request, _: NoQuery| Ok(Answer::Json(near::near_misses(conn, ctx, &request)?)),
    )
    .await
}

/// 専門家に合う申請 / Waiting requests that an expert could take, best fit first.
#[utoipa::path(tag = "experts", params(("id" = ExpertId, Path)), extensions(("x-permission" = json!("match_experts"))),
    responses((status = 200, description = "得点順", body = FittingRequests)))]
#[get("/experts/{id}/fitting-requests")]
async fn list_fitting_requests(read: Read<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = read.id::<ExpertId>("id");
    read.run_after(
        move |conn, ctx| crate::experts::store::owned(conn, ctx, id?),
        |conn, _, expert, _: NoQuery| Ok(Answer::Json(near::fitting_requests(conn, &expert)?)),
    )
    .await
}

fn views(conn: &mut Conn, ctx: &Ctx, records: Vec<OfferRecord>) -> Result<Vec<OfferView>, Error> {
    let ids: Vec<OfferId> = records.iter().map(|record| record.offer.id).collect();
    let visits = store::visits_of_many(conn, &ids)?;
    Ok(records.into_iter().map(|record| OfferView::new(record, &visits, ctx.now)).collect())
}

/// 申請に対する依頼の一覧 / The offers of a request: all for the office, the own ones for an expert.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), extensions(("x-permission" = json!("read_offers"))),
    responses((status = 200, description = "順位順", body = OfferList)))]
#[get("/requests/{id}/offers")]
async fn list_request_offers(read: Read<ReadOffers>) -> Result<HttpResponse, Error> {
    let id = read.id::<RequestId>("id");
    read.run_after(
        move |conn, ctx| {
            let request = crate::requests::store::visible(conn, ctx, id?)?;
            // Who is asked is the office's affair: a body that applied sees its expert once one has been decided on.
            let mine = ctx.principal.acts_as == Role::Expert || request.owner_organisation_id == ctx.organisation();
            if mine { Ok(request) } else { Err(Error::new(ErrorCode::Forbidden)) }
        },
        |conn, ctx, request, _: NoQuery| {
            let filter = OfferFilter { request_id: Some(request.id), ..OfferFilter::all(store::scope(ctx)) };
            let mut records = store::list(conn, &filter, None, i64::from(super::model::MOST_OFFERS))?;
            records.sort_by_key(|record| record.offer.rank);
            Ok(Answer::Json(OfferList { items: views(conn, ctx, records)? }))
        },
    )
    .await
}

/// 専門家に依頼する / Makes an offer: sends it, or puts it in the queue.
#[utoipa::path(tag = "requests", params(("id" = RequestId, Path)), request_body = CreateOfferBody,
    extensions(("x-permission" = json!("match_experts"))),
    responses((status = 201, description = "依頼した（または順番待ちに加えた）", body = OfferView)))]
#[post("/requests/{id}/offers")]
async fn create_offer(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<RequestId>("id").ok();
    write
        .under(move |conn, ctx| crate::requests::store::owned(conn, ctx, id.ok_or_else(Error::not_found)?), service::create)
        .await
}

/// Which offers, and paging.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfferListParams {
    /// States, separated by commas.
    #[param(max_length = 200, example = "sent,dates_proposed")]
    status: Option<String>,
    /// Offers to this expert.
    expert_id: Option<ExpertId>,
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

/// The states of a parameter that takes several, separated by commas; 400 when it names an unknown one.
pub(super) fn statuses(text: Option<&str>) -> Result<Vec<OfferStatus>, Error> {
    text.unwrap_or_default()
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse().map_err(|_| {
                let known: Vec<&str> = OfferStatus::ALL.iter().map(|status| status.as_str()).collect();
                Error::new(ErrorCode::UnknownParameter).field(
                    "status",
                    "unknown_value",
                    format!("次のいずれかをカンマ区切りで指定してください: {}", known.join(", ")),
                    format!("Must be some of, separated by commas: {}", known.join(", ")),
                )
            })
        })
        .collect()
}

/// 依頼の一覧 / Offers: those of the own pools for the office, the own ones for an expert.
#[utoipa::path(tag = "offers", params(OfferListParams), extensions(("x-permission" = json!("read_offers"))),
    responses((status = 200, description = "新しい順", content((OfferPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/offers")]
async fn list_offers(read: Read<ReadOffers>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: OfferListParams| {
        let statuses = statuses(params.status.as_deref())?;
        let list =
            export::list_query(params.format, params.limit, params.cursor.as_deref(), &("offers", &statuses, params.expert_id))?;
        let filter = OfferFilter { statuses, expert_id: params.expert_id, ..OfferFilter::all(store::scope(ctx)) };
        let before = list.after().map(|(_, id)| OfferId(id));
        let page = list.page(store::list(conn, &filter, before, list.fetch())?, |record| (String::new(), record.offer.id.0));
        let next = page.next_cursor.clone();
        export::list_answer(
            params.format,
            OfferPage { items: views(conn, ctx, page.items)?, next_cursor: page.next_cursor },
            next,
            "依頼",
            office_tables::offers,
        )
    })
    .await
}

/// 依頼 / One offer.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), extensions(("x-permission" = json!("read_offers"))),
    responses((status = 200, description = "依頼", body = OfferView)))]
#[get("/offers/{id}")]
async fn get_offer(read: Read<ReadOffers>) -> Result<HttpResponse, Error> {
    let id = read.id::<OfferId>("id");
    read.object(
        move |conn, ctx| store::visible(conn, ctx, id?),
        |conn, ctx, record| {
            let visits = store::visits_of_many(conn, &[record.offer.id])?;
            Ok(OfferView::new(record, &visits, ctx.now))
        },
    )
    .await
}

fn seen(conn: &mut Conn, ctx: &Ctx, id: Option<OfferId>) -> Result<OfferRecord, Error> {
    store::visible(conn, ctx, id.ok_or_else(Error::not_found)?)
}

/// 順番待ちの依頼を送る / Sends an offer that waits in the queue.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), request_body = SendOfferBody,
    extensions(("x-permission" = json!("match_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "送った", body = OfferView)))]
#[post("/offers/{id}/send")]
async fn send_offer(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<OfferId>("id").ok();
    write.change(move |conn, ctx| seen(conn, ctx, id), service::send_queued).await
}

/// 承諾する / The expert accepts; the office may enter it on the expert's word.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), request_body = AcceptOfferBody,
    extensions(("x-permission" = json!("answer_offers")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "承諾した（日程を仮押さえした）", body = OfferView)))]
#[post("/offers/{id}/accept")]
async fn accept_offer(write: Write<AnswerOffers>) -> Result<HttpResponse, Error> {
    let id = write.id::<OfferId>("id").ok();
    write.change(move |conn, ctx| seen(conn, ctx, id), answer::accept).await
}

/// 辞退する / The expert declines; the office may enter it on the expert's word.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), request_body = DeclineOfferBody,
    extensions(("x-permission" = json!("answer_offers")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "辞退した（順番待ちがあれば次の候補者に送った）", body = OfferView)))]
#[post("/offers/{id}/decline")]
async fn decline_offer(write: Write<AnswerOffers>) -> Result<HttpResponse, Error> {
    let id = write.id::<OfferId>("id").ok();
    write.change(move |conn, ctx| seen(conn, ctx, id), answer::decline).await
}

/// 別の日程を提案する / The expert proposes other dates; the office may enter it on the expert's word.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), request_body = ProposeDatesBody,
    extensions(("x-permission" = json!("answer_offers")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "提案した", body = OfferView)))]
#[post("/offers/{id}/propose-dates")]
async fn propose_offer_dates(write: Write<AnswerOffers>) -> Result<HttpResponse, Error> {
    let id = write.id::<OfferId>("id").ok();
    write.change(move |conn, ctx| seen(conn, ctx, id), answer::propose_dates).await
}

/// 提案された日程で改めて依頼する / Takes the proposed dates and asks the expert again with them.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), request_body = TakeDatesBody,
    extensions(("x-permission" = json!("match_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "改めて依頼した", body = OfferView)))]
#[post("/offers/{id}/take-dates")]
async fn take_offer_dates(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<OfferId>("id").ok();
    write.change(move |conn, ctx| seen(conn, ctx, id), service::take_dates).await
}

/// 依頼を取り消す / Takes an offer back; what an accepted one holds is released.
#[utoipa::path(tag = "offers", params(("id" = OfferId, Path)), request_body = WithdrawOfferBody,
    extensions(("x-permission" = json!("match_experts")), ("x-if-match" = json!(true))),
    responses((status = 200, description = "取り消した", body = OfferView)))]
#[post("/offers/{id}/withdraw")]
async fn withdraw_offer(write: Write<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = write.id::<OfferId>("id").ok();
    write.change(move |conn, ctx| seen(conn, ctx, id), service::withdraw).await
}

/// The token in the path; a missing one is an unknown one.
fn token_in(request: &HttpRequest) -> String {
    request.match_info().get("token").unwrap_or_default().to_owned()
}

/// リンクで依頼を見る / What the holder of a one-time link is asked. Changes nothing.
#[utoipa::path(tag = "offers", params(("token" = String, Path, max_length = 100)), extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "依頼の内容と状態", body = LinkOfferView)))]
#[get("/offer-links/{token}")]
async fn get_link_offer(request: HttpRequest, public: Public) -> Result<HttpResponse, Error> {
    let token = token_in(&request);
    let (call, NoQuery {}) = public.query()?;
    call.limit("offer-link", &token, link::ATTEMPTS_A_MINUTE)?;
    let view = call.read(move |conn, call| link::view(conn, &token, call.now)).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// リンクで回答する / Answers an offer by its one-time link.
#[utoipa::path(tag = "offers", params(("token" = String, Path, max_length = 100)), request_body = LinkAnswerBody,
    extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "回答した", body = LinkOfferView)))]
#[post("/offer-links/{token}/answer")]
async fn answer_link_offer(request: HttpRequest, public: Public) -> Result<HttpResponse, Error> {
    let token = token_in(&request);
    public
        .answer(StatusCode::OK, |call, body: LinkAnswerBody| async move {
            call.limit("offer-link", &token, link::ATTEMPTS_A_MINUTE)?;
            call.write_kept(move |conn, call| link::answer(conn, call, &token, body.clone())).await
        })
        .await
}
