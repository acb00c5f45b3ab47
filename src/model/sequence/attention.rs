//! Attention of every token to every token.
//!
//! `softmax(Q K^T / sqrt(d)) V` per head, all heads' outputs through one more linear map; no mask
//! and no bias. Queries, keys and values come from one matrix, heads of Q first, then those of K,
//! then those of V, as published.

use super::linear::Linear;
use super::rotary::Rotary;
use crate::Result;
use crate::model::named_tensors::NamedTensors;
use crate::model::row_ops::softmax;
use candle_core::Tensor;

/// Attention of N heads.
#[derive(Debug, Clone)]
pub(super) struct Attention {
    qkv: Linear,
    out: Linear,
    heads: usize,
}

impl Attention {
    /// Names and shapes of its tensors for D channels.
    pub fn tensors(channels: usize) -> [(&'static str, Vec<usize>); 2] {
        [
            ("qkv_proj.weight", vec![3 * channels, channels]),
            ("o_proj.weight", vec![channels, channels]),
        ]
    }

    pub fn new(tensors: &NamedTensors, path: &str, heads: usize) -> Result<Self> {
        Ok(Self {
            qkv: Linear::new(tensors, &format!("{path}.qkv_proj"))?,
            out: Linear::new(tensors, &format!("{path}.o_proj"))?,
            heads,
        })
    }

    /// N
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Its weights, in the order of [`Attention::tensors`].
    pub fn weights(&self) -> [&Tensor; 2] {
        [self.qkv.weight(), self.out.weight()]
    }

    /// (B, T, D) to (B, T, D).
    pub fn forward(&self, x: &Tensor, rotary: Option<&Rotary>) -> Result<Tensor> {
        let (batch, places, channels) = x.dims3()?;
        let d = channels / self.heads;
        let qkv = self.qkv.forward(x)?;
        let qkv = qkv.reshape((batch, places, 3 * self.heads, d))?;
        // (B, N, T, d) of queries, keys and values.
        let part = |which: usize| -> Result<Tensor> {
            let heads = qkv.narrow(2, which * self.heads, self.heads)?;
            Ok(heads.transpose(1, 2)?.contiguous()?)
        };
        let turned = |x: Tensor| rotary.map_or(Ok(x.clone()), |rotary| rotary.turn(&x));
        let (q, k, v) = (turned(part(0)?)?, turned(part(1)?)?, part(2)?);

        // On (.., T, d) rather than on the scores, which are (.., T, T).
        let q = (q * (d as f64).powf(-0.5))?;
        let scores = q.matmul(&k.t()?)?;
        let mixed = softmax(&scores)?.matmul(&v)?;
        let mixed = mixed.transpose(1, 2)?.reshape((batch, places, channels))?;
        self.out.forward(&mixed)
    }
}
