//! Writes instances of the plan-wide allocation, one JSON line each, with what the engine makes of them: to be solved again by
//! another solver (`compare.py`). `--large N` writes instances of 2,000 requests and 500 experts without limits and tells how
//! long the engine took.
//!
//! `cargo run --example allocation_instances -- 50 | python3 tests/solver/compare.py`

#![expect(clippy::unwrap_used, reason = "a test program that cannot go on stops")]

use std::time::Instant;

use serde_json::json;
use tasuki::matching::allocation::check::check;
use tasuki::matching::allocation::flow::{Arc, Network};
use tasuki::matching::allocation::network::Model;
use tasuki::matching::allocation::problem::{Body, Expert, Level, Limit, LimitKind, Pair, Problem, Request};
use tasuki::matching::allocation::search::{Case, greedy, plan};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn small(&mut self, sides: u64) -> u32 {
        u32::try_from(self.roll(sides)).unwrap()
    }

    fn id(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap()
    }
}

/// Experts with places, minutes of a year and overlapping times; bodies of which a third were never served.
fn instance(dice: &mut Dice, (requests, experts, bodies): (i64, i64, u64), percent: u64, limits: bool) -> Problem {
    let mut problem = Problem { band: 50, order: Level::CHOSEN.to_vec(), ..Problem::default() };
    problem.bodies = (0..i64::try_from(bodies).unwrap())
        .map(|id| Body { id, served: dice.small(4), never_served: dice.roll(3) == 0, small: dice.roll(4) == 0 })
        .collect();
    problem.experts = (0..experts).map(|id| Expert { id, load: dice.small(4), places: 1 + dice.small(5) }).collect();
    problem.requests = (0..requests).map(|id| Request { id, body: dice.id(bodies) }).collect();
    for request in 0..requests {
        for expert in 0..experts {
            if dice.roll(1_000) < percent * 10 {
                let (score, kilometres) = (dice.small(1_001), dice.small(400));
                problem.pairs.push(Pair {
                    request,
                    expert,
                    team: 0,
                    others: Vec::new(),
                    score,
                    kilometres,
                    kept: dice.roll(60) == 0,
                });
            }
        }
    }
    if limits {
        let minutes: Vec<i64> = (0..requests).map(|_| 60 + 30 * dice.id(8)).collect();
        for expert in 0..experts {
            let own: Vec<&Pair> = problem.pairs.iter().filter(|pair| pair.expert == expert).collect();
            let uses = own.iter().map(|pair| (pair.key(), minutes[usize::try_from(pair.request).unwrap()])).collect();
            problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: 300 + 60 * dice.id(8), uses });
            for two in own.windows(2).filter(|_| dice.roll(4) == 0).collect::<Vec<_>>() {
                let uses = two.iter().map(|pair| (pair.key(), 1)).collect();
                problem.limits.push(Limit { kind: LimitKind::Time, capacity: 1, uses });
            }
        }
    }
    problem.normalised().unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, or: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(or).min(500);
    let mut dice = Dice(20_261_126);
    if arguments.get(1).is_some_and(|first| first == "--large") {
        for _ in 0..number(2, 1) {
            large(&mut dice);
        }
        return;
    }
    for _ in 0..number(1, 50) {
        let size = (10 + dice.id(9), 4 + dice.id(4), 6);
        let problem = instance(&mut dice, size, 45, true);
        let planned = plan(&problem, 2_000).unwrap();
        let verdict = check(&problem, &planned).unwrap();
        println!(
            "{}",
            json!({"problem": problem, "levels": problem.levels(), "value": verdict.value, "bound": verdict.bound,
                "proved": verdict.proved, "greedy": problem.objective(&greedy(&problem)), "solves": planned.solves})
        );
    }
}

fn large(dice: &mut Dice) {
    let problem = instance(dice, (2_000, 500, 400), 6, false);
    let model = Model::new(&problem, &[]);
    let start = Instant::now();
    let (found, solution) = model.solve().unwrap();
    let all_levels = start.elapsed();
    let planned = plan(&problem, 1).unwrap();
    let Case::Bounded(proof) = &planned.cases[0] else { unreachable!("no limits, no split") };
    let start = Instant::now();
    let bound = proof.bound(&model.network).unwrap();
    let checked = start.elapsed();
    assert_eq!(bound, problem.objective(&found));
    let explorer = model.explorer(&solution);
    let unserved: Vec<i64> = problem
        .requests
        .iter()
        .map(|request| request.id)
        .filter(|id| !found.iter().any(|pair| problem.pairs[*pair].request == *id))
        .collect();
    let start = Instant::now();
    let explained = unserved.iter().filter(|id| explorer.to_serve(**id).is_some()).count();
    let explaining = start.elapsed();
    // One objective alone: the sum of scores.
    let arcs = model.network.arcs.iter().map(|arc| Arc {
        from: arc.from,
        to: arc.to,
        capacity: arc.capacity,
        cost: [arc.cost[problem.levels().iter().position(|level| *level == Level::Score).unwrap()]],
    });
    let single = Network { nodes: model.network.nodes, arcs: arcs.collect() };
    let start = Instant::now();
    let best = single.solve().unwrap();
    let one_level = start.elapsed();
    println!(
        "{}",
        json!({"arcs": single.arcs.iter().map(|arc| (arc.from, arc.to, arc.capacity, arc.cost[0])).collect::<Vec<_>>(), "nodes": single.nodes,
            "best": single.total(&best.flow)[0], "one_level_seconds": one_level.as_secs_f64(), "all_levels_seconds": all_levels.as_secs_f64(),
            "check_seconds": checked.as_secs_f64(), "unserved": unserved.len(), "explained": explained,
            "explain_seconds": explaining.as_secs_f64(), "pairs": problem.pairs.len(), "served": found.len()})
    );
}
