//! What the API sends of an office's day.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::UtcTime;

crate::text_enum! {
    /// A part of an office's day.
    pub enum TodayPart {
        /// Requests that arrived and are to be reviewed.
        RequestsToReview = "requests_to_review", "審査する申請";
        /// Accepted requests for which nobody is asked.
        CandidatesToPropose = "candidates_to_propose", "候補者を選ぶ申請";
        /// Offers that wait for an answer, or for the office's answer to other dates.
        OffersUnanswered = "offers_unanswered", "回答待ちの打診";
        /// Requests with an accepted offer that are to be decided.
        DecisionsToMake = "decisions_to_make", "決定する派遣";
        /// Visits of this week, Monday to Sunday, that are ahead.
        VisitsThisWeek = "visits_this_week", "今週の訪問";
        /// Reports whose last day has passed.
        ReportsOverdue = "reports_overdue", "期限を過ぎた報告";
        /// Reports that are in and to be confirmed.
        ReportsToReview = "reports_to_review", "確認する報告";
        /// Experts whose load has reached 80 % of what is agreed.
        ExpertsNearLimit = "experts_near_limit", "上限に近い専門家";
        /// Programmes of whose money 80 % or more is bound.
        BudgetsNearLimit = "budgets_near_limit", "予算の残りが少ない事業";
        /// Mails that could not be delivered.
        MailsParked = "mails_parked", "届かなかったメール";
    }
}

/// What an office has to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TodayView {
    /// The day.
    pub day: NaiveDate,
    /// Notices the person has not read.
    #[schema(minimum = 0)]
    pub unread_notices: i64,
    /// Every part, those with nothing to do too.
    #[schema(min_items = 10, max_items = 10)]
    pub parts: Vec<TodaySection>,
}

/// One part of the day.
#[derive(Debug, Serialize, ToSchema)]
pub struct TodaySection {
    /// Which.
    pub part: TodayPart,
    /// What it is called.
    #[schema(max_length = 60, example = "審査する申請")]
    pub label: String,
    /// How many there are in all.
    #[schema(minimum = 0)]
    pub count: i64,
    /// The most urgent ones.
    #[schema(max_items = 10)]
    pub items: Vec<TodayItem>,
    /// The API list that holds them all.
    #[schema(max_length = 300, example = "/api/v1/requests?stage=submitted")]
    pub path: String,
}

/// Something to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TodayItem {
    /// Kind of object.
    #[schema(max_length = 40, example = "request")]
    pub entity_kind: String,
    /// The object.
    pub entity_id: i64,
    /// What it is called.
    #[schema(max_length = 300, example = "窓口業務の見直し")]
    pub title: String,
    /// Who or what else: the body, the expert, the amount.
    #[schema(max_length = 300, example = "掛川市")]
    pub detail: String,
    /// Since when it waits, or until when it is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcTime>,
    /// The day it is due or takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// Load or bound money in percent of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub percent: Option<i64>,
    /// Its page.
    #[schema(max_length = 300, example = "/requests/12")]
    pub path: String,
}
