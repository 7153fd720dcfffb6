//! What a change of a plan would cost where pairs share limits: for a request that nobody takes, what has to give way; for one
//! that somebody takes, who else could.
//!
//! # Method
//! Every pair of the request is tried. What stands in its way, one pair of the plan or two, gives way and goes to its best open
//! place, or stays unserved; for the best of these outcomes one more step is tried, in which what went unserved pushes out one
//! pair that itself goes elsewhere. The change told is the best of all that were looked at, level by level, and keeps every
//! limit. Nothing says that there is none cheaper: without shared limits the circulation answers exactly ([`super::network`]).
//!
//! # Work
//! For each request at most sixty pairs, twelve pairs in the way of each, and two of the first six of those together. The work
//! is counted over all questions and ends at a limit, so that the answers are the same on every machine.

use std::collections::BTreeSet;

use super::improve::Draft;
use super::network::Change;
use super::parts::Parts;
use super::problem::LEVELS;

/// Pairs of a request that are tried, the best by themselves first.
const MOST_PAIRS: usize = 60;
/// Pairs in the way of one that are tried alone.
const MOST_IN_THE_WAY: usize = 12;
/// Pairs in the way of one that are tried two at a time.
const MOST_IN_TWOS: usize = 6;
/// Outcomes from which one more step is tried.
const MOST_DEEPER: usize = 3;
/// Steps in which the rest of an outcome is made better.
const MOST_STEPS: u64 = 2_000;
/// Looks at a pair in all: a few seconds.
const MOST_LOOKS: u64 = 40_000_000;

/// A plan that can be asked what a change of it would cost.
pub struct Changer<'a> {
    parts: &'a Parts<'a>,
    draft: Draft<'a>,
    /// Pairs of the plan by member.
    of_member: Vec<Vec<u32>>,
    /// Pairs of the plan by limit.
    of_limit: Vec<Vec<u32>>,
    /// What was done to the draft since the question.
    log: Vec<(u32, bool)>,
    looks: u64,
}

/// Something that was looked at, to go on from.
struct Outcome {
    value: [i64; LEVELS],
    log: Vec<(u32, bool)>,
    unserved: Vec<u32>,
}

impl<'a> Changer<'a> {
    /// Takes a plan that keeps every limit.
    pub fn new(parts: &'a Parts<'a>, plan: &[usize]) -> Self {
        let mut of_member = vec![Vec::new(); parts.problem.experts.len()];
        let mut of_limit = vec![Vec::new(); parts.problem.limits.len()];
        for pair in plan.iter().filter_map(|pair| u32::try_from(*pair).ok()) {
            let members = std::iter::once(parts.expert_of[pair as usize]).chain(parts.others(pair).iter().copied());
            members.for_each(|member| of_member[member as usize].push(pair));
            parts.draws(pair).iter().for_each(|(limit, _)| of_limit[*limit as usize].push(pair));
        }
        Self { parts, draft: Draft::new(parts, plan), of_member, of_limit, log: Vec::new(), looks: 0 }
    }

    /// The cheapest change found that serves a request which nobody takes. `None`: none was found, or the work is used up.
    pub fn to_serve(&mut self, request: i64) -> Option<Change> {
        let place = self.parts.problem.requests.binary_search_by_key(&request, |request| request.id).ok()?;
        self.best(u32::try_from(place).ok()?, None)
    }

    /// The cheapest change found in which another pair takes the request of one of the plan's pairs: the second choice.
    /// `None`: none was found, or the work is used up.
    pub fn instead(&mut self, pair: usize) -> Option<Change> {
        let pair = u32::try_from(pair).ok()?;
        self.best(*self.parts.request_of.get(pair as usize)?, Some(pair))
    }

