//! REST: what is to be done today.

use actix_web::{HttpResponse, get};
use utoipa_actix_web::service_config::ServiceConfig;

use super::service;
use super::views::TodayView;
use crate::auth::policy::ReadToday;
use crate::error::Error;
use crate::http::Read;
use crate::http::read::{Answer, NoQuery};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(get_today);
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
