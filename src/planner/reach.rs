//! Where a robot can get from its start: whole regions of the map, and relaxed cells that may join
//! them. Costs a look at the relaxed cells only, whatever the map's size.

use std::collections::{BTreeMap, BTreeSet};

use super::Snapshot;
use super::regions::Bounds;
use crate::grid::{Cell, Move};

/// The cells a robot can reach from its start.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// Of each of the snapshot's regions, whether it is reached: every cell of the map is asked for it.
    regions: Vec<bool>,
    relaxed: BTreeSet<usize>,
    bounds: Bounds,
}

/// A thing that is reached as a whole.
#[derive(Debug, Clone, Copy)]
enum Node {
    Region(u32),
    Relaxed(usize),
}

impl Reach {
    /// What is reached from `start`, given the cells relaxed for it. `start` is traversable or
    /// relaxed.
    pub fn new(snapshot: &Snapshot, start: Cell, relaxed: &[usize]) -> Self {
        let geometry = snapshot.geometry();
        let regions = snapshot.regions();
        let node_at = |index: usize| match regions.of(index) {
            Some(region) => Some(Node::Region(region)),
            None => relaxed
                .binary_search(&index)
                .is_ok()
                .then_some(Node::Relaxed(index)),
        };
        let neighbours = |index: usize| {
            let cell = geometry.cell(index);
            let straight = Move::ALL.into_iter().filter(|mv| !mv.is_diagonal());
            straight
                .filter_map(move |mv| geometry.neighbour(cell, mv))
                .map(|cell| geometry.index(cell))
        };
        // Which relaxed cells a region touches, so that it can be left through them.
        let mut exits: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for &index in relaxed {
            for region in neighbours(index).filter_map(|beside| regions.of(beside)) {
                exits.entry(region).or_default().push(index);
            }
        }

        let mut reach = Self {
            regions: vec![false; regions.count()],
            relaxed: BTreeSet::new(),
            bounds: Bounds::of_cell(start.row, start.col),
        };
        let mut waiting: Vec<Node> = node_at(geometry.index(start)).into_iter().collect();
        while let Some(node) = waiting.pop() {
            match node {
                Node::Region(region) => {
                    if !std::mem::replace(&mut reach.regions[region as usize], true) {
                        reach.bounds = reach.bounds.around(regions.bounds(region));
                        let exits = exits.get(&region).into_iter().flatten();
                        waiting.extend(exits.map(|&index| Node::Relaxed(index)));
                    }
                }
                Node::Relaxed(index) => {
                    if reach.relaxed.insert(index) {
                        let Cell { row, col } = geometry.cell(index);
                        reach.bounds = reach.bounds.around(Bounds::of_cell(row, col));
                        waiting.extend(neighbours(index).filter_map(node_at));
                    }
                }
            }
        }
        reach
    }

    /// Whether the cell at a row-major index can be reached.
    pub fn contains(&self, snapshot: &Snapshot, index: usize) -> bool {
        match snapshot.regions().of(index) {
            Some(region) => self.regions[region as usize],
            None => self.relaxed.contains(&index),
        }
    }

    /// Whether the cell can be reached and a plan may end there: relaxed cells are for leaving.
    pub fn contains_goal(&self, snapshot: &Snapshot, index: usize) -> bool {
        let region = snapshot.regions().of(index);
        region.is_some_and(|region| self.regions[region as usize])
    }

    /// The rectangle around all cells that can be reached.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }
}
