//! Independent oracle for a cost-sharing engine, written from the rules alone.
//! Exact rationals everywhere; clarity over speed. Panics on nonsense (zero denominators, i64 overflow).

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Euclid, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

// ---------------------------------------------------------------- helpers

fn int(n: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(n.into())
}

fn frac(num: impl Into<BigInt>, den: impl Into<BigInt>) -> BigRational {
    BigRational::new(num.into(), den.into())
}

/// Exact product left unreduced: a gcd at every step would be far too slow in debug builds.
fn times(a: &BigRational, b: &BigRational) -> BigRational {
    BigRational::new_raw(a.numer() * b.numer(), a.denom() * b.denom())
}

/// Compares two exact numbers by cross-multiplication (quicker than Ratio's own comparison).
fn compare(a: &BigRational, b: &BigRational) -> Ordering {
    (a.numer() * b.denom()).cmp(&(b.numer() * a.denom()))
}

fn floor(x: &BigRational) -> i64 {
    // Denominators are positive, so Euclidean division is the floor.
    x.numer().div_euclid(x.denom()).to_i64().expect("fits in i64")
}

// ---------------------------------------------------------------- A. payer matrix

/// One portion of a cost that a payer bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Portion {
    Ratio { payer: String, num: u32, den: u32, cap: Option<i64> },
    Fixed { payer: String, amount: i64 },
    Tier { payer: String, from: i64, to: Option<i64>, num: u32, den: u32 },
}

/// Splits `total` between the portions' payers in order of first appearance; what is left goes to `rest`.
pub fn payers(total: i64, portions: &[Portion], rest: &str) -> BTreeMap<String, i64> {
    let mut order: Vec<&str> = Vec::new();
    let mut exact: BTreeMap<&str, BigRational> = BTreeMap::new();
    for portion in portions {
        let (payer, part) = match portion {
            Portion::Ratio { payer, num, den, cap } => {
                let part = times(&int(total), &frac(*num, *den));
                let part = match cap {
                    Some(cap) => part.min(int(*cap)),
                    None => part,
                };
                (payer, part)
            }
            Portion::Fixed { payer, amount } => (payer, int(*amount.min(&total))),
            Portion::Tier { payer, from, to, num, den } => {
                let upper = to.map_or(total, |to| to.min(total));
                let inside = (upper - from).max(0);
                (payer, int(inside) * frac(*num, *den))
            }
        };
        if !order.contains(&payer.as_str()) {
            order.push(payer);
        }
        *exact.entry(payer).or_insert_with(BigRational::zero) += part;
    }

    let mut left = total;
    let mut out: BTreeMap<String, i64> = BTreeMap::new();
    for payer in order {
        // Compare as rationals: the part itself may be larger than any i64.
        let borne = floor(&exact[payer].clone().min(int(left)));
        out.insert(payer.to_string(), borne);
        left -= borne;
    }
    *out.entry(rest.to_string()).or_insert(0) += left;
    out.retain(|_, yen| *yen != 0);
    out
}

// ---------------------------------------------------------------- B. sharing between bodies

/// What a share is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    Equal,
    Population,
    Staff,
    Participants,
    UsageMinutes,
    UsageVisits,
    FiscalNeed,
    Fixed,
}

/// Who gets the yen remaining after every share has been floored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remainder {
    Lead,
    FirstInstalment,
    Prefecture,
    Largest,
}

/// A body taking part in the sharing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    pub id: i64,
    pub code: Option<String>,
    pub is_lead: bool,
    pub figures: BTreeMap<Basis, u64>,
}

/// Bodies that are one party together, and how they share inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub bodies: Vec<i64>,
    pub parts: Vec<(u32, Basis)>,
}

/// The terms of sharing; the percentages of `parts` sum to 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub parts: Vec<(u32, Basis)>,
    pub remainder: Remainder,
    pub groups: Vec<Group>,
}

