//! What a webhook sends: thin, so that nothing personal travels. Who wants more asks the API, which looks at rights.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::DeliveryRow;
use crate::clock::UtcTime;
use crate::ids::{EventId, OrganisationId, RequestId};
use crate::notifications::catalogue::EventKind;

/// An event as a webhook sends it (Standard Webhooks 1.0: `type`, `timestamp`, `data`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookEvent {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it happened.
    pub timestamp: UtcTime,
    /// To what.
    pub data: WebhookEventData,
}

/// The object of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookEventData {
    /// The event; the same in every delivery of it.
    pub event_id: EventId,
    /// The organisation whose affair it is.
    pub organisation_id: OrganisationId,
    /// Kind of object.
    #[schema(max_length = 40, example = "request")]
    pub entity_kind: String,
    /// The object; ask the API for it.
    pub entity_id: i64,
    /// The request it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
}

impl WebhookEvent {
    /// What a delivery sends.
    pub fn of(row: &DeliveryRow) -> Self {
        Self {
            kind: row.kind,
            timestamp: row.occurred_at,
            data: WebhookEventData {
                event_id: row.event_id,
                organisation_id: row.owner_organisation_id,
                entity_kind: row.entity_kind.clone(),
                entity_id: row.entity_id,
                request_id: row.request_id,
            },
        }
    }
}
