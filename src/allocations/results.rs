//! From a plan to what people are told: levels with their proof, reasons, second choices, what a level costs the next, and how
//! even it is.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::fairness::fairness;
use super::model::UnservedReason;
use super::views::{
    AllocationChange, AllocationMove, AllocationResult, AssignmentFacts, Blocker, LevelChange, LevelPrice, LevelResult,
    PolicyCount, UnservedRequest,
};
use crate::error::Error;
use crate::ids::{ExpertId, RequestId};
use crate::matching::allocation::check::{Verdict, check};
use crate::matching::allocation::network::Model;
use crate::matching::allocation::parts::Parts;
use crate::matching::allocation::problem::{LEVELS, LimitKind, Pair, Problem};
use crate::matching::allocation::report::alternatives::{Alternative, Alternatives};
use crate::matching::allocation::report::{gap_permille, shown};
use crate::matching::allocation::search::{Planned, greedy};

/// Experts named for one request that is not served.
const MOST_BLOCKERS: usize = 10;
/// Requests for which the cheapest change, and assignments for which the second choice is worked out; further ones have none.
const MOST_CHANGES: usize = 2_000;

/// Has a plan checked, and explains it.
///
/// # Errors
/// An internal error where figures are too large or the checker refuses the solver's own plan.
pub fn explain(facts: &Facts, planned: &Planned, by_clock: bool, sha256: String) -> Result<AllocationResult, Error> {
    let problem = &facts.conversion.problem;
    let verdict = check(problem, planned).map_err(Error::internal)?;
    let closed = planned.closed.clone().unwrap_or_default();
    // The best of a case can be asked exactly; what was found otherwise is explained by the whole without limits.
    let model = Model::new(problem, &closed);
    let (base, solution) = model.solve().map_err(|error| Error::internal(format!("{error:?}")))?;
    let parts = Parts::new(problem);
    let mut alternatives = Alternatives::new(&parts, planned, &model, (&base, &solution));
    let told = Told { facts, problem, planned, book: Book::new(problem, &planned.plan) };
    Ok(AllocationResult {
        objective: facts.objective.clone(),
        levels: levels(problem, &verdict),
        optimal: verdict.is_optimal(),
        gap_permille: gap_permille(&verdict),
        prices: prices(problem)?,
        greedy: changes(problem, &problem.objective(&greedy(problem))),
        solves: planned.solves,
        stopped: planned.stopped,
        reproducible: !by_clock,
        problem_sha256: sha256,
        pins_not_possible: facts.pins_not_possible.clone(),
        assignments: planned
            .plan
            .iter()
            .enumerate()
            .map(|(number, pair)| told.assignment(&mut alternatives, number, *pair))
            .collect(),
        unserved: told.unserved(&mut alternatives),
        fairness: fairness(facts, &planned.plan),
    })
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
            // Beyond the first level that is open, plans that are better there may be anything.
            bound: (place <= verdict.proved).then(|| shown(level, *bound)),
            proved: place < verdict.proved,
            proved_within_counts: place < verdict.within,
        })
        .collect()
}

/// The levels that are not zero.
pub fn changes(problem: &Problem, by: &[i64; LEVELS]) -> Vec<LevelChange> {
    let all = problem.levels().into_iter().zip(by).filter(|(_, by)| **by != 0);
    all.map(|(level, by)| LevelChange { level, by: shown(level, *by) }).collect()
}

/// What each level costs the next: by how much the next would be better if the level did not count at all. Without the limits
/// that several requests share, where there are any.
fn prices(problem: &Problem) -> Result<Vec<LevelPrice>, Error> {
    let model = Model::new(problem, &[]);
    let failed = |error| Error::internal(format!("{error:?}"));
    let whole = problem.objective(&model.solve().map_err(failed)?.0);
    let levels = problem.levels();
    let mut prices = Vec::new();
    for place in 0..LEVELS - 1 {
        // A level on which no arc costs anything costs the next nothing.
        if model.network.arcs.iter().all(|arc| arc.cost[place] == 0) {
            continue;
        }
        let mut without = model.clone();
        without.network.arcs.iter_mut().for_each(|arc| arc.cost[place] = 0);
        let value = problem.objective(&without.solve().map_err(failed)?.0);
        let by = value[place + 1] - whole[place + 1];
        if by != 0 {
            let next = levels[place + 1];
            prices.push(LevelPrice { level: levels[place], next, by: shown(next, by), exact: problem.limits.is_empty() });
        }
    }
    Ok(prices)
}

