//! A programme's fee table (報償費・謝金) for one visit: the data and its own rules.
//!
//! A table is a closed choice of concrete kinds with typed parameters; there are no expressions. Real tables are combined
//! from a rate by time, what becomes of part of a unit, a flat amount, a rate that changes with length, least and most
//! time, a daily cap, time that does not count, a surcharge by distance, and rates by grade.

mod evaluate;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{MoneyError, Yen, grouped};

pub use evaluate::{FeeCalculation, FeeInput, FeeStep, FeeStepCode, fee};

/// Longest activity of one visit in minutes: a visit belongs to one Japanese day.
pub const MAX_VISIT_MINUTES: u32 = 1440;

/// Largest amount a table may name, in yen: far above any published honorarium, low enough to catch a slipped digit.
const MAX_TABLE_AMOUNT: i64 = 10_000_000;

/// How a programme pays an expert for one visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FeeTable {
    /// No honorarium is paid; the fee of every visit is 0 yen.
    #[schema(title = "FeeTableNone")]
    None {},
    /// An honorarium is paid, but its table is not published (非公表): every amount must be entered by hand, and none
    /// is ever computed.
    #[schema(title = "FeeTableUndisclosed")]
    Undisclosed {},
    /// The fee is agreed for each visit and entered, up to a cap where there is one (福島県 地域活性化アドバイザー: 50,000).
    #[schema(title = "FeeTableAgreed")]
    Agreed {
        /// Most yen for a visit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 10_000_000, nullable = false, example = 50_000)]
        cap: Option<Yen>,
    },
    /// One amount for each visit that takes place, however long.
    #[schema(title = "FeeTablePerVisit")]
    PerVisit {
        /// Yen for a visit.
        #[schema(value_type = i64, minimum = 0, maximum = 10_000_000, example = 30_000)]
        amount: Yen,
    },
    /// Paid by time. Shizuoka's ICT experts: 240 minutes or more 20,000 yen a visit, less 5,000 yen an hour.
    #[schema(title = "FeeTableTimed")]
    Timed {
        /// Length of a paid unit in minutes; 60 for an hourly rate.
        #[schema(minimum = 1, maximum = 1440, example = 60)]
        unit_minutes: u32,
        /// Yen for each unit, unless a grade has a rate of its own.
        #[schema(value_type = i64, minimum = 0, maximum = 10_000_000, example = 5_000)]
        rate: Yen,
        /// What becomes of a unit that is not full.
        part_unit: PartUnitRounding,
        /// The flat amount that replaces the rate for long visits; absent where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        flat_from: Option<FlatFee>,
        /// From which length on another part of the rate is paid (与那国町: from 4 hours on half), in rising order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 10)]
        tiers: Vec<FeeTier>,
        /// A visit that took place is paid as if it had lasted at least so long (倶知安町: 1 hour).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1, maximum = 1440, nullable = false)]
        minimum_minutes: Option<u32>,
        /// Most minutes paid in a day (倶知安町: 3 hours).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1, maximum = 1440, nullable = false)]
        maximum_minutes: Option<u32>,
        /// Most yen for a day (ミラサポ: 30,900).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 10_000_000, nullable = false)]
        daily_cap: Option<Yen>,
        /// Time within the recorded minutes that is not paid.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 3)]
        excluded: Vec<ExcludedTime>,
        /// Units paid on top for a long way (羽村市: from 50, 100, 200 km on 1, 2, 3 hours), in rising order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 10)]
        distance_surcharges: Vec<DistanceSurcharge>,
        /// Rates by the expert's grade (まんのう町: 教授 10,000, 准教授 7,000, 講師 5,000).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(max_items = 30)]
        grades: Vec<FeeGrade>,
    },
}

/// One amount for the whole visit, however long, once it has lasted long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlatFee {
    /// Actual minutes from which on the flat amount is paid, this many included.
    #[schema(minimum = 1, maximum = 1440, example = 240)]
    pub from_minutes: u32,
    /// Yen for the visit.
    #[schema(value_type = i64, minimum = 0, maximum = 10_000_000, example = 20_000)]
    pub amount: Yen,
}

