//! Trains the models of `hrm_planner` from nothing.
//!
//! A [`Recipe`] says everything: the model, the maps, the optimiser, the seeds. A [`Trainer`]
//! runs it step by step on a [`pool`](Pool) of samples, each at its own segment of thinking
//! (deep supervision: every segment has a loss and an optimiser step, and only the carry is
//! handed on). Evaluation is the library's own judging, on maps never seen in training.

mod batch;
mod error;
mod loss;
mod optimiser;
mod pool;
mod recipe;
mod sample;
mod score;
mod state;
mod trainer;

pub use batch::Batch;
pub use error::{Error, Result};
pub use loss::{Loss, losses};
pub use optimiser::{AdamW, AdamWConfig, Schedule, Weights};
pub use pool::Pool;
pub use recipe::{DataRecipe, ModelRecipe, OptimiserRecipe, Recipe, RunRecipe};
pub use sample::Sample;
pub use score::{Score, score};
pub use trainer::{StepReport, Trainer};
