//! The rules of a programme for one fiscal year: one validated document of data. No expressions: a new kind of rule is
//! a new variant with its evaluator and test.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::costs::{Component, FeeTable, PayerRatio, RemainderRule, Yen};
use crate::http::Fields;
use crate::organisations::model::OrganisationKind;
use crate::requests::model::ActivityKind;

/// Everything a programme decides for a fiscal year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeRules {
    /// Kinds of bodies that may apply.
    #[schema(min_items = 1, max_items = 14)]
    pub applicant_kinds: Vec<OrganisationKind>,
    /// Kinds of activity offered.
    #[schema(min_items = 1, max_items = 5)]
    pub activity_kinds: Vec<ActivityKind>,
    /// When requests can be submitted; empty: the whole year.
    #[schema(max_items = 50)]
    pub windows: Vec<IntakeWindow>,
    /// What a request may ask for at most.
    #[schema(max_items = 20)]
    pub limits: Vec<Limit>,
    /// The honorarium for a visit.
    pub fee_table: FeeTable,
    /// Who pays which part of a component; components that are not listed are paid by the prefecture.
    #[schema(max_items = 5)]
    pub payer_ratios: Vec<PayerRatio>,
    /// Who bears the yen that does not divide.
    pub remainder: RemainderRule,
    /// Days after the last visit within which the report is due (MIC: 7).
    #[schema(minimum = 0, maximum = 365, example = 7)]
    pub report_due_days: i32,
    /// Counters a report fills in, such as meetings, issues, ideas.
    #[schema(max_items = 20)]
    pub outcome_counters: Vec<OutcomeCounter>,
    /// Money available in the year, in yen; absent: not limited by this programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_i64, nullable = false)]
    pub budget_yen: Option<Yen>,
    /// Minutes kept free before and after a visit on site.
    #[schema(minimum = 0, maximum = 720, example = 60)]
    pub travel_buffer_minutes: i32,
    /// Hours an expert has to answer an offer.
    #[schema(minimum = 1, maximum = 2160, example = 168)]
    pub offer_valid_hours: i32,
    /// Whether the person who decides must be another than the one who proposed (made the offer).
    pub decider_differs_from_proposer: bool,
    /// Whether amounts are kept from everybody but the pool's owner.
    pub amounts_undisclosed: bool,
    /// Rules of long placements, where the programme has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub postings: Option<PostingRules>,
}

/// A period in which requests can be submitted: `opens_at <= t < closes_at`. "Until 15:00" closes at 15:00:00.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntakeWindow {
    /// First instant.
    pub opens_at: UtcTime,
    /// First instant that is too late.
    pub closes_at: UtcTime,
}

/// What one request may ask for at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Limit {
    /// Days on site (地域情報化アドバイザー: 3).
    #[schema(title = "LimitOnsiteDays")]
    OnsiteDays {
        /// Most days.
        #[schema(minimum = 1, maximum = 366)]
        max: i32,
    },
    /// Minutes of a request that is online only (地域情報化アドバイザー: 600).
    #[schema(title = "LimitOnlineMinutes")]
    OnlineMinutes {
        /// Most minutes.
        #[schema(minimum = 15, maximum = 100_000)]
        max: i32,
    },
    /// The same body, the same theme and the same expert at most so often in a fiscal year.
    #[schema(title = "LimitSameThemeAndExpert")]
    SameThemeAndExpert {
        /// Most dispatches.
        #[schema(minimum = 1, maximum = 100)]
        max_per_year: i32,
    },
    /// Visits of one request.
    #[schema(title = "LimitVisits")]
    Visits {
        /// Most visits.
        #[schema(minimum = 1, maximum = 100)]
        max: i32,
    },
    /// Minutes of one visit.
    #[schema(title = "LimitMinutesPerVisit")]
    MinutesPerVisit {
        /// Most minutes.
        #[schema(minimum = 15, maximum = 1440)]
        max: i32,
    },
    /// Requests of one body in a fiscal year that are neither rejected, withdrawn nor cancelled.
    #[schema(title = "LimitRequestsPerYear")]
    RequestsPerYear {
        /// Most requests.
        #[schema(minimum = 1, maximum = 1000)]
        max: i32,
    },
}

/// A number that reports of the programme carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeCounter {
    /// Stable code: lower-case letters, digits and underscores.
    #[schema(max_length = 40, pattern = "^[a-z][a-z0-9_]*$", example = "issues")]
    pub code: String,
    /// What is counted.
    #[schema(max_length = 100, example = "抽出した課題")]
    pub label: String,
}

/// Rules of long placements (配属).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostingRules {
    /// Most people placed with one host at the same time.
    #[schema(minimum = 1, maximum = 100, example = 2)]
    pub places_per_host: i32,
    /// Longest placement in months; absent: not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 120, nullable = false)]
    pub longest_months: Option<i32>,
}

