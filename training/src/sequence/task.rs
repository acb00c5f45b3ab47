//! Token problems as a task of the trainer, with adaptive computation time as published: problems
//! think together, each at its own segment, and a fresh one takes the place of each that halts.

use super::boards::Boards;
use super::fresh::fresh_tensors;
use super::loss::SequenceLosses;
use super::metrics::SequenceMetrics;
use super::recipe::SequenceRecipe;
use super::scores::{BoardTest, COLUMNS as SCORES, board_scores};
use super::segment::{SequenceState, segment};
use crate::Result;
use crate::array_file::{Array, ArrayFile};
use crate::numbers::{Columns, Number, Shown};
use crate::optimiser::{SparseSignSgd, Weights};
use crate::scores::Evaluator;
use crate::task::{Moment, Segment, Task, TaskState, read_note, write_note};
use crate::trainer::scalar;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use hrm_planner::model::{Carry, Checkpoint, Compute, ModelConfig, SequenceConfig, SequenceHrm};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The table of puzzle embeddings among a model's tensors.
const PUZZLES: &str = "puzzle_emb.weights";
/// Added to the seed of boards for that of the halting exploration.
const EXPLORATION_SEED: u64 = 0x00e5_f10e;
/// Boards of each band of clues in the live score.
const LIVE_BOARDS: usize = 32;

