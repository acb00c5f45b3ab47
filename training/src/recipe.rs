//! Recipes: everything that makes a model, in one TOML file.
//!
//! `model.family` says which model and so which task: `grid` plans on maps, `hrm` and `trm` answer
//! token problems. Sections and keys are the same as far as the tasks have the same things.

use crate::planning::PlanningRecipe;
use crate::recipe_fault::{Fault, WrongValue};
use crate::recipe_file;
use crate::recipe_text::{replaced, with_value};
use crate::sequence::SequenceRecipe;
use crate::{Error, Result};
use serde::{Deserialize, Deserializer};
use std::path::Path;

/// A whole recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The name of the model, also that of its file.
    pub name: String,
    /// The seed of weights and samples.
    pub seed: u64,
    /// What is trained, and on what.
    pub task: TaskRecipe,
    /// How weights change.
    pub optimiser: OptimiserRecipe,
    /// How long, and what is written.
    pub run: RunRecipe,
}

/// A model and what it learns from.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskRecipe {
    /// A grid model, on maps.
    Planning(PlanningRecipe),
    /// A published model, on token problems.
    Sequence(SequenceRecipe),
}

/// Which optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum OptimiserKind {
    /// AdamW with clipping (arXiv 1711.05101).
    #[default]
    #[serde(rename = "adamw")]
    AdamW,
    /// `AdamATan2` (arXiv 2407.05872), as the published models are trained.
    #[serde(rename = "adam-atan2")]
    AdamATan2,
}

/// The optimiser, with warm-up and a cosine.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimiserRecipe {
    /// Which one.
    pub kind: OptimiserKind,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps in which the rate rises from zero.
    pub warmup: u64,
    /// The last rate over the highest; 0 unless the recipe says otherwise.
    pub min_ratio: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Decay rates of the two moments.
    pub betas: [f64; 2],
    /// The gradient's norm is clipped to this; AdamW only, and infinite for others.
    pub clip: f64,
    /// Decay of the averaged weights, which are the ones that are shipped.
    pub ema: f64,
}

/// The length of a run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecipe {
    /// Optimiser steps, one segment each.
    pub steps: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Steps between scores on unseen problems.
    pub evaluate_every: u64,
    /// So many evaluations without a better score end the run; 0 for never. What is better, see
    /// [`Standing`](crate::Standing).
    #[serde(default)]
    pub patience: usize,
}

/// Values that replace those of a recipe file, so that a variant needs no file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `seed`.
    pub seed: Option<u64>,
    /// `run.steps`.
    pub steps: Option<u64>,
}

impl Recipe {
    /// Reads and checks a recipe file; also gives its text.
    ///
    /// # Errors
    /// A file that cannot be read, a key that is unknown or missing, a value out of range: each
    /// named, with its line where the text has one.
    pub fn read(path: &Path) -> Result<(Self, String)> {
        Self::read_with(path, Overrides::default())
    }

    /// As [`Recipe::read`], with some values replaced in recipe and text.
    ///
    /// # Errors
    /// As [`Recipe::read`].
    pub fn read_with(path: &Path, overrides: Overrides) -> Result<(Self, String)> {
        let mut text = std::fs::read_to_string(path).map_err(|e| Error::Recipe {
            path: path.to_owned(),
            reason: format!("{e}; check that the file exists and may be read"),
        })?;
        // Before anything is replaced: lines are those of the file.
        let mut recipe = Self::parse(&text, path)?;
        for (key, value) in [("seed", overrides.seed), ("run.steps", overrides.steps)] {
            let Some(value) = value else { continue };
            let missing = || Error::Recipe {
                path: path.to_owned(),
                reason: Fault::missing(key).to_string(),
            };
            text = with_value(&text, key, value).ok_or_else(missing)?;
        }
        if overrides != Overrides::default() {
            recipe = Self::parse(&text, path)?;
        }
        Ok((recipe, text))
    }

    /// A recipe from its text, as stored in a checkpoint.
    ///
    /// # Errors
    /// As [`Recipe::read`].
    pub fn from_text(text: &str) -> Result<Self> {
        Self::parse(text, Path::new("recipe"))
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let bad = |fault: Fault| Error::Recipe {
            path: path.to_owned(),
            reason: fault.to_string(),
        };
        let recipe = recipe_file::parse(text).map_err(|fault| {
            let wrong = fault.wrong_value.clone();
            bad(match wrong.and_then(|wrong| range_of(text, &wrong)) {
                Some(must) => fault.with_range(must),
                None => fault,
            })
        })?;
        match recipe.validate() {
            Err(Error::RecipeValue { key, value, must }) => {
                Err(bad(Fault::of_value(text, &key, &value, must)))
            }
            other => other.map(|()| recipe),
        }
    }

