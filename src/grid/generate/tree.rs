//! Random spanning trees of a rectangular lattice, the skeletons of mazes.
//!
//! How a tree is grown decides how it looks: always going on from the newest node (recursive
//! backtracker) gives long winding corridors with few dead ends; going on from any node gives
//! many short dead ends, much as Prim's algorithm; Wilson's algorithm (1996) draws all trees with
//! the same probability; Kruskal's joins passages in random order.

use rand::RngExt;
use rand::seq::SliceRandom;

use super::Dice;
use super::components::for_straight_neighbours;
use super::union::Union;

/// How a spanning tree is grown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Method {
    /// From the newest node with this probability, else from any unfinished one.
    Growing { newest: f64 },
    /// Loop-erased random walks: all trees with the same probability.
    Wilson,
    /// Passages in random order, unless they close a loop.
    Kruskal,
}

/// Nodes in rows and columns, and which passages between neighbours are open.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    rows: usize,
    cols: usize,
    /// Whether the passage to the right neighbour is open, row-major.
    right: Vec<bool>,
    /// Whether the passage to the upper neighbour is open, row-major.
    up: Vec<bool>,
}

impl Lattice {
    /// All passages closed. Both sides are at least 1.
    pub fn new(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            right: vec![false; rows * cols],
            up: vec![false; rows * cols],
        }
    }

    pub fn is_open_right(&self, row: usize, col: usize) -> bool {
        self.right[row * self.cols + col]
    }

    pub fn is_open_up(&self, row: usize, col: usize) -> bool {
        self.up[row * self.cols + col]
    }

    /// Opens a spanning tree's passages.
    pub fn grow(&mut self, method: Method, dice: &mut Dice) {
        match method {
            Method::Growing { newest } => self.grow_from_nodes(newest, dice),
            Method::Wilson => self.grow_by_walks(dice),
            Method::Kruskal => self.grow_by_joining(dice),
        }
    }

    /// Opens each closed passage with the probability `share`.
    pub fn open_more(&mut self, share: f64, dice: &mut Dice) {
        for node in 0..self.right.len() {
            if node % self.cols + 1 < self.cols && !self.right[node] {
                self.right[node] = dice.random_bool(share);
            }
            if node + self.cols < self.up.len() && !self.up[node] {
                self.up[node] = dice.random_bool(share);
            }
        }
    }

    /// Opens the passage between two neighbours.
    fn open(&mut self, a: usize, b: usize) {
        let (low, high) = (a.min(b), a.max(b));
        // In a lattice of one column the upper neighbour is also the next node.
        if high - low == self.cols {
            self.up[low] = true;
        } else {
            self.right[low] = true;
        }
    }

    fn grow_from_nodes(&mut self, newest: f64, dice: &mut Dice) {
        let nodes = self.right.len();
        let mut in_tree = vec![false; nodes];
        let root = dice.random_range(0..nodes);
        in_tree[root] = true;
        let mut unfinished = vec![root];
        while !unfinished.is_empty() {
            let at = if newest >= 1.0 || dice.random_bool(newest) {
                unfinished.len() - 1
            } else {
                dice.random_range(0..unfinished.len())
            };
            let node = unfinished[at];
            let mut fresh = [0; 4];
            let mut count = 0;
            for_straight_neighbours(node, self.rows, self.cols, |neighbour| {
                if !in_tree[neighbour] {
                    fresh[count] = neighbour;
                    count += 1;
                }
            });
            if count == 0 {
                unfinished.swap_remove(at);
                continue;
            }
            let next = fresh[dice.random_range(0..count)];
            self.open(node, next);
            in_tree[next] = true;
            unfinished.push(next);
        }
    }

    fn grow_by_walks(&mut self, dice: &mut Dice) {
        let nodes = self.right.len();
        let mut in_tree = vec![false; nodes];
        in_tree[dice.random_range(0..nodes)] = true;
        // Where the walk last left each node: overwriting erases the loops.
        let mut next = vec![0_u32; nodes];
        for seed in 0..nodes {
            let mut node = seed;
            while !in_tree[node] {
                let onward = self.random_neighbour(node, dice);
                next[node] = onward as u32;
                node = onward;
            }
            node = seed;
            while !in_tree[node] {
                in_tree[node] = true;
                let onward = next[node] as usize;
                self.open(node, onward);
                node = onward;
            }
        }
    }

    fn random_neighbour(&self, node: usize, dice: &mut Dice) -> usize {
        let (row, col) = (node / self.cols, node % self.cols);
        loop {
            match dice.random_range(0..4_u32) {
                0 if col + 1 < self.cols => return node + 1,
                1 if row + 1 < self.rows => return node + self.cols,
                2 if col > 0 => return node - 1,
                3 if row > 0 => return node - self.cols,
                _ => {}
            }
        }
    }

    fn grow_by_joining(&mut self, dice: &mut Dice) {
        let nodes = self.right.len();
        let mut passages = Vec::with_capacity(2 * nodes);
        for node in 0..nodes {
            if node % self.cols + 1 < self.cols {
                passages.push((node as u32, (node + 1) as u32));
            }
            if node + self.cols < nodes {
                passages.push((node as u32, (node + self.cols) as u32));
            }
        }
        passages.shuffle(dice);
        let mut joined = Union::new(nodes);
        for (a, b) in passages {
            if joined.join(a, b) {
                self.open(a as usize, b as usize);
            }
        }
    }
}
