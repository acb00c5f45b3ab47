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
    /// A tensor operation failed.
    #[error("a tensor operation failed: {source}")]
    Tensor {
        /// What candle said.
        #[source]
        source: Box<candle_core::Error>,
    },
    /// A model cannot have this configuration.
    #[error("the model's `{key}` is {value}; it must be {must}")]
    ModelConfig {
        /// The key of the configuration.
        key: &'static str,
        /// Its value.
        value: usize,
        /// What is allowed.
        must: &'static str,
    },
    /// A tensor is not there.
    #[error("tensor `{name}` is missing; the file does not hold this model")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor is there that the model does not have.
    #[error("tensor `{name}` is not part of this model; the configuration does not fit the file")]
    ExtraTensor {
        /// Its name.
        name: String,
    },
    /// A tensor has another shape.
    #[error("tensor `{name}` is {actual:?}; this model needs {expected:?}")]
    TensorShape {
        /// Its name.
        name: String,
        /// As found.
        actual: Vec<usize>,
        /// As needed.
        expected: Vec<usize>,
    },
    /// A checkpoint file is not what it should be.
    #[error("{path}: {reason}; pass a model written by hrm-train")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A value could not be written as JSON.
    #[error("a value cannot be written as JSON: {reason}")]
    Json {
        /// What serde said.
        reason: String,
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
    /// No kind of generated map has this name.
    #[error("{name:?} is no kind of map; choose maze, random, rooms, warehouse, cave or boxes")]
    UnknownMapKind {
        /// The name given.
        name: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
