//! The Sudoku boards of a recipe, as token problems.

use super::recipe::SudokuRecipe;
use super::segment::SequenceBatch;
use crate::Result;
use crate::sudoku::{Board, Puzzle, Symmetry, generate};
use hrm_planner::model::SequenceProblems;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::sync::Arc;

/// Added to the seed of boards for that of their symmetries, so that the two are independent.
const SYMMETRY_SEED: u64 = 0x5157_3d0c;

/// Draws the boards of a recipe.
#[derive(Debug, Clone)]
pub(super) struct Boards {
    recipe: SudokuRecipe,
    seed: u64,
    /// All boards, where there is a number of them.
    given: Arc<Vec<Puzzle>>,
}

impl Boards {
    /// The boards of a recipe and a seed.
    pub fn new(recipe: &SudokuRecipe, seed: u64) -> Result<Self> {
        let wanted = recipe.wanted();
        let given = (0..recipe.boards)
            .into_par_iter()
            .map(|number| generate(&wanted, seed, number))
            .collect::<Result<_>>()?;
        Ok(Self {
            recipe: recipe.clone(),
            seed,
            given: Arc::new(given),
        })
    }

    /// The problems of these numbers, counted over a run, with their answers. The same number
    /// gives the same problem, which is how an interrupted run finds its problems again. All are
    /// of one puzzle, the "blank" one.
    pub fn batch(&self, numbers: &[u64]) -> Result<SequenceBatch> {
        let puzzles: Vec<Puzzle> = numbers
            .par_iter()
            .map(|&number| self.draw(number))
            .collect::<Result<_>>()?;
        Ok(batch_of(&puzzles))
    }

    fn draw(&self, number: u64) -> Result<Puzzle> {
        let mut puzzle = match self.recipe.boards {
            0 => generate(&self.recipe.wanted(), self.seed, number)?,
            boards => self.given[(number % boards) as usize],
        };
        if self.recipe.augment {
            let mut dice = ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(SYMMETRY_SEED));
            dice.set_stream(number);
            let symmetry = Symmetry::draw(&mut dice);
            puzzle.board = symmetry.apply(&puzzle.board);
            puzzle.solution = symmetry.apply(&puzzle.solution);
        }
        Ok(puzzle)
    }
}

/// Puzzles as token problems with their answers.
pub(super) fn batch_of(puzzles: &[Puzzle]) -> SequenceBatch {
    let tokens = |board: fn(&Puzzle) -> &Board| puzzles.iter().flat_map(move |p| board(p).tokens());
    SequenceBatch {
        problems: SequenceProblems {
            tokens: tokens(|puzzle| &puzzle.board).collect(),
            puzzles: vec![0; puzzles.len()],
        },
        labels: tokens(|puzzle| &puzzle.solution)
            .map(|token| token as i32)
            .collect(),
    }
}
