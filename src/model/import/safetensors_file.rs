//! Named tensors from a safetensors file. The format holds no programs, and its crate checks every
//! place in the file.

use super::limits::{self, quoted};
use super::{element, names};
use candle_core::{DType, Tensor};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::io::Read;

/// Reads all tensors of floats, as f32, and appends to the notes what was left out.
///
/// # Errors
/// What is wrong, for the reader of a message.
pub fn read(file: impl Read, notes: &mut Vec<String>) -> Result<BTreeMap<String, Tensor>, String> {
    let broken = |error: &dyn std::fmt::Display| {
        format!("it is not a whole safetensors file ({error}); fetch it again")
    };
    let mut bytes = Vec::new();
    file.take(limits::FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| broken(&error))?;
    let mut tensors = BTreeMap::new();
    let mut others = Vec::new();
    for (name, view) in file.iter() {
        let Some(float) = float(view.dtype()) else {
            others.push(format!("{} ({:?})", quoted(name), view.dtype()));
            continue;
        };
        let tensor = element::to_f32(view.data(), float, view.shape())
            .map_err(|reason| format!("tensor {}: {reason}", quoted(name)))?;
        tensors.insert(name.to_owned(), tensor);
    }
    notes.extend(names::no_weights(&others));
    Ok(tensors)
}

/// The type as candle has it, for those that weights can have.
fn float(dtype: Dtype) -> Option<DType> {
    match dtype {
        Dtype::F64 => Some(DType::F64),
        Dtype::F32 => Some(DType::F32),
        Dtype::F16 => Some(DType::F16),
        Dtype::BF16 => Some(DType::BF16),
        _ => None,
    }
}
