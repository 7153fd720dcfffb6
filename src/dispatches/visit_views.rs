//! What the API sends and takes for visits.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Party, VisitOrigin, VisitStatus, VisitVerb};
use super::visit_store::{VisitLine, VisitRow};
use crate::ids::{DispatchId, ExpertId, OfferId, OrganisationId, ProgrammeId, RequestId, VisitId};
use crate::requests::model::{ActivityKind, Mode};

/// A visit (回).
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitView {
    /// Id.
    pub id: VisitId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// The request; absent for visits of an earlier ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The dispatch; absent while the time is only held for it, and for visits of an earlier ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch_id: Option<DispatchId>,
    /// The offer by which the expert agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<OfferId>,
    /// Who goes.
    pub expert_id: ExpertId,
    /// Name of the expert.
    #[schema(max_length = 200, example = "山田 花子")]
    pub expert_name: String,
    /// The body that applied; for visits of an earlier ledger the one that received it, the first of several.
    pub applicant_organisation_id: OrganisationId,
    /// Its name.
    #[schema(max_length = 200, example = "浜松市")]
    pub applicant_name: String,
    /// Theme of the request; empty for visits of an earlier ledger.
    #[schema(max_length = 200)]
    pub theme: String,
    /// Kind of activity.
    pub activity_kind: ActivityKind,
    /// Where the record comes from.
    pub origin: VisitOrigin,
    /// State.
    pub status: VisitStatus,
    /// What the state allows.
    #[schema(max_items = 10)]
    pub allowed: Vec<VisitVerb>,
    /// Whether its day is still to be arranged (日程調整中).
    pub to_be_arranged: bool,
    /// The Japanese day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// Minute of the day at which it begins: 600 is 10:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1439, example = 600)]
    pub start_minute: Option<i32>,
    /// Minutes planned.
    #[schema(minimum = 0, maximum = 1440, example = 240)]
    pub planned_minutes: i32,
    /// Minutes of the activity itself, once done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1440, example = 250)]
    pub actual_minutes: Option<i32>,
    /// How it takes place.
    pub mode: Mode,
    /// Where; empty: not stated.
    #[schema(max_length = 200)]
    pub place: String,
    /// People who came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000)]
    pub attendees: Option<i32>,
    /// What happened.
    #[schema(max_length = 5000)]
    pub note: String,
    /// The bodies that take part.
    #[schema(max_items = 500)]
    pub participant_ids: Vec<OrganisationId>,
    /// Whose reasons called it off, or who did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_by_party: Option<Party>,
    /// Days between the word and the visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub notice_days: Option<i32>,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub cancel_reason: Option<String>,
    /// The visit that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescheduled_to_id: Option<VisitId>,
    /// Version, as in `ETag`.
    pub version: i64,
}

/// The names that stand beside a visit.
#[derive(Debug, Clone, Copy)]
pub struct VisitNames<'a> {
    /// Of the expert.
    pub expert: &'a str,
    /// Its name.
    pub applicant: &'a str,
    /// Theme of the request.
    pub theme: &'a str,
}

impl VisitView {
    /// A visit with its bodies out of all that were loaded.
    pub fn new(row: &VisitRow, names: VisitNames<'_>, participants: &[(VisitId, OrganisationId)]) -> Self {
        Self {
            id: row.id,
            programme_id: row.programme_id,
            request_id: row.request_id,
            dispatch_id: row.dispatch_id,
            offer_id: row.offer_id,
            expert_id: row.expert_id,
            expert_name: names.expert.to_owned(),
            applicant_organisation_id: row.applicant_organisation_id,
            applicant_name: names.applicant.to_owned(),
            theme: names.theme.to_owned(),
            activity_kind: row.activity_kind,
            status: row.status,
            origin: row.origin,
            allowed: if row.origin == VisitOrigin::Ledger { Vec::new() } else { row.status.verbs(row.dated()) },
            to_be_arranged: row.status.is_ahead() && !row.dated(),
            day: row.day,
            start_minute: row.start_minute,
            planned_minutes: row.planned_minutes,
            actual_minutes: row.actual_minutes,
            mode: row.mode,
            place: row.place.clone(),
            attendees: row.attendees,
            note: row.note.clone(),
            participant_ids: participants.iter().filter(|(visit, _)| *visit == row.id).map(|(_, body)| *body).collect(),
            cancelled_by_party: row.cancelled_by_party,
            notice_days: row.notice_days,
            cancel_reason: row.cancel_reason.clone(),
            rescheduled_to_id: row.rescheduled_to_id,
            version: row.version,
        }
    }

