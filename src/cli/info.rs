//! `hrm-planner info`: what a file holds.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use hrm_planner::grid::{Cost, Counts, MapFile, load_map, movingai};
use hrm_planner::model::{Checkpoint, ModelConfig, TrainingRecord};
use serde::Serialize;

use super::failure::Result;
use super::json::write_json;
use super::maps::FileKind;
use super::model_text;
use super::models;
use super::pairs::write_pairs;

/// Describe a map or a model
///
/// A map with a fault that leaves its cells readable, such as a missing origin, is described
/// together with the fault.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hrm-planner info office.yaml
  hrm-planner info models/nav.safetensors --json")]
pub struct Arguments {
    /// The file: a map (a ROS map's YAML file or a MovingAI .map file) or a model (.safetensors)
    file: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// A map's description. The names are stable: other tools read them.
#[derive(Debug, Serialize)]
struct MapRecord {
    width: usize,
    height: usize,
    resolution: f64,
    origin: Option<[f64; 3]>,
    #[serde(flatten)]
    counts: Counts,
    problems: Vec<String>,
}

/// A model's description. The names are stable: other tools read them.
#[derive(Debug, Serialize)]
struct ModelRecord<'a> {
    family: &'a str,
    parameters: usize,
    config: &'a ModelConfig,
    training: &'a TrainingRecord,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let path = &arguments.file;
    let map = match FileKind::of(path)? {
        FileKind::Model => return describe_model(&models::read(path)?, arguments.json, out),
        FileKind::MovingAi => movingai_map(path)?,
        FileKind::MapServer => server_map(path)?,
    };
    if arguments.json {
        return write_json(&map, out);
    }
    Ok(write_pairs(out, &map.pairs())?)
}

fn server_map(path: &Path) -> Result<MapRecord> {
    let file = MapFile::read(path)?;
    let (width, height, cells) = file.cells()?;
    let mut problems = Vec::new();
    if file.origin.is_none() {
        // Loading says what is missing, and what may have been meant.
        problems.extend(load_map(path).err().map(|error| error.to_string()));
    }
    Ok(MapRecord {
        width,
        height,
        resolution: file.resolution,
        origin: file.origin.map(|origin| [origin.x, origin.y, origin.yaw]),
        counts: Counts::of(&cells),
        problems,
    }
    .examined())
}

fn movingai_map(path: &Path) -> Result<MapRecord> {
    let map = movingai::read_map(path)?;
    let free = map.costs().iter().filter(|&&cost| cost == Cost::FREE);
    let free = free.count();
    let geometry = map.geometry();
    let origin = geometry.origin();
    Ok(MapRecord {
        width: geometry.width(),
        height: geometry.height(),
        resolution: geometry.resolution(),
        origin: Some([origin.x, origin.y, origin.yaw]),
        counts: Counts {
            free,
            occupied: geometry.cells() - free,
            ..Counts::default()
        },
        problems: Vec::new(),
    }
    .examined())
}

impl MapRecord {
    /// The record with the problems that its numbers show.
    fn examined(mut self) -> Self {
        if self.counts.free + self.counts.other == 0 {
            let problem = "no cell is free: there is nothing to plan on";
            self.problems.push(problem.to_owned());
        }
        self
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let cells = self.width * self.height;
        let count =
            |count: usize| format!("{count} ({:.1} %)", 100.0 * count as f64 / cells as f64);
        let metres = |side: usize| side as f64 * self.resolution;
        let mut pairs = vec![
            (
                "size",
                format!(
                    "{} x {} cells of {} m: {:.2} x {:.2} m",
                    self.width,
                    self.height,
                    self.resolution,
                    metres(self.width),
                    metres(self.height)
                ),
            ),
            (
                "origin",
                self.origin.map_or("missing".to_owned(), |[x, y, yaw]| {
                    format!("({x}, {y}) m, yaw {yaw} rad")
                }),
            ),
            ("free", count(self.counts.free)),
            ("occupied", count(self.counts.occupied)),
            ("unknown", count(self.counts.unknown)),
            ("other", count(self.counts.other)),
        ];
        pairs.extend(self.problems.iter().map(|text| ("problem", text.clone())));
        pairs
    }
}

fn describe_model(checkpoint: &Checkpoint, json: bool, out: &mut impl Write) -> Result<()> {
    let record = ModelRecord {
        family: checkpoint.config.family(),
        parameters: checkpoint.config.parameters(),
        config: &checkpoint.config,
        training: &checkpoint.training,
    };
    if json {
        return write_json(&record, out);
    }
    let training = record.training;
    let mut pairs = model_text::pairs(record.config);
    if let Some(file) = &training.imported_from {
        pairs.push(("training", format!("elsewhere; imported from {file}")));
    } else {
        let hours = training.wall_seconds / 3600.0;
        pairs.push((
            "training",
            format!(
                "{} steps, {hours:.1} h, seed {}",
                training.steps, training.seed
            ),
        ));
        if let Some(ending) = &training.ending {
            pairs.push(("ending", ending.clone()));
        }
        pairs.push(("machine", or_unknown(&training.machine)));
    }
    pairs.push(("recipe", "see --json".to_owned()));
    Ok(write_pairs(out, &pairs)?)
}

fn or_unknown(text: &str) -> String {
    let text = if text.is_empty() { "unknown" } else { text };
    text.to_owned()
}
