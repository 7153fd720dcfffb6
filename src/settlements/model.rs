//! States of cost items and settlements, the honorarium of a visit, and what a request will presumably cost.

use crate::costs::{Component, FeeError, FeeInput, FeeStep, FeeTable, Payer, PayerRule, PayerSplit, Yen, fee};
use crate::error::Error;
use crate::pools::rules::ProgrammeRules;

crate::text_enum! {
    /// Where a cost item stands.
    pub enum CostStatus {
        /// Being calculated.
        Open = "open", "計算中";
        /// Calculated and fixed.
        Calculated = "calculated", "確定";
    }
}

/// The honorarium of a visit and how it came about, in Japanese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Honorarium {
    /// Yen for the visit.
    pub amount: Yen,
    /// Minutes that were paid.
    pub paid_minutes: u32,
    /// The steps of the calculation.
    pub explanation: String,
}

/// The honorarium of a visit. `None`: the table names no amount, so the office enters it. A public official on duty gets
/// none, whatever the table (domain rule: no double pay out of public money).
pub fn honorarium(rules: &ProgrammeRules, input: &FeeInput, official_on_duty: bool) -> Result<Option<Honorarium>, Error> {
    let calculated = match fee(&rules.fee_table, input) {
        Ok(calculated) => calculated,
        Err(FeeError::AmountMustBeEntered) => return Ok(None),
        Err(error @ FeeError::UnknownGrade(_)) => {
            return Err(Error::rule(
                error.code(),
                "/expert_id",
                "専門家の支払情報に、事業の単価表にある区分を登録してください",
                "Register a grade of the programme's fee table in the expert's payment profile",
            ));
        }
        Err(error) => return Err(Error::internal(error)),
    };
    if official_on_duty {
        let explanation = "公務として従事する公務員のため謝金はありません。".to_owned();
        return Ok(Some(Honorarium { amount: Yen::ZERO, paid_minutes: 0, explanation }));
    }
    let steps: Vec<String> = calculated.steps.into_iter().map(|step: FeeStep| step.detail_ja).collect();
    Ok(Some(Honorarium { amount: calculated.amount, paid_minutes: calculated.paid_minutes, explanation: steps.join("、") }))
}

/// What a request will presumably cost: the honorarium of its visits. Travel and the like are not known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Honorarium of one visit.
    pub per_visit: Yen,
    /// Of all visits.
    pub total: Yen,
    /// Who bears how much of all visits, in the order of [`Payer`].
    pub by_payer: Vec<(Payer, Yen)>,
}

impl Estimate {
    /// What one payer bears.
    pub fn of(&self, payer: Payer) -> Yen {
        self.by_payer.iter().find(|(other, _)| *other == payer).map_or(Yen::ZERO, |(_, amount)| *amount)
    }
}

/// The most that can be agreed for a visit, where a table names no amount but a cap.
fn most_agreed(table: &FeeTable) -> Option<Yen> {
    match table {
        FeeTable::Agreed { cap } => *cap,
        _ => None,
    }
}

/// The honorarium that so many minutes will presumably cost, where nothing but a cap is agreed at most; by the lowest grade where a table has grades and the expert
/// is not known yet. `None`: the table names no amount.
pub fn expected_fee(rules: &ProgrammeRules, minutes: i32, grade: Option<&str>) -> Result<Option<Yen>, Error> {
    let minutes = u32::try_from(minutes).map_err(Error::internal)?;
    let mut input = FeeInput::of_minutes(minutes);
    input.grade = grade.filter(|grade| !grade.is_empty()).map(str::to_owned).or_else(|| rules.fee_table.lowest_grade());
    match fee(&rules.fee_table, &input) {
        Ok(found) => Ok(Some(found.amount)),
        Err(FeeError::AmountMustBeEntered) => Ok(most_agreed(&rules.fee_table)),
        Err(FeeError::UnknownGrade(_)) => {
            input.grade = rules.fee_table.lowest_grade();
            fee(&rules.fee_table, &input).map(|found| Some(found.amount)).map_err(Error::internal)
        }
        Err(error) => Err(Error::internal(error)),
    }
}

/// As [`expected_fee`], once it is known who comes: an official on duty gets nothing.
pub fn fee_of(rules: &ProgrammeRules, minutes: i32, grade: Option<&str>, official_on_duty: bool) -> Result<Option<Yen>, Error> {
    let fee = expected_fee(rules, minutes, grade)?;
    Ok(fee.map(|fee| if official_on_duty { Yen::ZERO } else { fee }))
}

