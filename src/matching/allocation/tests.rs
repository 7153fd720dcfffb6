//! Everything is compared with brute force, which looks at every circulation and every plan.

use super::check::check;
use super::flow::{Arc, FlowError, Network, Residual};
use super::network::Model;
use super::problem::*;
use super::search::{Case, greedy, plan};

pub(super) struct Dice(pub(super) u64);
impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(super) fn small(&mut self, sides: u64) -> u32 {
        u32::try_from(self.roll(sides)).unwrap()
    }

    pub(super) fn signed(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap()
    }
}

/// The least total of all circulations, by looking at each.
fn least(network: &Network<3>) -> [i64; 3] {
    fn go(network: &Network<3>, at: usize, flow: &mut Vec<u32>, balance: &mut [i64], best: &mut Option<[i64; 3]>) {
        let Some(arc) = network.arcs.get(at) else {
            if balance.iter().all(|sum| *sum == 0) {
                let total = network.total(flow);
                *best = Some(best.map_or(total, |best| best.min(total)));
            }
            return;
        };
        for units in 0..=arc.capacity {
            flow[at] = units;
            balance[arc.from as usize] -= i64::from(units);
            balance[arc.to as usize] += i64::from(units);
            go(network, at + 1, flow, balance, best);
            balance[arc.from as usize] += i64::from(units);
            balance[arc.to as usize] -= i64::from(units);
        }
        flow[at] = 0;
    }
    let mut best = None;
    go(network, 0, &mut vec![0; network.arcs.len()], &mut vec![0; network.nodes as usize], &mut best);
    best.unwrap()
}

#[test]
fn circulations_are_the_least_there_are_and_prove_it() {
    let mut dice = Dice(7);
    for case in 0..4_000 {
        let nodes = 2 + dice.small(4);
        let large = case % 3 == 0;
        let arcs = (0..=dice.roll(8))
            .map(|_| {
                let from = dice.small(u64::from(nodes));
                let to = (from + 1 + dice.small(u64::from(nodes) - 1)) % nodes;
                let mut cost = || match large {
                    true => (dice.signed(2_000_001) - 1_000_000) * 1_000_000,
                    false => dice.signed(7) - 3,
                };
                let cost = [cost().signum(), cost(), cost()];
                Arc { from, to, capacity: dice.small(3), cost }
            })
            .collect();
        let network = Network { nodes, arcs };
        let found = network.solve().unwrap();
        let mut balance = vec![0_i64; nodes as usize];
        for (arc, units) in network.arcs.iter().zip(&found.flow) {
            assert!(*units <= arc.capacity);
            balance[arc.from as usize] -= i64::from(*units);
            balance[arc.to as usize] += i64::from(*units);
        }
        assert!(balance.iter().all(|sum| *sum == 0));
        let least = least(&network);
        assert_eq!((network.total(&found.flow), found.proof.bound(&network)), (least, Some(least)), "{network:?}");
    }
    let loops = Network { nodes: 1, arcs: vec![Arc { from: 0, to: 0, capacity: 1, cost: [-1] }] };
    assert_eq!(loops.solve(), Err(FlowError::NoSuchNode));
    let dear = Network { nodes: 2, arcs: vec![Arc { from: 0, to: 1, capacity: 1, cost: [i64::MAX] }] };
    assert_eq!(dear.solve(), Err(FlowError::TooLarge));
}

fn drawn(dice: &mut Dice, nodes: u32, count: u64, most: u64) -> Network<3> {
    let arcs = (0..count)
        .map(|_| {
            let from = dice.small(u64::from(nodes));
            let to = (from + 1 + dice.small(u64::from(nodes) - 1)) % nodes;
            let capacity = dice.small(most + 1);
            let cost = [3, 5, 1_001].map(|sides: u64| dice.signed(sides) - i64::try_from(sides / 2).unwrap());
            Arc { from, to, capacity, cost }
        })
        .collect();
    Network { nodes, arcs }
}

