//! What several test files need: a recipe that trains in milliseconds, and bits of tensors.

// Each test file is a crate of its own and uses only some of these.
#![allow(dead_code)]

pub mod optimising;

use candle_core::Tensor;
use hrm_planner::model::Compute;
use hrm_training::{Ending, Event, Recipe, Run, StepReport, Trainer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

/// A tiny recipe's text. `{steps}` is its number of steps; checkpoints are every 1000.
pub fn tiny_text(steps: u64) -> String {
    format!(
        r#"# A recipe for tests.
name = "tiny"
seed = 7

[model]
family = "grid"
channels = 16
hidden = 16
h_blocks = 1
l_blocks = 1
h_cycles = 2
l_cycles = 1

[data]
kinds = {{ maze = 1.0, random = 1.0, boxes = 0.5 }}
min_side = 8
first_max_side = 8
max_side = 11
growth = 0.7
costs = 0.3
unknown = 0.3
cells = 300
max_segments = 3
exploration = 0.5

[optimiser]
learning_rate = 5e-3
warmup = 3 # steps
weight_decay = 0.1
betas = [0.9, 0.95]
clip = 1.0
ema = 0.9
value_loss = 0.1
halt_loss = 0.1

[run]
steps = {steps}
checkpoint_every = 1000
evaluate_every = 1000
"#
    )
}

/// The tiny recipe with changes: each (old, new) must occur in the text.
pub fn tiny_with(steps: u64, changes: &[(&str, &str)]) -> String {
    with(tiny_text(steps), changes)
}

/// A tiny recipe of a published model on four easy Sudoku boards, with puzzle embeddings and an
/// optimiser of the published kind.
pub fn tiny_sequence_text(steps: u64) -> String {
    format!(
        r#"# A recipe for tests.
name = "tiny-sequence"
seed = 7

[model]
family = "hrm"
seq_len = 81
vocab_size = 11
num_puzzle_identifiers = 1
puzzle_emb_ndim = 16
H_cycles = 2
L_cycles = 1
H_layers = 1
L_layers = 1
hidden_size = 16
expansion = 1.0
num_heads = 2
pos_encodings = "learned"
halt_max_steps = 3
halt_exploration_prob = 0.5

[data]
batch = 4

[data.sudoku]
clues = [60, 70]
boards = 4
augment = false

[optimiser]
kind = "adam-atan2"
learning_rate = 5e-3
warmup = 3
weight_decay = 0.1
betas = [0.9, 0.95]
ema = 0.9
puzzle_rate = 1e-2
puzzle_weight_decay = 0.1

[run]
steps = {steps}
checkpoint_every = 1000
evaluate_every = 1000
"#
    )
}

/// A text with changes: each (old, new) must occur in it.
pub fn with(text: String, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "the tiny recipe has no {old:?}");
        text.replace(old, new)
    })
}

pub fn trainer(text: &str) -> Trainer {
    trainer_on(text, &Compute::cpu())
}

pub fn trainer_on(text: &str, compute: &Compute) -> Trainer {
    let recipe = Recipe::from_text(text).expect("a good recipe");
    Trainer::new(recipe, text.to_owned(), compute).expect("a trainer")
}

pub fn steps(trainer: &mut Trainer, count: usize) -> Vec<StepReport> {
    let step = |_| trainer.step().expect("a step");
    (0..count).map(step).collect()
}

/// A run of a recipe's text in a folder.
pub fn start(text: &str, folder: &Path) -> Run {
    let recipe = Recipe::from_text(text).expect("a good recipe");
    Run::start(recipe, text.to_owned(), folder, &Compute::cpu()).expect("a run")
}

/// Drives a run for at most `count` steps.
pub fn drive(run: &mut Run, count: usize) -> Ending {
    let done = Cell::new(0);
    let count_steps = |event: Event<'_>| {
        if let Event::Step(_) = event {
            done.set(done.get() + 1);
        }
    };
    run.drive(|| done.get() == count, count_steps)
        .expect("no error")
}

/// The bits of tensors, so that -0 and 0 differ and NaN would equal itself.
pub fn bits(tensors: &BTreeMap<String, Tensor>) -> BTreeMap<String, Vec<u32>> {
    let of = |tensor: &Tensor| -> Vec<u32> {
        let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
        let values = values.expect("a tensor of f32");
        values.into_iter().map(f32::to_bits).collect()
    };
    tensors
        .iter()
        .map(|(name, t)| (name.clone(), of(t)))
        .collect()
}

/// Weights and averages of a trainer, bit by bit.
pub fn all_bits(trainer: &Trainer) -> [BTreeMap<String, Vec<u32>>; 2] {
    let averages = trainer.optimiser().averaged(trainer.weights());
    [
        bits(&trainer.weights().tensors()),
        bits(&averages.expect("averages")),
    ]
}

/// `hrm-train`, run in a folder.
pub fn hrm_train(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hrm-train"));
    command.current_dir(folder);
    command
}

/// Runs `hrm-train` with arguments to its end.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    hrm_train(folder)
        .args(args)
        .output()
        .expect("the program starts")
}

/// What a program wrote to stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What is said of the tiny recipe with changes, which make it a bad one.
pub fn error(changes: &[(&str, &str)]) -> String {
    let error = Recipe::from_text(&tiny_with(10, changes)).expect_err("a bad recipe");
    assert!(error.is_bad_input());
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

/// The number of the line that holds a text, as messages give it.
pub fn line_with(text: &str, part: &str) -> String {
    let line = text.lines().position(|line| line.contains(part));
    format!("line {}:", line.expect("the part is there") + 1)
}

/// As [`error`], of the tiny recipe of a published model.
pub fn sequence_error(changes: &[(&str, &str)]) -> String {
    let text = with(tiny_sequence_text(10), changes);
    let error = Recipe::from_text(&text).expect_err("a bad recipe");
    assert!(error.is_bad_input());
    error.to_string()
}
