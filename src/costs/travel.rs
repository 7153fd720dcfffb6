//! Travel expenses (旅費) by dated rules: a local government's own ordinance, chosen by the day of departure.
//!
//! Since 2025-04-01 the national law pays actual costs: fares, lodging up to a cap by prefecture, an allowance a night, or a
//! package; per-kilometre road fares and day allowances are gone, but ordinances that keep them are still in force, so both
//! are parameters. Nothing is inferred: what a rule does not pay is not paid.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::component::Component;
use super::money::{MoneyError, Yen};

/// Largest amount a rule may name, in yen.
const MAX_RULE_AMOUNT: i64 = 1_000_000;

/// What an ordinance pays for travel that begins on a day from `valid_from` on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TravelRule {
    /// The body whose ordinance it is; absent: the programme's own rule for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, nullable = false)]
    pub organisation_id: Option<i64>,
    /// First day of departure.
    pub valid_from: NaiveDate,
    /// First day of departure for which it holds no longer; absent: until another rule of the same body begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub valid_to: Option<NaiveDate>,
    /// Where it stands.
    #[schema(min_length = 1, max_length = 500, example = "国家公務員等の旅費に関する法律（令和7年4月1日施行）")]
    pub source: String,
    /// Yen for a kilometre by own car; absent: the actual cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000, nullable = false, example = 37)]
    pub car_yen_per_km: Option<Yen>,
    /// Lodging.
    pub lodging: LodgingRule,
    /// Yen a night away (national law: 2,400).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000, nullable = false, example = 2_400)]
    pub overnight_allowance: Option<Yen>,
    /// Yen a day away (日当).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000, nullable = false)]
    pub day_allowance: Option<Yen>,
    /// Whether a package of fare and lodging (包括宿泊費) is paid in their place.
    #[serde(default)]
    pub package: bool,
}

/// What is paid for lodging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LodgingRule {
    /// Nothing.
    #[schema(title = "LodgingNone")]
    None {},
    /// The actual cost up to a cap by the prefecture of the stay.
    #[schema(title = "LodgingActual")]
    Actual {
        /// Caps by prefecture.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 47)]
        caps: Vec<PrefectureCap>,
        /// The cap elsewhere; absent: not limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000, nullable = false)]
        other_cap: Option<Yen>,
    },
    /// A fixed amount a night, by prefecture where they differ.
    #[schema(title = "LodgingFixed")]
    Fixed {
        /// Amounts by prefecture.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 47)]
        caps: Vec<PrefectureCap>,
        /// The amount elsewhere.
        #[schema(value_type = i64, minimum = 0, maximum = 1_000_000)]
        amount: Yen,
    },
}

/// A prefecture's amount for one night.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefectureCap {
    /// First two digits of the code, as text.
    #[schema(min_length = 2, max_length = 2, pattern = "^(0[1-9]|[1-3][0-9]|4[0-7])$", example = "13")]
    pub prefecture: String,
    /// Yen a night.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000, example = 19_000)]
    pub amount: Yen,
}

/// One trip, as it was made or given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trip {
    /// The day of departure: it chooses the rule.
    pub departs_on: NaiveDate,
    /// Days away, the first and the last included.
    #[schema(minimum = 1, maximum = 60, example = 2)]
    pub days: u32,
    /// Nights away.
    #[schema(minimum = 0, maximum = 60, example = 1)]
    pub nights: u32,
    /// The prefecture of the stay: first two digits of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 2, max_length = 2, nullable = false, example = "22")]
    pub stays_in: Option<String>,
    /// The ways travelled, the shortest and cheapest from the main base.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub legs: Vec<TripLeg>,
    /// What all nights cost together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lodging: Option<Expense>,
    /// What a package of fare and lodging cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub package: Option<Expense>,
    /// Whether the trip was given up: then only what was not refunded is paid, at most what the rule would have paid.
    #[serde(default)]
    pub cancelled: bool,
    /// Whether another body (the expert's employer) already pays for the trip.
    #[serde(default)]
    pub paid_by_employer: bool,
}

