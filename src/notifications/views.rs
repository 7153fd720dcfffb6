//! What the API sends about the outbox.

use serde::Serialize;
use utoipa::ToSchema;

use super::log_store::{AddressRow, AttemptRow};
use super::outcome::DeliveryOutcome;
use super::store::MessageRow;
use crate::clock::UtcTime;
use crate::ids::{DeliveryAttemptId, OutboxMessageId, UndeliverableAddressId};

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
    /// The relay refused it for good (5xx), or it cannot be composed: trying again is of no use before the address or the
    /// cause has been put right. `last_error` says why.
    pub permanent: bool,
    /// The mail it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_of: Option<OutboxMessageId>,
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
            permanent: row.permanent,
            resend_of: row.resend_of,
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

/// One attempt to hand a mail over (配送の記録).
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryAttemptView {
    /// Id.
    pub id: DeliveryAttemptId,
    /// When the relay answered.
    pub attempted_at: UtcTime,
    /// Which worker tried.
    #[schema(max_length = 100, example = "worker-7f3a")]
    pub worker: String,
    /// How it ended.
    pub outcome: DeliveryOutcome,
    /// Reply code of the relay, where it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 200, maximum = 599, example = 550)]
    pub code: Option<i32>,
    /// What the relay said; names and addresses are masked.
    #[schema(max_length = 2000, example = "refused by the relay: permanent error (550): 5.1.1 <*>: unknown")]
    pub detail: String,
}

impl From<AttemptRow> for DeliveryAttemptView {
    fn from(row: AttemptRow) -> Self {
        Self {
            id: row.id,
            attempted_at: row.attempted_at,
            worker: row.worker,
            outcome: row.outcome,
            code: row.code,
            detail: row.detail,
        }
    }
}

/// A page of the log of one mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryAttemptPage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<DeliveryAttemptView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// An address that a relay refused for good (届かない宛先).
#[derive(Debug, Serialize, ToSchema)]
pub struct UndeliverableAddressView {
    /// Id.
    pub id: UndeliverableAddressId,
    /// The address.
    #[schema(max_length = 254, example = "kikaku@town.example.jp")]
    pub address: String,
    /// First refused, since a mail last got through.
    pub since: UtcTime,
    /// Last refused.
    pub last_refused_at: UtcTime,
    /// How often, since a mail last got through.
    #[schema(minimum = 1, maximum = 1000000)]
    pub refusals: i32,
    /// Last reply code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 500, maximum = 599, example = 550)]
    pub code: Option<i32>,
    /// What the relay last said; names and addresses are masked.
    #[schema(max_length = 2000, example = "refused by the relay: permanent error (550): 5.1.1 <*>: unknown")]
    pub detail: String,
}

impl From<AddressRow> for UndeliverableAddressView {
    fn from(row: AddressRow) -> Self {
        Self {
            id: row.id,
            address: row.address,
            since: row.since,
            last_refused_at: row.last_refused_at,
            refusals: row.refusals,
            code: row.code,
            detail: row.detail,
        }
    }
}

/// A page of addresses that mail does not reach.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndeliverableAddressPage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<UndeliverableAddressView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}
