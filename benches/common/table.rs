//! The rows of a benchmark, printed as they come and written as JSON at the end.

use super::Options;
use super::case::Row;
use anyhow::{Context, Result};
use serde_json::json;

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
        print_line(&COLUMNS.map(|(name, _)| name.to_owned()), "ways of PyTorch");
        Self {
            threads: options.threads,
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
        let report = json!({ "threads": self.threads, "rows": self.rows });
        std::fs::write(path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
