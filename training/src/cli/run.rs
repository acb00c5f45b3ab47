//! `hrm-train run`: a recipe from its first step.

use super::place::Place;
use super::{Outcome, train};
use hrm_planner::model::Checkpoint;
use hrm_training::{Error, Overrides, Recipe, Run, find_recipe};
use std::path::PathBuf;

/// Train a model from nothing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A recipe: the path of a TOML file, or the name of one in configs/recipes, such as `grid`
    recipe: String,
    /// The run's folder; it must not hold a run yet [default: runs/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Optimiser steps, instead of the recipe's
    #[arg(long, value_name = "N", value_parser = whole_number())]
    steps: Option<u64>,
    /// Seed of weights and maps, instead of the recipe's
    #[arg(long, value_name = "N", value_parser = whole_number())]
    seed: Option<u64>,
    /// Begin with the weights of this model, of the recipe's own shape, instead of from nothing
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    limit: train::Limit,
}

/// The whole numbers that TOML can hold.
fn whole_number() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

/// Starts a run and drives it.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let overrides = Overrides {
        seed: args.seed,
        steps: args.steps,
    };
    let (recipe, text) = Recipe::read_with(&find_recipe(&args.recipe)?, overrides)?;
    let compute = args.place.open()?;
    let default = || PathBuf::from("runs").join(&recipe.name);
    let folder = args.out.clone().unwrap_or_else(default);
    let run = match &args.from {
        Some(path) => {
            let model = Checkpoint::read(path).map_err(Error::from)?;
            Run::start_from(recipe, text, &model, &folder, &compute)?
        }
        None => Run::start(recipe, text, &folder, &compute)?,
    };
    train::drive(run, args.limit)
}
