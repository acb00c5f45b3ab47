//! `hrm-train eval`: a model judged on problems that training cannot draw.

use super::place::Place;
use super::sudoku::clues;
use super::{Outcome, boards, say};
use hrm_planner::grid::generate::Kind;
use hrm_planner::judge::{Generated, Judge, write_table};
use hrm_planner::model::{Checkpoint, ModelConfig};
use hrm_planner::planner::{NamedModel, PlannerConfig};
use hrm_training::Error;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Judge a model on generated problems that it was not trained on
///
/// A grid model plans on maps, as for `hrm-planner bench`. A published model answers Sudoku boards:
/// once thinking to its last segment, once halting by its own rule.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model, such as `runs/grid/grid.safetensors`
    pub model: PathBuf,
    /// Problems of each kind and side [default: 20], or boards of each band of clues [default: 250]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Maps: their sides, cells
    #[arg(
        long,
        value_name = "N,N,...",
        value_delimiter = ',',
        default_value = "16,32,48"
    )]
    sides: Vec<usize>,
    /// Maps: their kinds [default: all]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    kinds: Vec<Kind>,
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

/// Judges and prints a table.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let checkpoint = Checkpoint::read(&args.model).map_err(Error::from)?;
    match checkpoint.config {
        ModelConfig::Grid(_) => maps(args, &checkpoint),
        ModelConfig::Sequence(_) => boards::execute(args, &checkpoint),
    }
}

/// Problems of each kind and side of maps.
const MAPS: u32 = 20;

fn maps(args: &Args, checkpoint: &Checkpoint) -> anyhow::Result<Outcome> {
    let named = NamedModel {
        name: args.model.display().to_string(),
        model: checkpoint
            .model_on(&args.place.open()?)
            .map_err(Error::from)?,
    };
    let config = PlannerConfig {
        device: args.place.device,
        ..PlannerConfig::default()
    };
    let judge = Judge::new(&config, Some(named), args.seed).map_err(Error::from)?;
    let kinds = if args.kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        args.kinds.clone()
    };
    let set = Generated {
        kinds,
        sides: args.sides.clone(),
        n: args.limit.unwrap_or(MAPS) as usize,
    };
    let rows = judge.generated(&set).map_err(Error::from)?;
    args.write_json(&rows)?;
    let mut table = Vec::new();
    write_table(&rows, &mut table)?;
    say::result(String::from_utf8_lossy(&table).trim_end());
    Ok(Outcome::Done)
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
