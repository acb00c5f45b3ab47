//! Planning as a task of the trainer: maps at work, each at its own segment, and their losses.

use super::batch::{Batch, cat};
use super::live::live_scores;
use super::loss::{Loss, losses};
use super::pool::Pool;
use super::recipe::PlanningRecipe;
use super::sample::Sample;
use super::source::Source;
use crate::Result;
use crate::array_file::ArrayFile;
use crate::loss::cross_entropy;
use crate::numbers::{Columns, Shown};
use crate::optimiser::Weights;
use crate::scores::Evaluator;
use crate::task::{Moment, Segment, Task, TaskState, read_note, write_note};
use crate::trainer::scalar;
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use hrm_planner::model::{
    Carry, Compute, GridEncoded, GridHrm, GridProblems, Layout, ModelConfig, Readout, Reasoner,
};
use hrm_planner::planner::Policy;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A rollout is good if its travel cost is within this factor of the oracle's. Of plans shorter
/// than 200 straight moves, which come in steps of two, only the best are.
const GOOD_WITHIN: f64 = 1.01;

/// What the numbers of planning are called.
const COLUMNS: Columns = Columns {
    losses: &[
        // -ln(probability of the set of optimal moves).
        Shown {
            column: "moves",
            label: "moves",
        },
        Shown {
            column: "value",
            label: "cost-to-go",
        },
        Shown {
            column: "halt",
            label: "halt",
        },
        Shown {
            column: "continuing",
            label: "continue",
        },
    ],
    losses_over: "labelled cells",
    // Share of labelled cells whose rollout arrives; samples and cells in the step; mean segment
    // of the samples.
    measures: &["arrives", "samples", "cells", "segment"],
    share: Shown {
        column: "arrives",
        label: "share of cells that arrive",
    },
    // Shares of plans that arrive, pass the verifier, and have the oracle's travel cost; mean
    // travel cost of valid plans over the oracle's; mean segments of thinking.
    scores: &[
        "reached",
        "valid",
        "optimal",
        "cost_ratio_mean",
        "segments_mean",
    ],
    unseen: "unseen maps",
    shown_scores: [
        Shown {
            column: "reached",
            label: "reached",
        },
        Shown {
            column: "optimal",
            label: "optimal",
        },
    ],
};

/// A grid model and the maps that it thinks about.
pub(crate) struct PlanningTask {
    recipe: PlanningRecipe,
    source: Source,
    model: GridHrm,
    compute: Compute,
    pool: Pool,
    /// The segment under way, between [`Task::segment`] and [`Task::hand_on`].
    thought: Option<Thought>,
}

/// What a segment leaves for handing on.
struct Thought {
    after: Carry,
    tokens: Layout,
    /// Whether the rollout from each cell arrives, 1 or 0.
    arrives: Vec<f32>,
    readout: Readout,
    batch: Batch,
}

impl PlanningTask {
    /// The task of a recipe, with a model on these weights, which are where `compute` says.
    pub(crate) fn new(
        recipe: &PlanningRecipe,
        seed: u64,
        weights: &Weights,
        compute: &Compute,
    ) -> Result<Self> {
        let tensors = weights.tensors();
        Ok(Self {
            source: Source::open(recipe, seed)?,
            model: GridHrm::new(recipe.model.clone(), &tensors, compute.formulation)?,
            compute: compute.clone(),
            pool: Pool::new(),
            recipe: recipe.clone(),
            thought: None,
        })
    }

