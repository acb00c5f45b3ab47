//! The formulation that trains on a GPU trains as the fused one does. Here it runs on the CPU.

use crate::common::{steps, tiny_with, trainer_on};
use candle_core::Device;
use hrm_planner::model::{Compute, Formulation};

/// How far the two may be apart after a few steps, relative: rounding, and what Adam makes of it.
const WITHIN: f64 = 1e-3;

#[test]
fn both_formulations_learn_the_same() {
    let text = tiny_with(
        100,
        &[
            ("h_blocks = 1", "h_blocks = 2"),
            ("l_cycles = 1", "l_cycles = 2"),
            // No sample may leave earlier in one run than in the other for a rounding's sake.
            ("exploration = 0.5", "exploration = 1.0"),
        ],
    );
    let plain = Compute {
        device: Device::Cpu,
        formulation: Formulation::Plain,
    };
    let mut fused = trainer_on(&text, &Compute::cpu());
    let mut plain = trainer_on(&text, &plain);
    for (fused, plain) in steps(&mut fused, 5).iter().zip(&steps(&mut plain, 5)) {
        for (&(name, fused), &(_, plain)) in fused.numbers.iter().zip(&plain.numbers) {
            let (Some(fused), Some(plain)) = (fused, plain) else {
                assert_eq!(fused, plain, "{name}");
                continue;
            };
            let error = (fused - plain).abs() / fused.abs().max(1e-2);
            assert!(error < WITHIN, "{name}: {fused} {plain}");
        }
    }
    for (name, var) in fused.weights().vars() {
        let values =
            |t: &candle_core::Tensor| -> Vec<f32> { t.flatten_all().unwrap().to_vec1().unwrap() };
        let (fused, plain) = (values(var), values(&plain.weights().vars()[name]));
        let largest = fused.iter().fold(0.0_f32, |m, x| m.max(x.abs())).max(1e-2);
        for (fused, plain) in fused.iter().zip(&plain) {
            let error = f64::from((fused - plain).abs() / largest);
            assert!(error < 10.0 * WITHIN, "{name}: {fused} {plain}");
        }
    }
}
