//! How gradients change weights: the optimisers, the schedule of their rate, averaged weights.
//!
//! [`Weights`] are what is trained. [`AdamW`] trains the grid models, [`AdamATan2`] and
//! [`SparseSignSgd`] are those of the published HRM, for networks and for puzzle embeddings. An
//! optimiser takes the gradients of one step and a rate, which a [`Schedule`] gives, and changes
//! the weights in place. None of them knows a model or a loss.

mod adam;
mod adam_atan2;
mod adamw;
mod average;
mod choice;
mod schedule;
mod sparse_sign_sgd;
mod transfer;
mod weights;

pub use adam_atan2::{AdamATan2, AdamATan2Config};
pub use adamw::{AdamW, AdamWConfig};
pub use choice::Optimiser;
pub use schedule::Schedule;
pub use sparse_sign_sgd::SparseSignSgd;
pub use weights::Weights;

pub(crate) use adam::Moments;
