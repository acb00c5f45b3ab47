//! The samples that think together, each at its own segment.

use super::recipe::DataRecipe;
use super::sample::Sample;
use super::source::Source;
use crate::Result;
use hrm_planner::model::{Carry, GridHrm, GridProblems};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A sample at work.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub ticket: Ticket,
    pub sample: Sample,
    /// The same as the model takes it.
    pub problem: GridProblems,
    pub carry: Carry,
}

/// What a slot's sample follows from, and how far it has come: all of a slot but its carry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
}

impl Pool {
    /// An empty pool.
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            drawn: 0,
        }
    }

    /// Tokens of all samples.
    pub fn tokens(&self) -> usize {
        let tokens = self.slots.iter().map(|slot| slot.problem.tokens.tokens());
        tokens.sum()
    }

    /// Draws fresh samples until the tokens of the pool make up the recipe's number of cells.
    pub(crate) fn fill(&mut self, source: &Source, progress: f64, model: &GridHrm) -> Result<()> {
        let (recipe, seed) = (&source.recipe().data, source.seed());
        let (config, device) = (model.config(), model.device());
        let wanted = recipe.cells.div_ceil(config.patch * config.patch);
        while self.tokens() < wanted {
            // As many at once as there are cores; of these, only what is wanted is used.
            let numbers: Vec<u64> = (0..rayon::current_num_threads() as u64)
                .map(|ahead| self.drawn + ahead)
                .collect();
            let samples: Vec<Sample> = numbers
                .par_iter()
                .map(|&number| source.draw(sample_seed(seed, number), progress))
                .collect();
            for (number, sample) in numbers.into_iter().zip(samples) {
                if self.tokens() >= wanted {
                    break;
                }
                self.drawn = number + 1;
                let ticket = Ticket {
                    number,
                    progress,
                    segments: 0,
                    budget: sample
                        .segments_needed(config.reach())
                        .min(recipe.max_segments),
                    may_halt: !explores(recipe, seed, number),
                };
                let problem = sample.problem(config.patches(), device)?;
                let carry = Carry::zeros((problem.tokens.tokens(), config.channels), device)?;
                self.slots.push(Slot {
                    ticket,
                    sample,
                    problem,
                    carry,
                });
            }
        }
        Ok(())
    }
}

/// The seed of a run's sample, which is drawn from stream 0 of it. The live score and the judge
/// draw from other streams, so that no seed can make them meet.
pub(crate) fn sample_seed(seed: u64, number: u64) -> u64 {
    mix(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mix(number))
}

fn explores(recipe: &DataRecipe, seed: u64, number: u64) -> bool {
    let unit = (mix(sample_seed(seed, number)) >> 11) as f64 / (1_u64 << 53) as f64;
    unit < recipe.exploration
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
