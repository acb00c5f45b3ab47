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
use super::layout::{Image, Layout, NOWHERE};
use super::reasoner::Carry;
use super::{GridHrm, Reasoner};
use crate::Result;
use candle_core::Tensor;
use std::collections::VecDeque;

/// How far tokens think ahead of word of the goal, in segments: in training all tokens think from
/// the first segment on, and have learned something of their surroundings when word comes.
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
    /// Blocks that word of the goal needs to come to each token; `u32::MAX` if it never does.
    distance: Vec<u32>,
    /// The last segment after which each token doubted, or 0.
    doubted: Vec<u32>,
    /// Segments done.
    segments: usize,
    /// Tokens that thought, over all segments.
    thought: usize,
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
        let tokens = encoded.tokens.tokens();
        let goal = encoded.tokens.images()[0].at(goal.0, goal.1);
        let mut focus = Self {
            kernel: config.kernel,
            blocks: config.reach() / config.patch / (config.kernel / 2),
            patch: config.patch,
            distance: vec![u32::MAX; tokens],
            doubted: vec![0; tokens],
            segments: 0,
            thought: 0,
        };
        if goal != NOWHERE {
            focus.distance = focus.steps_from(&encoded.tokens, &[goal], u32::MAX);
        }
        focus
    }

    /// Tokens that thought so far, over all segments; a token that thought twice counts twice.
    pub fn thought(&self) -> usize {
        self.thought
    }

    /// Steps of the kernel's reach from the nearest of some tokens to each token, up to `most`;
    /// `u32::MAX` for those farther away.
    fn steps_from(&self, layout: &Layout, sources: &[u32], most: u32) -> Vec<u32> {
        let under = layout.under(self.kernel);
        let taps = self.kernel * self.kernel;
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

    /// What thinks in the next segment.
    fn region(&self, layout: &Layout) -> Region {
        let blocks = self.blocks as u32;
        let now = self.segments as u32 + 1;
        let begun = |token: usize| self.distance[token] <= blocks * (now + AHEAD as u32);
        // Word came to it within the last segments, or comes soon.
        let fresh = |token: usize| {
            let settled = (now - 1).saturating_sub(AWAKE as u32);
            begun(token) && self.distance[token] >= blocks * settled
        };
        let restless: Vec<u32> = (0..layout.tokens())
            .filter(|&token| {
                begun(token) && self.doubted[token] > 0 && self.doubted[token] + AWAKE as u32 >= now
            })
            .map(|token| token as u32)
            .collect();
        let from_restless = self.steps_from(layout, &restless, blocks / 2);
        let active: Vec<u32> = (0..layout.tokens())
            .filter(|&token| begun(token) && (fresh(token) || from_restless[token] != u32::MAX))
            .map(|token| token as u32)
            .collect();
        let from_active = self.steps_from(layout, &active, blocks);
        let tokens = 0..layout.tokens() as u32;
        let tokens: Vec<u32> = tokens
            .filter(|&token| begun(token as usize) && from_active[token as usize] != u32::MAX)
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
            tokens: Layout::of(vec![of_tokens(&encoded.tokens.images()[0], &region.tokens)]),
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
        for (cell, (is_open, q_halt)) in cells.enumerate() {
            if !is_open || halts(q_halt) {
                continue;
            }
            let token = image.at(cell / cols / self.patch, cell % cols / self.patch);
            if token != NOWHERE {
                self.doubted[token as usize] = self.segments as u32;
            }
        }
    }
}

/// An image of these tokens of another one alone.
fn of_tokens(image: &Image, tokens: &[u32]) -> Image {
    let (rows, cols) = image.size();
    let mut left = tokens.iter().copied().peekable();
    let there: Vec<bool> = (0..rows * cols)
        .map(|place| {
            let token = image.at(place / cols, place % cols);
            token != NOWHERE && left.next_if_eq(&token).is_some()
        })
        .collect();
    Image::sparse(rows, cols, |place| there[place])
}
