//! What the API sends and takes for placements.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{LegalBasis, PostingStatus, PostingVerb};
use super::store::{PostingCounts, PostingRow};
use crate::clock::UtcTime;
use crate::ids::{ExpertId, OrganisationId, PostingId, ProgrammeId};

/// A placement (配属).
#[derive(Debug, Serialize, ToSchema)]
pub struct PostingView {
    /// Id.
    pub id: PostingId,
    /// The programme under which it is made.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Who is placed.
    pub expert_id: ExpertId,
    /// That person's name.
    #[schema(max_length = 200, example = "髙橋 花子")]
    pub expert_name: String,
    /// With whom.
    pub host_organisation_id: OrganisationId,
    /// That body's name.
    #[schema(max_length = 200, example = "尾道市")]
    pub host_organisation_name: String,
    /// Part of the person's time, in percent.
    #[schema(minimum = 1, maximum = 100, example = 50)]
    pub share_percent: i32,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day that no longer counts.
    pub valid_to: NaiveDate,
    /// On what it rests.
    pub legal_basis: LegalBasis,
    /// State.
    pub status: PostingStatus,
    /// What the pool's owner can do now.
    #[schema(max_items = 3)]
    pub verbs: Vec<PostingVerb>,
    /// Remark.
    #[schema(max_length = 1000)]
    pub note: String,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

impl PostingView {
    /// A placement with the names that belong to it.
    pub fn new(row: PostingRow, host_organisation_name: String, expert_name: String) -> Self {
        Self {
            id: row.id,
            programme_id: row.programme_id,
            owner_organisation_id: row.owner_organisation_id,
            expert_id: row.expert_id,
            expert_name,
            host_organisation_id: row.host_organisation_id,
            host_organisation_name,
            share_percent: row.share_percent,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            legal_basis: row.legal_basis,
            verbs: row.status.verbs(),
            status: row.status,
            note: row.note,
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// A page of placements.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostingPage {
    /// The placements, latest beginning first.
    #[schema(max_items = 200)]
    pub items: Vec<PostingView>,
    /// Counts over all pages, when a day was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<PostingCountsView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// Placements running on a day. One person can be with several hosts: the distinct counts do not add up.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostingCountsView {
    /// The day.
    pub on: NaiveDate,
    /// Placements.
    #[schema(minimum = 0, example = 17)]
    pub postings: i64,
    /// Hosts, each once.
    #[schema(minimum = 0, example = 16)]
    pub hosts: i64,
    /// People, each once.
    #[schema(minimum = 0, example = 12)]
    pub experts: i64,
}

impl PostingCountsView {
    /// The counts of a day.
    pub fn new(on: NaiveDate, counts: PostingCounts) -> Self {
        Self { on, postings: counts.postings, hosts: counts.hosts, experts: counts.experts }
    }
}

/// A new placement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"programme_id": 4, "expert_id": 7, "host_organisation_id": 12, "share_percent": 50,
    "valid_from": "2026-04-01", "valid_to": "2027-04-01", "legal_basis": "staff_dispatch_art252_17"}))]
pub struct CreatePostingBody {
    /// A programme of the own organisation that has placements.
    pub programme_id: ProgrammeId,
    /// Who is placed: an expert of the programme's pool.
    pub expert_id: ExpertId,
    /// With whom: a member of the pool in the whole period.
    pub host_organisation_id: OrganisationId,
    /// Part of the person's time, in percent; all placements of a person together never exceed 100.
    #[schema(minimum = 1, maximum = 100)]
    pub share_percent: i32,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day that no longer counts.
    pub valid_to: NaiveDate,
    /// On what it rests.
    pub legal_basis: LegalBasis,
    /// Remark.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: String,
}

/// Changes to a placement; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"valid_to": "2026-10-01"}))]
pub struct UpdatePostingBody {
    /// Part of the person's time, in percent.
    #[schema(minimum = 1, maximum = 100)]
    pub share_percent: Option<i32>,
    /// First day.
    pub valid_from: Option<NaiveDate>,
    /// First day that no longer counts.
    pub valid_to: Option<NaiveDate>,
    /// On what it rests.
    pub legal_basis: Option<LegalBasis>,
    /// Remark.
    #[schema(max_length = 1000)]
    pub note: Option<String>,
}

/// Why a placement is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "受入団体の都合により実施しない"}))]
pub struct CancelPostingBody {
    /// Kept in the audit trail.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}
