//! What the API sends and takes for webhooks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{DeliveryStatus, DisabledReason, EndpointStatus};
use super::payload::WebhookEvent;
use super::store::{AttemptRow, DeliveryRow, EndpointRow};
use crate::clock::UtcTime;
use crate::ids::{OrganisationId, WebhookDeliveryId, WebhookEndpointId};
use crate::notifications::catalogue::EventKind;

/// An address at which an organisation's programs are told of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpointView {
    /// Id.
    pub id: WebhookEndpointId,
    /// Whose.
    pub organisation_id: OrganisationId,
    /// Where.
    #[schema(max_length = 2048, example = "https://renkei.city.kakegawa.example.jp/hooks/tasuki")]
    pub url: String,
    /// What for.
    #[schema(max_length = 200, example = "庁内グループウェアの予定表")]
    pub description: String,
    /// The events wanted; empty: all.
    #[schema(max_items = 100)]
    pub events: Vec<EventKind>,
    /// Whether it is told.
    pub status: EndpointStatus,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<DisabledReason>,
    /// Since when every attempt has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<UtcTime>,
    /// Until when the receiver asked to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<UtcTime>,
    /// Until when the secret before still signs beside the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_secret_until: Option<UtcTime>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl WebhookEndpointView {
    /// The view at an instant.
    pub fn new(row: EndpointRow, now: UtcTime) -> Self {
        Self {
            events: row.filter().kinds(),
            id: row.id,
            organisation_id: row.organisation_id,
            url: row.url,
            description: row.description,
            status: row.status,
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since,
            paused_until: row.paused_until.filter(|until| *until > now),
            previous_secret_until: row.previous_until.filter(|until| *until > now),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpointPage {
    /// In order of creation.
    #[schema(max_items = 200)]
    pub items: Vec<WebhookEndpointView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// An endpoint with its new secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookSecretView {
    /// The endpoint.
    pub endpoint: WebhookEndpointView,
    /// The secret with which deliveries are signed (Standard Webhooks: `whsec_…`). Shown once.
    #[schema(max_length = 100, example = "whsec_…")]
    pub secret: String,
}

/// A new endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://renkei.city.kakegawa.example.jp/hooks/tasuki", "description": "庁内グループウェアの予定表",
    "events": ["dispatch.decided", "visit.cancelled"]}))]
pub struct CreateWebhookBody {
    /// Where: `https`, a host that can be reached from outside or that the operator has allowed, no user name, no fragment.
    #[schema(min_length = 10, max_length = 2048)]
    pub url: String,
    /// What for.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub description: String,
    /// The events wanted; empty: all.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub events: Vec<EventKind>,
}

/// Changes of an endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": ["dispatch.decided"]}))]
pub struct UpdateWebhookBody {
    /// Where.
    #[schema(min_length = 10, max_length = 2048)]
    pub url: Option<String>,
    /// What for.
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// The events wanted; empty: all.
    #[schema(max_items = 100)]
    pub events: Option<Vec<EventKind>>,
}

/// How a secret is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_hours": 24}))]
pub struct RotateWebhookBody {
    /// Hours for which the secret before signs too; 24 when absent, 0 where it has become known.
    #[schema(minimum = 0, maximum = 168)]
    pub overlap_hours: Option<i64>,
}

/// Which deliveries are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"since": "2026-11-01T00:00:00+09:00"}))]
pub struct ReplayWebhookBody {
    /// Those queued at this instant or later.
    pub since: UtcTime,
    /// Those that were received too, not only those that were given up.
    #[serde(default)]
    pub received_too: bool,
}

/// How many deliveries were queued again.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookReplayed {
    /// Deliveries.
    #[schema(minimum = 0)]
    pub queued: usize,
}

/// An event on its way to an endpoint, or there.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveryView {
    /// Id.
    pub id: WebhookDeliveryId,
    /// To where.
    pub endpoint_id: WebhookEndpointId,
    /// The header `webhook-id`, the same in every attempt.
    #[schema(max_length = 100, example = "msg_2mYqC7wYQn")]
    pub message_id: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts since it was last queued by a person.
    #[schema(minimum = 0, maximum = 100)]
    pub attempts: i32,
    /// Not attempted before, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<UtcTime>,
    /// When the receiver took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<UtcTime>,
    /// HTTP status of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 999, example = 503)]
    pub last_status: Option<i32>,
    /// Why the last attempt had no answer: `timeout`, `no_connection`, `tls`, `address_refused` …
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "timeout")]
    pub last_failure: Option<String>,
    /// Queued.
    pub created_at: UtcTime,
    /// What is sent.
    pub event: WebhookEvent,
}

impl From<DeliveryRow> for WebhookDeliveryView {
    fn from(row: DeliveryRow) -> Self {
        Self {
            event: WebhookEvent::of(&row),
            next_attempt_at: Some(row.next_attempt_at)
                .filter(|_| matches!(row.status, DeliveryStatus::Queued | DeliveryStatus::Sending)),
            id: row.id,
            endpoint_id: row.endpoint_id,
            message_id: row.message_id,
            status: row.status,
            attempts: row.attempts,
            delivered_at: row.delivered_at,
            last_status: row.last_status,
            last_failure: row.last_failure,
            created_at: row.created_at,
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveryPage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<WebhookDeliveryView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A delivery with its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveryDetail {
    /// The delivery.
    pub delivery: WebhookDeliveryView,
    /// Newest first.
    #[schema(max_items = 200)]
    pub attempts: Vec<WebhookAttemptView>,
}

/// An attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAttemptView {
    /// When it ended.
    pub attempted_at: UtcTime,
    /// HTTP status, where there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 999, example = 200)]
    pub status: Option<i32>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    pub failure: Option<String>,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, maximum = 600_000)]
    pub milliseconds: i32,
}

impl From<AttemptRow> for WebhookAttemptView {
    fn from(row: AttemptRow) -> Self {
        Self { attempted_at: row.attempted_at, status: row.status, failure: row.failure, milliseconds: row.milliseconds }
    }
}
