//! REST: what is to be done today, and the filters that people keep.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::filters::{self, SaveFilterBody, SavedFilterList, SavedFilterView};
use super::views::TodayView;
use super::{filter_store, service};
use crate::auth::policy::{OwnAccount, ReadToday};
use crate::error::Error;
use crate::http::read::{Answer, NoQuery};
use crate::http::{Read, Write};
use crate::ids::SavedFilterId;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_today).service(list_saved_filters).service(save_filter).service(remove_saved_filter);
}

/// 今日やること / What the office has to do today
///
/// 審査待ちの申請、候補者を選ぶ申請、回答待ちの打診、今週の訪問、期限を過ぎた報告、上限に近い専門家、予算などを、それぞれ先頭の
/// 10件と総数で返します。全件は `path` の一覧にあります。 / Each part holds its first ten items and the total; the whole stands in
/// the list that `path` names.
#[utoipa::path(tag = "today", extensions(("x-permission" = json!("read_today"))),
    responses((status = 200, description = "今日やること", body = TodayView)))]
#[get("/today")]
async fn get_today(read: Read<ReadToday>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, _: NoQuery| Ok(Answer::Json(service::of(conn, ctx)?))).await
}

/// Which filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SavedFilterParams {
    /// Those of one list: its address without `/api/v1`.
    #[param(max_length = 100, example = "/requests")]
    page: Option<String>,
}

/// 残した条件 / The filters of lists that the signed-in person keeps.
#[utoipa::path(tag = "today", params(SavedFilterParams), extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "一覧と名前の順", body = SavedFilterList)))]
#[get("/saved-filters")]
async fn list_saved_filters(read: Read<OwnAccount>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: SavedFilterParams| {
        let rows = filter_store::list(conn, filters::me(ctx)?, params.page.as_deref())?;
        Ok(Answer::Json(SavedFilterList { items: rows.into_iter().map(SavedFilterView::from).collect() }))
    })
    .await
}

/// 条件を残す / Keeps a filter of a list under a name; one of the same name is replaced.
#[utoipa::path(tag = "today", request_body = SaveFilterBody, extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "残した", body = SavedFilterView)))]
#[post("/saved-filters")]
async fn save_filter(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    write.create(filters::save).await
}

/// 残した条件を消す / Removes a filter.
#[utoipa::path(tag = "today", params(("id" = SavedFilterId, Path)), extensions(("x-permission" = json!("own_account"))),
    responses((status = 200, description = "消した", body = SavedFilterView)))]
#[post("/saved-filters/{id}/remove")]
async fn remove_saved_filter(write: Write<OwnAccount>) -> Result<HttpResponse, Error> {
    let id = write.id::<SavedFilterId>("id").ok();
    write
        .under(move |conn, ctx| filter_store::find(conn, filters::me(ctx)?, id.ok_or_else(Error::not_found)?), filters::remove)
        .await
}
