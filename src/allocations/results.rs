//! From a plan to what people are told: levels with their proof, reasons, second choices, and how even it is.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::model::UnservedReason;
use super::views::{
    AllocationChange, AllocationFairness, AllocationMove, AllocationResult, AssignmentFacts, LevelChange, LevelResult, LoadRange,
    PolicyCount, UnservedRequest,
};
use crate::error::Error;
use crate::ids::{ExpertId, RequestId};
use crate::matching::allocation::check::{Verdict, check};
use crate::matching::allocation::network::{Change, Explorer, Model};
use crate::matching::allocation::problem::{LEVELS, Level, Problem};
use crate::matching::allocation::search::{Planned, greedy, plan};

/// Plans, has the plan checked, and explains it.
///
/// # Errors
/// An internal error where figures are too large or the checker refuses the solver's own plan.
pub fn work_out(facts: &Facts, most_solves: u32, sha256: String) -> Result<(Planned, AllocationResult), Error> {
    let problem = &facts.problem;
    let planned = plan(problem, most_solves).map_err(|error| Error::internal(format!("{error:?}")))?;
    let verdict = check(problem, &planned).map_err(Error::internal)?;
    let closed = planned.closed.clone().unwrap_or_default();
    // The best of a case can be asked exactly; what was found otherwise is explained by the whole without limits.
    let model = Model::new(problem, &closed);
    let (base, solution) = model.solve().map_err(|error| Error::internal(format!("{error:?}")))?;
    let told =
        Told { facts, planned: &planned, exact: problem.limits.is_empty(), base: &base, explorer: model.explorer(&solution) };
    let result = AllocationResult {
        levels: levels(problem, &verdict),
        optimal: verdict.is_optimal(),
        greedy: changes(problem, &problem.objective(&greedy(problem))),
        solves: planned.solves,
        stopped: planned.stopped,
        problem_sha256: sha256,
        assignments: planned.plan.iter().map(|pair| told.assignment(*pair)).collect(),
        unserved: told.unserved(),
        fairness: fairness(problem, &planned.plan),
    };
    Ok((planned, result))
}

/// A level's value as people read it: gains are counted upwards.
fn shown(level: Level, value: i64) -> i64 {
    if level.is_gain() { -value } else { value }
}

fn levels(problem: &Problem, verdict: &Verdict) -> Vec<LevelResult> {
    let figures = verdict.value.iter().zip(&verdict.bound);
    problem
        .levels()
        .into_iter()
        .zip(figures)
        .enumerate()
        .map(|(place, (level, (value, bound)))| LevelResult {
            level,
            value: shown(level, *value),
            bound: shown(level, *bound),
            proved: place < verdict.proved,
        })
        .collect()
}

/// The levels that are not zero.
pub fn changes(problem: &Problem, by: &[i64; LEVELS]) -> Vec<LevelChange> {
    let all = problem.levels().into_iter().zip(by).filter(|(_, by)| **by != 0);
    all.map(|(level, by)| LevelChange { level, by: shown(level, *by) }).collect()
}

struct Told<'a> {
    facts: &'a Facts,
    planned: &'a Planned,
    exact: bool,
    base: &'a [usize],
    explorer: Explorer<'a>,
}

