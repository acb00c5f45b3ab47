//! The complete state of a run on disk, from which it goes on with the same numbers.
//!
//! `state.safetensors` holds the weights, both moments of the optimiser, the averages, the carry
//! of every sample at work and, as JSON in its note, the counters and the samples' tickets. The
//! samples themselves are not stored: each is drawn again from its ticket. `recipe.toml` beside
//! it is the recipe's exact text; the state holds it too, so that the two cannot be mixed up.

use crate::array_file::{Array, ArrayFile};
use crate::machine::machine;
use crate::optimiser::{AdamW, AdamWConfig, Moments, Weights};
use crate::pool::{Pool, Slot, Ticket, sample_seed};
use crate::recipe::Recipe;
use crate::sample::Sample;
use crate::trainer::Trainer;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use hrm_planner::model::{
    Carry, Checkpoint, Formulation, GridHrm, TrainingRecord, write_atomically,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The file of the state in a run's folder.
pub const STATE_FILE: &str = "state.safetensors";
/// The file of the recipe in a run's folder.
pub const RECIPE_FILE: &str = "recipe.toml";
/// The version of the state file.
const FORMAT: &str = "hrm-train state 1";

/// All of the state that is no array.
#[derive(Debug, Serialize, Deserialize)]
struct Counters {
    recipe: String,
    step: u64,
    drawn: u64,
    seconds: f64,
    tickets: Vec<Ticket>,
}

/// One of the two states of a carry.
type State = fn(&Carry) -> &Tensor;

/// The two states of a carry, by the name of their array.
const CARRY: [(&str, State); 2] = [
    ("carry/z_h", |carry| &carry.z_h),
    ("carry/z_l", |carry| &carry.z_l),
];

impl Trainer {
    /// Writes recipe and state into a folder, each atomically; the folder is made if need be.
    ///
    /// # Errors
    /// A file that cannot be written, or [`Error::WeightsDiverged`] before any is touched.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let arrays = self.arrays()?;
        let counters = Counters {
            recipe: self.recipe_text.clone(),
            step: self.steps_done(),
            drawn: self.pool.drawn,
            seconds: self.seconds,
            tickets: self.pool.slots.iter().map(|slot| slot.ticket).collect(),
        };
        let note = serde_json::to_string(&counters).map_err(|e| hrm_planner::Error::Json {
            reason: e.to_string(),
        })?;
        let path = folder.join(STATE_FILE);
        std::fs::create_dir_all(folder).map_err(|source| Error::Io {
            path: folder.to_owned(),
            source,
        })?;
        write_atomically(&folder.join(RECIPE_FILE), self.recipe_text.as_bytes())?;
        ArrayFile { path, note, arrays }.write(FORMAT)
    }

    /// The run that was saved in a folder. Its further steps give the numbers that they would
    /// have given without the interruption.
    ///
    /// # Errors
    /// [`Error::NoRun`] if a file is missing, [`Error::State`] with what is wrong with the state,
    /// and all errors of [`Recipe::read`].
    pub fn resume(folder: &Path) -> Result<Self> {
        for missing in [RECIPE_FILE, STATE_FILE] {
            if !folder.join(missing).is_file() {
                return Err(Error::NoRun {
                    path: folder.to_owned(),
                    missing,
                });
            }
        }
        let (recipe, recipe_text) = Recipe::read(&folder.join(RECIPE_FILE))?;
        let mut file = ArrayFile::read(&folder.join(STATE_FILE), FORMAT)?;
        let counters: Counters = serde_json::from_str(&file.note)
            .map_err(|e| file.wrong(format!("its counters cannot be read ({e})")))?;
        if counters.recipe != recipe_text {
            return Err(file.wrong(format!(
                "it was made with another recipe than {RECIPE_FILE} beside it: put that back as it was"
            )));
        }
        let (weights, moments) = restore_weights(&recipe, &mut file)?;
        let slots = restore_slots(&recipe, &counters, &mut file)?;
        if let Some(name) = file.arrays.keys().next() {
            return Err(file.wrong(format!("array `{name}` is not part of this recipe's run")));
        }
        let model = GridHrm::new(recipe.model.clone(), &weights.tensors(), Formulation::Fused)?;
        let mut optimiser = AdamW::new(AdamWConfig::from_recipe(&recipe.optimiser), &weights)?;
        optimiser.step = counters.step;
        optimiser.moments = moments;
        Ok(Self {
            recipe,
            recipe_text,
            weights,
            model,
            optimiser,
            pool: Pool {
                slots,
                drawn: counters.drawn,
            },
            seconds: counters.seconds,
        })
    }

    /// The model as it would be shipped now: averaged weights and how they came to be.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn checkpoint(&self, scores: serde_json::Value) -> Result<Checkpoint> {
        Ok(Checkpoint {
            config: self.recipe.model.clone().into(),
            training: TrainingRecord {
                recipe: self.recipe_text.clone(),
                seed: self.recipe.seed,
                steps: self.steps_done(),
                wall_seconds: self.seconds,
                machine: machine(),
                scores,
                imported_from: None,
            },
            tensors: self.optimiser.averaged(&self.weights)?,
        })
    }

    /// The arrays of the state; all of them finite, for nothing can go on from others.
    fn arrays(&self) -> Result<BTreeMap<String, Array>> {
        let mut arrays = BTreeMap::new();
        for (name, var) in self.weights.vars() {
            let mut all = vec![("weight", var.flatten_all()?.to_vec1()?)];
            if let Some(moments) = self.optimiser.moments.get(name) {
                all.push(("first", moments.first.clone()));
                all.push(("second", moments.second.clone()));
                all.push(("average", moments.average.clone()));
            }
            for (what, values) in all {
                if values.iter().any(|value: &f32| !value.is_finite()) {
                    return Err(Error::WeightsDiverged {
                        name: name.clone(),
                        step: self.steps_done(),
                    });
                }
                let shape = var.dims().to_vec();
                arrays.insert(format!("{what}/{name}"), Array { shape, values });
            }
        }
        for (name, state) in CARRY {
            let mut values = Vec::new();
            for slot in &self.pool.slots {
                values.extend(state(&slot.carry).flatten_all()?.to_vec1::<f32>()?);
            }
            let shape = vec![self.pool.cells(), self.recipe.model.channels];
            arrays.insert(name.to_owned(), Array { shape, values });
        }
        Ok(arrays)
    }
}

