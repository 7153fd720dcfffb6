//! What the API sends about the outbox.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::MessageRow;
use crate::clock::UtcTime;
use crate::ids::OutboxMessageId;

/// A mail in the outbox (通知).
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationView {
    /// Id.
    pub id: OutboxMessageId,
    /// Event, such as `request.submitted`.
    #[schema(max_length = 60, example = "request.submitted")]
    pub event: String,
    /// Kind of object it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    pub entity_kind: Option<String>,
    /// The object it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<i64>,
    /// To.
    #[schema(max_length = 254)]
    pub recipient_address: String,
    /// Name.
    #[schema(max_length = 200)]
    pub recipient_name: String,
    /// Subject.
    #[schema(max_length = 300)]
    pub subject: String,
    /// Text; one-time links are never shown.
    #[schema(max_length = 262144)]
    pub body: String,
    /// `queued`, `sending`, `sent` or `parked`.
    #[schema(max_length = 20, example = "sent")]
    pub status: String,
    /// Attempts so far.
    #[schema(minimum = 0, maximum = 1000)]
    pub attempts: i32,
    /// Not before.
    pub next_attempt_at: UtcTime,
    /// Last answer of the relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub last_error: Option<String>,
    /// Sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<UtcTime>,
    /// Written.
    pub created_at: UtcTime,
}

impl From<MessageRow> for NotificationView {
    fn from(row: MessageRow) -> Self {
        let body = match &row.secret {
            Some(secret) => row.body.replace(secret.as_str(), "（表示しません）"),
            None => row.body,
        };
        Self {
            id: row.id,
            event: row.event,
            entity_kind: row.entity_kind,
            entity_id: row.entity_id,
            recipient_address: row.recipient_address,
            recipient_name: row.recipient_name,
            subject: row.subject,
            body,
            status: row.status,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            last_error: row.last_error,
            sent_at: row.sent_at,
            created_at: row.created_at,
        }
    }
}

/// A page of the outbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationPage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<NotificationView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}