impl Told<'_> {
    fn assignment(&self, place: usize) -> AssignmentFacts {
        let pair = &self.facts.problem.pairs[place];
        let second = self.base.binary_search(&place).ok().and_then(|_| self.explorer.without(place));
        AssignmentFacts {
            request_id: RequestId(pair.request),
            score: pair.score,
            kilometres: pair.kilometres,
            pinned: pair.kept,
            second_choice: second.map(|change| self.change(&change)),
        }
    }

    fn change(&self, change: &Change) -> AllocationChange {
        let problem = &self.facts.problem;
        let mut moves: BTreeMap<i64, (Option<i64>, Option<i64>)> = BTreeMap::new();
        for pair in &change.removed {
            moves.entry(problem.pairs[*pair].request).or_default().0 = Some(problem.pairs[*pair].expert);
        }
        for pair in &change.added {
            moves.entry(problem.pairs[*pair].request).or_default().1 = Some(problem.pairs[*pair].expert);
        }
        let moves = moves.into_iter().map(|(request, (from, to))| AllocationMove {
            request_id: RequestId(request),
            from_expert_id: from.map(ExpertId),
            to_expert_id: to.map(ExpertId),
        });
        AllocationChange { moves: moves.collect(), levels: changes(problem, &change.levels), exact: self.exact }
    }

    fn unserved(&self) -> Vec<UnservedRequest> {
        let problem = &self.facts.problem;
        let served: Vec<i64> = self.planned.plan.iter().map(|pair| problem.pairs[*pair].request).collect();
        let places: BTreeMap<i64, u32> = problem.experts.iter().map(|expert| (expert.id, expert.places)).collect();
        let mut of_request: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for pair in &problem.pairs {
            of_request.entry(pair.request).or_default().push(pair.expert);
        }
        problem
            .requests
            .iter()
            .filter(|request| served.binary_search(&request.id).is_err())
            .map(|request| {
                let takers = of_request.get(&request.id).map_or(&[][..], Vec::as_slice);
                let change = self.explorer.to_serve(request.id);
                let taken_in_base = self.base.iter().any(|pair| problem.pairs[*pair].request == request.id);
                let reason = if self.facts.forbidden.contains(&request.id) {
                    UnservedReason::Forbidden
                } else if takers.is_empty() {
                    UnservedReason::NoEligibleExpert
                } else if takers.iter().all(|expert| places.get(expert).copied().unwrap_or(0) == 0) {
                    UnservedReason::NoPlaces
                } else if taken_in_base || change.is_none() {
                    UnservedReason::Limited
                } else {
                    UnservedReason::CapacityTaken
                };
                let exclusions = self.facts.exclusions.get(&request.id).map_or(&[][..], Vec::as_slice);
                UnservedRequest {
                    request_id: RequestId(request.id),
                    reason,
                    reason_label: reason.label_ja().to_owned(),
                    exclusions: exclusions.iter().map(|row| PolicyCount::new(row.code, row.count)).collect(),
                    change: change.filter(|_| reason == UnservedReason::CapacityTaken).map(|change| self.change(&change)),
                }
            })
            .collect()
    }
}

fn fairness(problem: &Problem, plan: &[usize]) -> AllocationFairness {
    let served: Vec<i64> = plan.iter().map(|pair| problem.pairs[*pair].request).collect();
    let mut reached: Vec<i64> =
        problem.requests.iter().filter(|request| served.binary_search(&request.id).is_ok()).map(|request| request.body).collect();
    reached.sort_unstable();
    let never = || problem.bodies.iter().filter(|body| body.never_served);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let before: Vec<u32> = problem.experts.iter().map(|expert| expert.load).collect();
    let mut after = before.clone();
    for pair in plan {
        if let Ok(place) = problem.experts.binary_search_by_key(&problem.pairs[*pair].expert, |expert| expert.id) {
            after[place] = after[place].saturating_add(1);
        }
    }
    AllocationFairness {
        requests: count(problem.requests.len()),
        served: count(plan.len()),
        never_served_bodies: count(never().count()),
        never_served_reached: count(never().filter(|body| reached.binary_search(&body.id).is_ok()).count()),
        load_before: range(before),
        load_after: range(after),
    }
}

/// Least, most and Gini coefficient: Σ (2i − n − 1) x_i ÷ (n Σ x), for loads x in rising order.
fn range(mut loads: Vec<u32>) -> LoadRange {
    loads.sort_unstable();
    let count = i128::try_from(loads.len()).unwrap_or(0);
    let sum: i128 = loads.iter().map(|load| i128::from(*load)).sum();
    let weighted: i128 = (1_i128..).zip(&loads).map(|(place, load)| (2 * place - count - 1) * i128::from(*load)).sum();
    let gini = if sum == 0 { 0 } else { 1000 * weighted / (count * sum) };
    LoadRange {
        least: loads.first().copied().unwrap_or(0),
        most: loads.last().copied().unwrap_or(0),
        gini_permille: u32::try_from(gini).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gini_is_nothing_for_equal_loads_and_grows_with_what_one_alone_bears() {
        assert_eq!(range(vec![3, 3, 3]), LoadRange { least: 3, most: 3, gini_permille: 0 });
        assert_eq!(range(vec![0, 0, 0, 4]), LoadRange { least: 0, most: 4, gini_permille: 750 });
        assert_eq!(range(vec![1, 3]).gini_permille, 250);
        assert_eq!(range(Vec::new()).gini_permille, 0);
    }
}