/// One way travelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TripLeg {
    /// By what.
    pub mode: LegMode,
    /// Kilometres; for one's own car.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 5000, nullable = false)]
    pub km: Option<u32>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expense: Option<Expense>,
}

/// By what a way was travelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegMode {
    /// 鉄道
    Rail,
    /// バス・タクシー
    Road,
    /// 自家用車
    Car,
    /// 船
    Ship,
    /// 航空機
    Air,
}

/// What something cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expense {
    /// Yen.
    #[schema(value_type = i64, minimum = 0, maximum = 10_000_000, example = 9_800)]
    pub yen: Yen,
    /// Of these, what was not refunded; looked at when the trip was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10_000_000, nullable = false)]
    pub not_refunded: Option<Yen>,
    /// Whether the payer paid the carrier, hotel or agent directly: then it is not paid to the person, nor part of the base
    /// of withholding.
    #[serde(default)]
    pub paid_directly: bool,
}

/// What is paid for one component of a trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TravelItem {
    /// Kind of cost.
    pub component: Component,
    /// Yen paid.
    pub amount: Yen,
    /// Of these, yen paid directly to carrier, hotel or agent.
    pub paid_directly: Yen,
    /// How it came about, in Japanese.
    pub explanation: String,
}

/// What is wrong with a rule or a trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TravelProblem {
    /// JSON pointer within the rule or the trip.
    pub pointer: String,
    /// Stable machine code.
    pub code: &'static str,
    /// What would be right, in Japanese.
    pub detail_ja: String,
    /// What would be right, in English.
    pub detail_en: String,
}

impl TravelProblem {
    fn new(pointer: impl Into<String>, code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail_ja: ja.into(), detail_en: en.into() }
    }
}

/// Why a trip was not paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TravelError {
    /// No rule holds on the day of departure.
    NoRule(NaiveDate),
    /// Another body already pays: paying twice is refused.
    PaidTwice,
    /// The trip is not right.
    Trip(Vec<TravelProblem>),
    /// An amount leaves its range.
    Money(MoneyError),
}

