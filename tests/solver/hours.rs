//! Measures plans with hours and dates: `cargo bench --bench allocation_hours -- 1 200 60 45 20 2000` (seed, requests, experts,
//! bodies, candidates a request, solves): twenty candidates a request, hours of a month and a year for 85 % of what is asked.
//! `-- prefecture 11 2000` (seed, solves): a prefecture of 200 requests, 60 experts and 45 bodies, with skills that few hold, half-days
//! and hours. `-- gap all 2000`: instances of the literature.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::time::Instant;
use tasuki::matching::allocation::changes::Changer;
use tasuki::matching::allocation::check::check;
use tasuki::matching::allocation::parts::Parts;
use tasuki::matching::allocation::problem::*;
use tasuki::matching::allocation::search::{greedy, plan};

struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn small(&mut self, sides: u64) -> u32 {
        u32::try_from(self.roll(sides)).unwrap()
    }
    fn signed(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap()
    }
}

/// Requests of 2 to 12 hours on one of 120 days, of which one expert serves one; 12 months, hours of a month and a year.
pub fn generated(seed: u64, requests: i64, experts: i64, bodies: i64, candidates: i64) -> Problem {
    let mut dice = Dice(seed);
    let mut problem = Problem { band: 100, order: Level::CHOSEN.to_vec(), ..Problem::default() };
    problem.bodies = (0..bodies)
        .map(|id| Body { id, served: dice.small(4), never_served: dice.roll(3) == 0, small: dice.roll(2) == 0 })
        .collect();
    problem.experts = (0..experts).map(|id| Expert { id, load: dice.small(4), places: 4 + dice.small(5) }).collect();
    let skew = |dice: &mut Dice| {
        let (a, b) = (dice.signed(bodies as u64), dice.signed(bodies as u64));
        a.min(b)
    };
    problem.requests = (0..requests).map(|id| Request { id, body: skew(&mut dice) }).collect();
    let home: Vec<(i64, i64)> = (0..experts).map(|_| (dice.signed(300), dice.signed(300))).collect();
    let town: Vec<(i64, i64)> = (0..bodies).map(|_| (dice.signed(300), dice.signed(300))).collect();
    let facts: Vec<(i64, i64)> = (0..requests).map(|_| (60 * (2 + dice.signed(11)), dice.signed(120))).collect();
    for request in &problem.requests {
        for expert in 0..experts {
            if dice.signed(experts as u64) < candidates {
                let (a, b) = (home[expert as usize], town[request.body as usize]);
                let kilometres = ((a.0 - b.0).abs() + (a.1 - b.1).abs()) as u32;
                let score = (300 + dice.small(550) + (600 - kilometres.min(600)) / 4).min(1000);
                problem.pairs.push(Pair { request: request.id, expert, team: 0, others: vec![], score, kilometres, kept: false });
            }
        }
    }
    let demand: i64 = facts.iter().map(|(minutes, _)| minutes).sum();
    for expert in 0..experts {
        let own: Vec<&Pair> = problem.pairs.iter().filter(|pair| pair.expert == expert).collect();
        let uses = |wanted: &dyn Fn(i64) -> bool, minutes: bool| -> Vec<(PairKey, i64)> {
            own.iter()
                .filter(|pair| wanted(facts[pair.request as usize].1))
                .map(|pair| (pair.key(), if minutes { facts[pair.request as usize].0 } else { 1 }))
                .collect()
        };
        let year = demand * 85 / 100 / experts;
        let year = (year * (70 + dice.signed(61)) / 100) / 60 * 60;
        problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: year, uses: uses(&|_| true, true) });
        for month in 0..12 {
            problem.limits.push(Limit {
                kind: LimitKind::Minutes,
                capacity: (year / 3).max(720),
                uses: uses(&|day| day / 10 == month, true),
            });
        }
        for day in 0..120 {
            problem.limits.push(Limit { kind: LimitKind::Time, capacity: 1, uses: uses(&|other| other == day, false) });
        }
    }
    problem.normalised().unwrap()
}

