//! The samples that think together, each at its own segment.

use super::recipe::DataRecipe;
use super::sample::Sample;
use super::source::Source;
use crate::Result;
use candle_core::{Device, Tensor};
use hrm_planner::model::{Carry, GridHrm, GridHrmConfig, GridProblems, Word};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A sample at work.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub ticket: Ticket,
    pub sample: Sample,
    /// The same as the model takes it.
    whole: GridProblems,
    /// Which of its tokens think; none for models that are not sparse, whose tokens always do.
    word: Option<Word>,
    /// What thinks now.
    pub problem: GridProblems,
    begun: Vec<u32>,
    pub carry: Carry,
}

impl Slot {
    /// A sample before its next segment, whose carry is yet to be set: all zeros.
    pub(crate) fn new(
        ticket: Ticket,
        sample: Sample,
        config: &GridHrmConfig,
        device: &Device,
    ) -> Result<Self> {
        let whole = sample.problem(config.patches(), device)?;
        let goal = (
            sample.goal.row / config.patch,
            sample.goal.col / config.patch,
        );
        let word = config
            .sparse
            .then(|| Word::new(config, &whole.tokens, goal));
        let mut slot = Self {
            carry: Carry::zeros((0, config.channels), device)?,
            problem: whole.clone(),
            begun: Vec::new(),
            ticket,
            sample,
            whole,
            word,
        };
        slot.grow()?;
        Ok(slot)
    }

    /// Lets those tokens in that think from the next segment on, with a carry of zeros.
    pub(crate) fn grow(&mut self) -> Result<()> {
        let begun = match &self.word {
            Some(word) => word.begun(self.ticket.segments + 1),
            None => (0..self.whole.tokens.tokens() as u32).collect(),
        };
        if begun == self.begun {
            return Ok(());
        }
        self.problem = self.whole.part(&begun)?;
        // The row of zeros behind the old rows is everything new.
        let zeros = self.begun.len() as u32;
        let mut old = (0..zeros).zip(&self.begun).peekable();
        let from: Vec<u32> = begun
            .iter()
            .map(|token| match old.next_if(|(_, begun)| *begun == token) {
                Some((row, _)) => row,
                None => zeros,
            })
            .collect();
        let from = Tensor::new(from, self.carry.z_h.device())?;
        let grown = |z: &Tensor| -> Result<Tensor> {
            let zero = Tensor::zeros((1, z.dim(1)?), z.dtype(), z.device())?;
            Ok(Tensor::cat(&[z, &zero], 0)?.index_select(&from, 0)?)
        };
        self.carry = Carry {
            z_h: grown(&self.carry.z_h)?,
            z_l: grown(&self.carry.z_l)?,
        };
        self.begun = begun;
        Ok(())
    }
}

/// What a slot's sample follows from, and how far it has come: all of a slot but its carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The sample's number, counted over the run.
    pub number: u64,
    /// The progress of training when it was drawn.
    pub progress: f64,
    /// Segments done.
    pub segments: usize,
    /// Segments after which it leaves, whatever it says.
    pub budget: usize,
    /// Whether it may leave earlier, by its own judgement.
    pub may_halt: bool,
}

/// The samples of a step.
#[derive(Debug, Clone)]
pub struct Pool {
    pub(crate) slots: Vec<Slot>,
    /// Samples drawn so far.
    pub(crate) drawn: u64,
    /// Those that the model failed on, to be drawn again.
    pub(crate) hard: HardCases,
}

/// Samples that the model failed on, the latest of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HardCases {
    /// The number of each and the progress of training it was drawn at.
    cases: VecDeque<(u64, f64)>,
    /// How often any was drawn again.
    drawn: u64,
}

impl HardCases {
    /// So many are held; older ones make room for new ones.
    const MOST: usize = 4096;

