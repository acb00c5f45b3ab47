//! Planning on maps: what a grid model learns from, and how it is judged while it does.
//!
//! A [`Source`] draws [`Sample`]s, maps with the oracle's answer for every cell; a [`Pool`] holds
//! those that think together; a [`Batch`] is their labels as tensors, by which [`losses`] judges a
//! read-out. The trainer sees all of it as one task.

mod batch;
mod live;
mod loss;
mod own_maps;
mod pool;
mod pool_state;
mod preview;
mod recipe;
mod sample;
mod source;
mod task;

pub use batch::Batch;
pub use loss::{Loss, losses};
pub use own_maps::{OwnMap, OwnMaps};
pub use pool::Pool;
pub use preview::{kinds, preview, preview_own};
pub use recipe::{DataRecipe, LossWeights, MapsRecipe, MazeRecipe, PlanningRecipe};
pub use sample::Sample;
pub use source::{DATA_VARIABLE, Source};

pub(crate) use task::PlanningTask;
