//! What the API sends and takes for pools and programmes.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::presets::Preset;
use super::rules::ProgrammeRules;
use super::store::{MemberRow, PoolRow, ProgrammeRow, Standing, YearRow};
use crate::clock::UtcTime;
use crate::costs::FeeTable;
use crate::ids::{OrganisationId, PoolId, PoolMemberId, ProgrammeId};

/// A pool (人材プール).
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolView {
    /// Id.
    pub id: PoolId,
    /// Who owns and runs it.
    pub owner_organisation_id: OrganisationId,
    /// Name.
    #[schema(max_length = 200, example = "静岡県ICTエキスパート")]
    pub name: String,
    /// What its experts are called.
    #[schema(max_length = 100, example = "ICTエキスパート")]
    pub expert_title: String,
    /// For members to read.
    #[schema(max_length = 5000)]
    pub description: String,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

impl From<PoolRow> for PoolView {
    fn from(row: PoolRow) -> Self {
        Self {
            id: row.id,
            owner_organisation_id: row.owner_organisation_id,
            name: row.name,
            expert_title: row.expert_title,
            description: row.description,
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// A page of pools.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolPage {
    /// The pools.
    #[schema(max_items = 200)]
    pub items: Vec<PoolView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A new pool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "静岡県ICTエキスパート", "expert_title": "ICTエキスパート", "description": "県内市町へICTの専門家を派遣します。"}))]
pub struct CreatePoolBody {
    /// Name, unique within the owner.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What its experts are called.
    #[schema(min_length = 1, max_length = 100)]
    pub expert_title: String,
    /// For members to read.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub description: String,
    /// The owner, when it is a council that the own organisation runs; the own organisation when absent.
    pub owner_organisation_id: Option<OrganisationId>,
}

/// Changes to a pool; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePoolBody {
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What its experts are called.
    #[schema(min_length = 1, max_length = 100)]
    pub expert_title: Option<String>,
    /// For members to read.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
}

/// A member of a pool.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolMemberView {
    /// Id.
    pub id: PoolMemberId,
    /// The member.
    pub organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub organisation_name: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
}

impl From<MemberRow> for PoolMemberView {
    fn from(row: MemberRow) -> Self {
        Self {
            id: row.id,
            organisation_id: row.organisation_id,
            organisation_name: row.organisation_name,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

/// The members of a pool.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolMemberList {
    /// Past and future members included.
    #[schema(max_items = 10_000)]
    pub items: Vec<PoolMemberView>,
}

/// New members of a pool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organisation_ids": [12, 13], "valid_from": "2026-04-01"}))]
pub struct AddPoolMembersBody {
    /// Who joins.
    #[schema(min_items = 1, max_items = 2000)]
    pub organisation_ids: Vec<OrganisationId>,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    pub valid_to: Option<NaiveDate>,
}

/// The end of a membership.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndPoolMemberBody {
    /// First day on which it no longer counts; null: without end.
    pub valid_to: Option<NaiveDate>,
}

/// A programme (事業).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgrammeView {
    /// Id.
    pub id: ProgrammeId,
    /// Its pool.
    pub pool_id: PoolId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// Name.
    #[schema(max_length = 200, example = "ICTエキスパート派遣事業")]
    pub name: String,
    /// For applicants to read.
    #[schema(max_length = 5000)]
    pub description: String,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

impl From<ProgrammeRow> for ProgrammeView {
    fn from(row: ProgrammeRow) -> Self {
        Self {
            id: row.id,
            pool_id: row.pool_id,
            owner_organisation_id: row.owner_organisation_id,
            name: row.name,
            description: row.description,
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// A page of programmes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgrammePage {
    /// The programmes.
    #[schema(max_items = 200)]
    pub items: Vec<ProgrammeView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A new programme.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"pool_id": 1, "name": "ICTエキスパート派遣事業"}))]
pub struct CreateProgrammeBody {
    /// The pool it draws from.
    pub pool_id: PoolId,
    /// Name, unique within the pool.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// For applicants to read.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub description: String,
}

/// Changes to a programme; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProgrammeBody {
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// For applicants to read.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
}

/// The rules of a programme for a fiscal year.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgrammeYearView {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Starting year (R8 = 2026).
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The rules.
    pub rules: ProgrammeRules,
    /// Version, as in `ETag`.
    pub version: i64,
}

impl ProgrammeYearView {
    /// The rules as somebody sees them: where amounts are not disclosed, nobody but the owner sees fees and budget.
    pub fn seen(mut row: YearRow, standing: Standing) -> Self {
        if row.rules.amounts_undisclosed && standing != Standing::Owner {
            row.rules.fee_table = FeeTable::Undisclosed {};
            row.rules.budget_yen = None;
            row.rules.budget_per_body_yen = None;
            row.rules.payers.clear();
            row.rules.allocation_tax.clear();
            for menu in &mut row.rules.menus {
                menu.unit_price_yen = None;
            }
        }
        row.into()
    }
}

impl From<YearRow> for ProgrammeYearView {
    fn from(row: YearRow) -> Self {
        Self { programme_id: row.programme_id, fiscal_year: row.fiscal_year, rules: row.rules, version: row.version }
    }
}

/// The fiscal years that have rules.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgrammeYearList {
    /// Newest first.
    #[schema(max_items = 101)]
    pub items: Vec<ProgrammeYearView>,
}

/// The rules of a fiscal year, for the first time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProgrammeYearBody {
    /// Starting year (R8 = 2026).
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// The rules; a preset is a good start.
    pub rules: ProgrammeRules,
}

/// New rules for a fiscal year.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceProgrammeYearBody {
    /// All rules.
    pub rules: ProgrammeRules,
}

/// Schemes to start from.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresetList {
    /// The presets.
    #[schema(max_items = 100)]
    pub items: Vec<Preset>,
}