/// Too large for brute force: the proof says that the circulation is the least. Costs as one short number, as one long number
/// and as a vector of levels lead the same way.
#[test]
fn larger_circulations_prove_themselves_whatever_their_numbers() {
    let mut dice = Dice(23);
    let mut paths = 0;
    for case in 0..150 {
        let nodes = 40 + dice.small(40);
        let (count, most) = (u64::from(nodes) * (2 + dice.roll(10)), 1 + dice.roll(2));
        let small = drawn(&mut dice, nodes, count, most);
        let found = small.solve().unwrap();
        let total = small.total(&found.flow);
        let mut balance = vec![0_i64; nodes as usize];
        for (arc, units) in small.arcs.iter().zip(&found.flow) {
            assert!(*units <= arc.capacity);
            balance[arc.from as usize] -= i64::from(*units);
            balance[arc.to as usize] += i64::from(*units);
        }
        assert!(balance.iter().all(|sum| *sum == 0));
        assert_eq!(found.proof.bound(&small), Some(total), "{case}");
        let ends = (dice.small(u64::from(nodes)), dice.small(u64::from(nodes)));
        let path = Residual::new(&small, &found).cheapest_path(ends, &[0, 1]);
        paths += usize::from(path.is_some());
        for times in [1 << 13, 1 << 31] {
            let mut large = small.clone();
            large.arcs.iter_mut().for_each(|arc| arc.cost = arc.cost.map(|cost| cost * times));
            let again = large.solve().unwrap();
            assert_eq!((&again.flow, again.steps), (&found.flow, found.steps), "{case}");
            assert_eq!(again.proof.bound(&large), Some(total.map(|sum| sum * times)));
            let other = Residual::new(&large, &again).cheapest_path(ends, &[0, 1]);
            assert_eq!(other.map(|path| path.change), path.as_ref().map(|path| path.change.map(|sum| sum * times)));
        }
    }
    assert!(paths > 100, "{paths}");
}

pub(super) fn random(dice: &mut Dice, requests: u64, experts: u64, bodies: u64, limits: u64, density: u64) -> Problem {
    let mut problem = Problem { band: 1 + dice.small(100), order: Level::CHOSEN.to_vec(), ..Problem::default() };
    for _ in 0..4 {
        let (a, b) = (dice.small(5) as usize, dice.small(5) as usize);
        problem.order.swap(a, b);
    }
    problem.bodies = (0..bodies.cast_signed())
        .map(|id| Body { id, served: dice.small(4), never_served: dice.roll(3) == 0, small: dice.roll(2) == 0 })
        .collect();
    problem.experts =
        (0..experts.cast_signed()).map(|id| Expert { id: 100 + id, load: dice.small(4), places: dice.small(4) }).collect();
    problem.requests = (0..requests.cast_signed()).map(|id| Request { id: 1000 + id, body: dice.signed(bodies) }).collect();
    for request in 0..requests.cast_signed() {
        for expert in 0..experts.cast_signed() {
            if dice.roll(100) < density {
                problem.pairs.push(Pair {
                    request: 1000 + request,
                    expert: 100 + expert,
                    team: 0,
                    others: Vec::new(),
                    score: dice.small(1001),
                    kilometres: dice.small(400),
                    kept: dice.roll(8) == 0,
                });
            }
            // Teams come with limits, since the others take their places by one.
            if limits > 0 && experts > 1 && dice.roll(6) == 0 {
                problem.pairs.push(Pair {
                    request: 1000 + request,
                    expert: 100 + expert,
                    team: 1 + dice.small(2),
                    others: vec![100 + (expert + 1 + dice.signed(experts - 1)) % experts.cast_signed()],
                    score: dice.small(1001),
                    kilometres: dice.small(400),
                    kept: dice.roll(8) == 0,
                });
            }
        }
    }
    for _ in 0..limits {
        let mut uses = Vec::new();
        let expert = 100 + dice.signed(experts);
        for pair in &problem.pairs {
            if pair.expert == expert || dice.roll(8) == 0 {
                uses.push((pair.key(), 1 + dice.signed(9)));
            }
        }
        problem.limits.push(Limit { kind: LimitKind::Other, capacity: dice.signed(16), uses });
    }
    problem.normalised().unwrap()
}

pub(super) fn brute(problem: &Problem) -> [i64; LEVELS] {
    brute_among(problem, &|_| true)
}

/// The least among the plans that are asked for.
pub(super) fn brute_among(problem: &Problem, wanted: &dyn Fn(&[usize]) -> bool) -> [i64; LEVELS] {
    fn go(problem: &Problem, at: usize, plan: &mut Vec<usize>, best: &mut [i64; LEVELS], wanted: &dyn Fn(&[usize]) -> bool) {
        if at == problem.requests.len() {
            let mut sorted = plan.clone();
            sorted.sort_unstable();
            if wanted(&sorted) && problem.broken(&sorted).is_none() {
                *best = (*best).min(problem.objective(&sorted));
            }
            return;
        }
        go(problem, at + 1, plan, best, wanted);
        for (place, pair) in problem.pairs.iter().enumerate() {
            if pair.request == problem.requests[at].id {
                plan.push(place);
                go(problem, at + 1, plan, best, wanted);
                plan.pop();
            }
        }
    }
    let mut best = [i64::MAX; LEVELS];
    go(problem, 0, &mut Vec::new(), &mut best, wanted);
    best
}

