//! What training measures along the way: means over a few steps, one row each in `metrics.csv`.

use crate::Result;
use crate::table::{Row, Table};
use crate::trainer::StepReport;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A row ends at each multiple of this many steps, and at each checkpoint.
const STEPS_PER_ROW: u64 = 25;

/// Means over the steps up to `step`; the fields are those of [`StepReport`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct MetricsRow {
    pub step: u64,
    /// How many steps the row is the mean of.
    pub steps: u64,
    /// Of training, up to here.
    pub seconds: f64,
    pub rate: f64,
    pub moves: f64,
    pub value: f64,
    pub halt: f64,
    pub continuing: f64,
    pub gradient: f64,
    pub arrives: f64,
    pub samples: f64,
    pub cells: f64,
    pub segment: f64,
}

impl Row for MetricsRow {
    fn step(&self) -> u64 {
        self.step
    }
}

impl MetricsRow {
    fn add(&mut self, report: &StepReport, seconds: f64) {
        self.step = report.step;
        self.steps += 1;
        self.seconds = seconds;
        self.rate += report.rate;
        self.moves += report.moves;
        self.value += report.value;
        self.halt += report.halt;
        self.continuing += report.continuing;
        self.gradient += report.gradient;
        self.arrives += report.arrives;
        self.samples += report.samples as f64;
        self.cells += report.cells as f64;
        self.segment += report.segment;
    }

    fn mean(mut self) -> Self {
        let count = self.steps.max(1) as f64;
        for sum in [
            &mut self.rate,
            &mut self.moves,
            &mut self.value,
            &mut self.halt,
            &mut self.continuing,
            &mut self.gradient,
            &mut self.arrives,
            &mut self.samples,
            &mut self.cells,
            &mut self.segment,
        ] {
            *sum /= count;
        }
        self
    }
}

/// The table of metrics and the row under way.
#[derive(Debug)]
pub(crate) struct Metrics {
    table: Table<MetricsRow>,
    sums: MetricsRow,
}

impl Metrics {
    pub(crate) fn open(path: &Path, step: u64) -> Result<Self> {
        Ok(Self {
            table: Table::open(path, step)?,
            sums: MetricsRow::default(),
        })
    }

    /// Adds a step, `seconds` of training into the run.
    pub(crate) fn add(&mut self, report: &StepReport, seconds: f64) -> Result<()> {
        self.sums.add(report, seconds);
        if report.step % STEPS_PER_ROW == 0 {
            self.end_row()?;
        }
        Ok(())
    }

    /// Writes the row under way, so that no step of it is lost.
    pub(crate) fn end_row(&mut self) -> Result<()> {
        if self.sums.steps == 0 {
            return Ok(());
        }
        let row = std::mem::take(&mut self.sums).mean();
        self.table.push(vec![row])
    }

    pub(crate) fn rows(&self) -> &[MetricsRow] {
        self.table.rows()
    }
}
