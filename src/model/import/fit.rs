//! Whether tensors are those of a model: all differences at once, so that one look tells what a
//! file is.

use crate::{Error, Result};
use candle_core::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// Checks tensors against the names and shapes that a model needs.
///
/// # Errors
/// [`Error::ImportTensors`] with every tensor that is missing, too many or of another shape.
pub fn fit(tensors: &BTreeMap<String, Tensor>, expected: &[(String, Vec<usize>)]) -> Result<()> {
    let mut differences = Vec::new();
    for (name, shape) in expected {
        match tensors.get(name) {
            None => differences.push(format!("`{name}` {shape:?} is missing")),
            Some(tensor) if tensor.dims() != shape => {
                differences.push(format!("`{name}` is {:?}, not {shape:?}", tensor.dims()));
            }
            Some(_) => {}
        }
    }
    let names: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    for (name, tensor) in tensors {
        if !names.contains(name.as_str()) {
            differences.push(format!("`{name}` {:?} is not part of it", tensor.dims()));
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Error::ImportTensors { differences })
    }
}