impl fmt::Display for TravelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule(day) => write!(f, "{day}出発の旅行に適用する旅費規程がありません。"),
            Self::PaidTwice => f.write_str("所属先が旅費を支給しているため、重ねて支給できません。"),
            Self::Trip(problems) => {
                let texts: Vec<&str> = problems.iter().map(|problem| problem.detail_ja.as_str()).collect();
                f.write_str(&texts.join(""))
            }
            Self::Money(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TravelError {}

impl From<MoneyError> for TravelError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// Everything that is wrong with a programme's travel rules: amounts, prefectures, and two rules of one body for one day.
pub fn validate_rules(rules: &[TravelRule]) -> Vec<TravelProblem> {
    let mut problems = Vec::new();
    for (i, rule) in rules.iter().enumerate() {
        let mut amount = |pointer: String, yen: Yen| {
            if !(0..=MAX_RULE_AMOUNT).contains(&yen.get()) {
                let (ja, en) = ("0円から1,000,000円までで指定してください。", "Must be between 0 and 1,000,000 yen.");
                problems.push(TravelProblem::new(pointer, "amount_out_of_range", ja, en));
            }
        };
        let named = [
            ("car_yen_per_km", rule.car_yen_per_km),
            ("overnight_allowance", rule.overnight_allowance),
            ("day_allowance", rule.day_allowance),
        ];
        for (name, yen) in named {
            if let Some(yen) = yen {
                amount(format!("/{i}/{name}"), yen);
            }
        }
        let caps: &[PrefectureCap] = match &rule.lodging {
            LodgingRule::None {} => &[],
            LodgingRule::Actual { caps, other_cap } => {
                if let Some(cap) = other_cap {
                    amount(format!("/{i}/lodging/other_cap"), *cap);
                }
                caps
            }
            LodgingRule::Fixed { caps, amount: yen } => {
                amount(format!("/{i}/lodging/amount"), *yen);
                caps
            }
        };
        for (j, cap) in caps.iter().enumerate() {
            amount(format!("/{i}/lodging/caps/{j}/amount"), cap.amount);
        }
        for (j, cap) in caps.iter().enumerate() {
            let known = cap.prefecture.len() == 2 && cap.prefecture.parse::<u8>().is_ok_and(|code| (1..=47).contains(&code));
            let repeated = caps.iter().take(j).any(|other| other.prefecture == cap.prefecture);
            if !known || repeated {
                problems.push(TravelProblem::new(
                    format!("/{i}/lodging/caps/{j}/prefecture"),
                    if known { "duplicate" } else { "malformed" },
                    "都道府県コードの先頭2桁（01～47）を1回ずつ指定してください。",
                    "Use the first two digits of a prefecture's code (01 to 47), each once.",
                ));
            }
        }
        if rule.source.trim().is_empty() || rule.source.chars().count() > 500 {
            let (ja, en) = ("根拠を1～500文字で入力してください。", "Name the source in 1 to 500 characters.");
            problems.push(TravelProblem::new(format!("/{i}/source"), "required", ja, en));
        }
        if rule.valid_to.is_some_and(|to| to <= rule.valid_from) {
            let (ja, en) = ("適用開始日より後にしてください。", "Must be after the first day.");
            problems.push(TravelProblem::new(format!("/{i}/valid_to"), "before_start", ja, en));
        }
        for (j, other) in rules.iter().enumerate().take(i) {
            if other.organisation_id != rule.organisation_id {
                continue;
            }
            let (earlier, later) = if other.valid_from <= rule.valid_from { (other, rule) } else { (rule, other) };
            // An open end is closed by the next rule; an end that is named must not reach into it.
            let overlaps = earlier.valid_from == later.valid_from || earlier.valid_to.is_some_and(|to| to > later.valid_from);
            if overlaps {
                problems.push(TravelProblem::new(
                    format!("/{i}/valid_from"),
                    "overlapping_validity",
                    format!("{}件目の旅費規程と適用期間が重なっています。", j + 1),
                    format!("Overlaps rule {}.", j + 1),
                ));
            }
        }
    }
    problems
}

/// The rule for a departure: the newest of the body's own ordinance, else the programme's.
pub fn rule_for(rules: &[TravelRule], organisation: Option<i64>, departs_on: NaiveDate) -> Option<&TravelRule> {
    let newest = |of: Option<i64>| {
        rules
            .iter()
            .filter(|rule| rule.organisation_id == of && rule.valid_from <= departs_on)
            .max_by_key(|rule| rule.valid_from)
            .filter(|rule| rule.valid_to.is_none_or(|to| departs_on < to))
    };
    organisation.and_then(|id| newest(Some(id))).or_else(|| newest(None))
}

/// What is paid for a trip, component by component; components that pay nothing are left out.
///
/// # Errors
/// [`TravelError`].
pub fn travel(rules: &[TravelRule], organisation: Option<i64>, trip: &Trip) -> Result<Vec<TravelItem>, TravelError> {
    let problems = check_trip(trip);
    if !problems.is_empty() {
        return Err(TravelError::Trip(problems));
    }
    let has_expense = !trip.legs.is_empty() || trip.lodging.is_some() || trip.package.is_some() || trip.nights > 0;
    if trip.paid_by_employer {
        // Day allowances are for the same trip: they are not paid twice either.
        return if has_expense { Err(TravelError::PaidTwice) } else { Ok(Vec::new()) };
    }
    let rule = rule_for(rules, organisation, trip.departs_on).ok_or(TravelError::NoRule(trip.departs_on))?;
    let mut items = Vec::new();
    items.extend(fares(rule, trip)?);
    items.extend(lodging(rule, trip)?);
    if let Some(package) = trip.package {
        if rule.package {
            items.push(paid(Component::TravelPackage, package.yen, &package, trip.cancelled, "包括宿泊費（実費）".to_owned())?);
        } else {
            return Err(TravelError::Trip(vec![TravelProblem::new(
                "/package",
                "not_in_rule",
                "この旅費規程には包括宿泊費がありません。",
                "The rule knows no packages.",
            )]));
        }
    }
    if !trip.cancelled {
        let by_count = [
            (Component::OvernightAllowance, rule.overnight_allowance, trip.nights, "夜"),
            (Component::DayAllowance, rule.day_allowance, trip.days, "日"),
        ];
        for (component, yen, count, unit) in by_count {
            if let Some(yen) = yen.filter(|_| count > 0) {
                let amount = yen.checked_mul(i64::from(count))?;
                let explanation = format!("{}{yen} × {count}{unit}", component.label_ja());
                items.push(TravelItem { component, amount, paid_directly: Yen::ZERO, explanation });
            }
        }
    }
    items.retain(|item| item.amount > Yen::ZERO);
    Ok(items)
}

fn check_trip(trip: &Trip) -> Vec<TravelProblem> {
    let mut problems = Vec::new();
    if !(1..=60).contains(&trip.days) {
        let (ja, en) = ("1～60日にしてください。", "Must be 1 to 60 days.");
        problems.push(TravelProblem::new("/days", "out_of_range", ja, en));
    }
    if trip.nights >= trip.days.max(1) {
        let (ja, en) = ("泊数は日数より少なくしてください。", "Must be fewer than the days.");
        problems.push(TravelProblem::new("/nights", "out_of_range", ja, en));
    }
    if trip.lodging.is_some() && trip.nights == 0 {
        let (ja, en) = ("泊数を入力してください。", "Enter the nights.");
        problems.push(TravelProblem::new("/nights", "required", ja, en));
    }
    if trip.package.is_some() && trip.lodging.is_some() {
        let (ja, en) = ("包括宿泊費と宿泊費は同時に請求できません。", "A package already holds the lodging.");
        problems.push(TravelProblem::new("/lodging", "paid_twice", ja, en));
    }
    let legs = trip.legs.iter().enumerate().map(|(i, leg)| (format!("/legs/{i}/expense"), leg.expense));
    let expenses = legs.chain([("/lodging".to_owned(), trip.lodging), ("/package".to_owned(), trip.package)]);
    for (pointer, expense) in expenses {
        let Some(expense) = expense else { continue };
        if !(0..=10_000_000).contains(&expense.yen.get()) {
            let (ja, en) = ("0円から10,000,000円までにしてください。", "Must be between 0 and 10,000,000 yen.");
            problems.push(TravelProblem::new(format!("{pointer}/yen"), "amount_out_of_range", ja, en));
        }
        match expense.not_refunded {
            Some(left) if left.is_negative() || left > expense.yen => {
                let (ja, en) = ("0円以上、支払額以下にしてください。", "Must be between 0 and what it cost.");
                problems.push(TravelProblem::new(format!("{pointer}/not_refunded"), "out_of_range", ja, en));
            }
            None if trip.cancelled => {
                let (ja, en) = ("払戻しを受けられなかった額を入力してください。", "Enter what was not refunded.");
                problems.push(TravelProblem::new(format!("{pointer}/not_refunded"), "required", ja, en));
            }
            _ => {}
        }
    }
    problems
}

/// What is paid of an expense: at most what the rule pays and, once the trip is given up, at most what was not refunded.
fn paid(
    component: Component,
    by_rule: Yen,
    expense: &Expense,
    cancelled: bool,
    explanation: String,
) -> Result<TravelItem, MoneyError> {
    let (amount, explanation) = if cancelled {
        let left = expense.not_refunded.unwrap_or(Yen::ZERO);
        (by_rule.min(left), format!("{explanation}、取消しのため払戻しのない{left}と規程額{by_rule}の小さい方"))
    } else {
        (by_rule, explanation)
    };
    let paid_directly = if expense.paid_directly { amount } else { Yen::ZERO };
    Ok(TravelItem { component, amount, paid_directly, explanation })
}

fn fares(rule: &TravelRule, trip: &Trip) -> Result<Option<TravelItem>, TravelError> {
    let (mut amount, mut directly, mut parts) = (Yen::ZERO, Yen::ZERO, Vec::new());
    for (i, leg) in trip.legs.iter().enumerate() {
        let item = match (leg.mode, rule.car_yen_per_km, leg.km, leg.expense) {
            (LegMode::Car, Some(per_km), Some(km), _) => {
                // A way by car that was not driven costs nothing.
                let yen = if trip.cancelled { Yen::ZERO } else { per_km.checked_mul(i64::from(km))? };
                TravelItem {
                    component: Component::Travel,
                    amount: yen,
                    paid_directly: Yen::ZERO,
                    explanation: format!("車賃{per_km} × {km}km ＝ {yen}"),
                }
            }
            (LegMode::Car, Some(_), None, _) => {
                let (ja, en) = ("走行距離を入力してください。", "Enter the kilometres.");
                return Err(TravelError::Trip(vec![TravelProblem::new(format!("/legs/{i}/km"), "required", ja, en)]));
            }
            (mode, _, _, Some(expense)) => {
                let name = match mode {
                    LegMode::Rail => "鉄道賃",
                    LegMode::Road | LegMode::Car => "車賃",
                    LegMode::Ship => "船賃",
                    LegMode::Air => "航空賃",
                };
                paid(Component::Travel, expense.yen, &expense, trip.cancelled, format!("{name}{}（実費）", expense.yen))?
            }
            (_, _, _, None) => {
                let (ja, en) = ("実費を入力してください。", "Enter what it cost.");
                return Err(TravelError::Trip(vec![TravelProblem::new(format!("/legs/{i}/expense"), "required", ja, en)]));
            }
        };
        amount = amount.checked_add(item.amount)?;
        directly = directly.checked_add(item.paid_directly)?;
        parts.push(item.explanation);
    }
    Ok((!parts.is_empty()).then(|| TravelItem {
        component: Component::Travel,
        amount,
        paid_directly: directly,
        explanation: parts.join("、"),
    }))
}

fn lodging(rule: &TravelRule, trip: &Trip) -> Result<Option<TravelItem>, TravelError> {
    let nights = i64::from(trip.nights);
    let of = |caps: &[PrefectureCap]| {
        caps.iter().find(|cap| Some(cap.prefecture.as_str()) == trip.stays_in.as_deref()).map(|cap| cap.amount)
    };
    match (&rule.lodging, trip.lodging) {
        (LodgingRule::None {}, _) | (LodgingRule::Actual { .. }, None) => Ok(None),
        (LodgingRule::Actual { caps, other_cap }, Some(expense)) => {
            let cap = of(caps).or(*other_cap).map(|cap| cap.checked_mul(nights)).transpose()?;
            let by_rule = cap.map_or(expense.yen, |cap| expense.yen.min(cap));
            let explanation = match cap {
                Some(cap) => format!("宿泊費 実費{}、上限{cap}（{nights}夜）", expense.yen),
                None => format!("宿泊費 実費{}（{nights}夜）", expense.yen),
            };
            Ok(Some(paid(Component::Lodging, by_rule, &expense, trip.cancelled, explanation)?))
        }
        (LodgingRule::Fixed { caps, amount }, expense) => {
            if trip.nights == 0 || trip.package.is_some() {
                return Ok(None);
            }
            let by_rule = of(caps).unwrap_or(*amount).checked_mul(nights)?;
            let nothing = Expense { yen: Yen::ZERO, not_refunded: Some(Yen::ZERO), paid_directly: false };
            let explanation = format!("宿泊料 定額{by_rule}（{nights}夜）");
            Ok(Some(paid(Component::Lodging, by_rule, &expense.unwrap_or(nothing), trip.cancelled, explanation)?))
        }
    }
}
