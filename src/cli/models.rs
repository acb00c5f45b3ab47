//! Which model plans: `--model`, else the environment variable `HRM_MODEL`, else the shipped one.

use std::path::{Path, PathBuf};

use clap::Args;
use hrm_planner::Error;
use hrm_planner::model::{Checkpoint, SHIPPED_NAME, shipped};
use hrm_planner::planner::NamedModel;

use super::failure::{Failure, Result};

/// The choice of a model.
#[derive(Debug, Args)]
pub struct ModelChoice {
    /// The model, a .safetensors file, instead of the shipped one (also: HRM_MODEL)
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
}

impl ModelChoice {
    /// The chosen model; `None` if none is named and none was shipped.
    pub fn load(&self) -> Result<Option<NamedModel>> {
        let from_environment = || {
            let path = std::env::var_os("HRM_MODEL").map(PathBuf::from);
            path.filter(|path| !path.as_os_str().is_empty())
        };
        if let Some(path) = self.model.clone().or_else(from_environment) {
            let name = path.file_stem().unwrap_or(path.as_os_str());
            let name = name.to_string_lossy().into_owned();
            let model = read(&path)?
                .model()
                .map_err(|error| in_file(&path, error))?;
            return Ok(Some(NamedModel { name, model }));
        }
        let Some(checkpoint) = shipped()? else {
            tracing::warn!(
                "this program was built without a model, so the search makes all plans; name one \
                 with --model or HRM_MODEL"
            );
            return Ok(None);
        };
        Ok(Some(NamedModel {
            name: SHIPPED_NAME.to_owned(),
            model: checkpoint.model()?,
        }))
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
