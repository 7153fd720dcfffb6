//! REST: audit events.

use actix_web::{HttpResponse, get};
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::seal;
use super::store::{self, AuditFilter};
use super::views::{AuditEventPage, AuditVerificationView};
use crate::auth::policy::ReadAudit;
use crate::calendar::jst_to_utc;
use crate::clock::UtcTime;
use crate::error::{Error, ErrorCode};
use crate::http::Read;
use crate::http::read::Answer;
use crate::ids::UserId;
use crate::statistics::export::{self, ExportFile, ExportFormat};
use crate::statistics::office_tables;

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(verify_audit_events).service(list_audit_events);
}

/// Filters of the audit trail.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditEventListParams {
    /// About this kind of object.
    #[param(min_length = 1, max_length = 60, example = "request")]
    entity_kind: Option<String>,
    /// About the object with this id.
    #[param(minimum = 1)]
    entity_id: Option<i64>,
    /// By this person.
    actor_user_id: Option<UserId>,
    /// First day, in Japan.
    from: Option<NaiveDate>,
    /// Last day, in Japan.
    to: Option<NaiveDate>,
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

/// 監査記録の一覧 / Audit events of the own organisation; all of them for system administrators.
#[utoipa::path(tag = "audit-events", params(AuditEventListParams), extensions(("x-permission" = json!("read_audit"))),
    responses((status = 200, description = "新しい順", content((AuditEventPage = "application/json"), (ExportFile = "text/csv"),
        (ExportFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/audit-events")]
async fn list_audit_events(read: Read<ReadAudit>) -> Result<HttpResponse, Error> {
    read.run(|conn, ctx, params: AuditEventListParams| {
        if params.from.zip(params.to).is_some_and(|(from, to)| to < from) {
            return Err(Error::new(ErrorCode::UnknownParameter).field(
                "to",
                "before_start",
                "終了日は開始日以後にしてください",
                "The end must not be before the start",
            ));
        }
        let midnight = |day: NaiveDate| UtcTime::from_naive(jst_to_utc(day, 0));
        let filter = AuditFilter {
            entity_kind: params.entity_kind,
            entity_id: params.entity_id,
            actor_user_id: params.actor_user_id,
            from: params.from.map(midnight),
            before: params.to.and_then(|day| day.checked_add_days(Days::new(1))).map(midnight),
        };
        let list = export::list_query(params.format, params.limit, params.cursor.as_deref(), &("audit-events", &filter))?;
        let page = list.page(store::list(conn, ctx, &filter, &list)?, |(row, ..)| (String::new(), row.id));
        let next = page.next_cursor.clone();
        let items = page.items.into_iter().map(Into::into).collect();
        export::list_answer(
            params.format,
            AuditEventPage { items, next_cursor: page.next_cursor },
            next,
            "監査記録",
            office_tables::audit_events,
        )
    })
    .await
}

/// What is known of the chain from elsewhere.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditVerificationParams {
    /// A head noted earlier: the chain must still contain it.
    #[param(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    expected_head: Option<String>,
}

/// 監査記録の検証 / Walks the whole hash chain and tells what is broken.
#[utoipa::path(tag = "audit-events", params(AuditVerificationParams), extensions(("x-permission" = json!("read_audit"))),
    responses((status = 200, description = "検証の結果", body = AuditVerificationView)))]
#[get("/audit-events/verification")]
async fn verify_audit_events(read: Read<ReadAudit>) -> Result<HttpResponse, Error> {
    read.run(|conn, _, params: AuditVerificationParams| {
        Ok(Answer::Json(AuditVerificationView::from(seal::verify(conn, params.expected_head.as_deref())?)))
    })
    .await
}