fn restore_weights(
    recipe: &Recipe,
    file: &mut ArrayFile,
) -> Result<(Weights, BTreeMap<String, Moments>)> {
    let mut tensors = BTreeMap::new();
    let mut all_moments = BTreeMap::new();
    for (name, shape) in recipe.model.tensors() {
        let mut take = |what: &str| file.take(&format!("{what}/{name}"), &shape);
        let values = take("weight")?;
        let moments = Moments {
            first: take("first")?,
            second: take("second")?,
            average: take("average")?,
        };
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?;
        tensors.insert(name.clone(), tensor);
        all_moments.insert(name, moments);
    }
    Ok((Weights::from_tensors(&tensors)?, all_moments))
}

fn restore_slots(recipe: &Recipe, counters: &Counters, file: &mut ArrayFile) -> Result<Vec<Slot>> {
    let samples: Vec<Sample> = counters
        .tickets
        .par_iter()
        .map(|ticket| {
            let seed = sample_seed(recipe.seed, ticket.number);
            Sample::draw(&recipe.data, seed, ticket.progress)
        })
        .collect();
    let cells: usize = samples.iter().map(|s| s.map.geometry().cells()).sum();
    let channels = recipe.model.channels;
    let [z_h, z_l] = CARRY.map(|(name, _)| file.take(name, &[cells, channels]));
    let (z_h, z_l) = (z_h?, z_l?);
    let mut slots = Vec::with_capacity(samples.len());
    let mut next = 0;
    for (&ticket, sample) in counters.tickets.iter().zip(samples) {
        let cells = sample.map.geometry().cells();
        let range = next * channels..(next + cells) * channels;
        let part = |values: &[f32]| {
            Tensor::from_slice(&values[range.clone()], (cells, channels), &Device::Cpu)
        };
        let carry = Carry {
            z_h: part(&z_h)?,
            z_l: part(&z_l)?,
        };
        slots.push(Slot::new(ticket, sample, carry)?);
        next += cells;
    }
    Ok(slots)
}
