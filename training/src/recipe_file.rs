//! A recipe as its file writes it: sections of keys, of which some belong to one family of models
//! or to one optimiser alone.
//!
//! The family is read first. Then the whole text is read as what that family's recipes are, so
//! that every wrong key is found with its line, and with the nearest key that would be right.

use crate::planning::{DataRecipe, LossWeights, PlanningRecipe};
use crate::recipe::{OptimiserKind, OptimiserRecipe, Recipe, RunRecipe, TaskRecipe, two};
use crate::recipe_fault::Fault;
use crate::sequence::{PuzzleRates, SequenceData, SequenceRecipe};
use hrm_planner::grid::Moves;
use hrm_planner::model::{GridHrmConfig, SequenceConfig};
use serde::Deserialize;
use serde::de::DeserializeOwned;

type Result<T> = std::result::Result<T, Fault>;

/// `model.family`; recipes from before there were several have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Family {
    #[default]
    Grid,
    Hrm,
    Trm,
}

/// As much of a recipe as tells its family.
#[derive(Debug, Deserialize)]
struct Beginning {
    #[serde(default)]
    model: BeginningOfModel,
}

#[derive(Debug, Default, Deserialize)]
struct BeginningOfModel {
    #[serde(default)]
    family: Family,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile<M, D> {
    name: String,
    seed: u64,
    model: M,
    data: D,
    optimiser: OptimiserSection,
    run: RunRecipe,
}

/// `[model]` of a grid model: the keys of [`GridHrmConfig`] beside the family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GridModelSection {
    #[serde(default, rename = "family")]
    _family: Family,
    channels: usize,
    hidden: usize,
    h_blocks: usize,
    l_blocks: usize,
    h_cycles: usize,
    l_cycles: usize,
    kernel: Option<usize>,
    patch: Option<usize>,
    #[serde(default)]
    sparse: bool,
    #[serde(default)]
    moves: Moves,
    #[serde(default)]
    tied: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptimiserSection {
    #[serde(default)]
    kind: OptimiserKind,
    learning_rate: f64,
    warmup: u64,
    #[serde(default)]
    min_ratio: f64,
    weight_decay: f64,
    #[serde(deserialize_with = "two")]
    betas: [f64; 2],
    /// AdamW.
    clip: Option<f64>,
    ema: f64,
    /// Grid models.
    value_loss: Option<f64>,
    /// Grid models.
    halt_loss: Option<f64>,
    /// Sequence models with puzzle embeddings.
    puzzle_rate: Option<f64>,
    /// Sequence models with puzzle embeddings.
    puzzle_weight_decay: Option<f64>,
}

/// The recipe of a text, its ranges not yet checked.
pub(crate) fn parse(text: &str) -> Result<Recipe> {
    let Beginning { model } = read(text)?;
    match model.family {
        Family::Grid => planning(text, read(text)?),
        Family::Hrm | Family::Trm => sequence(text, read(text)?),
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|e| Fault::of_reading(text, &e))
}

fn planning(text: &str, file: RecipeFile<GridModelSection, DataRecipe>) -> Result<Recipe> {
    let losses = LossWeights {
        value: required("optimiser.value_loss", file.optimiser.value_loss)?,
        halt: required("optimiser.halt_loss", file.optimiser.halt_loss)?,
    };
    let of = "sequence models with puzzle embeddings";
    without(
        text,
        "optimiser.puzzle_rate",
        file.optimiser.puzzle_rate,
        of,
    )?;
    let decay = file.optimiser.puzzle_weight_decay;
    without(text, "optimiser.puzzle_weight_decay", decay, of)?;
    let GridModelSection {
        _family: _,
        channels,
        hidden,
        h_blocks,
        l_blocks,
        h_cycles,
        l_cycles,
        kernel,
        patch,
        sparse,
        moves,
        tied,
    } = file.model;
    let usual = GridHrmConfig::default();
    let model = GridHrmConfig {
        channels,
        hidden,
        h_blocks,
        l_blocks,
        h_cycles,
        l_cycles,
        kernel: kernel.unwrap_or(usual.kernel),
        patch: patch.unwrap_or(usual.patch),
        sparse,
        moves,
        tied,
    };
    Ok(Recipe {
        name: file.name,
        seed: file.seed,
        task: TaskRecipe::Planning(PlanningRecipe {
            model,
            data: file.data,
            losses,
        }),
        optimiser: file.optimiser.recipe(text)?,
        run: file.run,
    })
}

fn sequence(text: &str, file: RecipeFile<SequenceConfig, SequenceData>) -> Result<Recipe> {
    let optimiser = &file.optimiser;
    for (key, value) in [
        ("optimiser.value_loss", optimiser.value_loss),
        ("optimiser.halt_loss", optimiser.halt_loss),
    ] {
        without(text, key, value, "grid models")?;
    }
    let (rate, decay) = (optimiser.puzzle_rate, optimiser.puzzle_weight_decay);
    let puzzles = if file.model.puzzle_emb_ndim > 0 {
        Some(PuzzleRates {
            rate: required("optimiser.puzzle_rate", rate)?,
            weight_decay: required("optimiser.puzzle_weight_decay", decay)?,
        })
    } else {
        let of = "models with puzzle_emb_ndim above 0";
        without(text, "optimiser.puzzle_rate", rate, of)?;
        without(text, "optimiser.puzzle_weight_decay", decay, of)?;
        None
    };
    Ok(Recipe {
        name: file.name,
        seed: file.seed,
        task: TaskRecipe::Sequence(SequenceRecipe {
            model: file.model,
            data: file.data,
            puzzles,
        }),
        optimiser: file.optimiser.recipe(text)?,
        run: file.run,
    })
}

impl OptimiserSection {
    fn recipe(self, text: &str) -> Result<OptimiserRecipe> {
        let clip = match self.kind {
            OptimiserKind::AdamW => required("optimiser.clip", self.clip)?,
            OptimiserKind::AdamATan2 => {
                without(text, "optimiser.clip", self.clip, "kind = \"adamw\"")?;
                f64::INFINITY
            }
        };
        Ok(OptimiserRecipe {
            kind: self.kind,
            learning_rate: self.learning_rate,
            warmup: self.warmup,
            min_ratio: self.min_ratio,
            weight_decay: self.weight_decay,
            betas: self.betas,
            clip,
            ema: self.ema,
        })
    }
}

/// The value of a key that other recipes do without.
fn required(key: &str, value: Option<f64>) -> Result<f64> {
    value.ok_or_else(|| Fault::missing(key))
}

/// That a key of other recipes is not there, for it would do nothing.
fn without(text: &str, key: &str, value: Option<f64>, belongs_to: &str) -> Result<()> {
    match value {
        None => Ok(()),
        Some(_) => Err(Fault::of_key(
            text,
            key,
            format!("the key `{key}` belongs to {belongs_to} and has no effect here; remove it"),
        )),
    }
}
