//! Recipes: everything that makes a model, in one TOML file.

use crate::recipe_text::{explain, with_value};
use crate::{Error, Result};
use hrm_planner::grid::generate::Kind;
use hrm_planner::model::GridHrmConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A whole recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name of the model, also that of its file.
    pub name: String,
    /// The seed of weights and maps.
    pub seed: u64,
    /// What is trained.
    pub model: ModelRecipe,
    /// On which maps.
    pub data: DataRecipe,
    /// How weights change.
    pub optimiser: OptimiserRecipe,
    /// How long, and what is written.
    pub run: RunRecipe,
}

/// The model's shape; see [`GridHrmConfig`].
pub type ModelRecipe = GridHrmConfig;

/// The maps of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// The share of each kind of generated map, in any unit.
    pub kinds: BTreeMap<Kind, f64>,
    /// Recorded mazes, instead of some or all of the generated maps.
    pub mazes: Option<MazeRecipe>,
    /// The shortest side of a map, cells.
    pub min_side: usize,
    /// The longest side of a map at the start of training, cells.
    pub first_max_side: usize,
    /// The longest side of a map once the sizes have grown, cells.
    pub max_side: usize,
    /// The share of training in which sizes grow from `first_max_side` to `max_side`.
    pub growth: f64,
    /// The share of maps with travel costs around obstacles.
    pub costs: f64,
    /// The share of maps with unknown space.
    pub unknown: f64,
    /// Cells of all maps that think together; a step has at least so many.
    pub cells: usize,
    /// No sample thinks for more segments than this.
    pub max_segments: usize,
    /// The share of samples that think to their last segment even if they could halt.
    pub exploration: f64,
}

impl DataRecipe {
    /// The longest side of a map once `progress` (0..1) of training is done, cells.
    pub fn max_side_at(&self, progress: f64) -> usize {
        let grown = if self.growth > 0.0 {
            (progress / self.growth).min(1.0)
        } else {
            1.0
        };
        let span = (self.max_side - self.first_max_side) as f64;
        self.first_max_side + (span * grown).round() as usize
    }
}

/// Recorded mazes; see [`read_mazes`](hrm_planner::grid::maze_hard::read_mazes).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MazeRecipe {
    /// The file, in the folder of data files.
    pub file: String,
    /// The share of samples that come from it; the others are generated.
    pub share: f64,
    /// Of these, once maps may be as large, the share of whole mazes; the others are pieces.
    pub whole: f64,
    /// So many mazes at the end of the file are kept for scores and never trained on.
    pub held_out: usize,
}

/// AdamW with warm-up and a cosine to zero (arXiv 1711.05101), and the loss weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserRecipe {
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps in which the rate rises from zero.
    pub warmup: u64,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// Decay rates of the two moments.
    pub betas: [f64; 2],
    /// The gradient's norm is clipped to this.
    pub clip: f64,
    /// Decay of the averaged weights, which are the ones that are shipped.
    pub ema: f64,
    /// Weight of the cost-to-go loss.
    pub value_loss: f64,
    /// Weight of the halting loss.
    pub halt_loss: f64,
}

/// The length of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecipe {
    /// Optimiser steps, one segment each.
    pub steps: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Steps between scores on unseen maps.
    pub evaluate_every: u64,
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
        if let Some(seed) = overrides.seed {
            text = with_value(&text, path, ["", "seed"], seed)?;
        }
        if let Some(steps) = overrides.steps {
            text = with_value(&text, path, ["run", "steps"], steps)?;
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
        let recipe: Self = toml::from_str(text).map_err(|e| Error::Recipe {
            path: path.to_owned(),
            reason: explain(text, &e),
        })?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// The first value that is out of range, with its key.
    pub fn validate(&self) -> Result<()> {
        if !is_file_stem(&self.name) {
            return Err(Error::RecipeValue {
                key: "name",
                value: format!("{:?}", self.name),
                must: "1 to 64 letters, digits, '-' or '_', for it names files",
            });
        }
        self.model.validate()?;
        let (data, optimiser, run) = (&self.data, &self.optimiser, &self.run);
        let share = "from 0 to 1";
        let positive = "above 0";
        // Without recorded mazes, or with some beside them, generated maps are needed.
        if data.mazes.as_ref().is_none_or(|mazes| mazes.share < 1.0) {
            check(
                "data.kinds",
                data.kinds.values().sum::<f64>(),
                |x| x > 0.0,
                "shares above 0",
            )?;
        }
        if let Some(mazes) = &data.mazes {
            check(
                "data.mazes.share",
                mazes.share,
                |x| (0.0..=1.0).contains(&x),
                share,
            )?;
            check(
                "data.mazes.whole",
                mazes.whole,
                |x| (0.0..=1.0).contains(&x),
                share,
            )?;
        }
        for &weight in data.kinds.values() {
            check(
                "data.kinds",
                weight,
                |x| x >= 0.0 && x.is_finite(),
                "shares of at least 0",
            )?;
        }
        check(
            "data.min_side",
            data.min_side,
            |x| (8..=1024).contains(&x),
            "from 8 to 1024",
        )?;
        check(
            "data.first_max_side",
            data.first_max_side,
            |x| (data.min_side..=1024).contains(&x),
            "from min_side to 1024",
        )?;
        check(
            "data.max_side",
            data.max_side,
            |x| (data.first_max_side..=1024).contains(&x),
            "from first_max_side to 1024",
        )?;
        for (key, value) in [
            ("data.growth", data.growth),
            ("data.costs", data.costs),
            ("data.unknown", data.unknown),
            ("data.exploration", data.exploration),
        ] {
            check(key, value, |x| (0.0..=1.0).contains(&x), share)?;
        }
        check(
            "data.cells",
            data.cells,
            |x| (64..=1 << 22).contains(&x),
            "from 64 to 4194304",
        )?;
        check(
            "data.max_segments",
            data.max_segments,
            |x| (1..=1024).contains(&x),
            "from 1 to 1024",
        )?;
        for (key, value) in [
            ("optimiser.learning_rate", optimiser.learning_rate),
            ("optimiser.clip", optimiser.clip),
        ] {
            check(key, value, |x| x > 0.0 && x.is_finite(), positive)?;
        }
        for (key, value) in [
            ("optimiser.weight_decay", optimiser.weight_decay),
            ("optimiser.value_loss", optimiser.value_loss),
            ("optimiser.halt_loss", optimiser.halt_loss),
        ] {
            check(key, value, |x| x >= 0.0 && x.is_finite(), "at least 0")?;
        }
        for (key, value) in [
            ("optimiser.betas", optimiser.betas[0]),
            ("optimiser.betas", optimiser.betas[1]),
            ("optimiser.ema", optimiser.ema),
        ] {
            check(key, value, |x| (0.0..1.0).contains(&x), "from 0 to below 1")?;
        }
        check("run.steps", run.steps, |x| x > 0, positive)?;
        check(
            "run.checkpoint_every",
            run.checkpoint_every,
            |x| x > 0,
            positive,
        )?;
        check(
            "run.evaluate_every",
            run.evaluate_every,
            |x| x > 0,
            positive,
        )
    }
}

fn is_file_stem(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&name.len()) && name.chars().all(allowed)
}

fn check<T: Copy + std::fmt::Debug>(
    key: &'static str,
    value: T,
    allowed: impl Fn(T) -> bool,
    must: &'static str,
) -> Result<()> {
    if allowed(value) {
        return Ok(());
    }
    Err(Error::RecipeValue {
        key,
        value: format!("{value:?}"),
        must,
    })
}
