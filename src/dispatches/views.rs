//! What the API sends and takes for dispatches.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{AmendmentKind, DispatchStatus, DispatchVerb, Party, ReportStatus};
use super::store::{DispatchExpertRow, DispatchLine};
use super::visit_views::{PlannedVisitBody, VisitView};
use crate::clock::UtcTime;
use crate::ids::{DispatchId, ExpertId, OfferId, OrganisationId, ProgrammeId, ReportId, RequestId, UserId, VisitId};
use crate::requests::model::{ActivityKind, ReasonCode};
use crate::settlements::views::CostTotals;

/// An expert as the list of dispatches shows one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DispatchedExpertBrief {
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200, example = "山田 花子")]
    pub name: String,
    /// Whether the expert still goes; `false` after a replacement.
    pub active: bool,
}

impl From<&DispatchExpertRow> for DispatchedExpertBrief {
    fn from(row: &DispatchExpertRow) -> Self {
        Self { expert_id: row.expert_id, name: row.name.clone(), active: row.active }
    }
}

/// A dispatch in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchSummary {
    /// Id.
    pub id: DispatchId,
    /// The request it decides.
    pub request_id: RequestId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub applicant_name: String,
    /// Theme of the request.
    #[schema(max_length = 200, example = "窓口業務のデジタル化")]
    pub theme: String,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Number; a consultation has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "R8-0012")]
    pub number: Option<String>,
    /// The office's own 文書番号; empty: none.
    #[schema(max_length = 100, example = "電戦第123号")]
    pub document_number: String,
    /// Day of the decision.
    pub decided_on: NaiveDate,
    /// First day on which a visit can take place.
    pub period_from: NaiveDate,
    /// Last day, inclusive.
    pub period_to: NaiveDate,
    /// State.
    pub status: DispatchStatus,
    /// Those who go, and those who went before a replacement.
    #[schema(max_items = 100)]
    pub experts: Vec<DispatchedExpertBrief>,
    /// Where its report stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_status: Option<ReportStatus>,
    /// Last day for the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_due_on: Option<NaiveDate>,
    /// Version.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

impl DispatchSummary {
    /// A line with its experts out of all that were loaded.
    pub fn new(line: DispatchLine, experts: &[DispatchExpertRow]) -> Self {
        Self {
            id: line.id,
            request_id: line.request_id,
            programme_id: line.programme_id,
            owner_organisation_id: line.owner_organisation_id,
            applicant_organisation_id: line.applicant_organisation_id,
            applicant_name: line.applicant_name,
            theme: line.theme,
            activity_kind: line.activity_kind,
            fiscal_year: line.fiscal_year,
            number: line.number,
            document_number: line.document_number,
            decided_on: line.decided_on,
            period_from: line.period_from,
            period_to: line.period_to,
            status: line.status,
            experts: experts.iter().filter(|row| row.dispatch_id == line.id).map(Into::into).collect(),
            report_status: line.report_status,
            report_due_on: line.report_due_on,
            version: line.version,
            updated_at: line.updated_at,
        }
    }
}

/// A page of dispatches.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchPage {
    /// The dispatches.
    #[schema(max_items = 200)]
    pub items: Vec<DispatchSummary>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
    /// How many there are in all, when asked for with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

/// An expert of a dispatch.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchedExpertView {
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200, example = "山田 花子")]
    pub name: String,
    /// Where the expert works; empty: not stated.
    #[schema(max_length = 200)]
    pub affiliation: String,
    /// Whether the expert still goes; `false` after a replacement.
    pub active: bool,
    /// Who took over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by_id: Option<ExpertId>,
    /// Mail address: for the office, the applicant and the expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254, example = "hanako@example.jp")]
    pub email: Option<String>,
    /// Telephone: for the office, the applicant and the expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 50)]
    pub phone: Option<String>,
}

/// An amendment of a dispatch (変更決定).
#[derive(Debug, Serialize, ToSchema)]
pub struct AmendmentView {
    /// Running number within the dispatch, from 1.
    #[schema(minimum = 1)]
    pub number: i32,
    /// What it changed.
    pub kind: AmendmentKind,
    /// 文書番号 of the amendment; empty: none.
    #[schema(max_length = 100)]
    pub document_number: String,
    /// Before: the period, visits and experts concerned.
    #[schema(value_type = Object)]
    pub old: serde_json::Value,
    /// After.
    #[schema(value_type = Object)]
    pub new: serde_json::Value,
    /// Why.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// Day of the amendment.
    pub amended_on: NaiveDate,
    /// Who, when it was a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amended_by: Option<UserId>,
}

/// Where the report of a dispatch stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportState {
    /// Id.
    pub id: ReportId,
    /// State.
    pub status: ReportStatus,
    /// Last day; absent when no visit is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// Whether it is not in although its last day is over.
    pub overdue: bool,
}

/// How a dispatch was called off.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchCancellation {
    /// For whose reasons.
    pub party: Party,
    /// When.
    pub cancelled_at: UtcTime,
    /// Days between the word and the first visit called off; absent when none had its day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub notice_days: Option<i32>,
    /// Why.
    #[schema(max_length = 2000)]
    pub reason: String,
}

