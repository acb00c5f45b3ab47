//! Weights with their configuration and their history in one safetensors file.
//!
//! The file's metadata holds, as JSON strings: `format` (the version of this description),
//! `family`, `config` and `training`. All families share one format; what differs is the
//! configuration, and which tensors it calls for (see [`ModelConfig`]). A checkpoint is written to a temporary file beside its
//! destination and renamed, so that an interrupted write never leaves half a file.

use super::weight_stream::WeightStream;
use super::{Compute, GridHrm, ModelConfig, SequenceHrm};
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The version of the metadata.
const FORMAT: &str = "1";
/// Larger files are refused: the shipped models are below one megabyte, the largest published ones
/// have 27 million parameters.
const MAX_BYTES: u64 = 1 << 31;

/// How a model came to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingRecord {
    /// The recipe file's text, from which the model can be trained again.
    pub recipe: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Seconds of training, over all runs.
    pub wall_seconds: f64,
    /// Processor and cores.
    pub machine: String,
    /// Scores by set and kind, as measured when training ended.
    pub scores: serde_json::Value,
    /// The file that a model was imported from, if another program trained it: then the recipe is
    /// that program's configuration, and the rest is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<String>,
    /// How the model came to be whose weights training began with, if it did not begin from nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_from: Option<Box<TrainingRecord>>,
    /// Why training ended here, or this model was kept, if not for being the recipe's last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
}

/// A model's configuration, weights and history.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// What the model is made of.
    pub config: ModelConfig,
    /// Where it comes from.
    pub training: TrainingRecord,
    /// Weights by name, on the CPU; see [`ModelConfig::tensors`].
    pub tensors: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// A grid model with these weights, for planning on the CPU.
    ///
    /// # Errors
    /// As [`Checkpoint::model_on`].
    pub fn model(&self) -> Result<GridHrm> {
        self.model_on(&Compute::cpu())
    }

    /// A grid model with these weights, for planning, on any device.
    ///
    /// # Errors
    /// A model of another family, or as [`GridHrm::new`].
    pub fn model_on(&self, compute: &Compute) -> Result<GridHrm> {
        match &self.config {
            ModelConfig::Grid(config) => {
                let tensors = self.tensors_on(compute)?;
                GridHrm::new(config.clone(), &tensors, compute.formulation)
            }
            ModelConfig::Sequence(_) => Err(self.is_another("grid-hrm")),
        }
    }

    /// A published model with these weights, for inference on the CPU.
    ///
    /// # Errors
    /// As [`Checkpoint::sequence_model_on`].
    pub fn sequence_model(&self) -> Result<SequenceHrm> {
        self.sequence_model_on(&Compute::cpu())
    }

    /// A published model with these weights, for inference, on any device.
    ///
    /// # Errors
    /// A model of another family, or as [`SequenceHrm::new`].
    pub fn sequence_model_on(&self, compute: &Compute) -> Result<SequenceHrm> {
        match &self.config {
            ModelConfig::Sequence(config) => {
                SequenceHrm::new(config.clone(), &self.tensors_on(compute)?)
            }
            ModelConfig::Grid(_) => Err(self.is_another("hrm or trm")),
        }
    }

    /// The weights on a device; on the CPU these very ones.
    fn tensors_on(&self, compute: &Compute) -> Result<BTreeMap<String, Tensor>> {
        let tensors = self.tensors.iter();
        tensors
            .map(|(name, tensor)| Ok((name.clone(), tensor.to_device(&compute.device)?)))
            .collect()
    }

    fn is_another(&self, wanted: &'static str) -> Error {
        Error::ModelFamily {
            family: self.config.family(),
            wanted,
        }
    }

    /// Reads a file and checks all of it: metadata, every tensor's name, shape and type, and that
    /// every weight is finite.
    ///
    /// # Errors
    /// The first thing that is wrong, with the key or tensor's name.
    pub fn read(path: &Path) -> Result<Self> {
        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let bad = |reason: String| Error::Checkpoint {
            path: path.to_owned(),
            reason,
        };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        if length > MAX_BYTES {
            return Err(bad(format!(
                "{length} bytes are more than any model of ours has"
            )));
        }
        Self::from_reader(file, length, path)
    }

    /// As [`Checkpoint::read`], from a file's bytes; `path` only names it in messages.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        Self::from_reader(bytes, bytes.len() as u64, path)
    }

    fn from_reader(reader: impl Read, length: u64, path: &Path) -> Result<Self> {
        let bad = |reason: String| Error::Checkpoint {
            path: path.to_owned(),
            reason,
        };
        let file = WeightStream::new(reader, length).map_err(bad)?;
        let metadata = file.texts();
        let value = |key: &str| {
            metadata
                .get(key)
                .ok_or_else(|| bad(format!("the metadata key `{key}` is missing")))
        };
        let format = value("format")?;
        if format != FORMAT {
            return Err(bad(format!(
                "the metadata key `format` is {format:?}, but this program reads {FORMAT:?}"
            )));
        }
        let config = ModelConfig::parse(value("family")?, value("config")?).map_err(bad)?;
        let training = serde_json::from_str(value("training")?)
            .map_err(|e| bad(format!("the metadata key `training` cannot be read: {e}")))?;
        let checkpoint = Self {
            config,
            training,
            tensors: file.tensors().map_err(bad)?,
        };
        checkpoint.config.check(&checkpoint.tensors)?;
        Ok(checkpoint)
    }

    /// Writes the file, atomically.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("family".to_owned(), self.config.family().to_owned()),
            ("config".to_owned(), json(&self.config)?),
            ("training".to_owned(), json(&self.training)?),
        ]);
        let tensors = self
            .tensors
            .iter()
            .map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?)))
            .collect::<Result<Vec<_>>>()?;
        let bytes =
            safetensors::serialize(tensors, Some(metadata)).map_err(|e| Error::Checkpoint {
                path: path.into(),
                reason: e.to_string(),
            })?;
        write_atomically(path, &bytes)
    }
}

/// Writes a file so that its name always holds either the old contents or all of the new.
///
/// # Errors
/// A file that cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let mut file = std::fs::File::create(&temporary).map_err(io)?;
    std::io::Write::write_all(&mut file, bytes).map_err(io)?;
    file.sync_all().map_err(io)?;
    std::fs::rename(&temporary, path).map_err(io)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Json {
        reason: e.to_string(),
    })
}