/// A prefecture: 200 requests of 45 bodies, of which some ask far more often than others, on one of 40 half-days each; 60 experts with
/// some of 40 skills, of which some are wanted far more often than others, free on three half-days of five, with three visits and
/// hours for nine in ten of them. Two requests in five are online.
pub fn prefecture(seed: u64) -> Problem {
    let mut dice = Dice(seed);
    let mut problem = Problem { band: 50, order: Level::CHOSEN.to_vec(), ..Problem::default() };
    problem.bodies = (0..45)
        .map(|id| Body { id, served: dice.small(4), never_served: dice.roll(100) < 35, small: dice.roll(3) > 0 })
        .collect();
    let (mut holds, mut free) = (Vec::new(), Vec::new());
    let place = |dice: &mut Dice| (dice.signed(150), dice.signed(150));
    let homes: Vec<(i64, i64)> = (0..60).map(|_| place(&mut dice)).collect();
    let towns: Vec<(i64, i64)> = (0..45).map(|_| place(&mut dice)).collect();
    for id in 0..60 {
        problem.experts.push(Expert { id, load: dice.small(3), places: 2 + dice.small(3) });
        holds.push((0..40).map(|_| if dice.roll(4) == 0 { 1 + dice.small(3) } else { 0 }).collect::<Vec<u32>>());
        free.push((0..40).map(|_| dice.roll(5) < 3).collect::<Vec<bool>>());
    }
    let skew = |dice: &mut Dice, sides: u64| dice.signed(sides).min(dice.signed(sides)).min(dice.signed(sides));
    let (mut minutes, mut slots) = (Vec::new(), Vec::new());
    for id in 0..200 {
        let (body, skill, slot) = (skew(&mut dice, 45), skew(&mut dice, 40) as usize, dice.roll(40) as usize);
        problem.requests.push(Request { id, body });
        minutes.push(60 * (2 + dice.signed(4)));
        slots.push(slot);
        let online = dice.roll(5) < 2;
        for expert in 0..60_usize {
            let level = holds[expert][skill];
            if level == 0 || !free[expert][slot] {
                continue;
            }
            let (a, b) = (homes[expert], towns[body as usize]);
            let kilometres = if online { 0 } else { ((a.0 - b.0).abs() + (a.1 - b.1).abs()) as u32 };
            let score = 400 + 120 * level + dice.small(120) + (300 - kilometres.min(300)) / 3;
            problem.pairs.push(Pair {
                request: id,
                expert: expert as i64,
                team: 0,
                others: vec![],
                score,
                kilometres,
                kept: false,
            });
        }
    }
    for expert in &problem.experts {
        let own: Vec<&Pair> = problem.pairs.iter().filter(|pair| pair.expert == expert.id).collect();
        let hours = own.iter().map(|pair| (pair.key(), minutes[pair.request as usize])).collect();
        let capacity = i64::from(expert.places) * 210 * 9 / 10 / 30 * 30;
        problem.limits.push(Limit { kind: LimitKind::Minutes, capacity, uses: hours });
        for slot in 0..40 {
            let uses = own.iter().filter(|pair| slots[pair.request as usize] == slot).map(|pair| (pair.key(), 1)).collect();
            problem.limits.push(Limit { kind: LimitKind::Time, capacity: 1, uses });
        }
    }
    problem.normalised().unwrap()
}

/// An instance of the generalized assignment problem: every job a request of its own body, every agent an expert with one limit.
pub fn literature(name: &str) -> Problem {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/solver/gap");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let mut numbers = text.split_whitespace().map(|word| word.parse::<i64>().unwrap());
    let mut next = || numbers.next().unwrap();
    let (agents, jobs) = (next(), next());
    let costs: Vec<i64> = (0..agents * jobs).map(|_| next()).collect();
    let takes: Vec<i64> = (0..agents * jobs).map(|_| next()).collect();
    let order = vec![Level::Score, Level::Spread, Level::Fit, Level::Load, Level::Travel];
    let mut problem = Problem { band: 1000, order, ..Problem::default() };
    problem.bodies = (0..jobs).map(|id| Body { id, served: 0, never_served: false, small: false }).collect();
    problem.requests = (0..jobs).map(|id| Request { id, body: id }).collect();
    problem.experts = (0..agents).map(|id| Expert { id, load: 0, places: jobs as u32 }).collect();
    for agent in 0..agents {
        let mut uses = Vec::new();
        for job in 0..jobs {
            let at = (agent * jobs + job) as usize;
            let score = (1000 - costs[at]) as u32;
            problem.pairs.push(Pair { request: job, expert: agent, team: 0, others: vec![], score, kilometres: 0, kept: false });
            uses.push(((job, agent, 0), takes[at]));
        }
        problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: next(), uses });
    }
    problem.normalised().unwrap()
}

