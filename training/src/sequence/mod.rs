//! Training of the published sequence models: one segment of a batch at a time, with its losses.
//!
//! [`segment`] takes the state of a batch and fresh problems for the places of those that have
//! halted; it gives the next state, the losses in the graph and the published metrics. What is
//! done with the gradients is the optimiser's affair.
//!
//! The trainer sees a [`SequenceRecipe`] as one task: Sudoku boards at work, whose first weights
//! are drawn as published. [`board_scores`] judges a model on boards that training cannot draw.

mod boards;
mod fresh;
mod loss;
mod metrics;
mod recipe;
mod scores;
mod segment;
mod task;

pub use loss::{SequenceLosses, sequence_losses};
pub use metrics::SequenceMetrics;
pub use recipe::{PuzzleRates, SequenceData, SequenceRecipe, SudokuRecipe};
pub use scores::{BoardTest, board_scores};
pub use segment::{SequenceBatch, SequenceState, SequenceStep, segment};

pub(crate) use task::{SequenceTask, begin};

/// The label of a place whose token is not asked for (`IGNORE_LABEL_ID`).
pub const IGNORED: i32 = -100;
