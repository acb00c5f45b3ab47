//! The trainable weights of a model and their first values.

use crate::Result;
use candle_core::{Device, Tensor, Var};
use hrm_planner::model::GridHrmConfig;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The trainable weights of a model, by name.
#[derive(Debug, Clone)]
pub struct Weights {
    vars: BTreeMap<String, Var>,
    ties: Ties,
}

/// For each value of a tensor the index of the first one that it is equal to, by name; see
/// [`GridHrmConfig::ties`].
type Ties = BTreeMap<String, Vec<u32>>;

impl Weights {
    /// Fresh weights: matrices normal with variance 1 / inputs, the depthwise taps so that the
    /// centre starts at 1, the move and halting heads at 0, and halting biases at -5, so that a
    /// model begins by not halting (arXiv 2506.21734, as published).
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn fresh(config: &GridHrmConfig, seed: u64, device: &Device) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let ties = config.ties().unwrap_or_default();
        let mut vars = BTreeMap::new();
        for (name, shape) in config.tensors() {
            let count = shape.iter().product();
            let mut values = vec![0.0_f32; count];
            if name.ends_with("depthwise") {
                let channels = shape[1];
                for (i, value) in values.iter_mut().enumerate() {
                    *value = 0.3 * normal(&mut rng) + if i / channels == 4 { 1.0 } else { 0.0 };
                }
            } else if name == "head.halt.bias" {
                values.fill(-5.0);
            } else if name.ends_with("bias") || name.starts_with("head.halt") {
            } else {
                let deviation = (1.0 / shape[0] as f32).sqrt();
                for value in &mut values {
                    *value = deviation * normal(&mut rng);
                }
            }
            if let Some(ties) = ties.get(&name) {
                values = ties.iter().map(|&first| values[first as usize]).collect();
            }
            vars.insert(name, Var::from_vec(values, shape, device)?);
        }
        Ok(Self { vars, ties })
    }

    /// Weights with given values, on the device of these.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn from_tensors(tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        let vars = tensors
            .iter()
            .map(|(name, tensor)| Ok((name.clone(), Var::from_tensor(tensor)?)))
            .collect::<Result<_>>()?;
        let ties = Ties::new();
        Ok(Self { vars, ties })
    }

    /// The same weights, of which the optimiser changes those alike that are tied in this model.
    #[must_use]
    pub fn tied_as(self, config: &GridHrmConfig) -> Self {
        let ties = config.ties().unwrap_or_default();
        Self { ties, ..self }
    }

    /// The weights as tensors that share their storage and are tracked by the graph.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.vars
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect()
    }

    /// The weights by name.
    pub fn vars(&self) -> &BTreeMap<String, Var> {
        &self.vars
    }

    /// Gives all values of a gradient that belong to tied weights their mean.
    pub(super) fn tie(&self, name: &str, gradient: &mut [f32]) {
        let Some(ties) = self.ties.get(name) else {
            return;
        };
        let mut sums = vec![(0.0_f64, 0_u32); gradient.len()];
        for (&first, &value) in ties.iter().zip(&*gradient) {
            let (sum, count) = &mut sums[first as usize];
            *sum += f64::from(value);
            *count += 1;
        }
        for (&first, value) in ties.iter().zip(gradient) {
            let (sum, count) = sums[first as usize];
            *value = (sum / f64::from(count)) as f32;
        }
    }
}

/// A standard normal value (Box-Muller).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()) as f32
}
