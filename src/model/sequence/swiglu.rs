//! The gated unit: `y = (silu(x G^T) * (x U^T)) D^T`.
//!
//! G and U are stored under each other in one matrix, as published. The same unit mixes channels
//! in every layer and, in TRM's MLP variant, tokens.

use super::linear::Linear;
use crate::Result;
use crate::model::named_tensors::NamedTensors;
use crate::model::row_ops::gated;
use candle_core::Tensor;

/// Hidden widths are multiples of this (`_find_multiple` in the published `layers.py`).
const WIDTH_STEP: usize = 256;

/// The gated unit.
#[derive(Debug, Clone)]
pub(super) struct SwiGlu {
    gate_up: Linear,
    down: Linear,
}

impl SwiGlu {
    /// Names and shapes of its tensors for inputs and outputs of `width`.
    pub fn tensors(width: usize, expansion: f64) -> [(&'static str, Vec<usize>); 2] {
        let hidden = hidden_width(width, expansion);
        [
            ("gate_up_proj.weight", vec![2 * hidden, width]),
            ("down_proj.weight", vec![width, hidden]),
        ]
    }

    pub fn new(tensors: &NamedTensors, path: &str) -> Result<Self> {
        Ok(Self {
            gate_up: Linear::new(tensors, &format!("{path}.gate_up_proj"))?,
            down: Linear::new(tensors, &format!("{path}.down_proj"))?,
        })
    }

    /// E, values between its two maps.
    pub fn hidden(&self) -> usize {
        self.down.weight().dim(1).unwrap_or(0)
    }

    /// Its weights, in the order of [`SwiGlu::tensors`].
    pub fn weights(&self) -> [&Tensor; 2] {
        [self.gate_up.weight(), self.down.weight()]
    }

    /// (.., width) to (.., width).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.down.forward(&gated(&self.gate_up.forward(x)?)?)
    }
}

/// Two thirds of `expansion` times the width, so that three matrices cost what two would, up to
/// the next multiple of 256. Python rounds halves to even.
fn hidden_width(width: usize, expansion: f64) -> usize {
    let wanted = (expansion * width as f64 * 2.0 / 3.0).round_ties_even() as usize;
    wanted.next_multiple_of(WIDTH_STEP)
}
