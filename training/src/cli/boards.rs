//! `hrm-train eval` of a published model: Sudoku boards by their number of clues.

use super::eval::Args;
use super::{Outcome, say};
use hrm_planner::model::Checkpoint;
use hrm_training::sequence::{BoardTest, board_scores};
use hrm_training::{Error, Recipe, Score, TaskRecipe, scores_json};
use std::ops::RangeInclusive;

/// Boards of each band of clues: a share of a half is then known to about 3 %.
const BOARDS: u32 = 250;
/// The clues of a model that comes without a recipe, such as an imported one.
const CLUES: RangeInclusive<usize> = 24..=60;

/// Judges and prints a table.
pub fn execute(
    args: &Args,
    recipe: Option<&Recipe>,
    checkpoint: &Checkpoint,
) -> anyhow::Result<Outcome> {
    for (given, argument) in [
        (!args.sides.is_empty(), "--sides"),
        (!args.kinds.is_empty(), "--kinds"),
        (args.failures.is_some(), "--failures"),
    ] {
        if given {
            say::note(format_args!(
                "{argument} is for models that plan on maps and has no effect on boards"
            ));
        }
    }
    let model = checkpoint
        .sequence_model_on(&args.place.open()?)
        .map_err(Error::from)?;
    let test = BoardTest {
        clues: match (&args.clues, recipe) {
            (Some(clues), _) => clues.clone(),
            (None, Some(recipe)) => recipe.sequence()?.data.sudoku.clues(),
            (None, None) => trained_on(checkpoint),
        },
        per_band: args.n.unwrap_or(BOARDS) as usize,
        seed: args.seed,
    };
    let scores = board_scores(&model, &test, checkpoint.training.steps)?;
    args.write_json(&scores_json(&scores))?;
    let segments = model.config().halt_max_steps;
    say::result(format_args!(
        "{:<18} {:>6}   {:<21} thinking until it halts",
        "",
        "",
        format!("all {segments} segments"),
    ));
    say::result(format_args!(
        "{:<18} {:>6} {:>9} {:>13} {:>9} {:>13} {:>9}",
        "boards", "n", "solved %", "blanks right", "solved %", "blanks right", "segments"
    ));
    scores.iter().for_each(print);
    Ok(Outcome::Done)
}

/// The clues that a model was trained on, as its recipe says.
fn trained_on(checkpoint: &Checkpoint) -> RangeInclusive<usize> {
    match Recipe::from_text(&checkpoint.training.recipe).map(|recipe| recipe.task) {
        Ok(TaskRecipe::Sequence(recipe)) => recipe.data.sudoku.clues(),
        _ => CLUES,
    }
}

fn print(score: &Score) {
    let percent = |name| 100.0 * score.number(name).unwrap_or(f64::NAN);
    say::result(format_args!(
        "{:<18} {:>6} {:>9.1} {:>13.1} {:>9.1} {:>13.1} {:>9.2}",
        score.kind,
        score.n,
        percent("board_accuracy"),
        percent("cell_accuracy"),
        percent("halting_board_accuracy"),
        percent("halting_cell_accuracy"),
        score.number("segments_mean").unwrap_or(f64::NAN),
    ));
}