/// A party's weight: Equal counts 1 for the party, any other basis the sum of its bodies' figures.
fn weight(party: &[&Body], basis: Basis) -> Result<u128, String> {
    if basis == Basis::Equal {
        return Ok(1);
    }
    let mut sum = 0;
    for body in party {
        match body.figures.get(&basis) {
            Some(figure) => sum += u128::from(*figure),
            None => return Err(format!("body {} has no figure for {basis:?}", body.id)),
        }
    }
    Ok(sum)
}

/// Exact share of each party in a whole of 1, all over one common denominator (100 times every part's sum).
fn split(parts: &[(u32, Basis)], parties: &[Vec<&Body>]) -> Result<Vec<BigRational>, String> {
    if parts.iter().any(|(percent, _)| *percent == 0) {
        return Err("a percentage is 0".into());
    }
    if parts.iter().map(|(percent, _)| u64::from(*percent)).sum::<u64>() != 100 {
        return Err("percentages do not sum to 100".into());
    }
    let mut weights: Vec<Vec<u128>> = Vec::new(); // by part, by party
    let mut denominator = BigInt::from(100);
    for (_, basis) in parts {
        let of_part = parties.iter().map(|party| weight(party, *basis)).collect::<Result<Vec<u128>, String>>()?;
        let sum: u128 = of_part.iter().sum();
        if sum == 0 {
            return Err(format!("the weights for {basis:?} sum to 0"));
        }
        denominator *= sum;
        weights.push(of_part);
    }
    let mut numerators = vec![BigInt::zero(); parties.len()];
    for ((percent, _), of_part) in parts.iter().zip(&weights) {
        // percent/100 * weight/sum = (denominator/(100*sum) * percent) * weight / denominator; divides evenly.
        let factor = &denominator / (100 * of_part.iter().sum::<u128>()) * *percent;
        for (numerator, weight) in numerators.iter_mut().zip(of_part) {
            *numerator += &factor * *weight;
        }
    }
    Ok(numerators.into_iter().map(|n| BigRational::new_raw(n, denominator.clone())).collect())
}

/// Shares `total` between the bodies: yen per body id (every body listed, also at 0), and yen to the prefecture.
pub fn share(total: i64, terms: &Terms, bodies: &[Body]) -> Result<(BTreeMap<i64, i64>, i64), String> {
    if bodies.is_empty() {
        return Err("no bodies".into());
    }
    let mut by_id: BTreeMap<i64, &Body> = BTreeMap::new();
    for body in bodies {
        if by_id.insert(body.id, body).is_some() {
            return Err(format!("body {} is repeated", body.id));
        }
    }
    let leads: Vec<i64> = bodies.iter().filter(|b| b.is_lead).map(|b| b.id).collect();
    let to_lead = matches!(terms.remainder, Remainder::Lead | Remainder::FirstInstalment);
    if to_lead && leads.len() != 1 {
        return Err(format!("{} lead bodies, not 1", leads.len()));
    }

    // The parties: first the groups in their order, then each body outside any group.
    let mut grouped: BTreeSet<i64> = BTreeSet::new();
    let mut parties: Vec<Vec<&Body>> = Vec::new();
    for group in &terms.groups {
        let mut party = Vec::new();
        for id in &group.bodies {
            party.push(*by_id.get(id).ok_or(format!("body {id} is unknown"))?);
            if !grouped.insert(*id) {
                return Err(format!("body {id} is in a group twice"));
            }
        }
        parties.push(party);
    }
    parties.extend(bodies.iter().filter(|b| !grouped.contains(&b.id)).map(|b| vec![b]));

    // Every body's exact share of the whole.
    let mut exact: BTreeMap<i64, BigRational> = BTreeMap::new();
    for (i, party_share) in split(&terms.parts, &parties)?.iter().enumerate() {
        match terms.groups.get(i) {
            Some(group) => {
                let members: Vec<Vec<&Body>> = parties[i].iter().map(|b| vec![*b]).collect();
                for (body, inner) in parties[i].iter().zip(split(&group.parts, &members)?) {
                    exact.insert(body.id, times(party_share, &inner));
                }
            }
            None => {
                exact.insert(parties[i][0].id, party_share.clone());
            }
        }
    }

    // Floor once, then place what remains.
    let mut yen: BTreeMap<i64, i64> = BTreeMap::new();
    let mut fractions: BTreeMap<i64, BigRational> = BTreeMap::new(); // the fractional part cut off
    for (id, share) in exact {
        let amount = times(&share, &int(total));
        let whole = floor(&amount);
        let cut = BigRational::new_raw(amount.numer() - amount.denom() * whole, amount.denom().clone());
        yen.insert(id, whole);
        fractions.insert(id, cut);
    }
    let left = total - yen.values().sum::<i64>();
    let mut to_prefecture = 0;
    match terms.remainder {
        Remainder::Lead | Remainder::FirstInstalment => *yen.get_mut(&leads[0]).unwrap() += left,
        Remainder::Prefecture => to_prefecture = left,
        Remainder::Largest => {
            let mut queue: Vec<(&BigRational, &Body)> = bodies.iter().map(|b| (&fractions[&b.id], b)).collect();
            queue.sort_by_key(|(_, b)| (b.code.is_none(), &b.code, b.id));
            // Stable: equal fractions stay in the order of code.
            queue.sort_by(|(x, _), (y, _)| compare(y, x));
            for (_, body) in queue.iter().take(left as usize) {
                *yen.get_mut(&body.id).unwrap() += 1;
            }
        }
    }
    Ok((yen, to_prefecture))
}

