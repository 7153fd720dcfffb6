//! The network simplex method on a strongly feasible tree.

use std::collections::VecDeque;
use std::ops::Range;

use super::tree::{Hook, NONE, Tree};
use super::value::Value;
use super::{Network, Proof, Solution};

/// Most arcs that are priced together. Few: more of them come in. Many: more are looked at for each that does.
const RUN: usize = 64;

/// What pricing needs to know of an arc; its first node is that of its run.
#[derive(Debug, Clone, Copy)]
struct Price<V> {
    cost: V,
    to: u32,
    /// Whether it lies outside the tree and carries all it can.
    full: bool,
}

/// What else is to be known of an arc.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Its number in the network.
    number: u32,
    from: u32,
    capacity: u32,
}

/// Some arcs from the same node.
struct Run {
    from: u32,
    arcs: Range<usize>,
}

/// A tree, the flow and the prices, over the open arcs alone.
pub(super) struct Simplex<'a, const L: usize, V> {
    network: &'a Network<L>,
    /// What an arc costs that stands in for a missing way to the root. Its number is that of its node, beyond all open arcs.
    missing: &'a [i64; L],
    prices: Vec<Price<V>>,
    lines: Vec<Line>,
    runs: Vec<Run>,
    tree: Tree<V>,
    root: u32,
}

/// An arc that is worth it to come in: whether flow is to go along it or back, and its reduced cost.
struct Entering<V> {
    arc: usize,
    full: bool,
    reduced: V,
}

/// What changes as an arc comes in.
struct Leaving {
    /// How many units go round.
    units: u32,
    /// The node below the arc that goes; [`NONE`]: the arc that comes in goes again, at its other limit.
    node: u32,
    /// Whether that arc lies where the flow comes down from the meeting point to the arc that comes in.
    coming: bool,
    /// Where the ways to the root meet.
    meet: u32,
}

impl<'a, const L: usize, V: Value> Simplex<'a, L, V> {
    /// No flow, and a tree whose arcs all lead to the root.
    pub(super) fn new(network: &'a Network<L>, missing: &'a [i64; L], pack: impl Fn(&[i64; L]) -> V) -> Self {
        let mut open: Vec<u32> =
            (0_u32..).zip(&network.arcs).filter(|(_, arc)| arc.capacity > 0).map(|(number, _)| number).collect();
        open.sort_by_key(|number| network.arcs[*number as usize].from);
        let mut simplex = Self {
            network,
            missing,
            prices: Vec::with_capacity(open.len()),
            lines: Vec::with_capacity(open.len()),
            runs: Vec::new(),
            tree: Tree::new(network.nodes),
            root: 0,
        };
        for (place, number) in open.into_iter().enumerate() {
            let arc = &network.arcs[number as usize];
            simplex.prices.push(Price { cost: pack(&arc.cost), to: arc.to, full: false });
            simplex.lines.push(Line { number, from: arc.from, capacity: arc.capacity });
            match simplex.runs.last_mut() {
                Some(run) if run.from == arc.from && run.arcs.len() < RUN => run.arcs.end = place + 1,
                _ => simplex.runs.push(Run { from: arc.from, arcs: place..place + 1 }),
            }
        }
        simplex.plant(pack(missing));
        simplex
    }