fn measure(name: &str, problem: &Problem, most_solves: u32) {
    let first = problem.objective(&greedy(problem));
    let start = Instant::now();
    let planned = plan(problem, most_solves).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let verdict = check(problem, &planned).unwrap();
    let checked = start.elapsed().as_secs_f64();
    let sizes = (problem.requests.len(), problem.experts.len(), problem.bodies.len(), problem.pairs.len(), problem.limits.len());
    let levels = problem.levels();
    let at = |wanted: Level| levels.iter().position(|level| *level == wanted).unwrap();
    let (served, score) = (at(Level::Served), at(Level::Score));
    print!(
        "{name}: requests, experts, bodies, pairs, limits {sizes:?}; proved {} of 9, within counts {}; ",
        verdict.proved, verdict.within
    );
    if let Some(level) = levels.get(verdict.proved) {
        let (value, bound) = (verdict.value[verdict.proved], verdict.bound[verdict.proved]);
        let gap = (value - bound) as f64 * 1000.0 / (bound.abs().max(1)) as f64;
        print!("open {level:?} {value} bound {bound} gap {gap:.2} permille; ");
    }
    println!(
        "{seconds:.1} s, checked in {checked:.2} s, {} solves; greedy served {} score {}, plan served {} score {}; {:?}; certificate {} bytes",
        planned.solves,
        -first[served],
        -first[score],
        -verdict.value[served],
        -verdict.value[score],
        verdict.value,
        serde_json::to_vec(&planned).unwrap().len()
    );
    // Who else could take each request, or what has to give way for it.
    let parts = Parts::new(problem);
    let mut changer = Changer::new(&parts, &planned.plan);
    let start = Instant::now();
    let of = |request: &Request| planned.plan.iter().copied().find(|pair| problem.pairs[*pair].request == request.id);
    let found = problem.requests.iter().filter(|request| match of(request) {
        Some(pair) => changer.instead(pair).is_some(),
        None => changer.to_serve(request.id).is_some(),
    });
    let (found, all) = (found.count(), problem.requests.len());
    println!("changes: {found} found for {all} requests, {:.2} ms each", start.elapsed().as_secs_f64() * 1000.0 / all as f64);
}

/// `gap [name]`, `prefecture seed`, or `seed requests experts bodies candidates solves`.
fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let solves = |at: usize| args.get(at).map_or(2_000, |text| text.parse().unwrap());
    if args.first().is_some_and(|first| first == "gap") {
        let all = [
            "a05100", "a05200", "a10100", "a10200", "a20100", "a20200", "b05100", "b05200", "b10100", "b10200", "b20100",
            "b20200",
        ];
        let best = [1698, 3235, 1360, 2623, 1158, 2339, 1843, 3552, 1407, 2827, 1166, 2339];
        for (name, best) in all.iter().zip(best).filter(|(name, _)| args.get(1).is_none_or(|one| one == *name || one == "all")) {
            let problem = literature(name);
            let jobs = problem.requests.len() as i64;
            measure(&format!("{name} (best known score {})", 1000 * jobs - best), &problem, solves(2));
        }
        return;
    }
    let number = |at: usize| args[at].parse::<i64>().unwrap();
    if args.first().is_some_and(|first| first == "prefecture") {
        return measure(&format!("prefecture {}", number(1)), &prefecture(number(1) as u64), solves(2));
    }
    let problem = generated(number(0) as u64, number(1), number(2), number(3), number(4));
    measure(&format!("generated {}", number(0)), &problem, solves(5));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}