    /// What it says of planning.
    ///
    /// # Errors
    /// [`Error::NoMaps`] for the recipe of another task.
    pub fn planning(&self) -> Result<&PlanningRecipe> {
        match &self.task {
            TaskRecipe::Planning(planning) => Ok(planning),
            TaskRecipe::Sequence(_) => Err(Error::NoMaps {
                recipe: self.name.clone(),
            }),
        }
    }

    /// What it says of token problems.
    ///
    /// # Errors
    /// [`Error::NoBoards`] for the recipe of another task.
    pub fn sequence(&self) -> Result<&SequenceRecipe> {
        match &self.task {
            TaskRecipe::Sequence(sequence) => Ok(sequence),
            TaskRecipe::Planning(_) => Err(Error::NoBoards {
                recipe: self.name.clone(),
            }),
        }
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// The first value that is out of range, with its key.
    pub fn validate(&self) -> Result<()> {
        if !is_file_stem(&self.name) {
            return Err(Error::RecipeValue {
                key: "name".to_owned(),
                value: format!("{:?}", self.name),
                must: "1 to 64 letters, digits, '-' or '_', for it names files",
            });
        }
        match &self.task {
            TaskRecipe::Planning(planning) => planning.validate(),
            TaskRecipe::Sequence(sequence) => sequence.validate(),
        }
        .map_err(of_section_model)?;
        self.optimiser.validate()?;
        let run = &self.run;
        for (key, value) in [
            ("run.steps", run.steps),
            ("run.checkpoint_every", run.checkpoint_every),
            ("run.evaluate_every", run.evaluate_every),
        ] {
            check(key, value, |x| x > 0, "above 0")?;
        }
        Ok(())
    }
}

impl OptimiserRecipe {
    fn validate(&self) -> Result<()> {
        let is_positive = |x: f64| x > 0.0 && x.is_finite();
        check(
            "optimiser.learning_rate",
            self.learning_rate,
            is_positive,
            "above 0",
        )?;
        if self.kind == OptimiserKind::AdamW {
            check("optimiser.clip", self.clip, is_positive, "above 0")?;
        }
        let share = "from 0 to 1";
        check("optimiser.min_ratio", self.min_ratio, is_share, share)?;
        check(
            "optimiser.weight_decay",
            self.weight_decay,
            |x| x >= 0.0 && x.is_finite(),
            "at least 0",
        )?;
        for (key, value) in [
            ("optimiser.betas", self.betas[0]),
            ("optimiser.betas", self.betas[1]),
            ("optimiser.ema", self.ema),
        ] {
            check(key, value, |x| (0.0..1.0).contains(&x), "from 0 to below 1")?;
        }
        Ok(())
    }
}

/// An error of the model's configuration as one of the recipe's section.
fn of_section_model(error: Error) -> Error {
    let (key, value, must) = match error {
        Error::Planner(hrm_planner::Error::ModelConfig { key, value, must }) => {
            (key, value.to_string(), must)
        }
        Error::Planner(hrm_planner::Error::ModelConfigNumber { key, value, must }) => {
            (key, format!("{value:?}"), must)
        }
        other => return other,
    };
    Error::RecipeValue {
        key: format!("model.{key}"),
        value,
        must,
    }
}

/// What a value of the wrong type must be, where a range says so: found by writing there what is of
/// the right type and in few ranges. So the ranges stand in one place, where they are checked.
fn range_of(text: &str, wrong: &WrongValue) -> Option<&'static str> {
    ["0", "nan", "-1.0"].into_iter().find_map(|probe| {
        let recipe = recipe_file::parse(&replaced(text, &wrong.place, probe)).ok()?;
        match recipe.validate() {
            Err(Error::RecipeValue { key, must, .. }) if key == wrong.key => Some(must),
            _ => None,
        }
    })
}

fn is_file_stem(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&name.len()) && name.chars().all(allowed)
}

/// Whether a number is a share.
pub(crate) fn is_share(x: f64) -> bool {
    (0.0..=1.0).contains(&x)
}

/// Checks a value of a recipe.
pub(crate) fn check<T: Copy + std::fmt::Debug>(
    key: &'static str,
    value: T,
    allowed: impl Fn(T) -> bool,
    must: &'static str,
) -> Result<()> {
    if allowed(value) {
        return Ok(());
    }
    Err(Error::RecipeValue {
        key: key.to_owned(),
        value: format!("{value:?}"),
        must,
    })
}

/// A list of exactly two; a plain array would drop what is beyond.
pub(crate) fn two<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<[T; 2], D::Error> {
    let list = Vec::deserialize(from)?;
    let length = list.len();
    let wrong = |_| serde::de::Error::invalid_length(length, &"a list of two numbers");
    list.try_into().map_err(wrong)
}
