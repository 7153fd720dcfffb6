//! Bounds for problems with many limits: what no plan can beat, from a price on every request.
//!
//! # Formulation
//! A level is looked at among the plans that reach the values `v` of the levels before it. With a price `u` on each request, `m`
//! from zero on each shared limit and a weight `w` of either sign on each level before, every such plan comes to at least
//!
//! `Σ bodies min (cost of being served n times + the n smallest prices of its requests)`
//! `− Σ experts max (Σ own pairs (u − cost − m · amount) − cost of load) − Σ limits m · capacity − Σ levels w · v`
//!
//! because what the prices add is zero, or less where a limit is not used up. The maximum of an expert is looked for within
//! all limits that are that expert's alone ([`super::choice`]), which is why this bound is above that of the circulation.
//! The bound holds for any prices, whoever found them: they are the certificate. All costs are whole, so it is rounded up.
//!
//! # Branches and closed pairs
//! A pair with which the bound is no better than the value to be reached is closed. What is left is split on single pairs:
//! taken, or closed. Each node of this tree may bring prices of its own and inherits those above it otherwise.

use serde::{Deserialize, Serialize};

use super::choice::{Choice, Question};
use super::parts::Parts;
use super::problem::LEVELS;

/// Prices are whole numbers of so many parts of a unit.
pub const SCALE: i64 = 1_000;
/// The bound of what cannot be.
pub const NEVER: i64 = i64::MAX / 4;

/// What a bound is computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Of each request.
    pub requests: Vec<i64>,
    /// Of each shared limit, none below zero.
    pub limits: Vec<i64>,
    /// Of each level before the one that is looked at.
    pub weights: Vec<i64>,
}

/// Whether a pair may, must or must not be in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It may be.
    Open,
    /// It is not.
    Closed,
    /// It is.
    Taken,
}

/// What is decided about the pairs, with the way back.
#[derive(Debug)]
pub struct Held {
    /// Of each pair.
    pub status: Vec<Status>,
    /// How many pairs of each request are not closed.
    pub open: Vec<u32>,
    /// Whether a pair of the request is taken.
    pub taken: Vec<bool>,
    /// How often each body is served, where that is fixed.
    pub quotas: Option<Vec<i64>>,
    impossible: u32,
    trail: Vec<(u32, Status)>,
}

impl Held {
    /// Everything open.
    pub fn new(parts: &Parts<'_>) -> Self {
        Self {
            status: vec![Status::Open; parts.cost.len()],
            open: parts.of_request.iter().map(|(from, to)| to - from).collect(),
            taken: vec![false; parts.of_request.len()],
            quotas: None,
            impossible: 0,
            trail: Vec::new(),
        }
    }

    /// Closes a pair.
    pub fn close(&mut self, parts: &Parts<'_>, pair: u32) {
        if self.status[pair as usize] == Status::Open {
            self.status[pair as usize] = Status::Closed;
            self.open[parts.request_of[pair as usize] as usize] -= 1;
            self.trail.push((pair, Status::Open));
        }
    }

    /// Takes a pair, and closes the others of its request. A pair that is closed cannot be taken: nothing is possible then.
    pub fn take(&mut self, parts: &Parts<'_>, pair: u32) {
        match self.status[pair as usize] {
            Status::Taken => {}
            Status::Closed => {
                self.impossible += 1;
                self.trail.push((pair, Status::Closed));
            }
            Status::Open => {
                let request = parts.request_of[pair as usize];
                self.status[pair as usize] = Status::Taken;
                self.taken[request as usize] = true;
                self.trail.push((pair, Status::Taken));
                parts.pairs_of(request).for_each(|other| self.close(parts, other));
            }
        }
    }