struct Told<'a> {
    facts: &'a Facts,
    problem: &'a Problem,
    planned: &'a Planned,
    book: Book<'a>,
}

impl Told<'_> {
    fn assignment(&self, alternatives: &mut Alternatives<'_>, number: usize, place: usize) -> AssignmentFacts {
        let pair = &self.problem.pairs[place];
        let second = if number < MOST_CHANGES { alternatives.instead(place) } else { None };
        AssignmentFacts {
            request_id: RequestId(pair.request),
            score: pair.score,
            kilometres: pair.kilometres,
            pinned: pair.kept,
            other_choices: u32::try_from(alternatives.others(place)).ok(),
            second_choice: second.and_then(|alternative| self.change(&alternative)),
        }
    }

    /// A change in words.
    fn change(&self, Alternative { change, cheapest }: &Alternative) -> Option<AllocationChange> {
        let mut moves: BTreeMap<i64, (Option<&Pair>, Option<&Pair>)> = BTreeMap::new();
        for pair in &change.removed {
            let pair = &self.problem.pairs[*pair];
            moves.entry(pair.request).or_default().0 = Some(pair);
        }
        for pair in &change.added {
            let pair = &self.problem.pairs[*pair];
            moves.entry(pair.request).or_default().1 = Some(pair);
        }
        let others = |pair: Option<&Pair>| pair.map_or(Vec::new(), |pair| pair.others.iter().copied().map(ExpertId).collect());
        let moves = moves.into_iter().map(|(request, (from, to))| AllocationMove {
            request_id: RequestId(request),
            from_expert_id: from.map(|pair| ExpertId(pair.expert)),
            from_other_ids: others(from),
            to_expert_id: to.map(|pair| ExpertId(pair.expert)),
            to_other_ids: others(to),
        });
        let moves: Vec<AllocationMove> = moves.collect();
        (!moves.is_empty()).then(|| AllocationChange { moves, levels: changes(self.problem, &change.levels), exact: *cheapest })
    }

    fn unserved(&self, alternatives: &mut Alternatives<'_>) -> Vec<UnservedRequest> {
        let problem = self.problem;
        let served: BTreeSet<i64> = self.planned.plan.iter().map(|pair| problem.pairs[*pair].request).collect();
        let mut of_request: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (place, pair) in problem.pairs.iter().enumerate() {
            of_request.entry(pair.request).or_default().push(place);
        }
        let open = problem.requests.iter().map(|request| request.id).filter(|id| !served.contains(id));
        open.enumerate()
            .map(|(number, request)| {
                let pairs = of_request.get(&request).map_or(&[][..], Vec::as_slice);
                let blockers: Vec<Vec<Blocker>> = pairs.iter().map(|pair| self.book.blockers(*pair)).collect();
                let dropped: Vec<_> = self.facts.conversion.dropped.iter().filter(|edge| edge.request == request).collect();
                let reason = self.reason(request, &blockers, !dropped.is_empty());
                let change = if number < MOST_CHANGES && !pairs.is_empty() { alternatives.to_serve(request) } else { None };
                let mut counts: Vec<PolicyCount> = self
                    .facts
                    .exclusions
                    .get(&request)
                    .into_iter()
                    .flatten()
                    .map(|row| PolicyCount::new(row.code.as_str(), row.count))
                    .collect();
                let mut impossible: BTreeMap<&'static str, u32> = BTreeMap::new();
                for edge in dropped {
                    *impossible.entry(edge.reason.as_str()).or_insert(0) += 1;
                }
                counts.extend(self.facts.declined.get(&request).map(|count| PolicyCount::new("already_declined", *count)));
                counts.extend(impossible.into_iter().map(|(code, count)| PolicyCount::new(&format!("impossible_{code}"), count)));
                UnservedRequest {
                    request_id: RequestId(request),
                    reason,
                    reason_label: reason.label_ja().to_owned(),
                    exclusions: counts,
                    blockers: blockers.into_iter().flatten().take(MOST_BLOCKERS).collect(),
                    change: change.and_then(|alternative| self.change(&alternative)),
                }
            })
            .collect()
    }

    fn reason(&self, request: i64, blockers: &[Vec<Blocker>], dropped: bool) -> UnservedReason {
        let all_by = |kinds: &[LimitKind]| {
            !blockers.is_empty() && blockers.iter().all(|of_pair| of_pair.iter().any(|blocker| kinds.contains(&blocker.kind)))
        };
        if blockers.is_empty() {
            return match (self.facts.forbidden.contains(&request), dropped) {
                (true, _) => UnservedReason::Forbidden,
                (false, true) => UnservedReason::Impossible,
                (false, false) => UnservedReason::NoEligibleExpert,
            };
        }
        if blockers.iter().flatten().all(|blocker| blocker.kind == LimitKind::Places && blocker.taken_by.is_empty())
            && all_by(&[LimitKind::Places])
        {
            UnservedReason::NoPlaces
        } else if all_by(&[LimitKind::Budget]) {
            UnservedReason::Budget
        } else if all_by(&[LimitKind::Time]) {
            UnservedReason::Window
        } else if all_by(&[LimitKind::Places]) {
            UnservedReason::CapacityTaken
        } else {
            UnservedReason::Limited
        }
    }
}

