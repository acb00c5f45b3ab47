//! Averaged weights: an exponential moving average of what the steps make, which is shipped.

use super::{Moments, Weights};
use crate::Result;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// The decay of the average in a step, counted from 1.
///
/// A young average follows the weights closely, so that the start is soon forgotten; `decay`
/// itself holds once (1 + step) / (10 + step) exceeds it: for 0.999, as published for TRM, after
/// 8,990 steps.
pub(super) fn decay_at(decay: f64, step: u64) -> f64 {
    decay.min((1.0 + step as f64) / (10.0 + step as f64))
}

/// The averages as tensors on the CPU, shaped as the weights.
pub(super) fn averaged(
    weights: &Weights,
    moments: &BTreeMap<String, Moments>,
) -> Result<BTreeMap<String, Tensor>> {
    weights
        .vars()
        .iter()
        .filter_map(|(name, var)| moments.get(name).map(|m| (name, var, m)))
        .map(|(name, var, m)| {
            let tensor = Tensor::from_vec(m.average.clone(), var.shape(), &Device::Cpu)?;
            Ok((name.clone(), tensor))
        })
        .collect()
}
