//! What a sequence model's read-out is judged by: the tokens, and the two halting scores.
//!
//! ```text
//! lm       = sum over problems of  mean over labelled places of  -ln p(label)
//! q_halt   = sum over problems of  H(q_halt, [all labelled places are right])
//! q_cont.  = sum over problems of  H(q_continue, G)
//! loss     = lm + (q_halt + q_cont.) / 2
//! ```
//!
//! with H the cross-entropy of a logit and G the target of
//! [`Halting::target`](hrm_planner::model::Halting::target); a model without G has no third term
//! (published as `ACTLossHead` in `losses.py`). p is stablemax (arXiv 2501.04697), which grows
//! linearly where softmax explodes:
//!
//! ```text
//! p_i = s(x_i) / sum_j s(x_j)    s(x) = x + 1 for x >= 0, 1 / (1 - x) for x < 0
//! ```

use super::IGNORED;
use crate::Result;
use crate::loss::cross_entropy;
use candle_core::{D, DType, Tensor};
use hrm_planner::model::SequenceReadout;

/// The losses of a segment, summed over its problems: scalars in the graph, f64 as published.
#[derive(Debug, Clone)]
pub struct SequenceLosses {
    /// Of the tokens.
    pub lm: Tensor,
    /// Of `q_halt`.
    pub q_halt: Tensor,
    /// Of `q_continue`, where it learns.
    pub q_continue: Option<Tensor>,
}

impl SequenceLosses {
    /// What the gradient is of; published training divides it by the number of problems.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn total(&self) -> Result<Tensor> {
        let halting = match &self.q_continue {
            Some(q_continue) => (&self.q_halt + q_continue)?,
            None => self.q_halt.clone(),
        };
        Ok((&self.lm + (halting * 0.5)?)?)
    }
}

/// The losses of a read-out of B problems with S places.
///
/// `labels` are B x S tokens, problem by problem, or [`IGNORED`]; `exact` says per problem
/// whether all labelled places are right; `target` is what `q_continue` learns, (B).
///
/// # Errors
/// A tensor operation that fails, such as for a label outside the vocabulary.
pub fn sequence_losses(
    readout: &SequenceReadout,
    labels: &[i32],
    exact: &[bool],
    target: Option<&Tensor>,
) -> Result<SequenceLosses> {
    let (batch, places, _) = readout.logits.dims3()?;
    let device = readout.logits.device();
    let wanted: Vec<u32> = labels.iter().map(|&l| l.max(0) as u32).collect();
    let wanted = Tensor::from_vec(wanted, (batch, places, 1), device)?;
    let weights: Vec<f64> = labels.chunks(places.max(1)).flat_map(weights).collect();
    let weights = Tensor::from_vec(weights, (batch, places), device)?;

    let log_p = log_stablemax(&readout.logits.to_dtype(DType::F64)?)?;
    let log_p = log_p.gather(&wanted, D::Minus1)?.squeeze(D::Minus1)?;
    let lm = (log_p * weights)?.sum_all()?.neg()?;

    let dtype = readout.q_halt.dtype();
    let exact: Vec<f32> = exact.iter().map(|&e| if e { 1.0 } else { 0.0 }).collect();
    let exact = Tensor::new(exact, device)?.to_dtype(dtype)?;
    let halting = |logits: &Tensor, target: &Tensor| -> Result<Tensor> {
        let loss = cross_entropy(logits, target)?.sum_all()?;
        Ok(loss.to_dtype(DType::F64)?)
    };
    Ok(SequenceLosses {
        lm,
        q_halt: halting(&readout.q_halt, &exact)?,
        q_continue: target
            .map(|target| halting(&readout.q_continue, target))
            .transpose()?,
    })
}

/// What each place of a problem counts: labelled ones alike, one in sum.
fn weights(labels: &[i32]) -> impl Iterator<Item = f64> {
    let labelled = labels.iter().filter(|&&label| label != IGNORED).count();
    let weight = 1.0 / labelled.max(1) as f64;
    let of = move |&label: &i32| if label == IGNORED { 0.0 } else { weight };
    labels.iter().map(of)
}

/// ln p over the last dimension. |x| keeps the branch not taken away from its pole at 1.
fn log_stablemax(x: &Tensor) -> Result<Tensor> {
    let grown = (x.abs()? + 1.0)?;
    let s = x.lt(0.0)?.where_cond(&grown.recip()?, &grown)?;
    let sum = s.sum_keepdim(D::Minus1)?;
    Ok(s.broadcast_div(&sum)?.log()?)
}
