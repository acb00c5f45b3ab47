//! The command line: what it prints, what it writes, and its exit codes.

use crate::common::{run, stderr, tiny_text, tiny_with};
use std::path::Path;
use tempfile::TempDir;

/// A folder with a tiny recipe in it.
fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("files in a temporary folder");
    std::fs::write(folder.path().join("tiny.toml"), text).expect("files in a temporary folder");
    folder
}

/// That a command fails with this code and one line that holds all parts.
fn assert_fails(folder: &Path, args: &[&str], code: i32, parts: &[&str]) {
    let output = run(folder, args);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{args:?}: {text}");
    for part in parts {
        assert!(text.contains(part), "{args:?}: no {part:?} in: {text}");
    }
}

#[test]
fn help_names_every_command_and_exit_code() {
    let output = run(Path::new("."), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["run", "resume", "preview", "sudoku", "130"] {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
}

#[test]
fn a_wrong_command_line_is_bad_usage() {
    for args in [
        &["walk"][..],
        &["run"],
        &["run", "x", "--steps", "many"],
        &["run", "x", "--time-limit", "-1"],
    ] {
        assert_eq!(run(Path::new("."), args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_bad_recipe_is_bad_input_and_leaves_no_folder() {
    let folder = folder(&tiny_with(4, &[("growth", "growht")]));
    let parts = ["tiny.toml", "line", "data.growht", "`growth`"];
    assert_fails(folder.path(), &["run", "tiny.toml"], 2, &parts);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn what_is_not_there_is_bad_input() {
    let folder = folder(&tiny_text(4));
    let parts = ["no recipe `nothing`"];
    assert_fails(folder.path(), &["run", "nothing"], 2, &parts);
    assert_fails(
        folder.path(),
        &["resume", "nothing"],
        2,
        &["nothing holds no run"],
    );
    assert_fails(
        folder.path(),
        &["preview", "nothing.toml"],
        2,
        &["nothing.toml"],
    );
}

#[test]
fn a_device_that_is_not_there_is_bad_input_and_leaves_no_folder() {
    let said = if candle_core::utils::cuda_is_available() {
        ["no CUDA device 4096 was found", "--device cpu"]
    } else {
        ["this build has no CUDA support", "--features cuda"]
    };
    let folder = folder(&tiny_text(4));
    let device = ["--device", "cuda:4096"];
    let run_on = [&["run", "tiny.toml"], &device[..]].concat();
    assert_fails(folder.path(), &run_on, 2, &said);
    assert!(!folder.path().join("runs").exists());

    let first = run(folder.path(), &["run", "tiny.toml", "--device", "cpu"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let resume_on = [&["resume", "runs/tiny"], &device[..]].concat();
    assert_fails(folder.path(), &resume_on, 2, &said);
    let eval_on = [&["eval", "runs/tiny/tiny.safetensors"], &device[..]].concat();
    assert_fails(folder.path(), &eval_on, 2, &said);
}

#[test]
fn what_is_no_device_is_bad_usage() {
    for command in [&["run", "x"][..], &["resume", "x"], &["eval", "x"]] {
        let output = run(Path::new("."), &[command, &["--device", "tpu"]].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let text = stderr(&output);
        assert!(text.contains("choose cpu, cuda or cuda:N"), "{text}");
    }
}

#[test]
fn a_run_writes_its_folder_and_a_second_one_does_not_overwrite_it() {
    let folder = folder(&tiny_text(4));
    let output = run(folder.path(), &["run", "tiny.toml", "--seed", "9"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let files = [
        "recipe.toml",
        "state.safetensors",
        "tiny.safetensors",
        "metrics.csv",
        "tiny-best.safetensors",
        "scores.csv",
        "curves.png",
        "events.out.tfevents.hrm-train",
    ];
    for file in files {
        let length = folder
            .path()
            .join("runs/tiny")
            .join(file)
            .metadata()
            .unwrap()
            .len();
        assert!(length > 0, "{file} is empty");
    }
    let recipe = std::fs::read_to_string(folder.path().join("runs/tiny/recipe.toml")).unwrap();
    assert_eq!(recipe, tiny_text(4).replace("seed = 7", "seed = 9"));

    let parts = ["runs/tiny already holds a run", "hrm-train resume"];
    assert_fails(folder.path(), &["run", "tiny.toml"], 2, &parts);
}

#[test]
fn a_finished_run_can_be_resumed_and_stays_as_it_is() {
    let folder = folder(&tiny_text(4));
    let metrics = folder.path().join("here/metrics.csv");
    assert!(
        run(folder.path(), &["run", "tiny.toml", "--out", "here"])
            .status
            .success()
    );
    let before = std::fs::read_to_string(&metrics).unwrap();
    assert!(run(folder.path(), &["resume", "here"]).status.success());
    assert_eq!(std::fs::read_to_string(&metrics).unwrap(), before);
}

#[test]
fn a_run_that_diverges_fails() {
    let text = tiny_with(
        40,
        &[("5e-3", "1e38"), ("warmup = 3 # steps", "warmup = 0")],
    );
    let folder = folder(&text);
    let output = run(folder.path(), &["run", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(
        text.lines()
            .last()
            .unwrap()
            .contains("lower the learning rate"),
        "{text}"
    );
}

#[test]
fn a_preview_is_one_picture_for_each_kind_that_is_drawn() {
    let folder = folder(&tiny_with(4, &[("boxes = 0.5", "boxes = 0.0")]));
    let args = ["preview", "tiny.toml", "--out", "sheets", "--count", "4"];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut files: Vec<String> = folder
        .path()
        .join("sheets")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["maze.png", "random.png"]);
    for file in files {
        let bytes = std::fs::read(folder.path().join("sheets").join(file)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
        // Two rows of tiles of 340 pixels: the height stands in the header's bytes 20 to 23.
        let height = u32::from_be_bytes(bytes[20..24].try_into().unwrap());
        assert!(height > 400, "{height}");
    }
}

/// A model of four steps, which plans badly.
fn bad_model(folder: &Path) -> &'static str {
    let output = run(folder, &["run", "tiny.toml", "--out", "here"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    "here/tiny.safetensors"
}

fn pictures(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("a folder of pictures");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .collect();
    names.sort();
    names
}

#[test]
fn eval_prints_a_row_per_kind_and_side_and_draws_the_worst_plans() {
    let folder = folder(&tiny_text(4));
    let model = bad_model(folder.path());
    let mut args = vec!["eval", model, "--sides", "12,16", "--n", "5", "--seed", "3"];
    args.extend([
        "--kinds",
        "maze,cave",
        "--failures",
        "worst",
        "--json",
        "rows.json",
    ]);
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    for part in ["maze-12", "cave-12", "maze-16", "cave-16", "not reached"] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
    let rows = std::fs::read_to_string(folder.path().join("rows.json")).unwrap();
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    let n: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["n"])
        .collect();
    assert_eq!(n, [5, 5, 5, 5]);

    let drawn = folder.path().join("worst");
    let names = pictures(&drawn);
    assert!(names.len() > 3, "a bad model fails more often: {names:?}");
    assert_eq!(names[0], "worst-01.png");
    assert_eq!(names.last().unwrap(), "worst.png");
    let first = std::fs::read(drawn.join("worst-01.png")).unwrap();
    assert!(first.starts_with(b"\x89PNG"));

    // The same problems, the same pictures; and none of an earlier model stays behind.
    assert!(run(folder.path(), &args).status.success());
    assert_eq!(std::fs::read(drawn.join("worst-01.png")).unwrap(), first);
    let n = args.iter().position(|arg| *arg == "5").unwrap();
    args[n] = "1";
    std::fs::write(drawn.join("mine.png"), "mine").unwrap();
    assert!(run(folder.path(), &args).status.success());
    let fewer = pictures(&drawn);
    assert!(fewer.contains(&"mine.png".to_owned()));
    assert!(fewer.len() <= 4 + 2, "{fewer:?}");
}

#[test]
fn eval_with_a_recipe_judges_on_what_the_recipe_trains_on() {
    let folder = folder(&tiny_with(4, &[("random = 1.0", "random = 0.0")]));
    let model = bad_model(folder.path());
    let args = ["eval", model, "--recipe", "tiny.toml", "--limit", "2"];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, ["maze-11", "boxes-11", "all"]);
}

#[test]
fn eval_refuses_what_it_cannot_judge() {
    let folder = folder(&tiny_text(4));
    let model = bad_model(folder.path());
    assert_fails(folder.path(), &["eval", "nothing"], 2, &["nothing"]);
    let sudoku = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../configs/recipes/sudoku.toml"
    );
    let args = ["eval", model, "--recipe", sudoku];
    assert_fails(folder.path(), &args, 2, &["not on maps"]);
    for side in ["4", "many"] {
        let output = run(folder.path(), &["eval", model, "--sides", side]);
        assert_eq!(output.status.code(), Some(2), "{side}");
    }
}

#[test]
fn a_run_that_ends_early_says_so_and_which_model_is_the_best() {
    let changes = [("evaluate_every = 1000", "evaluate_every = 1\npatience = 2")];
    let folder = folder(&tiny_with(200, &changes));
    let output = run(folder.path(), &["run", "tiny.toml", "--out", "here"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "ended early",
        "2 evaluations",
        "best score: step",
        "here/tiny-best.safetensors",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

/// Regression: lines that nobody reads any more ended the program with a panic.
#[test]
fn a_closed_pipe_does_not_end_a_run() {
    let folder = folder(&tiny_text(6));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_hrm-train"))
        .args(["run", "tiny.toml", "--out", "run"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("hrm-train");
    drop(child.stdout.take());
    drop(child.stderr.take());
    let status = child.wait().expect("hrm-train");
    assert_eq!(status.code(), Some(0));
    assert!(folder.path().join("run/curves.png").exists());
}
