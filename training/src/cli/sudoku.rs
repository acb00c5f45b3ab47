//! `hrm-train sudoku`: Sudoku puzzles, their solutions and how hard they are.

use super::Outcome;
use hrm_training::Error;
use hrm_training::sudoku::{Wanted, generate};
use rayon::prelude::*;
use std::io::{ErrorKind, Write};
use std::ops::RangeInclusive;

/// Print Sudoku puzzles with exactly one solution as CSV
///
/// The columns are those of the published data set sapientinc/sudoku-extreme: source, question,
/// answer, rating. The source is the puzzle's seed and number, the rating the backtracks of a
/// complete search, 0 where no guess is needed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Puzzles
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Clues of a puzzle, within 17 to 80; fewer than 21 are hardly ever found
    #[arg(long, value_name = "MIN..MAX", default_value = "24..32", value_parser = clues)]
    clues: RangeInclusive<usize>,
    /// The fewest backtracks of a puzzle
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_backtracks: u64,
    /// The seed of the puzzles
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// A range with both ends, or one number.
pub fn clues(text: &str) -> Result<RangeInclusive<usize>, String> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| {
        let wrong = |_| format!("{text:?} is no number of clues; write MIN..MAX, such as 24..32");
        text.parse().map_err(wrong)
    };
    Ok(number(min)?..=number(max)?)
}

/// Puzzles that are made together, in parallel, and then printed.
const CHUNK: u64 = 64;

/// Prints the puzzles as they are made.
pub fn execute(args: &Args) -> anyhow::Result<Outcome> {
    let wanted = Wanted {
        clues: args.clues.clone(),
        min_backtracks: args.min_backtracks,
    };
    let mut text = "source,question,answer,rating\n".to_owned();
    for first in (0..args.count).step_by(CHUNK as usize) {
        let last = args.count.min(first.saturating_add(CHUNK));
        let rows: Vec<String> = (first..last)
            .into_par_iter()
            .map(|number| row(&wanted, args.seed, number))
            .collect::<Result<_, _>>()?;
        text.extend(rows);
        if !print(&text)? {
            break;
        }
        text.clear();
    }
    Ok(Outcome::Done)
}

fn row(wanted: &Wanted, seed: u64, number: u64) -> Result<String, Error> {
    let puzzle = generate(wanted, seed, number)?;
    let (board, solution, backtracks) = (puzzle.board, puzzle.solution, puzzle.backtracks);
    Ok(format!("{seed}/{number},{board},{solution},{backtracks}\n"))
}

/// Prints to stdout; false if nobody reads there any more, such as `head` with enough lines.
fn print(text: &str) -> Result<bool, Error> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(Error::Io {
            path: "standard output".into(),
            source,
        }),
    }
}
