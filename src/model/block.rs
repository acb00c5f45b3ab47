//! One block of the grid model: look at the neighbours, then think per cell.
//!
//! ```text
//! y   = rms(x + depthwise(x) M)
//! out = rms(y + (silu(y G) * (y U)) D)
//! ```
//!
//! x is (cells, C), channels last; `rms` has no weights and normalises over channels. Here the
//! block is made of plain tensor operations, which run on every device and are the reference in
//! tests; on the CPU whole segments run fused (see `fused`).

use super::convolution::convolve;
use super::kernels::RMS_EPS;
use super::layout::Layout;
use crate::Result;
use candle_core::{D, Tensor};

/// The weights of a block.
#[derive(Debug, Clone)]
pub struct Block {
    /// (k k, C): taps of a k x k kernel row by row from the lower left neighbour.
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
    /// The names and shapes of a block's tensors for C channels, E hidden ones and a kernel of k x k.
    pub fn tensors(
        channels: usize,
        hidden: usize,
        kernel: usize,
    ) -> [(&'static str, [usize; 2]); 5] {
        [
            ("depthwise", [kernel * kernel, channels]),
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
        kernel: usize,
        mut get: impl FnMut(&str, &[usize]) -> Result<Tensor>,
    ) -> Result<Self> {
        let [depthwise, mix, gate, up, down] = Self::tensors(channels, hidden, kernel);
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
        let (taps, channels) = self.depthwise.dims2()?;
        // depthwise(x) M is one convolution, with the matrices diag(w_t) M of the taps t.
        let w = self.depthwise.unsqueeze(2)?;
        let w = w.broadcast_mul(&self.mix.unsqueeze(0)?)?;
        let w = w.reshape((taps * channels, channels))?;
        let y = rms(&(x + convolve(x, &w, layout)?)?)?;
        let h = (y.matmul(&self.gate)?.silu()? * y.matmul(&self.up)?)?;
        rms(&(&y + h.matmul(&self.down)?)?)
    }
}

/// `x / sqrt(mean(x^2) + eps)` over the last dimension.
fn rms(x: &Tensor) -> Result<Tensor> {
    let width = x.dim(D::Minus1)? as f64;
    let squares = x.sqr()?.sum_keepdim(D::Minus1)?;
    let scale = squares.affine(1.0 / width, f64::from(RMS_EPS))?.sqrt()?;
    Ok(x.broadcast_div(&scale)?)
}
