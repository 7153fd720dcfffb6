//! Limits that pairs share: a search over which pairs give way, with the circulation as bound.
//!
//! Where the best plan without limits exceeds one, some pair of the excess has to go: the search branches on which, solves
//! each case as a circulation again, and always goes on with the case of the best bound. The first case whose plan keeps every
//! limit is the best plan there is. It stops on counted work; then the best plan found, and the best bound of the cases
//! that are left, tell what is proved and what is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use super::closing::{Closer, Meter};
use super::flow::{FlowError, Proof};
use super::network::Model;
use super::parts::Parts;
use super::problem::{LEVELS, Problem};
use super::tree::Tree;

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
    /// What the potentials of a case leave open is proved with prices ([`super::pricing`]), level by level.
    Priced {
        /// The case with the potentials.
        whole: usize,
        /// The levels in order, from the first that the potentials do not prove for this plan.
        trees: Vec<Tree>,
        /// What is proved among the plans that serve each body as often as this one: a tree for each level that does not depend
        /// on this alone, from the first.
        within: Vec<Tree>,
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

/// Plans: the work is at most that of so many circulations.
///
/// # Errors
/// [`FlowError`] when figures are too large.
pub fn plan(problem: &Problem, most_solves: u32) -> Result<Planned, FlowError> {
    plan_with(problem, most_solves, &|| false)
}

/// Asking all experts so many times for what is best for them counts as one circulation.
const ROUNDS_OF_A_SOLVE: u64 = 8;

/// Plans like [`plan`], and asks between pieces of work whether to stop: then the result is what was found so far, and says so.
///
/// # Errors
/// [`FlowError`] when figures are too large.
pub fn plan_with(problem: &Problem, most_solves: u32, stop: &dyn Fn() -> bool) -> Result<Planned, FlowError> {
    // Many limits are the business of prices: the search over closed pairs gets what small problems need.
    let few = u32::try_from(400_000 / (problem.pairs.len() + 1)).unwrap_or(u32::MAX);
    let mut planned = split(problem, most_solves, most_solves.min((most_solves / 2).max(64)).min(few), stop)?;
    if planned.stopped && planned.solves < most_solves && !stop() {
        priced(problem, most_solves, &mut planned, stop)?;
    }
    Ok(planned)
}

/// Goes on with prices where the search over closed pairs stopped.
pub(super) fn priced(
    problem: &Problem,
    most_solves: u32,
    planned: &mut Planned,
    stop: &dyn Fn() -> bool,
) -> Result<(), FlowError> {
    let model = Model::new(problem, &[]);
    let (_, solution) = model.solve()?;
    let mut bound = solution.proof.bound(&model.network).ok_or(FlowError::TooLarge)?;
    let parts = Parts::new(problem);
    let a_solve = ROUNDS_OF_A_SOLVE * problem.experts.len().max(60) as u64;
    let most = u64::from(most_solves.saturating_sub(planned.solves)) * a_solve;
    let mut meter = Meter { most, stop, steps: 0, stopped: false };
    let mut closer = Closer::new(&parts, std::mem::take(&mut planned.plan), &mut meter);
    let trees = closer.run(&mut bound);
    let within = if bound == closer.value { Vec::new() } else { closer.run_within() };
    planned.solves += u32::try_from(closer.used() / a_solve).unwrap_or(u32::MAX);
    planned.stopped = bound != closer.value;
    planned.plan = std::mem::take(&mut closer.plan);
    planned.closed = None;
    planned.cases = vec![Case::Priced { whole: 1, trees, within }, Case::Bounded(solution.proof)];
    Ok(())
}

/// The search over closed pairs.
fn split(problem: &Problem, most_solves: u32, few: u32, stop: &dyn Fn() -> bool) -> Result<Planned, FlowError> {
    let mut cases = Vec::new();
    let mut solves = 1;
    let root = solve(problem, Vec::new(), &mut cases)?;
    let mut best = greedy(problem);
    if first_excess(problem, &root.plan).is_some() {
        // Rounds that close what exceeds give a good plan early.
        let dived = dive(problem, &root, few.min(most_solves / 2), &mut solves)?;
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
        if solves + u32::try_from(pairs.len()).unwrap_or(u32::MAX) > few || stop() {
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
            // No more rounds: of everything that exceeds one pair goes, again and again, and what fits comes in.
            out.sort_unstable();
            plan.retain(|pair| out.binary_search(pair).is_err());
            continue;
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
