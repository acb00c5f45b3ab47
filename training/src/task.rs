//! What a trainer trains: the one interface between the loop and the problems that are learned.
//!
//! A task has the model, the samples that think together and the loss. The [`Trainer`] has all
//! that does not depend on them: the weights, the optimiser and its schedule, averages, resuming.
//! A step goes
//!
//! ```text
//! prepare -> segment -> (gradient, step of the weights) -> hand_on
//! ```
//!
//! The weights are the trainer's; a task builds its model on them once, and sees them change.
//!
//! [`Trainer`]: crate::Trainer

use crate::Result;
use crate::array_file::{Array, ArrayFile};
use crate::numbers::{Columns, Number};
use crate::optimiser::Weights;
use crate::planning::PlanningTask;
use crate::recipe::TaskRecipe;
use crate::scores::Evaluator;
use crate::sequence::{self, SequenceTask};
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use hrm_planner::model::{Compute, ModelConfig, SequenceConfig};
use std::collections::BTreeMap;

/// Where a run is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Steps done.
    pub step: u64,
    /// Of all steps; the share of them that is done is `progress`.
    pub steps: u64,
    /// The learning rate of the step under way over the highest one.
    pub rate_share: f64,
}

impl Moment {
    /// The share of training that is done, 0 to 1.
    pub(crate) fn progress(&self) -> f64 {
        self.step as f64 / self.steps as f64
    }
}

/// What one segment of all samples came to.
pub(crate) struct Segment {
    /// What the gradient is of: a scalar in the graph of the weights.
    pub total: Tensor,
    /// The losses it is made of, by the names of [`Columns::losses`].
    pub losses: Vec<Number>,
    /// All else, by the names of [`Columns::measures`].
    pub measures: Vec<Number>,
}

/// The state of a task on disk.
#[derive(Debug, Default)]
pub(crate) struct TaskState {
    /// All that is no array, by key.
    pub note: serde_json::Map<String, serde_json::Value>,
    /// Arrays by name.
    pub arrays: BTreeMap<String, Array>,
}

/// A model, its samples at work and its loss.
pub(crate) trait Task {
    /// What its numbers are called.
    fn columns(&self) -> &'static Columns;

    /// Begins with those tensors of a model of this shape that the optimiser does not train.
    fn begin_with(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<()>;

    /// Takes in what the last step did to the weights, and draws fresh samples.
    fn prepare(&mut self, moment: &Moment) -> Result<()>;

    /// Thinks for one segment of every sample.
    fn segment(&mut self, moment: &Moment) -> Result<Segment>;

    /// Gives each sample its new carry and lets those go that are done. Weights of the task's own,
    /// which the optimiser does not know, learn here from the gradients of the step.
    fn hand_on(&mut self, gradients: &GradStore, moment: &Moment) -> Result<()>;

    /// What is needed to go on, beside the weights.
    fn save(&self) -> Result<TaskState>;

    /// Goes on from what was saved: `note` as saved, and its arrays, which are taken out of the
    /// file.
    fn restore(&mut self, note: serde_json::Value, file: &mut ArrayFile) -> Result<()>;

    /// The configuration of the model.
    fn model_config(&self) -> ModelConfig;

    /// Tensors of the model that the optimiser does not train, by name.
    fn own_tensors(&self) -> Result<BTreeMap<String, Tensor>>;

    /// A quick judge of the model on problems that it is not trained on.
    fn live_scores(&self) -> Box<dyn Evaluator>;
}

/// The note of a task's state as its own type.
pub(crate) fn read_note<T: serde::de::DeserializeOwned>(
    note: serde_json::Value,
    file: &ArrayFile,
) -> Result<T> {
    serde_json::from_value(note)
        .map_err(|e| file.wrong(format!("its counters cannot be read ({e})")))
}

/// A type of a task's own as a note.
pub(crate) fn write_note(
    note: &impl serde::Serialize,
) -> Result<serde_json::Map<String, serde_json::Value>> {
    let json = |reason: String| hrm_planner::Error::Json { reason };
    match serde_json::to_value(note).map_err(|e| json(e.to_string()))? {
        serde_json::Value::Object(map) => Ok(map),
        other => Err(json(format!("{other} is no object")).into()),
    }
}

impl TaskRecipe {
    /// First weights where `compute` says, and the task on them.
    pub(crate) fn begin(&self, seed: u64, compute: &Compute) -> Result<(Weights, Box<dyn Task>)> {
        match self {
            Self::Planning(planning) => {
                let weights = Weights::fresh(&planning.model, seed, &compute.device)?;
                let task = PlanningTask::new(planning, seed, &weights, compute)?;
                Ok((weights, Box::new(task)))
            }
            Self::Sequence(recipe) => {
                let (weights, task) = sequence::begin(recipe, seed, compute)?;
                Ok((weights, Box::new(task)))
            }
        }
    }

    /// The task on weights that were saved and are where `compute` says; the rest of it is
    /// restored then.
    pub(crate) fn open(
        &self,
        seed: u64,
        weights: &Weights,
        compute: &Compute,
    ) -> Result<Box<dyn Task>> {
        Ok(match self {
            Self::Planning(recipe) => Box::new(PlanningTask::new(recipe, seed, weights, compute)?),
            Self::Sequence(recipe) => Box::new(SequenceTask::new(recipe, seed, weights, compute)?),
        })
    }

    /// Weights that were saved, with what ties them.
    pub(crate) fn tied(&self, weights: Weights) -> Weights {
        match self {
            Self::Planning(planning) => weights.tied_as(&planning.model),
            Self::Sequence(_) => weights,
        }
    }

    /// Names and shapes of the tensors that the optimiser trains.
    pub fn trainable(&self) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::Planning(planning) => planning.model.tensors(),
            Self::Sequence(recipe) => {
                let mut tensors = recipe.model.tensors();
                tensors.retain(|(name, _)| SequenceConfig::is_trainable(name));
                tensors
            }
        }
    }

    /// Number of trainable values.
    pub fn parameters(&self) -> usize {
        let tensors = self.trainable();
        let sizes = tensors
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>());
        sizes.sum()
    }
}
