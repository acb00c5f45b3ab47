//! Points between the cells, in grid coordinates.

use crate::grid::{Cell, Geometry};

/// A point in grid coordinates: cells along +x and +y of the grid from its lower left corner, so
/// that cell (row, col) covers `col <= u < col + 1` and `row <= v < row + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub u: f64,
    pub v: f64,
}

impl Point {
    /// A cell's centre.
    pub fn centre(cell: Cell) -> Self {
        Self {
            u: cell.col as f64 + 0.5,
            v: cell.row as f64 + 0.5,
        }
    }

    /// Where a world point lies; see [`Geometry::world_to_grid`].
    pub fn from_world(geometry: &Geometry, x: f64, y: f64) -> Self {
        let (u, v) = geometry.world_to_grid(x, y);
        Self { u, v }
    }

    /// The world point; see [`Geometry::grid_to_world`].
    pub fn to_world(self, geometry: &Geometry) -> (f64, f64) {
        geometry.grid_to_world(self.u, self.v)
    }

    /// Straight-line distance, cells.
    pub fn distance(self, other: Self) -> f64 {
        (self.u - other.u).hypot(self.v - other.v)
    }

    /// The point at share `t` of the way to another.
    pub fn towards(self, other: Self, t: f64) -> Self {
        Self {
            u: self.u + t * (other.u - self.u),
            v: self.v + t * (other.v - self.v),
        }
    }
}

/// Whether f64 can tell this grid's cells apart wherever they lie: a centre survives the way into
/// the world and back to within a hundred-thousandth of a cell. Fails for origins very far away.
pub(super) fn is_representable(geometry: &Geometry) -> bool {
    let (top, right) = (geometry.height() - 1, geometry.width() - 1);
    [(0, 0), (0, right), (top, 0), (top, right)]
        .into_iter()
        .all(|(row, col)| {
            let centre = Point::centre(Cell::new(row, col));
            let (x, y) = centre.to_world(geometry);
            // A NaN is not less.
            Point::from_world(geometry, x, y).distance(centre) < 1e-5
        })
}
