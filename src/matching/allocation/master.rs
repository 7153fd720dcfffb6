//! The best prices of a level: a linear program of what experts could lead and how often bodies could be served.
//!
//! # Method
//! The bound of [`super::pricing`] is best where its prices solve the dual of a linear program: a column for everything that an
//! expert could lead, and one for every number of times a body could be served; rows for the requests, what bodies count on,
//! shared limits, and the levels before (Dantzig and Wolfe 1960). Columns are found as they are asked for: the choice of every
//! expert at the prices so far comes in where it is worth it (Savelsbergh 1997 for the generalized assignment problem; Barnhart
//! and others 1998). Between what the program says and the best prices so far a point is asked first, since the program swings
//! (Wentges 1997). A body with a single request needs no rows of its own: what it counts is part of the columns.
//!
//! # Limits
//! Up to a thousand rows: the inverse is dense. The program is a guess in floating point; what counts is the bound of the
//! rounded prices.

use std::collections::BTreeMap;

use super::parts::Parts;
use super::pricing::{Goal, Held, NEVER, Pricer, Prices, SCALE, Status};
use super::problem::LEVELS;
use super::program::{Program, Row};

/// Rows of the largest program that is tried.
const MOST_ROWS: usize = 1_000;
/// How many requests an expert leads on average where it is.
const MOST_LED: usize = 4;
/// Columns of experts that are kept.
const MOST_SETS: usize = 5_000;
/// Steps of the program between two questions.
const STEPS: u32 = 5_000;
/// Rounds after which it has to be possible that the bound becomes enough.
const VAIN: u32 = 6;
/// Steps of an outlook.
const OUTLOOK: u32 = 25;
/// How much a new column must be worth.
const WORTH: f64 = 1e-6;

/// What an expert could lead.
#[derive(Debug)]
struct Set {
    expert: u32,
    pairs: Vec<u32>,
    column: u32,
    barred: bool,
}

/// The program of a level, with what has been found of its columns so far.
pub struct Master<'a> {
    parts: &'a Parts<'a>,
    goal: Goal,
    program: Program,
    sets: Vec<Set>,
    known: BTreeMap<Vec<u32>, u32>,
    /// The place of each body that has more than one request, and its columns.
    bodies: BTreeMap<usize, (usize, Vec<u32>)>,
    /// How large things are in each level: rows are told in parts of it.
    scales: Vec<f64>,
    /// Of each shared limit its place and the most that a pair takes.
    limits: BTreeMap<u32, (usize, f64)>,
    worked: u64,
}

/// Prices, and what they prove.
#[derive(Debug, Clone)]
pub struct Found {
    /// The prices.
    pub prices: Prices,
    /// Their bound, in parts of a unit.
    pub bound: i64,
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn shared_bodies(parts: &Parts<'_>) -> usize {
    parts.of_body.iter().filter(|requests| requests.len() > 1).count()
}

impl<'a> Master<'a> {
    /// Whether a problem is small enough for a program, and experts lead so little that what they could lead are few columns.
    pub fn fits(parts: &Parts<'_>, plan: &[usize]) -> bool {
        let rows = parts.own.len() + 2 * shared_bodies(parts) + parts.of_request.len() + parts.shared.len() + LEVELS;
        rows <= MOST_ROWS && Self::suits(parts, plan)
    }

    /// Whether experts lead so little that what they could lead are few columns: that also goes for parts of a problem.
    pub fn suits(parts: &Parts<'_>, plan: &[usize]) -> bool {
        plan.len() <= MOST_LED * parts.own.len()
    }

