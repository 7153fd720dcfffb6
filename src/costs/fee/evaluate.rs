//! The fee of one visit by a table.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    DistanceSurcharge, ExcludedTime, FeeError, FeeGrade, FeeTable, FeeTier, FlatFee, MAX_VISIT_MINUTES, PartUnitRounding,
};
use crate::costs::money::{MoneyError, Ratio, Yen, grouped};

/// What a table looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeeInput {
    /// Recorded minutes of the visit, 0..=[`MAX_VISIT_MINUTES`].
    pub minutes: u32,
    /// Of these, minutes of travel.
    pub travel_minutes: u32,
    /// Of these, minutes of waiting.
    pub waiting_minutes: u32,
    /// Of these, minutes of breaks.
    pub break_minutes: u32,
    /// Kilometres one way from the expert's base to the place.
    pub distance_km: Option<u32>,
    /// The expert's grade.
    pub grade: Option<String>,
    /// Minutes already paid to the expert for this day.
    pub earlier_minutes: u32,
    /// Yen already paid to the expert for this day.
    pub earlier_amount: Yen,
}

impl FeeInput {
    /// A visit of so many minutes, with nothing else to look at.
    pub fn of_minutes(minutes: u32) -> Self {
        Self { minutes, ..Self::default() }
    }
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
    /// Minutes were left out, added or cut.
    MinutesCounted,
    /// The minutes became units.
    UnitsCounted,
    /// The rate was applied.
    RateApplied,
    /// A surcharge for the distance was added.
    Surcharge,
    /// The daily cap was applied.
    Capped,
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

impl FeeStep {
    fn new(code: FeeStepCode, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, detail_ja: ja.into(), detail_en: en.into() }
    }
}

/// The fee of one visit and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeeCalculation {
    /// The fee in yen.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 15_000)]
    pub amount: Yen,
    /// The minutes that were paid.
    #[schema(minimum = 0, maximum = 1440)]
    pub paid_minutes: u32,
    /// The steps in their order, at least one.
    #[schema(min_items = 1, max_items = 10)]
    pub steps: Vec<FeeStep>,
}

/// The fee of one visit; nothing done earns nothing, whatever the table.
///
/// # Errors
/// [`FeeError`]: the table names no amount or is unsound, the expert's grade is not in it, or the visit is longer than a
/// day.
pub fn fee(table: &FeeTable, input: &FeeInput) -> Result<FeeCalculation, FeeError> {
    if input.minutes > MAX_VISIT_MINUTES {
        return Err(FeeError::TooLong(input.minutes));
    }
    let problems = table.validate();
    if !problems.is_empty() {
        return Err(FeeError::InvalidTable(problems));
    }
    let nothing =
        |code, ja: &str, en: &str| FeeCalculation { amount: Yen::ZERO, paid_minutes: 0, steps: vec![FeeStep::new(code, ja, en)] };
    match table {
        FeeTable::Undisclosed {} | FeeTable::Agreed { .. } => Err(FeeError::AmountMustBeEntered),
        FeeTable::None {} => Ok(nothing(FeeStepCode::NoFee, "この事業では謝金を支払いません。", "This programme pays no fee.")),
        _ if input.minutes == 0 => {
            Ok(nothing(FeeStepCode::NoActivity, "実績0分のため謝金はありません。", "No activity, hence no fee."))
        }
        FeeTable::PerVisit { amount } => Ok(FeeCalculation {
            amount: *amount,
            paid_minutes: input.minutes,
            steps: vec![FeeStep::new(FeeStepCode::Flat, format!("1回{amount}"), format!("{} a visit", yen_en(*amount)))],
        }),
        FeeTable::Timed {
            unit_minutes,
            rate,
            part_unit,
            flat_from,
            tiers,
            minimum_minutes,
            maximum_minutes,
            daily_cap,
            excluded,
            distance_surcharges,
            grades,
        } => Timed {
            unit: *unit_minutes,
            rate: rate_of(*rate, grades, input.grade.as_deref())?,
            part_unit: *part_unit,
            flat_from: *flat_from,
            tiers,
            least: *minimum_minutes,
            most: *maximum_minutes,
            cap: *daily_cap,
            excluded,
            surcharges: distance_surcharges,
        }
        .evaluate(input),
    }
}

