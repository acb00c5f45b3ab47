//! A recipe is read whole or refused with the key, the value or the line that is wrong.

use crate::common::{error, line_with, sequence_error, tiny_sequence_text, tiny_text, tiny_with};
use hrm_training::{Error, Overrides, Recipe, find_recipe};
use std::path::{Path, PathBuf};

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
    assert!(text.contains("`data.kinds.mazes`"), "{text}");
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
            ["data.growth", "nan", "0 to 1"],
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

#[test]
fn an_unknown_family_is_named_with_its_line_and_the_nearest_one() {
    let text = error(&[("\"grid\"", "\"grids\"")]);
    assert!(text.contains("unknown value `grids`"), "{text}");
    assert!(text.contains("did you mean `grid`?"), "{text}");
    assert!(
        text.contains(&line_with(&tiny_text(10), "family")),
        "{text}"
    );
}

#[test]
fn a_recipe_without_a_family_is_of_the_grid_family() {
    let text = tiny_with(10, &[("family = \"grid\"\n", "")]);
    let recipe = Recipe::from_text(&text).expect("a recipe as before there were families");
    assert!(recipe.planning().is_ok());
}

#[test]
fn keys_are_those_of_the_family() {
    let text = sequence_error(&[("halt_max_steps", "halt_max_stepz")]);
    assert!(
        text.contains("unknown key `model.halt_max_stepz`"),
        "{text}"
    );
    assert!(text.contains("did you mean `halt_max_steps`?"), "{text}");
    let text = sequence_error(&[("batch = 4", "batch = 4\nkinds = { maze = 1.0 }")]);
    assert!(text.contains("unknown key `data.kinds`"), "{text}");
    let text = sequence_error(&[("boards = 4\n", "")]);
    assert!(
        text.contains("the key `data.sudoku.boards` is missing"),
        "{text}"
    );
    let text = error(&[("channels = 16", "hidden_size = 16")]);
    assert!(text.contains("unknown key `model.hidden_size`"), "{text}");
    // The whole grid recipe is one of a published model then; the first strange key is named.
    let text = error(&[("\"grid\"", "\"trm\"")]);
    assert!(text.contains("unknown key"), "{text}");
}

#[test]
fn a_key_that_would_do_nothing_is_refused_with_what_it_belongs_to() {
    for (old, new, part) in [
        ("ema = 0.9", "ema = 0.9\nvalue_loss = 0.1", "grid models"),
        ("ema = 0.9", "ema = 0.9\nclip = 1.0", "kind = \"adamw\""),
        (
            "puzzle_emb_ndim = 16",
            "puzzle_emb_ndim = 0",
            "puzzle_emb_ndim above 0",
        ),
    ] {
        let text = sequence_error(&[(old, new)]);
        assert!(text.contains(part) && text.contains("remove it"), "{text}");
    }
    let text = error(&[("ema = 0.9", "ema = 0.9\npuzzle_rate = 0.1")]);
    assert!(
        text.contains("`optimiser.puzzle_rate` belongs to"),
        "{text}"
    );
}

#[test]
fn a_key_that_the_family_or_the_optimiser_needs_is_missed() {
    let text = error(&[("value_loss = 0.1\n", "")]);
    assert!(
        text.contains("the key `optimiser.value_loss` is missing"),
        "{text}"
    );
    let text = sequence_error(&[("puzzle_rate = 1e-2\n", "")]);
    assert!(
        text.contains("the key `optimiser.puzzle_rate` is missing"),
        "{text}"
    );
    let text = sequence_error(&[("\"adam-atan2\"", "\"adamw\"")]);
    assert!(
        text.contains("the key `optimiser.clip` is missing"),
        "{text}"
    );
    let text = sequence_error(&[("adam-atan2", "adam-atan")]);
    assert!(text.contains("did you mean `adam-atan2`?"), "{text}");
}

#[test]
fn a_value_of_a_sequence_recipe_out_of_range_is_named_with_its_range() {
    for (old, new, parts) in [
        (
            "seq_len = 81",
            "seq_len = 80",
            ["model.seq_len", "80", "81, the cells"],
        ),
        (
            "vocab_size = 11",
            "vocab_size = 10",
            ["model.vocab_size", "10", "11"],
        ),
        (
            "num_heads = 2",
            "num_heads = 3",
            ["num_heads", "3", "divisor"],
        ),
        ("batch = 4", "batch = 0", ["data.batch", "0", "from 1"]),
        (
            "[60, 70]",
            "[70, 60]",
            ["data.sudoku.clues", "[70, 60]", "17 to 80"],
        ),
        (
            "[60, 70]",
            "[12, 30]",
            ["data.sudoku.clues", "[12, 30]", "17 to 80"],
        ),
        (
            "warmup = 3",
            "warmup = 3\nmin_ratio = 2.0",
            ["optimiser.min_ratio", "2.0", "0 to 1"],
        ),
        (
            "puzzle_rate = 1e-2",
            "puzzle_rate = -1.0",
            ["puzzle_rate", "-1.0", "at least 0"],
        ),
    ] {
        let text = sequence_error(&[(old, new)]);
        for part in parts {
            assert!(text.contains(part), "{new}: no {part:?} in: {text}");
        }
    }
}

#[test]
fn a_recipe_without_maps_has_no_preview_of_maps() {
    let recipe = Recipe::from_text(&tiny_sequence_text(10)).unwrap();
    let error = recipe.planning().expect_err("no maps");
    assert!(error.is_bad_input());
    assert!(error.to_string().contains("not on maps"), "{error}");
}
