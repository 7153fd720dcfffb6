//! Circulations of least cost where costs are vectors compared level by level: exact, integral, in integers alone.
//!
//! # Method
//! The levels are solved one after another by Goldberg and Tarjan's cost scaling (push–relabel, first in first out). The
//! potentials of a level are then made exact, and the next level may move flow only along arcs whose reduced cost is zero so
//! far, so that no earlier level is ever given up. On `n` nodes and `m` arcs a level takes O(n² m log(n C)) in the worst case
//! and far less in practice, the later ones on fewer and fewer arcs; memory is O(m + n × levels).
//!
//! # Proof
//! The potentials of all levels prove the result: [`Proof::bound`] sums reduced costs over the arcs and gives, for *any*
//! potentials, a bound that no circulation can beat. Where it equals the result, the result is the best there is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use serde::{Deserialize, Serialize};

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

/// What proves a circulation: the potentials of each level, node by node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Potentials by level.
    pub potentials: Vec<Vec<i64>>,
}

/// A circulation and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Units on each arc.
    pub flow: Vec<u32>,
    /// The proof.
    pub proof: Proof,
    /// Pushes and relabels: the work that was done, the same on every machine.
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

/// Most that potentials may come to, so that sums of them stay exact.
const MOST: i128 = 1 << 60;

impl<const L: usize> Network<L> {
    fn look(&self) -> Result<(), FlowError> {
        if self.arcs.iter().any(|arc| arc.from >= self.nodes || arc.to >= self.nodes || arc.from == arc.to) {
            return Err(FlowError::NoSuchNode);
        }
        // Potentials reach the dearest cost times the nodes, and are scaled by the nodes while they are looked for.
        let nodes = i128::from(self.nodes) + 1;
        let dearest = self.arcs.iter().flat_map(|arc| arc.cost).map(|cost| i128::from(cost).abs()).max().unwrap_or(0);
        let units: i128 = self.arcs.iter().map(|arc| i128::from(arc.capacity)).sum();
        if dearest * nodes * nodes * 16 > MOST || dearest * nodes * units > MOST { Err(FlowError::TooLarge) } else { Ok(()) }
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
        let mut flow = vec![0_u32; self.arcs.len()];
        let mut free: Vec<bool> = self.arcs.iter().map(|arc| arc.capacity > 0).collect();
        let mut potentials = Vec::with_capacity(L);
        let mut steps = 0;
        for level in 0..L {
            let (found, done) = Scaling::new(self, &free, level, &flow).run(&mut flow);
            for (arc, free) in self.arcs.iter().zip(&mut free) {
                *free = *free && reduced(&found, level, arc) == 0;
            }
            potentials.push(found);
            steps += done;
        }
        Ok(Solution { flow, proof: Proof { potentials }, steps })
    }
}

fn reduced<const L: usize>(potentials: &[i64], level: usize, arc: &Arc<L>) -> i64 {
    arc.cost[level] + potentials[arc.from as usize] - potentials[arc.to as usize]
}

impl Proof {
    /// What no circulation of the network can beat, level by level: the Lagrangian bound of these potentials, whoever found
    /// them. `None`: they do not belong to the network, or figures are too large.
    pub fn bound<const L: usize>(&self, network: &Network<L>) -> Option<[i64; L]> {
        network.look().ok()?;
        let fits = |level: &Vec<i64>| level.len() == network.nodes as usize && level.iter().all(|p| i128::from(*p).abs() < MOST);
        if self.potentials.len() != L || !self.potentials.iter().all(fits) {
            return None;
        }
        let mut bound = [0_i64; L];
        for arc in &network.arcs {
            // Zero so far: free to be empty or full. After the first that is not, the arc is fixed.
            let mut full = None;
            for (level, potentials) in self.potentials.iter().enumerate() {
                let cost = reduced(potentials, level, arc);
                if full.is_none() && cost != 0 {
                    full = Some(cost < 0);
                }
                match full {
                    Some(true) => bound[level] = bound[level].checked_add(cost.checked_mul(i64::from(arc.capacity))?)?,
                    Some(false) => break,
                    None => {}
                }
            }
        }
        Some(bound)
    }
}

/// A circulation that is proved best, ready to be asked what a change of it would cost.
pub struct Residual<'a, const L: usize> {
    network: &'a Network<L>,
    flow: &'a [u32],
    index: Index,
    /// Reduced costs, arc by arc.
    reduced: Vec<[i64; L]>,
}

