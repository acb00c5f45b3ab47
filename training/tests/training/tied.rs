//! Tied weights stay tied while they are trained, and after an interruption.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::{all_bits, steps, tiny_with, trainer};
use hrm_planner::model::{Compute, GridHrmConfig};
use hrm_training::Trainer;

fn tied_text() -> String {
    tiny_with(
        9,
        &[("h_blocks = 1", "h_blocks = 1\npatch = 2\ntied = true")],
    )
}

/// Asserts that tied weights have the same bits,.
fn assert_tied(trainer: &Trainer, config: &GridHrmConfig) {
    let ties = config.ties().unwrap();
    for (name, var) in trainer.weights().vars() {
        let values: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        for (value, &first) in values.iter().zip(&ties[name]) {
            let first = values[first as usize];
            assert_eq!(value.to_bits(), first.to_bits(), "{name}");
        }
    }
}

#[test]
fn tied_weights_stay_tied() {
    let mut straight = trainer(&tied_text());
    let config = straight.recipe().planning().unwrap().model.clone();
    assert_tied(&straight, &config);
    let fresh = all_bits(&straight);
    steps(&mut straight, 9);
    assert!(all_bits(&straight) != fresh, "they must be trained");
    assert_tied(&straight, &config);

    let folder = tempfile::tempdir().unwrap();
    let mut first = trainer(&tied_text());
    steps(&mut first, 4);
    first.save(folder.path()).unwrap();
    let mut second = Trainer::resume(folder.path(), &Compute::cpu()).unwrap();
    steps(&mut second, 5);
    assert!(all_bits(&second) == all_bits(&straight));
}
