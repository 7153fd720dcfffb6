//! A programme's fee table (報償費・謝金) and its evaluation for one visit.
//!
//! A table is data that a programme's yearly rules carry. It is a closed choice of concrete kinds, each with typed
//! parameters; there are no expressions. A further kind of table (tiers, a minimum, a daily cap, minutes that do not
//! count) is a further variant or parameter here with its own test, never a special case elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{MoneyError, Ratio, Yen, grouped};

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
    /// Paid by time, with a flat amount from a certain length on. Shizuoka's ICT experts: 240 minutes or more 20,000
    /// yen a visit, less 5,000 yen an hour.
    #[schema(title = "FeeTableTimed")]
    Timed {
        /// Length of a paid unit in minutes; 60 for an hourly rate.
        #[schema(minimum = 1, maximum = 1440, example = 60)]
        unit_minutes: u32,
        /// Yen for each unit.
        #[schema(value_type = i64, minimum = 0, maximum = 10_000_000, example = 5_000)]
        rate: Yen,
        /// What becomes of a unit that is not full.
        part_unit: PartUnitRounding,
        /// The flat amount that replaces the rate for long visits; absent where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        flat_from: Option<FlatFee>,
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
    /// They are paid by the minute; a fraction of a yen is cut.
    ExactByMinute,
}

/// A parameter of a fee table that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeTableProblem {
    /// JSON pointer within the table, as `/flat_from/amount`.
    pub pointer: &'static str,
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
    /// The table is undisclosed: the amount has to be entered.
    AmountMustBeEntered,
    /// The activity is longer than [`MAX_VISIT_MINUTES`]; the minutes as given.
    TooLong(u32),
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
            Self::InvalidTable(_) => "fee_table_invalid",
            Self::Money(error) => error.code(),
        }
    }

    /// The explanation in English; `Display` gives the Japanese one.
    pub fn detail_en(&self) -> String {
        match self {
            Self::AmountMustBeEntered => "The fee table of this programme is not disclosed: enter the amount.".to_owned(),
            Self::TooLong(minutes) => {
                format!("{minutes} minutes exceed the {MAX_VISIT_MINUTES} minutes of a day.")
            }
            Self::InvalidTable(problems) => join(problems, |problem| &problem.detail_en, " "),
            Self::Money(error) => error.detail_en().to_owned(),
        }
    }
}

impl fmt::Display for FeeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AmountMustBeEntered => f.write_str("この事業の謝金単価は非公表です。金額を入力してください。"),
            Self::TooLong(minutes) => {
                write!(f, "{minutes}分は1日（{MAX_VISIT_MINUTES}分）を超えています。")
            }
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

/// What a step of a fee calculation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeStepCode {
    /// The table pays no fee.
    NoFee,
    /// Nothing was done, so nothing is paid.
    NoActivity,
    /// The flat amount applies.
    Flat,
    /// The actual minutes became whole units.
    UnitsCounted,
    /// The rate was applied.
    RateApplied,
}

/// One step of a fee calculation, for people to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeeStep {
    /// Which step it is.
    pub code: FeeStepCode,
    /// The step in Japanese.
    #[schema(min_length = 1, max_length = 200, example = "5,000円 × 3単位 ＝ 15,000円")]
    pub detail_ja: String,
    /// The step in English.
    #[schema(min_length = 1, max_length = 200, example = "5,000 yen × 3 units = 15,000 yen")]
    pub detail_en: String,
}

/// The fee of one visit and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeeCalculation {
    /// The fee in yen.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 15_000)]
    pub amount: Yen,
    /// The steps in their order, at least one.
    #[schema(min_items = 1, max_items = 10)]
    pub steps: Vec<FeeStep>,
}

impl FeeTable {
    /// Everything that is wrong with the parameters, all at once; empty for a sound table.
    pub fn validate(&self) -> Vec<FeeTableProblem> {
        let Self::Timed { unit_minutes, rate, part_unit: _, flat_from } = self else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        check_minutes(&mut problems, "/unit_minutes", *unit_minutes);
        check_amount(&mut problems, "/rate", *rate);
        if let Some(flat) = flat_from {
            check_minutes(&mut problems, "/flat_from/from_minutes", flat.from_minutes);
            check_amount(&mut problems, "/flat_from/amount", flat.amount);
        }
        problems
    }
}

