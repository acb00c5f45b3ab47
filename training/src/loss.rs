//! What the losses of all tasks are made of.

use crate::Result;
use candle_core::Tensor;

/// Cross-entropy of logits with targets in 0..=1, stable for large logits.
pub(crate) fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let soft = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    Ok(((logits.relu()? - (logits * targets)?)? + soft)?)
}