    /// Takes in a sample that the model has failed on.
    pub(crate) fn add(&mut self, ticket: &Ticket) {
        if self.cases.len() == Self::MOST {
            self.cases.pop_front();
        }
        self.cases.push_back((ticket.number, ticket.progress));
    }

    /// One of them, which leaves: it comes back if the model fails again. Which one follows from
    /// the seed and from how many were drawn before.
    fn draw(&mut self, seed: u64) -> Option<(u64, f64)> {
        if self.cases.is_empty() {
            return None;
        }
        self.drawn += 1;
        let at = mix(seed ^ mix(self.drawn)) % self.cases.len() as u64;
        self.cases.swap_remove_back(at as usize)
    }
}

impl Pool {
    /// An empty pool.
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            drawn: 0,
            hard: HardCases::default(),
        }
    }

    /// Tokens that think, of all samples.
    pub fn tokens(&self) -> usize {
        let tokens = self.slots.iter().map(|slot| slot.problem.tokens.tokens());
        tokens.sum()
    }

    /// Draws fresh samples until the tokens of the pool make up the recipe's number of cells.
    pub(crate) fn fill(&mut self, source: &Source, progress: f64, model: &GridHrm) -> Result<()> {
        let (recipe, seed) = (&source.recipe().data, source.seed());
        let (config, device) = (model.config(), model.device());
        for slot in &mut self.slots {
            slot.grow()?;
        }
        let wanted = recipe.cells.div_ceil(config.patch * config.patch);
        while self.tokens() < wanted {
            // As many at once as there are cores; of these, only what is wanted is used.
            let mut hard = self.hard.clone();
            let mut fresh = self.drawn;
            let draws: Vec<Draw> = (0..rayon::current_num_threads())
                .map(|_| Draw::next(recipe.hard, seed, progress, &mut hard, &mut fresh))
                .collect();
            let samples: Vec<Sample> = draws
                .par_iter()
                .map(|draw| source.draw(sample_seed(seed, draw.number), draw.progress))
                .collect();
            for (draw, sample) in draws.into_iter().zip(samples) {
                if self.tokens() >= wanted {
                    break;
                }
                let Draw {
                    number, progress, ..
                } = draw;
                (self.drawn, self.hard) = (draw.fresh_after, draw.hard_after);
                let ticket = Ticket {
                    number,
                    progress,
                    segments: 0,
                    budget: sample
                        .segments_needed(config.reach())
                        .min(recipe.max_segments),
                    may_halt: !explores(recipe, seed, number),
                };
                self.slots.push(Slot::new(ticket, sample, config, device)?);
            }
        }
        Ok(())
    }
}

/// The next sample to draw.
struct Draw {
    number: u64,
    progress: f64,
    /// The pool's counter and hard cases once it is drawn.
    fresh_after: u64,
    hard_after: HardCases,
}

impl Draw {
    /// A hard case with the chance that the recipe gives it, if there is any, else a fresh sample.
    fn next(share: f64, seed: u64, progress: f64, hard: &mut HardCases, fresh: &mut u64) -> Self {
        let turn = fresh.wrapping_add(hard.drawn.rotate_left(32));
        let again = unit(mix(seed ^ mix(!turn))) < share;
        let drawn = again.then(|| hard.draw(seed)).flatten();
        let (number, progress) = drawn.unwrap_or_else(|| {
            *fresh += 1;
            (*fresh - 1, progress)
        });
        Self {
            number,
            progress,
            fresh_after: *fresh,
            hard_after: hard.clone(),
        }
    }
}

/// The seed of a run's sample, which is drawn from stream 0 of it. The live score and the judge
/// draw from other streams, so that no seed can make them meet.
pub(crate) fn sample_seed(seed: u64, number: u64) -> u64 {
    mix(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mix(number))
}

fn explores(recipe: &DataRecipe, seed: u64, number: u64) -> bool {
    unit(mix(sample_seed(seed, number))) < recipe.exploration
}

/// Random bits as a number from 0 to below 1.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
