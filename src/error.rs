//! The one error type of this crate. Messages say what is wrong, with the values, and what to do.

use std::path::PathBuf;

/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}; check that the file exists and may be accessed")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A grid's width or height is zero.
    #[error("the grid is {width} x {height} cells; both must be at least 1")]
    EmptyGrid {
        /// Cells along x.
        width: usize,
        /// Cells along y.
        height: usize,
    },
    /// The number of values differs from width x height.
    #[error("the grid has {actual} values, but {width} x {height} needs {expected}", expected = width * height)]
    DataLength {
        /// Cells along x.
        width: usize,
        /// Cells along y.
        height: usize,
        /// Values given.
        actual: usize,
    },
    /// The resolution is not a positive, finite number.
    #[error("the resolution is {resolution} m/cell; it must be a positive, finite number")]
    Resolution {
        /// Metres per cell.
        resolution: f64,
    },
    /// The origin is not finite.
    #[error("the origin is ({x}, {y}, {yaw}); all three must be finite")]
    Origin {
        /// Metres.
        x: f64,
        /// Metres.
        y: f64,
        /// Radians.
        yaw: f64,
    },
    /// The grid has more cells than allowed.
    #[error(
        "the grid has {cells} cells, over the limit of {max_cells}; raise max_cells or use a coarser map"
    )]
    TooManyCells {
        /// Cells of the grid.
        cells: usize,
        /// The limit.
        max_cells: usize,
    },
    /// The cost weight is outside its range.
    #[error("the cost weight is {cost_weight}; it must be within 0 to {max}")]
    CostWeight {
        /// As given.
        cost_weight: f64,
        /// The largest allowed.
        max: f64,
    },
    /// A cell is not one of the grid's.
    #[error("cell (row {row}, col {col}) is outside the grid of {width} x {height} cells")]
    CellOutside {
        /// As given.
        row: usize,
        /// As given.
        col: usize,
        /// Cells along x.
        width: usize,
        /// Cells along y.
        height: usize,
    },
    /// The goal is in a cell that may not be entered.
    #[error(
        "the goal, cell (row {row}, col {col}), has cost {cost} and is blocked; choose a free cell or, if it is unknown (255), allow unknown space"
    )]
    GoalBlocked {
        /// The goal.
        row: usize,
        /// The goal.
        col: usize,
        /// Its cost.
        cost: u8,
    },
    /// A line of a text file is not in its format.
    #[error(
        "{path}:{line}: expected {wanted}, found {found:?}; correct the file or fetch it again"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the format asks for.
        wanted: String,
        /// What the line says, shortened.
        found: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