    /// The program of a level: the levels before it come to no more than the goal says.
    pub fn new(parts: &'a Parts<'a>, goal: Goal) -> Self {
        let most = |level: usize| parts.cost.iter().map(|cost| cost[level].abs()).max().unwrap_or(1).max(1) as f64;
        let scales: Vec<f64> = (0..LEVELS).map(most).collect();
        // What may not be is dear: dearer than anything that can be.
        let penalty = scales[goal.level].max(10.0) * 20.0;
        let of_shared = |limit: &u32| {
            let limit = &parts.problem.limits[*limit as usize];
            (limit.capacity, limit.uses.iter().map(|(_, amount)| *amount).max().unwrap_or(1).max(1) as f64)
        };
        let limits = parts.shared.iter().enumerate().map(|(at, limit)| (*limit, (at, of_shared(limit).1))).collect();
        let shared = shared_bodies(parts);
        let mut rows = Vec::new();
        let mut row =
            |many: usize, right: f64, less: bool, penalty: f64| rows.extend((0..many).map(|_| Row { right, less, penalty }));
        row(parts.own.len(), 1.0, false, penalty * 5.0);
        row(shared, 1.0, false, penalty * 5.0);
        row(shared, 0.0, false, penalty);
        row(parts.of_request.len(), 1.0, true, penalty);
        for limit in &parts.shared {
            let (capacity, most) = of_shared(limit);
            row(1, capacity as f64 / most, true, penalty);
        }
        for (level, scale) in scales.iter().enumerate() {
            row(1, if level < goal.level { goal.values[level] as f64 / scale } else { 0.0 }, true, penalty);
        }
        let (sets, known, bodies) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut master = Self { parts, goal, program: Program::new(rows), sets, known, bodies, scales, limits, worked: 0 };
        let many = |body: &usize| parts.of_body[*body].len();
        for (place, body) in (0..parts.of_body.len()).filter(|body| many(body) > 1).enumerate() {
            let counts = (0..=many(&body)).map(|count| master.add_count(place, body, count)).collect();
            master.bodies.insert(body, (place, counts));
        }
        master
    }

    fn add_count(&mut self, place: usize, body: usize, count: usize) -> u32 {
        let parts = self.parts;
        let first = parts.own.len() + place;
        let mut rows = vec![(number(first), 1.0)];
        if count > 0 {
            rows.push((number(first + shared_bodies(parts)), -(count as f64)));
        }
        let count = i64::try_from(count).unwrap_or(0);
        for level in 0..self.goal.level {
            let cost = parts.of_body(body, level, count);
            if cost != 0 {
                rows.push((number(self.level_row(level)), cost as f64 / self.scales[level]));
            }
        }
        self.program.add(parts.of_body(body, self.goal.level, count) as f64, rows)
    }

    fn request_row(&self, request: usize) -> usize {
        self.parts.own.len() + 2 * self.bodies_with_rows() + request
    }

    fn bodies_with_rows(&self) -> usize {
        shared_bodies(self.parts)
    }

    fn limit_row(&self, place: usize) -> usize {
        self.request_row(self.parts.of_request.len()) + place
    }

    fn level_row(&self, level: usize) -> usize {
        self.limit_row(self.parts.shared.len()) + level
    }

    /// Adds what an expert could lead, where it is new.
    pub fn add(&mut self, expert: usize, mut pairs: Vec<u32>) {
        let parts = self.parts;
        pairs.sort_unstable();
        let mut key = pairs.clone();
        key.push(number(expert));
        if self.known.contains_key(&key) {
            return;
        }
        let mut rows: BTreeMap<u32, f64> = BTreeMap::new();
        rows.insert(number(expert), 1.0);
        let mut costs = [0_i64; LEVELS];
        costs[parts.load] = parts.of_expert(expert, i64::try_from(pairs.len()).unwrap_or(0));
        for pair in &pairs {
            let request = parts.request_of[*pair as usize] as usize;
            let body = parts.body_of[request] as usize;
            let place = self.bodies.get(&body).map(|(place, _)| *place);
            if let Some(place) = place {
                *rows.entry(number(parts.own.len() + self.bodies_with_rows() + place)).or_insert(0.0) += 1.0;
            }
            *rows.entry(number(self.request_row(request))).or_insert(0.0) += 1.0;
            for (limit, amount) in parts.draws(*pair) {
                if let Some((place, most)) = self.limits.get(limit) {
                    *rows.entry(number(self.limit_row(*place))).or_insert(0.0) += *amount as f64 / most;
                }
            }
            for (level, cost) in costs.iter_mut().enumerate() {
                *cost += parts.cost[*pair as usize][level] + if place.is_none() { parts.of_body(body, level, 1) } else { 0 };
            }
        }
        for (level, cost) in costs.iter().enumerate().take(self.goal.level).filter(|(_, cost)| **cost != 0) {
            rows.insert(number(self.level_row(level)), *cost as f64 / self.scales[level]);
        }
        let column = self.program.add(costs[self.goal.level] as f64, rows);
        self.known.insert(key, column);
        self.sets.push(Set { expert: number(expert), pairs, column, barred: false });
    }

    /// Adds what experts lead in a list of pairs.
    pub fn add_all(&mut self, pairs: &[u32]) {
        let mut of: Vec<Vec<u32>> = vec![Vec::new(); self.parts.own.len()];
        for pair in pairs {
            of[self.parts.expert_of[*pair as usize] as usize].push(*pair);
        }
        of.into_iter().enumerate().for_each(|(expert, pairs)| self.add(expert, pairs));
    }

