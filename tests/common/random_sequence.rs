//! Published models with random weights, small enough for tests of what must hold anyway.

// Each test file is a crate of its own and uses only some of these; Clippy's allowance for tests
// does not reach helpers outside of them.
#![allow(dead_code, clippy::unwrap_used)]

use candle_core::{Device, Tensor};
use hrm_planner::model::{PositionEncoding, SequenceConfig, SequenceProblems};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Every member of the family, by a name for messages.
pub fn members() -> Vec<(&'static str, SequenceConfig)> {
    let hrm = small(&SequenceConfig::hrm(9, 5));
    let trm = small(&SequenceConfig::trm(9, 5));
    vec![
        ("HRM", hrm.clone()),
        (
            "HRM with learned positions and no puzzles",
            SequenceConfig {
                pos_encodings: PositionEncoding::Learned,
                puzzle_emb_ndim: 0,
                puzzle_emb_len: None,
                ..hrm
            },
        ),
        ("TRM", trm.clone()),
        (
            "TRM with q_continue",
            SequenceConfig {
                no_act_continue: Some(false),
                ..trm.clone()
            },
        ),
        (
            "TRM with an MLP over tokens",
            SequenceConfig {
                pos_encodings: PositionEncoding::None,
                mlp_t: true,
                ..trm
            },
        ),
    ]
}

/// A published shape, made small.
fn small(published: &SequenceConfig) -> SequenceConfig {
    SequenceConfig {
        puzzle_emb_ndim: 24,
        puzzle_emb_len: Some(2),
        num_puzzle_identifiers: 3,
        h_layers: 2,
        l_layers: 2,
        hidden_size: 16,
        expansion: 1.0,
        num_heads: 2,
        halt_max_steps: 6,
        ..published.clone()
    }
}

/// Random weights that keep the variance of what passes through, as fresh ones do.
pub fn random_weights(config: &SequenceConfig, seed: u64) -> BTreeMap<String, Tensor> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensor = |(name, shape): (String, Vec<usize>)| {
        let count: usize = shape.iter().product();
        let inputs = shape.last().copied().unwrap_or(1) as f32;
        let most = (3.0 / inputs).sqrt();
        let values: Vec<f32> = (0..count).map(|_| rng.random_range(-most..most)).collect();
        (name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
    };
    config.tensors().into_iter().map(&mut tensor).collect()
}

pub fn random_problems(config: &SequenceConfig, count: usize, seed: u64) -> SequenceProblems {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |most: usize| rng.random_range(0..most as u32);
    SequenceProblems {
        tokens: (0..count * config.seq_len)
            .map(|_| below(config.vocab_size))
            .collect(),
        puzzles: (0..count)
            .map(|_| below(config.num_puzzle_identifiers))
            .collect(),
    }
}

/// The problem at `index` alone.
pub fn alone(problems: &SequenceProblems, index: usize) -> SequenceProblems {
    let seq_len = problems.tokens.len() / problems.count();
    SequenceProblems {
        tokens: problems.tokens[index * seq_len..(index + 1) * seq_len].to_vec(),
        puzzles: vec![problems.puzzles[index]],
    }
}
