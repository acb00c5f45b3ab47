//! `hrm-planner import`: a published model as a checkpoint of ours.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use hrm_planner::model::import::{self, Arch};
use hrm_planner::model::{ModelConfig, TrainingRecord};
use serde::Serialize;

use super::failure::{Failure, Result};
use super::json::write_json;
use super::model_text;
use super::pairs::write_pairs;

/// Make a model file of a published checkpoint
///
/// Reads the weights of a published HRM or TRM and writes them with their configuration as a model
/// file of this program. The checkpoint need not be trusted: it is read as data, nothing in it is
/// run, and what it may take is bounded.
#[derive(Debug, Args)]
#[command(
    after_help = "Names are accepted with the prefixes of compiled and wrapped models (_orig_mod., \
                  module., model., inner.).

Examples:
  hrm-planner import checkpoints/step_39060 --config checkpoints/all_config.yaml --out hrm.safetensors
  hrm-planner import trm.pt --config all_config.yaml --seq-len 81 --out trm.safetensors
  hrm-planner info hrm.safetensors"
)]
pub struct Arguments {
    /// The checkpoint: a file of torch.save, of PyTorch 1.6 or later, or a .safetensors file
    checkpoint: PathBuf,
    /// The `all_config.yaml` that lies beside a published checkpoint
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tokens of a problem [default: 900 for mazes and ARC, 81 for Sudoku, told by the vocabulary]
    #[arg(long, value_name = "N")]
    seq_len: Option<usize>,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What `import --json` prints.
#[derive(Debug, Serialize)]
struct Record<'a> {
    read: &'a Path,
    format: &'a str,
    tensors: usize,
    family: &'a str,
    parameters: usize,
    config: &'a ModelConfig,
    notes: &'a [String],
    written: &'a Path,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let (recipe, arch) = match &arguments.config {
        Some(path) => {
            let text = import::read_text(path)?;
            let arch = Arch::parse(&text, path)?;
            (text, arch)
        }
        None => (String::new(), Arch::default()),
    };
    let path = &arguments.checkpoint;
    let mut imported = import::read(path)?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let training = TrainingRecord {
        recipe,
        imported_from: Some(name.to_string_lossy().into_owned()),
        started_from: None,
        ..TrainingRecord::default()
    };
    let checkpoint = imported
        .checkpoint(&arch, arguments.seq_len, training)
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    checkpoint.write(&arguments.out)?;
    let record = Record {
        read: path,
        format: imported.format,
        tensors: checkpoint.tensors.len(),
        family: checkpoint.config.family(),
        parameters: checkpoint.config.parameters(),
        config: &checkpoint.config,
        notes: &imported.notes,
        written: &arguments.out,
    };
    if arguments.json {
        return write_json(&record, out);
    }
    Ok(write_pairs(out, &record.pairs())?)
}

impl Record<'_> {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let read = format!(
            "{}, {} of {} tensors",
            self.read.display(),
            self.format,
            self.tensors
        );
        let mut pairs = vec![("read", read)];
        pairs.extend(model_text::pairs(self.config));
        pairs.extend(self.notes.iter().map(|note| ("note", note.clone())));
        pairs.push(("written", self.written.display().to_string()));
        pairs
    }
}
