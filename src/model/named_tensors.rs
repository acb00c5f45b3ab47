//! Weights by name, checked against what a model needs before any of it is built.

use crate::{Error, Result};
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;

/// A model's tensors, all there, none too many, each of its shape and all of one type.
#[derive(Debug, Clone)]
pub(super) struct NamedTensors(BTreeMap<String, Tensor>);

impl NamedTensors {
    /// The tensors of a model that needs exactly those `expected`, names and shapes, as `dtype`.
    ///
    /// # Errors
    /// The first tensor that is missing, extra or of another shape.
    pub fn checked(
        expected: Vec<(String, Vec<usize>)>,
        tensors: &BTreeMap<String, Tensor>,
        dtype: DType,
    ) -> Result<Self> {
        let expected: BTreeMap<_, _> = expected.into_iter().collect();
        if let Some(name) = tensors.keys().find(|name| !expected.contains_key(*name)) {
            return Err(Error::ExtraTensor { name: name.clone() });
        }
        let mut checked = BTreeMap::new();
        for (name, expected) in expected {
            let Some(tensor) = tensors.get(&name) else {
                return Err(Error::MissingTensor { name });
            };
            if tensor.dims() != expected {
                return Err(Error::TensorShape {
                    name,
                    actual: tensor.dims().to_vec(),
                    expected,
                });
            }
            checked.insert(name, tensor.to_dtype(dtype)?);
        }
        Ok(Self(checked))
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] if it was not among those expected.
    pub fn get(&self, name: &str) -> Result<Tensor> {
        let tensor = self.0.get(name).cloned();
        tensor.ok_or_else(|| Error::MissingTensor { name: name.into() })
    }

    /// The same tensors outside the graph. They share their values with the original ones: what
    /// an optimiser changes in place, these see too.
    pub fn detached(&self) -> Self {
        let detached = self.0.iter().map(|(name, t)| (name.clone(), t.detach()));
        Self(detached.collect())
    }

    /// Names and tensors, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}
