//! A run keeps its best model, and ends early when no score is better for long enough.

use crate::common::{drive, start, tiny_with};
use hrm_planner::model::{Checkpoint, Compute};
use hrm_training::{Ending, Event, Result, Run, Score};
use std::path::Path;

/// Evaluations every 2 steps, checkpoints every 5.
fn recipe(patience: &str) -> String {
    tiny_with(
        40,
        &[
            ("checkpoint_every = 1000", "checkpoint_every = 5"),
            (
                "evaluate_every = 1000",
                &format!("evaluate_every = 2\n{patience}"),
            ),
        ],
    )
}

/// A judge that gives these pairs of reached and optimal in turn, and the last one from then on.
fn giving(scores: &'static [(f64, f64)]) -> impl FnMut(&Checkpoint, u64) -> Result<Vec<Score>> {
    move |_, step| {
        let turn = (step as usize / 2 - 1).min(scores.len() - 1);
        let (reached, optimal) = scores[turn];
        Ok(vec![Score {
            step,
            set: "some".to_owned(),
            kind: "maze".to_owned(),
            n: 4,
            numbers: vec![
                ("reached", Some(reached)),
                ("valid", Some(reached)),
                ("optimal", Some(optimal)),
                ("cost_ratio_mean", None),
                ("segments_mean", None),
            ],
        }])
    }
}

fn model(path: &Path) -> Checkpoint {
    Checkpoint::read(path).expect("a model")
}

#[test]
fn the_run_ends_after_as_many_evaluations_without_a_better_score() {
    let folder = tempfile::tempdir().unwrap();
    let scores = &[(0.2, 0.1), (0.5, 0.1), (0.5, 0.1), (0.4, 0.4), (0.3, 0.3)];
    let run = start(&recipe("patience = 3"), folder.path());
    let mut run = run.with_evaluator(giving(scores));
    assert_eq!(drive(&mut run, 100), Ending::NoBetter);
    // Best at step 4; not better at 6, 8 and 10.
    assert_eq!(run.trainer().steps_done(), 10);
    let best = run.best().expect("an evaluation");
    assert_eq!((best.step, best.means, best.since), (4, [0.5, 0.1], 3));

    let best = model(&run.best_path());
    assert_eq!(best.training.steps, 4);
    assert_eq!(best.training.scores[0]["reached"], 0.5);
    let last = model(&run.model_path());
    assert_eq!(last.training.steps, 10);
    let said = last.training.ending.expect("why it ended");
    assert!(
        said.contains("3 evaluations") && said.contains("step 4"),
        "{said}"
    );

    // Resumed, it has still ended.
    let resumed = Run::resume(folder.path(), &Compute::cpu()).unwrap();
    let mut resumed = resumed.with_evaluator(giving(scores));
    assert_eq!(drive(&mut resumed, 100), Ending::NoBetter);
    assert_eq!(resumed.trainer().steps_done(), 10);
}

#[test]
fn of_equal_first_scores_the_second_decides_and_of_equals_the_earlier_stays() {
    let folder = tempfile::tempdir().unwrap();
    let scores = &[(0.5, 0.1), (0.5, 0.2), (0.5, 0.2), (0.4, 0.9)];
    let mut run = start(&recipe("patience = 0"), folder.path()).with_evaluator(giving(scores));
    assert_eq!(drive(&mut run, 100), Ending::Complete);
    assert_eq!(run.best().map(|best| best.step), Some(4));
    assert_eq!(model(&run.best_path()).training.steps, 4);
    assert_eq!(model(&run.model_path()).training.ending, None);
}

#[test]
fn without_patience_a_run_goes_on_to_its_last_step() {
    let folder = tempfile::tempdir().unwrap();
    let run = start(&recipe(""), folder.path());
    let mut run = run.with_evaluator(giving(&[(0.5, 0.5), (0.1, 0.1)]));
    assert_eq!(drive(&mut run, 100), Ending::Complete);
    assert_eq!(run.trainer().steps_done(), 40);
}

#[test]
fn an_interrupted_run_knows_its_best_model() {
    let folder = tempfile::tempdir().unwrap();
    let scores = &[(0.2, 0.1), (0.5, 0.1), (0.3, 0.1), (0.5, 0.1), (0.5, 0.1)];
    let text = recipe("patience = 3");
    let mut run = start(&text, folder.path()).with_evaluator(giving(scores));
    assert_eq!(drive(&mut run, 7), Ending::Stopped);
    drop(run);
    let resumed = Run::resume(folder.path(), &Compute::cpu()).unwrap();
    assert_eq!(
        resumed.best().map(|best| (best.step, best.since)),
        Some((4, 1))
    );
    let mut resumed = resumed.with_evaluator(giving(scores));
    assert_eq!(drive(&mut resumed, 100), Ending::NoBetter);
    assert_eq!(resumed.trainer().steps_done(), 10);
    assert_eq!(model(&resumed.best_path()).training.steps, 4);
}

#[test]
fn who_watches_hears_of_the_best_model() {
    let folder = tempfile::tempdir().unwrap();
    let run = start(&recipe("patience = 1"), folder.path());
    let mut run = run.with_evaluator(giving(&[(0.2, 0.2), (0.3, 0.1), (0.1, 0.1)]));
    let mut heard = Vec::new();
    let watch = |event: Event<'_>| {
        if let Event::Scores { best, .. } = event {
            heard.push(best.map(|best| best.step));
        }
    };
    run.drive(|| false, watch).unwrap();
    assert_eq!(heard, [Some(2), Some(4), Some(4)]);
}