fn check_minutes(problems: &mut Vec<FeeTableProblem>, pointer: &'static str, minutes: u32) {
    if !(1..=MAX_VISIT_MINUTES).contains(&minutes) {
        problems.push(FeeTableProblem {
            pointer,
            code: "minutes_out_of_range",
            detail_ja: format!("分数は1から{MAX_VISIT_MINUTES}までで指定してください。"),
            detail_en: format!("Minutes must be between 1 and {MAX_VISIT_MINUTES}."),
        });
    }
}

fn check_amount(problems: &mut Vec<FeeTableProblem>, pointer: &'static str, amount: Yen) {
    if !(0..=MAX_TABLE_AMOUNT).contains(&amount.get()) {
        let limit = grouped(MAX_TABLE_AMOUNT);
        problems.push(FeeTableProblem {
            pointer,
            code: "amount_out_of_range",
            detail_ja: format!("金額は0円から{limit}円までで指定してください。"),
            detail_en: format!("The amount must be between 0 and {limit} yen."),
        });
    }
}

/// The fee of one visit.
///
/// `actual_minutes` is the time of the activity itself, 0..=[`MAX_VISIT_MINUTES`]; nothing done earns nothing, whatever
/// the table.
///
/// # Errors
/// [`FeeError`]: the table is undisclosed or unsound, or the visit longer than a day.
pub fn fee(table: &FeeTable, actual_minutes: u32) -> Result<FeeCalculation, FeeError> {
    if actual_minutes > MAX_VISIT_MINUTES {
        return Err(FeeError::TooLong(actual_minutes));
    }
    let problems = table.validate();
    if !problems.is_empty() {
        return Err(FeeError::InvalidTable(problems));
    }
    match table {
        FeeTable::Undisclosed {} => Err(FeeError::AmountMustBeEntered),
        FeeTable::None {} => Ok(FeeCalculation {
            amount: Yen::ZERO,
            steps: vec![FeeStep {
                code: FeeStepCode::NoFee,
                detail_ja: "この事業では謝金を支払いません。".to_owned(),
                detail_en: "This programme pays no fee.".to_owned(),
            }],
        }),
        FeeTable::Timed { .. } if actual_minutes == 0 => Ok(FeeCalculation {
            amount: Yen::ZERO,
            steps: vec![FeeStep {
                code: FeeStepCode::NoActivity,
                detail_ja: "実績0分のため謝金はありません。".to_owned(),
                detail_en: "No activity, hence no fee.".to_owned(),
            }],
        }),
        FeeTable::Timed { flat_from: Some(flat), .. } if actual_minutes >= flat.from_minutes => {
            Ok(flat_fee(*flat, actual_minutes))
        }
        FeeTable::Timed { unit_minutes, rate, part_unit, .. } => timed_fee(*unit_minutes, *rate, *part_unit, actual_minutes),
    }
}

fn flat_fee(flat: FlatFee, actual_minutes: u32) -> FeeCalculation {
    let from = flat.from_minutes;
    FeeCalculation {
        amount: flat.amount,
        steps: vec![FeeStep {
            code: FeeStepCode::Flat,
            detail_ja: format!("実績{actual_minutes}分は{from}分以上のため1回{}", flat.amount),
            detail_en: format!("{actual_minutes} minutes are {from} or more: {} a visit", yen_en(flat.amount)),
        }],
    }
}

fn timed_fee(unit_minutes: u32, rate: Yen, part_unit: PartUnitRounding, actual_minutes: u32) -> Result<FeeCalculation, FeeError> {
    let (units, how_ja, how_en) = match part_unit {
        PartUnitRounding::FloorToUnit => (actual_minutes / unit_minutes, "切捨て", "rounded down"),
        PartUnitRounding::CeilToUnit => (actual_minutes.div_ceil(unit_minutes), "切上げ", "rounded up"),
        PartUnitRounding::HalfUp => {
            ((2 * actual_minutes + unit_minutes) / (2 * unit_minutes), "2分の1単位以上切上げ", "half a unit or more rounded up")
        }
        PartUnitRounding::ExactByMinute => {
            return exact_fee(unit_minutes, rate, actual_minutes);
        }
    };
    let amount = rate.checked_mul(i64::from(units))?;
    Ok(FeeCalculation {
        amount,
        steps: vec![
            FeeStep {
                code: FeeStepCode::UnitsCounted,
                detail_ja: format!("実績{actual_minutes}分 ÷ 1単位{unit_minutes}分 → {units}単位（{how_ja}）"),
                detail_en: format!("{actual_minutes} minutes ÷ {unit_minutes} minutes a unit → {units} units ({how_en})"),
            },
            FeeStep {
                code: FeeStepCode::RateApplied,
                detail_ja: format!("{rate} × {units}単位 ＝ {amount}"),
                detail_en: format!("{} × {units} units = {}", yen_en(rate), yen_en(amount)),
            },
        ],
    })
}

