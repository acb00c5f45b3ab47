//! What a model of any family is made of, and its form in a checkpoint.

use super::named_tensors::NamedTensors;
use super::{Formulation, GridHrm, GridHrmConfig, SequenceConfig, SequenceFamily};
use crate::Result;
use candle_core::{DType, Tensor};
use serde::Serialize;
use std::collections::BTreeMap;

/// The configuration of a model, of one of the families that this program runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ModelConfig {
    /// Family `grid-hrm`: ours, which plans.
    Grid(GridHrmConfig),
    /// Families `hrm` and `trm`: the published ones, over sequences of tokens.
    Sequence(SequenceConfig),
}

impl ModelConfig {
    /// The name of the family, in checkpoints and messages.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Grid(_) => "grid-hrm",
            Self::Sequence(config) => match config.family {
                SequenceFamily::Hrm => "hrm",
                SequenceFamily::Trm => "trm",
            },
        }
    }

    /// Names and shapes of all tensors, in a fixed order.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::Grid(config) => config.tensors(),
            Self::Sequence(config) => config.tensors(),
        }
    }

    /// Number of trainable values; puzzle embeddings do not count, as in the papers.
    pub fn parameters(&self) -> usize {
        match self {
            Self::Grid(config) => config.parameters(),
            Self::Sequence(config) => config.parameters(),
        }
    }

    /// The configuration of a family from its JSON.
    ///
    /// # Errors
    /// What is wrong, for the reader of a message.
    pub(super) fn parse(family: &str, json: &str) -> std::result::Result<Self, String> {
        let parsed = match family {
            "grid-hrm" => serde_json::from_str(json).map(Self::Grid),
            "hrm" | "trm" => serde_json::from_str(json).map(Self::Sequence),
            _ => {
                return Err(format!(
                    "the metadata key `family` is {family:?}, but this program runs \"grid-hrm\", \
                     \"hrm\" and \"trm\""
                ));
            }
        };
        let config =
            parsed.map_err(|e| format!("the metadata key `config` cannot be read: {e}"))?;
        if config.family() == family {
            Ok(config)
        } else {
            Err(format!(
                "the metadata key `family` is {family:?}, but `config` is of {:?}",
                config.family()
            ))
        }
    }

    /// Checks that a model can be made of this configuration and these tensors.
    ///
    /// # Errors
    /// The first key or tensor that is wrong.
    pub(super) fn check(&self, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
        match self {
            Self::Grid(config) => {
                GridHrm::new(config.clone(), tensors, Formulation::Fused).map(drop)
            }
            Self::Sequence(config) => {
                config.validate()?;
                NamedTensors::checked(config.tensors(), tensors, DType::F32).map(drop)
            }
        }
    }
}

impl From<GridHrmConfig> for ModelConfig {
    fn from(config: GridHrmConfig) -> Self {
        Self::Grid(config)
    }
}

impl From<SequenceConfig> for ModelConfig {
    fn from(config: SequenceConfig) -> Self {
        Self::Sequence(config)
    }
}