/// The estimate for so many visits of so many minutes; each visit is divided by itself, as it will be when it is done.
/// `None`: the table names no amount.
pub fn estimate(rules: &ProgrammeRules, visits: i32, minutes: i32) -> Result<Option<Estimate>, Error> {
    let Some(per_visit) = expected_fee(rules, minutes, None)? else { return Ok(None) };
    let split = PayerSplit::divide(per_visit, &rules.payer_rule(Component::Honorarium)).map_err(Error::internal)?;
    let times = |yen: Yen| yen.checked_mul(i64::from(visits)).map_err(Error::internal);
    let by_payer = split.parts().iter().map(|(payer, part)| Ok((*payer, times(*part)?))).collect::<Result<_, Error>>()?;
    Ok(Some(Estimate { per_visit, total: times(per_visit)?, by_payer }))
}

/// What of an amount the programme itself lays out: what prefecture and national body bear, and all of what either pays
/// at first. This is what its budget is held against; what hosts and companies pay by themselves is theirs.
pub fn laid_out(rules: &ProgrammeRules, component: Component, amount: Yen) -> Result<Yen, Error> {
    laid_out_by(&rules.payer_rule(component), amount)
}

/// As [`laid_out`], by one rule.
pub fn laid_out_by(rule: &PayerRule, amount: Yen) -> Result<Yen, Error> {
    let own = |payer: Payer| matches!(payer, Payer::Prefecture | Payer::NationalBody);
    if let Some(first) = rule.first_paid_by {
        return Ok(if own(first) { amount } else { Yen::ZERO });
    }
    let split = PayerSplit::divide(amount, rule).map_err(Error::internal)?;
    Yen::sum(split.parts().iter().filter(|(payer, _)| own(*payer)).map(|(_, part)| *part)).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::{FlatFee, PartUnitRounding};

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    fn rules(table: FeeTable, payer: PayerRule) -> ProgrammeRules {
        let mut rules = crate::pools::presets::all().unwrap().remove(0).rules;
        rules.fee_table = table;
        rules.payers = vec![payer];
        rules
    }

    fn by_prefecture() -> PayerRule {
        PayerRule::all(Component::Honorarium, Payer::Prefecture)
    }

    fn timed() -> FeeTable {
        let flat = Some(FlatFee { from_minutes: 240, amount: yen(20_000) });
        FeeTable::timed(60, yen(5_000), PartUnitRounding::FloorToUnit, flat)
    }

    fn paid(rules: &ProgrammeRules, minutes: u32, official: bool) -> Option<Honorarium> {
        honorarium(rules, &FeeInput::of_minutes(minutes), official).unwrap()
    }

    #[test]
    fn four_hours_are_paid_flat_and_less_by_the_hour() {
        let rules = rules(timed(), by_prefecture());
        assert_eq!(paid(&rules, 240, false).unwrap().amount, yen(20_000));
        assert_eq!(paid(&rules, 239, false).unwrap().amount, yen(15_000));
    }

    #[test]
    fn officials_on_duty_get_nothing_and_unpublished_tables_give_nothing_to_compute() {
        let official = paid(&rules(timed(), by_prefecture()), 240, true).unwrap();
        assert_eq!(official.amount, Yen::ZERO);
        assert!(official.explanation.contains("公務員"));
        assert_eq!(paid(&rules(FeeTable::Undisclosed {}, by_prefecture()), 240, false), None);
    }

    #[test]
    fn an_estimate_divides_each_visit_and_loses_no_yen() {
        let rule = PayerRule::ratio(Component::Honorarium, Payer::Host, 1, 3, Payer::Prefecture);
        let estimate = estimate(&rules(timed(), rule), 3, 240).unwrap().unwrap();
        assert_eq!(estimate.total, yen(60_000));
        assert_eq!(estimate.of(Payer::Host), yen(19_998));
        assert_eq!(Yen::sum(estimate.by_payer.iter().map(|(_, part)| *part)).unwrap(), estimate.total);
    }

    #[test]
    fn the_budget_is_held_against_what_the_programme_lays_out() {
        let of = |rule: PayerRule| laid_out(&rules(timed(), rule), Component::Honorarium, yen(20_001)).unwrap().get();
        assert_eq!(of(by_prefecture()), 20_001);
        assert_eq!(of(PayerRule::ratio(Component::Honorarium, Payer::Prefecture, 1, 2, Payer::Host)), 10_000);
        assert_eq!(of(PayerRule::all(Component::Honorarium, Payer::Host)), 0);
        let first = |payer| PayerRule { first_paid_by: Some(payer), ..PayerRule::all(Component::Honorarium, Payer::Host) };
        assert_eq!((of(first(Payer::Prefecture)), of(first(Payer::Company))), (20_001, 0));
    }
}
