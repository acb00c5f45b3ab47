//! What a segment's read-out is judged by.

use super::batch::Batch;
use crate::Result;
use crate::loss::cross_entropy;
use candle_core::{D, Tensor};
use hrm_planner::model::Readout;

/// The three losses of a segment, each a scalar in the graph.
#[derive(Debug, Clone)]
pub struct Loss {
    /// -ln(probability of the set of optimal moves among the legal ones), mean over labelled cells.
    pub moves: Tensor,
    /// Huber loss of ln(1 + cost-to-go), mean over labelled cells.
    pub value: Tensor,
    /// Cross-entropy of `q_halt` with "the rollout from here is good", mean over labelled cells.
    pub halt: Tensor,
}

/// The losses of a read-out. `good` is 1 for cells whose rollout arrives at nearly the
/// oracle's travel cost, (cells).
///
/// # Errors
/// A tensor operation that fails.
pub fn losses(readout: &Readout, batch: &Batch, good: &Tensor) -> Result<Loss> {
    let among_legal = log_sum_exp(&(&readout.moves + &batch.legal)?)?;
    let optimal = log_sum_exp(&(&readout.moves + &batch.optimal)?)?;
    let moves = ((among_legal - optimal)? * &batch.weight)?.sum_all()?;
    let value = (huber(&(&readout.value - &batch.value)?)? * &batch.weight)?.sum_all()?;
    let halt = (cross_entropy(&readout.q_halt, good)? * &batch.weight)?.sum_all()?;
    Ok(Loss { moves, value, halt })
}

/// ln(sum(exp(x))) over the last dimension, of operations that have a backward pass.
fn log_sum_exp(x: &Tensor) -> Result<Tensor> {
    let highest = x.max_keepdim(D::Minus1)?.detach();
    let sum = x.broadcast_sub(&highest)?.exp()?.sum(D::Minus1)?;
    Ok((sum.log()? + highest.squeeze(D::Minus1)?)?)
}

/// x^2 / 2 up to 1, |x| - 1/2 beyond.
fn huber(x: &Tensor) -> Result<Tensor> {
    let size = x.abs()?;
    let small = size.clamp(0.0, 1.0)?;
    Ok((&small * (size - (&small * 0.5)?)?)?)
}
