//! What the best plan is worth: against taking one request after another, and against planning that answers only where everybody
//! can be served. Prints a table: `cargo bench --bench allocation_quality`.
//!
//! Scarce skills: every request asks for one of eight skills, of which two are held by hardly anybody; a third of the bodies was
//! never served; experts have places and hours of the year. One request after another takes the best expert that is left.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use tasuki::matching::allocation::check::check;
use tasuki::matching::allocation::problem::{Body, Expert, Level, Limit, LimitKind, Pair, Problem, Request};
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
}

/// `ask` requests for each hundred places that there are.
fn scarce(seed: u64, ask: usize) -> Problem {
    let mut dice = Dice(seed);
    let mut problem = Problem { band: 50, order: Level::CHOSEN.to_vec(), ..Problem::default() };
    problem.bodies =
        (0..30).map(|id| Body { id, served: dice.small(4), never_served: dice.roll(3) == 0, small: dice.roll(3) == 0 }).collect();
    problem.experts = (0..25).map(|id| Expert { id, load: dice.small(3), places: 1 + dice.small(4) }).collect();
    let places: usize = problem.experts.iter().map(|expert| expert.places as usize).sum();
    // Skills 0 and 1 are rare.
    let holds: Vec<Vec<u64>> = (0..25_u64)
        .map(|at| if at < 4 { vec![at % 2, 2 + dice.roll(6)] } else { vec![2 + dice.roll(6), 2 + dice.roll(6)] })
        .collect();
    let mut hours = Vec::new();
    for id in (0..).take(places * ask / 100) {
        problem.requests.push(Request { id, body: i64::from(dice.small(30)) });
        let (skill, minutes) = (dice.roll(8), 120 + 60 * i64::from(dice.small(5)));
        for (expert, held) in (0..).zip(&holds) {
            if held.contains(&skill) {
                let (score, kilometres) = (400 + dice.small(600), dice.small(200));
                problem.pairs.push(Pair { request: id, expert, team: 0, others: Vec::new(), score, kilometres, kept: false });
                hours.push(((id, expert, 0), minutes));
            }
        }
    }
    for expert in &problem.experts {
        let uses = hours.iter().filter(|(key, _)| key.1 == expert.id).copied().collect();
        problem.limits.push(Limit { kind: LimitKind::Minutes, capacity: 240 * i64::from(expert.places), uses });
    }
    problem.normalised().unwrap()
}

/// Requests served, never-served bodies reached, points, largest load.
fn figures(problem: &Problem, plan: &[usize]) -> [i64; 4] {
    let pairs = || plan.iter().map(|place| &problem.pairs[*place]);
    let body = |request: i64| problem.requests.iter().find(|one| one.id == request).unwrap().body;
    let reached =
        problem.bodies.iter().filter(|one| one.never_served && pairs().any(|pair| body(pair.request) == one.id)).count();
    let load = |expert: &Expert| i64::from(expert.load) + pairs().filter(|pair| pair.expert == expert.id).count() as i64;
    let most = problem.experts.iter().map(load).max().unwrap();
    [plan.len() as i64, reached as i64, pairs().map(|pair| i64::from(pair.score)).sum(), most]
}

fn main() {
    println!("| demand | planning | served | never-served bodies reached | points | largest load | all levels proved |");
    println!("|---|---|---|---|---|---|---|");
    for ask in [60, 90, 120, 160] {
        let (mut rows, mut asked, mut proved) = ([[0_i64; 4]; 3], 0, 0);
        for seed in 1..=20 {
            let problem = scarce(seed, ask);
            let planned = plan(&problem, 400).unwrap();
            proved += usize::from(check(&problem, &planned).unwrap().is_optimal());
            let ours = figures(&problem, &planned.plan);
            let one_by_one = figures(&problem, &greedy(&problem));
            // The best plan serves the most that can be served: where that is not everybody, there is no answer.
            let all_or_nothing = if planned.plan.len() == problem.requests.len() { ours } else { figures(&problem, &[]) };
            for (row, more) in rows.iter_mut().zip([one_by_one, all_or_nothing, ours]) {
                row.iter_mut().zip(more).for_each(|(sum, one)| *sum += one);
            }
            asked += problem.requests.len();
        }
        for (name, row) in ["one after another", "all or nothing", "Tasuki"].iter().zip(rows) {
            let told = if *name == "Tasuki" { format!("{proved} of 20") } else { "-".to_owned() };
            let mean = |sum: i64| sum as f64 / 20.0;
            println!(
                "| {ask} % | {name} | {:.1} of {:.1} | {:.1} | {:.0} | {:.1} | {told} |",
                mean(row[0]),
                asked as f64 / 20.0,
                mean(row[1]),
                mean(row[2]),
                mean(row[3])
            );
        }
    }
}
