//! `hrm-train eval`: a model judged on maps that training cannot draw.

use super::{Outcome, say};
use hrm_planner::grid::generate::Kind;
use hrm_planner::judge::{Generated, Judge, write_table};
use hrm_planner::model::Checkpoint;
use hrm_planner::planner::{NamedModel, PlannerConfig};
use hrm_training::Error;
use std::path::PathBuf;

/// Judge a model on generated maps that it was not trained on, as `hrm-planner bench` does
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model, such as `runs/grid/grid.safetensors`
    model: PathBuf,
    /// Problems of each kind and side
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Sides of the maps, cells
    #[arg(
        long,
        value_name = "N,N,...",
        value_delimiter = ',',
        default_value = "16,32,48"
    )]
    sides: Vec<usize>,
    /// Kinds of maps [default: all]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// The seed of the problems
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Also write the rows to this file, a JSON list
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Judges and prints a table.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let named = NamedModel {
        name: args.model.display().to_string(),
        model: Checkpoint::read(&args.model)
            .and_then(|checkpoint| checkpoint.model())
            .map_err(Error::from)?,
    };
    let judge =
        Judge::new(&PlannerConfig::default(), Some(named), args.seed).map_err(Error::from)?;
    let kinds = if args.kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        args.kinds.clone()
    };
    let set = Generated {
        kinds,
        sides: args.sides.clone(),
        n: args.limit as usize,
    };
    let rows = judge.generated(&set).map_err(Error::from)?;
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&rows)? + "\n";
        std::fs::write(file, text).map_err(|source| Error::Io {
            path: file.clone(),
            source,
        })?;
    }
    let mut table = Vec::new();
    write_table(&rows, &mut table)?;
    say::result(String::from_utf8_lossy(&table).trim_end());
    Ok(Outcome::Done)
}