    /// The loss of `q_continue`, with the target bootstrapped from the next segment: what halting
    /// or going on is worth there (arXiv 2506.21734, section 2, "Adaptive computational time").
    ///
    /// The published code runs each next segment twice to have this target. Here the next segment
    /// is the present one: the scores of the segment before are read from its carry once more,
    /// which costs one small matrix product. So this gradient trains the halting head alone.
    fn continuing_loss(
        &self,
        (before, encoded): (&Carry, &GridEncoded),
        now: &Readout,
        batch: &Batch,
    ) -> Result<Tensor> {
        let earlier = self.model.read_out(&before.detached(), encoded)?.q_continue;
        let best = now.q_halt.detach().maximum(&now.q_continue.detach())?;
        let mut ranges = Vec::new();
        let mut best_is_last = Vec::new();
        for (slot, &(rows, cols)) in self.pool.slots.iter().zip(&batch.maps.sizes) {
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
        let device = batch.weight.device();
        let counts = (Tensor::from_vec(ranges, cells, device)? * &batch.weight)?;
        let last = Tensor::from_vec(best_is_last, cells, device)?;
        let best = last.where_cond(&now.q_halt.detach(), &best)?;
        // sigmoid of the better score, as a probability.
        let target = (best.neg()?.exp()? + 1.0)?.recip()?;
        Ok((cross_entropy(&earlier, &target)? * counts)?.sum_all()?)
    }
}

impl Task for PlanningTask {
    fn columns(&self) -> &'static Columns {
        &COLUMNS
    }

    fn begin_with(&mut self, _tensors: &BTreeMap<String, Tensor>) -> Result<()> {
        Ok(())
    }

    fn prepare(&mut self, moment: &Moment) -> Result<()> {
        self.model = self.model.refreshed()?;
        self.pool.fill(&self.source, moment.progress(), &self.model)
    }

    fn segment(&mut self, _moment: &Moment) -> Result<Segment> {
        let slots = &self.pool.slots;
        let samples: Vec<&Sample> = slots.iter().map(|slot| &slot.sample).collect();
        let segments: Vec<usize> = slots.iter().map(|slot| slot.ticket.segments + 1).collect();
        let reach = self.model.config().reach();
        let batch = Batch::new(&samples, &segments, reach, &self.compute.device)?;
        let before = Carry {
            z_h: cat(slots, |slot| &slot.carry.z_h)?,
            z_l: cat(slots, |slot| &slot.carry.z_l)?,
        };
        let problems: Vec<&GridProblems> = slots.iter().map(|slot| &slot.problem).collect();
        let encoded = self.model.encode(&GridProblems::cat(&problems)?)?;
        let after = self.model.segment(&before, &encoded)?;
        let readout = self.model.read_out(&after, &encoded)?;
        let rollouts = Rollouts::of(&samples, &batch, &readout)?;
        let Loss { moves, value, halt } = losses(&readout, &batch, &rollouts.good)?;
        let continuing = self.continuing_loss((&before, &encoded), &readout, &batch)?;

        let weights = &self.recipe.losses;
        let total =
            ((&moves + (&value * weights.value)?)? + ((&halt + &continuing)? * weights.halt)?)?;
        let arrives = scalar(&(&rollouts.arrives * &batch.weight)?.sum_all()?)?;
        let count = slots.len() as f64;
        let segment = Segment {
            total,
            losses: vec![
                ("moves", Some(scalar(&moves)?)),
                ("value", Some(scalar(&value)?)),
                ("halt", Some(scalar(&halt)?)),
                ("continuing", Some(scalar(&continuing)?)),
            ],
            measures: vec![
                ("arrives", Some(arrives)),
                ("samples", Some(count)),
                ("cells", Some(batch.maps.cells() as f64)),
                (
                    "segment",
                    Some(segments.iter().sum::<usize>() as f64 / count),
                ),
            ],
        };
        self.thought = Some(Thought {
            after: after.detached(),
            tokens: encoded.tokens,
            arrives: rollouts.arrives.to_vec1()?,
            readout,
            batch,
        });
        Ok(segment)
    }

