//! What proves a circulation, and the bound that follows from it.

use serde::{Deserialize, Serialize};

use super::Network;

/// Potentials lie below this, so that the difference of two is exact.
const MOST: u64 = 1 << 62;

/// How many levels of an arc are looked at together.
const TOGETHER: usize = 3;

/// What proves a circulation: the potentials of each level, node by node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Potentials by level.
    pub potentials: Vec<Vec<i64>>,
}

impl Proof {
    /// What no circulation of the network can beat, level by level: the Lagrangian bound of these potentials, whoever found
    /// them. `None`: they do not belong to the network, or figures are too large.
    pub fn bound<const L: usize>(&self, network: &Network<L>) -> Option<[i64; L]> {
        let nodes = network.nodes as usize;
        let fits = |level: &Vec<i64>| level.len() == nodes && level.iter().all(|potential| potential.unsigned_abs() < MOST);
        if self.potentials.len() != L || !self.potentials.iter().all(fits) {
            return None;
        }
        // Node by node, so that an arc reads two places and not two of every level.
        let potentials: Vec<[i64; L]> =
            (0..nodes).map(|node| std::array::from_fn(|level| self.potentials[level][node])).collect();
        let mut bound = [0_i64; L];
        for arc in &network.arcs {
            let (from, to) = (potentials.get(arc.from as usize)?, potentials.get(arc.to as usize)?);
            let reduced = |level: usize| arc.cost[level].checked_add(from[level] - to[level]);
            // The first level that is not zero says whether the arc is empty or full. A few are looked at together: that is
            // quicker than to stop at each, since nobody can guess where.
            let mut first = 0;
            for start in (0..L).step_by(TOGETHER) {
                for level in (start..L.min(start + TOGETHER)).rev() {
                    let reduced = reduced(level)?;
                    first = if reduced == 0 { first } else { reduced };
                }
                if first != 0 {
                    break;
                }
            }
            if first < 0 {
                for (level, sum) in bound.iter_mut().enumerate() {
                    *sum = sum.checked_add(reduced(level)?.checked_mul(i64::from(arc.capacity))?)?;
                }
            }
        }
        Some(bound)
    }
}