#[test]
fn brute_force_agrees_on_all_levels() {
    let mut dice = Dice(20_261_126);
    let (mut split, mut teams) = (0, 0);
    for case in 0..10_000 {
        let (requests, experts, bodies, limits) = (1 + dice.roll(5), 1 + dice.roll(3), 1 + dice.roll(3), dice.roll(4));
        let problem = random(&mut dice, requests, experts, bodies, limits, 70);
        let planned = plan(&problem, 100_000).unwrap();
        let verdict = check(&problem, &planned).unwrap_or_else(|e| panic!("{case}: {e} {problem:?} {planned:?}"));
        assert_eq!(verdict.value, brute(&problem), "{case} {problem:?} {planned:?}");
        assert!(verdict.is_optimal(), "{case} {verdict:?}");
        assert!(verdict.value <= problem.objective(&greedy(&problem)));
        split += usize::from(planned.cases.len() > 1);
        teams += usize::from(planned.plan.iter().any(|pair| !problem.pairs[*pair].others.is_empty()));
    }
    assert!(split > 1000 && teams > 300, "{split} {teams}");
}

#[test]
fn serving_what_is_not_served_changes_what_it_says() {
    let mut dice = Dice(5);
    let (mut ways, mut seconds) = (0, 0);
    for _ in 0..2000 {
        let (r, e, b) = (1 + dice.roll(6), 1 + dice.roll(3), 1 + dice.roll(3));
        let problem = random(&mut dice, r, e, b, 0, 60);
        let model = Model::new(&problem, &[]);
        let (plan, solution) = model.solve().unwrap();
        let value = problem.objective(&plan);
        let explorer = model.explorer(&solution);
        for request in &problem.requests {
            let served = plan.iter().copied().find(|pair| problem.pairs[*pair].request == request.id);
            let change = match served {
                None => explorer.to_serve(request.id),
                Some(pair) => explorer.without(pair),
            };
            // Everything by brute force: the best plan that serves the request (by another expert).
            let mut best: Option<[i64; LEVELS]> = None;
            fn go(
                problem: &Problem,
                at: usize,
                plan: &mut Vec<usize>,
                best: &mut Option<[i64; LEVELS]>,
                want: i64,
                not: Option<usize>,
            ) {
                if at == problem.requests.len() {
                    let mut sorted = plan.clone();
                    sorted.sort_unstable();
                    if problem.broken(&sorted).is_none()
                        && sorted.iter().any(|p| problem.pairs[*p].request == want && Some(*p) != not)
                    {
                        let value = problem.objective(&sorted);
                        *best = Some(best.map_or(value, |b| b.min(value)));
                    }
                    return;
                }
                go(problem, at + 1, plan, best, want, not);
                for (place, pair) in problem.pairs.iter().enumerate() {
                    if pair.request == problem.requests[at].id {
                        plan.push(place);
                        go(problem, at + 1, plan, best, want, not);
                        plan.pop();
                    }
                }
            }
            go(&problem, 0, &mut Vec::new(), &mut best, request.id, served);
            let told = change.as_ref().map(|change| std::array::from_fn(|level| value[level] + change.levels[level]));
            assert_eq!(told, best, "{problem:?} {plan:?} {request:?}");
            if let Some(change) = change {
                if served.is_some() {
                    seconds += 1
                } else {
                    ways += 1
                }
                let mut changed: Vec<usize> =
                    plan.iter().copied().filter(|p| !change.removed.contains(p)).chain(change.added.iter().copied()).collect();
                changed.sort_unstable();
                assert_eq!(problem.broken(&changed), None);
                assert_eq!(Some(problem.objective(&changed)), best);
            }
        }
    }
    assert!(ways > 100 && seconds > 100, "{ways} {seconds}");
}

