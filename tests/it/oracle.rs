//! The money engine against an oracle that was written from the rules and not from the engine: exact fractions, the plainest
//! way. They must agree to the yen, and on what is refused.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tasuki::costs::{
    Component, DistanceSurcharge, ExcludedTime, FeeInput, FeeTable, FeeTier, FlatFee, PartUnitRounding, Payer, PayerRule,
    PayerSplit, PopulationSource, Portion, Sharing, SharingBasis, SharingBody, SharingGroup, SharingPart, SharingRemainder,
    SharingTerms, Stay, TaxRounding, WithholdingCategory, Yen, add_tax, extract_tax, fee, instalments, prorate, withhold,
};

use crate::support::exact;

/// Cases of sharing; the other parts of the engine add half as many more.
const SHARES: usize = 66_000;
const OTHERS: usize = 34_000;

/// Random numbers that are the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from + 1).unwrap())).unwrap()
    }

    fn small(&mut self, from: u32, to: u32) -> u32 {
        u32::try_from(self.between(i64::from(from), i64::from(to))).unwrap()
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(u64::try_from(from.len()).unwrap())).unwrap()]
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(2).then(|| make(self))
    }

    /// Mostly everyday amounts, sometimes nothing, a yen, or all there can be.
    fn total(&mut self) -> i64 {
        match self.below(8) {
            0 => self.between(0, 3),
            1 => self.between(999_999_999_000, 1_000_000_000_000),
            2 => self.between(0, 1_000_000_000_000),
            _ => self.between(0, 3_000_000),
        }
    }
}

fn yen(amount: i64) -> Yen {
    Yen::new(amount).unwrap()
}

const BASES: [exact::Basis; 8] = [
    exact::Basis::Equal,
    exact::Basis::Population,
    exact::Basis::Staff,
    exact::Basis::Participants,
    exact::Basis::UsageMinutes,
    exact::Basis::UsageVisits,
    exact::Basis::FiscalNeed,
    exact::Basis::Fixed,
];

fn parts(dice: &mut Dice) -> Vec<(u32, exact::Basis)> {
    let count = dice.small(1, 3);
    let mut left = 100;
    let mut parts = Vec::new();
    for n in 1..=count {
        let percent = if n == count { left } else { dice.small(1, left - (count - n)) };
        left -= percent;
        parts.push((percent, dice.pick(&BASES)));
    }
    if dice.chance(40) {
        parts[0].0 += 1;
    }
    parts
}

fn engine_parts(parts: &[(u32, exact::Basis)]) -> Vec<SharingPart> {
    let as_of = NaiveDate::from_ymd_opt(2025, 4, 1).unwrap();
    let basis = |basis: exact::Basis| match basis {
        exact::Basis::Equal => SharingBasis::Equal {},
        exact::Basis::Population => SharingBasis::Population { source: PopulationSource::Census, as_of },
        exact::Basis::Staff => SharingBasis::Staff {},
        exact::Basis::Participants => SharingBasis::Participants {},
        exact::Basis::UsageMinutes => SharingBasis::UsageMinutes {},
        exact::Basis::UsageVisits => SharingBasis::UsageVisits {},
        exact::Basis::FiscalNeed => SharingBasis::FiscalNeed {},
        exact::Basis::Fixed => SharingBasis::Fixed {},
    };
    parts.iter().map(|(percent, by)| SharingPart { percent: *percent, basis: basis(*by) }).collect()
}

