//! Tied weights stay tied while they are trained, and after an interruption.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::{all_bits, steps, tiny_with, trainer};
use hrm_planner::model::{Compute, GridHrmConfig};
use hrm_training::{Error, Recipe, Trainer};

fn tied_text() -> String {
    tiny_with(
        9,
        &[("h_blocks = 1", "h_blocks = 1\npatch = 2\ntied = true")],
    )
}

/// Asserts that tied weights have the same bits.
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

/// To let go of what symmetry asks for, once it has been learned; the other way there is none.
#[test]
fn a_model_with_tied_weights_begins_one_without_ties() {
    let text = tied_text();
    let untied_text = text.replace("tied = true", "tied = false");
    let begin = |text: &str, from: &Trainer| {
        let model = from.checkpoint(serde_json::Value::Null).unwrap();
        let recipe = Recipe::from_text(text).unwrap();
        Trainer::from_model(recipe, text.to_owned(), &model, &Compute::cpu())
    };
    let mut tied = trainer(&text);
    steps(&mut tied, 3);
    let mut untied = begin(&untied_text, &tied).unwrap();
    let config = untied.recipe().planning().unwrap().model.clone();
    assert_eq!(config.ties(), None);
    steps(&mut untied, 3);
    assert!(matches!(begin(&text, &untied), Err(Error::OtherModel)));
}
