//! Small models for tests of what is around a model: untrained, broken, or with one idea.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use hrm_planner::grid::Move;
use hrm_planner::model::{Formulation, GridHrm, GridHrmConfig};
use hrm_planner::planner::NamedModel;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The smallest model: one block each, one cycle each.
fn smallest() -> GridHrmConfig {
    GridHrmConfig {
        channels: 16,
        hidden: 16,
        h_blocks: 1,
        l_blocks: 1,
        h_cycles: 1,
        l_cycles: 1,
        ..GridHrmConfig::default()
    }
}

/// The smallest model, whose weights are given by tensor name and place.
fn model(name: &str, weight: impl FnMut(&str, usize) -> f32) -> NamedModel {
    of_config(smallest(), name, weight)
}

fn of_config(
    config: GridHrmConfig,
    name: &str,
    mut weight: impl FnMut(&str, usize) -> f32,
) -> NamedModel {
    let tensors: BTreeMap<String, Tensor> = config
        .tensors()
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|at| weight(&name, at)).collect();
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu)
                .expect("as many values as the shape has");
            (name, tensor)
        })
        .collect();
    NamedModel {
        name: name.to_owned(),
        model: GridHrm::new(config, &tensors, Formulation::Fused)
            .expect("all tensors the configuration names"),
    }
}

/// A model that was never trained: its moves are arbitrary, but always the same.
pub fn untrained(seed: u64) -> NamedModel {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    model("untrained", |_, _| rng.random_range(-0.5..0.5))
}

/// A model all of whose outputs are NaN.
pub fn broken() -> NamedModel {
    model("broken", |_, _| f32::NAN)
}

/// A model that moves in one direction wherever it can, and says the same of halting everywhere. It
/// is as sure as can be: the most likely other plan is too unlikely to be mended.
pub fn one_way(direction: Move, q_halt: f32, q_continue: f32) -> NamedModel {
    leaning(direction, 40.0, [q_halt, q_continue])
}

/// A model that moves in one direction wherever it can and believes in it; sparse ones think at many
/// scales.
pub fn of_scales(direction: Move, is_sparse: bool) -> NamedModel {
    let config = GridHrmConfig {
        sparse: is_sparse,
        ..smallest()
    };
    of_config(config, "one way", move |name, at| match name {
        "head.moves.bias" if at == direction.index() => 40.0,
        "head.halt.bias" if at == 0 => 1.0,
        _ => 0.0,
    })
}

/// A model with tokens of 2 x 2 cells: nats for each move of each of a token's four cells, whatever the
/// map. It says that its weights are tied.
pub fn by_place_in_token(mut nats: impl FnMut(usize, Move) -> f32) -> NamedModel {
    let config = GridHrmConfig {
        patch: 2,
        tied: true,
        ..smallest()
    };
    of_config(config, "by place", move |name, at| match name {
        "head.moves.bias" => nats(at / 8, Move::from_index(at % 8)),
        _ => 0.0,
    })
}

/// A model that moves in one direction wherever it can, by so many nats above all other directions.
pub fn leaning(direction: Move, nats: f32, halting: [f32; 2]) -> NamedModel {
    model("one way", move |name, at| match name {
        "head.moves.bias" if at == direction.index() => nats,
        "head.halt.bias" => halting[at],
        _ => 0.0,
    })
}
