//! [`Search`]: the buffers of fields and paths, kept from call to call, and the computation of
//! fields.

use super::buckets::BucketQueue;
use super::moves::{index_steps, legal_moves};
use super::{Field, Rules};
use crate::grid::{Cell, Costmap, Move};
use crate::{Error, Result};

/// A reusable workspace: after the first call, calls on maps of the same size allocate nothing but
/// what they return. Costs nothing until used; one per thread.
#[derive(Debug, Default)]
pub struct Search {
    queue: BucketQueue,
}

impl Search {
    /// An empty workspace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Computes the field of `goal` into `field`, whose buffer is reused.
    ///
    /// This is Dijkstra's algorithm from the goal backwards. Buckets one cell wide need no order
    /// inside them: every move costs at least 1, so nothing reached from a bucket falls into the
    /// same bucket, and when a bucket becomes the lowest, its costs are final. (Rounding keeps
    /// this: `a + b >= a + 1` also after rounding, and whole numbers are exact.)
    ///
    /// # Errors
    /// [`Error::CellOutside`] or [`Error::GoalBlocked`]: the goal must be a traversable cell of the
    /// map. [`Error::TooManyCells`] for maps of 2^32 cells or more. `field` then keeps its contents.
    pub fn field_into(
        &mut self,
        map: &Costmap,
        goal: Cell,
        rules: &Rules,
        field: &mut Field,
    ) -> Result<()> {
        check_goal(map, goal, rules)?;
        let geometry = map.geometry();
        let (width, height) = (geometry.width(), geometry.height());
        field.width = width;
        field.height = height;
        field.goal = goal;
        field.values.clear();
        field.values.resize(geometry.cells(), f64::INFINITY);

        let multipliers = rules.multipliers();
        let steps = index_steps(width);
        let costs = map.costs();
        let values = &mut field.values;
        self.queue.reset(max_move_cost(rules));

        let goal_index = geometry.index(goal);
        values[goal_index] = 0.0;
        self.queue.push(0, goal_index as u32);
        while let Some((level, index)) = self.queue.pop() {
            let index = index as usize;
            let value = values[index];
            if value as u64 != level {
                continue; // was moved to a lower bucket since
            }
            // Between traversable cells a move is legal if and only if its opposite is, so the
            // legal moves from here are also those that lead here, and all enter this one cell.
            let mut legal = legal_moves(map, geometry.cell(index), rules.allow_unknown());
            let multiplier = multipliers[costs[index].0 as usize];
            while legal != 0 {
                let mv = Move::from_index(legal.trailing_zeros() as usize);
                legal &= legal - 1;
                let from = index.wrapping_add_signed(steps[mv.index()]);
                let through = value + mv.length() * multiplier;
                let known = values[from];
                if through < known {
                    values[from] = through;
                    // A cell that stays in its bucket is already waiting there.
                    if through as u64 != known as u64 {
                        self.queue.push(through as u64, from as u32);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The most that one move can cost, in cells.
fn max_move_cost(rules: &Rules) -> f64 {
    std::f64::consts::SQRT_2 * (1.0 + rules.cost_weight())
}

/// Whether `goal` can be a goal on this map.
fn check_goal(map: &Costmap, goal: Cell, rules: &Rules) -> Result<()> {
    check_inside(map, goal)?;
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

/// Whether `cell` is one of this map.
fn check_inside(map: &Costmap, cell: Cell) -> Result<()> {
    let geometry = map.geometry();
    if cell.row >= geometry.height() || cell.col >= geometry.width() {
        return Err(Error::CellOutside {
            row: cell.row,
            col: cell.col,
            width: geometry.width(),
            height: geometry.height(),
        });
    }
    Ok(())
}
