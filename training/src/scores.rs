//! How good the model is on problems it was not trained on, measured while it is trained.
//!
//! The measuring is an [`Evaluator`]'s work; here its scores become rows of `scores.csv` and part
//! of the model's training record.

use crate::Result;
use crate::numbers::{Columns, Number, number};
use crate::table::{Row, Table};
use hrm_planner::model::Checkpoint;
use std::path::Path;

/// Judges a model. Called with the model as it would be shipped, with averaged weights, every
/// `evaluate_every` steps and at the end.
///
/// Its verdict must not depend on earlier calls, so that a resumed run gets the same scores. Any
/// closure `FnMut(&Checkpoint, u64) -> Result<Vec<Score>>` is one.
pub trait Evaluator {
    /// The scores of a model after `step` steps, one per set and kind.
    ///
    /// # Errors
    /// Whatever keeps the evaluator from judging; it ends the run.
    fn evaluate(&mut self, model: &Checkpoint, step: u64) -> Result<Vec<Score>>;
}

impl<F: FnMut(&Checkpoint, u64) -> Result<Vec<Score>>> Evaluator for F {
    fn evaluate(&mut self, model: &Checkpoint, step: u64) -> Result<Vec<Score>> {
        self(model, step)
    }
}

/// What a model does on problems of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The optimiser step after which it was judged.
    pub step: u64,
    /// The set of problems.
    pub set: String,
    /// The kind of problem within the set.
    pub kind: String,
    /// Problems judged.
    pub n: usize,
    /// What was measured, by the names of [`Columns::scores`] and in their order.
    pub numbers: Vec<Number>,
}

impl Score {
    /// The number of this name; `None` if there was nothing to measure.
    pub fn number(&self, name: &str) -> Option<f64> {
        number(&self.numbers, name)
    }
}

impl Row for Score {
    const HEADINGS: &'static [&'static str] = &["step", "set", "kind", "n"];

    type Fields = (u64, String, String, usize, Vec<Option<f64>>);

    fn step(&self) -> u64 {
        self.step
    }

    fn fields(&self) -> Self::Fields {
        let numbers = self.numbers.iter().map(|&(_, number)| number).collect();
        let (set, kind) = (self.set.clone(), self.kind.clone());
        (self.step, set, kind, self.n, numbers)
    }

    fn of((step, set, kind, n, numbers): Self::Fields, names: &[&'static str]) -> Self {
        Self {
            step,
            set,
            kind,
            n,
            numbers: names.iter().copied().zip(numbers).collect(),
        }
    }
}

/// The mean of a score of this name over all problems of an evaluation; 0 for none.
pub fn mean_score(scores: &[Score], name: &str) -> f64 {
    let n: usize = scores.iter().map(|score| score.n).sum();
    let sum: f64 = scores
        .iter()
        .filter_map(|score| Some(score.number(name)? * score.n as f64))
        .sum();
    sum / n.max(1) as f64
}

/// Scores as a JSON list of records, each with the fields of its row by name.
pub fn scores_json(scores: &[Score]) -> serde_json::Value {
    let record = |score: &Score| {
        let mut record = serde_json::Map::new();
        record.insert("step".to_owned(), score.step.into());
        record.insert("set".to_owned(), score.set.clone().into());
        record.insert("kind".to_owned(), score.kind.clone().into());
        record.insert("n".to_owned(), score.n.into());
        for &(name, number) in &score.numbers {
            record.insert(name.to_owned(), number.into());
        }
        serde_json::Value::from(record)
    };
    scores.iter().map(record).collect()
}

/// The table of scores.
#[derive(Debug)]
pub(crate) struct Scores {
    table: Table<Score>,
}

impl Scores {
    pub(crate) fn open(path: &Path, columns: &Columns, step: u64) -> Result<Self> {
        Ok(Self {
            table: Table::open(path, columns.scores.to_vec(), step)?,
        })
    }

    pub(crate) fn add(&mut self, scores: Vec<Score>) -> Result<()> {
        self.table.push(scores)
    }

    /// The rows of the last evaluation, for a training record; null if there was none.
    pub(crate) fn latest(&self) -> serde_json::Value {
        self.evaluations()
            .last()
            .map_or(serde_json::Value::Null, scores_json)
    }

    /// The rows of each evaluation.
    pub(crate) fn evaluations(&self) -> impl Iterator<Item = &[Score]> {
        self.table.rows().chunk_by(|a, b| a.step == b.step)
    }
}
