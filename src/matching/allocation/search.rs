//! Limits that pairs share: a search over which pairs give way, with the circulation as bound.
//!
//! Where the best plan without limits exceeds one, some pair of the excess has to go: the search branches on which, solves
//! each case as a circulation again, and always goes on with the case of the best bound. The first case whose plan keeps every
//! limit is the best plan there is. It stops on counted work; then the best plan found, and the best bound of the cases
//! that are left, tell what is proved and what is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use super::flow::{FlowError, Proof};
use super::network::Model;
use super::problem::{LEVELS, Problem};

/// A case of the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// What no plan of this case can beat.
    Bounded(Proof),
    /// A limit is exceeded by these pairs together: in each sub-case one of them is closed.
    Split {
        /// The limit.
        limit: usize,
        /// The pairs.
        pairs: Vec<usize>,
        /// The sub-cases, one for each pair; the same pairs closed in another order are the same case.
        cases: Vec<usize>,
    },
}

/// A plan and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The pairs, in order.
    pub plan: Vec<usize>,
    /// The cases; the first is the whole.
    pub cases: Vec<Case>,
    /// The pairs that are closed in the case whose best plan this is; `None`: it was found by taking turns, not as the best
    /// of a case.
    pub closed: Option<Vec<usize>>,
    /// Circulations solved: the work that was counted.
    pub solves: u32,
    /// Whether the search stopped before it was over.
    pub stopped: bool,
}

struct Open {
    bound: [i64; LEVELS],
    case: usize,
    closed: Vec<usize>,
    plan: Vec<usize>,
}

/// Plans: at most so many circulations are solved.
///
/// # Errors
/// [`FlowError`] when figures are too large.
pub fn plan(problem: &Problem, most_solves: u32) -> Result<Planned, FlowError> {
    let mut cases = Vec::new();
    let mut solves = 1;
    let root = solve(problem, Vec::new(), &mut cases)?;
    let mut best = greedy(problem);
    if first_excess(problem, &root.plan).is_some() {
        // Rounds that close what exceeds give a good plan early.
        let dived = dive(problem, &root, most_solves / 2, &mut solves)?;
        if problem.objective(&dived) < problem.objective(&best) {
            best = dived;
        }
    }
    let best_value = problem.objective(&best);
    // Pairs can be closed in any order: what was looked at once is not looked at again.
    let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut opens = vec![root];
    let mut queue = BinaryHeap::from([Reverse((opens[0].bound, 0_usize))]);
    let (mut stopped, mut winner) = (false, None);
    while let Some(Reverse((bound, at))) = queue.pop() {
        if bound >= best_value && (bound > best_value || first_excess(problem, &opens[at].plan).is_some()) {
            break;
        }
        let Some((limit, pairs)) = first_excess(problem, &opens[at].plan) else {
            best = std::mem::take(&mut opens[at].plan);
            winner = Some(std::mem::take(&mut opens[at].closed));
            break;
        };
        if solves + u32::try_from(pairs.len()).unwrap_or(u32::MAX) > most_solves {
            stopped = true;
            break;
        }
        let (case, closed) = (opens[at].case, std::mem::take(&mut opens[at].closed));
        let mut below = Vec::with_capacity(pairs.len());
        for pair in &pairs {
            let mut closed = closed.clone();
            if let Err(place) = closed.binary_search(pair) {
                closed.insert(place, *pair);
            }
            if let Some(case) = known.get(&closed) {
                below.push(*case);
                continue;
            }
            solves += 1;
            let open = solve(problem, closed.clone(), &mut cases)?;
            known.insert(closed, open.case);
            below.push(open.case);
            queue.push(Reverse((open.bound, opens.len())));
            opens.push(open);
        }
        cases[case] = Case::Split { limit, pairs, cases: below };
    }
    Ok(Planned { plan: best, cases, closed: winner, solves, stopped })
}

fn solve(problem: &Problem, closed: Vec<usize>, cases: &mut Vec<Case>) -> Result<Open, FlowError> {
    let (plan, solution) = Model::new(problem, &closed).solve()?;
    let case = cases.len();
    cases.push(Case::Bounded(solution.proof));
    Ok(Open { bound: problem.objective(&plan), case, closed, plan })
}

