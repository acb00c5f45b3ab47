//! Where a grid lies in the world, and how cells and metres convert.
//!
//! Row 0 is the map's bottom (+y up), column 0 its left (+x right), as in
//! `nav_msgs/OccupancyGrid`; data is row-major. World coordinates are metres in the map frame.

use std::ops::Range;

use crate::{Error, Result};

/// Grids over this many cells are rejected unless the user raises the limit (8192 x 8192).
pub const DEFAULT_MAX_CELLS: usize = 1 << 26;

/// A cell of a grid. Row 0 is the bottom of the map, column 0 its left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// Counted along +y of the grid.
    pub row: usize,
    /// Counted along +x of the grid.
    pub col: usize,
}

impl Cell {
    /// A cell from its row and column.
    pub const fn new(row: usize, col: usize) -> Self {
        Self { row, col }
    }

    /// Octile distance to another cell, in cells: the length of the shortest path between the two
    /// on an open grid.
    #[inline]
    pub fn octile_distance(self, other: Self) -> f64 {
        let rows = self.row.abs_diff(other.row) as f64;
        let cols = self.col.abs_diff(other.col) as f64;
        rows.max(cols) + (std::f64::consts::SQRT_2 - 1.0) * rows.min(cols)
    }
}

/// A pose in the plane: metres in the map frame, yaw in radians, counter-clockwise from +x.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Pose2 {
    /// Metres.
    pub x: f64,
    /// Metres.
    pub y: f64,
    /// Radians.
    pub yaw: f64,
}

impl Pose2 {
    /// A pose from metres and radians.
    pub const fn new(x: f64, y: f64, yaw: f64) -> Self {
        Self { x, y, yaw }
    }

    /// Whether all three numbers are finite.
    pub fn is_finite(&self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.yaw.is_finite()
    }

    /// Straight-line distance to another pose, metres.
    pub fn distance(&self, other: &Pose2) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// One of the eight neighbours a robot can move to.
///
/// Numbered counter-clockwise from +x, so that a move's heading is `index * 45` degrees and odd
/// moves are diagonal. This order is also that of the model's move logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Move(u8);

impl Move {
    /// All eight, in order: E, NE, N, NW, W, SW, S, SE.
    pub const ALL: [Move; 8] = [
        Move(0),
        Move(1),
        Move(2),
        Move(3),
        Move(4),
        Move(5),
        Move(6),
        Move(7),
    ];

    const STEPS: [(isize, isize); 8] = [
        (0, 1),
        (1, 1),
        (1, 0),
        (1, -1),
        (0, -1),
        (-1, -1),
        (-1, 0),
        (-1, 1),
    ];

    /// The move with this index, 0..8, taken modulo 8.
    pub const fn from_index(index: usize) -> Self {
        Move((index & 7) as u8)
    }

    /// 0..8, counter-clockwise from +x.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Rows and columns moved.
    pub const fn step(self) -> (isize, isize) {
        Self::STEPS[self.0 as usize]
    }

    /// Whether both row and column change.
    pub const fn is_diagonal(self) -> bool {
        self.0 & 1 == 1
    }

    /// Octile length in cells: 1 or the square root of 2.
    pub const fn length(self) -> f64 {
        if self.is_diagonal() {
            std::f64::consts::SQRT_2
        } else {
            1.0
        }
    }

    /// The move from a cell to its neighbour, or `None` if the two are no neighbours.
    pub fn between(from: Cell, to: Cell) -> Option<Self> {
        let step = (
            to.row as isize - from.row as isize,
            to.col as isize - from.col as isize,
        );
        Self::ALL.into_iter().find(|mv| mv.step() == step)
    }

    /// The move back.
    #[must_use]
    pub const fn opposite(self) -> Self {
        Move((self.0 + 4) & 7)
    }
}

/// Size, resolution and origin of a grid (`nav_msgs/MapMetaData`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    width: usize,
    height: usize,
    resolution: f64,
    origin: Pose2,
}

impl Geometry {
    /// A grid of `width` x `height` cells of `resolution` metres, whose lower left corner (the
    /// corner of cell (0, 0), not its centre) is at `origin`.
    ///
    /// # Errors
    /// A zero side, a side product over [`DEFAULT_MAX_CELLS`], a resolution that is not positive
    /// and finite, or an origin that is not finite.
    pub fn new(width: usize, height: usize, resolution: f64, origin: Pose2) -> Result<Self> {
        Self::with_max_cells(width, height, resolution, origin, DEFAULT_MAX_CELLS)
    }

