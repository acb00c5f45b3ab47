//! One block of the grid model: look at the neighbours, then think per cell.
//!
//! ```text
//! y   = rms(x + depthwise3x3(x) M)
//! out = rms(y + (silu(y G) * (y U)) D)
//! ```
//!
//! x is (cells, C), channels last; `rms` has no weights and normalises over channels. Here the
//! block is made of plain tensor operations, which run on every device and are the reference in
//! tests; on the CPU whole segments run fused (see `fused`).

use super::kernels::RMS_EPS;
use super::layout::Layout;
use crate::Result;
use candle_core::{D, Tensor};

/// The weights of a block.
#[derive(Debug, Clone)]
pub struct Block {
    /// (9, C): taps row by row from the lower left neighbour.
    depthwise: Tensor,
    /// (C, C)
    mix: Tensor,
    /// (C, E)
    gate: Tensor,
    /// (C, E)
    up: Tensor,
    /// (E, C)
    down: Tensor,
}

impl Block {
    /// The names and shapes of a block's tensors for C channels and E hidden ones.
    pub fn tensors(channels: usize, hidden: usize) -> [(&'static str, [usize; 2]); 5] {
        [
            ("depthwise", [9, channels]),
            ("mix", [channels, channels]),
            ("gate", [channels, hidden]),
            ("up", [channels, hidden]),
            ("down", [hidden, channels]),
        ]
    }

    /// A block from its tensors, fetched by name and shape.
    ///
    /// # Errors
    /// Whatever `get` returns, or a tensor operation that fails.
    pub fn new(
        channels: usize,
        hidden: usize,
        mut get: impl FnMut(&str, &[usize]) -> Result<Tensor>,
    ) -> Result<Self> {
        let [depthwise, mix, gate, up, down] = Self::tensors(channels, hidden);
        let depthwise = get(depthwise.0, &depthwise.1)?;
        let mix = get(mix.0, &mix.1)?;
        let gate = get(gate.0, &gate.1)?;
        let up = get(up.0, &up.1)?;
        let down = get(down.0, &down.1)?;
        Ok(Self {
            depthwise,
            mix,
            gate,
            up,
            down,
        })
    }

    /// The weights in the order in which the kernels read them, one vector each.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub(super) fn flat(&self) -> Result<[Tensor; 5]> {
        Ok([
            self.depthwise.flatten_all()?,
            self.mix.flatten_all()?,
            self.gate.flatten_all()?,
            self.up.flatten_all()?,
            self.down.flatten_all()?,
        ])
    }

    /// The same block outside the graph: no gradient flows into its weights.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            depthwise: self.depthwise.detach(),
            mix: self.mix.detach(),
            gate: self.gate.detach(),
            up: self.up.detach(),
            down: self.down.detach(),
        }
    }

    /// The block's output for x, (cells, C) both.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn forward(&self, x: &Tensor, layout: &Layout) -> Result<Tensor> {
        let (cells, channels) = x.dims2()?;
        // Neighbours outside an image point at one extra row of zeros.
        let zeros = Tensor::zeros((1, channels), x.dtype(), x.device())?;
        let padded = Tensor::cat(&[x, &zeros], 0)?;
        let mut t = x.zeros_like()?;
        for tap in 0..9 {
            let under = Tensor::new(layout.under_tap(tap), x.device())?;
            debug_assert_eq!(under.dims1()?, cells);
            let w = self.depthwise.get(tap)?;
            t = (t + padded.index_select(&under, 0)?.broadcast_mul(&w)?)?;
        }
        let y = rms(&(x + t.matmul(&self.mix)?)?)?;
        let g = y.matmul(&self.gate)?;
        // silu(g) = g / (1 + exp(-g)), of operations that have a backward pass.
        let silu = (&g / (g.neg()?.exp()? + 1.0)?)?;
        let h = (silu * y.matmul(&self.up)?)?;
        rms(&(&y + h.matmul(&self.down)?)?)
    }
}

/// `x / sqrt(mean(x^2) + eps)` over the last dimension.
fn rms(x: &Tensor) -> Result<Tensor> {
    let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + f64::from(RMS_EPS))?.sqrt()?;
    Ok(x.broadcast_div(&scale)?)
}
