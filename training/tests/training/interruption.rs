//! The program ends cleanly on Ctrl-C and SIGTERM, and its next life goes on as if nothing was.
#![cfg(unix)]

use crate::common::{bits, hrm_train, run, stderr, tiny_text, with};
use hrm_planner::model::{Checkpoint, Compute};
use hrm_training::Trainer;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const STEPS: u64 = 700;

/// A recipe that is long enough to be interrupted, with scores on the way.
fn recipe() -> String {
    with(
        tiny_text(STEPS),
        &[("evaluate_every = 1000", "evaluate_every = 100")],
    )
}

/// Starts the tiny recipe, sends a signal once it has written metrics, and waits for its end.
fn interrupted(folder: &Path, signal: &str) -> Output {
    std::fs::write(folder.join("tiny.toml"), recipe()).expect("files in a temporary folder");
    let child = hrm_train(folder)
        .args(["run", "tiny.toml", "--out", "here"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let metrics = folder.join("here/metrics.csv");
    let began = Instant::now();
    while std::fs::metadata(&metrics).map_or(0, |file| file.len()) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "no metrics yet");
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(kill.expect("kill is there").success());
    child.wait_with_output().expect("the program ends")
}

#[test]
fn ctrl_c_writes_a_checkpoint_from_which_the_same_model_comes() {
    let folder = tempfile::tempdir().unwrap();
    let output = interrupted(folder.path(), "-INT");
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("once more ends at once"), "{text}");
    assert!(text.contains("hrm-train resume here"), "{text}");
    let stopped_at = Trainer::resume(&folder.path().join("here"), &Compute::cpu())
        .unwrap()
        .steps_done();
    assert!((25..STEPS).contains(&stopped_at), "stopped at {stopped_at}");

    let output = run(folder.path(), &["resume", "here"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = run(folder.path(), &["run", "tiny.toml", "--out", "straight"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let file = |run: &str, name: &str| folder.path().join(run).join(name);
    for name in ["tiny.safetensors", "tiny-best.safetensors"] {
        let models = ["here", "straight"].map(|run| Checkpoint::read(&file(run, name)).unwrap());
        let [resumed, straight] = &models;
        assert_eq!(resumed.training.steps, straight.training.steps, "{name}");
        assert!(bits(&resumed.tensors) == bits(&straight.tensors), "{name}");
    }
    let scores = |run| std::fs::read_to_string(file(run, "scores.csv")).unwrap();
    assert_eq!(scores("here"), scores("straight"));
    assert_eq!(
        scores("here").lines().count(),
        1 + 3 * 7,
        "7 evaluations, 3 kinds"
    );
}

#[test]
fn sigterm_ends_a_run_as_ctrl_c_does() {
    let folder = tempfile::tempdir().unwrap();
    let output = interrupted(folder.path(), "-TERM");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(Trainer::resume(&folder.path().join("here"), &Compute::cpu()).is_ok());
}

#[test]
fn a_time_limit_ends_a_run_with_a_checkpoint_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.toml"), tiny_text(1_000_000)).unwrap();
    let args = ["run", "tiny.toml", "--out", "here", "--time-limit", "0.005"];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("hrm-train resume here"), "{text}");
    assert!(Trainer::resume(&folder.path().join("here"), &Compute::cpu()).is_ok());
}
