//! The loop: one segment of every sample, one step of the weights.

use crate::batch::{Batch, cat};
use crate::loss::{Loss, cross_entropy, losses};
use crate::optimiser::{AdamW, AdamWConfig, Schedule, Weights};
use crate::pool::Pool;
use crate::recipe::Recipe;
use crate::sample::Sample;
use crate::source::Source;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use hrm_planner::model::{Carry, Formulation, GridHrm, Readout};
use hrm_planner::planner::Policy;
use rayon::prelude::*;
use std::time::Instant;

/// A run of a recipe, at some step of it.
pub struct Trainer {
    pub(crate) recipe: Recipe,
    pub(crate) source: Source,
    pub(crate) recipe_text: String,
    pub(crate) weights: Weights,
    pub(crate) model: GridHrm,
    pub(crate) optimiser: AdamW,
    pub(crate) pool: Pool,
    /// Seconds of steps, over all processes.
    pub(crate) seconds: f64,
}

/// What a step measured.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct StepReport {
    /// The step, counted from 1.
    pub step: u64,
    /// Learning rate.
    pub rate: f64,
    /// Loss of the moves.
    pub moves: f64,
    /// Loss of the cost-to-go.
    pub value: f64,
    /// Loss of `q_halt`.
    pub halt: f64,
    /// Loss of `q_continue`.
    pub continuing: f64,
    /// Norm of the gradient before clipping.
    pub gradient: f64,
    /// Share of labelled cells whose rollout arrives.
    pub arrives: f64,
    /// Samples in the step.
    pub samples: usize,
    /// Cells in the step.
    pub cells: usize,
    /// Mean segment of the samples.
    pub segment: f64,
}

impl Trainer {
    /// A run from the start.
    ///
    /// # Errors
    /// A file of the recipe that cannot be read, or a tensor operation that fails.
    pub fn new(recipe: Recipe, recipe_text: String) -> Result<Self> {
        let source = Source::open(&recipe)?;
        let weights = Weights::fresh(&recipe.model, recipe.seed)?;
        let model = GridHrm::new(recipe.model.clone(), &weights.tensors(), Formulation::Fused)?;
        let optimiser = AdamW::new(AdamWConfig::from_recipe(&recipe.optimiser), &weights)?;
        Ok(Self {
            recipe,
            source,
            recipe_text,
            weights,
            model,
            optimiser,
            pool: Pool::new(),
            seconds: 0.0,
        })
    }

