//! Rotary position encoding (arXiv 2104.09864): a token's place turns its queries and keys.
//!
//! Channel i of the first half of a head and channel i of the second are one plane, turned by
//! t theta^(-2 i / d) at place t, with d the channels of a head.

use crate::Result;
use candle_core::{D, DType, Device, Tensor};

/// Cosines and sines of every place, (T, d / 2) each.
#[derive(Debug, Clone)]
pub(super) struct Rotary {
    cos: Tensor,
    sin: Tensor,
}

impl Rotary {
    /// The tables for `places` tokens and heads of `channels` channels, as `dtype`.
    ///
    /// Angles are f32 products of f32 frequencies, as published: at place 900 the rounding of a
    /// frequency shifts an angle by 1e-4, so that better tables would be other tables.
    pub fn new(
        places: usize,
        channels: usize,
        theta: f64,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let half = channels / 2;
        let frequencies: Vec<f32> = (0..half)
            .map(|i| {
                let exponent = (2 * i) as f32 / channels as f32;
                1.0 / (theta.powf(f64::from(exponent)) as f32)
            })
            .collect();
        let angles = (0..places).flat_map(|t| frequencies.iter().map(move |f| t as f32 * f));
        let (sin, cos): (Vec<f32>, Vec<f32>) = angles.map(f32::sin_cos).unzip();
        Ok(Self {
            cos: Tensor::from_vec(cos, (places, half), device)?.to_dtype(dtype)?,
            sin: Tensor::from_vec(sin, (places, half), device)?.to_dtype(dtype)?,
        })
    }

    /// Cosines and sines, (T, d / 2) each.
    pub fn tables(&self) -> [&Tensor; 2] {
        [&self.cos, &self.sin]
    }

    /// (B, N, T, d) turned.
    pub fn turn(&self, x: &Tensor) -> Result<Tensor> {
        let half = self.cos.dim(1)?;
        let a = x.narrow(D::Minus1, 0, half)?;
        let b = x.narrow(D::Minus1, half, half)?;
        let (cos, sin) = (&self.cos, &self.sin);
        let first = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
        let second = (b.broadcast_mul(cos)? + a.broadcast_mul(sin)?)?;
        Ok(Tensor::cat(&[first, second], D::Minus1)?)
    }
}
