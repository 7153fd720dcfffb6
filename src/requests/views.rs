//! What the API sends and takes for requests. Messages and attachments have their own.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::children::WishedDateRow;
use super::model::{ActivityKind, Mode, Origin, ReasonCode, RequestStatus, RequestVerb, Stage};
use crate::clock::UtcTime;
use crate::ids::{ExpertId, OrganisationId, ProgrammeId, RequestId, SkillItemId, UserId};

/// A request in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestSummary {
    /// Id.
    pub id: RequestId,
    /// The programme it asks.
    pub programme_id: ProgrammeId,
    /// Starting year of its fiscal year (R8 = 2026).
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// For whom it is; with joint applicants the lead body.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "三宅町")]
    pub applicant_name: String,
    /// Who began.
    pub origin: Origin,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Theme.
    #[schema(max_length = 200, example = "窓口業務の見直しと電子申請の導入")]
    pub theme: String,
    /// How the expert takes part.
    pub mode: Mode,
    /// First day of the requested period.
    pub period_from: NaiveDate,
    /// Last day of the requested period.
    pub period_to: NaiveDate,
    /// Visits asked for.
    #[schema(minimum = 1, maximum = 100)]
    pub visit_count: i32,
    /// Minutes of each visit.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes_per_visit: i32,
    /// The stored state.
    pub status: RequestStatus,
    /// Where it stands, refined by offers, visits and reports.
    pub stage: Stage,
    /// When it first reached the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<UtcTime>,
    /// Changed.
    pub updated_at: UtcTime,
}

/// A page of requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestPage {
    /// The requests.
    #[schema(max_items = 200)]
    pub items: Vec<RequestSummary>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
    /// How many requests the filters leave, when `include_total` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

/// A request (派遣申請).
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestView {
    /// Id.
    pub id: RequestId,
    /// The programme it asks.
    pub programme_id: ProgrammeId,
    /// Starting year of its fiscal year (R8 = 2026).
    #[schema(minimum = 2000, maximum = 2100, example = 2026)]
    pub fiscal_year: i32,
    /// Owner of the programme's pool: who reviews it.
    pub owner_organisation_id: OrganisationId,
    /// For whom it is; with joint applicants the lead body.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "三宅町")]
    pub applicant_name: String,
    /// Who wrote it, if not the applicant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed_by_organisation_id: Option<OrganisationId>,
    /// The person who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed_by_user_id: Option<UserId>,
    /// Who began.
    pub origin: Origin,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Theme.
    #[schema(max_length = 200, example = "窓口業務の見直しと電子申請の導入")]
    pub theme: String,
    /// Background and issue.
    #[schema(max_length = 5000)]
    pub background: String,
    /// What is to be reached.
    #[schema(max_length = 5000)]
    pub goal: String,
    /// How the expert takes part.
    pub mode: Mode,
    /// First day of the requested period.
    pub period_from: NaiveDate,
    /// Last day of the requested period.
    pub period_to: NaiveDate,
    /// Visits asked for.
    #[schema(minimum = 1, maximum = 100)]
    pub visit_count: i32,
    /// Minutes of each visit.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes_per_visit: i32,
    /// Where.
    #[schema(max_length = 200)]
    pub place: String,
    /// Who will attend.
    #[schema(max_length = 500)]
    pub audience: String,
    /// How many will attend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000)]
    pub audience_count: Option<i32>,
    /// Equipment at the place.
    #[schema(max_length = 1000)]
    pub equipment: String,
    /// Section in charge.
    #[schema(max_length = 200)]
    pub department: String,
    /// Person in charge.
    #[schema(max_length = 200)]
    pub contact_name: String,
    /// Address of the person in charge; experts see it once they have accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    pub contact_email: Option<String>,
    /// Telephone of the person in charge; experts see it once they have accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 50)]
    pub contact_phone: Option<String>,
    /// The choice of the expert is left to the office (事務局一任).
    pub leave_to_office: bool,
    /// Preferred experts, first choice first; not shown to experts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub preferred_experts: Option<Vec<PreferredExpertView>>,
    /// Wished dates, first wish first.
    #[schema(max_items = 20)]
    pub wished_dates: Vec<WishedDate>,
    /// Skills asked for, required ones first.
    #[schema(max_items = 20)]
    pub required_skills: Vec<RequestSkillView>,
    /// The bodies that take part, the lead first.
    #[schema(max_items = 201)]
    pub participants: Vec<ParticipantView>,
    /// How the applicants want to divide the cost; not shown to experts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub budget_note: Option<String>,
    /// The place lies on a remote island (離島): nobody comes to it who does not go to islands.
    pub on_island: bool,
    /// Languages that whoever comes has to speak; none is no demand.
    #[schema(max_items = 10, example = json!(["en"]))]
    pub languages: Vec<String>,
    /// How many experts go as a team; 1 is no team.
    #[schema(minimum = 1, maximum = 5, example = 1)]
    pub experts_needed: i32,
    /// The members of the team take the visits in turn instead of all coming each time.
    pub rotation: bool,
    /// Bodies with an interest in the outcome, such as bidders, by id; for the applicant and the programme's office.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub interested_organisation_ids: Option<Vec<OrganisationId>>,
    /// The stored state.
    pub status: RequestStatus,
    /// Where it stands, refined by offers, visits and reports.
    pub stage: Stage,
    /// What the asking party can do now.
    #[schema(max_items = 20)]
    pub allowed: Vec<RequestVerb>,
    /// The coded reason of the last return, refusal and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ReasonCode>,
    /// The reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// When it first reached the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<UtcTime>,
    /// The request it was copied from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied_from_id: Option<RequestId>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

/// A wished date, with or without a time of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "2026-06-10", "start_minute": 780, "end_minute": 900}))]
pub struct WishedDate {
    /// The day, within the period.
    pub day: NaiveDate,
    /// From this minute of the day (780 = 13:00); absent together with `end_minute`: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1439, nullable = false)]
    pub start_minute: Option<i32>,
    /// Until this minute of the day (1440 = midnight).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1440, nullable = false)]
    pub end_minute: Option<i32>,
}

impl From<WishedDateRow> for WishedDate {
    fn from(row: WishedDateRow) -> Self {
        Self { day: row.day, start_minute: row.start_minute, end_minute: row.end_minute }
    }
}

/// A preferred expert.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreferredExpertView {
    /// The expert.
    pub expert_id: ExpertId,
    /// Name.
    #[schema(max_length = 200)]
    pub name: String,
}

