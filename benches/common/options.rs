//! The options of a benchmark, and the number of threads.

use anyhow::{Result, bail};
use clap::Parser;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// The variable that rayon and candle read.
const THREADS: &str = "RAYON_NUM_THREADS";

#[derive(Debug, Parser)]
pub struct Options {
    /// Run only the cases whose name holds this
    pub filter: Option<String>,
    /// Threads, of ours and of PyTorch
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Turns of each contestant
    #[arg(long, default_value_t = 7)]
    pub rounds: usize,
    /// Leave out torch.compile, which takes minutes to compile
    #[arg(long)]
    pub no_compile: bool,
    /// Write the rows to this file, too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Cargo gives it to every benchmark
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// The options of this process. The process starts anew if it has another number of threads,
    /// which both thread pools take from the environment when they first start.
    pub fn read() -> Result<Self> {
        let options = Self::parse();
        let threads = options.threads.to_string();
        if std::env::var(THREADS).is_ok_and(|set| set == threads) {
            return Ok(options);
        }
        let mut again = Command::new(std::env::current_exe()?);
        let error = again
            .args(std::env::args_os().skip(1))
            .env(THREADS, threads)
            .exec();
        bail!("the benchmark could not start itself with {THREADS} set: {error}")
    }

    /// Whether the case of this name was asked for.
    pub fn want(&self, name: &str) -> bool {
        let filter = self.filter.as_deref();
        filter.is_none_or(|filter| name.contains(filter))
    }

    /// What PyTorch may do.
    pub fn modes(&self) -> &'static [&'static str] {
        if self.no_compile {
            &["eager"]
        } else {
            &["eager", "compile"]
        }
    }
}
