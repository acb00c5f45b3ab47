//! What a recipe says of a sequence task: the published model, the token problems, the rates of
//! puzzle embeddings.

use crate::Result;
use crate::recipe::{check, two};
use crate::sudoku;
use hrm_planner::model::SequenceConfig;
use serde::Deserialize;
use std::ops::RangeInclusive;

/// A published model and the problems it learns from.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceRecipe {
    /// The model's shape.
    pub model: SequenceConfig,
    /// Which problems.
    pub data: SequenceData,
    /// How puzzle embeddings learn, if there are any.
    pub puzzles: Option<PuzzleRates>,
}

/// Sign descent on the table of puzzle embeddings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PuzzleRates {
    /// The highest rate; it rises and falls as the learning rate does.
    pub rate: f64,
    /// Decoupled weight decay of the rows looked up.
    pub weight_decay: f64,
}

/// The problems of training.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceData {
    /// Problems that think together.
    pub batch: usize,
    /// Sudoku boards.
    pub sudoku: SudokuRecipe,
}

/// Generated Sudoku boards; see [`sudoku::generate`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SudokuRecipe {
    /// The fewest and the most clues of a board.
    #[serde(deserialize_with = "two")]
    pub clues: [usize; 2],
    /// The fewest backtracks of a board.
    #[serde(default)]
    pub min_backtracks: u64,
    /// Distinct boards that are trained on; 0 for fresh ones for ever.
    pub boards: u64,
    /// Whether each board is turned into one of its equivalents at random, every time anew.
    pub augment: bool,
}

impl SudokuRecipe {
    /// The boards that are wanted.
    pub fn wanted(&self) -> sudoku::Wanted {
        sudoku::Wanted {
            clues: self.clues(),
            min_backtracks: self.min_backtracks,
        }
    }

    /// The range of clues.
    pub fn clues(&self) -> RangeInclusive<usize> {
        self.clues[0]..=self.clues[1]
    }
}

impl SequenceRecipe {
    /// Checks ranges.
    ///
    /// # Errors
    /// The first value that is out of range, with its key.
    pub fn validate(&self) -> Result<()> {
        self.model.validate()?;
        let boards = &self.data.sudoku;
        check(
            "model.seq_len",
            self.model.seq_len,
            |x| x == sudoku::SEQUENCE,
            "81, the cells of a Sudoku",
        )?;
        check(
            "model.vocab_size",
            self.model.vocab_size,
            |x| x == sudoku::VOCABULARY,
            "11, the tokens of a Sudoku: padding, blank, nine digits",
        )?;
        check(
            "data.batch",
            self.data.batch,
            |x| (1..=1 << 16).contains(&x),
            "from 1 to 65536",
        )?;
        check(
            "data.sudoku.clues",
            boards.clues,
            |[min, max]| 17 <= min && min <= max && max <= 80,
            "[the fewest, the most], both within 17 to 80",
        )?;
        check(
            "data.sudoku.boards",
            boards.boards,
            |x| x <= 1 << 22,
            "from 0 to 4194304",
        )?;
        if let Some(puzzles) = &self.puzzles {
            let is_rate = |x: f64| x >= 0.0 && x.is_finite();
            for (key, value) in [
                ("optimiser.puzzle_rate", puzzles.rate),
                ("optimiser.puzzle_weight_decay", puzzles.weight_decay),
            ] {
                check(key, value, is_rate, "at least 0")?;
            }
        }
        Ok(())
    }
}
