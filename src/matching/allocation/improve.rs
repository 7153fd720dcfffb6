//! Makes plans better step by step: one request goes to somebody else, others give way and go elsewhere.
//!
//! A step counts only if the whole plan is better level by level, and every plan on the way keeps all limits. Which steps are
//! tried, and in which order, depends on nothing but the problem.

use super::parts::Parts;
use super::problem::LEVELS;

/// A plan that can be changed pair by pair, with what it has used.
#[derive(Clone)]
pub struct Draft<'a> {
    /// The parts of the problem.
    pub parts: &'a Parts<'a>,
    /// The pair of each request.
    pub pair_of: Vec<Option<u32>>,
    /// The pairs of each expert as lead.
    pub led: Vec<Vec<u32>>,
    /// What the plan comes to.
    pub value: [i64; LEVELS],
    of_body: Vec<i64>,
    places: Vec<i64>,
    left: Vec<i64>,
    trail: Vec<(u32, bool)>,
    /// A pair that is not pushed out.
    pub fixed: Option<u32>,
    /// Changes so far: the work.
    pub steps: u64,
}

impl<'a> Draft<'a> {
    /// Starts from a plan that keeps every limit.
    pub fn new(parts: &'a Parts<'a>, plan: &[usize]) -> Self {
        let problem = parts.problem;
        let mut draft = Self {
            parts,
            pair_of: vec![None; problem.requests.len()],
            led: vec![Vec::new(); problem.experts.len()],
            value: [0; LEVELS],
            of_body: vec![0; problem.bodies.len()],
            places: problem.experts.iter().map(|expert| i64::from(expert.places)).collect(),
            left: problem.limits.iter().map(|limit| limit.capacity).collect(),
            trail: Vec::new(),
            fixed: None,
            steps: 0,
        };
        for pair in plan {
            draft.add(u32::try_from(*pair).unwrap_or(0));
        }
        draft.trail.clear();
        draft
    }

    /// The plan, in order.
    pub fn plan(&self) -> Vec<usize> {
        let mut plan: Vec<usize> = self.pair_of.iter().flatten().map(|pair| *pair as usize).collect();
        plan.sort_unstable();
        plan
    }

    /// Whether a pair can come in as things are.
    pub fn takes(&self, pair: u32) -> bool {
        let at = pair as usize;
        self.pair_of[self.parts.request_of[at] as usize].is_none() && self.has_room(pair)
    }

    /// Whether the members have places and the limits room, whoever serves the request now.
    fn has_room(&self, pair: u32) -> bool {
        let at = pair as usize;
        self.places[self.parts.expert_of[at] as usize] > 0
            && self.parts.others(pair).iter().all(|other| self.places[*other as usize] > 0)
            && self.parts.draws(pair).iter().all(|(limit, amount)| self.left[*limit as usize] >= *amount)
    }

    /// What a pair lacks: members without places, and limits without room. Whoever serves its request now is left out of account.
    pub fn lacks(&self, pair: u32) -> (Vec<u32>, Vec<u32>) {
        let lead = self.parts.expert_of[pair as usize];
        let members = std::iter::once(lead).chain(self.parts.others(pair).iter().copied());
        let members = members.filter(|member| self.places[*member as usize] <= 0).collect();
        let limits = self.parts.draws(pair).iter().filter(|(limit, amount)| self.left[*limit as usize] < *amount);
        (members, limits.map(|(limit, _)| *limit).collect())
    }

    /// What was changed so far is not taken back any more.
    pub fn settle(&mut self) {
        self.trail.clear();
    }

    /// Lets a pair in.
    pub fn add(&mut self, pair: u32) {
        self.change(pair, true);
        self.trail.push((pair, true));
    }

    /// Takes a pair out.
    pub fn remove(&mut self, pair: u32) {
        self.change(pair, false);
        self.trail.push((pair, false));
    }

    fn change(&mut self, pair: u32, comes: bool) {
        self.steps += 1;
        let parts = self.parts;
        let (sign, at) = (if comes { 1 } else { -1 }, pair as usize);
        let (request, expert) = (parts.request_of[at] as usize, parts.expert_of[at] as usize);
        let body = parts.body_of[request] as usize;
        let count = self.led[expert].len() as i64;
        if comes {
            self.pair_of[request] = Some(pair);
            self.led[expert].push(pair);
        } else {
            self.pair_of[request] = None;
            self.led[expert].retain(|other| *other != pair);
        }
        self.value[parts.load] += parts.of_expert(expert, count + sign) - parts.of_expert(expert, count);
        let served = self.of_body[body];
        self.of_body[body] += sign;
        for (level, (value, cost)) in self.value.iter_mut().zip(&parts.cost[at]).enumerate() {
            *value += sign * cost + parts.of_body(body, level, served + sign) - parts.of_body(body, level, served);
        }
        self.places[expert] -= sign;
        for other in parts.others(pair) {
            self.places[*other as usize] -= sign;
        }
        for (limit, amount) in parts.draws(pair) {
            self.left[*limit as usize] -= sign * amount;
        }
    }

