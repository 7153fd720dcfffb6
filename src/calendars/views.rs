//! What the API sends and takes for calendars.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::FeedRow;
use crate::clock::UtcTime;
use crate::ids::{CalendarFeedId, PoolId};

/// A secret address at which a calendar program fetches visits.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarFeedView {
    /// Id.
    pub id: CalendarFeedId,
    /// What the calendar is called.
    #[schema(max_length = 200, example = "派遣の予定（静岡県）")]
    pub name: String,
    /// Of one pool only; absent: what concerns the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool_id: Option<PoolId>,
    /// Created.
    pub created_at: UtcTime,
    /// Revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<UtcTime>,
}

impl From<FeedRow> for CalendarFeedView {
    fn from(row: FeedRow) -> Self {
        Self { id: row.id, name: row.name, pool_id: row.pool_id, created_at: row.created_at, revoked_at: row.revoked_at }
    }
}

/// A page of feeds.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarFeedPage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<CalendarFeedView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A new feed with its address.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarFeedAddress {
    /// The feed.
    pub feed: CalendarFeedView,
    /// The whole address to give to a calendar program. Whoever knows it reads the calendar; shown once.
    #[schema(max_length = 500, example = "https://tasuki.pref.example.jp/api/v1/calendars/…")]
    pub url: String,
}

/// A new feed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct CreateCalendarFeedBody {
    /// All visits of this pool, for those who run it; absent: the visits that concern the person with the active membership.
    pub pool_id: Option<PoolId>,
}