    /// As [`Geometry::new`] with a limit of one's own on the number of cells.
    ///
    /// # Errors
    /// As [`Geometry::new`].
    pub fn with_max_cells(
        width: usize,
        height: usize,
        resolution: f64,
        origin: Pose2,
        max_cells: usize,
    ) -> Result<Self> {
        if width == 0 || height == 0 {
            return Err(Error::EmptyGrid { width, height });
        }
        let cells = width.saturating_mul(height);
        if cells > max_cells {
            return Err(Error::TooManyCells { cells, max_cells });
        }
        if !(resolution.is_finite() && resolution > 0.0) {
            return Err(Error::Resolution { resolution });
        }
        if !origin.is_finite() {
            return Err(Error::Origin {
                x: origin.x,
                y: origin.y,
                yaw: origin.yaw,
            });
        }
        Ok(Self {
            width,
            height,
            resolution,
            origin,
        })
    }

    /// A grid of unit cells at the world's origin, for benchmarks and generated maps.
    ///
    /// # Errors
    /// As [`Geometry::new`].
    pub fn unit(width: usize, height: usize) -> Result<Self> {
        Self::new(width, height, 1.0, Pose2::default())
    }

    /// Cells along x.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Cells along y.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width x height.
    pub fn cells(&self) -> usize {
        self.width * self.height
    }

    /// Metres per cell.
    pub fn resolution(&self) -> f64 {
        self.resolution
    }

    /// The pose of the lower left corner of cell (0, 0) in the map frame.
    pub fn origin(&self) -> Pose2 {
        self.origin
    }

    /// That a cell is one of this grid's.
    ///
    /// # Errors
    /// [`Error::CellOutside`] if it is not.
    pub fn check_inside(&self, cell: Cell) -> Result<()> {
        if cell.row < self.height && cell.col < self.width {
            return Ok(());
        }
        Err(Error::CellOutside {
            row: cell.row,
            col: cell.col,
            width: self.width,
            height: self.height,
        })
    }

    /// Row-major index of a cell of this grid.
    #[inline]
    pub fn index(&self, cell: Cell) -> usize {
        debug_assert!(cell.row < self.height && cell.col < self.width);
        cell.row * self.width + cell.col
    }

    /// The cell at a row-major index.
    #[inline]
    pub fn cell(&self, index: usize) -> Cell {
        Cell {
            row: index / self.width,
            col: index % self.width,
        }
    }

    /// The rows and the columns that are at most `reach` away from a cell's own, as far as there are any.
    pub fn around(&self, cell: Cell, reach: usize) -> (Range<usize>, Range<usize>) {
        let near = |at: usize, count: usize| {
            at.saturating_sub(reach)..at.saturating_add(reach).saturating_add(1).min(count)
        };
        (near(cell.row, self.height), near(cell.col, self.width))
    }

    /// The neighbour a move leads to, or `None` past the border.
    #[inline]
    pub fn neighbour(&self, cell: Cell, mv: Move) -> Option<Cell> {
        let (dr, dc) = mv.step();
        let row = cell.row.checked_add_signed(dr)?;
        let col = cell.col.checked_add_signed(dc)?;
        (row < self.height && col < self.width).then_some(Cell { row, col })
    }

    /// Where a world point (metres, map frame) lies in the grid: cells along +x and +y of the grid
    /// from its lower left corner, so that cell (row, col) covers `col <= u < col + 1` and
    /// `row <= v < row + 1`.
    pub fn world_to_grid(&self, x: f64, y: f64) -> (f64, f64) {
        let (sin, cos) = self.origin.yaw.sin_cos();
        let (dx, dy) = (x - self.origin.x, y - self.origin.y);
        (
            (dx * cos + dy * sin) / self.resolution,
            (dy * cos - dx * sin) / self.resolution,
        )
    }

    /// The world point (metres, map frame) at (u, v) of [`Geometry::world_to_grid`].
    pub fn grid_to_world(&self, u: f64, v: f64) -> (f64, f64) {
        let (sin, cos) = self.origin.yaw.sin_cos();
        let (u, v) = (u * self.resolution, v * self.resolution);
        (
            self.origin.x + u * cos - v * sin,
            self.origin.y + u * sin + v * cos,
        )
    }

    /// The cell that holds a world point, or `None` outside the grid or for a point that is not
    /// finite. Borders belong to the cell above and right (floor).
    pub fn world_to_cell(&self, x: f64, y: f64) -> Option<Cell> {
        let (u, v) = self.world_to_grid(x, y);
        let (col, row) = (u.floor(), v.floor());
        // A NaN fails both comparisons.
        let inside =
            col >= 0.0 && row >= 0.0 && col < self.width as f64 && row < self.height as f64;
        inside.then_some(Cell {
            row: row as usize,
            col: col as usize,
        })
    }

    /// The world point at a cell's centre, metres (x, y).
    pub fn cell_to_world(&self, cell: Cell) -> (f64, f64) {
        self.grid_to_world(cell.col as f64 + 0.5, cell.row as f64 + 0.5)
    }
}
