//! What a plan has used, so that a change of it can be looked at without going through every limit again.

use std::collections::BTreeMap;

use crate::matching::allocation::problem::Problem;

/// A plan that keeps every limit, with what it leaves.
pub struct Ledger<'a> {
    problem: &'a Problem,
    plan: &'a [usize],
    /// Limits each pair draws on, and how much.
    draws: Vec<Vec<(usize, i64)>>,
    left: Vec<i64>,
    places: BTreeMap<i64, i64>,
}

impl<'a> Ledger<'a> {
    /// Enters a plan, given in order.
    pub fn new(problem: &'a Problem, plan: &'a [usize]) -> Self {
        let mut draws = vec![Vec::new(); problem.pairs.len()];
        for (number, limit) in problem.limits.iter().enumerate() {
            for (key, amount) in &limit.uses {
                if let Some(pair) = problem.pair(*key) {
                    draws[pair].push((number, *amount));
                }
            }
        }
        let mut left: Vec<i64> = problem.limits.iter().map(|limit| limit.capacity).collect();
        let mut places: BTreeMap<i64, i64> = problem.experts.iter().map(|expert| (expert.id, i64::from(expert.places))).collect();
        for pair in plan {
            for (limit, amount) in &draws[*pair] {
                left[*limit] -= amount;
            }
            for member in problem.pairs[*pair].members() {
                *places.entry(member).or_insert(0) -= 1;
            }
        }
        Self { problem, plan, draws, left, places }
    }

    /// The plan after a change, if it is one: what goes is in the plan, what comes is not, no request is served twice, and all
    /// places and limits are kept.
    pub fn after(&self, added: &[usize], removed: &[usize]) -> Option<Vec<usize>> {
        let mut limits: BTreeMap<usize, i64> = BTreeMap::new();
        let mut places: BTreeMap<i64, i64> = BTreeMap::new();
        for (pairs, sign) in [(added, 1), (removed, -1)] {
            for pair in pairs {
                for (limit, amount) in self.draws.get(*pair)? {
                    *limits.entry(*limit).or_insert(0) += sign * amount;
                }
                for member in self.problem.pairs[*pair].members() {
                    *places.entry(member).or_insert(0) += sign;
                }
            }
        }
        let mut removed = removed.to_vec();
        removed.sort_unstable();
        let stays = |pair: &&usize| removed.binary_search(pair).is_err();
        let mut plan: Vec<usize> = self.plan.iter().filter(stays).copied().collect();
        if plan.len() + removed.len() != self.plan.len() {
            return None;
        }
        plan.extend(added);
        plan.sort_unstable();
        // Pairs are in the order of requests.
        let twice = plan.windows(2).any(|two| self.problem.pairs[two[0]].request == self.problem.pairs[two[1]].request);
        let kept = limits.iter().all(|(limit, more)| *more <= 0 || *more <= self.left[*limit])
            && places.iter().all(|(member, more)| *more <= 0 || *more <= self.places.get(member).copied().unwrap_or(0));
        (kept && !twice).then_some(plan)
    }
}