    /// The first tree: from the node of most arcs backwards.
    fn plant(&mut self, missing: V) {
        let nodes = self.network.nodes;
        let mut degree = vec![0_u32; nodes as usize];
        let mut starts = vec![0_u32; nodes as usize + 1];
        for (line, price) in self.lines.iter().zip(&self.prices) {
            degree[line.from as usize] += 1;
            degree[price.to as usize] += 1;
            starts[price.to as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let mut next = starts.clone();
        let mut into = vec![0_u32; self.prices.len()];
        for (arc, price) in (0_u32..).zip(&self.prices) {
            let place = &mut next[price.to as usize];
            into[*place as usize] = arc;
            *place += 1;
        }
        let Some(root) = (0..nodes).rev().max_by_key(|node| degree[*node as usize]) else { return };
        self.root = root;
        let mut reached = vec![false; nodes as usize];
        reached[root as usize] = true;
        let mut waiting = VecDeque::from([root]);
        let mut others = 0..nodes;
        loop {
            while let Some(parent) = waiting.pop_front() {
                for arc in &into[starts[parent as usize] as usize..starts[parent as usize + 1] as usize] {
                    let Line { from: node, capacity, .. } = self.lines[*arc as usize];
                    if !reached[node as usize] {
                        reached[node as usize] = true;
                        let hook = Hook { arc: *arc, up: true, room: (capacity, 0), parent };
                        self.tree.plant(node, hook, -self.prices[*arc as usize].cost);
                        waiting.push_back(node);
                    }
                }
            }
            // A node without a way to the root.
            let Some(node) = others.find(|node| !reached[*node as usize]) else { return };
            reached[node as usize] = true;
            // What stands in has no limit, and is never used since nothing is dearer.
            let hook = Hook { arc: self.lines.len() as u32 + node, up: true, room: (u32::MAX, 0), parent: root };
            self.tree.plant(node, hook, -missing);
            waiting.push_back(node);
        }
    }

    /// Solves, and reads flow and potentials.
    pub(super) fn run(mut self) -> Solution {
        let (mut steps, mut at) = (0, 0);
        while let Some(entering) = self.enter(&mut at) {
            steps += 1;
            self.pivot(&entering);
        }
        // Outside the tree arcs are empty or full.
        let mut flow = vec![0_u32; self.network.arcs.len()];
        for (line, _) in self.lines.iter().zip(&self.prices).filter(|(_, price)| price.full) {
            flow[line.number as usize] = line.capacity;
        }
        for node in &self.tree.nodes {
            if let Some(line) = self.lines.get(node.arc as usize) {
                flow[line.number as usize] = node.flow();
            }
        }
        Solution { flow, proof: self.proof(), steps }
    }

    /// The arc that is worth most to come in, of the next run that has one.
    fn enter(&self, at: &mut usize) -> Option<Entering<V>> {
        for _ in 0..self.runs.len() {
            let run = &self.runs[*at];
            *at = if *at + 1 == self.runs.len() { 0 } else { *at + 1 };
            let here = self.tree.potentials[run.from as usize];
            let (mut best, mut found) = (V::default(), NONE as usize);
            for (arc, price) in run.arcs.clone().zip(&self.prices[run.arcs.clone()]) {
                let reduced = price.cost + here - self.tree.potentials[price.to as usize];
                let change = if price.full { -reduced } else { reduced };
                if change < best {
                    (best, found) = (change, arc);
                }
            }
            if let Some(price) = self.prices.get(found) {
                return Some(Entering { arc: found, full: price.full, reduced: if price.full { -best } else { best } });
            }
        }
        None
    }

    /// Takes an arc in and another out.
    fn pivot(&mut self, entering: &Entering<V>) {
        let arc = entering.arc;
        let (Line { from, capacity, .. }, to) = (self.lines[arc], self.prices[arc].to);
        // Flow comes down to `start`, goes along the arc and up from `end`.
        let (start, end) = if entering.full { (to, from) } else { (from, to) };
        let leaving = self.leave(capacity, start, end);
        if leaving.units > 0 {
            self.push((start, end), &leaving);
        }
        if leaving.node == NONE {
            self.prices[arc].full = !entering.full;
            return;
        }
        let goes = &self.tree.nodes[leaving.node as usize];
        if let Some(price) = self.prices.get_mut(goes.arc as usize) {
            price.full = goes.flow() > 0;
        }
        self.prices[arc].full = false;
        let (below, parent) = if leaving.coming { (start, end) } else { (end, start) };
        let up = below == from;
        // The flow goes on from `start` to `end`.
        let (on, back) = (capacity - leaving.units, leaving.units);
        let room = if leaving.coming { (on, back) } else { (back, on) };
        let change = if up { -entering.reduced } else { entering.reduced };
        self.tree.turn(below, leaving.node, Hook { arc: arc as u32, up, room, parent }, change);
    }

    /// Of the arcs that stop the flow first, the last in its direction, seen from where the ways to the root meet: so every
    /// node keeps room on its way to the root, and the trees never repeat.
    fn leave(&self, capacity: u32, start: u32, end: u32) -> Leaving {
        let nodes = &self.tree.nodes;
        let mut coming = (capacity, NONE, start);
        let mut going = (u32::MAX, NONE, end);
        let come = |(room, node, at): (u32, u32, u32)| {
            let here = &nodes[at as usize];
            if here.away < room { (here.away, at, here.parent) } else { (room, node, here.parent) }
        };
        let go = |(room, node, at): (u32, u32, u32)| {
            let here = &nodes[at as usize];
            if here.towards <= room { (here.towards, at, here.parent) } else { (room, node, here.parent) }
        };
        let (deep, other) = (nodes[start as usize].depth, nodes[end as usize].depth);
        for _ in other..deep {
            coming = come(coming);
        }
        for _ in deep..other {
            going = go(going);
        }
        while coming.2 != going.2 {
            coming = come(coming);
            going = go(going);
        }
        let (units, node, meet) = if going.1 != NONE && going.0 <= coming.0 { going } else { coming };
        Leaving { units, node, coming: node == coming.1, meet }
    }

    /// Sends the units down to the start and up from the end.
    fn push(&mut self, (start, end): (u32, u32), leaving: &Leaving) {
        for (from, comes) in [(start, true), (end, false)] {
            let mut at = from;
            while at != leaving.meet {
                let here = &mut self.tree.nodes[at as usize];
                let (less, more) = if comes { (&mut here.away, &mut here.towards) } else { (&mut here.towards, &mut here.away) };
                *less -= leaving.units;
                *more += leaving.units;
                at = here.parent;
            }
        }
    }

    /// The potentials of each level, from the root downwards.
    fn proof(&self) -> Proof {
        let nodes = &self.tree.nodes;
        let mut potentials = vec![vec![0_i64; nodes.len()]; L];
        let mut waiting = if nodes.is_empty() { Vec::new() } else { vec![self.root] };
        while let Some(parent) = waiting.pop() {
            let mut child = nodes[parent as usize].first_child;
            while child != NONE {
                let node = &nodes[child as usize];
                let line = self.lines.get(node.arc as usize);
                let cost = line.map_or(self.missing, |line| &self.network.arcs[line.number as usize].cost);
                for (level, cost) in potentials.iter_mut().zip(cost) {
                    level[child as usize] = level[parent as usize] + if node.up { -*cost } else { *cost };
                }
                waiting.push(child);
                child = node.next;
            }
        }
        Proof { potentials }
    }
}