/// From a length on, another part of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeTier {
    /// Minutes from which on it holds; a whole number of units.
    #[schema(minimum = 1, maximum = 1440, example = 240)]
    pub from_minutes: u32,
    /// Percent of the rate that is paid for what lies beyond; 0: not paid.
    #[schema(minimum = 0, maximum = 500, example = 50)]
    pub rate_percent: u32,
}

/// Units paid on top from a distance on; only the highest that is reached counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DistanceSurcharge {
    /// Kilometres one way from which on it is paid, this many included.
    #[schema(minimum = 1, maximum = 5000, example = 50)]
    pub from_km: u32,
    /// Units paid at the full rate.
    #[schema(minimum = 1, maximum = 100, example = 1)]
    pub units: u32,
}

/// A grade of experts with its own rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeGrade {
    /// Stable code, which an expert's registration names.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z][a-z0-9_]*$", example = "professor")]
    pub code: String,
    /// Name on papers.
    #[schema(min_length = 1, max_length = 100, example = "教授")]
    pub label: String,
    /// Yen for each unit.
    #[schema(value_type = i64, minimum = 0, maximum = 10_000_000, example = 10_000)]
    pub rate: Yen,
}

/// Time that is recorded with a visit and may not be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExcludedTime {
    /// 移動時間
    Travel,
    /// 待機時間
    Waiting,
    /// 休憩時間
    Breaks,
}

/// What becomes of the minutes that do not fill a unit. Published schemes differ or are silent, so it is a setting
/// without a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartUnitRounding {
    /// They are not paid (切捨て).
    FloorToUnit,
    /// They are paid as a full unit (切上げ).
    CeilToUnit,
    /// Half a unit or more is paid as a full one, less is not paid (30分未満切捨て、30分以上切上げ for hours).
    HalfUp,
    /// Half a unit or more is paid as a full one, less as half a one (まんのう町: 30分未満は半額).
    HalfUpElseHalf,
    /// They are paid by the minute; a fraction of a yen is cut.
    ExactByMinute,
}

/// A parameter of a fee table that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeTableProblem {
    /// JSON pointer within the table, as `/flat_from/amount`.
    pub pointer: String,
    /// Stable machine code.
    pub code: &'static str,
    /// What is wrong, in Japanese.
    pub detail_ja: String,
    /// What is wrong, in English.
    pub detail_en: String,
}

/// Why no fee could be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeeError {
    /// The table names no amount: it has to be entered.
    AmountMustBeEntered,
    /// The activity is longer than [`MAX_VISIT_MINUTES`]; the minutes as given.
    TooLong(u32),
    /// The table has grades and the expert none of them.
    UnknownGrade(String),
    /// The table breaks its own rules; see [`FeeTable::validate`].
    InvalidTable(Vec<FeeTableProblem>),
    /// The amount leaves the range of [`Yen`].
    Money(MoneyError),
}

impl FeeError {
    /// Stable machine code for error documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmountMustBeEntered => "fee_must_be_entered",
            Self::TooLong(_) => "visit_too_long",
            Self::UnknownGrade(_) => "unknown_grade",
            Self::InvalidTable(_) => "fee_table_invalid",
            Self::Money(error) => error.code(),
        }
    }

    /// The explanation in English; `Display` gives the Japanese one.
    pub fn detail_en(&self) -> String {
        match self {
            Self::AmountMustBeEntered => "The fee table of this programme names no amount: enter it.".to_owned(),
            Self::TooLong(minutes) => {
                format!("{minutes} minutes exceed the {MAX_VISIT_MINUTES} minutes of a day.")
            }
            Self::UnknownGrade(grade) => format!("The fee table has no grade '{grade}'."),
            Self::InvalidTable(problems) => join(problems, |problem| &problem.detail_en, " "),
            Self::Money(error) => error.detail_en().to_owned(),
        }
    }
}