    /// The same for another goal, with the columns that are possible as things are held, from the same solution.
    pub fn renewed(self, goal: Goal, held: &Held) -> Self {
        self.rebuilt(goal, Some(held), usize::MAX)
    }

    /// Drops columns that are far from being worth it, where there are many.
    pub fn shrink(&mut self) {
        if self.sets.len() > MOST_SETS {
            *self = self.rebuilt(self.goal, None, MOST_SETS / 2);
        }
    }

    fn rebuilt(&self, goal: Goal, held: Option<&Held>, most: usize) -> Self {
        let mut next = Self::new(self.parts, goal);
        next.worked = self.work();
        let (slacks, counts) = (2 * self.program.rows(), self.bodies.values().map(|(_, counts)| counts.len()).sum::<usize>());
        let mut kept: Vec<(f64, usize)> =
            self.sets.iter().enumerate().map(|(at, set)| (self.program.reduced(set.column), at)).collect();
        kept.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut places: BTreeMap<u32, u32> = BTreeMap::new();
        for (_, at) in kept.into_iter().take(most) {
            let set = &self.sets[at];
            let closed = |pair: &u32| held.is_some_and(|held| held.status[*pair as usize] == Status::Closed);
            if !set.pairs.iter().any(closed) {
                next.add(set.expert as usize, set.pairs.clone());
                places.extend(next.sets.last().map(|new| (set.column, new.column)));
            }
        }
        let same = |column: &u32| if (*column as usize) < slacks + counts { Some(*column) } else { places.get(column).copied() };
        let basis = self.program.basis().iter().filter_map(same).collect();
        next.program.start(basis);
        next
    }

    /// The work so far.
    pub fn work(&self) -> u64 {
        self.worked + self.program.steps * self.a_step()
    }

    fn a_step(&self) -> u64 {
        let rows = self.program.rows() as u64;
        rows * rows / 64 + 64
    }

    /// Bars what is not possible as things are held.
    pub fn follow(&mut self, held: &Held) {
        let parts = self.parts;
        let mut taken = vec![0_usize; parts.own.len()];
        for (pair, status) in held.status.iter().enumerate() {
            if *status == Status::Taken {
                taken[parts.expert_of[pair] as usize] += 1;
            }
        }
        for set in &mut self.sets {
            let mut has = 0;
            let mut barred = false;
            for pair in &set.pairs {
                let body = parts.body_of[parts.request_of[*pair as usize] as usize] as usize;
                let out = |quotas: &Vec<i64>| quotas[body] == 0;
                barred |= held.quotas.as_ref().is_some_and(out);
                match held.status[*pair as usize] {
                    Status::Open => {}
                    Status::Closed => barred = true,
                    Status::Taken => has += 1,
                }
            }
            barred |= has != taken[set.expert as usize];
            if barred != set.barred {
                set.barred = barred;
                self.program.bar(set.column, barred);
            }
        }
        for (body, (_, counts)) in &self.bodies {
            for (count, column) in (0..).zip(counts) {
                self.program.bar(*column, held.quotas.as_ref().is_some_and(|quotas| quotas[*body] != count));
            }
        }
    }

    /// The prices of the program.
    fn told(&self) -> Vec<f64> {
        let parts = self.parts;
        let prices = self.program.prices();
        let weight = |level: usize| (-prices[self.level_row(level)] / self.scales[level]).max(0.0);
        let weights: Vec<f64> = (0..self.goal.level).map(weight).chain(std::iter::once(1.0)).collect();
        let request = |(request, body): (usize, &u32)| {
            let body = *body as usize;
            let of_body = match self.bodies.get(&body) {
                Some((place, _)) => prices[parts.own.len() + self.bodies_with_rows() + place],
                None => -weights.iter().enumerate().map(|(level, by)| by * parts.of_body(body, level, 1) as f64).sum::<f64>(),
            };
            of_body + prices[self.request_row(request)]
        };
        let mut all: Vec<f64> = parts.body_of.iter().enumerate().map(request).collect();
        all.extend(
            parts.shared.iter().filter_map(|limit| {
                self.limits.get(limit).map(|(place, most)| (-prices[self.limit_row(*place)]).max(0.0) / most)
            }),
        );
        all.extend(&weights[..self.goal.level]);
        all
    }

