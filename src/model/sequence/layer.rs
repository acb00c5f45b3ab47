//! A layer and a module of layers.
//!
//! ```text
//! y   = rms(x + mix(x))
//! out = rms(y + swiglu(y))
//! ```
//!
//! on (B, T, D), where mix is attention, or in TRM's MLP variant a gated unit over the tokens.
//! Norms come after the residual, have no weights, and normalise over the dimension just mixed.

use super::attention::Attention;
use super::config::SequenceConfig;
use super::inference::{self, Halves};
use super::rotary::Rotary;
use super::swiglu::SwiGlu;
use crate::Result;
use crate::model::Precision;
use crate::model::named_tensors::NamedTensors;
use crate::model::row_ops::add_rms;
use candle_core::Tensor;
use std::sync::Arc;

/// What mixes the tokens.
#[derive(Debug, Clone)]
pub(super) enum Mixer {
    Attention(Attention),
    /// Over the tokens of each channel.
    Tokens(SwiGlu),
}

/// One layer.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub mixer: Mixer,
    pub mlp: SwiGlu,
    pub eps: f64,
}

impl Layer {
    fn new(config: &SequenceConfig, tensors: &NamedTensors, path: &str) -> Result<Self> {
        let mixer = if config.mlp_t {
            Mixer::Tokens(SwiGlu::new(tensors, &format!("{path}.mlp_t"))?)
        } else {
            let path = format!("{path}.self_attn");
            Mixer::Attention(Attention::new(tensors, &path, config.num_heads)?)
        };
        Ok(Self {
            mixer,
            mlp: SwiGlu::new(tensors, &format!("{path}.mlp"))?,
            eps: config.rms_norm_eps,
        })
    }

    /// All its weights: two of the mixer, two of the gated unit.
    pub fn weights(&self) -> [&Tensor; 4] {
        let [first, second] = match &self.mixer {
            Mixer::Attention(attention) => attention.weights(),
            Mixer::Tokens(mlp) => mlp.weights(),
        };
        let [gate_up, down] = self.mlp.weights();
        [first, second, gate_up, down]
    }

    fn forward(&self, x: &Tensor, rotary: Option<&Rotary>) -> Result<Tensor> {
        let y = match &self.mixer {
            Mixer::Attention(attention) => add_rms(x, &attention.forward(x, rotary)?, self.eps)?,
            Mixer::Tokens(mlp) => {
                let x = x.transpose(1, 2)?.contiguous()?;
                let y = add_rms(&x, &mlp.forward(&x)?, self.eps)?;
                y.transpose(1, 2)?.contiguous()?
            }
        };
        add_rms(&y, &self.mlp.forward(&y)?, self.eps)
    }
}

/// Names and shapes of the tensors of a module with `layers` layers.
pub(super) fn module_tensors(
    config: &SequenceConfig,
    module: &str,
    layers: usize,
) -> Vec<(String, Vec<usize>)> {
    let mut tensors = Vec::new();
    let mut add = |layer: usize, part: &str, parts: [(&str, Vec<usize>); 2]| {
        for (name, shape) in parts {
            tensors.push((format!("{module}.layers.{layer}.{part}.{name}"), shape));
        }
    };
    for layer in 0..layers {
        if config.mlp_t {
            let parts = SwiGlu::tensors(config.places(), config.expansion);
            add(layer, "mlp_t", parts);
        } else {
            add(layer, "self_attn", Attention::tensors(config.hidden_size));
        }
        let parts = SwiGlu::tensors(config.hidden_size, config.expansion);
        add(layer, "mlp", parts);
    }
    tensors
}

/// Layers one after the other: L or H.
#[derive(Debug, Clone)]
pub(super) struct Module {
    layers: Vec<Layer>,
    /// Set where products are to be in bf16.
    halves: Option<Arc<Halves>>,
}

impl Module {
    pub fn new(
        config: &SequenceConfig,
        tensors: &NamedTensors,
        module: &str,
        layers: usize,
    ) -> Result<Self> {
        let layers = (0..layers)
            .map(|i| Layer::new(config, tensors, &format!("{module}.layers.{i}")))
            .collect::<Result<_>>()?;
        Ok(Self {
            layers,
            halves: None,
        })
    }

    /// The same module with its products in this precision.
    pub fn with_precision(&self, precision: Precision) -> Result<Self> {
        let halves = match precision {
            Precision::F32 => None,
            Precision::Bf16 => Some(Arc::new(inference::halves(&self.layers)?)),
        };
        let layers = self.layers.clone();
        Ok(Self { layers, halves })
    }

    /// The same module in the precision of one with the same values.
    pub fn as_precise_as(&self, other: &Self) -> Self {
        Self {
            layers: self.layers.clone(),
            halves: other.halves.clone(),
        }
    }

    /// (B, T, D) to (B, T, D).
    pub fn forward(&self, x: &Tensor, rotary: Option<&Rotary>) -> Result<Tensor> {
        let Self { layers, halves } = self;
        if let Some(out) = inference::forward(layers, halves.as_deref(), x, rotary)? {
            return Ok(out);
        }
        layers
            .iter()
            .try_fold(x.clone(), |x, layer| layer.forward(&x, rotary))
    }
}
