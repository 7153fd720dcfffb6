//! Prices against brute force, the literature and mutation.

use super::check::check;
use super::parts::Parts;
use super::problem::*;
use super::search::{Case, Planned, greedy, plan, plan_with, priced};
use super::tests::{Dice, brute, brute_among, random};

/// Prices from the start, without the search over closed pairs.
pub(super) fn by_prices(problem: &Problem, most_solves: u32) -> Planned {
    let mut planned = Planned { plan: greedy(problem), cases: Vec::new(), closed: None, solves: 1, stopped: true };
    priced(problem, most_solves, &mut planned, &|| false).unwrap();
    planned
}

#[test]
fn prices_never_say_more_than_is_true() {
    let mut dice = Dice(2_027);
    let (mut optimal, mut trees, mut splits, mut conditional) = (0, 0, 0, 0);
    let cases = if std::env::var_os("TEST_FULL").is_some() { 10_000 } else { 150 };
    for case in 0..cases {
        let (requests, experts, bodies, limits) = (1 + dice.roll(5), 1 + dice.roll(3), 1 + dice.roll(3), dice.roll(4));
        let problem = random(&mut dice, requests, experts, bodies, limits, 70);
        let planned = by_prices(&problem, 30);
        let verdict = check(&problem, &planned).unwrap_or_else(|e| panic!("{case}: {e} {problem:?} {planned:?}"));
        let best = brute(&problem);
        assert!(verdict.bound <= best && best <= verdict.value, "{case} {verdict:?} {best:?} {problem:?}");
        assert_eq!(verdict.value[..verdict.proved], best[..verdict.proved], "{case} {problem:?}");
        assert!(verdict.value <= problem.objective(&greedy(&problem)));
        let parts = Parts::new(&problem);
        let counts = parts.counts(&planned.plan);
        let same = brute_among(&problem, &|plan| parts.counts(plan) == counts);
        assert_eq!(verdict.value[..verdict.within], same[..verdict.within], "{case} {verdict:?} {same:?} {problem:?}");
        optimal += usize::from(verdict.is_optimal());
        conditional += usize::from(verdict.within > verdict.proved);
        if let Case::Priced { trees: all, .. } = &planned.cases[0] {
            trees += all.len();
            splits += all.iter().filter(|tree| tree.nodes.len() > 1).count();
        }
    }
    assert!(optimal * 100 > cases * 80 && trees > cases / 10 && splits * 100 > cases, "{optimal} {trees} {splits} {conditional}");
}

/// Whatever is changed in prices or trees, the checker proves no more than is true.
#[test]
fn the_checker_takes_no_prices_on_trust() {
    let mut dice = Dice(41);
    let (mut refused, mut less, mut changed) = (0, 0, 0);
    let cases = if std::env::var_os("TEST_FULL").is_some() { 1_000 } else { 100 };
    for case in 0..cases {
        let limits = 1 + dice.roll(3);
        let problem = random(&mut dice, 5, 3, 3, limits, 70);
        let planned = by_prices(&problem, 30);
        let best = brute(&problem);
        let mut other = planned.clone();
        let Case::Priced { trees, within, .. } = &mut other.cases[0] else { panic!("no prices") };
        let all = if dice.roll(3) == 0 && !within.is_empty() { within } else { trees };
        if all.is_empty() {
            continue;
        }
        let tree = dice.small(all.len() as u64) as usize;
        let node = dice.small(all[tree].nodes.len() as u64) as usize;
        let far = dice.signed(200_001) - 100_000;
        match (dice.roll(7), &mut all[tree].nodes[node].prices) {
            (0, Some(prices)) if !prices.weights.is_empty() => {
                let at = dice.small(prices.weights.len() as u64) as usize;
                prices.weights[at] += far;
            }
            (1, Some(prices)) if !prices.limits.is_empty() => prices.limits[0] = far,
            (2, Some(prices)) => prices.requests.iter_mut().for_each(|price| *price = i64::MAX),
            (3, _) => all[tree].nodes[node].split = Some(dice.small(12) as usize),
            (4, _) => drop(all[tree].nodes.remove(node)),
            (5, _) => drop(all.remove(tree)),
            (_, Some(prices)) => {
                let at = dice.small(prices.requests.len() as u64) as usize;
                prices.requests[at] += far;
            }
            _ => {}
        }
        if other == planned {
            continue;
        }
        changed += 1;
        match check(&problem, &other) {
            Err(_) => refused += 1,
            Ok(verdict) => {
                assert!(verdict.bound <= best && best <= verdict.value, "{case} {verdict:?} {best:?} {problem:?} {other:?}");
                let parts = Parts::new(&problem);
                let counts = parts.counts(&other.plan);
                let same = brute_among(&problem, &|plan| parts.counts(plan) == counts);
                assert_eq!(verdict.value[..verdict.within], same[..verdict.within], "{case} {problem:?} {other:?}");
                less += usize::from(verdict.within < check(&problem, &planned).unwrap().within);
            }
        }
    }
    assert!(changed * 10 > cases * 3 && refused * 100 > cases * 6 && less * 100 > cases * 3, "{changed} {refused} {less}");
}

