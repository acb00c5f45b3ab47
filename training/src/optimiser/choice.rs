//! The optimiser that a recipe asks for.

use super::{AdamATan2, AdamATan2Config, AdamW, AdamWConfig, Moments, Weights};
use crate::Result;
use crate::recipe::{OptimiserKind, OptimiserRecipe};
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use std::collections::BTreeMap;

/// One of the optimisers of whole networks, with averaged weights.
#[derive(Debug, Clone)]
pub enum Optimiser {
    /// AdamW with clipping.
    AdamW(AdamW),
    /// `AdamATan2`.
    AdamATan2(AdamATan2),
}

impl Optimiser {
    /// The optimiser of a recipe, whose average starts at `weights`.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn new(recipe: &OptimiserRecipe, weights: &Weights) -> Result<Self> {
        let &OptimiserRecipe {
            betas,
            weight_decay,
            ema,
            ..
        } = recipe;
        Ok(match recipe.kind {
            OptimiserKind::AdamW => {
                Self::AdamW(AdamW::new(AdamWConfig::from_recipe(recipe), weights)?)
            }
            OptimiserKind::AdamATan2 => {
                let config = AdamATan2Config {
                    betas,
                    weight_decay,
                    ema,
                };
                Self::AdamATan2(AdamATan2::new(config, weights)?)
            }
        })
    }

    /// Changes the weights by one step at `rate`; returns the gradient's norm before clipping.
    ///
    /// A tensor without a gradient counts as one with a gradient of zero. A gradient that is not
    /// finite changes nothing.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn update(&mut self, weights: &Weights, gradients: &GradStore, rate: f64) -> Result<f64> {
        match self {
            Self::AdamW(adam) => adam.update(weights, gradients, rate),
            Self::AdamATan2(adam) => adam.update(weights, gradients, rate),
        }
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        match self {
            Self::AdamW(adam) => adam.step,
            Self::AdamATan2(adam) => adam.step,
        }
    }

    /// The averaged weights.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn averaged(&self, weights: &Weights) -> Result<BTreeMap<String, Tensor>> {
        match self {
            Self::AdamW(adam) => adam.averaged(weights),
            Self::AdamATan2(adam) => adam.averaged(weights),
        }
    }

    /// The running mean of a tensor's gradient, row-major; `None` for an unknown name.
    pub fn first_moment(&self, name: &str) -> Option<&[f32]> {
        self.moments().get(name).map(|moments| &moments.first[..])
    }

    /// The moments and averages of all tensors, by name.
    pub(crate) fn moments(&self) -> &BTreeMap<String, Moments> {
        match self {
            Self::AdamW(adam) => &adam.moments,
            Self::AdamATan2(adam) => &adam.moments,
        }
    }

    /// Takes up a run where it was saved.
    pub(crate) fn go_on_from(&mut self, steps_done: u64, saved: BTreeMap<String, Moments>) {
        let (step, moments) = match self {
            Self::AdamW(adam) => (&mut adam.step, &mut adam.moments),
            Self::AdamATan2(adam) => (&mut adam.step, &mut adam.moments),
        };
        (*step, *moments) = (steps_done, saved);
    }
}