impl ProgrammeRules {
    /// Every value that breaks a rule of the document itself, under `base`.
    pub fn validate(&self, base: &str, fiscal_year: FiscalYear, fields: &mut Fields) {
        let at = |part: &str| format!("{base}/{part}");
        fields.check(
            !self.applicant_kinds.is_empty(),
            at("applicant_kinds"),
            "required",
            "1つ以上選んでください",
            "Choose at least one",
        );
        fields.check(
            !self.activity_kinds.is_empty() || self.postings.is_some(),
            at("activity_kinds"),
            "required",
            "1つ以上選んでください",
            "Choose at least one",
        );
        fields.at_most(&at("windows"), self.windows.len(), 50);
        for (i, window) in self.windows.iter().enumerate() {
            fields.check(
                window.opens_at < window.closes_at,
                at(&format!("windows/{i}/closes_at")),
                "before_start",
                "締切は受付開始より後にしてください",
                "Must be after the opening",
            );
        }
        for (i, limit) in self.limits.iter().enumerate() {
            let pointer = at(&format!("limits/{i}"));
            match limit {
                Limit::OnsiteDays { max } => fields.within(&pointer, i64::from(*max), 1, 366),
                Limit::OnlineMinutes { max } => fields.within(&pointer, i64::from(*max), 15, 100_000),
                Limit::SameThemeAndExpert { max_per_year } => fields.within(&pointer, i64::from(*max_per_year), 1, 100),
                Limit::Visits { max } => fields.within(&pointer, i64::from(*max), 1, 100),
                Limit::MinutesPerVisit { max } => fields.within(&pointer, i64::from(*max), 15, 1440),
                Limit::RequestsPerYear { max } => fields.within(&pointer, i64::from(*max), 1, 1000),
            }
        }
        for problem in self.fee_table.validate() {
            fields.wrong(at(&format!("fee_table{}", problem.pointer)), problem.code, problem.detail_ja, problem.detail_en);
        }
        let mut seen: Vec<Component> = Vec::new();
        for (i, ratio) in self.payer_ratios.iter().enumerate() {
            let pointer = at(&format!("payer_ratios/{i}"));
            if let Err(error) = ratio.validate() {
                fields.wrong(&pointer, error.code(), error.to_string(), error.detail_en());
            }
            fields.check(
                !seen.contains(&ratio.component),
                pointer,
                "duplicate",
                "同じ費目が重なっています",
                "The component is listed twice",
            );
            seen.push(ratio.component);
        }
        fields.within(&at("report_due_days"), i64::from(self.report_due_days), 0, 365);
        fields.within(&at("travel_buffer_minutes"), i64::from(self.travel_buffer_minutes), 0, 720);
        fields.within(&at("offer_valid_hours"), i64::from(self.offer_valid_hours), 1, 2160);
        let mut codes: Vec<&str> = Vec::new();
        for (i, counter) in self.outcome_counters.iter().enumerate() {
            let pointer = at(&format!("outcome_counters/{i}/code"));
            let right = counter.code.starts_with(|c: char| c.is_ascii_lowercase())
                && counter.code.len() <= 40
                && counter.code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            fields.check(
                right,
                pointer.clone(),
                "malformed",
                "英小文字で始まる英数字と_で40文字以内にしてください",
                "Use lower-case letters, digits and _",
            );
            fields.check(
                !codes.contains(&counter.code.as_str()),
                pointer,
                "duplicate",
                "コードが重なっています",
                "The code is used twice",
            );
            codes.push(&counter.code);
            fields.line(&at(&format!("outcome_counters/{i}/label")), &counter.label, 100);
        }
        if let Some(budget) = self.budget_yen {
            fields.check(
                !budget.is_negative(),
                at("budget_yen"),
                "out_of_range",
                "0円以上にしてください",
                "Must not be negative",
            );
        }
        if let Some(postings) = &self.postings {
            fields.within(&at("postings/places_per_host"), i64::from(postings.places_per_host), 1, 100);
            if let Some(months) = postings.longest_months {
                fields.within(&at("postings/longest_months"), i64::from(months), 1, 120);
            }
        }
        let _ = fiscal_year;
    }

    /// Whether requests can be submitted at an instant.
    pub fn is_open_at(&self, instant: UtcTime) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.opens_at <= instant && instant < window.closes_at)
    }

    /// The ratio for a component; the prefecture pays what is not listed.
    pub fn ratio(&self, component: Component) -> PayerRatio {
        self.payer_ratios
            .iter()
            .copied()
            .find(|ratio| ratio.component == component)
            .unwrap_or(PayerRatio { component, parts: crate::costs::PayerParts { prefecture: 1, municipality: 0 } })
    }
}
