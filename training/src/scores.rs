//! How good the model is on maps it was not trained on, measured while it is trained.
//!
//! The measuring is an [`Evaluator`]'s work; here its scores become rows of `scores.csv` and part
//! of the model's training record.

use crate::Result;
use crate::table::{Row, Table};
use hrm_planner::model::GridHrm;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Judges a model. Called with the averaged weights every `evaluate_every` steps and at the end.
///
/// Its verdict must not depend on earlier calls, so that a resumed run gets the same scores. Any
/// closure `FnMut(&GridHrm, u64) -> Result<Vec<Score>>` is one.
pub trait Evaluator {
    /// The scores of a model after `step` steps, one per set and kind.
    ///
    /// # Errors
    /// Whatever keeps the evaluator from judging; it ends the run.
    fn evaluate(&mut self, model: &GridHrm, step: u64) -> Result<Vec<Score>>;
}

impl<F: FnMut(&GridHrm, u64) -> Result<Vec<Score>>> Evaluator for F {
    fn evaluate(&mut self, model: &GridHrm, step: u64) -> Result<Vec<Score>> {
        self(model, step)
    }
}

/// What a model does on maps of one kind, before repair and fallback. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The optimiser step after which it was judged.
    pub step: u64,
    /// The set of maps.
    pub set: String,
    /// The kind of map, or `all`.
    pub kind: String,
    /// Problems judged.
    pub n: usize,
    /// Share of plans that arrive.
    pub reached: f64,
    /// Share of plans that pass the verifier.
    pub valid: f64,
    /// Share of plans of the oracle's travel cost.
    pub optimal: f64,
    /// Mean travel cost of valid plans over the oracle's; `None` without a valid plan.
    pub cost_ratio_mean: Option<f64>,
    /// Mean segments of thinking.
    pub segments_mean: f64,
}

impl Row for Score {
    fn step(&self) -> u64 {
        self.step
    }
}

/// The table of scores.
#[derive(Debug)]
pub(crate) struct Scores {
    table: Table<Score>,
}

impl Scores {
    pub(crate) fn open(path: &Path, step: u64) -> Result<Self> {
        Ok(Self {
            table: Table::open(path, step)?,
        })
    }

    pub(crate) fn add(&mut self, scores: Vec<Score>) -> Result<()> {
        self.table.push(scores)
    }

    /// The rows of the last evaluation, for a training record; null if there was none.
    pub(crate) fn latest(&self) -> serde_json::Value {
        let rows = self.table.rows();
        let Some(last) = rows.last().map(Row::step) else {
            return serde_json::Value::Null;
        };
        let first = rows.partition_point(|row| row.step < last);
        serde_json::to_value(&rows[first..]).unwrap_or_default()
    }

    /// (step, reached, optimal) of every evaluation, mean over its problems.
    pub(crate) fn over_steps(&self) -> Vec<(u64, f64, f64)> {
        let evaluations = self.table.rows().chunk_by(|a, b| a.step == b.step);
        evaluations
            .map(|rows| {
                let mean = |share: fn(&Score) -> f64| {
                    let n: usize = rows.iter().map(|row| row.n).sum();
                    let sum: f64 = rows.iter().map(|row| share(row) * row.n as f64).sum();
                    sum / n.max(1) as f64
                };
                (
                    rows[0].step,
                    mean(|row| row.reached),
                    mean(|row| row.optimal),
                )
            })
            .collect()
    }
}
