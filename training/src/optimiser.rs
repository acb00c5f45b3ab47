//! AdamW, the schedule of its rate, and averaged weights.

use crate::Result;
use crate::recipe::OptimiserRecipe;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use hrm_planner::model::GridHrmConfig;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The trainable weights of a model, by name.
#[derive(Debug, Clone)]
pub struct Weights {
    vars: BTreeMap<String, Var>,
}

impl Weights {
    /// Fresh weights: matrices normal with variance 1 / inputs, the depthwise taps so that the
    /// centre starts at 1, the move and halting heads at 0, and halting biases at -5, so that a
    /// model begins by not halting (arXiv 2506.21734, as published).
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn fresh(config: &GridHrmConfig, seed: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
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
            vars.insert(name, Var::from_vec(values, shape, &Device::Cpu)?);
        }
        Ok(Self { vars })
    }

    /// Weights with given values.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn from_tensors(tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        let vars = tensors
            .iter()
            .map(|(name, tensor)| Ok((name.clone(), Var::from_tensor(tensor)?)))
            .collect::<Result<_>>()?;
        Ok(Self { vars })
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
}

/// A standard normal value (Box-Muller).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()) as f32
}

/// A rate that rises for `warmup` steps and falls to zero along a cosine by `steps`.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of rise.
    pub warmup: u64,
    /// Steps in all.
    pub steps: u64,
}

impl Schedule {
    /// The rate of a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let rest = self.steps.saturating_sub(self.warmup).max(1) as f64;
        let done = ((step - self.warmup) as f64 / rest).min(1.0);
        0.5 * self.peak * (1.0 + (std::f64::consts::PI * done).cos())
    }
}

/// The numbers of AdamW (arXiv 1711.05101).
#[derive(Debug, Clone, Copy)]
pub struct AdamWConfig {
    /// Decay rates of the first and second moment.
    pub betas: [f64; 2],
    /// Decoupled decay of matrices per step, times the rate.
    pub weight_decay: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// The norm of all gradients together is clipped to this.
    pub clip: f64,
    /// Decay of the averaged weights.
    pub ema: f64,
}

impl AdamWConfig {
    /// As a recipe says.
    pub fn from_recipe(recipe: &OptimiserRecipe) -> Self {
        Self {
            betas: recipe.betas,
            weight_decay: recipe.weight_decay,
            eps: 1e-8,
            clip: recipe.clip,
            ema: recipe.ema,
        }
    }
}

/// The moments and the average of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub average: Vec<f32>,
}

/// AdamW with clipping and averaged weights.
#[derive(Debug, Clone)]
pub struct AdamW {
    config: AdamWConfig,
    pub(crate) step: u64,
    pub(crate) moments: BTreeMap<String, Moments>,
}

impl AdamW {
    /// An optimiser of `weights`, whose average starts at them.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn new(config: AdamWConfig, weights: &Weights) -> Result<Self> {
        let moments = weights
            .vars
            .iter()
            .map(|(name, var)| {
                let average = var.flatten_all()?.to_vec1::<f32>()?;
                let zeros = vec![0.0; average.len()];
                Ok((
                    name.clone(),
                    Moments {
                        first: zeros.clone(),
                        second: zeros,
                        average,
                    },
                ))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            config,
            step: 0,
            moments,
        })
    }

    /// Changes the weights by one step at `rate`; returns the gradient's norm before clipping.
    ///
    /// A tensor without a gradient counts as one with a gradient of zero.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn update(&mut self, weights: &Weights, gradients: &GradStore, rate: f64) -> Result<f64> {
        let mut flat = BTreeMap::new();
        let mut squares = 0.0;
        for (name, var) in &weights.vars {
            let gradient = match gradients.get(var) {
                Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>()?,
                None => vec![0.0; var.elem_count()],
            };
            squares += gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
            flat.insert(name, gradient);
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = if norm > self.config.clip {
            self.config.clip / norm
        } else {
            1.0
        };
        self.step += 1;
        let AdamWConfig {
            betas: [b1, b2],
            weight_decay,
            eps,
            ema,
            ..
        } = self.config;
        let correction1 = 1.0 - b1.powf(self.step as f64);
        let correction2 = 1.0 - b2.powf(self.step as f64);
        // A young average follows the weights closely, so that the start is soon forgotten.
        let ema = ema.min((1.0 + self.step as f64) / (10.0 + self.step as f64));
        for (name, var) in &weights.vars {
            let (Some(m), Some(gradient)) = (self.moments.get_mut(name), flat.get(name)) else {
                continue;
            };
            let decay = if name.ends_with("bias") {
                0.0
            } else {
                rate * weight_decay
            };
            let mut values = var.flatten_all()?.to_vec1::<f32>()?;
            for (i, value) in values.iter_mut().enumerate() {
                let g = f64::from(gradient[i]) * scale;
                let first = b1 * f64::from(m.first[i]) + (1.0 - b1) * g;
                let second = b2 * f64::from(m.second[i]) + (1.0 - b2) * g * g;
                (m.first[i], m.second[i]) = (first as f32, second as f32);
                let step = (first / correction1) / ((second / correction2).sqrt() + eps);
                let new = f64::from(*value) * (1.0 - decay) - rate * step;
                *value = new as f32;
                m.average[i] = (ema * f64::from(m.average[i]) + (1.0 - ema) * new) as f32;
            }
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu)?.to_dtype(DType::F32)?)?;
        }
        Ok(norm)
    }

    /// The running mean of a tensor's clipped gradient, row-major; `None` for an unknown name.
    pub fn first_moment(&self, name: &str) -> Option<&[f32]> {
        self.moments.get(name).map(|moments| &moments.first[..])
    }

    /// The averaged weights.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn averaged(&self, weights: &Weights) -> Result<BTreeMap<String, Tensor>> {
        weights
            .vars
            .iter()
            .filter_map(|(name, var)| self.moments.get(name).map(|m| (name, var, m)))
            .map(|(name, var, m)| {
                Ok((
                    name.clone(),
                    Tensor::from_vec(m.average.clone(), var.shape(), &Device::Cpu)?,
                ))
            })
            .collect()
    }
}