// ---------------------------------------------------------------- C. time fees

/// How a started unit of time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// A started unit does not count.
    Floor,
    /// A started unit counts whole.
    Ceil,
    /// A started unit counts whole from half a unit on, else not.
    HalfUp,
    /// As HalfUp, but a started smaller part counts as half a unit.
    HalfUpElseHalf,
    /// Exact by the minute.
    ByMinute,
}

/// Minutes that may be excluded from the counted time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excluded {
    Travel,
    Waiting,
    Breaks,
}

/// A table of fees by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    pub unit: u32,
    pub rate: i64,
    pub part_unit: Rounding,
    /// (minutes, amount)
    pub flat_from: Option<(u32, i64)>,
    /// (from_minutes, percent)
    pub tiers: Vec<(u32, u32)>,
    pub minimum: Option<u32>,
    pub maximum: Option<u32>,
    pub daily_cap: Option<i64>,
    pub excluded: Vec<Excluded>,
    /// (km, units)
    pub surcharges: Vec<(u32, u32)>,
}

/// The fee in yen for `minutes` of work, given what was already counted and charged earlier the same day.
#[allow(clippy::too_many_arguments)]
pub fn fee(
    table: &Timed,
    minutes: u32,
    distance_km: Option<u32>,
    travel: u32,
    waiting: u32,
    breaks: u32,
    earlier_minutes: u32,
    earlier_amount: i64,
) -> i64 {
    if minutes == 0 {
        return 0;
    }

    // Counted minutes.
    let mut counted = i64::from(minutes);
    for (kind, length) in [(Excluded::Travel, travel), (Excluded::Waiting, waiting), (Excluded::Breaks, breaks)] {
        if table.excluded.contains(&kind) {
            counted -= i64::from(length);
        }
    }
    counted = counted.max(0);
    if let Some(minimum) = table.minimum
        && earlier_minutes == 0
        && counted > 0
    {
        counted = counted.max(i64::from(minimum));
    }
    if let Some(maximum) = table.maximum {
        counted = counted.min((i64::from(maximum) - i64::from(earlier_minutes)).max(0));
    }

    // Flat amount, or units.
    let mut amount = match table.flat_from {
        Some((from, flat)) if counted >= i64::from(from) => flat,
        _ => floor(&times(&int(table.rate), &weighted(table, &units(table, counted)))),
    };

    // Distance surcharge: the row with the highest km not above the distance.
    if let Some(distance) = distance_km {
        let row = table.surcharges.iter().filter(|(km, _)| *km <= distance).max_by_key(|(km, _)| *km);
        if let Some((_, units)) = row {
            amount += table.rate * i64::from(*units);
        }
    }

    if let Some(cap) = table.daily_cap {
        amount = amount.min((cap - earlier_amount).max(0));
    }
    amount
}