fn exact_fee(unit_minutes: u32, rate: Yen, actual_minutes: u32) -> Result<FeeCalculation, FeeError> {
    let units = Ratio::new(u64::from(actual_minutes), u64::from(unit_minutes))?;
    let amount = units.floor_of(rate)?;
    Ok(FeeCalculation {
        amount,
        steps: vec![FeeStep {
            code: FeeStepCode::RateApplied,
            detail_ja: format!("{rate} × {actual_minutes}分 ÷ {unit_minutes}分 ＝ {amount}（1円未満切捨て）"),
            detail_en: format!(
                "{} × {actual_minutes} minutes ÷ {unit_minutes} minutes = {} (fractions of a yen cut)",
                yen_en(rate),
                yen_en(amount)
            ),
        }],
    })
}

fn yen_en(amount: Yen) -> String {
    format!("{} yen", grouped(amount.get()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUNDINGS: [PartUnitRounding; 4] =
        [PartUnitRounding::FloorToUnit, PartUnitRounding::CeilToUnit, PartUnitRounding::HalfUp, PartUnitRounding::ExactByMinute];

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    /// The table Shizuoka publishes; how it rounds part hours is not published.
    fn shizuoka(part_unit: PartUnitRounding) -> FeeTable {
        FeeTable::Timed {
            unit_minutes: 60,
            rate: yen(5_000),
            part_unit,
            flat_from: Some(FlatFee { from_minutes: 240, amount: yen(20_000) }),
        }
    }

    fn amount(table: &FeeTable, minutes: u32) -> i64 {
        fee(table, minutes).unwrap().amount.get()
    }

    #[test]
    fn the_published_table_holds_under_every_rounding() {
        for rounding in ROUNDINGS {
            let table = shizuoka(rounding);
            let expected = [(0, 0), (60, 5_000), (180, 15_000), (240, 20_000), (480, 20_000)];
            for (minutes, fee) in expected {
                assert_eq!(amount(&table, minutes), fee, "{minutes} min, {rounding:?}");
            }
        }
    }

    #[test]
    fn part_hours_follow_the_setting() {
        let fees = |minutes| ROUNDINGS.map(|rounding| amount(&shizuoka(rounding), minutes));
        assert_eq!(fees(1), [0, 5_000, 0, 83]);
        assert_eq!(fees(29), [0, 5_000, 0, 2_416]);
        assert_eq!(fees(30), [0, 5_000, 5_000, 2_500]);
        assert_eq!(fees(89), [5_000, 10_000, 5_000, 7_416]);
        assert_eq!(fees(90), [5_000, 10_000, 10_000, 7_500]);
        assert_eq!(fees(200), [15_000, 20_000, 15_000, 16_666]);
        assert_eq!(fees(239), [15_000, 20_000, 20_000, 19_916]);
    }

    /// Shizuoka's flat amount equals four hours at its rate, so the threshold shows only where the two differ.
    #[test]
    fn the_flat_amount_starts_at_its_minute() {
        let table = FeeTable::Timed {
            unit_minutes: 60,
            rate: yen(5_000),
            part_unit: PartUnitRounding::CeilToUnit,
            flat_from: Some(FlatFee { from_minutes: 200, amount: yen(18_000) }),
        };
        assert_eq!((amount(&table, 199), amount(&table, 200)), (20_000, 18_000));
    }

    #[test]
    fn half_of_an_odd_unit_is_not_rounded_early() {
        let table = FeeTable::Timed { unit_minutes: 45, rate: yen(1_000), part_unit: PartUnitRounding::HalfUp, flat_from: None };
        assert_eq!(amount(&table, 22), 0);
        assert_eq!(amount(&table, 23), 1_000);
    }

    #[test]
    fn no_fee_is_zero_and_an_undisclosed_one_has_to_be_entered() {
        assert_eq!(amount(&FeeTable::None {}, 240), 0);
        assert_eq!(fee(&FeeTable::Undisclosed {}, 240), Err(FeeError::AmountMustBeEntered));
        assert_eq!(fee(&FeeTable::Undisclosed {}, 0), Err(FeeError::AmountMustBeEntered));
    }

    #[test]
    fn absurd_minutes_and_unsound_tables_are_refused() {
        let table = shizuoka(PartUnitRounding::HalfUp);
        assert_eq!(amount(&table, MAX_VISIT_MINUTES), 20_000);
        assert_eq!(fee(&table, 1_441), Err(FeeError::TooLong(1_441)));
        assert_eq!(fee(&table, u32::MAX), Err(FeeError::TooLong(u32::MAX)));
        let unsound = FeeTable::Timed {
            unit_minutes: 0,
            rate: yen(-1),
            part_unit: PartUnitRounding::FloorToUnit,
            flat_from: Some(FlatFee { from_minutes: 1_441, amount: yen(10_000_001) }),
        };
        let pointers: Vec<_> = unsound.validate().iter().map(|p| p.pointer).collect();
        assert_eq!(pointers, ["/unit_minutes", "/rate", "/flat_from/from_minutes", "/flat_from/amount"]);
        assert!(matches!(fee(&unsound, 60), Err(FeeError::InvalidTable(found)) if found.len() == 4));
    }

    #[test]
    fn a_table_is_read_strictly() {
        let text = r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up",
            "flat_from":{"from_minutes":240,"amount":20000}}"#;
        let table: FeeTable = serde_json::from_str(text).unwrap();
        assert_eq!(table, shizuoka(PartUnitRounding::HalfUp));
        let again = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<FeeTable>(&again).unwrap(), table);
        for refused in [
            r#"{"kind":"none","rate":5000}"#,
            r#"{"kind":"undisclosed","amount":1}"#,
            r#"{"kind":"hourly"}"#,
            r#"{"kind":"timed","unit_minutes":60,"rate":5000}"#,
            r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up","cap":1}"#,
            r#"{"kind":"timed","unit_minutes":60,"rate":0.5,"part_unit":"half_up"}"#,
            r#"{"kind":"timed","unit_minutes":60,"rate":5000,"part_unit":"half_up",
                "flat_from":{"from_minutes":240,"amount":20000,"note":""}}"#,
        ] {
            assert!(serde_json::from_str::<FeeTable>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_calculation_explains_itself() {
        let found = fee(&shizuoka(PartUnitRounding::FloorToUnit), 200).unwrap();
        let texts: Vec<_> = found.steps.iter().map(|s| s.detail_ja.as_str()).collect();
        assert_eq!(texts, ["実績200分 ÷ 1単位60分 → 3単位（切捨て）", "5,000円 × 3単位 ＝ 15,000円"]);
        let flat = fee(&shizuoka(PartUnitRounding::FloorToUnit), 480).unwrap();
        assert_eq!(flat.steps[0].detail_ja, "実績480分は240分以上のため1回20,000円");
    }

    proptest! {
        #[test]
        fn longer_visits_never_earn_less_by_the_rate(
            unit in 1u32..=1440, rate in 0i64..=10_000_000, kind in 0usize..4,
            minutes in 0u32..1440,
        ) {
            let table = FeeTable::Timed {
                unit_minutes: unit,
                rate: yen(rate),
                part_unit: ROUNDINGS[kind],
                flat_from: None,
            };
            prop_assert!(amount(&table, minutes) <= amount(&table, minutes + 1));
        }

        #[test]
        fn roundings_bracket_the_exact_fee(
            unit in 1u32..=1440, rate in 0i64..=10_000_000, minutes in 0u32..=1440,
        ) {
            let [floor, ceil, half, exact] = ROUNDINGS.map(|part_unit| {
                let table = FeeTable::Timed { unit_minutes: unit, rate: yen(rate), part_unit, flat_from: None };
                amount(&table, minutes)
            });
            prop_assert!(floor <= exact && exact <= ceil);
            prop_assert!(half == floor || half == ceil);
        }
    }
}
