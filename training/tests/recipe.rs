//! A recipe is read whole or refused with the key, the value or the line that is wrong.

mod common;

use common::{tiny_text, tiny_with};
use hrm_training::{Error, Overrides, Recipe, find_recipe};
use std::path::{Path, PathBuf};

fn error(changes: &[(&str, &str)]) -> String {
    let error = Recipe::from_text(&tiny_with(10, changes)).expect_err("a bad recipe");
    assert!(error.is_bad_input());
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

/// The number of the line that holds a text.
fn line_with(text: &str, part: &str) -> String {
    let line = text.lines().position(|line| line.contains(part));
    format!("line {}:", line.expect("the part is there") + 1)
}

#[test]
fn every_recipe_of_the_project_is_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/recipes");
    let mut count = 0;
    for entry in folder.read_dir().expect("the folder of recipes") {
        let path = entry.expect("an entry").path();
        let (recipe, text) = Recipe::read(&path).expect("a good recipe");
        assert_eq!(path.file_stem().unwrap(), recipe.name.as_str());
        assert_eq!(text, std::fs::read_to_string(&path).unwrap());
        count += 1;
    }
    assert!(count >= 2);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_right_key() {
    let text = error(&[("growth = 0.7", "growht = 0.7")]);
    assert!(text.contains("unknown key `data.growht`"), "{text}");
    assert!(text.contains("did you mean `growth`?"), "{text}");
    assert!(
        text.contains(&line_with(&tiny_text(10), "growth")),
        "{text}"
    );
}

#[test]
fn an_unknown_key_like_no_other_comes_with_the_keys_there_are() {
    let text = error(&[("[run]", "[run]\nzzz = 1")]);
    assert!(text.contains("unknown key `run.zzz`"), "{text}");
    assert!(
        text.contains("steps, checkpoint_every, evaluate_every"),
        "{text}"
    );
}

#[test]
fn an_unknown_key_outside_all_sections_is_named() {
    let text = error(&[("seed = 7", "seed = 7\nsede = 8")]);
    assert!(text.contains("line 4: unknown key `sede`"), "{text}");
    assert!(text.contains("did you mean `seed`?"), "{text}");
}

#[test]
fn an_unknown_kind_of_map_is_named_with_the_nearest_kind() {
    let text = error(&[("maze = 1.0", "mazes = 1.0")]);
    assert!(text.contains("`mazes`"), "{text}");
    assert!(text.contains("did you mean `maze`?"), "{text}");
}

#[test]
fn a_missing_key_is_named_with_its_section() {
    let text = error(&[("clip = 1.0\n", "")]);
    assert!(
        text.contains("the key `optimiser.clip` is missing"),
        "{text}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_by_its_line() {
    let text = error(&[("cells = 300", "cells = \"many\"")]);
    assert!(
        text.contains(&line_with(&tiny_text(10), "cells = 300")),
        "{text}"
    );
    assert!(text.contains("many"), "{text}");
}

#[test]
fn what_is_no_toml_is_named_by_its_line() {
    let text = error(&[("warmup = 3", "warmup 3")]);
    assert!(
        text.contains(&line_with(&tiny_text(10), "warmup")),
        "{text}"
    );
}

#[test]
fn a_value_out_of_range_is_named_with_its_range() {
    for (old, new, parts) in [
        (
            "channels = 16",
            "channels = 17",
            ["channels", "17", "multiple of 16"],
        ),
        (
            "min_side = 8",
            "min_side = 7",
            ["data.min_side", "7", "8 to 1024"],
        ),
        (
            "max_side = 11",
            "max_side = 7",
            ["data.max_side", "7", "first_max_side"],
        ),
        (
            "growth = 0.7",
            "growth = nan",
            ["data.growth", "NaN", "0 to 1"],
        ),
        (
            "costs = 0.3",
            "costs = 1.5",
            ["data.costs", "1.5", "0 to 1"],
        ),
        ("cells = 300", "cells = 1", ["data.cells", "1", "64"]),
        ("5e-3", "0.0", ["optimiser.learning_rate", "0.0", "above 0"]),
        (
            "clip = 1.0",
            "clip = inf",
            ["optimiser.clip", "inf", "above 0"],
        ),
        (
            "ema = 0.9",
            "ema = 1.0",
            ["optimiser.ema", "1.0", "below 1"],
        ),
        ("steps = 10\n", "steps = 0\n", ["run.steps", "0", "above 0"]),
        ("\"tiny\"", "\"../up\"", ["name", "../up", "letters"]),
    ] {
        let text = error(&[(old, new)]);
        for part in parts {
            assert!(text.contains(part), "{new}: no {part:?} in: {text}");
        }
    }
}

#[test]
fn shares_of_kinds_must_not_all_be_zero_nor_any_negative() {
    let none = "kinds = { maze = 0.0 }";
    let negative = "kinds = { maze = 2.0, cave = -1.0 }";
    for kinds in [none, negative, "kinds = { maze = nan }", "kinds = {}"] {
        let old = "kinds = { maze = 1.0, random = 1.0, boxes = 0.5 }";
        assert!(error(&[(old, kinds)]).contains("data.kinds"), "{kinds}");
    }
}

#[test]
fn overrides_change_their_values_and_nothing_else_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    std::fs::write(&path, tiny_text(10)).unwrap();
    let overrides = Overrides {
        seed: Some(123),
        steps: Some(40),
    };
    let (recipe, text) = Recipe::read_with(&path, overrides).expect("a good recipe");
    assert_eq!((recipe.seed, recipe.run.steps), (123, 40));
    assert_eq!(text, tiny_text(40).replace("seed = 7", "seed = 123"));
    assert_eq!(Recipe::from_text(&text).unwrap(), recipe);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Recipe::read(Path::new("nowhere/at-all.toml")).unwrap_err();
    assert!(error.is_bad_input());
    assert!(error.to_string().contains("nowhere/at-all.toml"));
}

#[test]
fn recipes_are_found_by_path_and_by_name() {
    let by_name = find_recipe("smoke").expect("a recipe of the project");
    assert!(by_name.ends_with("configs/recipes/smoke.toml"));
    let path = by_name.to_str().unwrap();
    assert_eq!(find_recipe(path).unwrap(), PathBuf::from(path));
    let Err(Error::NoRecipe { nearest, known, .. }) = find_recipe("smok") else {
        panic!("there is no recipe of this name");
    };
    assert_eq!(nearest.as_deref(), Some("smoke"));
    assert!(known.contains(&"grid".to_owned()));
}
