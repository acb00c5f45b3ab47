//! The number of threads changes no number of training.

use crate::common::{run, stderr, tiny_sequence_text, tiny_text};
use std::path::Path;

/// The metrics of a run, without their times, and the model's bytes.
fn trained(folder: &Path, text: &str, name: &str, threads: &str) -> (Vec<String>, usize) {
    std::fs::write(folder.join("recipe.toml"), text).expect("files in a temporary folder");
    let out = format!("{name}-{threads}");
    let args = ["run", "recipe.toml", "--out", &out, "--threads", threads];
    let output = run(folder, &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = std::fs::read_to_string(folder.join(&out).join("metrics.csv")).expect("metrics");
    let heading = table.lines().next().expect("a heading");
    let seconds = heading
        .split(',')
        .position(|name| name == "seconds")
        .expect("times");
    let timeless = table.lines().map(|line| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(seconds);
        cells.join(",")
    });
    let rows: Vec<String> = timeless.collect();
    let count = rows.len();
    (rows, count)
}

#[test]
fn training_gives_the_same_numbers_for_one_thread_and_two() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("grid", tiny_text(6)), ("sequence", tiny_sequence_text(6))] {
        let (one, rows) = trained(folder.path(), &text, name, "1");
        let (two, _) = trained(folder.path(), &text, name, "2");
        assert!(rows > 1, "{name}: no rows");
        assert_eq!(one, two, "{name}");
    }
}