/// A dispatch (派遣決定) with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DispatchView {
    /// Id.
    pub id: DispatchId,
    /// The request it decides.
    pub request_id: RequestId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Its name.
    #[schema(max_length = 200, example = "ICTエキスパート派遣事業")]
    pub programme_name: String,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub applicant_name: String,
    /// All bodies that take part, the applicant included.
    #[schema(max_items = 500)]
    pub participant_ids: Vec<OrganisationId>,
    /// Theme of the request.
    #[schema(max_length = 200)]
    pub theme: String,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Starting year of the fiscal year.
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Number; a consultation has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "R8-0012")]
    pub number: Option<String>,
    /// The office's own 文書番号; empty: none.
    #[schema(max_length = 100)]
    pub document_number: String,
    /// Day of the decision.
    pub decided_on: NaiveDate,
    /// Who decided, when it was a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<UserId>,
    /// First day on which a visit can take place.
    pub period_from: NaiveDate,
    /// Last day, inclusive.
    pub period_to: NaiveDate,
    /// State.
    pub status: DispatchStatus,
    /// What the state allows.
    #[schema(max_items = 10)]
    pub allowed: Vec<DispatchVerb>,
    /// How it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<DispatchCancellation>,
    /// The dispatch that carries the work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<DispatchId>,
    /// Those who go, and those who went before a replacement.
    #[schema(max_items = 100)]
    pub experts: Vec<DispatchedExpertView>,
    /// Visits by day.
    #[schema(max_items = 1000)]
    pub visits: Vec<VisitView>,
    /// Where its report stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportState>,
    /// Amendments in their order.
    #[schema(max_items = 1000)]
    pub amendments: Vec<AmendmentView>,
    /// What it has cost so far, as far as the asking party sees costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<CostTotals>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Changed.
    pub updated_at: UtcTime,
}

/// The decision on a request (派遣決定).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"offer_ids": [31], "document_number": "電戦第123号", "decided_on": "2026-06-01"}))]
pub struct DecideRequestBody {
    /// Accepted offers of the request; several send a team.
    #[schema(min_items = 1, max_items = 20)]
    pub offer_ids: Vec<OfferId>,
    /// The office's own 文書番号.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub document_number: String,
    /// Day of the decision; today when absent, never in the future.
    pub decided_on: Option<NaiveDate>,
    /// First day on which a visit can take place; the requested period's when absent.
    pub period_from: Option<NaiveDate>,
    /// Last day, inclusive, in the same fiscal year; the requested period's when absent.
    pub period_to: Option<NaiveDate>,
    /// A word for the audit trail.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// A visit to add to a dispatch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedVisitBody {
    /// Who goes: an expert of the dispatch.
    pub expert_id: ExpertId,
    /// When and how.
    pub visit: PlannedVisitBody,
}

/// A planned visit to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovedVisitBody {
    /// The visit.
    pub visit_id: VisitId,
    /// When and how from now on.
    pub visit: PlannedVisitBody,
}

/// An amendment (変更決定): all or nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"drop": [51], "period_to": "2026-09-30", "document_number": "電戦第145号", "reason": "団体の行事と重なったため"}))]
pub struct AmendDispatchBody {
    /// Visits to add.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub add: Vec<AddedVisitBody>,
    /// Planned visits to change.
    #[serde(default, rename = "move")]
    #[schema(max_items = 100)]
    pub moved: Vec<MovedVisitBody>,
    /// Planned visits that do not take place.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub drop: Vec<VisitId>,
    /// New first day; stays when absent.
    pub period_from: Option<NaiveDate>,
    /// New last day; stays when absent.
    pub period_to: Option<NaiveDate>,
    /// 文書番号 of the amendment.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub document_number: String,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// Another expert in the place of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from_expert_id": 7, "offer_id": 33, "reason": "専門家の都合により交代", "document_number": "電戦第150号"}))]
pub struct ReplaceExpertBody {
    /// Who goes no more.
    pub from_expert_id: ExpertId,
    /// The accepted offer of the one who takes over.
    pub offer_id: OfferId,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// 文書番号 of the amendment.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub document_number: String,
}

/// A dispatch is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"party": "applicant", "reason_code": "plans_changed", "reason": "庁内の計画変更のため"}))]
pub struct CancelDispatchBody {
    /// For whose reasons.
    pub party: Party,
    /// The coded reason.
    pub reason_code: ReasonCode,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// Changes to a dispatch that are no amendment; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateDispatchBody {
    /// The office's own 文書番号; empty: none.
    #[schema(max_length = 100)]
    pub document_number: Option<String>,
    /// The dispatch that carries the work on: another one of the same owner; null: none.
    #[serde(default, deserialize_with = "crate::http::nullable")]
    #[schema(value_type = Option<DispatchId>)]
    pub successor_id: Option<Option<DispatchId>>,
}
