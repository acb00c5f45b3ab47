//! Root-mean-square normalisation without weights, of operations that have a backward pass.

use crate::Result;
use candle_core::{D, Tensor};

/// `x / sqrt(mean(x^2) + eps)` over the last dimension; the shape stays.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn rms_norm(x: &Tensor, eps: f64) -> Result<Tensor> {
    let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    Ok(x.broadcast_div(&scale)?)
}
