//! Trains the models of `hrm_planner` from nothing.
//!
//! A [`Recipe`] says everything: the model, the maps, the optimiser, the seeds. A [`Trainer`]
//! runs it step by step on a [`pool`](Pool) of samples, each at its own segment of thinking
//! (deep supervision: every segment has a loss and an optimiser step, and only the carry is
//! handed on). A [`Run`] keeps a trainer in a folder with checkpoints, tables and curves; resumed,
//! it goes on with the same numbers as if it had never been interrupted. While it trains, a quick
//! live score on unseen maps shows how far it is; what a model is worth, the library's own judging
//! says (`hrm-train eval`, `hrm-planner bench`).

mod array_file;
mod batch;
mod curves;
mod duration;
mod error;
mod live;
mod loss;
mod machine;
mod metrics;
mod optimiser;
mod pool;
mod preview;
mod recipe;
mod recipe_files;
mod recipe_text;
mod run;
mod sample;
mod scores;
pub mod sequence;
mod similar;
mod state;
mod table;
mod trainer;

pub use batch::Batch;
pub use duration::duration;
pub use error::{Error, Result};
pub use live::live_scores;
pub use loss::{Loss, losses};
pub use machine::machine;
pub use optimiser::{AdamW, AdamWConfig, Schedule, Weights};
pub use pool::Pool;
pub use preview::{kinds, preview};
pub use recipe::{DataRecipe, ModelRecipe, OptimiserRecipe, Overrides, Recipe, RunRecipe};
pub use recipe_files::find_recipe;
pub use run::{Ending, Event, Run};
pub use sample::Sample;
pub use scores::{Evaluator, Score};
pub use state::{RECIPE_FILE, STATE_FILE};
pub use trainer::{StepReport, Trainer};