impl fmt::Display for FeeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AmountMustBeEntered => f.write_str("この事業の謝金は単価表から計算できません。金額を入力してください。"),
            Self::TooLong(minutes) => {
                write!(f, "{minutes}分は1日（{MAX_VISIT_MINUTES}分）を超えています。")
            }
            Self::UnknownGrade(grade) => write!(f, "単価表に区分「{grade}」がありません。"),
            Self::InvalidTable(problems) => f.write_str(&join(problems, |problem| &problem.detail_ja, "")),
            Self::Money(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FeeError {}

impl From<MoneyError> for FeeError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

fn join(problems: &[FeeTableProblem], text: impl Fn(&FeeTableProblem) -> &String, separator: &str) -> String {
    let texts: Vec<&str> = problems.iter().map(|problem| text(problem).as_str()).collect();
    texts.join(separator)
}

impl FeeTable {
    /// A table by time with nothing but a rate.
    pub fn timed(unit_minutes: u32, rate: Yen, part_unit: PartUnitRounding, flat_from: Option<FlatFee>) -> Self {
        Self::Timed {
            unit_minutes,
            rate,
            part_unit,
            flat_from,
            tiers: Vec::new(),
            minimum_minutes: None,
            maximum_minutes: None,
            daily_cap: None,
            excluded: Vec::new(),
            distance_surcharges: Vec::new(),
            grades: Vec::new(),
        }
    }

    /// Whether every amount has to be entered by hand.
    pub fn must_be_entered(&self) -> bool {
        matches!(self, Self::Undisclosed {} | Self::Agreed { .. })
    }

    /// The grade that is paid least; `None` for a table without grades.
    pub fn lowest_grade(&self) -> Option<String> {
        match self {
            Self::Timed { grades, .. } => grades.iter().min_by_key(|grade| grade.rate).map(|grade| grade.code.clone()),
            _ => None,
        }
    }

    /// Whether the expert's grade decides the rate.
    pub fn has_grades(&self) -> bool {
        matches!(self, Self::Timed { grades, .. } if !grades.is_empty())
    }

    /// Everything that is wrong with the parameters, all at once; empty for a sound table.
    pub fn validate(&self) -> Vec<FeeTableProblem> {
        let mut problems = Problems(Vec::new());
        match self {
            Self::None {} | Self::Undisclosed {} => {}
            Self::Agreed { cap } => {
                if let Some(cap) = cap {
                    problems.amount("/cap", *cap);
                }
            }
            Self::PerVisit { amount } => problems.amount("/amount", *amount),
            Self::Timed {
                unit_minutes,
                rate,
                part_unit,
                flat_from,
                tiers,
                minimum_minutes,
                maximum_minutes,
                daily_cap,
                excluded: _,
                distance_surcharges,
                grades,
            } => {
                problems.minutes("/unit_minutes", *unit_minutes);
                problems.amount("/rate", *rate);
                if let Some(flat) = flat_from {
                    problems.minutes("/flat_from/from_minutes", flat.from_minutes);
                    problems.amount("/flat_from/amount", flat.amount);
                }
                problems.tiers(tiers, *unit_minutes, *part_unit);
                if let Some(minutes) = minimum_minutes {
                    problems.minutes("/minimum_minutes", *minutes);
                }
                if let Some(minutes) = maximum_minutes {
                    problems.minutes("/maximum_minutes", *minutes);
                    if minimum_minutes.is_some_and(|least| least > *minutes) {
                        problems.push(
                            "/maximum_minutes".to_owned(),
                            "cap_below_floor",
                            "上限は下限以上にしてください。".to_owned(),
                            "The most must not lie below the least.".to_owned(),
                        );
                    }
                }
                if let Some(cap) = daily_cap {
                    problems.amount("/daily_cap", *cap);
                    if flat_from.is_some_and(|flat| flat.amount > *cap) {
                        problems.push(
                            "/daily_cap".to_owned(),
                            "cap_below_floor",
                            "1日の上限は定額以上にしてください。".to_owned(),
                            "The daily cap must not lie below the flat amount.".to_owned(),
                        );
                    }
                }
                problems.surcharges(distance_surcharges);
                problems.grades(grades);
            }
        }
        problems.0
    }
}

struct Problems(Vec<FeeTableProblem>);

impl Problems {
    fn push(&mut self, pointer: String, code: &'static str, detail_ja: String, detail_en: String) {
        self.0.push(FeeTableProblem { pointer, code, detail_ja, detail_en });
    }

    fn minutes(&mut self, pointer: &str, minutes: u32) {
        if !(1..=MAX_VISIT_MINUTES).contains(&minutes) {
            self.push(
                pointer.to_owned(),
                "minutes_out_of_range",
                format!("分数は1から{MAX_VISIT_MINUTES}までで指定してください。"),
                format!("Minutes must be between 1 and {MAX_VISIT_MINUTES}."),
            );
        }
    }

    fn amount(&mut self, pointer: &str, amount: Yen) {
        if !(0..=MAX_TABLE_AMOUNT).contains(&amount.get()) {
            let limit = grouped(MAX_TABLE_AMOUNT);
            self.push(
                pointer.to_owned(),
                "amount_out_of_range",
                format!("金額は0円から{limit}円までで指定してください。"),
                format!("The amount must be between 0 and {limit} yen."),
            );
        }
    }

    fn rising(&mut self, pointer: String, rises: bool) {
        if !rises {
            self.push(
                pointer,
                "not_rising",
                "前の行より大きい値にしてください。".to_owned(),
                "Must exceed the row before.".to_owned(),
            );
        }
    }

    fn tiers(&mut self, tiers: &[FeeTier], unit_minutes: u32, part_unit: PartUnitRounding) {
        let mut before = 0;
        for (i, tier) in tiers.iter().enumerate() {
            let pointer = format!("/tiers/{i}/from_minutes");
            self.minutes(&pointer, tier.from_minutes);
            self.rising(pointer.clone(), tier.from_minutes > before);
            before = tier.from_minutes;
            let whole = unit_minutes == 0 || tier.from_minutes.is_multiple_of(unit_minutes);
            if !whole && part_unit != PartUnitRounding::ExactByMinute {
                self.push(
                    pointer,
                    "not_whole_units",
                    format!("1単位（{unit_minutes}分）の倍数にしてください。"),
                    format!("Must be a multiple of the unit ({unit_minutes} minutes)."),
                );
            }
            if tier.rate_percent > 500 {
                self.push(
                    format!("/tiers/{i}/rate_percent"),
                    "out_of_range",
                    "0から500までで指定してください。".to_owned(),
                    "Must be between 0 and 500.".to_owned(),
                );
            }
        }
    }

    fn surcharges(&mut self, surcharges: &[DistanceSurcharge]) {
        let mut before = 0;
        for (i, row) in surcharges.iter().enumerate() {
            self.rising(format!("/distance_surcharges/{i}/from_km"), row.from_km > before);
            before = row.from_km;
            if !(1..=100).contains(&row.units) {
                self.push(
                    format!("/distance_surcharges/{i}/units"),
                    "out_of_range",
                    "1から100までで指定してください。".to_owned(),
                    "Must be between 1 and 100.".to_owned(),
                );
            }
        }
    }

    fn grades(&mut self, grades: &[FeeGrade]) {
        for (i, grade) in grades.iter().enumerate() {
            self.amount(&format!("/grades/{i}/rate"), grade.rate);
            let right = grade.code.starts_with(|c: char| c.is_ascii_lowercase())
                && grade.code.len() <= 40
                && grade.code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !right {
                self.push(
                    format!("/grades/{i}/code"),
                    "malformed",
                    "英小文字で始まる英数字と_で40文字以内にしてください。".to_owned(),
                    "Use lower-case letters, digits and _.".to_owned(),
                );
            }
            if grade.label.trim().is_empty() || grade.label.chars().count() > 100 {
                self.push(
                    format!("/grades/{i}/label"),
                    "required",
                    "1～100文字で入力してください。".to_owned(),
                    "Use 1 to 100 characters.".to_owned(),
                );
            }
            if grades.iter().take(i).any(|other| other.code == grade.code) {
                self.push(
                    format!("/grades/{i}/code"),
                    "duplicate",
                    "コードが重なっています。".to_owned(),
                    "The code is used twice.".to_owned(),
                );
            }
        }
    }
}