/// Whatever is changed in a plan or its proof, the checker notices: it refuses it, or proves no more than is true.
#[test]
fn the_checker_takes_nobodys_word() {
    let mut dice = Dice(11);
    let (mut refused, mut less) = (0, 0);
    for _ in 0..1_000 {
        let limits = dice.roll(3);
        let problem = random(&mut dice, 4, 3, 2, limits, 70);
        let planned = plan(&problem, 1_000).unwrap();
        let honest = check(&problem, &planned).unwrap();
        assert!(honest.is_optimal());
        let mut other = planned.clone();
        match dice.roll(5) {
            0 if !other.plan.is_empty() => drop(other.plan.remove(dice.small(other.plan.len() as u64) as usize)),
            1 if !problem.pairs.is_empty() => {
                let pair = dice.small(problem.pairs.len() as u64) as usize;
                match other.plan.binary_search(&pair) {
                    Ok(place) => drop(other.plan.remove(place)),
                    Err(place) => other.plan.insert(place, pair),
                }
            }
            2 => {
                let case = dice.small(other.cases.len() as u64) as usize;
                if let Case::Bounded(proof) = &mut other.cases[case] {
                    let level = dice.small(LEVELS as u64) as usize;
                    let node = dice.small(proof.potentials[level].len() as u64) as usize;
                    proof.potentials[level][node] += dice.signed(2_000) - 1_000;
                }
            }
            3 if other.cases.len() > 1 => drop(other.cases.pop()),
            _ => {
                if let Case::Split { pairs, .. } = &mut other.cases[0] {
                    pairs.pop();
                }
            }
        }
        if other == planned {
            continue;
        }
        match check(&problem, &other) {
            Err(_) => refused += 1,
            Ok(verdict) => {
                assert_eq!(verdict.value, problem.objective(&other.plan));
                assert!(verdict.bound <= honest.value, "a bound above the optimum: {verdict:?} {honest:?}");
                assert!(!verdict.is_optimal() || verdict.value == honest.value);
                less += usize::from(!verdict.is_optimal());
            }
        }
    }
    assert!(refused > 100 && less > 100, "{refused} {less}");
}

/// The order in which things are given changes nothing, nor does another unit of distance; an expert more makes nothing worse.
#[test]
fn what_does_not_matter_changes_nothing() {
    let mut dice = Dice(13);
    for _ in 0..500 {
        let limits = dice.roll(3);
        let problem = random(&mut dice, 5, 3, 3, limits, 60);
        let value = |problem: &Problem| {
            let planned = plan(problem, 10_000).unwrap();
            (planned.plan.iter().map(|pair| problem.pairs[*pair].key()).collect::<Vec<_>>(), problem.objective(&planned.plan))
        };
        let found = value(&problem);
        let mut turned = problem.clone();
        turned.bodies.reverse();
        turned.experts.reverse();
        turned.requests.reverse();
        turned.pairs.reverse();
        turned.limits.reverse();
        assert_eq!(value(&turned.normalised().unwrap()), found);
        let mut farther = problem.clone();
        farther.pairs.iter_mut().for_each(|pair| pair.kilometres *= 7);
        assert_eq!(value(&farther).0, found.0);
        // Scores and bands in another unit.
        let mut halved = problem.clone();
        halved.pairs.iter_mut().for_each(|pair| pair.score /= 2);
        let mut doubled = halved.clone();
        doubled.band *= 2;
        doubled.pairs.iter_mut().for_each(|pair| pair.score *= 2);
        assert_eq!(value(&doubled).0, value(&halved).0);
        let mut more = problem.clone();
        more.experts.push(Expert { id: 999, load: 0, places: 1 });
        let newcomers: Vec<Pair> = more
            .requests
            .iter()
            .map(|request| Pair {
                request: request.id,
                expert: 999,
                team: 0,
                others: Vec::new(),
                score: dice.small(1001),
                kilometres: 5,
                kept: false,
            })
            .collect();
        more.pairs.extend(newcomers);
        assert!(value(&more.normalised().unwrap()).1 <= found.1);
    }
}

#[test]
fn work_that_is_counted_out_leaves_an_honest_gap() {
    let mut dice = Dice(17);
    let (mut open, mut closed) = (0, 0);
    for _ in 0..300 {
        let problem = random(&mut dice, 12, 4, 4, 6, 50);
        let short = plan(&problem, 4).unwrap();
        let verdict = check(&problem, &short).unwrap();
        assert!(verdict.value <= problem.objective(&greedy(&problem)));
        let long = check(&problem, &plan(&problem, 3_000).unwrap()).unwrap();
        assert!(verdict.bound <= long.value && long.bound <= verdict.value, "no bound lies above any plan");
        if verdict.is_optimal() {
            closed += 1
        } else {
            open += 1
        }
        assert_eq!(short.stopped && verdict.is_optimal(), short.stopped && verdict.value == verdict.bound);
    }
    assert!(open > 10 && closed > 10, "{open} {closed}");
}
