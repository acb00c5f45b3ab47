//! Training of the published sequence models: one segment of a batch at a time, with its losses.
//!
//! [`segment`] takes the state of a batch and fresh problems for the places of those that have
//! halted; it gives the next state, the losses in the graph and the published metrics. What is
//! done with the gradients is the optimiser's affair.

mod loss;
mod metrics;
mod segment;

pub use loss::{SequenceLosses, sequence_losses};
pub use metrics::SequenceMetrics;
pub use segment::{SequenceBatch, SequenceState, SequenceStep, segment};

/// The label of a place whose token is not asked for (`IGNORE_LABEL_ID`).
pub const IGNORED: i32 = -100;