    /// What the one plan that is left comes to for a goal, in parts of a unit, where everything is decided; `None` where
    /// something is not. A plan that breaks something, or does not reach the goal's values of the levels before, is none.
    pub fn only(&self, parts: &Parts<'_>, goal: &Goal) -> Option<i64> {
        if self.taken.iter().zip(&self.open).any(|(taken, open)| !taken && *open > 0) {
            return None;
        }
        let is_taken = |place: &usize| self.status[*place] == Status::Taken;
        let plan: Vec<usize> = (0..self.status.len()).filter(is_taken).collect();
        let value = parts.problem.objective(&plan);
        let belongs = self.impossible == 0
            && value[..goal.level] == goal.values[..goal.level]
            && self.quotas.as_ref().is_none_or(|quotas| *quotas == parts.counts(&plan))
            && parts.problem.broken(&plan).is_none();
        Some(if belongs { value[goal.level].saturating_mul(SCALE) } else { NEVER })
    }

    /// How much has been decided.
    pub fn mark(&self) -> usize {
        self.trail.len()
    }

    /// The pairs that were closed since a mark.
    pub fn since(&self, mark: usize) -> Vec<u32> {
        self.trail[mark..].iter().filter(|(_, how)| *how == Status::Open).map(|(pair, _)| *pair).collect()
    }

    /// Goes back to a mark.
    pub fn back(&mut self, parts: &Parts<'_>, mark: usize) {
        while self.trail.len() > mark {
            let Some((pair, how)) = self.trail.pop() else { return };
            let request = parts.request_of[pair as usize] as usize;
            match how {
                Status::Open => {
                    self.status[pair as usize] = Status::Open;
                    self.open[request] += 1;
                }
                Status::Taken => {
                    self.status[pair as usize] = Status::Open;
                    self.taken[request] = false;
                }
                Status::Closed => self.impossible -= 1,
            }
        }
    }
}

/// A level, and what the levels before it are fixed at.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// Which level, by its place.
    pub level: usize,
    /// What the plan comes to; what counts is what comes before the level.
    pub values: [i64; LEVELS],
}

impl Goal {
    /// A bound in parts of a unit as a value that a plan can have: rounded up, to the value's own multiples.
    pub fn rounded(&self, scaled: i64, step: i64) -> i64 {
        if scaled >= NEVER {
            return NEVER;
        }
        let up = -(-scaled).div_euclid(SCALE);
        up + (self.values[self.level] - up).rem_euclid(step)
    }
}

/// Computes bounds.
pub struct Pricer<'a> {
    /// The parts of the problem.
    pub parts: &'a Parts<'a>,
    choice: Choice,
    profits: Vec<i64>,
    /// The most that each expert wins.
    of_expert: Vec<i64>,
    of_body: Vec<i64>,
    /// Pairs that were chosen; a request may be served more than once, or not though its body counts on it.
    pub chosen: Vec<u32>,
    /// Requests on which the bodies count.
    pub counted: Vec<bool>,
    /// What each level comes to in what was chosen.
    pub totals: [i64; LEVELS],
    /// The most that anything adds to a level.
    most: [i128; LEVELS],
    prices: Vec<i64>,
}

impl<'a> Pricer<'a> {
    /// Ready for a problem.
    pub fn new(parts: &'a Parts<'a>) -> Self {
        let mut most = [0_i128; LEVELS];
        for (level, most) in most.iter_mut().enumerate() {
            let pairs = parts.cost.iter().map(|cost| i128::from(cost[level]).abs()).max();
            let body =
                |at: usize| i128::from(parts.of_body(at, level, i64::try_from(parts.of_body[at].len()).unwrap_or(0))).abs();
            let bodies = (0..parts.of_body.len()).map(body).max();
            *most = pairs.max(bodies).unwrap_or(0);
        }
        let expert = |at: usize| i128::from(parts.of_expert(at, i64::try_from(parts.own[at].len()).unwrap_or(0)));
        most[parts.load] += (0..parts.own.len()).map(expert).max().unwrap_or(0);
        Self {
            parts,
            choice: Choice::new(parts),
            profits: Vec::new(),
            of_expert: Vec::new(),
            of_body: Vec::new(),
            chosen: Vec::new(),
            counted: vec![false; parts.of_request.len()],
            totals: [0; LEVELS],
            most,
            prices: Vec::new(),
        }
    }