/// An instance of the generalized assignment problem (OR-Library format): every job a request of its own body, every agent an
/// expert with one limit.
fn literature(text: &str) -> Problem {
    let mut numbers = text.split_whitespace().map(|word| word.parse::<i64>().unwrap());
    let mut next = || numbers.next().unwrap();
    let (agents, jobs) = (next(), next());
    let costs: Vec<i64> = (0..agents * jobs).map(|_| next()).collect();
    let takes: Vec<i64> = (0..agents * jobs).map(|_| next()).collect();
    let order = vec![Level::Score, Level::Spread, Level::Fit, Level::Load, Level::Travel];
    let mut problem = Problem { band: 1000, order, ..Problem::default() };
    problem.bodies = (0..jobs).map(|id| Body { id, served: 0, never_served: false, small: false }).collect();
    problem.requests = (0..jobs).map(|id| Request { id, body: id }).collect();
    problem.experts = (0..agents).map(|id| Expert { id, load: 0, places: u32::try_from(jobs).unwrap() }).collect();
    for agent in 0..agents {
        let mut uses = Vec::new();
        for job in 0..jobs {
            let at = usize::try_from(agent * jobs + job).unwrap();
            let score = u32::try_from(1000 - costs[at]).unwrap();
            problem.pairs.push(Pair { request: job, expert: agent, team: 0, others: vec![], score, kilometres: 0, kept: false });
            uses.push(((job, agent, 0), takes[at]));
        }
        problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: next(), uses });
    }
    problem.normalised().unwrap()
}

#[test]
fn instances_of_the_literature_are_solved_and_proved() {
    let all = [
        (include_str!("../../../tests/solver/gap/a05200"), 3235),
        (include_str!("../../../tests/solver/gap/a20100"), 1158),
        (include_str!("../../../tests/solver/gap/b10100"), 1407),
    ];
    // The last takes its time in a build for tests.
    let looked_at = if std::env::var_os("TEST_FULL").is_some() { 3 } else { 2 };
    for (text, best) in all.into_iter().take(looked_at) {
        let problem = literature(text);
        let planned = plan(&problem, 600).unwrap();
        let verdict = check(&problem, &planned).unwrap();
        let jobs = i64::try_from(problem.requests.len()).unwrap();
        assert_eq!(verdict.value[3..5], [-jobs, best - 1000 * jobs]);
        assert!(verdict.proved >= 5, "{verdict:?}");
    }
}

/// Hours of months and a year, and dates on which an expert serves one request.
fn hours(dice: &mut Dice, requests: i64, experts: i64, bodies: i64) -> Problem {
    let mut problem = random(dice, requests.unsigned_abs(), experts.unsigned_abs(), bodies.unsigned_abs(), 0, 40);
    problem.experts.iter_mut().for_each(|expert| expert.places = 4);
    let facts: Vec<(i64, i64)> = (0..requests).map(|_| (60 * (2 + dice.signed(11)), dice.signed(24))).collect();
    let year = facts.iter().map(|(minutes, _)| minutes).sum::<i64>() * 85 / 100 / experts;
    for expert in &problem.experts {
        let own = problem.pairs.iter().filter(|pair| pair.expert == expert.id);
        let own: Vec<(PairKey, (i64, i64))> =
            own.map(|pair| (pair.key(), facts[usize::try_from(pair.request - 1000).unwrap()])).collect();
        let uses = own.iter().map(|(key, (minutes, _))| (*key, *minutes)).collect();
        problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: year, uses });
        for month in 0..4 {
            let uses = own.iter().filter(|(_, (_, day))| day / 6 == month).map(|(key, (minutes, _))| (*key, *minutes)).collect();
            problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: year / 2, uses });
        }
        for day in 0..24 {
            let uses = own.iter().filter(|(_, (_, other))| *other == day).map(|(key, _)| (*key, 1)).collect();
            problem.limits.push(Limit { kind: LimitKind::Time, capacity: 1, uses });
        }
    }
    problem.normalised().unwrap()
}

#[test]
fn plans_with_hours_and_dates_are_good_and_the_same_in_any_order() {
    let mut dice = Dice(77);
    let (mut proved, mut within) = (0, 0);
    let rounds = if std::env::var_os("TEST_FULL").is_some() { 6 } else { 2 };
    for _ in 0..rounds {
        let problem = hours(&mut dice, 30, 8, 10);
        let planned = plan(&problem, 200).unwrap();
        let verdict = check(&problem, &planned).unwrap();
        assert!(verdict.value <= problem.objective(&greedy(&problem)));
        proved += verdict.proved;
        within += verdict.within;
        let mut turned = problem.clone();
        turned.bodies.reverse();
        turned.experts.reverse();
        turned.requests.reverse();
        turned.pairs.reverse();
        turned.limits.reverse();
        let again = plan(&turned.normalised().unwrap(), 200).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), serde_json::to_vec(&planned).unwrap());
    }
    assert!(proved >= 3 * rounds && within >= proved, "{proved} {within}");
}

#[test]
fn a_plan_that_is_stopped_is_a_plan() {
    let mut dice = Dice(78);
    let problem = hours(&mut dice, 40, 10, 12);
    for after in [0, 5, 40] {
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > after
        };
        let planned = plan_with(&problem, 100_000, &stop).unwrap();
        let verdict = check(&problem, &planned).unwrap();
        assert!(planned.stopped && verdict.value <= problem.objective(&greedy(&problem)));
    }
}
