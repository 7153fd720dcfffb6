//! What a change of a plan would cost, asked of whoever can answer best: exactly where no limits are shared, found where they are.

use crate::matching::allocation::changes::Changer;
use crate::matching::allocation::flow::Solution;
use crate::matching::allocation::network::{Change, Explorer, Model};
use crate::matching::allocation::parts::Parts;
use crate::matching::allocation::problem::LEVELS;
use crate::matching::allocation::search::Planned;

use super::ledger::Ledger;

/// Answers questions about one plan.
pub struct Alternatives<'a> {
    parts: &'a Parts<'a>,
    plan: &'a [usize],
    value: [i64; LEVELS],
    /// Whether the plan is the best of the whole without shared limits: then the cheapest change of all, if it keeps the limits,
    /// is the cheapest there is.
    exact: bool,
    /// Whether the circulation was asked for this very plan.
    is_base: bool,
    ledger: Ledger<'a>,
    explorer: Explorer<'a>,
    changer: Changer<'a>,
}

/// A change, and whether it is proved that none is cheaper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The change; its levels are those of the plan before and after.
    pub change: Change,
    /// Whether none is cheaper.
    pub cheapest: bool,
}

impl<'a> Alternatives<'a> {
    /// For a plan; `base` and `solution` are what the circulation of the plan's case came to.
    pub fn new(
        parts: &'a Parts<'a>,
        planned: &'a Planned,
        model: &'a Model<'a>,
        (base, solution): (&[usize], &'a Solution),
    ) -> Self {
        let is_base = base == planned.plan;
        Self {
            parts,
            plan: &planned.plan,
            value: parts.problem.objective(&planned.plan),
            exact: is_base && planned.closed.as_ref().is_none_or(Vec::is_empty),
            is_base,
            ledger: Ledger::new(parts.problem, &planned.plan),
            explorer: model.explorer(solution),
            changer: Changer::new(parts, &planned.plan),
        }
    }

    /// What would have to give way for a request that nobody takes; `None`: nothing is known that could.
    pub fn to_serve(&mut self, request: i64) -> Option<Alternative> {
        let asked = if self.is_base { self.explorer.to_serve(request) } else { None };
        self.best(asked, |changer| changer.to_serve(request))
    }

    /// What the plan would be with somebody else in the place of one of its pairs; `None`: nothing is known that could.
    pub fn instead(&mut self, pair: usize) -> Option<Alternative> {
        let asked = if self.is_base { self.explorer.without(pair) } else { None };
        self.best(asked, |changer| changer.instead(pair))
    }

    /// How many other pairs could take the request of a pair at all.
    pub fn others(&self, pair: usize) -> usize {
        let request = self.parts.request_of.get(pair).copied().unwrap_or(0);
        self.parts.pairs_of(request).len().saturating_sub(1)
    }

    fn best(&mut self, asked: Option<Change>, found: impl FnOnce(&mut Changer<'a>) -> Option<Change>) -> Option<Alternative> {
        let asked = asked.and_then(|change| self.kept(change));
        if self.exact
            && let Some(change) = asked
        {
            return Some(Alternative { change, cheapest: true });
        }
        let found = found(&mut self.changer).and_then(|change| self.kept(change));
        let change = asked.into_iter().chain(found).min_by(|a, b| a.levels.cmp(&b.levels))?;
        Some(Alternative { change, cheapest: false })
    }

    /// A change of this plan that keeps every limit, with what it really comes to; the circulation does not see limits.
    fn kept(&self, mut change: Change) -> Option<Change> {
        if change.removed.iter().any(|pair| self.plan.binary_search(pair).is_err()) {
            return None;
        }
        let after = self.parts.problem.objective(&self.ledger.after(&change.added, &change.removed)?);
        change.levels = std::array::from_fn(|level| after[level] - self.value[level]);
        Some(change)
    }
}
