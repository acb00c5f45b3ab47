//! The rows of a benchmark, printed as they come and written as JSON at the end.

use super::Options;
use super::case::Row;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Duration;

/// Names and widths of the columns but the last.
const COLUMNS: [(&str, usize); 9] = [
    ("case", 26),
    ("ours ms", 10),
    ("GFLOP/s", 8),
    ("eager ms", 10),
    ("ratio", 6),
    ("differs", 8),
    ("compile ms", 11),
    ("ratio", 6),
    ("differs", 8),
];

/// The first column stands to the left, numbers to the right.
fn print_line(cells: &[String], last: &str) {
    for (place, (cell, (_, width))) in cells.iter().zip(COLUMNS).enumerate() {
        if place == 0 {
            print!("{cell:<width$}");
        } else {
            print!(" {cell:>width$}");
        }
    }
    println!("  {last}");
}

/// The share of all cores that others may use before measurements are in doubt.
const BUSY: f64 = 0.1;

/// All rows of a benchmark.
pub struct Report {
    threads: usize,
    /// The share of all cores that was at work just before the benchmark.
    busy: Option<f64>,
    rows: Vec<Row>,
}

impl Report {
    /// Prints the table's head. A ratio is PyTorch's time over ours.
    pub fn begin(title: &str, options: &Options) -> Self {
        println!(
            "\n{title}; {} threads, medians of {} rounds",
            options.threads, options.rounds
        );
        let busy = busy_share();
        if let Some(share) = busy.filter(|&share| share > BUSY) {
            println!(
                "Other programs keep {:.0} % of the cores busy. PyTorch's threads wait for each \
                 other by spinning: ratios of more than one thread mean nothing now.",
                share * 100.0
            );
        }
        print_line(&COLUMNS.map(|(name, _)| name.to_owned()), "ways of PyTorch");
        Self {
            threads: options.threads,
            busy,
            rows: Vec::new(),
        }
    }

    /// Prints a row.
    pub fn add(&mut self, row: Row) {
        let milliseconds = |seconds: f64| format!("{:.2}", seconds * 1e3);
        let modes = ["eager", "compile"].map(|mode| row.torch.get(mode));
        let [eager, compile] = modes.map(|contestant| match contestant {
            Some(c) => [
                milliseconds(c.seconds),
                format!("{:.2}", c.ratio),
                format!("{:.1e}", c.difference),
            ],
            None => std::array::from_fn(|_| "-".to_owned()),
        });
        let ours = [
            row.case.clone(),
            milliseconds(row.ours),
            format!("{:.1}", row.gflop / row.ours),
        ];
        let ways: Vec<&str> = modes.iter().flatten().map(|c| &*c.way).collect();
        print_line(&[&ours[..], &eager, &compile].concat(), &ways.join("; "));
        self.rows.push(row);
    }

    /// Writes the rows, if a file was asked for.
    pub fn end(self, options: &Options) -> Result<()> {
        let Some(path) = &options.json else {
            return Ok(());
        };
        let report = json!({ "threads": self.threads, "busy": self.busy, "rows": self.rows });
        std::fs::write(path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The share of all cores that others keep at work, over half a second of rest; `None` where the
/// system does not say.
fn busy_share() -> Option<f64> {
    // PyTorch's worker has just been started, and is none of the others.
    std::thread::sleep(Duration::from_secs(5));
    let before = core_time()?;
    std::thread::sleep(Duration::from_millis(500));
    let after = core_time()?;
    let (all, idle) = (after.0 - before.0, after.1 - before.1);
    (all > 0.0).then(|| 1.0 - idle / all)
}

/// Time of all cores since the machine started, and what of it was idle, in ticks
/// (`proc_stat(5)`: user, nice, system, idle, iowait, ...).
fn core_time() -> Option<(f64, f64)> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let numbers = text.lines().next()?.split_whitespace().skip(1);
    let ticks: Vec<f64> = numbers.map_while(|number| number.parse().ok()).collect();
    let idle = ticks.get(3..5)?.iter().sum();
    Some((ticks.iter().sum(), idle))
}
