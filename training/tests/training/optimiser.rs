//! AdamW, its schedule and the averages against steps computed by hand.

use crate::common::optimising::{assert_all_close, assert_close, gradients, values, weights};
use hrm_training::{AdamW, AdamWConfig, Schedule, Weights};

const CONFIG: AdamWConfig = AdamWConfig {
    betas: [0.9, 0.95],
    weight_decay: 0.1,
    eps: 1e-8,
    clip: 1e9,
    ema: 0.5,
};

/// Weights of one number each.
fn scalars(scalars: &[(&str, f64)]) -> Weights {
    let vectors: Vec<_> = scalars
        .iter()
        .map(|(name, v)| (*name, std::slice::from_ref(v)))
        .collect();
    weights(&vectors)
}

/// One update with a gradient of one number per tensor; returns the gradient's norm.
fn update(adam: &mut AdamW, weights: &Weights, scalars: &[(&str, f64)], rate: f64) -> f64 {
    let vectors: Vec<_> = scalars
        .iter()
        .map(|(name, g)| (*name, std::slice::from_ref(g)))
        .collect();
    let gradients = gradients(weights, &vectors);
    adam.update(weights, &gradients, rate)
        .expect("a tensor operation")
}

fn value(weights: &Weights, name: &str) -> f64 {
    values(&weights.tensors(), name)[0]
}

#[test]
fn two_steps_of_a_matrix_are_those_of_the_formulas() {
    let w = scalars(&[("weight", 2.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    let norm = update(&mut adam, &w, &[("weight", 3.0)], 0.01);
    assert_close(norm, 3.0);
    // Corrected moments are 3 and 9: a step of 1, and a decay of 0.01 x 0.1 x 2.
    let first = 2.0 * (1.0 - 0.001) - 0.01;
    assert_close(value(&w, "weight"), first);

    update(&mut adam, &w, &[("weight", -1.0)], 0.02);
    let m = (0.9 * 0.3 - 0.1) / (1.0 - 0.81);
    let v = (0.95 * 0.45 + 0.05 * 1.0) / (1.0 - 0.9025_f64);
    let second = first * (1.0 - 0.002) - 0.02 * m / v.sqrt();
    assert_close(value(&w, "weight"), second);
}

#[test]
fn steps_of_several_tensors_are_those_of_the_formulas_with_and_without_decay() {
    let start = [("head.bias", [0.5, -1.5]), ("weight", [2.0, -0.25])];
    let steps = [
        ([0.3, -2.0], [1.0, 0.01]),
        ([-0.1, 0.5], [4.0, -0.02]),
        ([0.7, 0.0], [-3.0, 0.05]),
        ([0.2, 1.0], [0.5, 0.0]),
    ];
    for weight_decay in [0.0, 0.1] {
        let w = weights(&start.each_ref().map(|(name, values)| (*name, &values[..])));
        let config = AdamWConfig {
            weight_decay,
            ..CONFIG
        };
        let mut adam = AdamW::new(config, &w).unwrap();
        let mut expected = start.map(|(_, values)| values);
        let mut moments = [[[0.0_f64; 2]; 2]; 2];
        for (number, (bias, weight)) in (1..).zip(steps) {
            let rate = 0.01 * f64::from(number);
            let step = gradients(&w, &[("head.bias", &bias), ("weight", &weight)]);
            adam.update(&w, &step, rate).unwrap();

            for (tensor, (gradient, decay)) in [(bias, 0.0), (weight, weight_decay)]
                .into_iter()
                .enumerate()
            {
                for i in 0..2 {
                    let (g, [m, v]) = (gradient[i], &mut moments[tensor][i]);
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.95 * *v + 0.05 * g * g;
                    let m_hat = *m / (1.0 - 0.9_f64.powi(number));
                    let v_hat = *v / (1.0 - 0.95_f64.powi(number));
                    let w = &mut expected[tensor][i];
                    *w = *w * (1.0 - rate * decay) - rate * m_hat / (v_hat.sqrt() + 1e-8);
                }
            }
            assert_all_close(&values(&w.tensors(), "head.bias"), &expected[0]);
            assert_all_close(&values(&w.tensors(), "weight"), &expected[1]);
        }
    }
}

#[test]
fn biases_do_not_decay() {
    let w = scalars(&[("head.bias", 5.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    update(&mut adam, &w, &[("head.bias", 1.0)], 0.01);
    assert_close(value(&w, "head.bias"), 5.0 - 0.01);
}

#[test]
fn a_tensor_without_a_gradient_only_decays() {
    let w = scalars(&[("used", 1.0), ("unused", 1.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    update(&mut adam, &w, &[("used", 1.0)], 0.01);
    assert_close(value(&w, "unused"), 1.0 - 0.001);
}

#[test]
fn all_gradients_together_are_clipped_to_one_norm() {
    let w = scalars(&[("a.bias", 0.0), ("b.bias", 0.0)]);
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
    let w = scalars(&[("weight", 2.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    let norm = update(&mut adam, &w, &[("weight", f64::NAN)], 0.01);
    assert!(!norm.is_finite());
    assert_close(value(&w, "weight"), 2.0);
}

#[test]
fn a_young_average_follows_closely_and_an_old_one_by_its_decay() {
    let w = scalars(&[("head.bias", 0.0)]);
    let mut adam = AdamW::new(CONFIG, &w).unwrap();
    let (mut weight, mut average) = (0.0, 0.0);
    for step in 1..=12_u32 {
        // A constant gradient: every corrected step has size 1.
        update(&mut adam, &w, &[("head.bias", -1.0)], 0.1);
        weight += 0.1;
        let decay = (1.0 + f64::from(step)) / (10.0 + f64::from(step));
        let decay = decay.min(0.5);
        average = decay * average + (1.0 - decay) * weight;
        assert_close(value(&w, "head.bias"), weight);
        assert_close(values(&adam.averaged(&w).unwrap(), "head.bias")[0], average);
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

#[test]
fn a_schedule_with_a_floor_falls_to_it_and_stays_there() {
    let schedule = Schedule {
        peak: 0.4,
        warmup: 4,
        steps: 12,
    };
    for (step, rate) in [
        (0, 0.1),
        (3, 0.4),
        (4, 0.4),
        (8, 0.25),
        (12, 0.1),
        (100, 0.1),
    ] {
        assert_close(schedule.rate_above(0.25, step), rate);
    }
}

#[test]
fn a_floor_at_the_peak_keeps_the_rate_and_one_of_zero_changes_no_bit() {
    let schedule = Schedule {
        peak: 1e-4,
        warmup: 7,
        steps: 50,
    };
    for step in 0..60 {
        let old = if step < 7 {
            1e-4 * (step + 1) as f64 / 7.0
        } else {
            let done = ((step - 7) as f64 / 43.0).min(1.0);
            0.5 * 1e-4 * (1.0 + (std::f64::consts::PI * done).cos())
        };
        assert_eq!(schedule.rate(step).to_bits(), old.to_bits());
        let rising = 1e-4 * ((step + 1) as f64 / 7.0).min(1.0);
        assert!((schedule.rate_above(1.0, step) - rising).abs() < 1e-18);
    }
}
