//! Who pays, and what a request will presumably cost.

use crate::costs::{Component, FeeError, FeeStep, PayerRatio, Shares, Yen, fee};
use crate::error::Error;
use crate::pools::rules::ProgrammeRules;

crate::text_enum! {
    /// Who bears a share.
    pub enum Payer {
        /// The owner of the pool.
        Prefecture = "prefecture", "都道府県";
        /// The body that applied; with joint applicants the lead for all of them.
        Municipality = "municipality", "市町村";
    }
}

crate::text_enum! {
    /// Where a cost item stands.
    pub enum CostStatus {
        /// Being calculated.
        Open = "open", "計算中";
        /// Calculated and fixed.
        Calculated = "calculated", "確定";
    }
}

/// A kind of cost as it is stored.
pub fn component_text(component: Component) -> &'static str {
    match component {
        Component::Honorarium => "honorarium",
        Component::Travel => "travel",
        Component::Venue => "venue",
        Component::Materials => "materials",
        Component::Other => "other",
    }
}

/// A stored kind of cost.
pub fn component_of(text: &str) -> Result<Component, Error> {
    Component::ALL
        .into_iter()
        .find(|component| component_text(*component) == text)
        .ok_or_else(|| Error::internal(format!("unknown cost component {text}")))
}

/// The shares of prefecture and municipality in an amount, by the programme's rules.
pub fn shares(rules: &ProgrammeRules, component: Component, amount: Yen) -> Result<Shares, Error> {
    let ratio: PayerRatio = rules.ratio(component);
    Shares::build(amount, ratio, rules.remainder).map_err(Error::internal)
}

/// The honorarium of a visit and how it came about, in Japanese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Honorarium {
    /// Yen for the visit.
    pub amount: Yen,
    /// The steps of the calculation.
    pub explanation: String,
}

/// The honorarium of a visit of so many minutes. `None`: the table is not published, so the office enters the amount. A
/// public official on duty gets none, whatever the table (domain rule: no double pay out of public money).
pub fn honorarium(rules: &ProgrammeRules, actual_minutes: i32, official_on_duty: bool) -> Result<Option<Honorarium>, Error> {
    let minutes = u32::try_from(actual_minutes).map_err(Error::internal)?;
    let calculated = match fee(&rules.fee_table, minutes) {
        Ok(calculated) => calculated,
        Err(FeeError::AmountMustBeEntered) => return Ok(None),
        Err(error) => return Err(Error::internal(error)),
    };
    if official_on_duty {
        let explanation = "公務として従事する公務員のため謝金はありません。".to_owned();
        return Ok(Some(Honorarium { amount: Yen::ZERO, explanation }));
    }
    let steps: Vec<String> = calculated.steps.into_iter().map(|step: FeeStep| step.detail_ja).collect();
    Ok(Some(Honorarium { amount: calculated.amount, explanation: steps.join("、") }))
}

/// What a request will presumably cost: the honorarium of its visits. Travel and the like are not known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Honorarium of one visit.
    pub per_visit: Yen,
    /// Of all visits.
    pub total: Yen,
    /// The prefecture's part.
    pub prefecture: Yen,
    /// The municipality's part.
    pub municipality: Yen,
}

/// The estimate for so many visits of so many minutes; each visit is shared by itself, as it will be when it is done.
/// `None`: the table is not published.
pub fn estimate(rules: &ProgrammeRules, visits: i32, minutes: i32) -> Result<Option<Estimate>, Error> {
    let Some(one) = honorarium(rules, minutes, false)? else { return Ok(None) };
    let shares = shares(rules, Component::Honorarium, one.amount)?;
    let times = |yen: Yen| yen.checked_mul(i64::from(visits)).map_err(Error::internal);
    Ok(Some(Estimate {
        per_visit: one.amount,
        total: times(one.amount)?,
        prefecture: times(shares.prefecture())?,
        municipality: times(shares.municipality())?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::{FeeTable, FlatFee, PartUnitRounding, PayerParts, RemainderRule};

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    fn rules(table: FeeTable, prefecture: u32, municipality: u32) -> ProgrammeRules {
        let mut rules = crate::pools::presets::all().unwrap().remove(0).rules;
        rules.fee_table = table;
        rules.remainder = RemainderRule::Prefecture;
        rules.payer_ratios =
            vec![PayerRatio { component: Component::Honorarium, parts: PayerParts { prefecture, municipality } }];
        rules
    }

    fn timed() -> FeeTable {
        FeeTable::Timed {
            unit_minutes: 60,
            rate: yen(5_000),
            part_unit: PartUnitRounding::FloorToUnit,
            flat_from: Some(FlatFee { from_minutes: 240, amount: yen(20_000) }),
        }
    }

    #[test]
    fn four_hours_are_paid_flat_and_less_by_the_hour() {
        let rules = rules(timed(), 1, 0);
        assert_eq!(honorarium(&rules, 240, false).unwrap().unwrap().amount, yen(20_000));
        assert_eq!(honorarium(&rules, 239, false).unwrap().unwrap().amount, yen(15_000));
    }

    #[test]
    fn officials_on_duty_get_nothing_and_unpublished_tables_give_nothing_to_compute() {
        let official = honorarium(&rules(timed(), 1, 0), 240, true).unwrap().unwrap();
        assert_eq!(official.amount, Yen::ZERO);
        assert!(official.explanation.contains("公務員"));
        assert_eq!(honorarium(&rules(FeeTable::Undisclosed {}, 1, 0), 240, false).unwrap(), None);
    }

    #[test]
    fn an_estimate_shares_each_visit_and_loses_no_yen() {
        let estimate = estimate(&rules(timed(), 2, 1), 3, 240).unwrap().unwrap();
        assert_eq!(estimate.total, yen(60_000));
        assert_eq!(estimate.municipality, yen(19_998));
        assert_eq!(estimate.prefecture.checked_add(estimate.municipality).unwrap(), estimate.total);
    }

    #[test]
    fn components_read_back_as_they_are_stored() {
        for component in Component::ALL {
            assert_eq!(component_of(component_text(component)).unwrap(), component);
        }
        assert!(component_of("salary").is_err());
    }
}
