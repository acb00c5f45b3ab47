//! The numbers that a model computes with at inference.

use serde::{Deserialize, Serialize};

/// The numbers that the matrix products of a grid model's fused blocks and of a sequence model's
/// layers read, attention's own among them; sums, states, softmax and norms are f32 in any case.
/// Training is always f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits of mantissa.
    #[default]
    F32,
    /// 8 bits of mantissa. Faster on processors with `AVX512_BF16`; elsewhere the same plans at the
    /// speed of f32.
    Bf16,
}