    /// How many times an expert had something to choose: the work.
    pub fn asked(&self) -> u64 {
        self.choice.asked
    }

    /// Whether prices belong to the problem and stay so small that sums are exact.
    fn sound(&self, goal: &Goal, prices: &Prices) -> bool {
        let parts = self.parts;
        let sizes = prices.requests.len() == parts.of_request.len()
            && prices.limits.len() == parts.shared.len()
            && prices.weights.len() == goal.level
            && prices.limits.iter().all(|price| *price >= 0);
        let largest = |all: &[i64]| all.iter().map(|price| i128::from(*price).abs()).max().unwrap_or(0);
        let mut sum = largest(&prices.requests);
        for (weight, most) in weights(prices).zip(&self.most) {
            sum += i128::from(weight).abs() * (most + 1);
        }
        for (weight, value) in prices.weights.iter().zip(&goal.values) {
            sum += i128::from(*weight).abs() * i128::from(*value).abs();
        }
        for (price, limit) in prices.limits.iter().zip(&parts.shared) {
            let limit = &parts.problem.limits[*limit as usize];
            let most = limit.uses.iter().map(|(_, amount)| *amount).max().unwrap_or(0).max(limit.capacity);
            sum += i128::from(*price) * i128::from(most);
        }
        let many = parts.own.iter().map(Vec::len).max().unwrap_or(0) + parts.of_request.len() + parts.own.len() + 1;
        sizes && sum < (1 << 60) && sum * (many as i128) < (1 << 60)
    }

    /// The bound of these prices, in parts of a unit; `None`: the prices do not belong to the problem or are too large.
    pub fn bound(&mut self, goal: &Goal, prices: &Prices, held: &Held) -> Option<i64> {
        if !self.sound(goal, prices) {
            return None;
        }
        if held.impossible > 0 {
            return Some(NEVER);
        }
        let parts = self.parts;
        self.profits.clear();
        let used: Vec<(usize, i64)> = weights(prices).enumerate().filter(|(_, weight)| *weight != 0).collect();
        self.profits.extend(parts.cost.iter().zip(&parts.request_of).map(|(cost, request)| {
            used.iter().fold(prices.requests[*request as usize], |sum, (level, weight)| sum - weight * cost[*level])
        }));
        let mut bound = 0;
        for (price, limit) in prices.limits.iter().zip(&parts.shared).filter(|(price, _)| **price > 0) {
            let limit = &parts.problem.limits[*limit as usize];
            bound -= price * limit.capacity;
            for (key, amount) in &limit.uses {
                if let Some(pair) = parts.problem.pair(*key) {
                    self.profits[pair] -= price * amount;
                }
            }
        }
        for (weight, value) in prices.weights.iter().zip(&goal.values) {
            bound -= weight * value;
        }
        self.totals = [0; LEVELS];
        self.of_body.clear();
        for body in 0..parts.of_body.len() {
            let Some((cost, count)) = self.body(prices, held, body, None) else { return Some(NEVER) };
            bound += cost;
            self.of_body.push(cost);
            for (level, total) in self.totals.iter_mut().enumerate() {
                *total += parts.of_body(body, level, count);
            }
        }
        self.chosen.clear();
        self.of_expert.clear();
        let load = weights(prices).nth(parts.load).unwrap_or(0);
        for expert in 0..parts.own.len() {
            let ask = Question { expert, profits: &self.profits, status: &held.status, load, with: None };
            let Some(win) = self.choice.best(parts, ask) else { return Some(NEVER) };
            bound -= win;
            self.of_expert.push(win);
            let count = i64::try_from(self.choice.chosen.len()).unwrap_or(0);
            self.totals[parts.load] += parts.of_expert(expert, count);
            self.chosen.extend_from_slice(&self.choice.chosen);
        }
        for pair in &self.chosen {
            for (total, cost) in self.totals.iter_mut().zip(&parts.cost[*pair as usize]) {
                *total += cost;
            }
        }
        Some(bound)
    }