/// The excess of the fewest pairs: it splits into the fewest cases.
fn first_excess(problem: &Problem, plan: &[usize]) -> Option<(usize, Vec<usize>)> {
    let all = (0..problem.limits.len()).filter_map(|limit| problem.excess(limit, plan).map(|pairs| (limit, pairs)));
    all.min_by_key(|(limit, pairs)| (pairs.len(), *limit))
}

/// Closes, round by round, one pair of every excess, the one of least fit; ends with what can be added beside.
fn dive(problem: &Problem, root: &Open, most_solves: u32, solves: &mut u32) -> Result<Vec<usize>, FlowError> {
    let mut closed: Vec<usize> = Vec::new();
    let mut plan = root.plan.clone();
    loop {
        let mut out: Vec<usize> = (0..problem.limits.len())
            .filter_map(|limit| problem.excess(limit, &plan))
            .filter_map(|pairs| {
                pairs.into_iter().min_by_key(|pair| (problem.pairs[*pair].kept, problem.pairs[*pair].score, *pair))
            })
            .collect();
        if out.is_empty() {
            return Ok(completed(problem, plan));
        }
        if *solves >= most_solves {
            // No more rounds: what exceeds goes, and what fits comes in.
            while let Some((_, pairs)) = first_excess(problem, &plan) {
                let worst = pairs.into_iter().min_by_key(|pair| (problem.pairs[*pair].kept, problem.pairs[*pair].score, *pair));
                plan.retain(|pair| Some(*pair) != worst);
            }
            return Ok(completed(problem, plan));
        }
        closed.append(&mut out);
        closed.sort_unstable();
        closed.dedup();
        *solves += 1;
        plan = Model::new(problem, &closed).solve()?.0;
    }
}

/// One request after another takes the best expert that is left: what is done by hand today, and the least a plan must reach.
pub fn greedy(problem: &Problem) -> Vec<usize> {
    completed(problem, Vec::new())
}

fn completed(problem: &Problem, mut plan: Vec<usize>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..problem.pairs.len()).collect();
    let never = |pair: usize| {
        let request = problem.requests.binary_search_by_key(&problem.pairs[pair].request, |request| request.id).ok();
        request
            .and_then(|at| problem.bodies.binary_search_by_key(&problem.requests[at].body, |body| body.id).ok())
            .is_some_and(|at| problem.bodies[at].never_served)
    };
    order.sort_by_key(|pair| {
        let one = &problem.pairs[*pair];
        (!one.kept, !never(*pair), Reverse(one.score), *pair)
    });
    let mut book = Book::new(problem, &plan);
    for pair in order {
        if book.takes(pair) {
            book.add(pair);
            plan.push(pair);
        }
    }
    plan.sort_unstable();
    plan
}

/// What a plan has used, so that one more pair can be looked at quickly.
struct Book<'a> {
    problem: &'a Problem,
    served: std::collections::BTreeSet<i64>,
    places: std::collections::BTreeMap<i64, u32>,
    left: Vec<i64>,
    draws: Vec<Vec<(usize, i64)>>,
}

impl<'a> Book<'a> {
    fn new(problem: &'a Problem, plan: &[usize]) -> Self {
        let mut draws = vec![Vec::new(); problem.pairs.len()];
        for (number, limit) in problem.limits.iter().enumerate() {
            for (key, amount) in &limit.uses {
                if let Some(pair) = problem.pair(*key) {
                    draws[pair].push((number, *amount));
                }
            }
        }
        let mut book = Self {
            problem,
            served: std::collections::BTreeSet::new(),
            places: problem.experts.iter().map(|expert| (expert.id, expert.places)).collect(),
            left: problem.limits.iter().map(|limit| limit.capacity).collect(),
            draws,
        };
        for pair in plan {
            book.add(*pair);
        }
        book
    }

    fn takes(&self, pair: usize) -> bool {
        let one = &self.problem.pairs[pair];
        !self.served.contains(&one.request)
            && one.members().all(|member| self.places.get(&member).copied().unwrap_or(0) > 0)
            && self.draws[pair].iter().all(|(limit, amount)| self.left[*limit] >= *amount)
    }

    fn add(&mut self, pair: usize) {
        let one = &self.problem.pairs[pair];
        self.served.insert(one.request);
        for member in one.members() {
            if let Some(places) = self.places.get_mut(&member) {
                *places = places.saturating_sub(1);
            }
        }
        for (limit, amount) in &self.draws[pair] {
            self.left[*limit] -= amount;
        }
    }
}
