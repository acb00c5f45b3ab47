//! Every tensor of every published model learns, and nothing but a place's own problem changes it.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::random_sequence::{members, random_problems, random_weights};
use candle_core::{Tensor, Var};
use hrm_planner::model::{SequenceConfig, SequenceHrm, SequenceProblems};
use hrm_training::sequence::{IGNORED, SequenceBatch, SequenceState, segment, sequence_losses};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

const PROBLEMS: usize = 4;

fn vars(config: &SequenceConfig) -> BTreeMap<String, Var> {
    let weights = random_weights(config, 3).into_iter();
    weights
        .map(|(name, t)| (name, Var::from_tensor(&t).unwrap()))
        .collect()
}

fn model(config: &SequenceConfig, vars: &BTreeMap<String, Var>) -> SequenceHrm {
    let tensors = vars.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone()));
    SequenceHrm::new(config.clone(), &tensors.collect()).unwrap()
}

fn batch(config: &SequenceConfig, seed: u64) -> SequenceBatch {
    let problems: SequenceProblems = random_problems(config, PROBLEMS, seed);
    // The labels are the tokens; every third place is not asked for.
    let labels = problems.tokens.iter().enumerate();
    let labels = labels
        .map(|(at, &t)| if at % 3 == 0 { IGNORED } else { t as i32 })
        .collect();
    SequenceBatch { problems, labels }
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(4)
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn every_tensor_of_every_member_gets_a_finite_gradient_that_is_not_zero() {
    for (member, config) in members() {
        let vars = vars(&config);
        let model = model(&config, &vars);
        let batch = batch(&config, 5);
        let state = SequenceState::new(&model, batch.clone()).unwrap();
        let step = segment(&model, state, &batch, &mut rng()).unwrap();
        let gradients = step.losses.total().unwrap().backward().unwrap();
        let trainable: Vec<&str> = model.trainable().map(|(name, _)| name).collect();
        let local = step.puzzle_rows.iter().map(|var| ("the puzzle rows", var));
        for (name, var) in trainable
            .iter()
            .map(|&name| (name, &vars[name]))
            .chain(local)
        {
            let gradient = gradients.get(var);
            let gradient = flat(gradient.unwrap_or_else(|| panic!("{member}: {name} is cut off")));
            assert!(gradient.iter().all(|g| g.is_finite()), "{member}: {name}");
            // Embeddings of tokens and puzzles that do not occur learn nothing; all others do.
            let learning = gradient.iter().filter(|&&g| g != 0.0).count();
            let share = learning as f64 / gradient.len() as f64;
            let least = if name.starts_with("q_head") { 0.5 } else { 0.7 };
            assert!(share >= least, "{member}: {share} of {name} learns");
        }
        for name in ["H_init", "L_init", "puzzle_emb.weights"] {
            let fixed = vars
                .get(name)
                .is_none_or(|var| gradients.get(var).is_none());
            assert!(fixed, "{member}: {name} has a gradient of its own");
        }
    }
}

/// Each score has its own row of the halting head; `q_continue` learns where it is used.
#[test]
fn q_continue_learns_only_where_it_is_used() {
    for (member, config) in members() {
        let vars = vars(&config);
        let model = model(&config, &vars);
        let batch = batch(&config, 5);
        let state = SequenceState::new(&model, batch.clone()).unwrap();
        let step = segment(&model, state, &batch, &mut rng()).unwrap();
        let gradients = step.losses.total().unwrap().backward().unwrap();
        let bias = flat(gradients.get(&vars["q_head.bias"]).unwrap());
        assert!(bias[0].abs() > 0.0, "{member}");
        let used = config.halting().signal.bootstraps();
        assert_eq!(bias[1].abs() > 0.0, used, "{member}");
        assert_eq!(step.losses.q_continue.is_some(), used, "{member}");
    }
}

/// A place whose problem halted takes the fresh one and begins anew; all others think on.
#[test]
fn fresh_problems_take_the_places_of_halted_ones() {
    let (_, config) = members().remove(0);
    let vars = vars(&config);
    let model = model(&config, &vars);
    let (first, fresh) = (batch(&config, 5), batch(&config, 6));
    let state = SequenceState::new(&model, first.clone()).unwrap();
    let mut state = segment(&model, state, &first, &mut rng()).unwrap().state;
    state.halted = vec![false, true, false, true];
    let before = state.carry.clone();
    let after = segment(&model, state, &fresh, &mut rng()).unwrap().state;
    assert_eq!(after.segments, [2, 1, 2, 1]);
    let tokens = |batch: &SequenceBatch, place: usize| {
        let range = place * config.seq_len..(place + 1) * config.seq_len;
        (
            batch.problems.tokens[range.clone()].to_vec(),
            batch.labels[range].to_vec(),
        )
    };
    for place in 0..PROBLEMS {
        let from = if place % 2 == 1 { &fresh } else { &first };
        assert_eq!(tokens(&after.batch, place), tokens(from, place));
        assert_eq!(
            after.batch.problems.puzzles[place],
            from.problems.puzzles[place]
        );
    }
    // The same from the start and from the carry, place by place.
    let new = SequenceState::new(&model, fresh.clone()).unwrap();
    let new = segment(&model, new, &fresh, &mut rng()).unwrap().state;
    let row = |tensor: &Tensor, place: usize| flat(&tensor.get(place).unwrap());
    for place in 0..PROBLEMS {
        let same = row(&after.carry.z_h, place) == row(&new.carry.z_h, place);
        assert_eq!(same, place % 2 == 1, "place {place}");
        assert_ne!(row(&after.carry.z_h, place), row(&before.z_h, place));
    }
}

/// Stablemax by hand: logits (1, 0, -1) have s = (2, 1, 1/2), so that p = (4, 2, 1) / 7.
#[test]
fn the_loss_of_tokens_is_stablemax_cross_entropy_over_labelled_places() {
    let device = candle_core::Device::Cpu;
    let logits = Tensor::new(
        &[[[1.0_f32, 0.0, -1.0], [1.0, 0.0, -1.0], [1.0, 0.0, -1.0]]],
        &device,
    );
    let q = |x: f32| Tensor::new(&[x], &device).unwrap();
    let readout = hrm_planner::model::SequenceReadout {
        logits: logits.unwrap(),
        q_halt: q(0.0),
        q_continue: q(1.0),
    };
    let target = q(0.25);
    let losses = sequence_losses(&readout, &[0, IGNORED, 2], &[false], Some(&target)).unwrap();
    let value = |t: &Tensor| t.to_scalar::<f64>().unwrap();
    let lm = f64::midpoint((7.0_f64 / 4.0).ln(), 7.0_f64.ln());
    let q_halt = 2.0_f64.ln();
    let q_continue = (1.0 + 1.0_f64.exp()).ln() - 0.25;
    assert!((value(&losses.lm) - lm).abs() < 1e-12);
    assert!((value(&losses.q_halt) - q_halt).abs() < 1e-6);
    assert!((value(losses.q_continue.as_ref().unwrap()) - q_continue).abs() < 1e-6);
    let total = value(&losses.total().unwrap());
    assert!((total - (lm + 0.5 * (q_halt + q_continue))).abs() < 1e-6);
}

#[test]
fn a_batch_of_another_size_is_refused() {
    let (_, config) = members().remove(0);
    let model = model(&config, &vars(&config));
    let good = batch(&config, 5);
    let state = SequenceState::new(&model, good.clone()).unwrap();
    let mut short = good;
    short.labels.pop();
    let error = segment(&model, state, &short, &mut rng())
        .unwrap_err()
        .to_string();
    assert!(error.contains("35 labels"), "{error}");
}