impl<'a, const L: usize> Residual<'a, L> {
    /// Reads a solution of the network.
    pub fn new(network: &'a Network<L>, solution: &'a Solution) -> Self {
        let open: Vec<bool> = network.arcs.iter().map(|arc| arc.capacity > 0).collect();
        let reduced = network
            .arcs
            .iter()
            .map(|arc| std::array::from_fn(|level| reduced(&solution.proof.potentials[level], level, arc)))
            .collect();
        Self { network, flow: &solution.flow, index: Index::new(network, &open), reduced }
    }

    /// The cheapest way to send one more unit from a node to another beside the circulation, without some arcs. `None`: there
    /// is no way.
    pub fn cheapest_path(&self, (from, to): (u32, u32), without: &[usize]) -> Option<Path<L>> {
        let nodes = self.network.nodes as usize;
        let mut best: Vec<Option<[i64; L]>> = vec![None; nodes];
        let mut came: Vec<Option<(usize, bool)>> = vec![None; nodes];
        best[from as usize] = Some([0; L]);
        let mut queue = BinaryHeap::from([Reverse(([0_i64; L], from))]);
        while let Some(Reverse((way, node))) = queue.pop() {
            if node == to {
                break;
            }
            if best[node as usize].is_some_and(|known| known < way) {
                continue;
            }
            for half in self.index.of(node) {
                let (number, grows) = (half.arc as usize, half.forward);
                let units = self.flow[number];
                let room = if grows { units < self.network.arcs[number].capacity } else { units > 0 };
                if !room || without.contains(&number) {
                    continue;
                }
                let mut next = way;
                for (sum, cost) in next.iter_mut().zip(&self.reduced[number]) {
                    *sum += if grows { *cost } else { -*cost };
                }
                let target = half.to as usize;
                if best[target].is_none_or(|known| next < known) {
                    best[target] = Some(next);
                    came[target] = Some((number, grows));
                    queue.push(Reverse((next, half.to)));
                }
            }
        }
        let mut arcs = Vec::new();
        let mut change = [0_i64; L];
        let mut node = to;
        while node != from {
            let (number, grows) = came[node as usize]?;
            let arc = &self.network.arcs[number];
            for (sum, cost) in change.iter_mut().zip(&arc.cost) {
                *sum += if grows { *cost } else { -*cost };
            }
            arcs.push((number, grows));
            node = if grows { arc.from } else { arc.to };
        }
        arcs.reverse();
        Some(Path { change, arcs })
    }
}

/// A way through what room a circulation leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<const L: usize> {
    /// What going it changes, level by level.
    pub change: [i64; L],
    /// The arcs in order, each with whether its flow grows.
    pub arcs: Vec<(usize, bool)>,
}

/// One direction of an arc, as its first node sees it.
#[derive(Debug, Clone, Copy)]
struct Half {
    arc: u32,
    to: u32,
    forward: bool,
}

/// The halves of the free arcs by node.
struct Index {
    starts: Vec<u32>,
    halves: Vec<Half>,
}

