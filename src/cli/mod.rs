//! The command line: one file per subcommand, and what they share.
//!
//! Arguments come in, text or JSON goes to standard output, logs and one line per error to
//! standard error, and an exit code says how it went (see [`failure`]). Nothing here plans or
//! judges: that is the library's work.

mod arguments;
mod bench;
mod demo;
mod failure;
#[cfg(feature = "zenoh")]
mod goal;
mod import;
mod info;
mod json;
#[cfg(feature = "zenoh")]
mod live;
mod log;
mod maps;
mod model_text;
mod models;
#[cfg(feature = "zenoh")]
mod network;
mod pairs;
mod pictures;
mod plan;
mod plan_file;
mod plan_text;
mod progress;
#[cfg(feature = "zenoh")]
mod serve;
mod soften;
mod verify;
#[cfg(feature = "zenoh")]
mod watch;

use std::io::Write;
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::{ArgAction, Parser, Subcommand};
use hrm_planner::node::Settings;
use hrm_planner::threads;

use failure::{Failure, Result};

/// A learned global planner for robots: a Hierarchical Reasoning Model plans, a verifier checks, a
/// complete search stands behind it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 done, 2 bad input or usage, 3 no plan (or an invalid one, for \
                  verify), 1 anything unforeseen.\n\nNew here? Try: hrm-planner demo"
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    /// Log more to standard error: -v what happens, -vv details (or set RUST_LOG)
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 100)]
    verbose: u8,
    /// Threads to use, instead of the configured number; 0: one per core
    #[arg(long, global = true, value_name = "N", display_order = 101, value_parser = thread_count())]
    threads: Option<usize>,
}

fn thread_count() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(..=threads::MAX_THREADS as u64)
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::Arguments),
    Demo(demo::Arguments),
    #[cfg(feature = "zenoh")]
    Serve(serve::Arguments),
    #[cfg(feature = "zenoh")]
    Goal(goal::Arguments),
    #[cfg(feature = "zenoh")]
    Watch(watch::Arguments),
    Verify(verify::Arguments),
    Info(info::Arguments),
    Import(import::Arguments),
    Bench(bench::Arguments),
}

impl Command {
    /// The number of threads that its settings ask for; 0 if they leave it open.
    fn threads(&self) -> Result<usize> {
        let file = match self {
            Self::Plan(arguments) => &arguments.settings.config,
            Self::Verify(arguments) => &arguments.settings.config,
            Self::Bench(arguments) => &arguments.config,
            #[cfg(feature = "zenoh")]
            Self::Serve(arguments) => return Ok(arguments.settings()?.planner.threads),
            _ => &None,
        };
        let settings = file.as_ref().map(|file| Settings::read(file)).transpose()?;
        Ok(settings.map_or(0, |settings| settings.planner.threads))
    }

    fn start_log(&self, verbose: u8) {
        match self {
            #[cfg(feature = "zenoh")]
            Self::Serve(_) => log::start_node(verbose),
            _ => log::start(verbose),
        }
    }
}

/// Runs the program and turns what happened into an exit code.
pub fn main() -> ExitCode {
    let outcome = parse().and_then(run);
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    if let Some(message) = failure.message() {
        // Nobody is left to be told if this fails too.
        let _ = writeln!(std::io::stderr(), "{message}");
    }
    failure.exit_code()
}

/// The command line, or nothing left to do after `--help` and `--version`.
fn parse() -> Result<Option<CommandLine>> {
    match CommandLine::try_parse() {
        Ok(command_line) => Ok(Some(command_line)),
        Err(error) if error.use_stderr() => Err(Failure::usage(&error)),
        Err(help) => {
            help.print()?;
            Ok(None)
        }
    }
}

fn run(command_line: Option<CommandLine>) -> Result<()> {
    let Some(CommandLine {
        command,
        verbose,
        threads,
    }) = command_line
    else {
        return Ok(());
    };
    // First of all: it may begin the program anew.
    threads::settle(match threads {
        Some(threads) => threads,
        None => command.threads()?,
    })?;
    command.start_log(verbose);
    let out = &mut std::io::stdout().lock();
    match command {
        Command::Plan(arguments) => plan::run(&arguments, out),
        Command::Demo(arguments) => demo::run(&arguments, out),
        #[cfg(feature = "zenoh")]
        Command::Serve(arguments) => serve::run(&arguments),
        #[cfg(feature = "zenoh")]
        Command::Goal(arguments) => goal::run(&arguments, out),
        #[cfg(feature = "zenoh")]
        Command::Watch(arguments) => watch::run(&arguments, out),
        Command::Verify(arguments) => verify::run(&arguments, out),
        Command::Info(arguments) => info::run(&arguments, out),
        Command::Import(arguments) => import::run(&arguments, out),
        Command::Bench(arguments) => bench::run(&arguments, out),
    }?;
    Ok(out.flush()?)
}
