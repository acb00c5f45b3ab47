//! `AdamATan2`: the optimiser of the published HRM and TRM.
//!
//! Adam divides the first moment m by the root of the second, v, plus a small number that keeps
//! the quotient finite; that number sets a scale below which gradients no longer count.
//! `AdamATan2` (arXiv 2407.05872) takes the angle atan2(m, sqrt(v)) instead,
//! which is finite everywhere: no epsilon, and gradients of any scale give the same step.

use super::adam::{Gradients, Moments, Step};
use super::{Weights, average};
use crate::Result;
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use std::collections::BTreeMap;

/// The numbers of `AdamATan2`.
///
/// Published: betas 0.9 and 0.95, weight decay 0.1 for ARC and 1.0 for Sudoku-Extreme and
/// Maze-Hard, rate 1e-4 (sapientinc/HRM, `config/cfg_pretrain.yaml` and the commands of its
/// README); averages with 0.999 (SamsungSAILMontreal/TinyRecursiveModels; HRM has none).
#[derive(Debug, Clone, Copy)]
pub struct AdamATan2Config {
    /// Decay rates of the first and second moment.
    pub betas: [f64; 2],
    /// Decoupled decay per step, times the rate.
    pub weight_decay: f64,
    /// Decay of the averaged weights; 0 makes them the weights themselves.
    pub ema: f64,
}

/// `AdamATan2` with averaged weights.
///
/// A step is that of the package adam-atan2 0.0.3 (its CUDA kernel), which the published code
/// trains with. With gradient g, step t and rate r:
///
/// ```text
/// m <- beta1 m + (1 - beta1) g
/// v <- beta2 v + (1 - beta2) g^2
/// w <- w (1 - r weight_decay) - r / (1 - beta1^t) atan2(m, sqrt(v / (1 - beta2^t)))
/// ```
///
/// Unlike the paper's, it corrects the first moment outside the angle, so that the first step is
/// nearly `r` and not pi/4 of it, and has no factors on the angle or inside it. All weights decay,
/// biases too, and gradients are not clipped: no step is longer than pi/2 times
/// `r / (1 - beta1^t)`.
#[derive(Debug, Clone)]
pub struct AdamATan2 {
    config: AdamATan2Config,
    pub(crate) step: u64,
    pub(crate) moments: BTreeMap<String, Moments>,
}

impl AdamATan2 {
    /// An optimiser of `weights`, whose average starts at them.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn new(config: AdamATan2Config, weights: &Weights) -> Result<Self> {
        Ok(Self {
            config,
            step: 0,
            moments: Moments::of(weights)?,
        })
    }

    /// Changes the weights by one step at `rate`; returns the gradient's norm.
    ///
    /// A tensor without a gradient counts as one with a gradient of zero. A gradient that is not
    /// finite changes nothing.
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
        let AdamATan2Config {
            betas,
            weight_decay,
            ema,
        } = self.config;
        let step = Step {
            number: self.step,
            rate,
            betas,
            ema,
            scale: 1.0,
        };
        let [correction1, correction2] = step.corrections();
        step.take(
            weights,
            &gradients,
            &mut self.moments,
            |_| weight_decay,
            |first, second| first.atan2((second / correction2).sqrt()) / correction1,
        )?;
        Ok(norm)
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// The averaged weights.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn averaged(&self, weights: &Weights) -> Result<BTreeMap<String, Tensor>> {
        average::averaged(weights, &self.moments)
    }
}