/// A skill that is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestSkillView {
    /// The item of a skill framework.
    pub skill_item_id: SkillItemId,
    /// Its name.
    #[schema(max_length = 200)]
    pub name: String,
    /// The level from which on it is met.
    #[schema(minimum = 1, maximum = 10)]
    pub min_level: i32,
    /// Whether it excludes those who lack it; otherwise it is welcome.
    pub must: bool,
    /// Required skills with the same number are alternatives: one of them is enough. Absent: it stands for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 20)]
    pub alternative_group: Option<i32>,
    /// Whether a level that was only claimed does not count.
    pub verified_only: bool,
}

/// A body that takes part.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantView {
    /// The body.
    pub organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200)]
    pub name: String,
    /// Whether it is the applicant.
    pub is_lead: bool,
    /// When it agreed; absent: not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented_at: Option<UtcTime>,
}

/// A skill to ask for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSkillBody {
    /// The item of a skill framework.
    pub skill_item_id: SkillItemId,
    /// The level from which on it is met, at most the framework's highest.
    #[schema(minimum = 1, maximum = 10)]
    pub min_level: i32,
    /// Whether it excludes those who lack it.
    pub must: bool,
    /// Required skills with the same number are alternatives: one of them is enough. Only with `must`.
    #[schema(minimum = 1, maximum = 20)]
    pub alternative_group: Option<i32>,
    /// Whether a level that was only claimed, not confirmed by somebody else, does not count. Only with `must`.
    #[serde(default)]
    pub verified_only: bool,
}

fn one() -> i32 {
    1
}

/// A new request, kept as a draft.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": 1, "activity_kind": "visit", "theme": "窓口業務の見直しと電子申請の導入",
    "background": "来庁者の待ち時間が長く、職員の負担も大きい。", "goal": "電子申請の対象手続と業務の流れを決める。",
    "mode": "onsite", "period_from": "2026-06-01", "period_to": "2026-09-30", "visit_count": 3, "minutes_per_visit": 120,
    "place": "三宅町役場", "audience": "総務課・住民課", "audience_count": 12,
    "wished_dates": [{"day": "2026-06-10", "start_minute": 780, "end_minute": 900}], "leave_to_office": true
}))]
pub struct CreateRequestBody {
    /// The programme.
    pub programme_id: ProgrammeId,
    /// For whom, when the office files it for a body; the own organisation when absent.
    pub applicant_organisation_id: Option<OrganisationId>,
    /// `offered` when the pool's owner opens it for many bodies: the owner is the applicant, the others take part.
    pub origin: Option<Origin>,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Theme.
    #[schema(min_length = 1, max_length = 200)]
    pub theme: String,
    /// Background and issue.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub background: String,
    /// What is to be reached.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub goal: String,
    /// How the expert takes part.
    pub mode: Mode,
    /// First day of the requested period.
    pub period_from: NaiveDate,
    /// Last day of the requested period.
    pub period_to: NaiveDate,
    /// Visits asked for.
    #[schema(minimum = 1, maximum = 100)]
    pub visit_count: i32,
    /// Minutes of each visit.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes_per_visit: i32,
    /// Where.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub place: String,
    /// Who will attend.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub audience: String,
    /// How many will attend.
    #[schema(minimum = 0, maximum = 100_000)]
    pub audience_count: Option<i32>,
    /// Equipment at the place.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub equipment: String,
    /// Section in charge.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub department: String,
    /// Person in charge.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub contact_name: String,
    /// Address of the person in charge; empty: none.
    #[serde(default)]
    #[schema(max_length = 254)]
    pub contact_email: String,
    /// Telephone of the person in charge.
    #[serde(default)]
    #[schema(max_length = 50)]
    pub contact_phone: String,
    /// Wished dates, first wish first; none: to be arranged within the period.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub wished_dates: Vec<WishedDate>,
    /// Skills asked for.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub required_skills: Vec<RequestSkillBody>,
    /// Preferred experts of the pool, first choice first.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub preferred_expert_ids: Vec<ExpertId>,
    /// Leaves the choice to the office (事務局一任); by default so when no expert is preferred.
    pub leave_to_office: Option<bool>,
    /// The other bodies of a joint request; the applicant is the lead and not listed.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub participant_organisation_ids: Vec<OrganisationId>,
    /// How the applicants want to divide the cost.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub budget_note: String,
    /// The place lies on a remote island (離島): nobody comes to it who does not go to islands.
    #[serde(default)]
    pub on_island: bool,
    /// Languages that whoever comes has to speak; none is no demand.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub languages: Vec<String>,
    /// How many experts go as a team; 1 is no team.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 5)]
    pub experts_needed: i32,
    /// The members of the team take the visits in turn instead of all coming each time; needs at least two.
    #[serde(default)]
    pub rotation: bool,
    /// Bodies with an interest in the outcome, such as bidders: no expert who is bound to one of them is to come.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub interested_organisation_ids: Vec<OrganisationId>,
}