/// What a plan has used of places and limits, to say what keeps one more pair out.
struct Book<'a> {
    problem: &'a Problem,
    /// Requests each expert has in the plan.
    taken: BTreeMap<i64, Vec<i64>>,
    /// Limits each pair draws on, with how much.
    draws: Vec<Vec<(usize, i64)>>,
    /// What each limit has left, and the requests that draw on it in the plan.
    limits: Vec<(i64, Vec<i64>)>,
}

impl<'a> Book<'a> {
    fn new(problem: &'a Problem, plan: &[usize]) -> Self {
        let mut taken: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for pair in plan.iter().map(|place| &problem.pairs[*place]) {
            for member in pair.members() {
                taken.entry(member).or_default().push(pair.request);
            }
        }
        let mut draws = vec![Vec::new(); problem.pairs.len()];
        let mut limits = Vec::with_capacity(problem.limits.len());
        for (number, limit) in problem.limits.iter().enumerate() {
            let (mut left, mut by) = (limit.capacity, Vec::new());
            for (key, amount) in &limit.uses {
                let Some(place) = problem.pair(*key) else { continue };
                draws[place].push((number, *amount));
                if plan.binary_search(&place).is_ok() {
                    left -= amount;
                    by.push(key.0);
                }
            }
            limits.push((left, by));
        }
        Self { problem, taken, draws, limits }
    }

    /// What keeps a pair out of the plan as it is: full members first, then limits.
    fn blockers(&self, place: usize) -> Vec<Blocker> {
        let pair = &self.problem.pairs[place];
        let requests = |ids: &[i64]| ids.iter().take(MOST_BLOCKERS).copied().map(RequestId).collect();
        let full = pair.members().filter_map(|member| {
            let expert = self.problem.experts.binary_search_by_key(&member, |expert| expert.id).ok()?;
            let taken = self.taken.get(&member).map_or(&[][..], Vec::as_slice);
            let places = usize::try_from(self.problem.experts[expert].places).unwrap_or(usize::MAX);
            (taken.len() >= places).then(|| Blocker {
                expert_id: Some(ExpertId(member)),
                kind: LimitKind::Places,
                left: 0,
                needed: 1,
                taken_by: requests(taken),
            })
        });
        let limited = self.draws[place].iter().filter_map(|(number, amount)| {
            let (left, by) = &self.limits[*number];
            let kind = self.problem.limits[*number].kind;
            // A team's places are counted as places already.
            (left < amount && kind != LimitKind::Places).then(|| Blocker {
                expert_id: (kind != LimitKind::Budget).then_some(ExpertId(pair.expert)),
                kind,
                left: (*left).max(0),
                needed: *amount,
                taken_by: requests(by),
            })
        });
        full.chain(limited).collect()
    }
}
