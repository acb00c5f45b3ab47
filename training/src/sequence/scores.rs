//! What a sequence model makes of Sudoku boards that it was not trained on, by number of clues.
//!
//! Every board is thought about for as many segments as the model was trained with. Two answers
//! are judged: the last one, as the published code does in evaluation, and the one at which the
//! model's own halting rule would have stopped.

use super::boards::batch_of;
use crate::Result;
use crate::scores::Score;
use crate::sudoku::{Board, Puzzle, Wanted, generate};
use candle_core::D;
use hrm_planner::model::{Reasoner, SequenceHrm, SequenceReadout};
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// What is measured of each band of clues; accuracies are shares of 0 to 1.
///
/// `board_accuracy`: boards without a wrong cell. `cell_accuracy`: blank cells that are right; the
/// clues, which only have to be copied, do not count. `halting_..`: the same where the model's own
/// rule stops, after `segments_mean` segments.
pub(super) const COLUMNS: [&str; 5] = [
    "board_accuracy",
    "cell_accuracy",
    "halting_board_accuracy",
    "halting_cell_accuracy",
    "segments_mean",
];

/// The first number of the boards for judging; those for training are counted from 0, so that no
/// seed can make the two meet.
const FIRST: u64 = 1 << 63;
/// Bands that a range of clues is parted into.
const BANDS: usize = 4;
/// Boards that think together; more gain no speed.
const BATCH: usize = 32;

/// The boards of a judgement.
#[derive(Debug, Clone)]
pub struct BoardTest {
    /// The numbers of clues, parted into four bands.
    pub clues: RangeInclusive<usize>,
    /// Boards of each band.
    pub per_band: usize,
    /// The seed of the boards.
    pub seed: u64,
}

impl BoardTest {
    /// The bands of clues, from the fewest to the most, as even as they can be; fewer than four
    /// where there are fewer numbers.
    fn bands(&self) -> Vec<RangeInclusive<usize>> {
        let (&min, &max) = (self.clues.start(), self.clues.end());
        let numbers = (max + 1).saturating_sub(min);
        let bands = BANDS.min(numbers);
        let edge = |band: usize| min + band * numbers / bands;
        (0..bands)
            .map(|band| edge(band)..=edge(band + 1) - 1)
            .collect()
    }
}

/// The scores of a model, one per band of clues; `step` is how many it was trained for.
///
/// # Errors
/// A range of clues that no board has, or a model that does not read Sudoku.
pub fn board_scores(model: &SequenceHrm, test: &BoardTest, step: u64) -> Result<Vec<Score>> {
    test.bands()
        .into_iter()
        .enumerate()
        .map(|(band, clues)| {
            let kind = format!("{} to {} clues", clues.start(), clues.end());
            let wanted = Wanted {
                clues,
                min_backtracks: 0,
            };
            let first = FIRST + (band as u64) * (1 << 32);
            let puzzles: Vec<Puzzle> = (first..first + test.per_band as u64)
                .into_par_iter()
                .map(|number| generate(&wanted, test.seed, number))
                .collect::<Result<_>>()?;
            let mut sums = Sums::default();
            for puzzles in puzzles.chunks(BATCH) {
                sums.add(model, puzzles)?;
            }
            Ok(Score {
                step,
                set: "sudoku".to_owned(),
                kind,
                n: test.per_band,
                numbers: COLUMNS.into_iter().zip(sums.means()).collect(),
            })
        })
        .collect()
}

/// What was counted over some boards.
#[derive(Debug, Default)]
struct Sums {
    boards: usize,
    blanks: usize,
    last: Right,
    halting: Right,
    segments: usize,
}

/// Boards and blanks that are right.
#[derive(Debug, Default)]
struct Right {
    boards: usize,
    blanks: usize,
}

impl Sums {
    /// Thinks about boards and counts what is right.
    fn add(&mut self, model: &SequenceHrm, puzzles: &[Puzzle]) -> Result<()> {
        let encoded = model.encode(&batch_of(puzzles).problems)?;
        let mut carry = model.initial_carry(&encoded)?;
        let mut thinking = vec![true; puzzles.len()];
        let last = model.config().halt_max_steps;
        for segment in 1..=last {
            carry = model.segment(&carry, &encoded)?.detached();
            let readout = model.read_out(&carry, &encoded)?;
            let halts = model.wants_to_halt(&readout, &encoded)?;
            let answers = answers(&readout)?;
            for (place, (puzzle, answer)) in puzzles.iter().zip(answers).enumerate() {
                if thinking[place] && (halts[place] || segment == last) {
                    thinking[place] = false;
                    self.segments += segment;
                    self.halting.add(puzzle, &answer);
                }
                if segment == last {
                    self.last.add(puzzle, &answer);
                }
            }
        }
        self.boards += puzzles.len();
        self.blanks += puzzles
            .iter()
            .map(|p| blanks(&p.board).count())
            .sum::<usize>();
        Ok(())
    }

    /// In the order of [`COLUMNS`].
    fn means(&self) -> [Option<f64>; COLUMNS.len()] {
        let share = |of: usize, all: usize| (all > 0).then(|| of as f64 / all as f64);
        [
            share(self.last.boards, self.boards),
            share(self.last.blanks, self.blanks),
            share(self.halting.boards, self.boards),
            share(self.halting.blanks, self.blanks),
            share(self.segments, self.boards),
        ]
    }
}

impl Right {
    fn add(&mut self, puzzle: &Puzzle, answer: &[u32]) {
        let solution = puzzle.solution.tokens();
        let right = |cell: usize| answer.get(cell) == Some(&solution[cell]);
        self.blanks += blanks(&puzzle.board).filter(|&cell| right(cell)).count();
        self.boards += usize::from((0..solution.len()).all(right));
    }
}

/// The cells without a clue.
fn blanks(board: &Board) -> impl Iterator<Item = usize> {
    let cells = board.cells().iter().enumerate();
    cells
        .filter(|&(_, &digit)| digit == 0)
        .map(|(cell, _)| cell)
}

/// The likeliest tokens of each problem.
fn answers(readout: &SequenceReadout) -> Result<Vec<Vec<u32>>> {
    Ok(readout.logits.argmax(D::Minus1)?.to_vec2::<u32>()?)
}
