//! The rules of a programme for one fiscal year: one validated document of data. No expressions: a new kind of rule is
//! a new variant with its evaluator and test.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::matching::MatchingRules;
use super::surveys::SurveyRule;
use crate::clock::UtcTime;
use crate::costs::{Component, FeeTable, MoneyError, Payer, PayerRule, Ratio, SharingTerms, TravelRule, Yen, validate_rules};
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
    /// Who pays which kind of cost (負担区分). Parts of travel that are not listed follow `travel`; everything else that is
    /// not listed is paid by the prefecture.
    #[schema(max_items = 15)]
    pub payers: Vec<PayerRule>,
    /// How several hosts divide what they bear, unless an agreement of a request says otherwise; absent: the lead body bears
    /// it for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sharing: Option<SharingTerms>,
    /// Travel rules by the day of departure; empty: travel is entered as it was paid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub travel_rules: Vec<TravelRule>,
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
    /// Most money of the year for the requests of one body, in yen; absent: not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_i64, nullable = false)]
    pub budget_per_body_yen: Option<Yen>,
    /// In which order requests are accepted while a budget is limited.
    #[serde(default)]
    pub intake: Intake,
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
    /// The catalogue of service menus (支援メニュー) that bodies order, where the programme has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub menus: Vec<ServiceMenu>,
    /// What the national government presumably returns by the special allocation tax (特別交付税): a memo, never a payer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub allocation_tax: Vec<AllocationTaxRule>,
    /// Rules of long placements, where the programme has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub postings: Option<PostingRules>,
    /// What is asked in the fiscal year after the work, where the programme does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub survey: Option<SurveyRule>,
    /// How experts are found.
    #[serde(default)]
    pub matching: MatchingRules,
}

/// In which order requests are accepted while a budget is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intake {
    /// 先着順: nobody is accepted before a request that arrived earlier and for which the money reaches.
    #[default]
    FirstCome,
    /// 締切後に一括審査: the office may choose among all that arrived.
    Batch,
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

/// A service that bodies order from a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceMenu {
    /// Stable code: lower-case letters, digits and underscores.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z][a-z0-9_]*$", example = "bpr")]
    pub code: String,
    /// Name.
    #[schema(min_length = 1, max_length = 200, example = "業務改革（BPR）支援")]
    pub name: String,
    /// Yen for one; absent: by quotation, entered with each order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_i64, nullable = false, example = 1_091_000)]
    pub unit_price_yen: Option<Yen>,
    /// Whether the price is published as approximate (約): what is reckoned from it stays approximate.
    #[serde(default)]
    pub approximate: bool,
    /// Whether the price is without consumption tax (税抜).
    #[serde(default)]
    pub tax_excluded: bool,
    /// The vendor, once one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, nullable = false)]
    pub vendor_organisation_id: Option<i64>,
}

/// What share of a cost the special allocation tax presumably returns. It is general revenue received later: shown as an
/// estimate with its source, and never part of who pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationTaxRule {
    /// What it is for.
    #[schema(min_length = 1, max_length = 200, example = "受入れに要する負担金")]
    pub label: String,
    /// Kinds of cost it looks at.
    #[schema(min_items = 1, max_items = 15)]
    pub components: Vec<Component>,
    /// Whose part of them.
    pub payer: Payer,
    /// Above the line.
    #[schema(minimum = 1, maximum = 10_000, example = 7)]
    pub numerator: u32,
    /// Below the line.
    #[schema(minimum = 1, maximum = 10_000, example = 10)]
    pub denominator: u32,
    /// Most yen of cost it looks at in a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_i64, nullable = false)]
    pub cap_yen: Option<Yen>,
    /// Where it stands.
    #[schema(min_length = 1, max_length = 500)]
    pub source: String,
}

impl AllocationTaxRule {
    /// The estimate for a year's cost of its kinds, fractions of a yen cut.
    ///
    /// # Errors
    /// [`MoneyError`] for a rule that is not sound.
    pub fn estimate(&self, cost: Yen) -> Result<Yen, MoneyError> {
        let counted = self.cap_yen.map_or(cost, |cap| cost.min(cap));
        Ratio::new(u64::from(self.numerator), u64::from(self.denominator))?.floor_of(counted)
    }
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
    /// Days a month that are agreed (長井市: 4): the first day above is told to the office, not refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31, nullable = false)]
    pub days_a_month: Option<i32>,
}

/// A stable code that no earlier one of its list has.
fn check_code<'a>(fields: &mut Fields, pointer: String, code: &'a str, earlier: &mut Vec<&'a str>) {
    let right = code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.len() <= 40
        && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    fields.check(
        right,
        pointer.clone(),
        "malformed",
        "英小文字で始まる英数字と_で40文字以内にしてください",
        "Use lower-case letters, digits and _",
    );
    fields.check(!earlier.contains(&code), pointer, "duplicate", "コードが重なっています", "The code is used twice");
    earlier.push(code);
}

