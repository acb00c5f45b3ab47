//! An interrupted run goes on with the very numbers of an uninterrupted one, and what cannot be
//! resumed is refused with the reason.

use crate::common::{all_bits, drive, start, steps, tiny_text, tiny_with, trainer};
use hrm_planner::model::Compute;
use hrm_training::{Ending, Error, RECIPE_FILE, Recipe, Run, STATE_FILE, Score, Trainer};
use std::path::Path;

/// The `step` column of a table.
fn step_column(path: &Path) -> Vec<u64> {
    let mut reader = csv::Reader::from_path(path).expect("files in a temporary folder");
    let step = |row: Result<csv::StringRecord, csv::Error>| {
        row.expect("files in a temporary folder")[0]
            .parse()
            .expect("files in a temporary folder")
    };
    reader.records().map(step).collect()
}

#[test]
fn a_resumed_run_gives_the_numbers_of_an_uninterrupted_one() {
    let mut straight = trainer(&tiny_text(12));
    let expected = steps(&mut straight, 12);

    let folder = tempfile::tempdir().unwrap();
    let mut first = trainer(&tiny_text(12));
    let mut reports = steps(&mut first, 5);
    first.save(folder.path()).unwrap();
    drop(first);
    let mut second = Trainer::resume(folder.path(), &Compute::cpu()).unwrap();
    assert_eq!(second.steps_done(), 5);
    reports.extend(steps(&mut second, 7));

    // Debug prints every digit that tells two numbers apart.
    assert_eq!(format!("{reports:?}"), format!("{expected:?}"));
    assert!(all_bits(&second) == all_bits(&straight));
    assert!(
        expected
            .iter()
            .any(|report| report.number("segment") > Some(1.0)),
        "samples must live on"
    );
}

/// Tokens that begin to think while a sample lives, and samples that come again.
#[test]
fn a_sparse_model_with_hard_cases_resumes_to_the_same_numbers() {
    let text = tiny_with(
        16,
        &[
            ("h_blocks = 1", "h_blocks = 1\npatch = 2\nsparse = true"),
            (
                "exploration =",
                "hard = 0.5\nrealistic = 0.5\nexploration =",
            ),
            ("\nmin_side = 8", "\nmin_side = 16"),
            ("first_max_side = 8", "first_max_side = 32"),
            ("max_side = 11", "max_side = 32"),
        ],
    );
    let mut straight = trainer(&text);
    let expected = steps(&mut straight, 16);
    let folder = tempfile::tempdir().unwrap();
    let mut first = trainer(&text);
    let mut reports = steps(&mut first, 9);
    first.save(folder.path()).unwrap();
    drop(first);
    let mut second = Trainer::resume(folder.path(), &Compute::cpu()).unwrap();
    reports.extend(steps(&mut second, 7));
    assert_eq!(format!("{reports:?}"), format!("{expected:?}"));
    assert!(all_bits(&second) == all_bits(&straight));
}

#[test]
fn saving_and_resuming_changes_nothing_that_is_saved() {
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut first = trainer(&tiny_text(12));
    steps(&mut first, 4);
    first.save(one.path()).unwrap();
    let second = Trainer::resume(one.path(), &Compute::cpu()).unwrap();
    assert!(second.seconds() > 0.0);
    assert_eq!(second.seconds().to_bits(), first.seconds().to_bits());
    second.save(two.path()).unwrap();
    let text = std::fs::read_to_string(two.path().join(RECIPE_FILE)).unwrap();
    assert_eq!(text, tiny_text(12));
    let third = Trainer::resume(two.path(), &Compute::cpu()).unwrap();
    assert!(all_bits(&third) == all_bits(&first));
}

#[test]
fn a_run_that_dies_goes_on_from_its_last_checkpoint_without_double_rows() {
    let text = tiny_with(
        60,
        &[
            ("checkpoint_every = 1000", "checkpoint_every = 30"),
            ("evaluate_every = 1000", "evaluate_every = 20"),
        ],
    );
    let judge = |_: &_, step| {
        let row = Score {
            step,
            set: "none".to_owned(),
            kind: "all".to_owned(),
            n: 1,
            numbers: vec![
                ("reached", Some(0.5)),
                ("valid", Some(0.5)),
                ("optimal", Some(0.25)),
                ("cost_ratio_mean", None),
                ("segments_mean", Some(2.0)),
            ],
        };
        Ok(vec![row])
    };
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut straight = start(&text, one.path()).with_evaluator(judge);
    assert_eq!(drive(&mut straight, 60), Ending::Complete);

    let mut dying = start(&text, two.path()).with_evaluator(judge);
    let state = two.path().join(STATE_FILE);
    drive(&mut dying, 30);
    let at_30 = std::fs::read(&state).unwrap();
    drive(&mut dying, 25);
    assert_eq!(
        step_column(&two.path().join("metrics.csv")),
        [25, 30, 50, 55]
    );
    assert_eq!(step_column(&two.path().join("scores.csv")), [20, 40]);
    drop(dying);
    std::fs::write(&state, at_30).unwrap();

    let mut resumed = Run::resume(two.path(), &Compute::cpu())
        .unwrap()
        .with_evaluator(judge);
    assert_eq!(resumed.trainer().steps_done(), 30);
    assert_eq!(drive(&mut resumed, 60), Ending::Complete);
    for table in ["metrics.csv", "scores.csv"] {
        let columns = [&one, &two].map(|folder| step_column(&folder.path().join(table)));
        assert_eq!(columns[0], columns[1], "{table}");
    }
    assert!(all_bits(resumed.trainer()) == all_bits(straight.trainer()));
}

