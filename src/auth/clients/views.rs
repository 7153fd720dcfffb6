//! What the API sends and takes for API clients.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::ApiClientRow;
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::ids::{ApiClientId, OrganisationId, UserId};

crate::text_enum! {
    /// Whether a key works.
    pub enum ApiClientStatus {
        /// It works.
        Active = "active", "有効";
        /// Its time is over; rotating gives a new key.
        Expired = "expired", "期限切れ";
        /// Revoked for good.
        Revoked = "revoked", "失効";
    }
}

/// A program that acts for an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiClientView {
    /// Id.
    pub id: ApiClientId,
    /// For whom it acts.
    pub organisation_id: OrganisationId,
    /// Name.
    #[schema(max_length = 200, example = "庁内データ連携")]
    pub name: String,
    /// The role whose rights it has, within its scopes.
    pub acts_as: Role,
    /// What it may do.
    #[schema(max_items = 100, example = json!(["requests:read", "statistics:read"]))]
    pub scopes: Vec<String>,
    /// The public part of the key, to tell keys apart.
    #[schema(max_length = 12, example = "3f9a0c1d2e4b")]
    pub key_prefix: String,
    /// Whether the key works.
    pub status: ApiClientStatus,
    /// Until when.
    pub expires_at: UtcTime,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<UtcTime>,
    /// Who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl ApiClientView {
    /// The view at an instant.
    pub fn new(row: ApiClientRow, now: UtcTime) -> Self {
        Self {
            status: row.status(now),
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            id: row.id,
            organisation_id: row.organisation_id,
            name: row.name,
            acts_as: row.acts_as,
            key_prefix: row.key_prefix,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            created_by: row.created_by,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of API clients.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiClientPage {
    /// The clients.
    #[schema(max_items = 200)]
    pub items: Vec<ApiClientView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// An API client with its new key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiClientKeyView {
    /// The client.
    pub client: ApiClientView,
    /// The key, for `Authorization: Bearer …`. Shown once: it is kept nowhere.
    #[schema(max_length = 100, example = "tsk_3f9a0c1d2e4b_…")]
    pub key: String,
}

/// A new API client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organisation_id": 22, "name": "庁内データ連携", "acts_as": "auditor",
    "scopes": ["requests:read", "statistics:read"], "expires_at": "2027-03-31T15:00:00Z"}))]
pub struct CreateApiClientBody {
    /// For whom it acts; the own organisation when absent.
    pub organisation_id: Option<OrganisationId>,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// `prefectural_coordinator` (of bodies that own pools), `municipal_staff` or `auditor`.
    pub acts_as: Role,
    /// What it may do; only scopes of permissions that the role has.
    #[schema(min_items = 1, max_items = 100)]
    pub scopes: Vec<String>,
    /// Until when, at most 366 days ahead.
    pub expires_at: UtcTime,
}

/// A new key for an API client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expires_at": "2028-03-31T15:00:00Z"}))]
pub struct RotateApiClientBody {
    /// Until when the new key works, at most 366 days ahead; as before when absent.
    pub expires_at: Option<UtcTime>,
}
