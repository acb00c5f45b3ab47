//! Which model plans, and where: `--model`, else the environment variable `HRM_MODEL`, else the
//! shipped one; `--device` and `--precision`, else the configured ones.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hrm_planner::Error;
use hrm_planner::model::{Checkpoint, DeviceChoice, ModelConfig, Precision, SequenceHrm};
use hrm_planner::planner::{NamedModel, PlannerConfig};

use super::failure::{Failure, Result};

/// The choice of a model.
#[derive(Debug, Args)]
pub struct ModelChoice {
    /// The model, a .safetensors file, instead of the shipped one (also: HRM_MODEL)
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Where it thinks: cpu, cuda or cuda:N, instead of the configured one [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
    /// What its products compute with, instead of the configured precision [default: f32]
    #[arg(long, value_enum, value_name = "PRECISION")]
    precision: Option<PrecisionArgument>,
}

/// [`Precision`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PrecisionArgument {
    /// 24 bits of mantissa
    F32,
    /// 8 bits: faster where the processor has instructions for it
    Bf16,
}

impl From<PrecisionArgument> for Precision {
    fn from(argument: PrecisionArgument) -> Self {
        match argument {
            PrecisionArgument::F32 => Self::F32,
            PrecisionArgument::Bf16 => Self::Bf16,
        }
    }
}

impl ModelChoice {
    /// Makes the chosen device and precision the configured ones.
    pub fn configure(&self, config: &mut PlannerConfig) {
        config.device = self.device.unwrap_or(config.device);
        config.precision = self.precision.map_or(config.precision, Precision::from);
    }

    /// The file that is named, if one is.
    pub fn named(&self) -> Option<PathBuf> {
        let from_environment = || {
            let path = std::env::var_os("HRM_MODEL").map(PathBuf::from);
            path.filter(|path| !path.as_os_str().is_empty())
        };
        self.model.clone().or_else(from_environment)
    }

    /// The model that is named, if it is a published sequence model, on the device and at the
    /// precision of these settings.
    pub fn sequence_model(&self, config: &PlannerConfig) -> Result<Option<SequenceHrm>> {
        let Some(path) = self.named() else {
            return Ok(None);
        };
        let checkpoint = read(&path)?;
        match checkpoint.config {
            ModelConfig::Grid(_) => Ok(None),
            ModelConfig::Sequence(_) => {
                let model = checkpoint.sequence_model_on(&config.device.open()?);
                let model = model.map_err(|error| in_file(&path, error))?;
                Ok(Some(model.with_precision(config.precision)?))
            }
        }
    }

    /// The chosen model on a device; `None` if none is named and none was shipped.
    pub fn load(&self, device: DeviceChoice) -> Result<Option<NamedModel>> {
        let compute = device.open()?;
        if let Some(path) = self.named() {
            let named = NamedModel::read(&path, &compute);
            return Ok(Some(named.map_err(|error| in_file(&path, error))?));
        }
        let named = NamedModel::shipped(&compute)?;
        if named.is_none() {
            tracing::warn!(
                "this program was built without a model, so the search makes all plans; name one \
                 with --model or HRM_MODEL"
            );
        }
        Ok(named)
    }
}

/// A checkpoint; errors name the file.
pub fn read(path: &Path) -> Result<Checkpoint> {
    Checkpoint::read(path).map_err(|error| in_file(path, error))
}

/// An error with the file it is of.
fn in_file(path: &Path, error: Error) -> Failure {
    match error {
        Error::Io { .. } | Error::Checkpoint { .. } => error.into(),
        // Those about tensors and settings do not know which file they are of.
        other => Failure::Input(format!("{}: {other}", path.display())),
    }
}
