//! [`Search`]: the buffers of fields and paths, kept from call to call, and the checks they share.

use super::Rules;
use super::buckets::BucketQueue;
use super::marks::Mark;
use super::moves::LegalMoves;
use crate::grid::{Cell, Costmap};
use crate::{Error, Result};

/// A reusable workspace: once warm, calls on maps of the same size allocate nothing but what they
/// return (a bucket may still grow once in a while). Costs nothing until used; one per thread.
#[derive(Debug, Default)]
pub struct Search {
    pub(super) queue: BucketQueue,
    /// Of the latest field's map.
    pub(super) legal: LegalMoves,
    /// Of every cell of the largest map so far.
    pub(super) marks: Vec<Mark>,
    /// Travel cost from the start in cells, where the mark is of the latest call.
    pub(super) costs: Vec<f64>,
    /// Counts calls, so that marks need not be cleared.
    pub(super) generation: u32,
}

impl Search {
    /// An empty workspace.
    pub fn new() -> Self {
        Self::default()
    }
}

/// The most that one move can cost, in cells.
pub(super) fn max_move_cost(rules: &Rules) -> f64 {
    std::f64::consts::SQRT_2 * (1.0 + rules.cost_weight())
}

/// Whether `goal` can be a goal on this map.
pub(super) fn check_goal(map: &Costmap, goal: Cell, rules: &Rules) -> Result<()> {
    map.geometry().check_inside(goal)?;
    if !map.cost(goal).is_traversable(rules.allow_unknown()) {
        return Err(Error::GoalBlocked {
            row: goal.row,
            col: goal.col,
            cost: map.cost(goal).0,
        });
    }
    let cells = map.geometry().cells();
    if u32::try_from(cells).is_err() {
        return Err(Error::TooManyCells {
            cells,
            max_cells: u32::MAX as usize,
        });
    }
    Ok(())
}
