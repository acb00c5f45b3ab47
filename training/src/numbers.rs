//! Measured numbers by name, and what the numbers of a task are called.
//!
//! Tasks measure different things. What they share is that every step and every evaluation gives a
//! short list of named numbers, always the same names in the same order: these are the columns of
//! a run's tables, and a [`Columns`] says which of them are worth a look.

/// A number by name; `None` where there was nothing to measure.
pub type Number = (&'static str, Option<f64>);

/// The number of this name.
pub(crate) fn number(numbers: &[Number], name: &str) -> Option<f64> {
    let mut found = numbers.iter().filter(|(of, _)| *of == name);
    found.next().and_then(|&(_, number)| number)
}

/// A column and what people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The column's name.
    pub column: &'static str,
    /// What a line or a curve calls it.
    pub label: &'static str,
}

/// The numbers of a task, in the order of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The losses of a step, with the names of their curves; the first is the task's own, the
    /// others help it.
    pub losses: &'static [Shown],
    /// What the losses are means over.
    pub losses_over: &'static str,
    /// All else that a step measures.
    pub measures: &'static [&'static str],
    /// The measure that tells best how far training is: a share of 0 to 1.
    pub share: Shown,
    /// What an evaluation measures.
    pub scores: &'static [&'static str],
    /// What an evaluation judges on, such as `unseen maps`.
    pub unseen: &'static str,
    /// The two scores that are shown: shares of 0 to 1.
    pub shown_scores: [Shown; 2],
}

impl Columns {
    /// The columns of `metrics.csv` after those that say which steps a row is of.
    pub(crate) fn of_steps(&self) -> Vec<&'static str> {
        let losses = self.losses.iter().map(|loss| loss.column);
        let mut columns = vec!["rate"];
        columns.extend(losses);
        columns.push("gradient");
        columns.extend(self.measures);
        columns
    }
}
