//! First weights of a sequence model, drawn as the published code draws them.

use crate::Result;
use candle_core::{Device, Tensor};
use hrm_planner::model::SequenceConfig;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Draws beyond so many deviations are drawn again.
const CUT: f64 = 2.0;
/// The deviation of a standard normal that is cut there.
const DEVIATION_OF_CUT: f64 = 0.879_625_661_034_239_8;
/// The halting head's first bias: a model begins by neither halting nor going on (arXiv
/// 2506.21734, as published).
const HALTING_BIAS: f32 = -5.0;

/// All tensors of a model, those included that no gradient trains.
///
/// Matrices are normal, cut at two deviations, with variance 1 / inputs (`models/layers.py` of
/// sapientinc/HRM); embeddings of tokens and places with variance 1 / D; the first states with
/// variance 1; puzzle embeddings and the halting head's weights are zero.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn fresh_tensors(
    config: &SequenceConfig,
    seed: u64,
    device: &Device,
) -> Result<BTreeMap<String, Tensor>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = BTreeMap::new();
    for (name, shape) in config.tensors() {
        let count = shape.iter().product();
        let inputs = shape.last().copied().unwrap_or(1).max(1) as f64;
        let values: Vec<f32> = match name.as_str() {
            "q_head.bias" => vec![HALTING_BIAS; count],
            "q_head.weight" | "puzzle_emb.weights" => vec![0.0; count],
            "H_init" | "L_init" => normals(count, 1.0, &mut rng),
            _ => normals(count, inputs.powf(-0.5), &mut rng),
        };
        tensors.insert(name, Tensor::from_vec(values, shape, device)?);
    }
    Ok(tensors)
}

/// Normal values of this deviation, cut at two of the uncut normal's.
fn normals(count: usize, deviation: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut next = || loop {
        // Box-Muller.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let value = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
        if value.abs() <= CUT {
            break (deviation / DEVIATION_OF_CUT * value) as f32;
        }
    };
    (0..count).map(|_| next()).collect()
}