/// What the numbers of token problems are called.
const COLUMNS: Columns = Columns {
    losses: &[
        Shown {
            column: "tokens",
            label: "tokens",
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
    losses_over: "problems",
    // Of the problems that halt with a step, means: share of right tokens, of problems answered
    // right, of problems whose q_halt knows whether they are; segments thought. How many halt.
    measures: &["accuracy", "exact", "q_halt_accuracy", "segment", "halted"],
    share: Shown {
        column: "exact",
        label: "share of problems solved",
    },
    scores: &SCORES,
    unseen: "unseen boards",
    shown_scores: [
        Shown {
            column: "board_accuracy",
            label: "solved",
        },
        Shown {
            column: "cell_accuracy",
            label: "blanks right",
        },
    ],
};

/// A sequence model and the problems that it thinks about.
pub(crate) struct SequenceTask {
    recipe: SequenceRecipe,
    seed: u64,
    boards: Boards,
    model: SequenceHrm,
    compute: Compute,
    /// Tensors of the model that no optimiser of whole networks trains.
    own: BTreeMap<String, Var>,
    /// Where the problems stand.
    state: SequenceState,
    /// The number of the problem at each place.
    tickets: Vec<u64>,
    /// Problems drawn so far.
    drawn: u64,
    /// The puzzle embeddings looked up in the segment under way.
    puzzle_rows: Option<Var>,
}

/// All of the task's state that is no array.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    drawn: u64,
    tickets: Vec<u64>,
    segments: Vec<usize>,
    halted: Vec<bool>,
}

/// First weights, and the task on them.
pub(crate) fn begin(
    recipe: &SequenceRecipe,
    seed: u64,
    compute: &Compute,
) -> Result<(Weights, SequenceTask)> {
    let tensors = fresh_tensors(&recipe.model, seed, &compute.device)?;
    let (learning, own) = tensors
        .into_iter()
        .partition(|(name, _)| SequenceConfig::is_trainable(name));
    let weights = Weights::from_tensors(&learning)?;
    let task = SequenceTask::with_own(recipe, seed, &weights, &own, compute)?;
    Ok((weights, task))
}

impl SequenceTask {
    /// The task on weights that were saved, for [`Task::restore`]; they are where `compute` says.
    pub(crate) fn new(
        recipe: &SequenceRecipe,
        seed: u64,
        weights: &Weights,
        compute: &Compute,
    ) -> Result<Self> {
        let zeros = |(name, shape): (String, Vec<usize>)| -> Result<(String, Tensor)> {
            let zeros = Tensor::zeros(shape, DType::F32, &compute.device)?;
            Ok((name, zeros))
        };
        let own = own_shapes(&recipe.model).into_iter().map(zeros);
        let own = own.collect::<Result<_>>()?;
        Self::with_own(recipe, seed, weights, &own, compute)
    }

    fn with_own(
        recipe: &SequenceRecipe,
        seed: u64,
        weights: &Weights,
        own: &BTreeMap<String, Tensor>,
        compute: &Compute,
    ) -> Result<Self> {
        let own: BTreeMap<String, Var> = own
            .iter()
            .map(|(name, tensor)| Ok((name.clone(), Var::from_tensor(tensor)?)))
            .collect::<Result<_>>()?;
        let mut tensors = weights.tensors();
        tensors.extend(
            own.iter()
                .map(|(n, var)| (n.clone(), var.as_tensor().clone())),
        );
        let model = SequenceHrm::new(recipe.model.clone(), &tensors)?;
        let boards = Boards::new(&recipe.data.sudoku, seed)?;
        let tickets: Vec<u64> = (0..recipe.data.batch as u64).collect();
        let state = first_problems(&model, &boards, &tickets)?;
        Ok(Self {
            recipe: recipe.clone(),
            seed,
            boards,
            model,
            compute: compute.clone(),
            own,
            state,
            drawn: tickets.len() as u64,
            tickets,
            puzzle_rows: None,
        })
    }
}

/// The problems of a run before its first segment, none of them to be replaced.
fn first_problems(model: &SequenceHrm, boards: &Boards, tickets: &[u64]) -> Result<SequenceState> {
    let mut state = SequenceState::new(model, boards.batch(tickets)?)?;
    state.halted.fill(false);
    Ok(state)
}

/// Names and shapes of the tensors that no optimiser of whole networks trains.
fn own_shapes(config: &SequenceConfig) -> Vec<(String, Vec<usize>)> {
    let mut tensors = config.tensors();
    tensors.retain(|(name, _)| !SequenceConfig::is_trainable(name));
    tensors
}

impl Task for SequenceTask {
    fn columns(&self) -> &'static Columns {
        &COLUMNS
    }

    fn begin_with(&mut self, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.own {
            if let Some(tensor) = tensors.get(name) {
                var.set(&tensor.to_device(var.device())?)?;
            }
        }
        // The problems begin with the model's first states.
        self.state = first_problems(&self.model, &self.boards, &self.tickets)?;
        Ok(())
    }

    /// The model shares its weights with the optimiser; all there is to do is to draw problems for
    /// the places of those that halted.
    fn prepare(&mut self, _moment: &Moment) -> Result<()> {
        for (ticket, &halted) in self.tickets.iter_mut().zip(&self.state.halted) {
            if halted {
                *ticket = self.drawn;
                self.drawn += 1;
            }
        }
        Ok(())
    }

    fn segment(&mut self, moment: &Moment) -> Result<Segment> {
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(EXPLORATION_SEED));
        dice.set_stream(moment.step);
        let problems = self.boards.batch(&self.tickets)?;
        let step = segment(&self.model, self.state.clone(), &problems, &mut dice)?;
        let problems = step.state.segments.len() as f64;
        self.state = step.state;
        self.puzzle_rows = step.puzzle_rows;
        let SequenceLosses {
            lm,
            q_halt,
            q_continue,
        } = &step.losses;
        let mean = |loss: &Tensor| -> Result<f64> { Ok(scalar(loss)? / problems) };
        let continuing = q_continue.as_ref().map(mean).transpose()?;
        Ok(Segment {
            total: (step.losses.total()? / problems)?,
            losses: vec![
                ("tokens", Some(mean(lm)?)),
                ("halt", Some(mean(q_halt)?)),
                ("continuing", continuing),
            ],
            measures: measures(&step.metrics),
        })
    }

    fn hand_on(&mut self, gradients: &GradStore, moment: &Moment) -> Result<()> {
        let rows = self.puzzle_rows.take();
        let (Some(rows), Some(rates), Some(table)) =
            (rows, &self.recipe.puzzles, self.own.get(PUZZLES))
        else {
            return Ok(());
        };
        if let Some(gradient) = gradients.get(&rows) {
            let descent = SparseSignSgd {
                weight_decay: rates.weight_decay,
            };
            let rate = rates.rate * moment.rate_share;
            descent.update(table, &self.state.batch.problems.puzzles, gradient, rate)?;
        }
        Ok(())
    }

    fn save(&self) -> Result<TaskState> {
        let mut arrays = BTreeMap::new();
        for (name, var) in &self.own {
            arrays.insert(format!("own/{name}"), array(var)?);
        }
        arrays.insert("carry/z_h".to_owned(), array(&self.state.carry.z_h)?);
        arrays.insert("carry/z_l".to_owned(), array(&self.state.carry.z_l)?);
        let note = Note {
            drawn: self.drawn,
            tickets: self.tickets.clone(),
            segments: self.state.segments.clone(),
            halted: self.state.halted.clone(),
        };
        Ok(TaskState {
            note: write_note(&note)?,
            arrays,
        })
    }

    fn restore(&mut self, note: serde_json::Value, file: &mut ArrayFile) -> Result<()> {
        let note: Note = read_note(note, file)?;
        for (name, var) in &self.own {
            let values = file.take(&format!("own/{name}"), var.dims())?;
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        let batch = note.tickets.len();
        if [batch, note.segments.len(), note.halted.len()] != [self.recipe.data.batch; 3] {
            let wanted = self.recipe.data.batch;
            return Err(file.wrong(format!(
                "it does not hold the {wanted} problems of the recipe"
            )));
        }
        let model = &self.recipe.model;
        let shape = [batch, model.places(), model.hidden_size];
        let mut take = |name: &str| -> Result<Tensor> {
            let values = file.take(name, &shape)?;
            Ok(Tensor::from_vec(values, &shape[..], &self.compute.device)?)
        };
        let (z_h, z_l) = (take("carry/z_h")?, take("carry/z_l")?);
        self.state = SequenceState {
            batch: self.boards.batch(&note.tickets)?,
            carry: Carry { z_h, z_l },
            segments: note.segments,
            halted: note.halted,
        };
        (self.drawn, self.tickets) = (note.drawn, note.tickets);
        Ok(())
    }

    fn model_config(&self) -> ModelConfig {
        ModelConfig::Sequence(self.recipe.model.clone())
    }

    fn own_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        // Copies: a checkpoint stays as it is while training goes on.
        let own = self.own.iter().map(|(name, var)| {
            let copy = var.as_detached_tensor().copy()?;
            Ok((name.clone(), copy.to_device(&Device::Cpu)?))
        });
        own.collect()
    }

    fn live_scores(&self) -> Box<dyn Evaluator> {
        let test = BoardTest {
            clues: self.recipe.data.sudoku.clues(),
            per_band: LIVE_BOARDS,
            seed: 0,
        };
        let compute = self.compute.clone();
        Box::new(move |model: &Checkpoint, step| {
            board_scores(&model.sequence_model_on(&compute)?, &test, step)
        })
    }
}

/// The means of a step's metrics over the problems that halted with it.
fn measures(metrics: &SequenceMetrics) -> Vec<Number> {
    let mean = |sum: f64| (metrics.count > 0).then(|| sum / metrics.count as f64);
    vec![
        ("accuracy", mean(metrics.accuracy)),
        ("exact", mean(metrics.exact_accuracy as f64)),
        ("q_halt_accuracy", mean(metrics.q_halt_accuracy as f64)),
        ("segment", mean(metrics.steps as f64)),
        ("halted", Some(metrics.count as f64)),
    ]
}

fn array(tensor: &Tensor) -> Result<Array> {
    Ok(Array {
        shape: tensor.dims().to_vec(),
        values: tensor.flatten_all()?.to_vec1()?,
    })
}
