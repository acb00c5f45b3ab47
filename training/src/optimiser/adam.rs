//! What all Adams share: gradients as flat numbers, two moments and an average per weight, and
//! the walk over all weights. An Adam adds what makes it one: the direction of a step.
//!
//! Moments and weights are kept in f32 and computed in f64. Weights are changed in parallel, each
//! by numbers of its own only, so that the result does not depend on the number of threads.

use super::{Weights, average, transfer};
use crate::Result;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Fewer weights than this are not worth another thread.
const WEIGHTS_PER_THREAD: usize = 1 << 14;

/// The moments and the average of one tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub average: Vec<f32>,
}

impl Moments {
    /// Moments of zero for every tensor, and averages that start at the weights.
    pub(super) fn of(weights: &Weights) -> Result<BTreeMap<String, Self>> {
        let fresh = |average: Vec<f32>| {
            let zeros = vec![0.0; average.len()];
            Self {
                first: zeros.clone(),
                second: zeros,
                average,
            }
        };
        let tensors: Vec<&Tensor> = weights.vars().values().map(Var::as_tensor).collect();
        let averages = transfer::to_host(&tensors)?.into_iter().map(fresh);
        Ok(weights.vars().keys().cloned().zip(averages).collect())
    }
}

/// The gradients of all weights, by name, row-major.
pub(super) struct Gradients {
    flat: BTreeMap<String, Vec<f32>>,
    /// The norm of all of them together.
    pub norm: f64,
}

impl Gradients {
    /// Those that a backward pass left; a tensor without one counts as one with zeros.
    pub(super) fn of(weights: &Weights, store: &GradStore) -> Result<Self> {
        let found = weights.vars().iter().filter_map(|(name, var)| {
            let gradient = store.get(var)?;
            Some((name.clone(), gradient))
        });
        let (names, gradients): (Vec<_>, Vec<_>) = found.unzip();
        let values = transfer::to_host(&gradients)?;
        let mut flat: BTreeMap<String, Vec<f32>> = names.into_iter().zip(values).collect();
        let mut squares = 0.0;
        for (name, var) in weights.vars() {
            let gradient = flat.entry(name.clone());
            let gradient = gradient.or_insert_with(|| vec![0.0; var.elem_count()]);
            weights.tie(name, gradient);
            squares += gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
        }
        let norm = squares.sqrt();
        Ok(Self { flat, norm })
    }
}

/// The numbers of one step that every Adam has.
pub(super) struct Step {
    /// Which step, counted from 1.
    pub number: u64,
    /// Learning rate.
    pub rate: f64,
    /// Decay rates of the first and second moment.
    pub betas: [f64; 2],
    /// Decay of a mature average.
    pub ema: f64,
    /// Every gradient is multiplied by this.
    pub scale: f64,
}

impl Step {
    /// What a moment lacks because it started at zero: divide it by 1 - beta^step.
    pub(super) fn corrections(&self) -> [f64; 2] {
        self.betas.map(|beta| 1.0 - beta.powf(self.number as f64))
    }

    /// Changes moments, weights and averages:
    /// `w <- w * (1 - rate * weight_decay) - rate * direction(first moment, second moment)`,
    /// with a weight decay for each tensor by its name.
    pub(super) fn take(
        &self,
        weights: &Weights,
        gradients: &Gradients,
        moments: &mut BTreeMap<String, Moments>,
        weight_decay: impl Fn(&str) -> f64,
        direction: impl Fn(f64, f64) -> f64 + Sync,
    ) -> Result<()> {
        let &Self { rate, scale, .. } = self;
        let [b1, b2] = self.betas;
        let ema = average::decay_at(self.ema, self.number);
        let vars: Vec<&Var> = weights.vars().values().collect();
        let tensors: Vec<&Tensor> = vars.iter().map(|var| var.as_tensor()).collect();
        let mut all = transfer::to_host(&tensors)?;
        for (name, values) in weights.vars().keys().zip(&mut all) {
            let (Some(m), Some(gradient)) = (moments.get_mut(name), gradients.flat.get(name))
            else {
                continue;
            };
            let decay = rate * weight_decay(name);
            values
                .par_iter_mut()
                .zip(gradient)
                .zip(&mut m.first)
                .zip(&mut m.second)
                .zip(&mut m.average)
                .with_min_len(WEIGHTS_PER_THREAD)
                .for_each(|((((value, gradient), m1), m2), average)| {
                    let g = f64::from(*gradient) * scale;
                    let first = b1 * f64::from(*m1) + (1.0 - b1) * g;
                    let second = b2 * f64::from(*m2) + (1.0 - b2) * g * g;
                    (*m1, *m2) = (first as f32, second as f32);
                    let new = f64::from(*value) * (1.0 - decay) - rate * direction(first, second);
                    *value = new as f32;
                    *average = (ema * f64::from(*average) + (1.0 - ema) * new) as f32;
                });
        }
        transfer::from_host(&vars, all)
    }
}