    fn best(&mut self, request: u32, not: Option<u32>) -> Option<Change> {
        if self.looks > MOST_LOOKS {
            return None;
        }
        let before = self.draft.value;
        if let Some(pair) = not {
            self.set(pair, false);
        }
        let mut pairs: Vec<u32> = self.parts.pairs_of(request).filter(|pair| Some(*pair) != not).collect();
        pairs.sort_by_key(|pair| (self.cost(*pair), *pair));
        pairs.truncate(MOST_PAIRS);
        let mut outcomes = Vec::new();
        for pair in pairs {
            self.try_pair(pair, &mut outcomes);
        }
        outcomes.sort_by_key(|outcome: &Outcome| outcome.value);
        outcomes.truncate(MOST_DEEPER);
        let mark = self.log.len();
        let mut deeper = Vec::new();
        for outcome in outcomes.iter().filter(|outcome| !outcome.unserved.is_empty()) {
            self.redo(&outcome.log[mark..]);
            for pair in &outcome.unserved {
                self.push_in(*pair, &mut deeper);
            }
            self.undo(mark);
        }
        outcomes.extend(deeper);
        outcomes.sort_by_key(|outcome| outcome.value);
        self.undo(0);
        self.draft.settle();
        let mut best: Option<Draft<'a>> = None;
        for outcome in outcomes.iter().take(MOST_DEEPER) {
            let mut draft = self.draft.clone();
            for (pair, comes) in &outcome.log {
                if *comes { draft.add(*pair) } else { draft.remove(*pair) }
            }
            self.smooth(&mut draft, request, &outcome.log);
            if best.as_ref().is_none_or(|best| draft.value < best.value) {
                best = Some(draft);
            }
        }
        let best = best?;
        let mut change =
            Change { levels: std::array::from_fn(|level| best.value[level] - before[level]), added: vec![], removed: vec![] };
        for (old, new) in self.draft.pair_of.iter().zip(&best.pair_of).filter(|(old, new)| old != new) {
            change.removed.extend(old.map(|pair| pair as usize));
            change.added.extend(new.map(|pair| pair as usize));
        }
        change.removed.sort_unstable();
        change.added.sort_unstable();
        Some(change)
    }

    /// Makes the rest of an outcome better: what the experts who are touched have, and what nobody takes.
    fn smooth(&mut self, draft: &mut Draft<'a>, asked: u32, log: &[(u32, bool)]) {
        let touched: BTreeSet<u32> = log.iter().map(|(pair, _)| self.parts.expert_of[*pair as usize]).collect();
        let held: BTreeSet<u32> = touched.iter().flat_map(|expert| &draft.led[*expert as usize]).copied().collect();
        let held: BTreeSet<u32> = held.iter().map(|pair| self.parts.request_of[*pair as usize]).collect();
        let open: BTreeSet<u32> = touched
            .iter()
            .flat_map(|expert| &self.parts.own[*expert as usize])
            .map(|pair| self.parts.request_of[*pair as usize])
            .collect();
        let unserved: BTreeSet<u32> = open.into_iter().filter(|request| draft.pair_of[*request as usize].is_none()).collect();
        let before = draft.steps;
        draft.fixed = draft.pair_of[asked as usize];
        draft.improve(0, MOST_STEPS, |request| request != asked && (held.contains(&request) || unserved.contains(&request)));
        self.looks += draft.steps - before;
    }

    /// All ways in which a pair comes in.
    fn try_pair(&mut self, pair: u32, outcomes: &mut Vec<Outcome>) {
        let mark = self.log.len();
        if self.takes(pair) {
            self.set(pair, true);
            self.note(&[], outcomes);
            self.undo(mark);
            return;
        }
        let in_the_way = self.in_the_way(pair);
        for (at, first) in in_the_way.iter().enumerate() {
            self.set(*first, false);
            if self.takes(pair) {
                self.set(pair, true);
                self.settle(&[*first], outcomes);
            } else if at < MOST_IN_TWOS {
                for second in in_the_way.iter().take(MOST_IN_TWOS).skip(at + 1) {
                    let here = self.log.len();
                    self.set(*second, false);
                    if self.takes(pair) {
                        self.set(pair, true);
                        self.settle(&[*first, *second], outcomes);
                        self.settle(&[*second, *first], outcomes);
                    }
                    self.undo(here);
                }
            }
            self.undo(mark);
        }
    }

