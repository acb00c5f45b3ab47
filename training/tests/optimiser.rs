//! AdamW, its schedule and the averages against steps computed by hand.

use candle_core::{Device, Tensor};
use hrm_training::{AdamW, AdamWConfig, Schedule, Weights};
use std::collections::BTreeMap;

const CONFIG: AdamWConfig = AdamWConfig {
    betas: [0.9, 0.95],
    weight_decay: 0.1,
    eps: 1e-8,
    clip: 1e9,
    ema: 0.5,
};

fn weights(values: &[(&str, f32)]) -> Weights {
    let tensors: BTreeMap<String, Tensor> = values
        .iter()
        .map(|&(name, value)| {
            let tensor =
                Tensor::from_vec(vec![value], 1, &Device::Cpu).expect("a tensor operation");
            (name.to_owned(), tensor)
        })
        .collect();
    Weights::from_tensors(&tensors).expect("a tensor operation")
}

/// One update with a given gradient per tensor; returns the gradient's norm.
fn update(adam: &mut AdamW, weights: &Weights, gradients: &[(&str, f64)], rate: f64) -> f64 {
    let mut loss =
        Tensor::zeros(1, candle_core::DType::F32, &Device::Cpu).expect("a tensor operation");
    for (name, gradient) in gradients {
        let part = (weights.vars()[*name].as_tensor() * *gradient).expect("a tensor operation");
        loss = (loss + part).expect("a tensor operation");
    }
    let gradients = loss
        .sum_all()
        .expect("a tensor operation")
        .backward()
        .expect("a tensor operation");
    adam.update(weights, &gradients, rate)
        .expect("a tensor operation")
}

fn value(tensors: &BTreeMap<String, Tensor>, name: &str) -> f64 {
    f64::from(tensors[name].to_vec1::<f32>().expect("a tensor operation")[0])
}

fn assert_close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() <= 1e-6 * expected.abs().max(1.0),
        "{actual} is not {expected}"
    );
}

#[test]
fn two_steps_of_a_matrix_are_those_of_the_formulas() {
    let w = weights(&[("weight", 2.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    let norm = update(&mut adam, &w, &[("weight", 3.0)], 0.01);
    assert_close(norm, 3.0);
    // Corrected moments are 3 and 9: a step of 1, and a decay of 0.01 x 0.1 x 2.
    let first = 2.0 * (1.0 - 0.001) - 0.01;
    assert_close(value(&w.tensors(), "weight"), first);

    update(&mut adam, &w, &[("weight", -1.0)], 0.02);
    let m = (0.9 * 0.3 - 0.1) / (1.0 - 0.81);
    let v = (0.95 * 0.45 + 0.05 * 1.0) / (1.0 - 0.9025_f64);
    let second = first * (1.0 - 0.002) - 0.02 * m / v.sqrt();
    assert_close(value(&w.tensors(), "weight"), second);
}

#[test]
fn biases_do_not_decay() {
    let w = weights(&[("head.bias", 5.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    update(&mut adam, &w, &[("head.bias", 1.0)], 0.01);
    assert_close(value(&w.tensors(), "head.bias"), 5.0 - 0.01);
}

#[test]
fn a_tensor_without_a_gradient_only_decays() {
    let w = weights(&[("used", 1.0), ("unused", 1.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    update(&mut adam, &w, &[("used", 1.0)], 0.01);
    assert_close(value(&w.tensors(), "unused"), 1.0 - 0.001);
}

#[test]
fn all_gradients_together_are_clipped_to_one_norm() {
    let w = weights(&[("a.bias", 0.0), ("b.bias", 0.0)]);
    let config = AdamWConfig {
        betas: [0.0, 0.0],
        clip: 1.0,
        ..CONFIG
    };
    let mut adam = AdamW::new(config, &w).unwrap();
    let norm = update(&mut adam, &w, &[("a.bias", 3.0), ("b.bias", 4.0)], 0.01);
    assert_close(norm, 5.0);
    assert_close(f64::from(adam.first_moment("a.bias").unwrap()[0]), 0.6);
    assert_close(f64::from(adam.first_moment("b.bias").unwrap()[0]), 0.8);
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing() {
    let w = weights(&[("weight", 2.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    let norm = update(&mut adam, &w, &[("weight", f64::NAN)], 0.01);
    assert!(!norm.is_finite());
    assert_close(value(&w.tensors(), "weight"), 2.0);
}

#[test]
fn a_young_average_follows_closely_and_an_old_one_by_its_decay() {
    let w = weights(&[("head.bias", 0.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    let (mut weight, mut average) = (0.0, 0.0);
    for step in 1..=12_u32 {
        // A constant gradient: every corrected step has size 1.
        update(&mut adam, &w, &[("head.bias", -1.0)], 0.1);
        weight += 0.1;
        let decay = (1.0 + f64::from(step)) / (10.0 + f64::from(step));
        let decay = decay.min(0.5);
        average = decay * average + (1.0 - decay) * weight;
        assert_close(value(&w.tensors(), "head.bias"), weight);
        assert_close(value(&adam.averaged(&w).unwrap(), "head.bias"), average);
    }
}

#[test]
fn the_rate_rises_evenly_and_falls_along_a_cosine_to_zero() {
    let schedule = Schedule {
        peak: 0.4,
        warmup: 4,
        steps: 12,
    };
    for (step, rate) in [
        (0, 0.1),
        (1, 0.2),
        (3, 0.4),
        (4, 0.4),
        (6, 0.2 * (1.0 + std::f64::consts::FRAC_1_SQRT_2)),
        (8, 0.2),
        (12, 0.0),
        (100, 0.0),
    ] {
        assert_close(schedule.rate(step), rate);
    }
}

#[test]
fn a_schedule_without_warm_up_starts_at_its_peak() {
    let schedule = Schedule {
        peak: 0.4,
        warmup: 0,
        steps: 10,
    };
    assert_close(schedule.rate(0), 0.4);
    assert_close(schedule.rate(5), 0.2);
}
