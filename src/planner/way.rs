//! Ways over a few cells: from the place where one block is gone through to that of the next, and from a
//! plan's ends to the blocks near them.

use std::collections::HashMap;

use super::Problem;
use super::corridor::Corridor;
use super::laying::LEG_SPAN;
use super::line::legal_line;
use super::path::grid_travel_cost;
use super::regions::Bounds;
use crate::grid::Cell;
use crate::search::{Search, Termination};

/// The straight line between two cells, if every move along it is legal.
pub(super) fn straight_line(problem: &Problem<'_>, (from, to): (Cell, Cell)) -> Option<Vec<Cell>> {
    let allow_unknown = problem.snapshot().rules().allow_unknown();
    legal_line(problem.map(), from, to, allow_unknown)
}

/// The way between two cells of a small rectangle: straight on where that is legal, or else the best one
/// inside it.
pub(super) fn way_within(
    problem: &Problem<'_>,
    ends: (Cell, Cell),
    within: Bounds,
) -> Option<Vec<Cell>> {
    straight_line(problem, ends).or_else(|| {
        let rectangle = Corridor::rectangle(within);
        rectangle.best_way(problem, ends, &mut Search::new(), &Termination::never())
    })
}

/// A path without the detours that its legs make: near each of its ends it goes straight on where that is
/// legal and costs less.
pub(super) fn straight_ends(
    problem: &Problem<'_>,
    mut cells: Vec<Cell>,
    places: &[Cell],
) -> Vec<Cell> {
    let Some((&start, &goal)) = cells.first().zip(cells.last()) else {
        return cells;
    };
    let near = LEG_SPAN + 1;
    let whole = (places.len() < near).then_some((start, goal));
    let after_start = places.iter().take(near).rev();
    let before_goal = &places[places.len().saturating_sub(near)..];
    let at_start: Vec<_> = whole
        .into_iter()
        .chain(after_start.map(|&to| (start, to)))
        .collect();
    let at_goal: Vec<_> = before_goal.iter().map(|&from| (from, goal)).collect();
    for lines in [at_start, at_goal] {
        let straight = lines
            .into_iter()
            .find_map(|ends| straightened(problem, &cells, ends));
        cells = straight.unwrap_or(cells);
    }
    cells
}

/// A path that goes straight on between two of its cells; `None` where that is not legal, or costs no less.
fn straightened(
    problem: &Problem<'_>,
    cells: &[Cell],
    (from, to): (Cell, Cell),
) -> Option<Vec<Cell>> {
    let at = |end: Cell| cells.iter().position(|&cell| cell == end);
    let (first, last) = (at(from)?, at(to)?);
    let line = straight_line(problem, (from, to))?;
    let cost = |cells: &[Cell]| grid_travel_cost(problem, cells);
    if cost(&line) >= cost(cells.get(first..=last)?) {
        return None;
    }
    let mut path = LoopFree::default();
    let parts = [&cells[..first], &line, &cells[last + 1..]];
    parts
        .into_iter()
        .flatten()
        .for_each(|&cell| path.push(cell));
    Some(path.cells)
}

/// A path in which every cell comes once.
#[derive(Default)]
pub(super) struct LoopFree {
    pub cells: Vec<Cell>,
    places: HashMap<Cell, usize>,
}

impl LoopFree {
    /// Adds a cell, or, if the path has been there, goes back to it.
    pub fn push(&mut self, cell: Cell) {
        if let Some(&place) = self.places.get(&cell) {
            for left_out in self.cells.drain(place + 1..) {
                self.places.remove(&left_out);
            }
            return;
        }
        self.places.insert(cell, self.cells.len());
        self.cells.push(cell);
    }
}
