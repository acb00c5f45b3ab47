//! Puzzles with exactly one solution, from a seed.
//!
//! A random full board loses clues in random order as long as it keeps one solution, until few
//! enough are left. Boards that end with too many clues or are too easy are dropped, and the next
//! one is tried.

use super::solver::{Solutions, random_solution, solve};
use super::{Board, CELLS, Symmetry};
use crate::{Error, Result};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::RangeInclusive;

/// The clues that a puzzle can have: with 16 there is always more than one solution
/// (arXiv 1201.0749), with 81 nothing is left to solve.
const CLUES: RangeInclusive<usize> = 17..=CELLS - 1;

/// Boards tried for one puzzle. Measured: about one in 30 can be brought down to 22 clues, one in
/// 600 to 21; ten thousand take some 15 seconds on one core.
const ATTEMPTS: u32 = 10_000;

/// What puzzles are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The number of clues, each number of the range as often, as far as boards get there and are
    /// hard enough: most cannot lose a further clue at 23 to 26.
    pub clues: RangeInclusive<usize>,
    /// The fewest backtracks of [`solve`]; 0 for any difficulty.
    pub min_backtracks: u64,
}

/// A puzzle with exactly one solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puzzle {
    /// The clues.
    pub board: Board,
    /// Its solution.
    pub solution: Board,
    /// How hard it is: backtracks of [`solve`].
    pub backtracks: u64,
}

/// Puzzle `number` of the endless list that `seed` stands for; the same one on every machine.
///
/// # Errors
/// [`Error::SudokuClues`] for a range of clues that is empty or leaves 17 to 80;
/// [`Error::SudokuRare`] if none of ten thousand boards is as wanted.
pub fn generate(wanted: &Wanted, seed: u64, number: u64) -> Result<Puzzle> {
    let (&min, &max) = (wanted.clues.start(), wanted.clues.end());
    if min > max || !CLUES.contains(&min) || !CLUES.contains(&max) {
        return Err(Error::SudokuClues { min, max });
    }
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(number);
    for _ in 0..ATTEMPTS {
        let clues = dice.random_range(wanted.clues.clone());
        // The search favours some full boards; a symmetry gives their equivalents the same chance.
        let solution = Symmetry::draw(&mut dice).apply(&random_solution(&mut dice));
        let board = thin_out(&solution, clues, &mut dice);
        if board.clues() > max {
            continue;
        }
        let backtracks = solve(&board).backtracks;
        if backtracks >= wanted.min_backtracks {
            return Ok(Puzzle {
                board,
                solution,
                backtracks,
            });
        }
    }
    Err(Error::SudokuRare {
        max_clues: max,
        min_backtracks: wanted.min_backtracks,
        attempts: ATTEMPTS,
    })
}

/// A full board with digits taken away while its solution stays the only one, down to `clues` or
/// to where each further one would allow another solution.
fn thin_out(solution: &Board, clues: usize, dice: &mut ChaCha8Rng) -> Board {
    let mut order: [usize; CELLS] = std::array::from_fn(|cell| cell);
    order.shuffle(dice);
    let mut board = *solution;
    let mut left = CELLS;
    for cell in order {
        if left == clues {
            break;
        }
        let thinner = board.without(cell);
        if matches!(solve(&thinner).solutions, Solutions::One(_)) {
            board = thinner;
            left -= 1;
        }
    }
    board
}
