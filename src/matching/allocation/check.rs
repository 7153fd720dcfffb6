//! The independent checker: it trusts neither solver nor search and looks at the plan and its proof alone.

use super::network::Model;
use super::parts::Parts;
use super::pricing::{Held, Pricer};
use super::problem::{LEVELS, Problem};
use super::search::{Case, Planned};
use super::tree::{raise, within};

/// What the checker says of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the plan comes to, level by level; less is better.
    pub value: [i64; LEVELS],
    /// What no plan can beat, compared level by level.
    pub bound: [i64; LEVELS],
    /// How many levels, from the first, are proved to be the best there is; all of them: the plan is optimal.
    pub proved: usize,
    /// How many levels, from the first, are proved to be the best there is among the plans that serve each body as often as
    /// this one; at least those that are proved without that condition.
    pub within: usize,
}

impl Verdict {
    /// Whether every level is proved.
    pub fn is_optimal(&self) -> bool {
        self.proved == LEVELS
    }
}

/// Looks at a plan and its proof: every request at most once, every place and limit kept, the cases complete, and the bound
/// recomputed in integers from the potentials.
///
/// # Errors
/// What is wrong with the plan or the proof.
pub fn check(problem: &Problem, planned: &Planned) -> Result<Verdict, &'static str> {
    if let Some(broken) = problem.broken(&planned.plan) {
        return Err(broken);
    }
    let value = problem.objective(&planned.plan);
    let mut seen: Vec<Option<Vec<usize>>> = vec![None; planned.cases.len()];
    let mut bound: Option<[i64; LEVELS]> = None;
    let mut conditionally = 0;
    let mut waiting = vec![(0_usize, Vec::new())];
    while let Some((number, closed)) = waiting.pop() {
        let case = planned.cases.get(number).ok_or("a case is missing")?;
        match &seen[number] {
            Some(before) if *before == closed => continue,
            Some(_) => return Err("a case stands for different pairs"),
            None => seen[number] = Some(closed.clone()),
        }
        match case {
            Case::Bounded(proof) => {
                let model = Model::new(problem, &closed);
                let here = proof.bound(&model.network).ok_or("potentials do not fit the network")?;
                bound = Some(bound.map_or(here, |so_far| so_far.min(here)));
            }
            Case::Priced { whole, trees, within: conditional } => {
                let Some(Case::Bounded(proof)) = planned.cases.get(*whole) else { return Err("prices without potentials") };
                let mut here = proof.bound(&Model::new(problem, &closed).network).ok_or("potentials do not fit the network")?;
                let parts = Parts::new(problem);
                let mut held = Held::new(&parts);
                closed.iter().filter_map(|pair| u32::try_from(*pair).ok()).for_each(|pair| held.close(&parts, pair));
                raise(&mut Pricer::new(&parts), trees, &mut held, value, &mut here).ok_or("prices do not fit the problem")?;
                if number == 0 {
                    let proved = within(&mut Pricer::new(&parts), conditional, &planned.plan, value);
                    conditionally = proved.ok_or("conditional prices do not fit the problem")?;
                }
                bound = Some(bound.map_or(here, |so_far| so_far.min(here)));
            }
            Case::Split { limit, pairs, cases } => {
                let limit = problem.limits.get(*limit).ok_or("a limit is missing")?;
                let mut sum = 0_i64;
                for pair in pairs {
                    let pair = problem.pairs.get(*pair).ok_or("a pair is missing")?;
                    let amount = limit.uses.iter().find(|(key, _)| *key == pair.key());
                    sum += amount.ok_or("a pair does not draw on the limit")?.1;
                }
                let mut once = pairs.clone();
                once.sort_unstable();
                once.dedup();
                if sum <= limit.capacity || once.len() != pairs.len() || cases.len() != pairs.len() {
                    return Err("the pairs of a split do not exceed the limit");
                }
                for (pair, below) in pairs.iter().zip(cases) {
                    let mut closed: Vec<usize> = closed.clone();
                    if let Err(place) = closed.binary_search(pair) {
                        closed.insert(place, *pair);
                    }
                    waiting.push((*below, closed));
                }
            }
        }
    }
    let bound = bound.ok_or("there is no bound")?;
    // A case that was left because it cannot beat the plan says so by its bound: the smaller of both holds.
    let bound = bound.min(value);
    let proved = value.iter().zip(&bound).take_while(|(value, bound)| value == bound).count();
    Ok(Verdict { value, bound, proved, within: conditionally.max(proved) })
}
