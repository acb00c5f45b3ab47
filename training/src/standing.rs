//! Which of a run's models is the best so far, and when looking for a better one is given up.
//!
//! Better is a higher mean of the first shown score (of maps: `reached`) over all problems of an
//! evaluation; where that is the same, of the second (`optimal`). Of equals the earlier one stays.
//! All of it follows from the table of scores, so that a resumed run goes on as it would have.

use crate::numbers::Columns;
use crate::scores::{Score, mean_score};
use std::cmp::Ordering;

/// Where the search for the best model stands after some evaluations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The step after which the best model so far was judged.
    pub step: u64,
    /// Its two shown scores, means over all problems, 0 to 1.
    pub means: [f64; 2],
    /// Evaluations since then, none of them better.
    pub since: usize,
}

impl Standing {
    /// After the evaluations of a table.
    pub(crate) fn after<'a>(
        columns: &Columns,
        evaluations: impl Iterator<Item = &'a [Score]>,
    ) -> Option<Self> {
        evaluations.fold(None, |standing, scores| {
            Self::with(standing, columns, scores)
        })
    }

    /// After one more evaluation.
    pub(crate) fn with(before: Option<Self>, columns: &Columns, scores: &[Score]) -> Option<Self> {
        let Some(step) = scores.first().map(|score| score.step) else {
            return before;
        };
        let means = columns
            .shown_scores
            .map(|shown| mean_score(scores, shown.column));
        match before {
            Some(best) if order(means, best.means) != Ordering::Greater => Some(Self {
                since: best.since + 1,
                ..best
            }),
            _ => Some(Self {
                step,
                means,
                since: 0,
            }),
        }
    }
}

fn order(one: [f64; 2], other: [f64; 2]) -> Ordering {
    let [first, second] = [0, 1].map(|score| one[score].total_cmp(&other[score]));
    first.then(second)
}
