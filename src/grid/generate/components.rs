//! Which cells reach each other.
//!
//! A diagonal move needs both its side cells, so whatever is reachable is reachable by straight
//! moves: the components are those of the four straight neighbours.

use crate::grid::Costmap;

/// The label of a cell that belongs to no component.
pub const NO_COMPONENT: u32 = u32::MAX;

/// The connected components of a map; the buffers are kept from one map to the next.
#[derive(Debug, Clone, Default)]
pub struct Components {
    labels: Vec<u32>,
    /// The traversable cells, component after component.
    cells: Vec<u32>,
    /// Where each component begins in `cells`.
    starts: Vec<usize>,
}

impl Components {
    /// The components of a map's traversable cells; unknown cells belong to none.
    pub fn of(map: &Costmap) -> Self {
        let mut components = Self::default();
        components.label(map);
        components
    }

    /// As [`Components::of`], into these buffers.
    pub fn label(&mut self, map: &Costmap) {
        let passable = |index: usize| map.costs()[index].is_traversable(false);
        self.label_where(map.geometry().height(), map.geometry().width(), passable);
    }

    /// The components of the row-major cells that are `passable`.
    pub(super) fn label_where(
        &mut self,
        height: usize,
        width: usize,
        passable: impl Fn(usize) -> bool,
    ) {
        let Self {
            labels,
            cells,
            starts,
        } = self;
        labels.clear();
        labels.resize(height * width, NO_COMPONENT);
        cells.clear();
        starts.clear();
        for seed in 0..labels.len() {
            if labels[seed] != NO_COMPONENT || !passable(seed) {
                continue;
            }
            let label = starts.len() as u32;
            // The list of the component's cells is also the queue of those still to be visited.
            let mut next = cells.len();
            starts.push(next);
            labels[seed] = label;
            cells.push(seed as u32);
            while next < cells.len() {
                let index = cells[next] as usize;
                next += 1;
                for_straight_neighbours(index, height, width, |neighbour| {
                    if labels[neighbour] == NO_COMPONENT && passable(neighbour) {
                        labels[neighbour] = label;
                        cells.push(neighbour as u32);
                    }
                });
            }
        }
    }

    /// How many components there are.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The component of each cell, row-major; [`NO_COMPONENT`] where a robot cannot be.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The row-major indices of one component's cells; empty for a label that no cell has.
    pub fn cells(&self, label: u32) -> &[u32] {
        let label = label as usize;
        let Some(&start) = self.starts.get(label) else {
            return &[];
        };
        let end = self.starts.get(label + 1).copied();
        &self.cells[start..end.unwrap_or(self.cells.len())]
    }

    /// The label of the component with the most cells, the first of equals.
    pub fn largest(&self) -> Option<u32> {
        // `max_by_key` keeps the last of equals.
        (0..self.count() as u32)
            .rev()
            .max_by_key(|&label| self.cells(label).len())
    }
}

/// Calls `visit` with the row-major index of each straight neighbour of a cell. (An iterator over
/// up to four neighbours took twice the time in these innermost loops.)
#[inline]
pub(super) fn for_straight_neighbours(
    index: usize,
    height: usize,
    width: usize,
    mut visit: impl FnMut(usize),
) {
    // Dividing 32-bit numbers takes a fraction of the time; grids have fewer cells than 2^32.
    let (row, col) = (index as u32 / width as u32, index as u32 % width as u32);
    if col as usize + 1 < width {
        visit(index + 1);
    }
    if row as usize + 1 < height {
        visit(index + width);
    }
    if col > 0 {
        visit(index - 1);
    }
    if row > 0 {
        visit(index - width);
    }
}