/// The rate of a grade. A table with grades needs one of them; one without looks at none.
fn rate_of(rate: Yen, grades: &[FeeGrade], grade: Option<&str>) -> Result<Yen, FeeError> {
    if grades.is_empty() {
        return Ok(rate);
    }
    let wanted = grade.unwrap_or_default();
    let found = grades.iter().find(|row| row.code == wanted);
    found.map(|row| row.rate).ok_or_else(|| FeeError::UnknownGrade(wanted.to_owned()))
}

struct Timed<'a> {
    unit: u32,
    rate: Yen,
    part_unit: PartUnitRounding,
    flat_from: Option<FlatFee>,
    tiers: &'a [FeeTier],
    least: Option<u32>,
    most: Option<u32>,
    cap: Option<Yen>,
    excluded: &'a [ExcludedTime],
    surcharges: &'a [DistanceSurcharge],
}

impl Timed<'_> {
    fn evaluate(&self, input: &FeeInput) -> Result<FeeCalculation, FeeError> {
        let mut steps = Vec::new();
        let minutes = self.paid_minutes(input, &mut steps);
        let mut amount = match self.flat_from {
            Some(flat) if minutes >= flat.from_minutes => {
                let from = flat.from_minutes;
                steps.push(FeeStep::new(
                    FeeStepCode::Flat,
                    format!("実績{minutes}分は{from}分以上のため1回{}", flat.amount),
                    format!("{minutes} minutes are {from} or more: {} a visit", yen_en(flat.amount)),
                ));
                flat.amount
            }
            _ => self.by_time(minutes, &mut steps)?,
        };
        if let Some(extra) = self.surcharge(input, &mut steps)? {
            amount = amount.checked_add(extra)?;
        }
        if let Some(cap) = self.cap {
            let left = cap.checked_sub(input.earlier_amount)?.max(Yen::ZERO);
            if amount > left {
                amount = left;
                steps.push(FeeStep::new(
                    FeeStepCode::Capped,
                    format!("1日の上限{cap}により{amount}"),
                    format!("{} by the daily cap of {}", yen_en(amount), yen_en(cap)),
                ));
            }
        }
        Ok(FeeCalculation { amount, paid_minutes: minutes, steps })
    }

    /// The recorded minutes without those that do not count, at least and at most what the table says.
    fn paid_minutes(&self, input: &FeeInput, steps: &mut Vec<FeeStep>) -> u32 {
        let left_out: u32 = self
            .excluded
            .iter()
            .map(|kind| match kind {
                ExcludedTime::Travel => input.travel_minutes,
                ExcludedTime::Waiting => input.waiting_minutes,
                ExcludedTime::Breaks => input.break_minutes,
            })
            .fold(0, u32::saturating_add);
        let counted = input.minutes.saturating_sub(left_out);
        let raised = match self.least {
            Some(least) if input.earlier_minutes == 0 && counted > 0 => counted.max(least),
            _ => counted,
        };
        let most = self.most.map_or(u32::MAX, |most| most.saturating_sub(input.earlier_minutes));
        let paid = raised.min(most);
        if paid != input.minutes {
            steps.push(FeeStep::new(
                FeeStepCode::MinutesCounted,
                format!("実績{}分のうち対象は{paid}分", input.minutes),
                format!("{paid} of {} minutes count", input.minutes),
            ));
        }
        paid
    }

    /// The units, exact: half units and minutes are fractions of one.
    fn units(&self, minutes: u32) -> Result<Ratio, MoneyError> {
        let (unit, full, rest) = (self.unit, minutes / self.unit, minutes % self.unit);
        let whole = |count: u32| Ratio::new(u64::from(count), 1);
        match self.part_unit {
            PartUnitRounding::FloorToUnit => whole(full),
            PartUnitRounding::CeilToUnit => whole(minutes.div_ceil(unit)),
            PartUnitRounding::HalfUp => whole(full + u32::from(2 * rest >= unit && rest > 0)),
            PartUnitRounding::HalfUpElseHalf if rest > 0 && 2 * rest < unit => Ratio::new(u64::from(2 * full + 1), 2),
            PartUnitRounding::HalfUpElseHalf => whole(full + u32::from(rest > 0)),
            PartUnitRounding::ExactByMinute => Ratio::new(u64::from(minutes), u64::from(unit)),
        }
    }

    fn by_time(&self, minutes: u32, steps: &mut Vec<FeeStep>) -> Result<Yen, FeeError> {
        let units = self.units(minutes)?;
        let how = match self.part_unit {
            PartUnitRounding::FloorToUnit => ("切捨て", "rounded down"),
            PartUnitRounding::CeilToUnit => ("切上げ", "rounded up"),
            PartUnitRounding::HalfUp => ("2分の1単位以上切上げ", "half a unit or more rounded up"),
            PartUnitRounding::HalfUpElseHalf => {
                ("2分の1単位以上切上げ、未満は半単位", "half a unit or more rounded up, less paid as half")
            }
            PartUnitRounding::ExactByMinute => ("分単位", "by the minute"),
        };
        let shown = shown(units);
        steps.push(FeeStep::new(
            FeeStepCode::UnitsCounted,
            format!("実績{minutes}分 ÷ 1単位{}分 → {shown}単位（{}）", self.unit, how.0),
            format!("{minutes} minutes ÷ {} minutes a unit → {shown} units ({})", self.unit, how.1),
        ));
        let weighed = self.weighed(units)?;
        let amount = weighed.floor_of(self.rate)?;
        let (ja, en) = if weighed == units {
            (
                format!("{} × {shown}単位 ＝ {amount}", self.rate),
                format!("{} × {shown} units = {}", yen_en(self.rate), yen_en(amount)),
            )
        } else {
            let full = self::shown(weighed);
            (
                format!("{} × {full}（時間帯ごとの割合で換算した単位） ＝ {amount}", self.rate),
                format!("{} × {full} (units by the rate of each part of the time) = {}", yen_en(self.rate), yen_en(amount)),
            )
        };
        steps.push(FeeStep::new(FeeStepCode::RateApplied, ja, en));
        Ok(amount)
    }

    /// The units with each stretch of time counted at its percentage of the rate.
    fn weighed(&self, units: Ratio) -> Result<Ratio, MoneyError> {
        let at = |minutes: u32| Ratio::new(u64::from(minutes), u64::from(self.unit));
        let mut sum = Ratio::ZERO;
        let (mut from, mut percent) = (Ratio::ZERO, 100);
        for tier in self.tiers {
            let until = at(tier.from_minutes)?;
            if until >= units {
                break;
            }
            sum = sum.checked_add(until.checked_sub(from)?.checked_mul(Ratio::new(percent, 100)?)?)?;
            (from, percent) = (until, u64::from(tier.rate_percent));
        }
        sum.checked_add(units.checked_sub(from)?.checked_mul(Ratio::new(percent, 100)?)?)
    }

    fn surcharge(&self, input: &FeeInput, steps: &mut Vec<FeeStep>) -> Result<Option<Yen>, FeeError> {
        let Some(km) = input.distance_km else { return Ok(None) };
        let Some(row) = self.surcharges.iter().rev().find(|row| km >= row.from_km) else { return Ok(None) };
        let extra = self.rate.checked_mul(i64::from(row.units))?;
        steps.push(FeeStep::new(
            FeeStepCode::Surcharge,
            format!("片道{km}kmは{}km以上のため{}単位分{extra}を加算", row.from_km, row.units),
            format!("{km} km one way are {} or more: {} units, {}, on top", row.from_km, row.units, yen_en(extra)),
        ));
        Ok(Some(extra))
    }
}

/// A number of units as people write it: whole, with a half, or as a fraction.
fn shown(units: Ratio) -> String {
    match (units.numerator(), units.denominator()) {
        (whole, 1) => whole.to_string(),
        (halves, 2) => format!("{}.5", halves / 2),
        _ => units.to_string(),
    }
}

fn yen_en(amount: Yen) -> String {
    format!("{} yen", grouped(amount.get()))
}
