//! `AdamATan2` against steps computed by hand, and what it promises: no scale, no epsilon.

use crate::common::optimising::{assert_all_close, assert_close, gradients, values, weights};
use candle_core::backprop::GradStore;
use hrm_training::{AdamATan2, AdamATan2Config, Weights};

const CONFIG: AdamATan2Config = AdamATan2Config {
    betas: [0.9, 0.95],
    weight_decay: 0.1,
    ema: 0.999,
};

/// The start and four gradients of two tensors.
const START: [[f64; 2]; 2] = [[0.5, -1.5], [2.0, -0.25]];
const STEPS: [[[f64; 2]; 2]; 4] = [
    [[0.3, -2.0], [1.0, 0.01]],
    [[-0.1, 0.5], [4.0, -0.02]],
    [[0.7, 0.0], [-3.0, 0.05]],
    [[0.2, 1.0], [0.5, 0.0]],
];

fn start() -> Weights {
    weights(&[("head.bias", &START[0]), ("weight", &START[1])])
}

/// The gradients of a step, each multiplied by `scale`.
fn scaled(weights: &Weights, step: [[f64; 2]; 2], scale: f64) -> GradStore {
    let [bias, weight] = step.map(|gradient| gradient.map(|g| g * scale));
    gradients(weights, &[("head.bias", &bias), ("weight", &weight)])
}

#[test]
fn steps_of_several_tensors_are_those_of_the_published_kernel_with_and_without_decay() {
    for weight_decay in [0.0, 1.0] {
        let w = start();
        let config = AdamATan2Config {
            weight_decay,
            ..CONFIG
        };
        let mut adam = AdamATan2::new(config, &w).unwrap();
        let mut expected = START;
        let mut average = START;
        let mut moments = [[[0.0_f64; 2]; 2]; 2];
        for (number, step) in (1..).zip(STEPS) {
            let rate = 0.01 * f64::from(number);
            adam.update(&w, &scaled(&w, step, 1.0), rate).unwrap();

            let young = (1.0 + f64::from(number)) / (10.0 + f64::from(number));
            for tensor in 0..2 {
                for i in 0..2 {
                    let (g, [m, v]) = (step[tensor][i], &mut moments[tensor][i]);
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.95 * *v + 0.05 * g * g;
                    let root = (*v / (1.0 - 0.95_f64.powi(number))).sqrt();
                    let angle = m.atan2(root) / (1.0 - 0.9_f64.powi(number));
                    let w = &mut expected[tensor][i];
                    // Biases decay as well.
                    *w = *w * (1.0 - rate * weight_decay) - rate * angle;
                    let average = &mut average[tensor][i];
                    *average = young * *average + (1.0 - young) * *w;
                }
            }
            let averaged = adam.averaged(&w).unwrap();
            for (tensor, name) in ["head.bias", "weight"].into_iter().enumerate() {
                assert_all_close(&values(&w.tensors(), name), &expected[tensor]);
                assert_all_close(&values(&averaged, name), &average[tensor]);
            }
        }
        assert_eq!(adam.steps_done(), 4);
    }
}

#[test]
fn the_first_step_is_ten_times_the_angle_of_a_tenth() {
    let w = weights(&[("weight", &[1.0])]);
    let config = AdamATan2Config {
        weight_decay: 0.0,
        ..CONFIG
    };
    let mut adam = AdamATan2::new(config, &w).unwrap();
    let norm = adam
        .update(&w, &gradients(&w, &[("weight", &[-7.0])]), 0.01)
        .unwrap();
    assert_close(norm, 7.0);
    assert_close(
        values(&w.tensors(), "weight")[0],
        1.0 + 0.01 * 10.0 * 0.1_f64.atan(),
    );
}

#[test]
fn gradients_of_any_scale_give_the_same_steps() {
    let after = |scale: f64| {
        let w = start();
        let mut adam = AdamATan2::new(CONFIG, &w).unwrap();
        for step in STEPS {
            adam.update(&w, &scaled(&w, step, scale), 0.01).unwrap();
        }
        ["head.bias", "weight"].map(|name| values(&w.tensors(), name))
    };
    let plain = after(1.0);
    // Adam's usual epsilon of 1e-8 would stop the smallest of these.
    for scale in [1e3, 1e12, 1e-12] {
        for (scaled, plain) in after(scale).iter().zip(&plain) {
            assert_all_close(scaled, plain);
        }
    }
}

#[test]
fn a_gradient_of_zero_takes_no_step() {
    let w = start();
    let config = AdamATan2Config {
        weight_decay: 0.0,
        ..CONFIG
    };
    let mut adam = AdamATan2::new(config, &w).unwrap();
    adam.update(&w, &scaled(&w, STEPS[0], 0.0), 0.01).unwrap();
    assert_all_close(&values(&w.tensors(), "head.bias"), &START[0]);
    assert_all_close(&values(&w.tensors(), "weight"), &START[1]);
}

#[test]
fn no_step_is_longer_than_a_quarter_turn() {
    let w = weights(&[("weight", &[0.0])]);
    let config = AdamATan2Config {
        weight_decay: 0.0,
        ..CONFIG
    };
    let mut adam = AdamATan2::new(config, &w).unwrap();
    let mut before = 0.0;
    for (number, g) in (1..).zip([1e-15, 1e15, -1e-15, 1e9, -1e15, 1.0]) {
        adam.update(&w, &gradients(&w, &[("weight", &[g])]), 0.01)
            .unwrap();
        let after = values(&w.tensors(), "weight")[0];
        let longest = 0.01 * std::f64::consts::FRAC_PI_2 / (1.0 - 0.9_f64.powi(number));
        assert!((after - before).abs() <= longest * (1.0 + 1e-5));
        before = after;
    }
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing() {
    let w = start();
    let mut adam = AdamATan2::new(CONFIG, &w).unwrap();
    let norm = adam
        .update(&w, &scaled(&w, STEPS[0], f64::NAN), 0.01)
        .unwrap();
    assert!(!norm.is_finite());
    assert_eq!(adam.steps_done(), 0);
    assert_all_close(&values(&w.tensors(), "weight"), &START[1]);
}
