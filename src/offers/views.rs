//! What the API sends and takes for offers.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{AnsweredVia, DeclineReason, OfferStatus, OfferVerb, OfferedVisit};
use super::store::{OfferRecord, OfferVisitRow};
use crate::clock::UtcTime;
use crate::dispatches::model::Party;
use crate::ids::{ExpertId, OfferId, OrganisationId, RequestId};
use crate::requests::model::Mode;

/// A visit of an offer. Without day and start it is to be arranged within the requested period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferVisitView {
    /// The Japanese day; absent: to be arranged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub day: Option<NaiveDate>,
    /// When it begins, in minutes of the day in Japan.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1439, example = 810)]
    pub start_minute: Option<i32>,
    /// How long it lasts, in minutes.
    #[schema(minimum = 15, maximum = 1440, example = 120)]
    pub minutes: i32,
    /// How it takes place.
    pub mode: Mode,
    /// Where.
    #[schema(max_length = 200, example = "浜松市役所 5階会議室")]
    pub place: String,
}

impl From<&OfferVisitRow> for OfferVisitView {
    fn from(row: &OfferVisitRow) -> Self {
        Self { day: row.day, start_minute: row.start_minute, minutes: row.minutes, mode: row.mode, place: row.place.clone() }
    }
}

/// An offer to one expert (専門家への依頼).
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferView {
    /// Id.
    pub id: OfferId,
    /// The request it is for.
    pub request_id: RequestId,
    /// Theme of the request.
    #[schema(max_length = 200, example = "自治体DX推進計画の見直し")]
    pub theme: String,
    /// Who applied.
    pub applicant_organisation_id: OrganisationId,
    /// Name of the applicant.
    #[schema(max_length = 200, example = "浜松市")]
    pub applicant_name: String,
    /// The expert asked.
    pub expert_id: ExpertId,
    /// Name of the expert.
    #[schema(max_length = 200, example = "山田 太郎")]
    pub expert_name: String,
    /// Place in the order of preference, from 1.
    #[schema(minimum = 1, maximum = 20, example = 1)]
    pub rank: i32,
    /// Where it stands.
    pub status: OfferStatus,
    /// A word of the coordinator.
    #[schema(max_length = 2000)]
    pub message: String,
    /// Hours the expert has to answer.
    #[schema(minimum = 1, maximum = 2160, example = 168)]
    pub valid_hours: i32,
    /// The visits asked for, or accepted.
    #[schema(min_items = 1, max_items = 100)]
    pub visits: Vec<OfferVisitView>,
    /// The visits the expert proposed instead; empty when there is no such proposal.
    #[schema(max_items = 100)]
    pub proposed_visits: Vec<OfferVisitView>,
    /// When it was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sent_at: Option<UtcTime>,
    /// First instant that is too late for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<UtcTime>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub answered_at: Option<UtcTime>,
    /// How the answer arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub answered_via: Option<AnsweredVia>,
    /// Why the expert does not go.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decline_reason: Option<DeclineReason>,
    /// What the expert wrote.
    #[schema(max_length = 2000)]
    pub answer_note: String,
    /// What can be done to it now, by those who may.
    #[schema(max_items = 7)]
    pub allowed: Vec<OfferVerb>,
    /// Version, as in `ETag`.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

impl OfferView {
    /// The view of an offer; `visits` may hold those of other offers too.
    pub fn new(record: OfferRecord, visits: &[OfferVisitRow], now: UtcTime) -> Self {
        let OfferRecord { offer, expert_name, applicant_organisation_id, applicant_name, theme, .. } = record;
        let of = |proposed: bool| {
            let own = visits.iter().filter(move |visit| visit.offer_id == offer.id && visit.proposed == proposed);
            own.map(OfferVisitView::from).collect()
        };
        Self {
            id: offer.id,
            request_id: offer.request_id,
            theme,
            applicant_organisation_id,
            applicant_name,
            expert_id: offer.expert_id,
            expert_name,
            rank: offer.rank,
            status: offer.status,
            message: offer.message,
            valid_hours: offer.valid_hours,
            visits: of(false),
            proposed_visits: of(true),
            sent_at: offer.sent_at,
            expires_at: offer.expires_at,
            answered_at: offer.answered_at,
            answered_via: offer.answered_via,
            decline_reason: offer.answer_reason_code,
            answer_note: offer.answer_note,
            allowed: offer.status.at(offer.expires_at, now).verbs(),
            version: offer.version,
            created_at: offer.created_at,
            updated_at: offer.updated_at,
        }
    }
}

/// A page of offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferPage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<OfferView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    pub next_cursor: Option<String>,
}

