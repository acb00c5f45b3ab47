//! Our HRM and TRM are the published ones: same weights, same numbers after every segment.
//!
//! `cargo test --test models published_models -- --nocapture` prints the largest error of each kind of
//! tensor. The published code ran in f32 with PyTorch's kernels, ours in f32 with candle's; what
//! is left is rounding, and how far the models themselves amplify it.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::reference::{Measured, RELATIVE, Reference, flat, judge, references};
use candle_core::DType;
use hrm_planner::model::{Reasoner, SequenceConfig};

/// From which carry a segment starts.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    /// Ours, after all segments before.
    GoingOn,
    /// The one recorded after the segment before.
    Recorded,
}

fn evaluate(reference: &Reference, start: Start, dtype: DType) -> Vec<Measured> {
    let model = reference.model(dtype);
    let encoded = model.encode(&reference.problems()).unwrap();
    let mut carry = model.initial_carry(&encoded).unwrap();
    let mut run = Vec::new();
    for segment in 1..=reference.segments("eval") {
        if start == Start::Recorded && segment > 1 {
            carry = reference.carry(segment - 1, dtype);
        }
        carry = model.segment(&carry, &encoded).unwrap();
        let readout = model.read_out(&carry, &encoded).unwrap();
        for (kind, tensor) in [
            ("logits", &readout.logits),
            ("q_halt", &readout.q_halt),
            ("q_continue", &readout.q_continue),
            ("z_H", &carry.z_h),
            ("z_L", &carry.z_l),
        ] {
            let name = format!("eval.{segment}.{kind}");
            assert_eq!(tensor.dims(), reference.shape(&name), "{name}");
            let recorded = reference.values(&name);
            run.push(Measured::new(kind, &name, flat(tensor), recorded));
        }
    }
    run
}

#[test]
fn every_segment_from_the_recorded_carry_is_matched() {
    for reference in references() {
        let title = format!("{}, each segment from the recorded carry", reference.name);
        judge(&title, RELATIVE, |dtype| {
            evaluate(&reference, Start::Recorded, dtype)
        });
    }
}

#[test]
fn all_segments_with_the_carry_going_on_are_matched() {
    for reference in references() {
        let title = format!("{}, the carry going on", reference.name);
        judge(&title, f64::INFINITY, |dtype| {
            evaluate(&reference, Start::GoingOn, dtype)
        });
    }
}

/// The papers state 27 and 7 million parameters.
#[test]
fn the_published_sizes_have_the_published_numbers_of_parameters() {
    let hrm = SequenceConfig::hrm(900, 6);
    let trm = SequenceConfig::trm(81, 11);
    for config in [&hrm, &trm] {
        config.validate().unwrap();
    }
    assert_eq!(hrm.parameters(), 27_270_146);
    assert_eq!(trm.parameters(), 6_828_034);
    assert_eq!(hrm.puzzle_tokens(), 1);
    assert_eq!(trm.puzzle_tokens(), 16);
}
