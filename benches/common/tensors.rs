//! Tensors on their way to PyTorch, and the comparison with those that come back.

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use std::collections::HashMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder of tensor files, gone with this value.
pub struct Files(TempDir);

impl Files {
    pub fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    /// The place of the file of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.safetensors"))
    }

    /// Writes a file of tensors and says where it is.
    pub fn save<N: Into<String>>(
        &self,
        name: &str,
        tensors: impl IntoIterator<Item = (N, Tensor)>,
    ) -> Result<PathBuf> {
        let path = self.path(name);
        let tensors: HashMap<String, Tensor> =
            tensors.into_iter().map(|(n, t)| (n.into(), t)).collect();
        candle_core::safetensors::save(&tensors, &path)?;
        Ok(path)
    }
}

/// The tensor that differs most from PyTorch's, and by how much of its largest value. Shapes may
/// differ, values and their order may not.
pub fn difference(
    ours: &HashMap<String, Tensor>,
    theirs: &HashMap<String, Tensor>,
) -> Result<(String, f64)> {
    let mut worst = (String::new(), 0.0);
    for (name, tensor) in ours {
        let theirs = theirs
            .get(name)
            .with_context(|| format!("PyTorch says nothing of `{name}`"))?;
        let (ours, theirs) = (values(tensor)?, values(theirs)?);
        anyhow::ensure!(
            ours.len() == theirs.len(),
            "`{name}`: {} values, and {} of PyTorch",
            ours.len(),
            theirs.len()
        );
        let largest = theirs.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        // A NaN on either side is the worst of all; `max` would pass it over.
        let error = apart.fold(
            0.0,
            |most, x| if x >= most || x.is_nan() { x } else { most },
        );
        let relative = error / largest.max(f64::MIN_POSITIVE);
        if relative >= worst.1 || relative.is_nan() {
            worst = (name.clone(), relative);
        }
    }
    Ok(worst)
}

fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}
