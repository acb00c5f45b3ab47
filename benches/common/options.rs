//! The options of a benchmark, and the number of threads.

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;

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
    /// The options of this process, which starts anew if it has another number of threads.
    pub fn read() -> Result<Self> {
        let options = Self::parse();
        hrm_planner::threads::settle(options.threads)?;
        Ok(options)
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
