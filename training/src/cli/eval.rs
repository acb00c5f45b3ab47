//! `hrm-train eval`: a model judged on problems that training cannot draw.

use super::place::Place;
use super::sudoku::clues;
use super::{Outcome, boards, maps};
use hrm_planner::grid::generate::{Kind, SIDES};
use hrm_planner::model::{Checkpoint, ModelConfig};
use hrm_training::{Error, Recipe, find_recipe};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Judge a model on generated problems that it was not trained on
///
/// A grid model plans on maps and is judged as by `hrm-planner bench generated`: one row per kind
/// and side. A published model answers Sudoku boards: once thinking to its last segment, once
/// halting by its own rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  hrm-train eval runs/grid/grid.safetensors --sides 32,64,128 --n 50
  hrm-train eval runs/grid/grid-best.safetensors --kinds maze --failures out/worst")]
pub struct Args {
    /// A model, such as `runs/grid/grid.safetensors`
    pub model: PathBuf,
    /// Problems of each kind and side [default: 20], or boards of each band of clues [default: 250]
    #[arg(long, alias = "limit", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub n: Option<u32>,
    /// Judge on what this recipe trains on: its kinds of maps, and sides up to its longest, or its
    /// numbers of clues; a path, or a name from configs/recipes
    #[arg(long, value_name = "RECIPE")]
    recipe: Option<String>,
    /// Maps: their sides, cells [default: 16,32,48]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = side)]
    pub sides: Vec<usize>,
    /// Maps: their kinds [default: all]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    pub kinds: Vec<Kind>,
    /// Maps: draw the model's worst plans into this folder, beside the oracle's
    #[arg(long, value_name = "FOLDER")]
    pub failures: Option<PathBuf>,
    /// Boards: their clues [default: those it was trained on]
    #[arg(long, value_name = "MIN..MAX", value_parser = clues)]
    pub clues: Option<RangeInclusive<usize>>,
    /// The seed of the problems
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Also write the rows to this file, a JSON list
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    pub place: Place,
}

/// A side that maps can have.
fn side(text: &str) -> Result<usize, String> {
    let side: usize = text.parse().map_err(|_| "not a whole number".to_owned())?;
    if SIDES.contains(&side) {
        Ok(side)
    } else {
        Err(format!("must be {} to {}", SIDES.start(), SIDES.end()))
    }
}

/// Judges and prints a table.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let checkpoint = Checkpoint::read(&args.model).map_err(Error::from)?;
    let recipe = match &args.recipe {
        Some(name) => Some(Recipe::read(&find_recipe(name)?)?.0),
        None => None,
    };
    match checkpoint.config {
        ModelConfig::Grid(_) => maps::execute(args, recipe.as_ref(), &checkpoint),
        ModelConfig::Sequence(_) => boards::execute(args, recipe.as_ref(), &checkpoint),
    }
}

impl Args {
    /// Writes the rows where `--json` says.
    pub fn write_json(&self, rows: &impl serde::Serialize) -> anyhow::Result<()> {
        let Some(file) = &self.json else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(rows)? + "\n";
        std::fs::write(file, text).map_err(|source| Error::Io {
            path: file.clone(),
            source,
        })?;
        Ok(())
    }
}
