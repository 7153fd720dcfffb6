//! A rooted tree over the nodes of a network, changed by cutting and hanging.

use super::value::Value;

/// No node, or no arc.
pub(super) const NONE: u32 = u32::MAX;

/// A node as its tree sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The next node on the way to the root.
    pub(super) parent: u32,
    /// The arc that joins them.
    pub(super) arc: u32,
    /// Whether the arc leads to the parent.
    pub(super) up: bool,
    /// How many more units the arc can take towards the parent.
    pub(super) towards: u32,
    /// How many more units it can take away from the parent.
    pub(super) away: u32,
    /// How many arcs it is to the root.
    pub(super) depth: u32,
    pub(super) first_child: u32,
    /// The next child of the same parent.
    pub(super) next: u32,
    /// The child of the same parent before it.
    before: u32,
}

/// By what a node hangs in its tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hook {
    pub(super) arc: u32,
    /// Whether the arc leads to the parent.
    pub(super) up: bool,
    /// Room towards the parent, and away from it.
    pub(super) room: (u32, u32),
    pub(super) parent: u32,
}

/// The tree, with the potentials that its arcs give.
pub(super) struct Tree<V> {
    pub(super) nodes: Vec<Node>,
    pub(super) potentials: Vec<V>,
}

impl Node {
    /// Units on the arc.
    pub(super) fn flow(&self) -> u32 {
        if self.up { self.away } else { self.towards }
    }
}

impl<V: Value> Tree<V> {
    /// Nodes that hang nowhere yet.
    pub(super) fn new(nodes: u32) -> Self {
        let node = Node {
            parent: NONE,
            arc: NONE,
            up: true,
            towards: 0,
            away: 0,
            depth: 0,
            first_child: NONE,
            next: NONE,
            before: NONE,
        };
        Self { nodes: vec![node; nodes as usize], potentials: vec![V::default(); nodes as usize] }
    }

    /// Hangs up a node with nothing below it, so much above its parent.
    pub(super) fn plant(&mut self, node: u32, hook: Hook, above: V) {
        self.hang(node, hook);
        self.nodes[node as usize].depth = self.nodes[hook.parent as usize].depth + 1;
        self.potentials[node as usize] = self.potentials[hook.parent as usize] + above;
    }

    /// Hangs up a node and what is below it; depths and potentials are left as they are.
    fn hang(&mut self, node: u32, hook: Hook) {
        let next = self.nodes[hook.parent as usize].first_child;
        self.nodes[hook.parent as usize].first_child = node;
        if next != NONE {
            self.nodes[next as usize].before = node;
        }
        let here = &mut self.nodes[node as usize];
        (here.parent, here.arc, here.up) = (hook.parent, hook.arc, hook.up);
        (here.towards, here.away) = hook.room;
        (here.next, here.before) = (next, NONE);
    }

    fn cut(&mut self, node: u32) {
        let Node { parent, next, before, .. } = self.nodes[node as usize];
        if before == NONE {
            self.nodes[parent as usize].first_child = next;
        } else {
            self.nodes[before as usize].next = next;
        }
        if next != NONE {
            self.nodes[next as usize].before = before;
        }
    }

    /// Cuts the tree above `last` and hangs it up again by `node`, which lies below: on the way from one to the other, parents
    /// become children. All potentials below change alike.
    pub(super) fn turn(&mut self, node: u32, last: u32, hook: Hook, change: V) {
        let (mut here, mut by) = (node, hook);
        loop {
            let old = self.nodes[here as usize];
            self.cut(here);
            self.hang(here, by);
            if here == last {
                break;
            }
            by = Hook { arc: old.arc, up: !old.up, room: (old.away, old.towards), parent: here };
            here = old.parent;
        }
        self.shift(node, change);
    }

    /// Puts potentials and depths right from a node downwards.
    fn shift(&mut self, top: u32, change: V) {
        let mut node = top;
        loop {
            self.potentials[node as usize] = self.potentials[node as usize] + change;
            let parent = self.nodes[node as usize].parent;
            self.nodes[node as usize].depth = self.nodes[parent as usize].depth + 1;
            let mut next = self.nodes[node as usize].first_child;
            while next == NONE {
                if node == top {
                    return;
                }
                next = self.nodes[node as usize].next;
                node = if next == NONE { self.nodes[node as usize].parent } else { node };
            }
            node = next;
        }
    }
}
