//! The computation of fields, by Dijkstra's algorithm from the goal backwards.

use super::moves::index_steps;
use super::workspace::{Search, check_goal, max_move_cost};
use super::{Field, Rules, Stop, Termination};
use crate::Result;
use crate::grid::{Cell, Costmap, Move};

/// Settled cells between two looks at the clock and the cancel flag: some 0.2 ms.
const CELLS_PER_POLL: u64 = 8192;

impl Search {
    /// Computes the field of `goal` into `field`, whose buffer is reused.
    ///
    /// # Errors
    /// [`Error::CellOutside`](crate::Error::CellOutside) or
    /// [`Error::GoalBlocked`](crate::Error::GoalBlocked): the goal must be a traversable cell of the
    /// map. [`Error::TooManyCells`](crate::Error::TooManyCells) for maps of 2^32 cells or more.
    /// `field` then keeps its contents.
    pub fn field_into(
        &mut self,
        map: &Costmap,
        goal: Cell,
        rules: &Rules,
        field: &mut Field,
    ) -> Result<()> {
        // Never stops, so there is no reason to look at.
        self.field_until(map, goal, rules, &Termination::never(), field)?;
        Ok(())
    }

    /// The field of `goal`, or `None` where it has none or was stopped.
    pub fn field_in_time(
        &mut self,
        map: &Costmap,
        goal: Cell,
        rules: &Rules,
        termination: &Termination,
    ) -> Option<Field> {
        let mut field = Field::default();
        let stop = self.field_until(map, goal, rules, termination, &mut field);
        matches!(stop, Ok(None)).then_some(field)
    }

    /// As [`Search::field_into`], under a termination whose iterations are settled cells. If it
    /// stopped, it says why, and `field` is only right where its cost is below that of the cell
    /// settled last: do not use it.
    ///
    /// Buckets one cell wide need no order inside them: every move costs at least 1, so nothing
    /// reached from a bucket falls into the same bucket, and when a bucket becomes the lowest, its
    /// costs are final. (Rounding keeps this: `a + b >= a + 1` also after rounding, and whole
    /// numbers are exact.)
    ///
    /// # Errors
    /// As [`Search::field_into`].
    pub fn field_until(
        &mut self,
        map: &Costmap,
        goal: Cell,
        rules: &Rules,
        termination: &Termination,
        field: &mut Field,
    ) -> Result<Option<Stop>> {
        check_goal(map, goal, rules)?;
        let geometry = map.geometry();
        field.width = geometry.width();
        field.height = geometry.height();
        field.goal = goal;
        field.values.clear();
        field.values.resize(geometry.cells(), f64::INFINITY);

        let multipliers = rules.multipliers();
        let moves = rules.moves().set();
        self.legal.update(map, rules.allow_unknown());
        let steps = index_steps(geometry.width());
        let costs = map.costs();
        let values = &mut field.values;
        self.queue.reset(max_move_cost(rules));

        let goal_index = geometry.index(goal);
        values[goal_index] = 0.0;
        self.queue.push(0, goal_index as u32);
        let (mut settled, mut next_poll) = (0, 0);
        loop {
            if settled >= next_poll {
                if let Some(stop) = termination.reason_after(settled) {
                    return Ok(Some(stop));
                }
                let max = termination.max_iterations().unwrap_or(u64::MAX);
                next_poll = (settled + CELLS_PER_POLL).min(max);
            }
            let Some((level, index)) = self.queue.pop() else {
                return Ok(None);
            };
            let index = index as usize;
            let value = values[index];
            if value < level as f64 {
                continue; // was moved to a lower bucket since
            }
            settled += 1;
            // Between traversable cells a move is legal if and only if its opposite is, so the
            // legal moves from here are also those that lead here, and all enter this one cell.
            let multiplier = multipliers[costs[index].0 as usize];
            let through = [
                value + multiplier,
                value + std::f64::consts::SQRT_2 * multiplier,
            ];
            let levels = through.map(|cost| cost as u64);
            let bucket_ends = levels.map(|level| (level + 1) as f64);
            let mut legal = self.legal.of_cell[index] & moves;
            while legal != 0 {
                let mv = Move::from_index(legal.trailing_zeros() as usize);
                legal &= legal - 1;
                let from = index.wrapping_add_signed(steps[mv.index()]);
                let kind = usize::from(mv.is_diagonal());
                let known = values[from];
                if through[kind] < known {
                    values[from] = through[kind];
                    // A cell that stays in its bucket is already waiting there.
                    if known >= bucket_ends[kind] {
                        self.queue.push(levels[kind], from as u32);
                    }
                }
            }
        }
    }
}
