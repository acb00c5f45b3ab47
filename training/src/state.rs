//! The complete state of a run on disk, from which it goes on with the same numbers.
//!
//! `state.safetensors` holds the weights, both moments of the optimiser, the averages, the arrays
//! of the task (the carry of every sample at work) and, as JSON in its note, the counters. Samples
//! themselves are not stored: each is drawn again from its ticket. `recipe.toml` beside it is the
//! recipe's exact text; the state holds it too, so that the two cannot be mixed up.

use crate::array_file::{Array, ArrayFile};
use crate::optimiser::{Moments, Optimiser, Weights};
use crate::recipe::Recipe;
use crate::trainer::Trainer;
use crate::{Error, Result};
use candle_core::Tensor;
use hrm_planner::model::{Checkpoint, Compute, TrainingRecord, write_atomically};
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
    seconds: f64,
    #[serde(default)]
    started_from: Option<Box<TrainingRecord>>,
    /// The task's own.
    #[serde(flatten)]
    task: serde_json::Map<String, serde_json::Value>,
}

impl Trainer {
    /// Writes recipe and state into a folder, each atomically; the folder is made if need be.
    ///
    /// # Errors
    /// A file that cannot be written, or [`Error::WeightsDiverged`] before any is touched.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let mut arrays = self.arrays()?;
        let task = self.task.save()?;
        arrays.extend(task.arrays);
        let counters = Counters {
            recipe: self.recipe_text.clone(),
            step: self.steps_done(),
            seconds: self.seconds,
            started_from: self.started_from.clone(),
            task: task.note,
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

    /// The run that was saved in a folder, wherever it computed before. On the same device its
    /// further steps give the numbers that they would have given without the interruption.
    ///
    /// # Errors
    /// [`Error::NoRun`] if a file is missing, [`Error::State`] with what is wrong with the state,
    /// and all errors of [`Recipe::read`].
    pub fn resume(folder: &Path, compute: &Compute) -> Result<Self> {
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
        let (weights, moments) = restore_weights(&recipe, &mut file, compute)?;
        let mut task = recipe.task.open(recipe.seed, &weights, compute)?;
        task.restore(counters.task.into(), &mut file)?;
        if let Some(name) = file.arrays.keys().next() {
            return Err(file.wrong(format!("array `{name}` is not part of this recipe's run")));
        }
        let mut optimiser = Optimiser::new(&recipe.optimiser, &weights)?;
        optimiser.go_on_from(counters.step, moments);
        Ok(Self {
            recipe,
            recipe_text,
            compute: compute.clone(),
            weights,
            optimiser,
            task,
            seconds: counters.seconds,
            started_from: counters.started_from,
        })
    }

    /// The model as it would be shipped now: averaged weights and how they came to be.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn checkpoint(&self, scores: serde_json::Value) -> Result<Checkpoint> {
        let mut tensors = self.optimiser.averaged(&self.weights)?;
        tensors.extend(self.task.own_tensors()?);
        Ok(Checkpoint {
            config: self.task.model_config(),
            training: TrainingRecord {
                recipe: self.recipe_text.clone(),
                seed: self.recipe.seed,
                steps: self.steps_done(),
                wall_seconds: self.seconds,
                machine: self.machine(),
                scores,
                imported_from: None,
                started_from: self.started_from.clone(),
                ending: None,
            },
            tensors,
        })
    }

    /// The arrays of weights and optimiser; all of them finite, for nothing can go on from others.
    fn arrays(&self) -> Result<BTreeMap<String, Array>> {
        let mut arrays = BTreeMap::new();
        for (name, var) in self.weights.vars() {
            let mut all = vec![("weight", var.flatten_all()?.to_vec1()?)];
            if let Some(moments) = self.optimiser.moments().get(name) {
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
        Ok(arrays)
    }
}

fn restore_weights(
    recipe: &Recipe,
    file: &mut ArrayFile,
    compute: &Compute,
) -> Result<(Weights, BTreeMap<String, Moments>)> {
    let mut tensors = BTreeMap::new();
    let mut all_moments = BTreeMap::new();
    for (name, shape) in recipe.task.trainable() {
        let mut take = |what: &str| file.take(&format!("{what}/{name}"), &shape);
        let values = take("weight")?;
        let moments = Moments {
            first: take("first")?,
            second: take("second")?,
            average: take("average")?,
        };
        let tensor = Tensor::from_vec(values, shape, &compute.device)?;
        tensors.insert(name.clone(), tensor);
        all_moments.insert(name, moments);
    }
    let weights = Weights::from_tensors(&tensors)?;
    Ok((recipe.task.tied(weights), all_moments))
}
