//! The one error type of this crate.

use std::path::PathBuf;

/// Everything that can go wrong in training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the planner library.
    #[error(transparent)]
    Planner(#[from] hrm_planner::Error),
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}; check that the file exists and may be accessed")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A recipe cannot be read.
    #[error("{path}: {reason}")]
    Recipe {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A recipe's value is outside its range.
    #[error("the recipe's `{key}` is {value}; it must be {must}")]
    RecipeValue {
        /// Section and key.
        key: &'static str,
        /// As given.
        value: String,
        /// What is allowed.
        must: &'static str,
    },
    /// The state of an interrupted run cannot be read.
    #[error("{path}: {reason}; start the run again with `hrm-train run`")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The loss is no number any more.
    #[error(
        "the loss is {loss} at step {step}; the checkpoint of an earlier step is kept, lower the learning rate"
    )]
    Diverged {
        /// The optimiser step.
        step: u64,
        /// The loss.
        loss: f64,
    },
}

/// A result with this crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;
