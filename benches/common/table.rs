//! The rows of a benchmark, printed as they come and written as JSON at the end.

use super::Options;
use super::case::Row;
use anyhow::{Context, Result};
use serde_json::json;

/// All rows of a benchmark.
pub struct Report {
    threads: usize,
    rows: Vec<Row>,
}

impl Report {
    /// Prints the table's head. A ratio is PyTorch's time over ours.
    pub fn begin(title: &str, options: &Options) -> Self {
        println!(
            "\n{title}; {} threads, medians of {} rounds",
            options.threads, options.rounds
        );
        println!(
            "{:<26} {:>10} {:>8} | {:>10} {:>6} {:>8} | {:>10} {:>6} {:>8} | way of eager, of compile",
            "case", "ours ms", "GFLOP/s", "eager ms", "ratio", "differs", "compile ms", "ratio", "differs"
        );
        Self {
            threads: options.threads,
            rows: Vec::new(),
        }
    }

    /// Prints a row.
    pub fn add(&mut self, row: Row) {
        let rate = row.gflop / row.ours;
        print!("{:<26} {:>10.2} {rate:>8.1}", row.case, row.ours * 1e3);
        let contestants = ["eager", "compile"].map(|mode| row.torch.get(mode));
        for contestant in contestants {
            match contestant {
                Some(c) => {
                    let milliseconds = c.seconds * 1e3;
                    print!(
                        " | {milliseconds:>10.2} {:>6.2} {:>8.1e}",
                        c.ratio, c.difference
                    );
                }
                None => print!(" | {:>10} {:>6} {:>8}", "-", "-", "-"),
            }
        }
        let ways: Vec<&str> = contestants.iter().flatten().map(|c| &*c.way).collect();
        println!(" | {}", ways.join("; "));
        self.rows.push(row);
    }

    /// Writes the rows, if a file was asked for.
    pub fn end(self, options: &Options) -> Result<()> {
        let Some(path) = &options.json else {
            return Ok(());
        };
        let report = json!({ "threads": self.threads, "rows": self.rows });
        std::fs::write(path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
