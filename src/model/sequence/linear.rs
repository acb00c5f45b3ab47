//! A linear map with its weight stored as PyTorch does.

use crate::Result;
use crate::model::named_tensors::NamedTensors;
use candle_core::Tensor;

/// `y = x W^T + b`.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    /// (outputs, inputs)
    weight: Tensor,
    /// (outputs)
    bias: Option<Tensor>,
}

impl Linear {
    /// The map without bias whose weight is `{path}.weight`.
    pub fn new(tensors: &NamedTensors, path: &str) -> Result<Self> {
        Ok(Self {
            weight: tensors.get(&format!("{path}.weight"))?,
            bias: None,
        })
    }

    /// The map whose weight and bias are `{path}.weight` and `{path}.bias`.
    pub fn with_bias(tensors: &NamedTensors, path: &str) -> Result<Self> {
        Ok(Self {
            bias: Some(tensors.get(&format!("{path}.bias"))?),
            ..Self::new(tensors, path)?
        })
    }

    /// (outputs, inputs)
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// (.., inputs) to (.., outputs).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (outputs, inputs) = self.weight.dims2()?;
        // One matrix product over all leading dimensions.
        let rows = x.reshape(((), inputs))?;
        let mut y = rows.matmul(&self.weight.t()?)?;
        if let Some(bias) = &self.bias {
            y = y.broadcast_add(bias)?;
        }
        let mut shape = x.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        Ok(y.reshape(shape)?)
    }
}
