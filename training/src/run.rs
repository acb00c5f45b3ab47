//! A run and its folder: steps, checkpoints, scores, until the recipe's end or an interruption.
//!
//! The folder holds
//!
//! | file | |
//! |---|---|
//! | `recipe.toml` | the recipe's exact text |
//! | `state.safetensors` | all that is needed to go on |
//! | `NAME.safetensors` | the model as it would be shipped now (averaged weights) |
//! | `metrics.csv` | losses and more, means over 25 steps |
//! | `scores.csv` | scores on unseen problems |
//! | `curves.png` | both as a picture, drawn when the run ends or is interrupted |
//!
//! Nothing is printed here: who wants to see the steps passes a closure.

use crate::curves::curves;
use crate::metrics::Metrics;
use crate::recipe::Recipe;
use crate::scores::{Evaluator, Score, Scores};
use crate::state::{RECIPE_FILE, STATE_FILE};
use crate::trainer::{StepReport, Trainer};
use crate::{Error, Result};
use hrm_planner::model::{Checkpoint, Compute};
use std::path::{Path, PathBuf};

/// Something to show to who is waiting.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A step was done.
    Step(&'a StepReport),
    /// The model was judged.
    Scores(&'a [Score]),
    /// A checkpoint was written after this many steps.
    Saved(u64),
}

/// Why [`Run::drive`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All steps of the recipe are done.
    Complete,
    /// It was asked to stop.
    Stopped,
}

/// A run of a recipe in its folder.
pub struct Run {
    folder: PathBuf,
    trainer: Trainer,
    metrics: Metrics,
    scores: Scores,
    evaluator: Option<Box<dyn Evaluator>>,
}

impl Run {
    /// A run from the start in a folder of its own, which is made if need be. It computes where
    /// `compute` says.
    ///
    /// # Errors
    /// [`Error::RunExists`] if the folder holds a run already; files that cannot be written.
    pub fn start(
        recipe: Recipe,
        recipe_text: String,
        folder: &Path,
        compute: &Compute,
    ) -> Result<Self> {
        Self::begin(|| Trainer::new(recipe, recipe_text, compute), folder)
    }

    /// As [`Run::start`], with the weights of a model; see [`Trainer::from_model`].
    ///
    /// # Errors
    /// As [`Run::start`] and [`Trainer::from_model`].
    pub fn start_from(
        recipe: Recipe,
        recipe_text: String,
        model: &Checkpoint,
        folder: &Path,
        compute: &Compute,
    ) -> Result<Self> {
        let trainer = || Trainer::from_model(recipe, recipe_text, model, compute);
        Self::begin(trainer, folder)
    }

    fn begin(trainer: impl FnOnce() -> Result<Trainer>, folder: &Path) -> Result<Self> {
        if [RECIPE_FILE, STATE_FILE]
            .iter()
            .any(|file| folder.join(file).exists())
        {
            return Err(Error::RunExists {
                path: folder.to_owned(),
            });
        }
        let trainer = trainer()?;
        // From here on the run can be resumed, whatever happens.
        trainer.save(folder)?;
        Self::open(trainer, folder)
    }

    /// The run that a folder holds, at its last checkpoint. Rows of tables after it are dropped.
    ///
    /// # Errors
    /// As [`Trainer::resume`], and tables that cannot be read.
    pub fn resume(folder: &Path, compute: &Compute) -> Result<Self> {
        Self::open(Trainer::resume(folder, compute)?, folder)
    }

    fn open(trainer: Trainer, folder: &Path) -> Result<Self> {
        let step = trainer.steps_done();
        Ok(Self {
            metrics: Metrics::open(&folder.join("metrics.csv"), trainer.columns(), step)?,
            scores: Scores::open(&folder.join("scores.csv"), trainer.columns(), step)?,
            folder: folder.to_owned(),
            trainer,
            evaluator: None,
        })
    }

    /// With a judge, called every `evaluate_every` steps and after the last one.
    #[must_use]
    pub fn with_evaluator(mut self, evaluator: impl Evaluator + 'static) -> Self {
        self.evaluator = Some(Box::new(evaluator));
        self
    }

    /// With the task's own judge, as a quick look while training.
    #[must_use]
    pub fn with_live_scores(mut self) -> Self {
        self.evaluator = Some(self.trainer.live_scores());
        self
    }

    /// The trainer, at the step where the run is.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Where everything is written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the model that is shipped.
    pub fn model_path(&self) -> PathBuf {
        let name = &self.trainer.recipe().name;
        self.folder.join(format!("{name}.safetensors"))
    }

    /// The picture of losses and scores.
    pub fn curves_path(&self) -> PathBuf {
        self.folder.join("curves.png")
    }

    /// Steps to the recipe's end, or until `stop`, asked before every step, says so. Either way
    /// everything is written before this returns.
    ///
    /// # Errors
    /// [`Error::Diverged`] and its like, with the last good checkpoint in the
    /// folder; a file that cannot be written; an error of the evaluator.
    pub fn drive(
        &mut self,
        stop: impl Fn() -> bool,
        mut watch: impl FnMut(Event<'_>),
    ) -> Result<Ending> {
        let ending = self.steps(stop, &mut watch);
        // Also after a failure: the last rows and the curve show where it went wrong.
        let shown = self.metrics.end_row().and_then(|()| self.draw());
        let ending = ending?;
        shown?;
        Ok(ending)
    }

    fn steps(
        &mut self,
        stop: impl Fn() -> bool,
        watch: &mut impl FnMut(Event<'_>),
    ) -> Result<Ending> {
        let plan = self.trainer.recipe().run.clone();
        let mut ending = Ending::Complete;
        while self.trainer.steps_done() < plan.steps {
            if stop() {
                ending = Ending::Stopped;
                break;
            }
            let report = self.trainer.step()?;
            self.metrics.add(&report, self.trainer.seconds())?;
            watch(Event::Step(&report));
            if report.step.is_multiple_of(plan.evaluate_every) || report.step == plan.steps {
                self.judge(watch)?;
            }
            if report.step.is_multiple_of(plan.checkpoint_every) {
                self.save(watch)?;
            }
        }
        self.save(watch)?;
        Ok(ending)
    }

    fn judge(&mut self, watch: &mut impl FnMut(Event<'_>)) -> Result<()> {
        let Some(evaluator) = &mut self.evaluator else {
            return Ok(());
        };
        let model = self.trainer.checkpoint(serde_json::Value::Null)?;
        let scores = evaluator.evaluate(&model, self.trainer.steps_done())?;
        watch(Event::Scores(&scores));
        self.scores.add(scores)
    }

    /// Tables first and the state last: whatever the state has seen is in them.
    fn save(&mut self, watch: &mut impl FnMut(Event<'_>)) -> Result<()> {
        self.metrics.end_row()?;
        let checkpoint = self.trainer.checkpoint(self.scores.latest())?;
        checkpoint.write(&self.model_path())?;
        self.trainer.save(&self.folder)?;
        watch(Event::Saved(self.trainer.steps_done()));
        Ok(())
    }

    fn draw(&self) -> Result<()> {
        let name = &self.trainer.recipe().name;
        let columns = self.trainer.columns();
        let evaluations: Vec<_> = self.scores.evaluations().collect();
        let chart = curves(name, columns, self.metrics.rows(), &evaluations);
        Ok(chart.save_png(self.curves_path())?)
    }
}
