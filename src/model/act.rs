//! Adaptive computation time at inference: each problem thinks as long as it needs.
//!
//! Problems go in as one batch; an answer and a number of segments come out per problem. A
//! problem that halts leaves the batch, so that the segments after it cost less. Deadlines and
//! verification are the planner's; the rule of training is in [`Halting`](super::Halting).

use super::{Carry, Reasoner};
use crate::{Error, Result};

/// How long to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// No problem thinks longer than this many segments; at least 1. The published models were
    /// trained with 16 (`halt_max_steps`).
    pub max_segments: usize,
    /// Whether a problem may halt earlier, by the model's own rule. Switched off, all problems
    /// run to `max_segments`, as the published code always does in evaluation.
    pub halting: bool,
}

/// What came of one problem.
#[derive(Debug, Clone)]
pub struct Answer<R> {
    /// The read-out of this problem alone, a batch of one, after its last segment.
    pub readout: R,
    /// How many segments it thought.
    pub segments: usize,
}

/// The answers to a batch of problems, in their order.
///
/// # Errors
/// [`Error::ModelConfig`] for a bound of no segments; whatever the model returns.
pub fn think<M: Reasoner>(
    model: &M,
    problems: &M::Problems,
    act: &Act,
) -> Result<Vec<Answer<M::Readout>>> {
    if act.max_segments == 0 {
        return Err(Error::ModelConfig {
            key: "max_segments",
            value: 0,
            must: "at least 1",
        });
    }
    let mut encoded = model.encode(problems)?;
    let mut carry = model.initial_carry(&encoded)?;
    // Which problem each place of the batch holds, and the answers with their problems.
    let mut places: Vec<usize> = (0..model.count(&encoded)).collect();
    let mut answers = Vec::with_capacity(places.len());
    for segments in 1..=act.max_segments {
        if places.is_empty() {
            break;
        }
        carry = model.segment(&carry, &encoded)?.detached();
        let halts = if segments == act.max_segments {
            vec![true; places.len()]
        } else if act.halting {
            model.wants_to_halt(&model.read_out(&carry, &encoded)?, &encoded)?
        } else {
            vec![false; places.len()]
        };
        let mut staying = Vec::new();
        for (place, (&problem, halts)) in places.iter().zip(halts).enumerate() {
            if halts {
                let readout = answer(model, &encoded, &carry, place)?;
                answers.push((problem, Answer { readout, segments }));
            } else {
                staying.push(place);
            }
        }
        if staying.len() < places.len() && !staying.is_empty() {
            (encoded, carry) = model.keep(&encoded, &carry, &staying)?;
        }
        places = staying.into_iter().map(|place| places[place]).collect();
    }
    answers.sort_by_key(|&(problem, _)| problem);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// The read-out of one place of the batch. Reading out is a few small products, so that doing it
/// once more is cheaper than an interface to take read-outs apart.
fn answer<M: Reasoner>(
    model: &M,
    encoded: &M::Encoded,
    carry: &Carry,
    place: usize,
) -> Result<M::Readout> {
    let (encoded, alone) = model.keep(encoded, carry, &[place])?;
    model.read_out(&alone, &encoded)
}
