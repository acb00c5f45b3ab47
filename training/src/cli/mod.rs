//! The command line: arguments in, exit code out.
//!
//! Each command is a module with its `Args` and an `execute`. Progress and errors go to stderr,
//! an error in one line; results go to stdout.

mod boards;
mod data;
mod eval;
mod maps;
mod place;
mod preview;
mod progress;
mod resume;
mod run;
mod say;
mod signals;
mod sudoku;
mod train;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use hrm_planner::threads;
use hrm_training::Error;
use std::process::ExitCode;

/// Exit code of an error in what was passed in; clap's own for a wrong command line.
const BAD_INPUT: u8 = 2;
/// Exit code of anything else that failed.
const FAILURE: u8 = 1;
/// Exit code after Ctrl-C or SIGTERM, as shells count it: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Parser)]
#[command(
    name = "hrm-train",
    version,
    about = "Trains the models of hrm_planner from nothing",
    after_help = "Exit codes: 0 done, 1 failed, 2 bad input or usage, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Threads to use; 0: one per core. Numbers do not depend on it
    #[arg(long, global = true, value_name = "N", default_value_t = 0, value_parser = thread_count())]
    threads: usize,
}

fn thread_count() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(..=threads::MAX_THREADS as u64)
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Resume(resume::Args),
    Preview(preview::Args),
    Data(data::Args),
    Eval(eval::Args),
    Sudoku(sudoku::Args),
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Interrupted,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let outcome = execute(&Cli::parse());
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            let line = error.to_string().replace('\n', " ");
            say::note(format_args!("error: {line}"));
            let bad_input = error.downcast_ref().is_some_and(Error::is_bad_input);
            ExitCode::from(if bad_input { BAD_INPUT } else { FAILURE })
        }
    }
}

fn execute(cli: &Cli) -> anyhow::Result<Outcome> {
    // First of all: it may begin the program anew.
    threads::settle(cli.threads).map_err(Error::from)?;
    match &cli.command {
        Command::Run(args) => run::execute(args),
        Command::Resume(args) => resume::execute(args),
        Command::Preview(args) => preview::execute(args),
        Command::Data(args) => data::execute(args),
        Command::Eval(args) => eval::execute(args),
        Command::Sudoku(args) => sudoku::execute(args),
    }
}