impl ProgrammeRules {
    /// Every value that breaks a rule of the document itself, under `base`.
    pub fn validate(&self, base: &str, fields: &mut Fields) {
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
        self.validate_money(&at, fields);
        fields.within(&at("report_due_days"), i64::from(self.report_due_days), 0, 365);
        fields.within(&at("travel_buffer_minutes"), i64::from(self.travel_buffer_minutes), 0, 720);
        fields.within(&at("offer_valid_hours"), i64::from(self.offer_valid_hours), 1, 2160);
        let mut codes: Vec<&str> = Vec::new();
        for (i, counter) in self.outcome_counters.iter().enumerate() {
            check_code(fields, at(&format!("outcome_counters/{i}/code")), &counter.code, &mut codes);
            fields.line(&at(&format!("outcome_counters/{i}/label")), &counter.label, 100);
        }
        self.matching.validate(&at("matching"), fields);
        if let Some(survey) = &self.survey {
            survey.validate(&at("survey"), fields);
        }
        if let Some(postings) = &self.postings {
            fields.within(&at("postings/places_per_host"), i64::from(postings.places_per_host), 1, 100);
            if let Some(months) = postings.longest_months {
                fields.within(&at("postings/longest_months"), i64::from(months), 1, 120);
            }
            if let Some(days) = postings.days_a_month {
                fields.within(&at("postings/days_a_month"), i64::from(days), 1, 31);
            }
        }
    }

    /// Whether requests can be submitted at an instant.
    pub fn is_open_at(&self, instant: UtcTime) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.opens_at <= instant && instant < window.closes_at)
    }

    fn validate_money(&self, at: &impl Fn(&str) -> String, fields: &mut Fields) {
        fields.at_most(&at("payers"), self.payers.len(), 15);
        for (i, rule) in self.payers.iter().enumerate() {
            for problem in rule.validate() {
                let pointer = at(&format!("payers/{i}{}", problem.pointer));
                fields.wrong(pointer, problem.code, problem.detail_ja, problem.detail_en);
            }
            fields.check(
                !self.payers.iter().take(i).any(|other| other.component == rule.component),
                at(&format!("payers/{i}/component")),
                "duplicate",
                "同じ費目が重なっています",
                "The component is listed twice",
            );
        }
        for problem in self.sharing.iter().flat_map(SharingTerms::validate) {
            let pointer = at(&format!("sharing{}", problem.pointer()));
            fields.wrong(pointer, problem.code(), problem.to_string(), problem.detail_en());
        }
        fields.at_most(&at("travel_rules"), self.travel_rules.len(), 100);
        for problem in validate_rules(&self.travel_rules) {
            let pointer = at(&format!("travel_rules{}", problem.pointer));
            fields.wrong(pointer, problem.code, problem.detail_ja, problem.detail_en);
        }
        let mut menus: Vec<&str> = Vec::new();
        fields.at_most(&at("menus"), self.menus.len(), 200);
        for (i, menu) in self.menus.iter().enumerate() {
            check_code(fields, at(&format!("menus/{i}/code")), &menu.code, &mut menus);
            fields.line(&at(&format!("menus/{i}/name")), &menu.name, 200);
            let sound = menu.unit_price_yen.is_none_or(|price| !price.is_negative());
            fields.check(
                sound,
                at(&format!("menus/{i}/unit_price_yen")),
                "out_of_range",
                "0円以上にしてください",
                "Must not be negative",
            );
        }
        for (i, rule) in self.allocation_tax.iter().enumerate() {
            let place = |part: &str| at(&format!("allocation_tax/{i}/{part}"));
            fields.line(&place("label"), &rule.label, 200);
            fields.line(&place("source"), &rule.source, 500);
            let sound = (1..=10_000).contains(&rule.denominator) && (1..=rule.denominator).contains(&rule.numerator);
            fields.check(
                sound,
                place("numerator"),
                "not_a_part",
                "分子は1以上分母以下、分母は10,000以下にしてください",
                "The numerator must be 1 to the denominator, which is at most 10,000",
            );
            let sound = rule.cap_yen.is_none_or(|cap| !cap.is_negative());
            fields.check(sound, place("cap_yen"), "out_of_range", "0円以上にしてください", "Must not be negative");
        }
        for (name, budget) in [("budget_yen", self.budget_yen), ("budget_per_body_yen", self.budget_per_body_yen)] {
            let sound = budget.is_none_or(|budget| !budget.is_negative());
            fields.check(sound, at(name), "out_of_range", "0円以上にしてください", "Must not be negative");
        }
    }

    /// Who pays a kind of cost: the rule of its own, for a part of travel else that of travel, else the prefecture.
    pub fn payer_rule(&self, component: Component) -> PayerRule {
        let listed = |wanted: Component| self.payers.iter().find(|rule| rule.component == wanted);
        let found = listed(component).or_else(|| component.is_travel().then(|| listed(Component::Travel)).flatten());
        match found {
            Some(rule) => PayerRule { component, ..rule.clone() },
            None => PayerRule::all(component, Payer::Prefecture),
        }
    }
}
