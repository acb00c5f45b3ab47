//! AdamW: the optimiser of the grid models.

use super::adam::{Gradients, Moments, Step};
use super::{Weights, average};
use crate::Result;
use crate::recipe::OptimiserRecipe;
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use std::collections::BTreeMap;

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
        Ok(Self {
            config,
            step: 0,
            moments: Moments::of(weights)?,
        })
    }

    /// Changes the weights by one step at `rate`; returns the gradient's norm before clipping.
    ///
    /// A tensor without a gradient counts as one with a gradient of zero. A gradient that is not
    /// finite changes nothing. Tensors whose name ends with `bias` do not decay.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn update(&mut self, weights: &Weights, gradients: &GradStore, rate: f64) -> Result<f64> {
        let gradients = Gradients::of(weights, gradients)?;
        let norm = gradients.norm;
        if !norm.is_finite() {
            return Ok(norm);
        }
        self.step += 1;
        let AdamWConfig {
            betas,
            weight_decay,
            eps,
            clip,
            ema,
        } = self.config;
        let step = Step {
            number: self.step,
            rate,
            betas,
            ema,
            scale: if norm > clip { clip / norm } else { 1.0 },
        };
        let [correction1, correction2] = step.corrections();
        step.take(
            weights,
            &gradients,
            &mut self.moments,
            |name| {
                if name.ends_with("bias") {
                    0.0
                } else {
                    weight_decay
                }
            },
            |first, second| (first / correction1) / ((second / correction2).sqrt() + eps),
        )?;
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
        average::averaged(weights, &self.moments)
    }
}
