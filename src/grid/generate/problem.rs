//! A planning problem: a map, and a start and a goal that reach each other.

use rand::{Rng, RngExt};

use super::{Components, Kind, generate};
use crate::grid::{Cell, Costmap};

/// How often a start and a goal are drawn anew because they lie too near to each other.
const TRIES: usize = 20;

/// A map with a start and a goal that reach each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where to plan.
    pub map: Costmap,
    /// Where the plan begins.
    pub start: Cell,
    /// Where the plan ends; not the start.
    pub goal: Cell,
}

/// A problem on a generated map (see [`generate`]), with a start and a goal as
/// [`reachable_pair`] draws them, if possible a quarter of the longer side apart.
pub fn problem(kind: Kind, height: usize, width: usize, rng: &mut impl Rng) -> Problem {
    loop {
        let map = generate(kind, height, width, rng);
        let apart = map.geometry().height().max(map.geometry().width()) as f64 / 4.0;
        // A generated map always has a pair, so that the first pass returns.
        if let Some((start, goal)) = reachable_pair(&map, &Components::of(&map), apart, rng) {
            return Problem { map, start, goal };
        }
    }
}

/// A start and a goal from one component of a map: the component with a probability proportional
/// to its cells, both cells uniform in it and different.
///
/// Pairs with an octile distance under `apart` cells are drawn anew up to 20 times; if all are,
/// the farthest of them stands. `None` if no two cells reach each other, or if the components are
/// those of a map of another size.
pub fn reachable_pair(
    map: &Costmap,
    components: &Components,
    apart: f64,
    rng: &mut impl Rng,
) -> Option<(Cell, Cell)> {
    let geometry = map.geometry();
    if components.labels().len() != geometry.cells() {
        return None;
    }
    // Cells that reach at least one other.
    let starts: Vec<u32> = (0..components.count() as u32)
        .map(|label| components.cells(label))
        .filter(|cells| cells.len() > 1)
        .flatten()
        .copied()
        .collect();
    if starts.is_empty() {
        return None;
    }
    let mut best: Option<(f64, Cell, Cell)> = None;
    for _ in 0..TRIES {
        let start = starts[rng.random_range(0..starts.len())] as usize;
        let peers = components.cells(components.labels()[start]);
        let goal = peers[rng.random_range(0..peers.len())] as usize;
        if goal == start {
            continue;
        }
        let (start, goal) = (geometry.cell(start), geometry.cell(goal));
        let distance = start.octile_distance(goal);
        if best.is_none_or(|(farthest, ..)| distance > farthest) {
            best = Some((distance, start, goal));
        }
        if distance >= apart {
            break;
        }
    }
    best.map(|(_, start, goal)| (start, goal)).or_else(|| {
        // Twenty times the same cell: any component's first two cells will do.
        let &[a, b, ..] = components.cells(components.labels()[starts[0] as usize]) else {
            return None;
        };
        Some((geometry.cell(a as usize), geometry.cell(b as usize)))
    })
}
