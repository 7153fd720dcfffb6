//! What the API sends and takes for reports and evaluations.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{ReportStatus, ReportVerb};
use super::report_store::{EvaluationRow, ReportLine, ReportRow};
use crate::clock::UtcTime;
use crate::ids::{DispatchId, ExpertId, OrganisationId, ReportId};
use crate::pools::rules::OutcomeCounter;

/// A number that a report counts.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeView {
    /// Code of the programme's counter.
    #[schema(max_length = 40, example = "issues")]
    pub counter: String,
    /// What is counted.
    #[schema(max_length = 100, example = "抽出した課題")]
    pub label: String,
    /// How many; absent while nothing is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000, example = 84)]
    pub amount: Option<i32>,
}

/// An activity report (実績報告書).
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportView {
    /// Id.
    pub id: ReportId,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// State.
    pub status: ReportStatus,
    /// What the state allows.
    #[schema(max_items = 10)]
    pub allowed: Vec<ReportVerb>,
    /// Last day; absent when no visit is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// Whether it is not in although its last day is over.
    pub overdue: bool,
    /// What was done.
    #[schema(max_length = 10_000)]
    pub content: String,
    /// What came of it.
    #[schema(max_length = 10_000)]
    pub result: String,
    /// What comes next.
    #[schema(max_length = 10_000)]
    pub next_step: String,
    /// The programme's counters with what is entered.
    #[schema(max_items = 20)]
    pub outcomes: Vec<OutcomeView>,
    /// When it was last handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<UtcTime>,
    /// Why it was sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub returned_reason: Option<String>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<UtcTime>,
    /// Version, as in `ETag`.
    pub version: i64,
}

/// Whether a report is not in although its last day is over.
pub fn is_overdue(status: ReportStatus, due_on: Option<NaiveDate>, today: NaiveDate) -> bool {
    matches!(status, ReportStatus::Due | ReportStatus::Returned) && due_on.is_some_and(|due| due < today)
}

impl ReportView {
    /// A report with the counters of its programme.
    pub fn new(row: ReportRow, counters: &[OutcomeCounter], amounts: &BTreeMap<String, i32>, today: NaiveDate) -> Self {
        Self {
            id: row.id,
            dispatch_id: row.dispatch_id,
            status: row.status,
            allowed: row.status.verbs(),
            due_on: row.due_on,
            overdue: is_overdue(row.status, row.due_on, today),
            content: row.content,
            result: row.result,
            next_step: row.next_step,
            outcomes: counters
                .iter()
                .map(|counter| OutcomeView {
                    counter: counter.code.clone(),
                    label: counter.label.clone(),
                    amount: amounts.get(&counter.code).copied(),
                })
                .collect(),
            submitted_at: row.submitted_at,
            returned_reason: row.returned_reason,
            approved_at: row.approved_at,
            version: row.version,
        }
    }
}

/// A report in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportSummary {
    /// Id.
    pub id: ReportId,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// Its number; a consultation has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "R8-0012")]
    pub number: Option<String>,
    /// Owner of the pool.
    pub owner_organisation_id: OrganisationId,
    /// The body that applied and reports.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub applicant_name: String,
    /// Theme of the request.
    #[schema(max_length = 200)]
    pub theme: String,
    /// State.
    pub status: ReportStatus,
    /// Last day; absent when no visit is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// Whether it is not in although its last day is over.
    pub overdue: bool,
    /// When it was last handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<UtcTime>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<UtcTime>,
    /// Version.
    pub version: i64,
}

impl ReportSummary {
    /// A line as it is on a day.
    pub fn new(line: ReportLine, today: NaiveDate) -> Self {
        Self {
            overdue: is_overdue(line.status, line.due_on, today),
            id: line.id,
            dispatch_id: line.dispatch_id,
            number: line.number,
            owner_organisation_id: line.owner_organisation_id,
            applicant_organisation_id: line.applicant_organisation_id,
            applicant_name: line.applicant_name,
            theme: line.theme,
            status: line.status,
            due_on: line.due_on,
            submitted_at: line.submitted_at,
            approved_at: line.approved_at,
            version: line.version,
        }
    }
}

/// A page of reports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportPage {
    /// The reports.
    #[schema(max_items = 200)]
    pub items: Vec<ReportSummary>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
    /// How many there are in all, when asked for with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

/// A number to enter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBody {
    /// Code of one of the programme's counters.
    #[schema(min_length = 1, max_length = 40, example = "issues")]
    pub counter: String,
    /// How many.
    #[schema(minimum = 0, maximum = 1_000_000, example = 84)]
    pub amount: i32,
}

/// The text and numbers of a report; replaces what was there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"content": "4か月間に7回の会議を行い、課題と解決策を整理した。", "result": "窓口業務の見直しに着手",
    "next_step": "庁内展開", "outcomes": [{"counter": "meetings", "amount": 7}, {"counter": "issues", "amount": 84},
    {"counter": "ideas", "amount": 173}]}))]
pub struct WriteReportBody {
    /// What was done.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    pub content: String,
    /// What came of it.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    pub result: String,
    /// What comes next.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    pub next_step: String,
    /// Numbers by counter of the programme.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub outcomes: Vec<OutcomeBody>,
}

/// Nothing more is needed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitReportBody {}

/// Nothing more is needed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveReportBody {}

/// Why a report is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "参加者数と成果を具体的に記載してください"}))]
pub struct ReturnReportBody {
    /// What is to be corrected.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// An evaluation of an expert's work.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expert_id": 7, "score": 5, "comment": "現場に即した助言で大変助かりました"}))]
pub struct CreateEvaluationBody {
    /// The expert.
    pub expert_id: ExpertId,
    /// From 1 (poor) to 5 (excellent).
    #[schema(minimum = 1, maximum = 5)]
    pub score: i32,
    /// In words; only the pool's owner reads it.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub comment: String,
}

/// An evaluation of an expert's work.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationView {
    /// Id.
    #[schema(minimum = 1)]
    pub id: i64,
    /// The dispatch.
    pub dispatch_id: DispatchId,
    /// The expert.
    pub expert_id: ExpertId,
    /// From 1 (poor) to 5 (excellent).
    #[schema(minimum = 1, maximum = 5, example = 5)]
    pub score: i32,
    /// In words.
    #[schema(max_length = 5000)]
    pub comment: String,
    /// Name of the person who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub created_by: Option<String>,
    /// When.
    pub created_at: UtcTime,
}

impl From<EvaluationRow> for EvaluationView {
    fn from(row: EvaluationRow) -> Self {
        Self {
            id: row.id,
            dispatch_id: row.dispatch_id,
            expert_id: row.expert_id,
            score: row.score,
            comment: row.comment,
            created_by: row.created_by,
            created_at: row.created_at,
        }
    }
}

/// The evaluations of a dispatch.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationList {
    /// In the order in which they were written.
    #[schema(max_items = 1000)]
    pub items: Vec<EvaluationView>,
}
