//! What a change of a proved circulation would cost.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::value::{Levels, Packing, Value, reach};
use super::{Network, Solution};

/// A circulation that is proved best, ready to be asked what a change of it would cost.
pub struct Residual<'a, const L: usize> {
    network: &'a Network<L>,
    ways: Ways<L>,
}

/// A way through what room a circulation leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<const L: usize> {
    /// What going it changes, level by level.
    pub change: [i64; L],
    /// The arcs in order, each with whether its flow grows.
    pub arcs: Vec<(usize, bool)>,
}

/// The directions with room, with their reduced costs in one number where they fit.
enum Ways<const L: usize> {
    Packed(Graph<i128>),
    Wide(Graph<Levels<L>>),
}

impl<'a, const L: usize> Residual<'a, L> {
    /// Reads a solution of the network.
    pub fn new(network: &'a Network<L>, solution: &'a Solution) -> Self {
        let potentials = &solution.proof.potentials;
        // Reduced costs along a way add up to its cost and the difference of two potentials.
        let reach = reach(network);
        let widest: [i64; L] = std::array::from_fn(|level| {
            let most = potentials[level].iter().map(|potential| potential.saturating_abs()).max().unwrap_or(0);
            most.saturating_add(reach[level]).saturating_mul(4)
        });
        let ways = match Packing::new(&widest) {
            Some(packing) => Ways::Packed(Graph::new(network, solution, |cost| packing.pack(&cost))),
            None => Ways::Wide(Graph::new(network, solution, Levels)),
        };
        Self { network, ways }
    }

    /// The cheapest way to send one more unit from a node to another beside the circulation, without some arcs. `None`: there
    /// is no way.
    pub fn cheapest_path(&self, (from, to): (u32, u32), without: &[usize]) -> Option<Path<L>> {
        let arcs = match &self.ways {
            Ways::Packed(graph) => graph.cheapest((from, to), without),
            Ways::Wide(graph) => graph.cheapest((from, to), without),
        }?;
        let mut change = [0_i64; L];
        for (number, grows) in &arcs {
            for (sum, cost) in change.iter_mut().zip(&self.network.arcs[*number].cost) {
                *sum += if *grows { *cost } else { -*cost };
            }
        }
        Some(Path { change, arcs })
    }
}

/// One direction of an arc that has room, as its first node sees it.
#[derive(Debug, Clone, Copy)]
struct Half<V> {
    to: u32,
    /// The arc, twice, and one more where its flow shrinks.
    arc: u32,
    cost: V,
}

/// The halves with room by node.
struct Graph<V> {
    starts: Vec<u32>,
    halves: Vec<Half<V>>,
}

impl<V: Value> Graph<V> {
    fn new<const L: usize>(network: &Network<L>, solution: &Solution, pack: impl Fn([i64; L]) -> V) -> Self {
        let ends = || {
            network.arcs.iter().zip(&solution.flow).zip(0_u32..).flat_map(|((arc, units), number)| {
                let grows = (*units < arc.capacity).then_some((arc.from, arc.to, 2 * number));
                let shrinks = (*units > 0).then_some((arc.to, arc.from, 2 * number + 1));
                grows.into_iter().chain(shrinks)
            })
        };
        let mut starts = vec![0_u32; network.nodes as usize + 1];
        for (node, _, _) in ends() {
            starts[node as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let mut next = starts.clone();
        let mut halves = vec![Half { to: 0, arc: 0, cost: V::default() }; starts[network.nodes as usize] as usize];
        for (node, to, arc) in ends() {
            let costs = &network.arcs[arc as usize / 2];
            let cost = pack(std::array::from_fn(|level| {
                let potentials = &solution.proof.potentials[level];
                costs.cost[level] + potentials[costs.from as usize] - potentials[costs.to as usize]
            }));
            let place = &mut next[node as usize];
            halves[*place as usize] = Half { to, arc, cost: if arc % 2 == 0 { cost } else { -cost } };
            *place += 1;
        }
        Self { starts, halves }
    }

    fn of(&self, node: u32) -> &[Half<V>] {
        &self.halves[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    /// The arcs of the cheapest way, in order, each with whether its flow grows: Dijkstra's method.
    fn cheapest(&self, (from, to): (u32, u32), without: &[usize]) -> Option<Vec<(usize, bool)>> {
        let mut best: Vec<Option<V>> = vec![None; self.starts.len() - 1];
        let mut came = vec![(u32::MAX, u32::MAX); best.len()];
        best[from as usize] = Some(V::default());
        let mut queue = BinaryHeap::from([Reverse((V::default(), from))]);
        while let Some(Reverse((way, node))) = queue.pop() {
            if node == to {
                break;
            }
            if best[node as usize].is_some_and(|known| known < way) {
                continue;
            }
            for half in self.of(node) {
                let next = way + half.cost;
                // Nothing is cheaper than free: what cannot better the way to the end is not followed.
                let known = [best[half.to as usize], best[to as usize]];
                if known.iter().flatten().any(|known| *known <= next) || without.contains(&(half.arc as usize / 2)) {
                    continue;
                }
                best[half.to as usize] = Some(next);
                came[half.to as usize] = (node, half.arc);
                queue.push(Reverse((next, half.to)));
            }
        }
        let mut arcs = Vec::new();
        let mut node = to;
        while node != from {
            let (before, arc) = came[node as usize];
            if arc == u32::MAX {
                return None;
            }
            arcs.push((arc as usize / 2, arc % 2 == 0));
            node = before;
        }
        arcs.reverse();
        Some(arcs)
    }
}
