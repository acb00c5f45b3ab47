//! What training measures along the way: means over a few steps, one row each in `metrics.csv`.

use crate::Result;
use crate::numbers::{Columns, Number, number};
use crate::table::{Row, Table};
use crate::trainer::StepReport;
use std::path::Path;

/// A row ends at each multiple of this many steps, and at each checkpoint.
const STEPS_PER_ROW: u64 = 25;

/// Means over the steps up to `step`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricsRow {
    pub step: u64,
    /// How many steps the row is the mean of.
    pub steps: u64,
    /// Of training, up to here.
    pub seconds: f64,
    /// The means, by the names of a step's numbers.
    pub numbers: Vec<Number>,
}

impl MetricsRow {
    /// The mean of this name; NaN, which no curve draws, where there was nothing to measure.
    pub(crate) fn mean(&self, name: &str) -> f64 {
        number(&self.numbers, name).unwrap_or(f64::NAN)
    }
}

impl Row for MetricsRow {
    const HEADINGS: &'static [&'static str] = &["step", "steps", "seconds"];

    type Fields = (u64, u64, f64, Vec<Option<f64>>);

    fn step(&self) -> u64 {
        self.step
    }

    fn fields(&self) -> Self::Fields {
        let numbers = self.numbers.iter().map(|&(_, number)| number).collect();
        (self.step, self.steps, self.seconds, numbers)
    }

    fn of((step, steps, seconds, numbers): Self::Fields, names: &[&'static str]) -> Self {
        Self {
            step,
            steps,
            seconds,
            numbers: names.iter().copied().zip(numbers).collect(),
        }
    }
}

/// The row under way.
#[derive(Debug, Default)]
struct Sums {
    step: u64,
    steps: u64,
    seconds: f64,
    /// By name: the sum, and over how many steps.
    numbers: Vec<(&'static str, f64, u64)>,
}

impl Sums {
    fn add(&mut self, report: &StepReport, seconds: f64) {
        (self.step, self.seconds) = (report.step, seconds);
        self.steps += 1;
        if self.numbers.is_empty() {
            let names = report.numbers.iter().map(|&(name, _)| name);
            self.numbers = names.map(|name| (name, 0.0, 0)).collect();
        }
        for ((_, sum, count), &(_, number)) in self.numbers.iter_mut().zip(&report.numbers) {
            if let Some(number) = number {
                *sum += number;
                *count += 1;
            }
        }
    }

    fn means(self) -> MetricsRow {
        let mean = |sum: f64, count: u64| (count > 0).then(|| sum / count as f64);
        let sums = self.numbers.into_iter();
        MetricsRow {
            step: self.step,
            steps: self.steps,
            seconds: self.seconds,
            numbers: sums
                .map(|(name, sum, count)| (name, mean(sum, count)))
                .collect(),
        }
    }
}

/// The table of metrics and the row under way.
#[derive(Debug)]
pub(crate) struct Metrics {
    table: Table<MetricsRow>,
    sums: Sums,
}

impl Metrics {
    pub(crate) fn open(path: &Path, columns: &Columns, step: u64) -> Result<Self> {
        Ok(Self {
            table: Table::open(path, columns.of_steps(), step)?,
            sums: Sums::default(),
        })
    }

    /// Adds a step, `seconds` of training into the run; the row that ends with it, if one does.
    pub(crate) fn add(&mut self, report: &StepReport, seconds: f64) -> Result<Option<&MetricsRow>> {
        self.sums.add(report, seconds);
        if report.step.is_multiple_of(STEPS_PER_ROW) {
            self.end_row()
        } else {
            Ok(None)
        }
    }

    /// Writes the row under way, so that no step of it is lost, and gives it.
    pub(crate) fn end_row(&mut self) -> Result<Option<&MetricsRow>> {
        if self.sums.steps == 0 {
            return Ok(None);
        }
        let row = std::mem::take(&mut self.sums).means();
        self.table.push(vec![row])?;
        Ok(self.table.rows().last())
    }

    pub(crate) fn rows(&self) -> &[MetricsRow] {
        self.table.rows()
    }
}