    /// The least a body can come to, and how often it is served then; `with` a request that is served in any case.
    fn body(&mut self, prices: &Prices, held: &Held, body: usize, with: Option<u32>) -> Option<(i64, i64)> {
        let parts = self.parts;
        let mut free = std::mem::take(&mut self.prices);
        free.clear();
        let (mut sure, mut count) = (0, 0);
        let must = |request: u32| held.taken[request as usize] || with == Some(request);
        for request in parts.of_body[body].iter().copied() {
            let price = prices.requests[request as usize];
            if must(request) {
                sure += price;
                count += 1;
            } else if held.open[request as usize] > 0 {
                free.push(price);
            }
        }
        free.sort_unstable();
        let cost = |count: i64| {
            weights(prices).enumerate().map(|(level, weight)| weight * parts.of_body(body, level, count)).sum::<i64>()
        };
        let quota = held.quotas.as_ref().map(|quotas| quotas[body]);
        let allowed = |count: i64| quota.is_none_or(|quota| quota == count);
        let mut best = allowed(count).then(|| (sure + cost(count), count));
        let (mut sum, forced) = (sure, count);
        for price in &free {
            count += 1;
            sum += price;
            if allowed(count) && best.is_none_or(|(so_far, _)| sum + cost(count) < so_far) {
                best = Some((sum + cost(count), count));
            }
        }
        if let Some(best) = best.filter(|_| with.is_none()) {
            // Which requests the body counts on: the cheapest, the first of equal ones.
            let mut left = best.1 - forced;
            let last = usize::try_from(left - 1).ok().and_then(|at| free.get(at)).copied();
            let below = last.map_or(0, |last| free.iter().take_while(|price| **price < last).count() as i64);
            let mut equal = left - below;
            for request in parts.of_body[body].iter().copied() {
                let price = prices.requests[request as usize];
                let free = held.open[request as usize] > 0
                    && left > 0
                    && last.is_some_and(|last| price < last || (price == last && equal > 0));
                self.counted[request as usize] = must(request) || free;
                if free && !must(request) {
                    left -= 1;
                    equal -= i64::from(last == Some(price));
                }
            }
        }
        self.prices = free;
        best
    }

    /// Closes every open pair with which the bound reaches what `dear` says; after [`Self::bound`] with the same prices. How
    /// many were closed.
    pub fn close_dear(&mut self, prices: &Prices, held: &mut Held, bound: i64, dear: impl Fn(i64) -> bool) -> usize {
        let parts = self.parts;
        if bound >= NEVER {
            return 0;
        }
        let load = weights(prices).nth(parts.load).unwrap_or(0);
        let mut closed = Vec::new();
        for request in 0..u32::try_from(parts.of_request.len()).unwrap_or(0) {
            if held.taken[request as usize] || held.open[request as usize] == 0 {
                continue;
            }
            let body = parts.body_of[request as usize] as usize;
            let dearer = self.body(prices, held, body, Some(request)).map_or(NEVER, |(cost, _)| cost - self.of_body[body]);
            for pair in parts.pairs_of(request).filter(|pair| held.status[*pair as usize] == Status::Open) {
                let expert = parts.expert_of[pair as usize] as usize;
                let ask = Question { expert, profits: &self.profits, status: &held.status, load, with: Some(pair) };
                let with = self
                    .choice
                    .best(parts, ask)
                    .map_or(NEVER, |win| (bound + self.of_expert[expert] - win).saturating_add(dearer));
                if dear(with) {
                    closed.push(pair);
                }
            }
        }
        closed.iter().for_each(|pair| held.close(parts, *pair));
        closed.len()
    }
}

fn weights(prices: &Prices) -> impl Iterator<Item = i64> + '_ {
    prices.weights.iter().copied().chain(std::iter::once(SCALE)).chain(std::iter::repeat(0)).take(LEVELS)
}