/// The offers of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferList {
    /// In the order of preference.
    #[schema(max_items = 20)]
    pub items: Vec<OfferView>,
}

/// A visit to ask for or to propose. Day and start belong together; without both it is to be arranged.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": "2026-06-18", "start_minute": 810, "minutes": 120, "mode": "onsite", "place": "浜松市役所 5階会議室"}))]
pub struct OfferVisitBody {
    /// The Japanese day; absent: to be arranged.
    pub day: Option<NaiveDate>,
    /// When it begins, in minutes of the day in Japan.
    #[schema(minimum = 0, maximum = 1439)]
    pub start_minute: Option<i32>,
    /// How long it lasts, in minutes.
    #[schema(minimum = 15, maximum = 1440)]
    pub minutes: i32,
    /// How it takes place.
    pub mode: Mode,
    /// Where.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub place: String,
}

impl From<OfferVisitBody> for OfferedVisit {
    fn from(body: OfferVisitBody) -> Self {
        Self { day: body.day, start_minute: body.start_minute, minutes: body.minutes, mode: body.mode, place: body.place }
    }
}

/// An offer to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expert_id": 5, "visits": [{"day": "2026-06-18", "start_minute": 810, "minutes": 120, "mode": "onsite",
    "place": "浜松市役所 5階会議室"}, {"minutes": 60, "mode": "online"}], "message": "よろしくお願いいたします。", "queue": false}))]
pub struct CreateOfferBody {
    /// Whom to ask: registered in the programme's pool and appointed over the visits.
    pub expert_id: ExpertId,
    /// The visits to ask for.
    #[schema(min_items = 1, max_items = 100)]
    pub visits: Vec<OfferVisitBody>,
    /// A word to the expert.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub message: String,
    /// Hours the expert has to answer; the programme's rule when absent. An offer never outlives the beginning of its
    /// first dated visit.
    #[schema(minimum = 1, maximum = 2160)]
    pub valid_hours: Option<i32>,
    /// Wait until the offers before it have been declined or have expired, then go out automatically. With nothing to
    /// wait for it goes out at once.
    #[serde(default)]
    pub queue: bool,
    /// Why the expert is asked although a conflict of interest with the applicant is on record; auditors see it.
    #[schema(min_length = 1, max_length = 1000)]
    pub conflict_override_reason: Option<String>,
}

/// Taking an offer back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "申請団体の都合により日程が変わったため"}))]
pub struct WithdrawOfferBody {
    /// Why; the office's record, not sent to the expert.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
    /// For whose reasons held visits are released, when the expert had accepted; the office's own when absent.
    pub party: Option<Party>,
}

/// Sending an offer that waits in the queue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendOfferBody {}

/// Taking the proposed dates: the expert is asked again with them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeDatesBody {
    /// A new word to the expert; the old one stays when absent.
    #[schema(max_length = 2000)]
    pub message: Option<String>,
    /// Hours the expert has to answer; as before when absent.
    #[schema(minimum = 1, maximum = 2160)]
    pub valid_hours: Option<i32>,
}

/// Accepting an offer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptOfferBody {
    /// A word to the office.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// Declining an offer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason_code": "schedule", "note": "6月は出張が続くため"}))]
pub struct DeclineOfferBody {
    /// Why.
    pub reason_code: DeclineReason,
    /// A word to the office.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}

/// Proposing other dates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeDatesBody {
    /// All visits as the expert could make them.
    #[schema(min_items = 1, max_items = 100)]
    pub visits: Vec<OfferVisitBody>,
    /// A word to the office.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: String,
}
