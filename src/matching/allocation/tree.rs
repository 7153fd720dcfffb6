//! What proves a level: a tree of cases with prices, and its recomputation.

use serde::{Deserialize, Serialize};

use super::pricing::{Goal, Held, NEVER, Pricer, Prices};
use super::problem::LEVELS;

/// A case of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its prices; `None`: those of the case that was split.
    pub prices: Option<Prices>,
    /// The pair on which it is split: the case in which it is taken follows at once, with all that is below it, and then the
    /// case in which it is closed. `None`: the prices are the last word.
    pub split: Option<usize>,
}

/// The cases of a level, the first is the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// The level, by its place.
    pub level: usize,
    /// The cases, each before what is below it.
    pub nodes: Vec<Node>,
}

/// What is still to be looked at.
struct Task {
    decided: Option<(u32, bool)>,
    prices: Option<usize>,
    mark: usize,
    skip: bool,
}

impl Tree {
    /// What no plan can beat that reaches the goal's values of the levels before and has nothing closed: recomputed from the
    /// prices alone, at most the goal's value of the level. `None`: it is no tree, or its prices do not belong to the problem.
    ///
    /// A case that has prices of its own and is split closes every pair with which its bound reaches the goal's value: plans
    /// with such a pair are no better.
    pub fn bound(&self, pricer: &mut Pricer<'_>, goal: &Goal, held: &mut Held, step: i64) -> Option<i64> {
        let start = held.mark();
        let found = self.least(pricer, goal, held, step);
        held.back(pricer.parts, start);
        found
    }

    fn least(&self, pricer: &mut Pricer<'_>, goal: &Goal, held: &mut Held, step: i64) -> Option<i64> {
        let parts = pricer.parts;
        let target = goal.values[goal.level];
        let mut nodes = self.nodes.iter().enumerate();
        let (mut least, mut whole) = (target, None);
        let mut tasks = vec![Task { decided: None, prices: None, mark: held.mark(), skip: false }];
        while let Some(task) = tasks.pop() {
            let (number, node) = nodes.next()?;
            held.back(parts, task.mark);
            match task.decided {
                Some((pair, true)) if !task.skip => held.take(parts, pair),
                Some((pair, false)) if !task.skip => held.close(parts, pair),
                _ => {}
            }
            let at = if node.prices.is_some() { number } else { task.prices? };
            let prices = self.nodes.get(at)?.prices.as_ref()?;
            let mut skip = task.skip;
            let mut scaled = NEVER;
            let only = if skip { None } else { held.only(parts, goal) };
            if !skip {
                scaled = match only {
                    Some(only) => only,
                    None => pricer.bound(goal, prices, held)?,
                };
                let here = goal.rounded(scaled, step);
                whole = whole.or(Some(here));
                skip = here >= target;
                if node.split.is_none() {
                    least = least.min(here);
                }
            }
            if let Some(pair) = node.split {
                let pair = u32::try_from(pair).ok().filter(|pair| (*pair as usize) < parts.cost.len())?;
                if !skip && only.is_none() && node.prices.is_some() {
                    pricer.close_dear(prices, held, scaled, |with| goal.rounded(with, step) >= target);
                }
                let mark = held.mark();
                tasks.push(Task { decided: Some((pair, false)), prices: Some(at), mark, skip });
                tasks.push(Task { decided: Some((pair, true)), prices: Some(at), mark, skip });
            }
        }
        if nodes.next().is_some() {
            return None;
        }
        Some(whole.map_or(least, |whole| least.max(whole.min(target))))
    }

    /// Closes for good what no plan that reaches the goal's value of the level can have; after the level is proved.
    pub fn close(&self, pricer: &mut Pricer<'_>, goal: &Goal, held: &mut Held, step: i64) {
        let Some(prices) = self.nodes.first().and_then(|node| node.prices.as_ref()) else { return };
        if let Some(scaled) = pricer.bound(goal, prices, held) {
            pricer.close_dear(prices, held, scaled, |with| goal.rounded(with, step) > goal.values[goal.level]);
        }
    }
}

/// What the prices of several levels prove, one after the other, beyond a bound that is known already. The levels after the
/// first that is not proved are bounded by what they can come to at all. `None`: they do not belong to the problem.
pub fn raise(
    pricer: &mut Pricer<'_>,
    trees: &[Tree],
    held: &mut Held,
    value: [i64; LEVELS],
    bound: &mut [i64; LEVELS],
) -> Option<()> {
    for tree in trees {
        let Some(level) = value.iter().zip(bound.iter()).position(|(value, bound)| value != bound) else { break };
        if bound[level] > value[level] || tree.level > level {
            break;
        }
        if tree.level < level {
            // The plan got better after that level had been looked at, and needs no prices there.
            continue;
        }
        let goal = Goal { level, values: value };
        let step = pricer.parts.step(level);
        let found = tree.bound(pricer, &goal, held, step)?;
        if found > bound[level] {
            bound[level] = found;
            (level + 1..LEVELS).for_each(|after| bound[after] = pricer.parts.floor(after));
        }
        if found < value[level] {
            break;
        }
        tree.close(pricer, &goal, held, step);
    }
    Some(())
}

/// How many levels are proved among the plans that serve each body as often as the plan does. `None`: the trees do not belong
/// to the problem.
pub fn within(pricer: &mut Pricer<'_>, trees: &[Tree], plan: &[usize], value: [i64; LEVELS]) -> Option<usize> {
    let parts = pricer.parts;
    let mut held = Held::new(parts);
    held.quotas = Some(parts.counts(plan));
    let mut trees = trees.iter();
    for level in 0..LEVELS {
        if parts.counted(level) {
            continue;
        }
        let Some(tree) = trees.next().filter(|tree| tree.level == level) else { return Some(level) };
        let goal = Goal { level, values: value };
        let step = parts.step(level);
        if tree.bound(pricer, &goal, &mut held, step)? < value[level] {
            return Some(level);
        }
        tree.close(pricer, &goal, &mut held, step);
    }
    Some(LEVELS)
}