    /// Where its samples come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.optimiser.step
    }

    /// Seconds that the steps took, over all processes of the run.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The weights that are trained.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The optimiser, with the averaged weights.
    pub fn optimiser(&self) -> &AdamW {
        &self.optimiser
    }

    /// The model with averaged weights, as it would be shipped now.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn averaged_model(&self) -> Result<GridHrm> {
        let tensors = self.optimiser.averaged(&self.weights)?;
        Ok(GridHrm::new(
            self.recipe.model.clone(),
            &tensors,
            Formulation::Fused,
        )?)
    }

    /// One segment of every sample in the pool and one step of the weights.
    ///
    /// # Errors
    /// A tensor operation that fails, or [`Error::Diverged`] before the weights are touched.
    pub fn step(&mut self) -> Result<StepReport> {
        let began = Instant::now();
        let step = self.optimiser.step;
        let schedule = Schedule {
            peak: self.recipe.optimiser.learning_rate,
            warmup: self.recipe.optimiser.warmup,
            steps: self.recipe.run.steps,
        };
        let progress = step as f64 / self.recipe.run.steps as f64;
        self.model = self.model.refreshed()?;
        self.pool.fill(&self.source, progress, &self.model)?;

        let slots = &self.pool.slots;
        let samples: Vec<&Sample> = slots.iter().map(|slot| &slot.sample).collect();
        let segments: Vec<usize> = slots.iter().map(|slot| slot.ticket.segments + 1).collect();
        let batch = Batch::new(&samples, &segments, self.model.config().reach())?;
        let before = Carry {
            z_h: cat(slots, |slot| &slot.carry.z_h)?,
            z_l: cat(slots, |slot| &slot.carry.z_l)?,
        };
        let e = self.model.embed(&cat(slots, |slot| &slot.input)?)?;
        let after = self.model.segment(&before, &e, &batch.layout)?;
        let readout = self.model.read_out(&after)?;
        let arrives = arrivals(&samples, &batch, &readout)?;
        let Loss { moves, value, halt } = losses(&readout, &batch, &arrives)?;
        let continuing = self.continuing_loss(&before, &readout, &batch)?;

        let weights = &self.recipe.optimiser;
        let total = ((&moves + (&value * weights.value_loss)?)?
            + ((&halt + &continuing)? * weights.halt_loss)?)?;
        let loss = f64::from(total.to_scalar::<f32>()?);
        if !loss.is_finite() {
            return Err(Error::Diverged {
                step: step + 1,
                loss,
            });
        }
        let gradients = total.backward()?;
        let rate = schedule.rate(step);
        let gradient = self.optimiser.update(&self.weights, &gradients, rate)?;
        if !gradient.is_finite() {
            return Err(Error::GradientDiverged {
                step: step + 1,
                norm: gradient,
            });
        }

        let scalar = |tensor: &Tensor| -> Result<f64> { Ok(f64::from(tensor.to_scalar::<f32>()?)) };
        let count = slots.len();
        let report = StepReport {
            step: step + 1,
            rate,
            moves: scalar(&moves)?,
            value: scalar(&value)?,
            halt: scalar(&halt)?,
            continuing: scalar(&continuing)?,
            gradient,
            arrives: scalar(&(&arrives * &batch.weight)?.sum_all()?)?,
            samples: count,
            cells: batch.layout.cells(),
            segment: segments.iter().sum::<usize>() as f64 / count as f64,
        };
        self.hand_on(&after.detached(), &readout, &batch)?;
        self.seconds += began.elapsed().as_secs_f64();
        Ok(report)
    }

    /// The loss of `q_continue`, with the target bootstrapped from the next segment: what halting
    /// or going on is worth there (arXiv 2506.21734, section 2, "Adaptive computational time").
    ///
    /// The published code runs each next segment twice to have this target. Here the next segment
    /// is the present one: the scores of the segment before are read from its carry once more,
    /// which costs one small matrix product. So this gradient trains the halting head alone.
    fn continuing_loss(&self, before: &Carry, now: &Readout, batch: &Batch) -> Result<Tensor> {
        let earlier = self.model.read_out(&before.detached())?.q_continue;
        let best = now.q_halt.detach().maximum(&now.q_continue.detach())?;
        let mut ranges = Vec::new();
        let mut best_is_last = Vec::new();
        for (slot, &(rows, cols)) in self.pool.slots.iter().zip(batch.layout.images()) {
            let first = if slot.ticket.segments == 0 {
                0.0_f32
            } else {
                1.0
            };
            let last = slot.ticket.segments + 1 >= slot.ticket.budget;
            ranges.extend(std::iter::repeat_n(first, rows * cols));
            best_is_last.extend(std::iter::repeat_n(u8::from(last), rows * cols));
        }
        let cells = ranges.len();
        let counts = (Tensor::from_vec(ranges, cells, &Device::Cpu)? * &batch.weight)?;
        let last = Tensor::from_vec(best_is_last, cells, &Device::Cpu)?;
        let best = last.where_cond(&now.q_halt.detach(), &best)?;
        // sigmoid of the better score, as a probability.
        let target = (best.neg()?.exp()? + 1.0)?.recip()?;
        Ok((cross_entropy(&earlier, &target)? * counts)?.sum_all()?)
    }

    /// Gives each sample its new carry and lets those go that are done.
    fn hand_on(&mut self, carry: &Carry, readout: &Readout, batch: &Batch) -> Result<()> {
        let q_halt = readout.q_halt.to_vec1::<f32>()?;
        let q_continue = readout.q_continue.to_vec1::<f32>()?;
        let mut kept = Vec::with_capacity(self.pool.slots.len());
        for (index, mut slot) in std::mem::take(&mut self.pool.slots).into_iter().enumerate() {
            let range = batch.layout.range(index);
            slot.ticket.segments += 1;
            let halts = slot.ticket.may_halt
                && wants_to_halt(
                    &slot.sample,
                    &q_halt[range.clone()],
                    &q_continue[range.clone()],
                );
            if halts || slot.ticket.segments >= slot.ticket.budget {
                continue;
            }
            slot.carry = Carry {
                z_h: carry.z_h.narrow(0, range.start, range.len())?,
                z_l: carry.z_l.narrow(0, range.start, range.len())?,
            };
            kept.push(slot);
        }
        self.pool.slots = kept;
        Ok(())
    }
}

/// A whole map halts when every cell with a label would.
fn wants_to_halt(sample: &Sample, q_halt: &[f32], q_continue: &[f32]) -> bool {
    let labelled = (0..q_halt.len()).filter(|&i| sample.optimal[i] != 0);
    labelled
        .into_iter()
        .all(|i| q_halt[i] > q_continue[i].max(0.0))
}

/// 1 for cells whose rollout arrives at the goal, else 0; (cells).
fn arrivals(samples: &[&Sample], batch: &Batch, readout: &Readout) -> Result<Tensor> {
    let logits = readout.moves.flatten_all()?.to_vec1::<f32>()?;
    let arrives: Vec<Vec<f32>> = samples
        .par_iter()
        .enumerate()
        .map(|(index, sample)| {
            let range = batch.layout.range(index);
            let logits = &logits[range.start * 8..range.end * 8];
            let policy = Policy::new(&sample.map, logits, &sample.rules);
            let arrives = policy.arrivals(sample.goal);
            arrives
                .into_iter()
                .map(|a| if a { 1.0 } else { 0.0 })
                .collect()
        })
        .collect();
    let arrives = arrives.concat();
    let cells = arrives.len();
    Ok(Tensor::from_vec(arrives, cells, &Device::Cpu)?)
}
