//! The robot's own surroundings, where it may be although the inflated map says that it may not.
//!
//! A robot that stands beside an obstacle, or in a spot that was never observed, must be able to
//! leave (nav2 #6120). This is the one definition of what is relaxed for it: the cells whose
//! centres lie within the robot's radius of its start cell's centre, unless an obstacle is recorded
//! in them. Everything else asks here: checks, planning and the verifier.

use std::borrow::Cow;

use super::Snapshot;
use crate::grid::{Cell, Cost, Costmap};

/// What crossing a relaxed cell costs: as much as a cell can, so that plans leave by the shortest way.
pub const RELAXED_COST: Cost = Cost::MAX_TRAVERSABLE;

/// The row-major indices, ascending, of the cells that are blocked on the inflated map but relaxed
/// for a robot that starts in `start`, a cell of the map.
pub fn relaxed_cells(snapshot: &Snapshot, start: Cell) -> Vec<usize> {
    let geometry = snapshot.geometry();
    let allow_unknown = snapshot.rules().allow_unknown();
    let radius = snapshot.robot_radius_m() / geometry.resolution();
    let reach = radius as usize; // saturates for tiny cells
    let (rows, cols) = geometry.around(start, reach);
    let mut relaxed = Vec::new();
    for row in rows {
        for col in cols.clone() {
            let distance = (row.abs_diff(start.row) as f64).hypot(col.abs_diff(start.col) as f64);
            let index = geometry.index(Cell::new(row, col));
            let blocked = !snapshot.inflated().costs()[index].is_traversable(allow_unknown);
            if blocked && distance <= radius && !snapshot.is_obstacle(index) {
                relaxed.push(index);
            }
        }
    }
    relaxed
}

/// The inflated map with these cells relaxed: what a request is planned on.
pub(super) fn relaxed_map<'a>(snapshot: &'a Snapshot, relaxed: &[usize]) -> Cow<'a, Costmap> {
    let mut map = Cow::Borrowed(snapshot.inflated());
    for &index in relaxed {
        map.to_mut().costs_mut()[index] = RELAXED_COST;
    }
    map
}