    /// A line of a list.
    pub fn of_line(line: &VisitLine, participants: &[(VisitId, OrganisationId)]) -> Self {
        let names = VisitNames { expert: &line.expert_name, applicant: &line.applicant_name, theme: &line.theme };
        Self::new(&line.visit, names, participants)
    }
}

/// A page of visits.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitPage {
    /// The visits.
    #[schema(max_items = 200)]
    pub items: Vec<VisitView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
    /// How many there are in all, when asked for with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

/// When and how a visit takes place: dated (day and start) or to be arranged (neither).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "2026-07-08", "start_minute": 600, "minutes": 240, "mode": "onsite", "place": "市役所3階"}))]
pub struct PlannedVisitBody {
    /// The Japanese day.
    pub day: Option<NaiveDate>,
    /// Minute of the day at which it begins.
    #[schema(minimum = 0, maximum = 1439)]
    pub start_minute: Option<i32>,
    /// Minutes planned.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes: i32,
    /// How it takes place.
    pub mode: Mode,
    /// Where.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub place: String,
}

/// The day and time of a visit that had none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "2026-07-08", "start_minute": 600}))]
pub struct ArrangeVisitBody {
    /// The Japanese day.
    pub day: NaiveDate,
    /// Minute of the day at which it begins.
    #[schema(minimum = 0, maximum = 1439)]
    pub start_minute: i32,
    /// Minutes planned; stay when absent.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes: Option<i32>,
    /// How it takes place; stays when absent.
    pub mode: Option<Mode>,
    /// Where; stays when absent.
    #[schema(max_length = 200)]
    pub place: Option<String>,
}

/// The new day of a visit that had one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "2026-07-15", "start_minute": 600, "party": "applicant", "reason": "議会日程の変更のため"}))]
pub struct RescheduleVisitBody {
    /// The Japanese day.
    pub day: NaiveDate,
    /// Minute of the day at which it begins.
    #[schema(minimum = 0, maximum = 1439)]
    pub start_minute: i32,
    /// Minutes planned; stay when absent.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes: Option<i32>,
    /// How it takes place; stays when absent.
    pub mode: Option<Mode>,
    /// Where; stays when absent.
    #[schema(max_length = 200)]
    pub place: Option<String>,
    /// For whose reasons.
    pub party: Party,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// What happened at a visit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"actual_minutes": 250, "attendees": 12, "mode": "onsite", "note": "業務フローを整理した"}))]
pub struct RecordVisitBody {
    /// Minutes of the activity itself, without travel.
    #[schema(minimum = 1, maximum = 1440)]
    pub actual_minutes: i32,
    /// Of these, minutes of travel, where they were recorded with it: a fee table may leave them out.
    #[schema(minimum = 0, maximum = 1440)]
    pub travel_minutes: Option<i32>,
    /// Of these, minutes of waiting.
    #[schema(minimum = 0, maximum = 1440)]
    pub waiting_minutes: Option<i32>,
    /// Of these, minutes of breaks.
    #[schema(minimum = 0, maximum = 1440)]
    pub break_minutes: Option<i32>,
    /// Kilometres one way from the expert's base, for fee tables with a surcharge by distance.
    #[schema(minimum = 0, maximum = 5000)]
    pub distance_km: Option<i32>,
    /// People who came.
    #[schema(minimum = 0, maximum = 100_000)]
    pub attendees: Option<i32>,
    /// How it took place; as planned when absent.
    pub mode: Option<Mode>,
    /// What happened.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub note: String,
    /// The bodies that took part; those of the request when absent.
    #[schema(min_items = 1, max_items = 500)]
    pub participant_ids: Option<Vec<OrganisationId>>,
}

/// A visit is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"party": "expert", "reason": "体調不良のため"}))]
pub struct CancelVisitBody {
    /// For whose reasons.
    pub party: Party,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// A party did not come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"party": "applicant", "note": "担当者が不在で実施できなかった"}))]
pub struct NoShowVisitBody {
    /// Who did not come.
    pub party: Party,
    /// What happened.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}
