//! Trains the models of `hrm_planner` from nothing.
//!
//! A [`Recipe`] says everything: the model, what it learns from, the optimiser, the seeds. A
//! [`Trainer`] runs it step by step on samples that think together, each at its own segment (deep
//! supervision: every segment has a loss and an optimiser step, and only the carry is handed on).
//! What the samples are is the affair of a task: [maps](PlanningRecipe) for the grid model, token
//! [sequences](sequence) for the published models.
//!
//! A [`Run`] keeps a trainer in a folder with checkpoints, tables and curves; resumed, it goes on
//! with the same numbers as if it had never been interrupted. While it trains, a quick live score
//! on unseen problems shows how far it is; what a model is worth, the library's own judging says
//! (`hrm-train eval`, `hrm-planner bench`).

mod array_file;
mod curves;
mod duration;
mod error;
mod events;
mod loss;
mod machine;
mod metrics;
mod numbers;
mod optimiser;
mod planning;
mod recipe;
mod recipe_fault;
mod recipe_file;
mod recipe_files;
mod recipe_text;
mod run;
mod scores;
pub mod sequence;
mod similar;
mod standing;
mod state;
pub mod sudoku;
mod table;
mod task;
mod trainer;

pub use duration::duration;
pub use error::{Error, Result};
pub use machine::machine;
pub use numbers::{Columns, Number, Shown};
pub use optimiser::{
    AdamATan2, AdamATan2Config, AdamW, AdamWConfig, Optimiser, Schedule, SparseSignSgd, Weights,
};
pub use planning::{
    Batch, DATA_VARIABLE, DataRecipe, Loss, LossWeights, MapsRecipe, MazeRecipe, OwnMap, OwnMaps,
    PlanningRecipe, Pool, Sample, Source, kinds, losses, preview, preview_own,
};
pub use recipe::{OptimiserKind, OptimiserRecipe, Overrides, Recipe, RunRecipe, TaskRecipe};
pub use recipe_files::find_recipe;
pub use run::{Ending, Event, Run};
pub use scores::{Evaluator, Score, mean_score, scores_json};
pub use standing::Standing;
pub use state::{RECIPE_FILE, STATE_FILE};
pub use trainer::{StepReport, Trainer};
