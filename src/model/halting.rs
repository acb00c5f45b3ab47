//! When a problem halts, and what the halting scores learn from: Q-learning with two actions.
//!
//! After a segment, `q_halt` scores "the answer is right now" and `q_continue` "it will be, if
//! thinking goes on" (arXiv 2506.21734, section 2, "Adaptive computational time"). Both are
//! logits of probabilities. TRM (arXiv 2510.04871, section 4) keeps the first score alone.

use crate::Result;
use candle_core::Tensor;
use rand::{Rng, RngExt};

/// What a halting score is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HaltSignal {
    /// Halt when `q_halt > q_continue`: HRM.
    OverContinue,
    /// Halt when `q_halt > 0`, which is "more likely right than wrong": TRM
    /// (`no_ACT_continue`). `q_continue` then learns nothing.
    OverZero,
}

impl HaltSignal {
    /// Whether these scores ask to halt.
    pub fn wants(self, q_halt: f32, q_continue: f32) -> bool {
        match self {
            Self::OverContinue => q_halt > q_continue,
            Self::OverZero => q_halt > 0.0,
        }
    }

    /// Whether `q_continue` is used and learns, from the next segment's scores.
    pub fn bootstraps(self) -> bool {
        self == Self::OverContinue
    }
}

/// The rule by which problems halt in training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halting {
    /// What asks to halt.
    pub signal: HaltSignal,
    /// A problem halts after this segment at the latest (`halt_max_steps`).
    pub max_segments: usize,
    /// Probability that a problem has to think for a number of segments drawn from
    /// 2..=`max_segments`, so that longer thinking is tried too (`halt_exploration_prob`). As
    /// published, the number is drawn anew after every segment.
    pub exploration: f64,
}

impl Halting {
    /// Whether a problem that has thought `segments` segments may think no further.
    pub fn is_last(&self, segments: usize) -> bool {
        segments >= self.max_segments
    }

    /// Whether a problem halts now that it has thought `segments` segments, with the present
    /// one, and has these scores.
    pub fn halts(&self, segments: usize, q_halt: f32, q_continue: f32, rng: &mut impl Rng) -> bool {
        let least = self.least_segments(rng);
        let wants = self.is_last(segments) || self.signal.wants(q_halt, q_continue);
        wants && segments >= least
    }

    /// How long exploration makes a problem think at least; 0 if it leaves the choice to it.
    fn least_segments(&self, rng: &mut impl Rng) -> usize {
        let explores = rng.random_bool(self.exploration.clamp(0.0, 1.0));
        if explores && self.max_segments > 1 {
            rng.random_range(2..=self.max_segments)
        } else {
            0
        }
    }

    /// What `q_continue` learns, (problems): the probability that the next segment's better score
    /// stands for,
    ///
    /// ```text
    /// G = sigmoid(q_halt')                   if the problem must halt after this segment
    /// G = sigmoid(max(q_halt', q_continue')) otherwise
    /// ```
    ///
    /// with q' the scores of the segment after this one, (problems) each. The target is outside
    /// the graph.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn target(
        &self,
        segments: &[usize],
        next_q_halt: &Tensor,
        next_q_continue: &Tensor,
    ) -> Result<Tensor> {
        let last: Vec<u8> = segments.iter().map(|&n| self.is_last(n).into()).collect();
        let last = Tensor::new(last, next_q_halt.device())?;
        let best = next_q_halt.maximum(next_q_continue)?;
        let best = last.where_cond(next_q_halt, &best)?.detach();
        Ok((best.neg()?.exp()? + 1.0)?.recip()?)
    }
}
