//! A run and its folder: steps, checkpoints, scores, until the recipe's end or an interruption.
//!
//! The folder holds
//!
//! | file | |
//! |---|---|
//! | `recipe.toml` | the recipe's exact text |
//! | `state.safetensors` | all that is needed to go on |
//! | `NAME.safetensors` | the model as it would be shipped now (averaged weights) |
//! | `NAME-best.safetensors` | the same after the step of the best score so far, see [`Standing`] |
//! | `metrics.csv` | losses and more, means over 25 steps |
//! | `scores.csv` | scores on unseen problems |
//! | `events.out.tfevents.hrm-train` | both for `TensorBoard` |
//! | `curves.png` | both as a picture, drawn when the run ends or is interrupted |
//!
//! Nothing is printed here: who wants to see the steps passes a closure.

use crate::curves::curves;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::recipe::Recipe;
use crate::scores::{Evaluator, Score, Scores, scores_json};
use crate::standing::Standing;
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
    /// The model is about to be judged, which takes a while.
    Judging,
    /// The model was judged.
    Scores {
        /// Its scores.
        scores: &'a [Score],
        /// The best model so far, which may be this one; none without scores.
        best: Option<Standing>,
    },
    /// A checkpoint was written after this many steps.
    Saved(u64),
}

/// Why [`Run::drive`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All steps of the recipe are done.
    Complete,
    /// No better score was found for as many evaluations as the recipe's `run.patience`.
    NoBetter,
    /// It was asked to stop.
    Stopped,
}

/// A run of a recipe in its folder.
pub struct Run {
    folder: PathBuf,
    trainer: Trainer,
    metrics: Metrics,
    scores: Scores,
    events: Events,
    standing: Option<Standing>,
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
        let (columns, step) = (trainer.columns(), trainer.steps_done());
        let scores = Scores::open(&folder.join("scores.csv"), columns, step)?;
        Ok(Self {
            metrics: Metrics::open(&folder.join("metrics.csv"), columns, step)?,
            events: Events::open(folder, columns, step)?,
            standing: Standing::after(columns, scores.evaluations()),
            scores,
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

    /// The file of the model after the last checkpoint.
    pub fn model_path(&self) -> PathBuf {
        let name = &self.trainer.recipe().name;
        self.folder.join(format!("{name}.safetensors"))
    }

    /// The file of the model with the best score; there is none before the first evaluation.
    pub fn best_path(&self) -> PathBuf {
        let name = &self.trainer.recipe().name;
        self.folder.join(format!("{name}-best.safetensors"))
    }

    /// Which model is the best so far; `None` before the first evaluation.
    pub fn best(&self) -> Option<Standing> {
        self.standing
    }

    /// The picture of losses and scores.
    pub fn curves_path(&self) -> PathBuf {
        self.folder.join("curves.png")
    }

    /// Steps to the recipe's end, until no better score is found any more (`run.patience`), or
    /// until `stop`, asked before every step, says so. Either way everything is written before this
    /// returns.
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
        let shown = self.end_row().and_then(|()| self.draw());
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
            if self.is_given_up() {
                ending = Ending::NoBetter;
                break;
            }
            if stop() {
                ending = Ending::Stopped;
                break;
            }
            let report = self.trainer.step()?;
            if let Some(row) = self.metrics.add(&report, self.trainer.seconds())? {
                self.events.add_metrics(row)?;
            }
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

    /// Whether it was long enough that no score was better.
    fn is_given_up(&self) -> bool {
        let patience = self.trainer.recipe().run.patience;
        patience > 0 && self.standing.is_some_and(|best| best.since >= patience)
    }

    fn judge(&mut self, watch: &mut impl FnMut(Event<'_>)) -> Result<()> {
        let Some(evaluator) = &mut self.evaluator else {
            return Ok(());
        };
        watch(Event::Judging);
        let mut model = self.trainer.checkpoint(serde_json::Value::Null)?;
        let scores = evaluator.evaluate(&model, self.trainer.steps_done())?;
        let best = Standing::with(self.standing, self.trainer.columns(), &scores);
        if best.is_some_and(|best| best.since == 0) {
            model.training.scores = scores_json(&scores);
            model.training.ending = Some("kept as the best of its run by score".to_owned());
            model.write(&self.best_path())?;
        }
        self.standing = best;
        watch(Event::Scores {
            scores: &scores,
            best,
        });
        self.events.add_scores(&scores)?;
        self.scores.add(scores)
    }

    /// Tables first and the state last: whatever the state has seen is in them.
    fn save(&mut self, watch: &mut impl FnMut(Event<'_>)) -> Result<()> {
        self.end_row()?;
        let mut checkpoint = self.trainer.checkpoint(self.scores.latest())?;
        if let (true, Some(best)) = (self.is_given_up(), self.standing) {
            checkpoint.training.ending = Some(format!(
                "ended early, after {} evaluations without a better score than after step {}",
                best.since, best.step
            ));
        }
        checkpoint.write(&self.model_path())?;
        self.trainer.save(&self.folder)?;
        watch(Event::Saved(self.trainer.steps_done()));
        Ok(())
    }

    fn end_row(&mut self) -> Result<()> {
        match self.metrics.end_row()? {
            Some(row) => self.events.add_metrics(row),
            None => Ok(()),
        }
    }

    fn draw(&self) -> Result<()> {
        let name = &self.trainer.recipe().name;
        let columns = self.trainer.columns();
        let evaluations: Vec<_> = self.scores.evaluations().collect();
        let rows = self.metrics.rows();
        let chart = curves(name, columns, rows, &evaluations, self.standing);
        Ok(chart.save_png(self.curves_path())?)
    }
}