/// An agreement with its bodies; now and then something is wrong with it.
fn agreement(dice: &mut Dice) -> (exact::Terms, Vec<exact::Body>) {
    let count = dice.between(1, 8);
    let mut bodies: Vec<exact::Body> = (1..=count)
        .map(|id| {
            let figures = BASES[1..]
                .iter()
                .filter(|_| !dice.chance(120))
                .copied()
                .collect::<Vec<_>>()
                .into_iter()
                .map(|basis| (basis, if dice.chance(12) { 0 } else { dice.below(400_000) }))
                .collect();
            let code = (!dice.chance(5)).then(|| format!("{:06}", dice.below(480_000)));
            exact::Body { id, code, is_lead: id == 1, figures }
        })
        .collect();
    if dice.chance(40) {
        bodies[0].is_lead = false;
    }
    let remainder = dice.pick(&[
        exact::Remainder::Lead,
        exact::Remainder::Prefecture,
        exact::Remainder::Largest,
        exact::Remainder::FirstInstalment,
    ]);
    let mut groups = Vec::new();
    if count > 2 && dice.chance(3) {
        let size = dice.between(1, count - 1);
        let mut members: Vec<i64> = (2..=size.max(2)).collect();
        if dice.chance(40) {
            members.push(99);
        }
        groups.push(exact::Group { bodies: members, parts: parts(dice) });
    }
    (exact::Terms { parts: parts(dice), remainder, groups }, bodies)
}

fn engine_agreement(terms: &exact::Terms, bodies: &[exact::Body]) -> (SharingTerms, Vec<SharingBody>) {
    let remainder = match terms.remainder {
        exact::Remainder::Lead => SharingRemainder::Lead,
        exact::Remainder::Prefecture => SharingRemainder::Prefecture,
        exact::Remainder::Largest => SharingRemainder::LargestRemainder,
        exact::Remainder::FirstInstalment => SharingRemainder::FirstInstalment,
    };
    let groups = terms
        .groups
        .iter()
        .map(|group| SharingGroup { name: "組".to_owned(), bodies: group.bodies.clone(), parts: engine_parts(&group.parts) })
        .collect();
    let bodies = bodies
        .iter()
        .map(|body| {
            let figure = |basis| body.figures.get(&basis).copied();
            SharingBody {
                id: body.id,
                code: body.code.clone(),
                is_lead: body.is_lead,
                population: figure(exact::Basis::Population),
                staff: figure(exact::Basis::Staff),
                participants: figure(exact::Basis::Participants),
                usage_minutes: figure(exact::Basis::UsageMinutes),
                usage_visits: figure(exact::Basis::UsageVisits),
                fiscal_need: figure(exact::Basis::FiscalNeed),
                fixed: figure(exact::Basis::Fixed),
            }
        })
        .collect();
    (SharingTerms { parts: engine_parts(&terms.parts), remainder, groups }, bodies)
}