    /// Lets what gave way go to its best open places, in turn, and notes the outcome.
    fn settle(&mut self, out: &[u32], outcomes: &mut Vec<Outcome>) {
        let mark = self.log.len();
        let mut unserved = Vec::new();
        for pair in out {
            match self.best_place(*pair) {
                Some(place) => self.set(place, true),
                None => unserved.push(*pair),
            }
        }
        self.note(&unserved, outcomes);
        self.undo(mark);
    }

    /// Tries to serve the request of a pair that gave way by pushing out one other.
    fn push_in(&mut self, gone: u32, outcomes: &mut Vec<Outcome>) {
        let request = self.parts.request_of[gone as usize];
        let mark = self.log.len();
        for pair in self.parts.pairs_of(request).take(MOST_PAIRS) {
            let came: Vec<u32> = self.log.iter().filter(|(_, comes)| *comes).map(|(pair, _)| *pair).collect();
            for other in self.in_the_way(pair) {
                if came.contains(&other) {
                    continue;
                }
                self.set(other, false);
                if self.takes(pair) {
                    self.set(pair, true);
                    self.settle(&[other], outcomes);
                }
                self.undo(mark);
            }
        }
    }

    /// The pairs of the plan that use what a pair lacks.
    fn in_the_way(&self, pair: u32) -> Vec<u32> {
        let (members, limits) = self.draft.lacks(pair);
        let by_member = members.iter().flat_map(|member| &self.of_member[*member as usize]);
        let by_limit = limits.iter().flat_map(|limit| &self.of_limit[*limit as usize]);
        let mut seen = BTreeSet::new();
        let mut found: Vec<u32> = by_member
            .chain(by_limit)
            .copied()
            .filter(|other| self.draft.pair_of[self.parts.request_of[*other as usize] as usize] == Some(*other))
            .filter(|other| seen.insert(*other))
            .collect();
        // Those with the least to lose first, where there are more than are looked at.
        found.sort_by_key(|other| (std::cmp::Reverse(self.parts.cost[*other as usize]), *other));
        found.truncate(MOST_IN_THE_WAY);
        found
    }

    fn best_place(&mut self, gone: u32) -> Option<u32> {
        let request = self.parts.request_of[gone as usize];
        let open: Vec<u32> = self.parts.pairs_of(request).filter(|pair| *pair != gone).collect();
        let open: Vec<u32> = open.into_iter().filter(|pair| self.takes(*pair)).collect();
        open.into_iter().min_by_key(|pair| (self.cost(*pair), *pair))
    }

    /// What a pair adds as the plan is now, apart from what its body gains.
    fn cost(&self, pair: u32) -> [i64; LEVELS] {
        let expert = self.parts.expert_of[pair as usize] as usize;
        let count = i64::try_from(self.draft.led[expert].len()).unwrap_or(i64::MAX);
        let mut cost = self.parts.cost[pair as usize];
        cost[self.parts.load] += self.parts.of_expert(expert, count + 1) - self.parts.of_expert(expert, count);
        cost
    }

    fn takes(&mut self, pair: u32) -> bool {
        self.looks += 1;
        self.draft.takes(pair)
    }

    fn note(&self, unserved: &[u32], outcomes: &mut Vec<Outcome>) {
        // What is worse than those that would be gone on from, or shown, need not be kept.
        if outcomes.len() < 64 || outcomes.iter().any(|other| self.draft.value < other.value) {
            if outcomes.len() >= 64 {
                outcomes.sort_by_key(|outcome| outcome.value);
                outcomes.truncate(MOST_DEEPER);
            }
            outcomes.push(Outcome { value: self.draft.value, log: self.log.clone(), unserved: unserved.to_vec() });
        }
    }

    fn set(&mut self, pair: u32, comes: bool) {
        if comes {
            self.draft.add(pair);
        } else {
            self.draft.remove(pair);
        }
        self.log.push((pair, comes));
    }

    fn redo(&mut self, steps: &[(u32, bool)]) {
        steps.iter().for_each(|(pair, comes)| self.set(*pair, *comes));
    }

    fn undo(&mut self, mark: usize) {
        while self.log.len() > mark {
            let Some((pair, comes)) = self.log.pop() else { return };
            if comes {
                self.draft.remove(pair);
            } else {
                self.draft.add(pair);
            }
        }
    }
}
