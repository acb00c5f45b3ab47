//! The rows of a judgement as a table for people.

use std::io::{self, Write};

use super::Row;

/// Characters of a kind's name that are shown; of longer names the end, which tells maps apart.
const KIND_WIDTH: usize = 36;

const HEADING: [&str; 23] = [
    "kind",
    "n",
    "reached",
    "valid",
    "optimal",
    "exact",
    "tokens",
    "ratio",
    "p95",
    "evaded",
    "|",
    "final",
    "optimal",
    "ratio",
    "repaired",
    "fallback",
    "mismatches",
    "|",
    "segments",
    "ms p50",
    "p99",
    "oracle",
    "MiB",
];

/// Writes the rows as a table, shares in percent, and a last row over all of them if they are
/// several.
///
/// # Errors
/// What writing to `out` returns.
pub fn write_table(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new(&HEADING);
    for row in rows {
        table.row(cells(row));
    }
    if rows.len() > 1 {
        table.row(cells(&overall(rows)));
    }
    table.write(out)
}

fn cells(row: &Row) -> Vec<String> {
    let percent = |share: Option<f64>| number(share.map(|share| 100.0 * share), 1);
    let mismatches = row.oracle_mismatches.map(|count| count as f64);
    vec![
        shortened(&row.kind),
        row.n.to_string(),
        percent(row.reached),
        percent(row.valid),
        percent(row.optimal),
        percent(row.exact),
        percent(row.token_accuracy),
        number(row.cost_ratio_mean, 3),
        number(row.cost_ratio_p95, 3),
        percent(row.evaded),
        "|".to_owned(),
        percent(row.final_reached),
        percent(row.final_optimal),
        number(row.final_cost_ratio_mean, 3),
        percent(row.repaired),
        percent(row.fallback),
        number(mismatches, 0),
        "|".to_owned(),
        number(row.segments_mean, 1),
        number(row.ms_p50, 1),
        number(row.ms_p99, 1),
        number(row.oracle_ms_p50, 2),
        number(row.peak_mb, 0),
    ]
}

/// A number, or a dash for none.
fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// The end of a long name.
fn shortened(kind: &str) -> String {
    let surplus = kind.chars().count().saturating_sub(KIND_WIDTH);
    if surplus == 0 {
        return kind.to_owned();
    }
    let end: String = kind.chars().skip(surplus + 3).collect();
    format!("...{end}")
}

/// All rows as one: shares weighted by the number of problems, cost ratios by the number of plans
/// that they are means of. Percentiles of several rows do not follow from theirs.
fn overall(rows: &[Row]) -> Row {
    type Column = fn(&Row) -> Option<f64>;
    let weighted = |value: Column, share: Column| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for row in rows {
            if let (Some(value), Some(share)) = (value(row), share(row)) {
                sum += value * share * row.n as f64;
                weights += share * row.n as f64;
            }
        }
        (weights > 0.0).then(|| sum / weights)
    };
    let mean = |value: Column| weighted(value, |_| Some(1.0));
    Row {
        set: String::new(),
        kind: "all".to_owned(),
        n: rows.iter().map(|row| row.n).sum(),
        reached: mean(|row| row.reached),
        valid: mean(|row| row.valid),
        optimal: mean(|row| row.optimal),
        exact: mean(|row| row.exact),
        token_accuracy: mean(|row| row.token_accuracy),
        cost_ratio_mean: weighted(|row| row.cost_ratio_mean, |row| row.valid),
        cost_ratio_p95: None,
        evaded: mean(|row| row.evaded),
        final_reached: mean(|row| row.final_reached),
        final_optimal: mean(|row| row.final_optimal),
        final_cost_ratio_mean: weighted(|row| row.final_cost_ratio_mean, |row| row.final_reached),
        repaired: mean(|row| row.repaired),
        fallback: mean(|row| row.fallback),
        segments_mean: mean(|row| row.segments_mean),
        oracle_mismatches: rows.iter().map(|row| row.oracle_mismatches).sum(),
        ms_p50: None,
        ms_p99: None,
        oracle_ms_p50: None,
        peak_mb: rows.iter().filter_map(|row| row.peak_mb).reduce(f64::max),
    }
}

/// A table: a heading and rows of equally many cells. The first column is words, the others
/// are numbers.
#[derive(Debug)]
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    fn new(heading: &[&str]) -> Self {
        Self {
            rows: vec![heading.iter().map(|&cell| cell.to_owned()).collect()],
        }
    }

    /// Adds a row.
    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Writes the table, its heading underlined.
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let line: Vec<String> = cells
                .map(|(column, (cell, &width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            writeln!(out, "{}", line.join("  ").trim_end())?;
            if number == 0 {
                let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
                writeln!(out, "{}", rules.join("  "))?;
            }
        }
        Ok(())
    }
}
