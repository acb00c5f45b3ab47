//! Adaptive computation in space: which tokens think in a segment.
//!
//! Adaptive computation time lets a problem stop thinking when its plan holds; this lets its tokens
//! do so one by one. A segment carries word of the goal so many tokens far, and beyond that a token
//! has nothing to think about yet. Behind the front, tokens soon halt by the same learned score that
//! whole problems halt by: `q_halt` says of every cell whether the rollout from there is good. So a
//! segment needs only the tokens between: those that word has just come to, and those near any
//! token that doubts. The others keep their state, and wake when a token near them begins to doubt.
//!
//! Tokens at the edge of the part that thinks do not see their neighbours beyond it. What that does
//! to them travels one kernel's reach per block, so a rim of tokens thinks too whose new states are
//! dropped: with a rim as wide as a segment's reach, the states kept are those of a segment on the
//! whole map.

use super::grid_config::GridHrmConfig;
use super::grid_problems::GridEncoded;
use super::halting::HaltSignal;
use super::layout::{Layout, NOWHERE};
use super::reasoner::Carry;
use super::warm::Resumed;
use super::{GridHrm, Reasoner};
use crate::Result;
use candle_core::Tensor;
use std::collections::VecDeque;

/// How far tokens think ahead of word of the goal, in segments, to have learned something of their
/// surroundings when word comes.
const AHEAD: usize = 1;

/// A token thinks on for so many segments after word came to it, or after the last doubt nearby.
const AWAKE: usize = 2;

/// The tokens of one problem, and when each of them has last had reason to think.
#[derive(Debug, Clone)]
pub struct Focus {
    /// Side of the blocks' kernel.
    kernel: usize,
    /// Blocks of a segment.
    blocks: usize,
    /// Cells along each side of a token.
    patch: usize,
    word: Word,
    /// The last segment after which each token doubted, or 0.
    doubted: Vec<u32>,
    /// Whether each token doubted after the last segment.
    doubts: Vec<bool>,
    /// Tokens whose doubts are old, and no reason to think.
    resigned: Vec<bool>,
    /// Segments done.
    segments: usize,
    /// Tokens that thought, over all segments.
    thought: usize,
}

/// When word of the goal comes to the tokens of a problem.
#[derive(Debug, Clone)]
pub struct Word {
    /// Blocks that it needs to each token; `u32::MAX` if it never comes.
    blocks: Vec<u32>,
    /// Blocks of a segment.
    per_segment: u32,
}

impl Word {
    /// For a layout of one image, whose token at (row, col) holds the goal.
    pub fn new(config: &GridHrmConfig, layout: &Layout, goal: (usize, usize)) -> Self {
        let goal = layout.images()[0].at(goal.0, goal.1);
        let goals = if goal == NOWHERE { vec![] } else { vec![goal] };
        Self {
            blocks: steps_from(layout, config.kernel, &goals, u32::MAX),
            per_segment: config.blocks() as u32,
        }
    }

    /// Whether a token thinks in segment `segment`, from 1: whether word comes to it in this one or
    /// in the next.
    fn begins(&self, token: usize, segment: usize) -> bool {
        self.blocks[token] <= self.per_segment * (segment + AHEAD) as u32
    }

    /// The tokens that think in segment `segment`, from 1, in order.
    pub fn begun(&self, segment: usize) -> Vec<u32> {
        let tokens = 0..self.blocks.len();
        let begun = tokens.filter(|&token| self.begins(token, segment));
        begun.map(|token| token as u32).collect()
    }

    /// Whether word came to a token no earlier than in the `segments` segments before this one.
    fn is_fresh(&self, token: usize, segment: usize, segments: usize) -> bool {
        let settled = (segment - 1).saturating_sub(segments) as u32;
        self.begins(token, segment) && self.blocks[token] >= self.per_segment * settled
    }
}

/// Steps of a kernel's reach from the nearest of some tokens to each token, up to `most`; `u32::MAX`
/// for those farther away.
fn steps_from(layout: &Layout, kernel: usize, sources: &[u32], most: u32) -> Vec<u32> {
    let under = layout.under(kernel);
    let taps = kernel * kernel;
    let mut steps = vec![u32::MAX; layout.tokens()];
    let mut waiting: VecDeque<u32> = sources.iter().copied().collect();
    for &source in sources {
        steps[source as usize] = 0;
    }
    while let Some(token) = waiting.pop_front() {
        let next = steps[token as usize] + 1;
        if next > most {
            break;
        }
        for &near in &under[token as usize * taps..][..taps] {
            if near != NOWHERE && steps[near as usize] == u32::MAX {
                steps[near as usize] = next;
                waiting.push_back(near);
            }
        }
    }
    steps
}

/// The part of a map that thinks in a segment.
#[derive(Debug, Clone)]
struct Region {
    /// Its tokens, in order.
    tokens: Vec<u32>,
    /// Of each of them, whether its new state counts.
    counts: Vec<bool>,
}

impl Focus {
    /// Before the first segment on one problem whose goal lies in the token at (row, col) of the
    /// image.
    pub fn new(config: &GridHrmConfig, encoded: &GridEncoded, goal: (usize, usize)) -> Self {
        Self {
            kernel: config.kernel,
            blocks: config.blocks(),
            patch: config.patch,
            word: Word::new(config, &encoded.tokens, goal),
            doubted: vec![0; encoded.tokens.tokens()],
            doubts: vec![false; encoded.tokens.tokens()],
            resigned: vec![false; encoded.tokens.tokens()],
            segments: 0,
            thought: 0,
        }
    }

