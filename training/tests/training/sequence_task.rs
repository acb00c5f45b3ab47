//! Published models are trained by the same trainer as the grid model: they learn, every tensor of
//! theirs does, and an interrupted run goes on with the same numbers.

use crate::common::{all_bits, bits, run, stderr, steps, tiny_sequence_text, trainer, with};
use hrm_planner::model::{Checkpoint, Compute, ModelConfig};
use hrm_training::sequence::{BoardTest, board_scores};
use hrm_training::{Event, Recipe, Run, StepReport, Trainer};

/// The model as it would be shipped now.
fn shipped(trainer: &Trainer) -> Checkpoint {
    trainer
        .checkpoint(serde_json::Value::Null)
        .expect("a checkpoint")
}

fn mean(reports: &[StepReport], name: &str) -> f64 {
    let numbers: Vec<f64> = reports.iter().filter_map(|r| r.number(name)).collect();
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

#[test]
fn a_resumed_run_gives_the_numbers_of_an_uninterrupted_one() {
    let changed: &[(&str, &str)] = &[
        ("boards = 4", "boards = 0"),
        ("augment = false", "augment = true"),
    ];
    let text = with(tiny_sequence_text(12), changed);
    let mut straight = trainer(&text);
    let expected = steps(&mut straight, 12);

    let folder = tempfile::tempdir().unwrap();
    let mut first = trainer(&text);
    let mut reports = steps(&mut first, 5);
    first.save(folder.path()).unwrap();
    drop(first);
    let mut second = Trainer::resume(folder.path(), &Compute::cpu()).unwrap();
    assert_eq!(second.steps_done(), 5);
    reports.extend(steps(&mut second, 7));

    // Debug prints every digit that tells two numbers apart.
    assert_eq!(format!("{reports:?}"), format!("{expected:?}"));
    assert!(all_bits(&second) == all_bits(&straight));
    // Also those that the optimiser does not know: first states and puzzle embeddings.
    let tensors = [&second, &straight].map(|trainer| bits(&shipped(trainer).tensors));
    assert!(tensors[0] == tensors[1]);
    assert!(
        tensors[0]["puzzle_emb.weights"]
            .iter()
            .any(|&bits| bits != 0),
        "puzzle embeddings must have learned"
    );
    let halted = |report: &StepReport| report.number("halted");
    assert!(
        expected.iter().any(|report| halted(report) > Some(0.0)),
        "problems must have been replaced"
    );
}

#[test]
fn boards_that_are_seen_often_are_learned() {
    for family in ["hrm", "trm"] {
        let changes: &[(&str, &str)] = &[
            ("\"hrm\"", &format!("\"{family}\"")),
            ("learning_rate = 5e-3", "learning_rate = 1e-2"),
            ("hidden_size = 16", "hidden_size = 32"),
        ];
        let mut trainer = trainer(&with(tiny_sequence_text(240), changes));
        let reports = steps(&mut trainer, 240);
        let (first, last) = (&reports[..20], &reports[220..]);
        let [before, after] = [first, last].map(|reports| mean(reports, "tokens"));
        assert!(after < 0.5 * before, "{family}: {before} to {after}");
        let [before, after] = [first, last].map(|reports| mean(reports, "accuracy"));
        assert!(after > before + 0.2, "{family}: {before} to {after}");
    }
}

#[test]
fn every_tensor_gets_a_finite_gradient_that_is_not_zero() {
    for (family, also) in [("hrm", true), ("trm", false)] {
        let changes: &[(&str, &str)] = &[
            ("\"hrm\"", &format!("\"{family}\"")),
            ("H_layers = 1", "H_layers = 2"),
            ("L_layers = 1", "L_layers = 2"),
            // The first moment is then the gradient of the last step alone.
            ("betas = [0.9, 0.95]", "betas = [0.0, 0.0]"),
            ("learning_rate = 5e-3", "learning_rate = 1e-4"),
        ];
        let mut trainer = trainer(&with(tiny_sequence_text(10), changes));
        steps(&mut trainer, 2);
        for (name, shape) in trainer.recipe().task.trainable() {
            let gradient = trainer.optimiser().first_moment(&name).expect("known");
            assert_eq!(gradient.len(), shape.iter().product::<usize>(), "{name}");
            assert!(gradient.iter().all(|g| g.is_finite()), "{name}");
            assert!(gradient.iter().any(|&g| g != 0.0), "{name} does not learn");
        }
        // The two rows of the halting head: TRM does without the second.
        let halting = trainer.optimiser().first_moment("q_head.weight").unwrap();
        let learns = |row: usize| halting[row * 16..(row + 1) * 16].iter().any(|&g| g != 0.0);
        assert!(learns(0) && learns(1) == also, "{family}");
    }
}

#[test]
fn first_states_stay_as_they_were_drawn() {
    let mut trainer = trainer(&tiny_sequence_text(10));
    let before = shipped(&trainer).tensors;
    steps(&mut trainer, 3);
    let after = shipped(&trainer).tensors;
    for name in ["H_init", "L_init"] {
        let [before, after] = [&before, &after].map(|t| t[name].to_vec1::<f32>().unwrap());
        assert_eq!(before, after, "{name}");
        assert!(before.iter().any(|&x| x != 0.0), "{name}");
    }
}

#[test]
fn a_run_can_begin_with_a_model_and_all_of_its_tensors() {
    let mut earlier = trainer(&tiny_sequence_text(10));
    steps(&mut earlier, 3);
    let model = shipped(&earlier);
    let text = with(tiny_sequence_text(10), &[("seed = 7", "seed = 8")]);
    let recipe = Recipe::from_text(&text).unwrap();
    let begun = Trainer::from_model(recipe, text, &model, &Compute::cpu()).unwrap();
    assert!(bits(&shipped(&begun).tensors) == bits(&model.tensors));
}

#[test]
fn a_run_leaves_tables_a_picture_and_a_model_of_its_family() {
    let text = tiny_sequence_text(30);
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe::from_text(&text).unwrap();
    let run = Run::start(recipe, text.clone(), folder.path(), &Compute::cpu()).unwrap();
    let mut run = run.with_live_scores();
    let mut judged = Vec::new();
    let watch = |event: Event<'_>| {
        if let Event::Scores { scores, .. } = event {
            judged.extend_from_slice(scores);
        }
    };
    run.drive(|| false, watch).unwrap();
    assert!(run.curves_path().is_file());

    let heading = |file: &str| {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        heading("metrics.csv"),
        "step,steps,seconds,rate,tokens,halt,continuing,gradient,accuracy,exact,q_halt_accuracy,segment,halted"
    );
    assert_eq!(
        heading("scores.csv"),
        "step,set,kind,n,board_accuracy,cell_accuracy,halting_board_accuracy,halting_cell_accuracy,segments_mean"
    );
    let kinds: Vec<&str> = judged.iter().map(|score| score.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "60 to 61 clues",
            "62 to 64 clues",
            "65 to 67 clues",
            "68 to 70 clues"
        ]
    );

    let checkpoint = Checkpoint::read(&run.model_path()).unwrap();
    assert!(matches!(checkpoint.config, ModelConfig::Sequence(_)));
    assert_eq!(checkpoint.training.recipe, text);
    assert_eq!(checkpoint.training.scores.as_array().unwrap().len(), 4);

    // What the live score says of the written model is what it said while training.
    let test = BoardTest {
        clues: 60..=70,
        per_band: 32,
        seed: 0,
    };
    let again = board_scores(&checkpoint.sequence_model().unwrap(), &test, 30).unwrap();
    assert_eq!(again, judged);

    let resumed = Run::resume(folder.path(), &Compute::cpu()).unwrap();
    assert_eq!(resumed.trainer().steps_done(), 30);
}

#[test]
fn eval_prints_the_clues_both_ways_of_thinking_and_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.safetensors");
    shipped(&trainer(&tiny_sequence_text(5)))
        .write(&path)
        .unwrap();
    let args = [
        "eval",
        "tiny.safetensors",
        "--limit",
        "2",
        "--json",
        "rows.json",
    ];
    let output = run(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "60 to 61 clues",
        "68 to 70 clues",
        "all 3 segments",
        "until it halts",
    ] {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    let rows = std::fs::read_to_string(folder.path().join("rows.json")).unwrap();
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 4);
    let row = &rows[0];
    assert_eq!(row["set"], "sudoku");
    assert_eq!(row["n"], 2);
    let segments = row["segments_mean"].as_f64().unwrap();
    assert!((1.0..=3.0).contains(&segments), "{segments}");
    for name in ["board_accuracy", "cell_accuracy", "halting_board_accuracy"] {
        let share = row[name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{name}: {share}");
    }
}
