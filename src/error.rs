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
    /// A picture or an animation could not be written.
    #[error(
        "{path}: cannot write the picture: {source}; check that the folder exists and may be written to"
    )]
    WritePicture {
        /// The file.
        path: PathBuf,
        /// What the system or the encoder said.
        #[source]
        source: std::io::Error,
    },
    /// A frame of an animation has another size than the first one.
    #[error(
        "the frame is {width} x {height} pixels, but the animation's first frame is \
         {first_width} x {first_height}; draw all frames over one map with captions of equal height"
    )]
    FrameSize {
        /// Pixels of the frame.
        width: u32,
        /// Pixels of the frame.
        height: u32,
        /// Pixels of the first frame.
        first_width: u32,
        /// Pixels of the first frame.
        first_height: u32,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