    fn hand_on(&mut self, _gradients: &GradStore, _moment: &Moment) -> Result<()> {
        let Some(Thought {
            after,
            tokens,
            arrives,
            readout,
            batch,
        }) = self.thought.take()
        else {
            return Ok(());
        };
        let q_halt = readout.q_halt.to_vec1::<f32>()?;
        let q_continue = readout.q_continue.to_vec1::<f32>()?;
        let mut kept = Vec::with_capacity(self.pool.slots.len());
        for (index, mut slot) in std::mem::take(&mut self.pool.slots).into_iter().enumerate() {
            let range = batch.maps.range(index);
            slot.ticket.segments += 1;
            let halts = slot.ticket.may_halt
                && wants_to_halt(
                    &slot.sample,
                    &q_halt[range.clone()],
                    &q_continue[range.clone()],
                );
            if halts || slot.ticket.segments >= slot.ticket.budget {
                let labelled = slot.sample.optimal.iter().zip(&arrives[range]);
                // Loops and dead ends anywhere on the map make it a hard case.
                let fails = |(&optimal, &arrives): (&u8, &f32)| optimal != 0 && arrives == 0.0;
                if labelled.into_iter().any(fails) {
                    self.pool.hard.add(&slot.ticket);
                }
                continue;
            }
            slot.carry = after.part(tokens.range(index))?;
            kept.push(slot);
        }
        self.pool.slots = kept;
        Ok(())
    }

    fn save(&self) -> Result<TaskState> {
        Ok(TaskState {
            note: write_note(&self.pool.note())?,
            arrays: self.pool.arrays(self.recipe.model.channels)?,
        })
    }

    fn restore(&mut self, note: serde_json::Value, file: &mut ArrayFile) -> Result<()> {
        let note = read_note(note, file)?;
        self.pool = Pool::restore(&note, &self.source, file, &self.compute.device)?;
        Ok(())
    }

    fn model_config(&self) -> ModelConfig {
        ModelConfig::Grid(self.recipe.model.clone())
    }

    fn own_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        Ok(BTreeMap::new())
    }

    fn live_scores(&self) -> Box<dyn Evaluator> {
        Box::new(live_scores(&self.source, &self.compute))
    }
}

/// A whole map halts when every cell with a label would.
fn wants_to_halt(sample: &Sample, q_halt: &[f32], q_continue: &[f32]) -> bool {
    let labelled = (0..q_halt.len()).filter(|&i| sample.optimal[i] != 0);
    labelled
        .into_iter()
        .all(|i| hrm_planner::model::wants_to_halt(q_halt[i], q_continue[i]))
}

/// What became of the rollouts from all cells, 1 or 0 each; (cells).
struct Rollouts {
    /// Whether it arrives at the goal.
    arrives: Tensor,
    /// Whether it does so at nearly the oracle's travel cost, which is what halting asks for.
    good: Tensor,
}

impl Rollouts {
    fn of(samples: &[&Sample], batch: &Batch, readout: &Readout) -> Result<Self> {
        let logits = readout.moves.flatten_all()?.to_vec1::<f32>()?;
        let costs: Vec<Vec<f64>> = samples
            .par_iter()
            .enumerate()
            .map(|(index, sample)| {
                let range = batch.maps.range(index);
                let logits = &logits[range.start * 8..range.end * 8];
                let policy = Policy::new(&sample.map, logits, &sample.rules);
                policy.costs_to_go(sample.goal)
            })
            .collect();
        let best = samples.iter().flat_map(|sample| &sample.cost_to_go);
        let (mut arrives, mut good) = (Vec::new(), Vec::new());
        for (&cost, &best) in costs.iter().flatten().zip(best) {
            arrives.push(if cost.is_finite() { 1.0_f32 } else { 0.0 });
            let near = cost <= GOOD_WITHIN * f64::from(best) && cost.is_finite();
            good.push(if near { 1.0_f32 } else { 0.0 });
        }
        let (cells, device) = (arrives.len(), readout.moves.device());
        Ok(Self {
            arrives: Tensor::from_vec(arrives, cells, device)?,
            good: Tensor::from_vec(good, cells, device)?,
        })
    }
}
