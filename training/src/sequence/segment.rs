//! One segment of training (deep supervision): a batch whose problems come and go.
//!
//! Every place of the batch holds one problem at its own segment. A problem that halts gives its
//! place to a fresh one, which begins from the model's first states; only the carry is handed on,
//! outside the graph.

use super::loss::{SequenceLosses, sequence_losses};
use super::metrics::{SequenceMetrics, rightness};
use crate::{Error, Result};
use candle_core::{Tensor, Var};
use hrm_planner::model::{Carry, Reasoner, SequenceHrm, SequenceProblems};
use rand::Rng;

/// Problems and what their answers should be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SequenceBatch {
    /// B problems of S tokens.
    pub problems: SequenceProblems,
    /// B x S tokens, problem by problem, or [`IGNORED`](super::IGNORED).
    pub labels: Vec<i32>,
}

impl SequenceBatch {
    /// Gives the places that `halted` marks to the problems of `fresh` there.
    fn refill(&mut self, fresh: &Self, halted: &[bool], seq_len: usize) {
        for place in (0..halted.len()).filter(|&place| halted[place]) {
            let range = place * seq_len..(place + 1) * seq_len;
            let (old, new) = (&mut self.problems, &fresh.problems);
            old.puzzles[place] = new.puzzles[place];
            old.tokens[range.clone()].copy_from_slice(&new.tokens[range.clone()]);
            self.labels[range.clone()].copy_from_slice(&fresh.labels[range]);
        }
    }
}

/// Where every problem of a batch stands.
#[derive(Debug, Clone)]
pub struct SequenceState {
    /// The problems being thought about.
    pub batch: SequenceBatch,
    /// Their states, (B, T, D) each.
    pub carry: Carry,
    /// Segments each has thought.
    pub segments: Vec<usize>,
    /// Which have halted: the next segment replaces them.
    pub halted: Vec<bool>,
}

/// What a segment gives.
#[derive(Debug)]
pub struct SequenceStep {
    /// Where the problems stand now.
    pub state: SequenceState,
    /// In the graph of the model's weights and of `puzzle_rows`.
    pub losses: SequenceLosses,
    /// Sums over the problems that halted.
    pub metrics: SequenceMetrics,
    /// The puzzle embeddings looked up, (B, `puzzle_emb_ndim`), row by row those of
    /// `state.batch.problems.puzzles`. Their gradient is all that the table learns from.
    pub puzzle_rows: Option<Var>,
}

impl SequenceState {
    /// Before the first segment of a batch: all places are as good as halted.
    ///
    /// # Errors
    /// Problems that the model cannot read, or a tensor operation that fails.
    pub fn new(model: &SequenceHrm, batch: SequenceBatch) -> Result<Self> {
        check(model, &batch, batch.problems.count())?;
        let encoded = model.detached().encode(&batch.problems)?;
        let count = batch.problems.count();
        Ok(Self {
            carry: model.initial_carry(&encoded)?,
            segments: vec![0; count],
            halted: vec![true; count],
            batch,
        })
    }
}

/// Thinks for one segment, after fresh problems have taken the places of those that halted.
///
/// # Errors
/// Problems that the model cannot read, [`Error::BatchLength`] for another number of problems or
/// labels than the state has, or a tensor operation that fails.
pub fn segment(
    model: &SequenceHrm,
    mut state: SequenceState,
    fresh: &SequenceBatch,
    rng: &mut impl Rng,
) -> Result<SequenceStep> {
    check(model, fresh, state.batch.problems.count())?;
    let seq_len = model.config().seq_len;
    let halting = model.config().halting();
    state.batch.refill(fresh, &state.halted, seq_len);
    let carry = model.restarted(&state.carry, &state.halted)?;
    let before = state.segments.iter().zip(&state.halted);
    let segments: Vec<usize> = before
        .map(|(&n, &new)| if new { 1 } else { n + 1 })
        .collect();

    let problems = &state.batch.problems;
    let rows = model.puzzle_rows(problems)?;
    let puzzle_rows = rows.as_ref().map(Var::from_tensor).transpose()?;
    let encoded = model.encode_with(problems, puzzle_rows.as_ref().map(Var::as_tensor))?;
    let carry = model.segment(&carry, &encoded)?;
    let readout = model.read_out(&carry, &encoded)?;
    let carry = carry.detached();

    let target = bootstrapped_target(model, problems, &carry, &segments)?;
    let rightness = rightness(&readout, &state.batch.labels)?;
    let exact: Vec<bool> = rightness.iter().map(|r| r.is_exact()).collect();
    let losses = sequence_losses(&readout, &state.batch.labels, &exact, target.as_ref())?;
    let scores = readout.scores()?;
    let halted: Vec<bool> = segments
        .iter()
        .zip(&scores)
        .map(|(&segments, &(q_halt, q_continue))| halting.halts(segments, q_halt, q_continue, rng))
        .collect();
    let metrics = SequenceMetrics::new(&rightness, &scores, &halted, &segments);
    Ok(SequenceStep {
        state: SequenceState {
            batch: state.batch,
            carry,
            segments,
            halted,
        },
        losses,
        metrics,
        puzzle_rows,
    })
}

/// What `q_continue` learns, from the segment after this one, which is thought for this alone;
/// there is none where `q_continue` does not learn.
fn bootstrapped_target(
    model: &SequenceHrm,
    problems: &SequenceProblems,
    carry: &Carry,
    segments: &[usize],
) -> Result<Option<Tensor>> {
    let halting = model.config().halting();
    // As published, a model that thinks one segment only has nothing to decide.
    if !halting.signal.bootstraps() || halting.max_segments == 1 {
        return Ok(None);
    }
    let fixed = model.detached();
    let encoded = fixed.encode(problems)?;
    let next = fixed.read_out(&fixed.segment(carry, &encoded)?, &encoded)?;
    let target = halting.target(segments, &next.q_halt, &next.q_continue)?;
    Ok(Some(target))
}

fn check(model: &SequenceHrm, batch: &SequenceBatch, count: usize) -> Result<()> {
    let wanted = count * model.config().seq_len;
    if batch.problems.count() != count || batch.labels.len() != wanted {
        return Err(Error::BatchLength {
            problems: batch.problems.count(),
            labels: batch.labels.len(),
            wanted: count,
            wanted_labels: wanted,
        });
    }
    Ok(batch.problems.check(model.config())?)
}
