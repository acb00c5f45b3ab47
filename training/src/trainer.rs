//! The loop: one segment of every sample, one step of the weights.

use crate::machine::machine;
use crate::numbers::{Columns, Number, number};
use crate::optimiser::{Optimiser, Schedule, Weights};
use crate::recipe::Recipe;
use crate::scores::Evaluator;
use crate::task::{Moment, Segment, Task};
use crate::{Error, Result};
use hrm_planner::model::{Checkpoint, Compute, GridHrmConfig, ModelConfig, TrainingRecord};
use std::time::Instant;

/// A run of a recipe, at some step of it.
pub struct Trainer {
    pub(crate) recipe: Recipe,
    pub(crate) recipe_text: String,
    pub(crate) compute: Compute,
    pub(crate) weights: Weights,
    pub(crate) optimiser: Optimiser,
    pub(crate) task: Box<dyn Task>,
    /// Seconds of steps, over all processes.
    pub(crate) seconds: f64,
    /// How the weights came to be that it began with, if it did not begin from nothing.
    pub(crate) started_from: Option<Box<TrainingRecord>>,
}

/// What a step measured.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// The step, counted from 1.
    pub step: u64,
    /// In the order of the tables: the learning rate, the losses, the norm of the gradient before
    /// clipping, and what the task measures.
    pub numbers: Vec<Number>,
}

impl StepReport {
    /// The number of this name; `None` if there was nothing to measure.
    pub fn number(&self, name: &str) -> Option<f64> {
        number(&self.numbers, name)
    }
}

impl Trainer {
    /// A run from the start, which computes where `compute` says.
    ///
    /// # Errors
    /// A file of the recipe that cannot be read, or a tensor operation that fails.
    pub fn new(recipe: Recipe, recipe_text: String, compute: &Compute) -> Result<Self> {
        let (weights, task) = recipe.task.begin(recipe.seed, compute)?;
        let optimiser = Optimiser::new(&recipe.optimiser, &weights)?;
        Ok(Self {
            recipe,
            recipe_text,
            compute: compute.clone(),
            weights,
            optimiser,
            task,
            seconds: 0.0,
            started_from: None,
        })
    }

    /// A run that begins with the weights of a model, not from nothing: a model of the recipe's own
    /// shape, whose weights may be tied where the recipe's are not. All else begins anew: the optimiser,
    /// its schedule, the samples.
    ///
    /// # Errors
    /// [`Error::OtherModel`] if the shapes differ, and as [`Trainer::new`].
    pub fn from_model(
        recipe: Recipe,
        recipe_text: String,
        model: &Checkpoint,
        compute: &Compute,
    ) -> Result<Self> {
        let mut trainer = Self::new(recipe, recipe_text, compute)?;
        if !can_begin(&model.config, &trainer.task.model_config()) {
            return Err(Error::OtherModel);
        }
        for (name, var) in trainer.weights.vars() {
            if let Some(tensor) = model.tensors.get(name) {
                var.set(&tensor.to_device(var.device())?)?;
            }
        }
        trainer.task.begin_with(&model.tensors)?;
        // Its averages begin with the weights, too.
        trainer.optimiser = Optimiser::new(&trainer.recipe.optimiser, &trainer.weights)?;
        trainer.started_from = Some(Box::new(model.training.clone()));
        Ok(trainer)
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What the numbers of its reports and scores are called.
    pub fn columns(&self) -> &'static Columns {
        self.task.columns()
    }

    /// A quick judge of the model, on problems that it is not trained on.
    pub fn live_scores(&self) -> Box<dyn Evaluator> {
        self.task.live_scores()
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.optimiser.steps_done()
    }

    /// Seconds that the steps took, over all processes of the run.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// What it computes on: the processor and, where that is another, the device.
    pub fn machine(&self) -> String {
        if self.compute.device.is_cpu() {
            machine()
        } else {
            format!("{}; {}", machine(), self.compute.describe())
        }
    }

    /// The weights that the optimiser trains.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The optimiser, with the averaged weights.
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// One segment of every sample and one step of the weights.
    ///
    /// # Errors
    /// A tensor operation that fails, or [`Error::Diverged`] before the weights are touched.
    pub fn step(&mut self) -> Result<StepReport> {
        let began = Instant::now();
        let done = self.steps_done();
        let rate = self
            .schedule()
            .rate_above(self.recipe.optimiser.min_ratio, done);
        let moment = Moment {
            step: done,
            steps: self.recipe.run.steps,
            rate_share: rate / self.recipe.optimiser.learning_rate,
        };
        self.task.prepare(&moment)?;
        let Segment {
            total,
            losses,
            measures,
        } = self.task.segment(&moment)?;
        let loss = scalar(&total)?;
        if !loss.is_finite() {
            return Err(Error::Diverged {
                step: done + 1,
                loss,
            });
        }
        let gradients = total.backward()?;
        let gradient = self.optimiser.update(&self.weights, &gradients, rate)?;
        if !gradient.is_finite() {
            return Err(Error::GradientDiverged {
                step: done + 1,
                norm: gradient,
            });
        }
        self.task.hand_on(&gradients, &moment)?;
        self.seconds += began.elapsed().as_secs_f64();

        let mut numbers = vec![("rate", Some(rate))];
        numbers.extend(losses);
        numbers.push(("gradient", Some(gradient)));
        numbers.extend(measures);
        Ok(StepReport {
            step: done + 1,
            numbers,
        })
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            peak: self.recipe.optimiser.learning_rate,
            warmup: self.recipe.optimiser.warmup,
            steps: self.recipe.run.steps,
        }
    }
}

/// Whether the weights of a model are such as another one could have.
fn can_begin(model: &ModelConfig, other: &ModelConfig) -> bool {
    match (model, other) {
        (ModelConfig::Grid(model), ModelConfig::Grid(other)) if model.tied && !other.tied => {
            let untied = GridHrmConfig {
                tied: false,
                ..model.clone()
            };
            untied == *other
        }
        _ => model == other,
    }
}

/// The value of a scalar.
pub(crate) fn scalar(tensor: &candle_core::Tensor) -> Result<f64> {
    Ok(tensor
        .to_dtype(candle_core::DType::F64)?
        .to_scalar::<f64>()?)
}