    /// How much more the program comes to at least if a pair is taken, or closed: as far as a few steps and the columns so far
    /// tell.
    pub fn outlook(&mut self, pair: u32, takes: bool) -> f64 {
        let parts = self.parts;
        let (request, expert) = (parts.request_of[pair as usize], parts.expert_of[pair as usize]);
        let mut program = self.program.clone();
        let before = program.cost();
        for set in self.sets.iter().filter(|set| !set.barred) {
            let has = set.pairs.contains(&pair);
            let serves = set.pairs.iter().any(|other| parts.request_of[*other as usize] == request);
            if if takes { !has && (set.expert == expert || serves) } else { has } {
                program.bar(set.column, true);
            }
        }
        let steps = program.steps;
        let gain = program.outlook(OUTLOOK) - before;
        self.worked += (program.steps - steps) * self.a_step();
        gain
    }

    fn flat(prices: &Prices) -> Vec<f64> {
        let all = prices.requests.iter().chain(&prices.limits).chain(&prices.weights);
        all.map(|price| *price as f64 / SCALE as f64).collect()
    }

    fn round(&self, flat: &[f64]) -> Prices {
        let (requests, limits) = (self.parts.of_request.len(), self.parts.shared.len());
        let of = |all: &[f64]| all.iter().map(|price| (price * SCALE as f64).round() as i64).collect::<Vec<_>>();
        let (requests, rest) = flat.split_at(requests);
        let (limits, weights) = rest.split_at(limits);
        Prices { requests: of(requests), limits: of(limits), weights: of(weights) }
    }

    /// Grows the program as things are held, from the best prices so far or its own, until nothing that could come in is worth
    /// it, the bound is `enough`, so many rounds or so much work is over, or `stop` says so. Unless it has to be `exact` it also ends where the
    /// bound, rounded up, cannot get better.
    pub fn run(
        &mut self,
        pricer: &mut Pricer<'_>,
        held: &Held,
        center: Option<&Prices>,
        (most, work, exact): (u32, u64, bool),
        (enough, stop): (&dyn Fn(i64) -> bool, &dyn Fn() -> bool),
    ) -> Option<Found> {
        let goal = self.goal;
        let step = self.parts.step(goal.level);
        let end = self.work().saturating_add(work);
        self.follow(held);
        let own;
        let center = match center {
            Some(center) => center,
            None => {
                self.program.solve(STEPS);
                own = self.round(&self.told());
                &own
            }
        };
        let bound = pricer.bound(&goal, center, held)?;
        let mut found = Found { prices: center.clone(), bound };
        if bound >= NEVER || enough(bound) {
            return Some(found);
        }
        self.add_all(&pricer.chosen.clone());
        let mut share = 0.5;
        for round in 0..most {
            self.program.solve(STEPS);
            // What the program comes to is more than any prices prove: where that is not enough, better prices help little.
            let most = (self.program.cost() * SCALE as f64).clamp(-(NEVER as f64), NEVER as f64) as i64;
            let rounded = goal.rounded(most - 1, step) <= goal.rounded(found.bound, step);
            let vain = rounded || (round >= VAIN && !enough(most));
            if most <= found.bound || (!exact && vain) || self.work() > end || stop() {
                break;
            }
            let told = self.told();
            let best = Self::flat(&found.prices);
            loop {
                let at: Vec<f64> = told.iter().zip(&best).map(|(told, best)| best * share + told * (1.0 - share)).collect();
                let prices = self.round(&at);
                let Some(bound) = pricer.bound(&goal, &prices, held) else { return Some(found) };
                if bound > found.bound {
                    found = Found { prices, bound };
                }
                if bound >= NEVER || enough(found.bound) {
                    return Some(found);
                }
                let before = self.sets.len();
                self.add_all(&pricer.chosen.clone());
                if self.sets[before..].iter().any(|set| self.program.reduced(set.column) < -WORTH) {
                    break;
                }
                if share == 0.0 {
                    return Some(found);
                }
                share = if share > 0.1 { share / 2.0 } else { 0.0 };
            }
            share = (share + 0.1).min(0.7);
        }
        Some(found)
    }

    /// How much of each pair the solution has.
    pub fn wanted(&self) -> Vec<f64> {
        let mut wanted = vec![0.0; self.parts.cost.len()];
        for set in &self.sets {
            let amount = self.program.amount(set.column);
            if amount > 0.0 {
                set.pairs.iter().for_each(|pair| wanted[*pair as usize] += amount);
            }
        }
        wanted
    }
}