/// Changes to a draft or returned request; what is absent stays, a list that is given replaces the whole list.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"period_to": "2026-10-31", "wished_dates": [{"day": "2026-10-07"}]}))]
pub struct UpdateRequestBody {
    /// Kind of activity.
    pub activity_kind: Option<ActivityKind>,
    /// Theme.
    #[schema(min_length = 1, max_length = 200)]
    pub theme: Option<String>,
    /// Background and issue.
    #[schema(max_length = 5000)]
    pub background: Option<String>,
    /// What is to be reached.
    #[schema(max_length = 5000)]
    pub goal: Option<String>,
    /// How the expert takes part.
    pub mode: Option<Mode>,
    /// First day of the requested period.
    pub period_from: Option<NaiveDate>,
    /// Last day of the requested period.
    pub period_to: Option<NaiveDate>,
    /// Visits asked for.
    #[schema(minimum = 1, maximum = 100)]
    pub visit_count: Option<i32>,
    /// Minutes of each visit.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes_per_visit: Option<i32>,
    /// Where.
    #[schema(max_length = 200)]
    pub place: Option<String>,
    /// Who will attend.
    #[schema(max_length = 500)]
    pub audience: Option<String>,
    /// How many will attend.
    #[schema(minimum = 0, maximum = 100_000)]
    pub audience_count: Option<i32>,
    /// Equipment at the place.
    #[schema(max_length = 1000)]
    pub equipment: Option<String>,
    /// Section in charge.
    #[schema(max_length = 200)]
    pub department: Option<String>,
    /// Person in charge.
    #[schema(max_length = 200)]
    pub contact_name: Option<String>,
    /// Address of the person in charge; empty: none.
    #[schema(max_length = 254)]
    pub contact_email: Option<String>,
    /// Telephone of the person in charge.
    #[schema(max_length = 50)]
    pub contact_phone: Option<String>,
    /// Wished dates, first wish first.
    #[schema(max_items = 20)]
    pub wished_dates: Option<Vec<WishedDate>>,
    /// Skills asked for.
    #[schema(max_items = 20)]
    pub required_skills: Option<Vec<RequestSkillBody>>,
    /// Preferred experts of the pool, first choice first.
    #[schema(max_items = 20)]
    pub preferred_expert_ids: Option<Vec<ExpertId>>,
    /// Leaves the choice to the office.
    pub leave_to_office: Option<bool>,
    /// The other bodies of a joint request.
    #[schema(max_items = 200)]
    pub participant_organisation_ids: Option<Vec<OrganisationId>>,
    /// How the applicants want to divide the cost.
    #[schema(max_length = 2000)]
    pub budget_note: Option<String>,
    /// The place lies on a remote island (離島).
    pub on_island: Option<bool>,
    /// Languages that whoever comes has to speak; an empty list is no demand.
    #[schema(max_items = 10)]
    pub languages: Option<Vec<String>>,
    /// How many experts go as a team; 1 is no team.
    #[schema(minimum = 1, maximum = 5)]
    pub experts_needed: Option<i32>,
    /// The members of the team take the visits in turn instead of all coming each time; needs at least two.
    pub rotation: Option<bool>,
    /// Bodies with an interest in the outcome, such as bidders.
    #[schema(max_items = 50)]
    pub interested_organisation_ids: Option<Vec<OrganisationId>>,
}