#[test]
fn shares_of_bodies_agree_to_the_yen() {
    let mut dice = Dice(20_261_125);
    let (mut divided, mut refused) = (0, 0);
    for case in 0..SHARES {
        let (terms, bodies) = agreement(&mut dice);
        let total = dice.total();
        let expected = exact::share(total, &terms, &bodies);
        let (engine_terms, mut engine_bodies) = engine_agreement(&terms, &bodies);
        engine_bodies.rotate_left(case % bodies.len());
        let found = Sharing::prepare(&engine_terms, &engine_bodies).and_then(|sharing| sharing.split(yen(total)));
        match (expected, found) {
            (Ok((shares, to_prefecture)), Ok(split)) => {
                let found: BTreeMap<i64, i64> = split.shares().iter().map(|(id, share)| (*id, share.get())).collect();
                assert_eq!(
                    (found, split.to_prefecture().get()),
                    (shares, to_prefecture),
                    "{total} by {terms:?} among {bodies:?}"
                );
                divided += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            (expected, found) => panic!("{expected:?} but {found:?}: {total} by {terms:?} among {bodies:?}"),
        }
    }
    assert!(divided > SHARES / 2 && refused > SHARES / 50, "{divided} divided, {refused} refused: the cases look at both");
}

fn payer(text: &str) -> Payer {
    text.parse().unwrap()
}

fn payers_agree(dice: &mut Dice) {
    let names: Vec<&str> = Payer::ALL.iter().map(|payer| payer.as_str()).collect();
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..dice.below(4) {
        let who = dice.pick(&names);
        let den = dice.small(1, 30);
        let num = dice.small(1, den);
        match dice.below(3) {
            0 => {
                let cap = dice.maybe(|dice| dice.between(0, 2_000_000));
                theirs.push(exact::Portion::Ratio { payer: who.to_owned(), num, den, cap });
                ours.push(Portion::Ratio { payer: payer(who), numerator: num, denominator: den, cap: cap.map(yen) });
            }
            1 => {
                let amount = dice.between(0, 1_000_000);
                theirs.push(exact::Portion::Fixed { payer: who.to_owned(), amount });
                ours.push(Portion::Fixed { payer: payer(who), amount: yen(amount) });
            }
            _ => {
                let from = dice.between(0, 1_000_000);
                let to = dice.maybe(|dice| from + dice.between(1, 1_000_000));
                theirs.push(exact::Portion::Tier { payer: who.to_owned(), from, to, num, den });
                ours.push(Portion::Tier {
                    payer: payer(who),
                    from: yen(from),
                    to: to.map(yen),
                    numerator: num,
                    denominator: den,
                });
            }
        }
    }
    let rest = dice.pick(&names);
    let rule = PayerRule { component: Component::VendorFee, portions: ours, rest: payer(rest), first_paid_by: None };
    if !rule.validate().is_empty() {
        // Plain fractions of more than the whole are no rule.
        return;
    }
    let total = dice.total();
    let found: BTreeMap<String, i64> = PayerSplit::divide(yen(total), &rule)
        .unwrap()
        .parts()
        .iter()
        .map(|(payer, part)| (payer.as_str().to_owned(), part.get()))
        .collect();
    assert_eq!(found, exact::payers(total, &theirs, rest), "{total} by {rule:?}");
}

fn fees_agree(dice: &mut Dice) {
    let unit = dice.pick(&[15, 30, 45, 60, 90]);
    let (part_unit, rounding) = dice.pick(&[
        (PartUnitRounding::FloorToUnit, exact::Rounding::Floor),
        (PartUnitRounding::CeilToUnit, exact::Rounding::Ceil),
        (PartUnitRounding::HalfUp, exact::Rounding::HalfUp),
        (PartUnitRounding::HalfUpElseHalf, exact::Rounding::HalfUpElseHalf),
        (PartUnitRounding::ExactByMinute, exact::Rounding::ByMinute),
    ]);
    let rising = |dice: &mut Dice, step: u32| -> Vec<(u32, u32)> {
        (1..=dice.small(0, 3)).map(|n| (n * step, dice.small(1, 4))).collect()
    };
    let tiers: Vec<(u32, u32)> = rising(dice, 2 * unit).into_iter().map(|(at, n)| (at, n * 25)).collect();
    let surcharges = rising(dice, 50);
    let minimum = dice.maybe(|dice| dice.small(1, 120));
    let maximum = dice.maybe(|dice| dice.small(120, 600));
    let flat = dice.maybe(|dice| (dice.small(60, 400), dice.between(0, 30_000)));
    let daily_cap = dice.maybe(|dice| dice.between(30_000, 60_000));
    let all = [
        (ExcludedTime::Travel, exact::Excluded::Travel),
        (ExcludedTime::Waiting, exact::Excluded::Waiting),
        (ExcludedTime::Breaks, exact::Excluded::Breaks),
    ];
    let excluded: Vec<_> = all.into_iter().filter(|_| dice.chance(2)).collect();
    let rate = dice.between(0, 20_000);
    let table = FeeTable::Timed {
        unit_minutes: unit,
        rate: yen(rate),
        part_unit,
        flat_from: flat.map(|(from_minutes, amount)| FlatFee { from_minutes, amount: yen(amount) }),
        tiers: tiers
            .iter()
            .map(|(from_minutes, rate_percent)| FeeTier { from_minutes: *from_minutes, rate_percent: *rate_percent })
            .collect(),
        minimum_minutes: minimum,
        maximum_minutes: maximum,
        daily_cap: daily_cap.map(yen),
        excluded: excluded.iter().map(|(kind, _)| *kind).collect(),
        distance_surcharges: surcharges
            .iter()
            .map(|(from_km, units)| DistanceSurcharge { from_km: *from_km, units: *units })
            .collect(),
        grades: Vec::new(),
    };
    let theirs = exact::Timed {
        unit,
        rate,
        part_unit: rounding,
        flat_from: flat,
        tiers,
        minimum,
        maximum,
        daily_cap,
        excluded: excluded.iter().map(|(_, kind)| *kind).collect(),
        surcharges,
    };
    let minutes = dice.small(0, 720);
    let (travel, waiting, breaks) = (dice.small(0, 90), dice.small(0, 60), dice.small(0, 60));
    let distance_km = dice.maybe(|dice| dice.small(0, 300));
    let (earlier_minutes, earlier_amount) = if dice.chance(3) { (dice.small(0, 300), dice.between(0, 40_000)) } else { (0, 0) };
    let input = FeeInput {
        minutes,
        travel_minutes: travel,
        waiting_minutes: waiting,
        break_minutes: breaks,
        distance_km,
        grade: None,
        earlier_minutes,
        earlier_amount: yen(earlier_amount),
    };
    let found = fee(&table, &input).unwrap().amount.get();
    let expected = exact::fee(&theirs, minutes, distance_km, travel, waiting, breaks, earlier_minutes, earlier_amount);
    assert_eq!(found, expected, "{table:?} {input:?}");
}

fn tax_and_parts_agree(dice: &mut Dice) {
    let day = NaiveDate::from_ymd_opt(2026, 5, 20).unwrap();
    let base = dice.between(0, 5_000_000);
    assert_eq!(withhold(yen(base), WithholdingCategory::Lecture, day).unwrap().tax.get(), exact::withhold(base));
    let (ours, theirs) = dice.pick(&[
        (TaxRounding::Floor, exact::TaxRounding::Floor),
        (TaxRounding::HalfUp, exact::TaxRounding::HalfUp),
        (TaxRounding::Ceil, exact::TaxRounding::Ceil),
    ]);
    let (amount, points) = (dice.between(0, 100_000_000_000), dice.small(0, 2_000));
    assert_eq!(add_tax(yen(amount), i64::from(points), ours).unwrap().tax.get(), exact::tax_on_top(amount, points, theirs));
    assert_eq!(extract_tax(yen(amount), i64::from(points), ours).unwrap().tax.get(), exact::tax_within(amount, points, theirs));
    let days = dice.small(28, 31);
    let stays: Vec<(i64, u32, u32)> =
        (0..dice.below(4)).map(|_| (dice.between(1, 3), dice.small(0, days / 3), dice.small(0, 100))).collect();
    let month = dice.between(0, 2_000_000);
    let engine: Vec<Stay> = stays
        .iter()
        .map(|(host, days, share_percent)| Stay { host: *host, days: *days, share_percent: *share_percent })
        .collect();
    let found = prorate(yen(month), days, &engine).unwrap();
    let hosts: BTreeMap<i64, i64> = found.hosts().iter().map(|(host, part)| (*host, part.get())).collect();
    assert_eq!((hosts, found.rest().get()), exact::prorate(month, days, &stays));
    let count = dice.small(1, 12);
    let found: Vec<i64> = instalments(yen(amount), count, Yen::ZERO).unwrap().into_iter().map(Yen::get).collect();
    assert_eq!(found, exact::instalments(amount, count));
}

#[test]
fn payers_fees_taxes_and_parts_agree_to_the_yen() {
    let mut dice = Dice(42);
    for case in 0..OTHERS {
        match case % 3 {
            0 => payers_agree(&mut dice),
            1 => fees_agree(&mut dice),
            _ => tax_and_parts_agree(&mut dice),
        }
    }
}
