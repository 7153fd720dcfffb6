//! Costs of several levels as one number, where they fit.

use std::ops::{Add, Neg, Sub};

use super::Network;

/// What can be added and compared level by level.
pub(super) trait Value: Copy + Ord + Default + Add<Output = Self> + Sub<Output = Self> + Neg<Output = Self> {}
impl Value for i64 {}
impl Value for i128 {}
impl<const L: usize> Value for Levels<L> {}

/// A level each, where they do not fit into one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Levels<const L: usize>(pub(super) [i64; L]);

impl<const L: usize> Default for Levels<L> {
    fn default() -> Self {
        Self([0; L])
    }
}

impl<const L: usize> Add for Levels<L> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|level| self.0[level] + other.0[level]))
    }
}

impl<const L: usize> Sub for Levels<L> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|level| self.0[level] - other.0[level]))
    }
}

impl<const L: usize> Neg for Levels<L> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.map(|cost| -cost))
    }
}

/// Most that a way which visits no node twice, or a cycle, can cost or gain, level by level; the nodes of the arcs exist.
///
/// It uses at most two arcs of a node. Each arc is counted with that of its ends which has more arcs: where few nodes have
/// most arcs, few are counted.
pub(super) fn reach<const L: usize>(network: &Network<L>) -> [i64; L] {
    let mut degree = vec![0_u32; network.nodes as usize];
    for arc in network.arcs.iter().filter(|arc| arc.capacity > 0) {
        degree[arc.from as usize] += 1;
        degree[arc.to as usize] += 1;
    }
    let mut dearest = vec![[0_i64; L]; network.nodes as usize];
    for arc in network.arcs.iter().filter(|arc| arc.capacity > 0) {
        let end = if degree[arc.from as usize] > degree[arc.to as usize] { arc.from } else { arc.to };
        for (most, cost) in dearest[end as usize].iter_mut().zip(&arc.cost) {
            *most = (*most).max(cost.saturating_abs());
        }
    }
    std::array::from_fn(|level| dearest.iter().fold(0_i64, |sum, most| sum.saturating_add(most[level])).saturating_mul(2))
}

/// How levels stand one above the other in one number.
pub(super) struct Packing<const L: usize> {
    /// What a unit of each level counts.
    units: [i128; L],
    /// Most that a number comes to.
    most: i128,
}

impl<const L: usize> Packing<L> {
    /// For values whose levels lie within these limits on either side: numbers then compare as the levels do, one by one.
    /// `None`: they do not fit.
    pub(super) fn new(widest: &[i64; L]) -> Option<Self> {
        let mut units = [0_i128; L];
        let mut below = 0_i128;
        for level in (0..L).rev() {
            units[level] = below + 1;
            below = below.checked_add(units[level].checked_mul(i128::from(widest[level]))?)?;
        }
        (below < i128::MAX / 4).then_some(Self { units, most: below })
    }

    /// Whether the shorter kind of number will do.
    pub(super) fn fits_i64(&self) -> bool {
        self.most < i128::from(i64::MAX / 4)
    }

    pub(super) fn pack(&self, levels: &[i64; L]) -> i128 {
        self.units.iter().zip(levels).map(|(unit, level)| unit * i128::from(*level)).sum()
    }
}
