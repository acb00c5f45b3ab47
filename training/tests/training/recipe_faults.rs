//! What is wrong with a recipe is said with its line, its key with all sections, and what is right.

use crate::common::{error, line_with, sequence_error, tiny_text, tiny_with};
use hrm_training::Recipe;

/// That a change of the tiny recipe is refused with all these parts, and with the line that holds
/// `at`.
fn assert_says(old: &str, new: &str, at: &str, parts: &[&str]) {
    let text = error(&[(old, new)]);
    let changed = tiny_with(10, &[(old, new)]);
    let line = line_with(&changed, at);
    assert!(
        text.contains(&format!("recipe: {line}")),
        "{new}: no {line:?} in: {text}"
    );
    for part in parts {
        assert!(text.contains(part), "{new}: no {part:?} in: {text}");
    }
}

#[test]
fn an_unknown_key_at_any_depth_is_named_with_all_its_sections() {
    let kinds = "kinds = { maze = 1.0, random = 1.0, boxes = 0.5 }";
    let known = "did you mean `channels`?";
    assert_says(
        "channels",
        "chanels",
        "chanels",
        &["unknown key `model.chanels`", known],
    );
    let near = "did you mean `maze`?";
    let parts = ["unknown key `data.kinds.maez`", near];
    assert_says("maze = 1.0", "maez = 1.0", "maez", &parts);
    // The same kinds as a section of their own, and as keys with dots.
    let section = "kinds.maze = 1.0\nkinds.maez = 2.0";
    assert_says(kinds, section, "maez", &parts);
    let mazes = "mazes = { file = \"x\", share = 1.0, whole = 1.0, heldout = 3 }";
    let parts = [
        "unknown key `data.mazes.heldout`",
        "did you mean `held_out`?",
    ];
    assert_says(kinds, &format!("{kinds}\n{mazes}"), "heldout", &parts);
    let mazes = "[data.mazes]\nfile = \"x\"\nshares = 1.0\n\n[optimiser]";
    let parts = ["unknown key `data.mazes.shares`", "did you mean `share`?"];
    assert_says("[optimiser]", mazes, "shares", &parts);
    let parts = ["unknown section `optimizer`", "did you mean `optimiser`?"];
    assert_says("[optimiser]", "[optimizer]", "[optimizer]", &parts);
    assert_says("[run]", "[run]\npatince = 3", "patince", &["`patience`?"]);
}

#[test]
fn a_missing_section_is_named_without_a_line() {
    let text = error(&[("[run]\nsteps", "[data.run]\nsteps")]);
    assert!(text.contains("`data.run`"), "{text}");
    let whole = tiny_text(10);
    let cut = &whole[..whole.find("[run]").unwrap()];
    let text = Recipe::from_text(cut).unwrap_err().to_string();
    assert_eq!(text, "recipe: the key `run` is missing");
}

#[test]
fn a_value_of_the_wrong_type_comes_with_what_it_must_be() {
    let cells = "`data.cells` is \"many\"; it must be from 64 to 4194304";
    assert_says("cells = 300", "cells = \"many\"", "cells", &[cells]);
    let cells = "`data.cells` is -300; it must be from 64 to 4194304";
    assert_says("cells = 300", "cells = -300", "cells", &[cells]);
    let cells = "`data.cells` is 300.5; it must be from 64 to 4194304";
    assert_says("cells = 300", "cells = 300.5", "cells", &[cells]);
    let growth = "`data.growth` is \"half\"; it must be from 0 to 1";
    assert_says("growth = 0.7", "growth = \"half\"", "growth", &[growth]);
    let channels = "`model.channels` is true; it must be a multiple of 16 from 16 to 1024";
    assert_says("channels = 16", "channels = true", "channels", &[channels]);
    // Where no range is checked, the type is all there is to say.
    let warmup = "`optimiser.warmup` is -3; it must be a whole number of at least 0";
    assert_says("warmup = 3", "warmup = -3", "warmup", &[warmup]);
    let seed = "`seed` is \"7\"; it must be a whole number of at least 0";
    assert_says("seed = 7", "seed = \"7\"", "seed", &[seed]);
    let kinds = "kinds = { maze = 1.0, random = 1.0, boxes = 0.5 }";
    let says = "`data.kinds` is 3; it must be a section of keys";
    assert_says(kinds, "kinds = 3", "kinds = 3", &[says]);
    let family = "`model.family` is 8; it must be a text in quotes";
    assert_says("\"grid\"", "8", "family", &[family]);
}

#[test]
fn a_list_has_as_many_numbers_as_it_must() {
    for betas in ["[0.9]", "[0.9, 0.95, 0.99]"] {
        let says = format!("`optimiser.betas` is {betas}; it must be a list of two numbers");
        assert_says("[0.9, 0.95]", betas, "betas", &[&says]);
    }
    let text = sequence_error(&[("[60, 70]", "[60, 65, 70]")]);
    assert!(
        text.contains("`data.sudoku.clues` is [60, 65, 70]"),
        "{text}"
    );
}

#[test]
fn a_value_out_of_range_is_named_with_its_line_as_it_is_written() {
    let parts = ["`data.growth` is 1.50; it must be from 0 to 1"];
    assert_says("growth = 0.7", "growth = 1.50", "growth", &parts);
    let parts = ["`optimiser.betas` is [0.9, 1.0]; it must be from 0 to below 1"];
    assert_says("[0.9, 0.95]", "[0.9, 1.0]", "betas", &parts);
    let parts = ["`model.h_blocks` is 65; it must be from 1 to 64"];
    assert_says("h_blocks = 1", "h_blocks = 65", "h_blocks", &parts);
    // A default that is out of range has no line.
    let old = "num_heads = 2\npos_encodings = \"learned\"";
    let text = sequence_error(&[(old, "num_heads = 16\npos_encodings = \"rope\"")]);
    assert!(text.contains("`model.num_heads` is 16"), "{text}");
}

#[test]
fn a_key_that_would_do_nothing_is_named_with_its_line() {
    let parts = ["`optimiser.puzzle_rate` belongs to"];
    assert_says(
        "ema = 0.9",
        "ema = 0.9\npuzzle_rate = 0.1",
        "puzzle_rate",
        &parts,
    );
}