/// The number of units in `counted` minutes.
fn units(table: &Timed, counted: i64) -> BigRational {
    let unit = i64::from(table.unit);
    let (whole, started) = (counted / unit, counted % unit);
    let part = match table.part_unit {
        _ if started == 0 => int(0),
        Rounding::Floor => int(0),
        Rounding::Ceil => int(1),
        Rounding::HalfUp if started * 2 >= unit => int(1),
        Rounding::HalfUp => int(0),
        Rounding::HalfUpElseHalf if started * 2 >= unit => int(1),
        Rounding::HalfUpElseHalf => frac(1, 2),
        Rounding::ByMinute => frac(started, unit),
    };
    int(whole) + part
}

/// Units weighted by the tiers: 100 % before the first tier, then each tier's percent until the next one.
fn weighted(table: &Timed, units: &BigRational) -> BigRational {
    let mut tiers = table.tiers.clone();
    tiers.sort_by_key(|(from, _)| *from);
    let mut sum = BigRational::zero();
    let (mut start, mut percent) = (BigRational::zero(), 100);
    for (from, next_percent) in tiers {
        let end = frac(from, table.unit).min(units.clone());
        sum += (&end - start) * frac(percent, 100);
        (start, percent) = (end, next_percent);
    }
    sum + (units - start) * frac(percent, 100)
}

// ---------------------------------------------------------------- D. taxes

/// How a tax is cut to whole yen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxRounding {
    Floor,
    HalfUp,
    Ceil,
}

fn round(x: &BigRational, rounding: TaxRounding) -> i64 {
    match rounding {
        TaxRounding::Floor => floor(x),
        TaxRounding::HalfUp => floor(&(x + frac(1, 2))),
        TaxRounding::Ceil => floor(&x.ceil()),
    }
}

/// Income tax withheld: 10.21 % up to 1,000,000 yen, 20.42 % of what is above.
pub fn withhold(base: i64) -> i64 {
    if base <= 1_000_000 {
        floor(&(int(base) * frac(1021, 10_000)))
    } else {
        102_100 + floor(&(int(base - 1_000_000) * frac(2042, 10_000)))
    }
}

/// Tax of `bp` basis points on top of a net amount.
pub fn tax_on_top(net: i64, bp: u32, rounding: TaxRounding) -> i64 {
    round(&(int(net) * frac(bp, 10_000)), rounding)
}

/// Tax of `bp` basis points contained in a gross amount.
pub fn tax_within(gross: i64, bp: u32, rounding: TaxRounding) -> i64 {
    round(&(int(gross) * frac(bp, 10_000 + u64::from(bp))), rounding)
}

// ---------------------------------------------------------------- E. prorating and instalments

/// Each host's part of a month's cost by (host, days, percent) stays, and the rest staying with the employer.
pub fn prorate(month: i64, days_in_month: u32, stays: &[(i64, u32, u32)]) -> (BTreeMap<i64, i64>, i64) {
    let mut exact: BTreeMap<i64, BigRational> = BTreeMap::new();
    for (host, days, percent) in stays {
        let part = frac(u64::from(*days) * u64::from(*percent), u64::from(days_in_month) * 100);
        *exact.entry(*host).or_insert_with(BigRational::zero) += part;
    }
    let yen: BTreeMap<i64, i64> = exact.into_iter().map(|(host, part)| (host, floor(&times(&part, &int(month))))).collect();
    let rest = month - yen.values().sum::<i64>();
    (yen, rest)
}

/// `total` in `count` equal floored instalments, everything left in the first one (none if `count` is 0).
pub fn instalments(total: i64, count: u32) -> Vec<i64> {
    if count == 0 {
        return Vec::new();
    }
    let mut out = vec![floor(&frac(total, count)); count as usize];
    out[0] += total - out.iter().sum::<i64>();
    out
}
