//! What tests of optimisers need: small weights, backward passes with chosen gradients, and
//! values in f64 to compare with steps computed by hand.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use hrm_training::Weights;
use std::collections::BTreeMap;

/// Vectors by name.
pub type Vectors<'a> = [(&'a str, &'a [f64])];

fn tensor(values: &[f64]) -> Tensor {
    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let length = values.len();
    Tensor::from_vec(values, length, &Device::Cpu).expect("a tensor operation")
}

/// Weights of given values.
pub fn weights(vectors: &Vectors) -> Weights {
    let tensors = vectors
        .iter()
        .map(|&(name, values)| (name.to_owned(), tensor(values)));
    Weights::from_tensors(&tensors.collect()).expect("a tensor operation")
}

/// A backward pass that leaves the given gradients, and none for weights left out.
pub fn gradients(weights: &Weights, vectors: &Vectors) -> GradStore {
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).expect("a tensor operation");
    for (name, gradient) in vectors {
        let product = weights.vars()[*name].as_tensor() * &tensor(gradient);
        let part = product.and_then(|product| product.sum_all());
        loss = (loss + part.expect("a tensor operation")).expect("a tensor operation");
    }
    loss.backward().expect("a tensor operation")
}

/// The values of one of several tensors.
pub fn values(tensors: &BTreeMap<String, Tensor>, name: &str) -> Vec<f64> {
    let values = tensors[name].to_vec1::<f32>().expect("a tensor operation");
    values.into_iter().map(f64::from).collect()
}

pub fn assert_close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() <= 1e-6 * expected.abs().max(1.0),
        "{actual} is not {expected}"
    );
}

pub fn assert_all_close(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (&actual, &expected) in actual.iter().zip(expected) {
        assert_close(actual, expected);
    }
}
