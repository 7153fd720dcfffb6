//! Circulations of least cost where costs are vectors compared level by level: exact, integral, in integers alone.
//!
//! # Method
//! The network simplex method: a spanning tree carries the flow that is between its limits, its potentials price every other
//! arc, and an arc that is worth it comes into the tree for one that goes. All levels are solved at once, since a cost is one
//! number in which the levels stand one above the other, wide enough apart that comparing two numbers is comparing level
//! by level (a vector of levels where that does not fit). Trees are kept strongly feasible (Cunningham 1976), which rules out
//! going round in circles. How many arcs come in is exponential in the worst networks that have been constructed, and in
//! practice some tens of times the nodes; each costs a look at some arcs and a way through the tree. Memory is
//! O(arcs + nodes × levels).
//!
//! # Proof
//! The potentials of all levels prove the result: [`Proof::bound`] sums reduced costs over the arcs and gives, for *any*
//! potentials, a bound that no circulation can beat. Where it equals the result, the result is the best there is.

mod proof;
mod residual;
mod simplex;
mod tree;
mod value;

pub use proof::Proof;
pub use residual::{Path, Residual};

use simplex::Simplex;
use value::{Levels, Packing, reach};

/// A directed arc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arc<const L: usize> {
    /// From which node.
    pub from: u32,
    /// To which node.
    pub to: u32,
    /// Most units of flow; none is an arc that is closed.
    pub capacity: u32,
    /// Cost of a unit, most important level first.
    pub cost: [i64; L],
}

/// Nodes and arcs. Every flow is a circulation: what enters a node leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network<const L: usize> {
    /// How many nodes.
    pub nodes: u32,
    /// The arcs.
    pub arcs: Vec<Arc<L>>,
}

/// A circulation and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Units on each arc.
    pub flow: Vec<u32>,
    /// The proof.
    pub proof: Proof,
    /// Arcs that came into the tree: the work that was done, the same on every machine.
    pub steps: u64,
}

/// Why a network cannot be solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowError {
    /// A level's costs are too large to be kept exact.
    TooLarge,
    /// An arc names a node that does not exist, or leads back to its own.
    NoSuchNode,
}

/// Most that sums of costs and potentials may come to, so that they stay exact.
const MOST: i128 = 1 << 60;

/// Most arcs and most nodes: their numbers stay numbers when both directions are told apart.
const MOST_ARCS: usize = 1 << 30;

impl<const L: usize> Network<L> {
    fn look(&self) -> Result<(), FlowError> {
        if self.arcs.iter().any(|arc| arc.from >= self.nodes || arc.to >= self.nodes || arc.from == arc.to) {
            return Err(FlowError::NoSuchNode);
        }
        if self.arcs.len() > MOST_ARCS || self.nodes as usize > MOST_ARCS { Err(FlowError::TooLarge) } else { Ok(()) }
    }

    /// What a circulation comes to, level by level.
    pub fn total(&self, flow: &[u32]) -> [i64; L] {
        let mut total = [0_i64; L];
        for (arc, units) in self.arcs.iter().zip(flow).filter(|(_, units)| **units > 0) {
            for (sum, cost) in total.iter_mut().zip(&arc.cost) {
                *sum += cost * i64::from(*units);
            }
        }
        total
    }

    /// The circulation of least cost.
    ///
    /// # Errors
    /// [`FlowError`] where the network is not sound or its costs are too large.
    pub fn solve(&self) -> Result<Solution, FlowError> {
        self.look()?;
        let reach = reach(self);
        // An arc that stands in for a missing way is dearer than any way, on the first level.
        let missing: [i64; L] =
            std::array::from_fn(|level| if level == 0 { reach[0].saturating_mul(2).saturating_add(1) } else { 0 });
        // A potential comes to a way at most and a reduced cost to a cycle, each with what stands in; two reduced costs are
        // compared by their difference.
        let widest: [i64; L] = std::array::from_fn(|level| reach[level].saturating_add(missing[level]).saturating_mul(4));
        // The bound adds up reduced costs over all units.
        let units: i128 = self.arcs.iter().map(|arc| i128::from(arc.capacity)).sum();
        if widest.iter().any(|widest| i128::from(*widest) * units.max(1) > MOST) {
            return Err(FlowError::TooLarge);
        }
        Ok(match Packing::new(&widest) {
            Some(packing) if packing.fits_i64() => Simplex::new(self, &missing, |cost| packing.pack(cost) as i64).run(),
            Some(packing) => Simplex::new(self, &missing, |cost| packing.pack(cost)).run(),
            None => Simplex::new(self, &missing, |cost| Levels(*cost)).run(),
        })
    }
}
