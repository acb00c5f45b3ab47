//! What training of a sequence model reports, as published: sums over the problems that halt.

use super::IGNORED;
use crate::Result;
use candle_core::D;
use hrm_planner::model::SequenceReadout;
use serde::Serialize;

/// The sums of a segment over its problems that halt with it and have labels; divided by `count`
/// they are means.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct SequenceMetrics {
    /// Problems that halt.
    pub count: usize,
    /// Shares of labelled places that are right.
    pub accuracy: f64,
    /// Problems of which all labelled places are right.
    pub exact_accuracy: usize,
    /// Problems whose `q_halt` says rightly whether they are exact.
    pub q_halt_accuracy: usize,
    /// Segments the problems thought.
    pub steps: usize,
}

/// How right the answer to one problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rightness {
    /// Places with a label.
    pub labelled: usize,
    /// Those whose most likely token is the label.
    pub right: usize,
}

impl Rightness {
    pub fn is_exact(self) -> bool {
        self.right == self.labelled
    }
}

/// How right each problem's answer is; `labels` as for
/// [`sequence_losses`](super::sequence_losses).
pub(super) fn rightness(readout: &SequenceReadout, labels: &[i32]) -> Result<Vec<Rightness>> {
    let likeliest = readout.logits.argmax(D::Minus1)?.to_vec2::<u32>()?;
    let places = labels.len() / likeliest.len().max(1);
    let problems = likeliest.iter().zip(labels.chunks(places.max(1)));
    let rightness = problems.map(|(tokens, labels)| {
        let labelled = || {
            let pairs = tokens.iter().zip(labels);
            pairs.filter(|&(_, &label)| label != IGNORED)
        };
        Rightness {
            labelled: labelled().count(),
            right: labelled()
                .filter(|&(&t, &l)| i64::from(t) == i64::from(l))
                .count(),
        }
    });
    Ok(rightness.collect())
}

impl SequenceMetrics {
    /// The sums over those that halt. All slices have one entry per problem.
    pub(super) fn new(
        rightness: &[Rightness],
        scores: &[(f32, f32)],
        halted: &[bool],
        segments: &[usize],
    ) -> Self {
        let mut sums = Self::default();
        let problems = rightness.iter().zip(scores).zip(halted).zip(segments);
        for (((rightness, &(q_halt, _)), &halted), &segments) in problems {
            if !halted || rightness.labelled == 0 {
                continue;
            }
            let exact = rightness.is_exact();
            sums.count += 1;
            sums.accuracy += rightness.right as f64 / rightness.labelled as f64;
            sums.exact_accuracy += usize::from(exact);
            sums.q_halt_accuracy += usize::from((q_halt >= 0.0) == exact);
            sums.steps += segments;
        }
        sums
    }
}