impl Index {
    fn new<const L: usize>(network: &Network<L>, free: &[bool]) -> Self {
        let mut starts = vec![0_u32; network.nodes as usize + 1];
        let open = || network.arcs.iter().zip(free).enumerate().filter(|(_, (_, free))| **free);
        for (_, (arc, _)) in open() {
            starts[arc.from as usize + 1] += 1;
            starts[arc.to as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let mut next = starts.clone();
        let mut halves = vec![Half { arc: 0, to: 0, forward: true }; starts[network.nodes as usize] as usize];
        for (number, (arc, _)) in open() {
            for (node, to, forward) in [(arc.from, arc.to, true), (arc.to, arc.from, false)] {
                let place = &mut next[node as usize];
                halves[*place as usize] = Half { arc: number as u32, to, forward };
                *place += 1;
            }
        }
        Self { starts, halves }
    }

    fn of(&self, node: u32) -> &[Half] {
        &self.halves[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}

/// One direction of a free arc, with what the scaling needs to know of it, side by side for each node.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: u32,
    /// The other direction.
    twin: u32,
    room: u32,
    cost: i64,
}

/// Cost scaling of one level over the free arcs of a network.
struct Scaling<'a, const L: usize> {
    network: &'a Network<L>,
    starts: Vec<u32>,
    edges: Vec<Edge>,
    /// The arc of each edge, and whether it runs along it.
    arcs: Vec<(u32, bool)>,
    steps: u64,
}

/// By how much the tolerance falls from round to round.
const FALL: i64 = 4;

impl<'a, const L: usize> Scaling<'a, L> {
    fn new(network: &'a Network<L>, free: &[bool], level: usize, flow: &[u32]) -> Self {
        let index = Index::new(network, free);
        let mut first_seen = vec![u32::MAX; network.arcs.len()];
        let mut edges: Vec<Edge> = Vec::with_capacity(index.halves.len());
        let mut arcs = Vec::with_capacity(index.halves.len());
        for (half, place) in index.halves.iter().zip(0_u32..) {
            let number = half.arc as usize;
            let arc = &network.arcs[number];
            let units = flow[number];
            let (room, cost) = if half.forward { (arc.capacity - units, arc.cost[level]) } else { (units, -arc.cost[level]) };
            let twin = first_seen[number];
            match edges.get_mut(twin as usize) {
                Some(other) => other.twin = place,
                None => first_seen[number] = place,
            }
            edges.push(Edge { to: half.to, twin, room, cost });
            arcs.push((half.arc, half.forward));
        }
        Self { network, starts: index.starts, edges, arcs, steps: 0 }
    }

    fn of(&self, node: u32) -> std::ops::Range<usize> {
        self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize
    }

    /// Moves the flow to the best on the free arcs; exact potentials and the work done.
    fn run(mut self, flow: &mut [u32]) -> (Vec<i64>, u64) {
        let scale = i64::from(self.network.nodes) + 1;
        let mut potentials = vec![0_i64; self.network.nodes as usize];
        let mut tolerance = 0;
        for edge in &mut self.edges {
            edge.cost *= scale;
            tolerance = tolerance.max(edge.cost.abs());
        }
        while tolerance > 1 {
            tolerance = (tolerance / FALL).max(1);
            self.refine(&mut potentials, tolerance);
        }
        for (edge, (arc, forward)) in self.edges.iter_mut().zip(&self.arcs) {
            edge.cost /= scale;
            if !forward {
                flow[*arc as usize] = edge.room;
            }
        }
        for potential in &mut potentials {
            *potential = potential.div_euclid(scale);
        }
        self.make_exact(&mut potentials);
        (potentials, self.steps)
    }

    fn push(&mut self, edge: usize, units: u32) {
        self.edges[edge].room -= units;
        let twin = self.edges[edge].twin as usize;
        self.edges[twin].room += units;
    }

    fn refine(&mut self, potentials: &mut [i64], tolerance: i64) {
        let nodes = self.network.nodes;
        let mut excess = vec![0_i64; nodes as usize];
        for node in 0..nodes {
            for place in self.of(node) {
                let edge = self.edges[place];
                if edge.room > 0 && edge.cost + potentials[node as usize] - potentials[edge.to as usize] < 0 {
                    self.push(place, edge.room);
                    excess[node as usize] -= i64::from(edge.room);
                    excess[edge.to as usize] += i64::from(edge.room);
                }
            }
        }
        let mut current: Vec<u32> = self.starts[..nodes as usize].to_vec();
        let mut active: VecDeque<u32> = (0..nodes).filter(|node| excess[*node as usize] > 0).collect();
        while let Some(node) = active.pop_front() {
            let at = node as usize;
            let end = self.starts[at + 1];
            while excess[at] > 0 {
                if current[at] == end {
                    // Nothing admissible is left: lower the node to the best of its neighbours.
                    self.steps += 1;
                    let with_room = self.edges[self.of(node)].iter().filter(|edge| edge.room > 0);
                    // What came in can go back, so there is always a way out.
                    let Some(best) = with_room.map(|edge| potentials[edge.to as usize] - edge.cost).max() else { break };
                    potentials[at] = best - tolerance;
                    current[at] = self.starts[at];
                    continue;
                }
                let place = current[at] as usize;
                let edge = self.edges[place];
                if edge.room > 0 && edge.cost + potentials[at] - potentials[edge.to as usize] < 0 {
                    self.steps += 1;
                    let units = u32::try_from(excess[at]).unwrap_or(u32::MAX).min(edge.room);
                    self.push(place, units);
                    excess[at] -= i64::from(units);
                    let target = &mut excess[edge.to as usize];
                    if *target <= 0 && *target + i64::from(units) > 0 {
                        active.push_back(edge.to);
                    }
                    *target += i64::from(units);
                } else {
                    current[at] += 1;
                }
            }
        }
    }

    /// Lowers rounded potentials until no arc with room has a negative reduced cost. The flow is optimal, so this ends.
    fn make_exact(&mut self, potentials: &mut [i64]) {
        let mut waiting: VecDeque<u32> = (0..self.network.nodes).collect();
        let mut queued = vec![true; potentials.len()];
        while let Some(node) = waiting.pop_front() {
            queued[node as usize] = false;
            for edge in &self.edges[self.of(node)] {
                let reached = potentials[node as usize] + edge.cost;
                if edge.room > 0 && reached < potentials[edge.to as usize] {
                    self.steps += 1;
                    potentials[edge.to as usize] = reached;
                    if !queued[edge.to as usize] {
                        queued[edge.to as usize] = true;
                        waiting.push_back(edge.to);
                    }
                }
            }
        }
    }
}
