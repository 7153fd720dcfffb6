//! What the API sends for audit events.

use serde::Serialize;
use utoipa::ToSchema;

use super::seal::{Finding, Verification};
use super::store::EventRow;
use crate::clock::UtcTime;
use crate::ids::{ApiClientId, AuditEventId, MembershipId, OrganisationId, UserId};

/// One event: who did what, when, for whom, and what changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEventView {
    /// Id.
    pub id: AuditEventId,
    /// When.
    pub occurred_at: UtcTime,
    /// Method and route, job or command.
    #[schema(max_length = 200, example = "POST /requests/{id}/submit")]
    pub operation: String,
    /// `user`, `api_client`, `link`, `system`, `command`.
    #[schema(max_length = 20, example = "user")]
    pub actor_kind: String,
    /// The person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_user_id: Option<UserId>,
    /// The person's name today.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "鈴木 花子")]
    pub actor_name: Option<String>,
    /// The program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_api_client_id: Option<ApiClientId>,
    /// The membership acted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership_id: Option<MembershipId>,
    /// The organisation acted for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<OrganisationId>,
    /// The body for which it was done, when another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed_for_organisation_id: Option<OrganisationId>,
    /// Kind of object.
    #[schema(max_length = 60, example = "request")]
    pub entity_kind: String,
    /// Id of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<i64>,
    /// The organisation whose record it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_organisation_id: Option<OrganisationId>,
    /// Before, as far as it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub old_value: Option<serde_json::Value>,
    /// After.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub new_value: Option<serde_json::Value>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// The request's id in the log.
    #[schema(max_length = 64)]
    pub request_id: String,
    /// Place in the hash chain; absent while not yet sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub sequence: Option<i64>,
}

impl From<EventRow> for AuditEventView {
    fn from((row, actor_name, sequence): EventRow) -> Self {
        // Stored by ourselves as JSON; a text that was tampered with is shown as it is.
        let value =
            |text: Option<String>| text.map(|text| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)));
        Self {
            id: AuditEventId(row.id),
            occurred_at: row.occurred_at,
            operation: row.operation,
            actor_kind: row.actor_kind,
            actor_user_id: row.actor_user_id.map(UserId),
            actor_name,
            actor_api_client_id: row.actor_api_client_id.map(ApiClientId),
            membership_id: row.membership_id.map(MembershipId),
            organisation_id: row.organisation_id.map(OrganisationId),
            filed_for_organisation_id: row.filed_for_organisation_id.map(OrganisationId),
            entity_kind: row.entity_kind,
            entity_id: row.entity_id,
            owner_organisation_id: row.owner_organisation_id.map(OrganisationId),
            old_value: value(row.old_value),
            new_value: value(row.new_value),
            reason: row.reason,
            request_id: row.request_id,
            sequence,
        }
    }
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEventPage {
    /// The events.
    #[schema(max_items = 200)]
    pub items: Vec<AuditEventView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// What walking the hash chain found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerificationView {
    /// Whether the chain holds.
    pub is_intact: bool,
    /// Sealed events whose hash is right.
    #[schema(minimum = 0, example = 12345)]
    pub verified: i64,
    /// Events not sealed yet: the tail that the chain does not protect.
    #[schema(minimum = 0, example = 2)]
    pub unsealed: i64,
    /// Hash of the last sealed event. Noted elsewhere and passed as `expected_head` later, it uncovers a cut tail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub head: Option<String>,
    /// Number of broken places.
    #[schema(minimum = 0, example = 0)]
    pub finding_count: i64,
    /// The first hundred broken places.
    #[schema(max_items = 100)]
    pub findings: Vec<AuditFindingView>,
}

/// One broken place of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditFindingView {
    /// Place in the chain.
    pub sequence: i64,
    /// The event meant to be there; absent where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<AuditEventId>,
    /// `changed`, `deleted`, `reordered` or `cut`.
    #[schema(max_length = 20, example = "changed")]
    pub kind: String,
}

impl From<Finding> for AuditFindingView {
    fn from(finding: Finding) -> Self {
        Self {
            sequence: finding.sequence,
            event_id: (finding.event_id > 0).then_some(AuditEventId(finding.event_id)),
            kind: finding.kind.to_owned(),
        }
    }
}

impl From<Verification> for AuditVerificationView {
    fn from(found: Verification) -> Self {
        Self {
            is_intact: found.findings.is_empty(),
            verified: found.verified,
            unsealed: found.unsealed,
            head: found.head,
            finding_count: i64::try_from(found.findings.len()).unwrap_or(i64::MAX),
            findings: found.findings.into_iter().take(100).map(Into::into).collect(),
        }
    }
}