    /// For going on where thinking ended on another problem: word of the goal has come to all tokens
    /// long ago, those that have changed doubt, and those that are resigned do not count.
    pub fn resumed(
        config: &GridHrmConfig,
        encoded: &GridEncoded,
        goal: (usize, usize),
        resumed: &Resumed,
    ) -> Self {
        let mut focus = Self::new(config, encoded, goal);
        let blocks = focus
            .word
            .blocks
            .iter()
            .filter(|&&blocks| blocks < u32::MAX);
        let farthest = blocks.max().copied().unwrap_or(0);
        focus.segments = (farthest / focus.word.per_segment) as usize + AWAKE + 2;
        for &token in &resumed.changed {
            focus.doubted[token as usize] = focus.segments as u32;
        }
        focus.resigned.clone_from(&resumed.resigned);
        focus
    }

    /// Whether each token doubted after the last segment.
    pub fn doubts(&self) -> &[bool] {
        &self.doubts
    }

    /// Tokens that thought so far, over all segments; a token that thought twice counts twice.
    pub fn thought(&self) -> usize {
        self.thought
    }

    /// What thinks in the next segment.
    fn region(&self, layout: &Layout) -> Region {
        let (now, blocks) = (self.segments + 1, self.blocks as u32);
        let tokens = || 0..layout.tokens() as u32;
        let begins = |token: &u32| self.word.begins(*token as usize, now);
        let restless: Vec<u32> = tokens()
            .filter(begins)
            .filter(|&token| {
                let doubted = self.doubted[token as usize] as usize;
                doubted > 0 && doubted + AWAKE >= now
            })
            .collect();
        let from_restless = steps_from(layout, self.kernel, &restless, blocks / 2);
        let active: Vec<u32> = tokens()
            .filter(begins)
            .filter(|&token| {
                let fresh = self.word.is_fresh(token as usize, now, AWAKE);
                fresh || from_restless[token as usize] != u32::MAX
            })
            .collect();
        let from_active = steps_from(layout, self.kernel, &active, blocks);
        let tokens: Vec<u32> = tokens()
            .filter(begins)
            .filter(|&token| from_active[token as usize] != u32::MAX)
            .collect();
        let counts = tokens.iter().map(|&token| from_active[token as usize] == 0);
        Region {
            counts: counts.collect(),
            tokens,
        }
    }

    /// The next segment of the problem, on those tokens that have reason to think. `None` if none
    /// has: whatever the model knows of this problem, it knows.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn segment(
        &mut self,
        model: &GridHrm,
        carry: &Carry,
        encoded: &GridEncoded,
    ) -> Result<Option<Carry>> {
        let region = self.region(&encoded.tokens);
        self.segments += 1;
        self.thought += region.tokens.len();
        if !region.counts.contains(&true) {
            return Ok(None);
        }
        let all = region.tokens.len() == encoded.tokens.tokens();
        if all && region.counts.iter().all(|&counts| counts) {
            return Ok(Some(model.segment(carry, encoded)?.detached()));
        }
        let device = encoded.e.device();
        let rows = Tensor::new(&region.tokens[..], device)?;
        let part = GridEncoded {
            e: encoded.e.index_select(&rows, 0)?,
            tokens: Layout::of(vec![encoded.tokens.images()[0].of_tokens(&region.tokens)]),
            maps: encoded.maps.clone(),
            places: None,
        };
        let before = Carry {
            z_h: carry.z_h.index_select(&rows, 0)?,
            z_l: carry.z_l.index_select(&rows, 0)?,
        };
        let after = model.segment(&before, &part)?.detached();
        // Each token's row among the old rows with all new ones behind them.
        let tokens = encoded.tokens.tokens() as u32;
        let mut from: Vec<u32> = (0..tokens).collect();
        for (new, (&token, &counts)) in region.tokens.iter().zip(&region.counts).enumerate() {
            if counts {
                from[token as usize] = tokens + new as u32;
            }
        }
        let from = Tensor::new(from, device)?;
        let merged = |old: &Tensor, new: &Tensor| -> Result<Tensor> {
            Ok(Tensor::cat(&[old, new], 0)?.index_select(&from, 0)?)
        };
        Ok(Some(Carry {
            z_h: merged(&carry.z_h, &after.z_h)?,
            z_l: merged(&carry.z_l, &after.z_l)?,
        }))
    }

    /// Takes in of every cell, row-major, whether it can be entered and its `q_halt` after the last
    /// segment. A cell doubts unless its score says that the rollout from there is good, and a token
    /// doubts if one of its cells does.
    pub fn note(&mut self, encoded: &GridEncoded, cells: impl Iterator<Item = (bool, f32)>) {
        let image = &encoded.tokens.images()[0];
        let (_, cols) = encoded.maps.sizes[0];
        let halts = |q_halt| HaltSignal::OverZero.wants(q_halt, 0.0);
        self.doubts.fill(false);
        for (cell, (is_open, q_halt)) in cells.enumerate() {
            if !is_open || halts(q_halt) {
                continue;
            }
            let token = image.at(cell / cols / self.patch, cell % cols / self.patch);
            if token != NOWHERE {
                self.doubts[token as usize] = true;
                if !self.resigned[token as usize] {
                    self.doubted[token as usize] = self.segments as u32;
                }
            }
        }
    }
}
