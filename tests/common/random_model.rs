//! Models with random weights: for what must hold whatever a model has learned.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use hrm_planner::model::{Formulation, GridHrm, GridHrmConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A model of few channels, quick to run.
pub fn small_config() -> GridHrmConfig {
    GridHrmConfig {
        channels: 16,
        hidden: 32,
        ..GridHrmConfig::default()
    }
}

/// Random weights for a configuration.
pub fn random_tensors(config: &GridHrmConfig, seed: u64) -> BTreeMap<String, Tensor> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensor = |shape: Vec<usize>| {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| rng.random_range(-0.4..0.4)).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).expect("count fits shape")
    };
    let tensors = config.tensors();
    tensors
        .into_iter()
        .map(|(name, shape)| (name, tensor(shape)))
        .collect()
}

/// A sparse model with random weights: six blocks a segment, two cells a token.
pub fn small_sparse_model() -> GridHrm {
    let config = GridHrmConfig {
        channels: 16,
        hidden: 16,
        h_blocks: 1,
        l_blocks: 1,
        patch: 2,
        sparse: true,
        ..GridHrmConfig::default()
    };
    let tensors = random_tensors(&config, 3);
    GridHrm::new(config, &tensors, Formulation::Fused).expect("all tensors of the configuration")
}
