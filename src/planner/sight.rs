//! Straight lines between points: what they cost, and whether they may be driven.

use super::frame::Point;
use crate::grid::{Cost, Costmap};
use crate::search::Rules;

/// How far a line must stay from blocked cells, in cells. It makes lines valid whatever the
/// rounding on their way into the world and back, and is small beside any robot.
const CLEARANCE: f64 = 1e-4;

/// A map and the rules by which lines on it are judged.
#[derive(Debug, Clone)]
pub(super) struct Sight<'a> {
    map: &'a Costmap,
    /// Of each cost, what a cell's length in it counts; infinite if it is blocked. Lines ask for it at every
    /// cell.
    multipliers: [f64; 256],
}

impl<'a> Sight<'a> {
    pub fn new(map: &'a Costmap, rules: &Rules) -> Self {
        let multiplier = |cost: usize| rules.multiplier(Cost(cost as u8));
        Self {
            map,
            multipliers: std::array::from_fn(|cost| multiplier(cost).unwrap_or(f64::INFINITY)),
        }
    }

    /// Travel cost of the line, in cells: length x (1 + `cost_weight` x cost / 252), summed over
    /// the stretch inside each cell. Blocked cells count as the highest traversable cost.
    pub fn cost(&self, from: Point, to: Point) -> f64 {
        let mut sum = 0.0;
        stretches(from, to, 0.0, |row, col, length| {
            let multiplier = self.multiplier_at(row, col);
            let worst = self.multipliers[usize::from(Cost::MAX_TRAVERSABLE.0)];
            sum += length
                * if multiplier.is_finite() {
                    multiplier
                } else {
                    worst
                };
            true
        });
        sum
    }

    /// As [`Sight::cost`], or `None` if the line comes nearer than [`CLEARANCE`] to a blocked cell
    /// or to the world beyond the map.
    pub fn clear_cost(&self, from: Point, to: Point) -> Option<f64> {
        self.clear_cost_within(from, to, f64::INFINITY)
    }

    /// As [`Sight::clear_cost`], or `None` if that is above `most`.
    pub fn clear_cost_within(&self, from: Point, to: Point, most: f64) -> Option<f64> {
        // What is left of the line costs its length at least, so its end need not be looked at to know that
        // it costs too much.
        let spare = most - from.distance(to);
        let (mut sum, mut seen) = (0.0, 0.0);
        let is_clear = stretches(from, to, CLEARANCE, |row, col, stretch| {
            let multiplier = self.multiplier_at(row, col);
            if multiplier == f64::INFINITY {
                return false;
            }
            sum += stretch * multiplier;
            seen += stretch;
            sum - seen <= spare
        });
        is_clear.then_some(sum)
    }

    /// Infinite for blocked cells and beyond the map.
    fn multiplier_at(&self, row: i64, col: i64) -> f64 {
        let geometry = self.map.geometry();
        let (height, width) = (geometry.height() as i64, geometry.width() as i64);
        if !(0..height).contains(&row) || !(0..width).contains(&col) {
            return f64::INFINITY;
        }
        let cost = self.map.costs()[(row * width + col) as usize];
        self.multipliers[usize::from(cost.0)]
    }
}

/// Calls `visit` with the row and column of every cell within `margin` of the line (measured along
/// the axes) and the line's length inside it, 0 for cells it only comes near. Stops, and is false,
/// when `visit` is.
///
/// Goes from column to column, and in each through the rows between where the line enters the
/// column and where it leaves it.
fn stretches(
    from: Point,
    to: Point,
    margin: f64,
    mut visit: impl FnMut(i64, i64, f64) -> bool,
) -> bool {
    let (left, right) = if from.u <= to.u {
        (from, to)
    } else {
        (to, from)
    };
    let length = left.distance(right);
    let run = right.u - left.u;
    let (rise, length_per_run) = if run > 0.0 {
        ((right.v - left.v) / run, length / run)
    } else {
        (0.0, 0.0)
    };
    // Where the line is at a column's border; a vertical line is everywhere at once.
    let height_at = |u: f64, at_vertical: f64| {
        if run > 0.0 {
            left.v + rise * (u - left.u).clamp(0.0, run)
        } else {
            at_vertical
        }
    };
    let columns = (left.u - margin).floor() as i64..=(right.u + margin).floor() as i64;
    for col in columns {
        let (border, next_border) = (col as f64, (col + 1) as f64);
        let enters = height_at(border, left.v);
        let leaves = height_at(next_border, right.v);
        let (low, high) = (enters.min(leaves), enters.max(leaves));
        // Of the column within the margin, too: a line that all but runs along a border is near the
        // cells beyond it for its whole length.
        let near = [
            height_at(border - margin, left.v),
            height_at(next_border + margin, right.v),
        ];
        let lowest = near[0].min(near[1]).min(low);
        let highest = near[0].max(near[1]).max(high);
        let in_column = if run > 0.0 {
            let overlap = next_border.min(right.u) - border.max(left.u);
            overlap.max(0.0) * length_per_run
        } else if left.u.floor() as i64 == col {
            length
        } else {
            0.0
        };
        let per_height = in_column / (high - low);
        for row in (lowest - margin).floor() as i64..=(highest + margin).floor() as i64 {
            let overlap = ((row + 1) as f64).min(high) - (row as f64).max(low);
            let in_cell = if high > low {
                overlap.max(0.0) * per_height
            } else if low.floor() as i64 == row {
                in_column
            } else {
                0.0
            };
            if !visit(row, col, in_cell) {
                return false;
            }
        }
    }
    true
}