    /// Goes back to a mark of the changes.
    fn back(&mut self, mark: usize) {
        while self.trail.len() > mark {
            let Some((pair, came)) = self.trail.pop() else { return };
            self.change(pair, !came);
        }
    }

    /// Fills in what fits, in the order given.
    pub fn fill(&mut self, order: impl Iterator<Item = u32>) {
        for pair in order {
            if self.takes(pair) {
                self.add(pair);
            }
        }
        self.trail.clear();
    }

    /// The best open place for a request: the pair with which the plan comes to the least.
    fn best_place(&mut self, request: u32, not: u32) -> Option<u32> {
        let mut best: Option<([i64; LEVELS], u32)> = None;
        for pair in self.parts.pairs_of(request) {
            if self.parts.expert_of[pair as usize] != not && self.has_room(pair) {
                let load = |expert: usize| {
                    let count = self.led[expert].len() as i64;
                    self.parts.of_expert(expert, count + 1) - self.parts.of_expert(expert, count)
                };
                let mut cost = self.parts.cost[pair as usize];
                cost[self.parts.load] += load(self.parts.expert_of[pair as usize] as usize);
                if best.is_none_or(|best| (cost, pair) < best) {
                    best = Some((cost, pair));
                }
            }
        }
        best.map(|(_, pair)| pair)
    }

    /// Puts a pair in place of what stands in its way: up to two pairs of its expert, each of which then goes elsewhere if it
    /// can, itself pushing out one more where `deep`. Whether the plan is better than `before`; otherwise it is as it was.
    fn push_in(&mut self, pair: u32, deep: u32, before: [i64; LEVELS]) -> bool {
        let mark = self.trail.len();
        let request = self.parts.request_of[pair as usize];
        let expert = self.parts.expert_of[pair as usize];
        let old = self.pair_of[request as usize];
        if let Some(old) = old {
            self.remove(old);
        }
        if self.has_room(pair) {
            self.add(pair);
            self.refill(old, expert);
            if self.value < before {
                return true;
            }
            self.back(mark);
            return false;
        }
        let mut led = self.led[expert as usize].clone();
        led.retain(|pair| self.fixed != Some(*pair));
        for (at, first) in led.iter().enumerate() {
            let here = self.trail.len();
            self.remove(*first);
            if self.has_room(pair) {
                self.add(pair);
                if self.place_out(&[*first], expert, deep, old, before) {
                    return true;
                }
            } else {
                for second in &led[at + 1..] {
                    let there = self.trail.len();
                    self.remove(*second);
                    if self.has_room(pair) {
                        self.add(pair);
                        if self.place_out(&[*first, *second], expert, deep, old, before) {
                            return true;
                        }
                    }
                    self.back(there);
                }
            }
            self.back(here);
        }
        self.back(mark);
        false
    }

    /// Finds new places for what was pushed out; whether the plan is better then.
    fn place_out(&mut self, out: &[u32], from: u32, deep: u32, old: Option<u32>, before: [i64; LEVELS]) -> bool {
        for pair in out {
            if let Some(place) = self.best_place(self.parts.request_of[*pair as usize], from) {
                self.add(place);
            }
        }
        self.refill(old, from);
        if self.value < before {
            return true;
        }
        if deep == 0 {
            return false;
        }
        for pair in out {
            let request = self.parts.request_of[*pair as usize];
            if self.pair_of[request as usize].is_none() {
                for next in self.parts.pairs_of(request) {
                    if self.parts.expert_of[next as usize] != from && self.push_in(next, deep - 1, before) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// An expert from whom a pair was taken can serve somebody else now.
    fn refill(&mut self, old: Option<u32>, to: u32) {
        let Some(old) = old else { return };
        let expert = self.parts.expert_of[old as usize];
        if expert == to {
            return;
        }
        for pair in self.parts.own[expert as usize].iter().copied() {
            if self.takes(pair) {
                self.add(pair);
            }
        }
    }

    /// Tries everything for a request; whether the plan is better.
    fn better_for(&mut self, request: u32, deep: u32) -> bool {
        let mut found = false;
        for pair in self.parts.pairs_of(request) {
            if self.pair_of[request as usize] != Some(pair) && self.push_in(pair, deep, self.value) {
                self.trail.clear();
                found = true;
            }
        }
        found
    }

    /// Goes round the requests that are `asked` for until nothing gets better, or the work is used up.
    pub fn improve(&mut self, deep: u32, most_steps: u64, asked: impl Fn(u32) -> bool) {
        let end = self.steps + most_steps;
        let requests = u32::try_from(self.pair_of.len()).unwrap_or(0);
        loop {
            let mut found = false;
            for request in (0..requests).filter(|request| asked(*request)) {
                if self.steps > end {
                    return;
                }
                let deep = if self.pair_of[request as usize].is_none() { deep } else { 0 };
                found |= self.better_for(request, deep);
            }
            if !found {
                return;
            }
        }
    }
}
