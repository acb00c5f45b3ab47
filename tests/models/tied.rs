//! Models with tied weights: the image of a map has the image of its answer.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::random_model::random_tensors;
use candle_core::{Device, Tensor};
use hrm_planner::grid::generate::{Kind, generate};
use hrm_planner::grid::{Cell, Costmap, Move, Moves, Symmetry};
use hrm_planner::model::{Formulation, GridHrm, GridHrmConfig, GridProblems, Readout, Reasoner};
use hrm_planner::search::Rules;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

const SIZE: (usize, usize) = (12, 18);

/// Random weights, and where `tied` those that must be are equal.
fn model(tied: bool, changes: &GridHrmConfig) -> GridHrm {
    let config = GridHrmConfig {
        channels: 32,
        hidden: 48,
        tied: true,
        ..changes.clone()
    };
    let ties = config.ties().expect("tied models have ties");
    let mut tensors = random_tensors(&config, 3);
    if tied {
        tensors = tensors
            .into_iter()
            .map(|(name, tensor)| {
                let first = Tensor::new(&ties[&name][..], &Device::Cpu).unwrap();
                let values = tensor.flatten_all().unwrap();
                let values = values.index_select(&first, 0).unwrap();
                (name, values.reshape(tensor.shape()).unwrap())
            })
            .collect::<BTreeMap<_, _>>();
    }
    GridHrm::new(config, &tensors, Formulation::Fused).unwrap()
}

/// What a model says of a map after a segment: more of them would enlarge what is rounded differently.
fn said(model: &GridHrm, map: &Costmap, goal: Cell) -> Readout {
    let rules = Rules::new(1.0, true).unwrap();
    let patches = model.config().patches();
    let problem = GridProblems::one(map, &rules, goal, goal, patches).unwrap();
    let encoded = model.encode(&problem).unwrap();
    let carry = model.initial_carry(&encoded).unwrap();
    let carry = model.segment(&carry, &encoded).unwrap();
    model.read_out(&carry, &encoded).unwrap()
}

/// The largest difference between what is said of each cell of a map, and of its image under
/// any symmetry.
fn most_apart(model: &GridHrm) -> f32 {
    let map = generate(
        Kind::Rooms,
        SIZE.0,
        SIZE.1,
        &mut ChaCha8Rng::seed_from_u64(4),
    );
    let free = map.costs().iter().position(|cost| cost.0 == 0).unwrap();
    let goal = map.geometry().cell(free);
    let upright = said(model, &map, goal);
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let mut most = 0.0_f32;
    for symmetry in Symmetry::ALL {
        let image = symmetry.map(&map).unwrap();
        let image = said(model, &image, symmetry.cell(goal, SIZE));
        let (moves, moves_of_image) = (flat(&upright.moves), flat(&image.moves));
        for (cell, at) in symmetry.indices(SIZE).enumerate() {
            for mv in Move::ALL {
                let here = moves[cell * 8 + mv.index()];
                let there = moves_of_image[at * 8 + symmetry.mv(mv).index()];
                most = most.max((here - there).abs());
            }
        }
        for (here, there) in [
            (&upright.value, &image.value),
            (&upright.q_halt, &image.q_halt),
            (&upright.q_continue, &image.q_continue),
        ] {
            let (here, there) = (flat(here), flat(there));
            for (cell, at) in symmetry.indices(SIZE).enumerate() {
                most = most.max((here[cell] - there[at]).abs());
            }
        }
    }
    most
}

#[test]
fn the_image_of_a_map_has_the_image_of_its_answer() {
    let usual = GridHrmConfig::default;
    let shapes = [
        usual(),
        GridHrmConfig {
            patch: 2,
            sparse: true,
            ..usual()
        },
        GridHrmConfig {
            patch: 3,
            kernel: 5,
            moves: Moves::Four,
            ..usual()
        },
    ];
    for shape in shapes {
        let tied = most_apart(&model(true, &shape));
        assert!(tied < 1e-3, "{tied} with {shape:?}");
        // Else the same would come out of numbers that are all alike.
        let free = most_apart(&model(false, &shape));
        assert!(free > 0.3, "{free}");
    }
}

/// Of eight weights one is free, but for those that some symmetries leave where they are.
#[test]
fn an_eighth_of_the_weights_is_free() {
    let config = GridHrmConfig {
        tied: true,
        ..GridHrmConfig::default()
    };
    let ties = config.ties().unwrap();
    let free = |name: &str| {
        let mut first = ties[name].clone();
        first.sort_unstable();
        first.dedup();
        first.len()
    };
    assert_eq!(free("l.0.mix"), 64 * 64 / 8);
    assert_eq!(free("l.0.depthwise"), 9 * 64 / 8);
    assert_eq!(free("embed.bias"), 64 / 8);
    assert_eq!(free("head.moves.weight"), 64 * 8 / 8);
    // Straight moves are images of each other, and so are diagonal ones.
    assert_eq!(free("head.moves.bias"), 2);
    assert_eq!(free("head.halt.bias"), 2);
    let all: usize = ties.keys().map(|name| free(name)).sum();
    assert_eq!(config.free_parameters(), all);
    assert!(all * 8 < config.parameters() + 100, "{all}");
    assert_eq!(GridHrmConfig::default().ties(), None);
}
