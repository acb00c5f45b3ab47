//! A map turned by any angle and enlarged: straight walls become jagged slanted ones, corridors of
//! one cell become halls.

use crate::grid::generate::SIDES;
use crate::grid::generate::canvas::unit_costmap;
use crate::grid::{Cost, Costmap};

/// The largest scale, cells per cell of the source.
pub const MAX_SCALE: f64 = 8.0;

/// Fraction bits of a position in the source: over 2^13 cells fit above them with room to spare.
const FRACTION: u32 = 32;

/// How a map is resampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// The angle by which the map turns counter-clockwise, radians.
    pub angle: f64,
    /// Cells per cell of the source, 1..=[`MAX_SCALE`]; moved to the nearer end.
    pub scale: f64,
    /// The point of the source that comes to lie at the window's centre, (row, column) in cells.
    pub centre: (f64, f64),
    /// What lies outside of the source: lethal or unknown.
    pub outside: Cost,
}

impl Turn {
    /// The rows and columns of a source that covers a window of `height` x `width` cells.
    pub fn source_size(&self, height: usize, width: usize) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (height, width) = (height as f64 / self.scale(), width as f64 / self.scale());
        (
            height * cos.abs() + width * sin.abs(),
            height * sin.abs() + width * cos.abs(),
        )
    }

    fn scale(&self) -> f64 {
        self.scale.clamp(1.0, MAX_SCALE)
    }
}

/// The map turned and enlarged about a point of it, seen through a window of `height` x `width`
/// cells (moved into [`SIDES`]): each cell is what lies at its centre. Unit geometry.
pub fn turned(map: &Costmap, turn: &Turn, height: usize, width: usize) -> Costmap {
    let height = height.clamp(*SIDES.start(), *SIDES.end());
    let width = width.clamp(*SIDES.start(), *SIDES.end());
    let (rows, cols) = (map.geometry().height(), map.geometry().width());
    let (sin, cos) = turn.angle.sin_cos();
    let (sin, cos) = (sin / turn.scale(), cos / turn.scale());
    let fixed = |cells: f64| (cells * (1_u64 << FRACTION) as f64).round() as i64;
    let (row_step, col_step) = (fixed(-sin), fixed(cos));

    let mut costs = Vec::with_capacity(height * width);
    for row in 0..height {
        // The first cell's centre from that of the window, y up and x right.
        let y = row as f64 + 0.5 - height as f64 / 2.0;
        let x = 0.5 - width as f64 / 2.0;
        let mut source_row = fixed(turn.centre.0 + cos * y - sin * x);
        let mut source_col = fixed(turn.centre.1 + sin * y + cos * x);
        costs.extend((0..width).map(|_| {
            // Below zero becomes beyond the last.
            let row = (source_row >> FRACTION) as usize;
            let col = (source_col >> FRACTION) as usize;
            source_row += row_step;
            source_col += col_step;
            if row < rows && col < cols {
                map.costs()[row * cols + col]
            } else {
                turn.outside
            }
        }));
    }
    unit_costmap(height, width, costs)
}
