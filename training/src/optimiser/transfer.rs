//! Many tensors to the host and back at once.
//!
//! Optimisers compute on the host, with f64 in between. On a GPU every copy waits for all work
//! before it, so that many tensors go as one: a step costs two copies to the host and one back,
//! not three for every tensor.

use crate::Result;
use candle_core::{Tensor, Var};

/// The values of each tensor, row-major; all are on one device.
pub(super) fn to_host(tensors: &[&Tensor]) -> Result<Vec<Vec<f32>>> {
    let on_host = tensors.first().is_none_or(|t| t.device().is_cpu());
    if on_host {
        let values = tensors.iter().map(|t| Ok(t.flatten_all()?.to_vec1()?));
        return values.collect();
    }
    let flat: candle_core::Result<Vec<_>> = tensors.iter().map(|t| t.flatten_all()).collect();
    let all = Tensor::cat(&flat?, 0)?.to_vec1::<f32>()?;
    let mut rest = all.as_slice();
    let parts = tensors.iter().map(|t| {
        let (part, behind) = rest.split_at(t.elem_count());
        rest = behind;
        Ok(part.to_vec())
    });
    parts.collect()
}

/// Gives each variable its values, row-major; all are on one device.
pub(super) fn from_host(vars: &[&Var], values: Vec<Vec<f32>>) -> Result<()> {
    let Some(device) = vars.first().map(|var| var.device().clone()) else {
        return Ok(());
    };
    if device.is_cpu() {
        for (var, values) in vars.iter().zip(values) {
            var.set(&Tensor::from_vec(values, var.shape(), &device)?)?;
        }
        return Ok(());
    }
    let all = Tensor::new(values.concat(), &device)?;
    let mut first = 0;
    for var in vars {
        let count = var.elem_count();
        var.set(&all.narrow(0, first, count)?.reshape(var.shape())?)?;
        first += count;
    }
    Ok(())
}