#[test]
fn the_folder_holds_a_model_that_can_be_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = start(&tiny_text(8), folder.path());
    assert_eq!(drive(&mut run, 100), Ending::Complete);
    assert!(run.curves_path().is_file());
    let checkpoint = hrm_planner::model::Checkpoint::read(&run.model_path()).unwrap();
    assert_eq!(checkpoint.training.recipe, tiny_text(8));
    assert_eq!(
        (checkpoint.training.steps, checkpoint.training.seed),
        (8, 7)
    );
    assert!(checkpoint.training.wall_seconds > 0.0);
    assert!(checkpoint.training.machine.contains("core"));
    assert!(crate::common::bits(&checkpoint.tensors) == all_bits(run.trainer())[1]);
}

#[test]
fn a_folder_that_holds_a_run_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(&tiny_text(8), folder.path()));
    let recipe = Recipe::from_text(&tiny_text(8)).unwrap();
    let error = Run::start(recipe, tiny_text(8), folder.path(), &Compute::cpu())
        .err()
        .unwrap();
    assert!(matches!(error, Error::RunExists { .. }));
    assert!(error.to_string().contains("hrm-train resume"));
}

#[test]
fn a_run_that_diverges_stops_and_keeps_its_last_good_checkpoint() {
    let text = tiny_with(
        40,
        &[
            ("learning_rate = 5e-3", "learning_rate = 1e38"),
            ("warmup = 3 # steps", "warmup = 0"),
            ("checkpoint_every = 1000", "checkpoint_every = 1"),
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let mut run = start(&text, folder.path());
    let error = run
        .drive(|| false, |_| ())
        .expect_err("no step survives this rate");
    let diverged = matches!(
        error,
        Error::Diverged { .. } | Error::WeightsDiverged { .. }
    );
    assert!(diverged, "{error}");
    assert!(error.to_string().contains("lower the learning rate"));
    let kept = Trainer::resume(folder.path(), &Compute::cpu()).expect("a good checkpoint");
    assert!(kept.steps_done() < 40);
}

/// A folder with a saved run whose state file was changed.
fn with_state(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let folder = tempfile::tempdir().expect("files in a temporary folder");
    let mut run = trainer(&tiny_text(8));
    steps(&mut run, 2);
    run.save(folder.path())
        .expect("files in a temporary folder");
    let path = folder.path().join(STATE_FILE);
    let mut bytes = std::fs::read(&path).expect("files in a temporary folder");
    change(&mut bytes);
    std::fs::write(&path, bytes).expect("files in a temporary folder");
    let error = Trainer::resume(folder.path(), &Compute::cpu())
        .err()
        .expect("a bad state");
    assert!(error.is_bad_input());
    let text = error.to_string();
    assert!(text.contains(STATE_FILE), "{text}");
    text
}

#[test]
fn a_state_that_is_cut_off_is_refused() {
    let text = with_state(|bytes| bytes.truncate(bytes.len() / 2));
    assert!(text.contains("cut off"), "{text}");
    assert!(with_state(Vec::clear).contains("cut off"));
}

#[test]
fn a_state_with_a_flipped_bit_is_refused() {
    let flip_last = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    assert!(with_state(flip_last).contains("damaged"));
}

#[test]
fn a_file_of_something_else_is_refused() {
    let noise = |bytes: &mut Vec<u8>| *bytes = b"not a state at all, but long enough".to_vec();
    assert!(with_state(noise).contains("no safetensors file"));
    let model = |bytes: &mut Vec<u8>| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let checkpoint = trainer(&tiny_text(8)).checkpoint(serde_json::Value::Null);
        checkpoint.unwrap().write(&path).unwrap();
        *bytes = std::fs::read(path).unwrap();
    };
    assert!(with_state(model).contains("format"));
}

#[test]
fn a_state_of_another_recipe_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    trainer(&tiny_text(8)).save(folder.path()).unwrap();
    let other = tiny_text(9);
    std::fs::write(folder.path().join(RECIPE_FILE), other).unwrap();
    let text = Trainer::resume(folder.path(), &Compute::cpu())
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains("another recipe"), "{text}");
}

#[test]
fn a_folder_without_a_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Trainer::resume(folder.path(), &Compute::cpu())
        .err()
        .unwrap();
    assert!(matches!(error, Error::NoRun { .. }), "{error}");
}
