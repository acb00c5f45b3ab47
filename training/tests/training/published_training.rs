//! Training of our HRM and TRM is the published one: same losses, halting, metrics and gradients.
//!
//! `cargo test -p hrm-training published_training -- --nocapture` prints the largest error
//! of each kind of tensor.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::reference::{Measured, RELATIVE, Reference, flat, judge, references};
use candle_core::{DType, Var};
use hrm_planner::model::SequenceHrm;
use hrm_training::sequence::{SequenceBatch, SequenceState, SequenceStep, segment};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// `H_level.layers.1.mlp.down_proj.weight` is of the kind `grad H mlp.down_proj.weight`.
fn kind(name: &str) -> String {
    match name.split_once("_level.layers.") {
        Some((module, rest)) => {
            let (_, part) = rest.split_once('.').unwrap();
            format!("grad {module} {part}")
        }
        None => format!("grad {name}"),
    }
}

fn batch(reference: &Reference) -> SequenceBatch {
    let labels = reference.values("in.labels");
    SequenceBatch {
        problems: reference.problems(),
        labels: labels.iter().map(|&x| x as i32).collect(),
    }
}

/// Two training segments. In evaluation the first one is the same, so that its recorded carry can
/// stand in for ours at the beginning of the second.
fn train(reference: &Reference, recorded_carry: bool, dtype: DType) -> Vec<Measured> {
    let vars: BTreeMap<String, Var> = reference
        .weights(dtype)
        .iter()
        .map(|(name, tensor)| (name.clone(), Var::from_tensor(tensor).unwrap()))
        .collect();
    let tensors = vars.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone()));
    let model = SequenceHrm::new(reference.config.clone(), &tensors.collect()).unwrap();
    let batch = batch(reference);
    let mut state = SequenceState::new(&model, batch.clone()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut run = Vec::new();
    for number in 1..=2 {
        if recorded_carry && number == 2 {
            state.carry = reference.carry(1, dtype);
        }
        let step = segment(&model, state, &batch, &mut rng).unwrap();
        let mut measure = |kind: &str, name: &str, ours: Vec<f64>| {
            let name = format!("train.{number}.{name}");
            let recorded = reference.values(&name);
            run.push(Measured::new(kind, &name, ours, recorded));
        };
        let total = step.losses.total().unwrap();
        measure("loss", "loss", flat(&total));
        let halted = step.state.halted.iter().map(|&h| f64::from(h)).collect();
        measure("halted", "halted", halted);
        let steps = step.state.segments.iter().map(|&n| n as f64).collect();
        measure("steps", "steps", steps);

        let problems = batch.problems.count() as f64;
        let gradients = (total / problems).unwrap().backward().unwrap();
        let mut compared = 0;
        for recorded in reference.names(&format!("train.{number}.grad.")) {
            let (var, kind) = match recorded.strip_prefix("inner.") {
                Some(name) => (&vars[name], kind(name)),
                None => (step.puzzle_rows.as_ref().unwrap(), kind(&recorded)),
            };
            let gradient = gradients.get(var);
            let gradient = gradient.unwrap_or_else(|| panic!("{recorded} has no gradient"));
            measure(&kind, &format!("grad.{recorded}"), flat(gradient));
            compared += 1;
        }
        let learning = model.trainable().count() + usize::from(step.puzzle_rows.is_some());
        assert_eq!(compared, learning, "all that learns is compared");
        run.extend(metrics(reference, number, &step));
        state = step.state;
    }
    run
}

fn metrics(reference: &Reference, number: usize, step: &SequenceStep) -> Vec<Measured> {
    let recorded = &reference.metrics[number - 1];
    let SequenceStep {
        metrics, losses, ..
    } = step;
    let mut ours = vec![
        ("count", metrics.count as f64),
        ("accuracy", metrics.accuracy),
        ("exact_accuracy", metrics.exact_accuracy as f64),
        ("q_halt_accuracy", metrics.q_halt_accuracy as f64),
        ("steps", metrics.steps as f64),
        ("lm_loss", flat(&losses.lm)[0]),
        ("q_halt_loss", flat(&losses.q_halt)[0]),
    ];
    if let Some(q_continue) = &losses.q_continue {
        ours.push(("q_continue_loss", flat(q_continue)[0]));
    }
    assert_eq!(
        ours.len(),
        recorded.as_object().unwrap().len(),
        "{recorded}"
    );
    ours.into_iter()
        .map(|(name, value)| {
            let recorded = recorded[name].as_f64().unwrap();
            let name = format!("{number}.{name}");
            Measured::new("metrics", &name, vec![value], vec![recorded])
        })
        .collect()
}

#[test]
fn two_training_segments_with_the_carry_going_on_are_matched() {
    for reference in references() {
        let title = format!("{}, training, the carry going on", reference.name);
        judge(&title, f64::INFINITY, |dtype| {
            train(&reference, false, dtype)
        });
    }
}

/// The large model amplifies nothing in two segments: above it is matched without allowance.
#[test]
fn two_training_segments_from_the_recorded_carry_are_matched() {
    for reference in references().iter().filter(|r| r.name.ends_with("tiny")) {
        let title = format!("{}, training from the recorded carry", reference.name);
        judge(&title, RELATIVE, |dtype| train(reference, true, dtype));
    }
}
