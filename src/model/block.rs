//! One block of the grid model: look at the neighbours, then think per cell.
//!
//! ```text
//! y   = rms(x + depthwise3x3(x) M)
//! out = rms(y + (silu(y G) * (y U)) D)
//! ```
//!
//! x is (cells, C), channels last; `rms` has no weights and normalises over channels. There are
//! two formulations of the same function: a fused one on the CPU (see `kernels`) with its own
//! backward pass, and one of plain tensor operations that runs on every device and is the
//! reference in tests.

use super::convolution::convolve;
use super::kernels::{self, BlockShape, RMS_EPS};
use super::layout::Layout;
use crate::Result;
use candle_core::{CpuStorage, CustomOp2, D, Shape, Tensor};

/// How a block is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formulation {
    /// One fused pass over the cells. CPU only.
    #[default]
    Fused,
    /// Plain tensor operations. Any device; on the CPU many times slower.
    Plain,
}

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
    /// All of the above in one vector, as the fused formulation reads them.
    packed: Tensor,
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
        let packed = pack([&depthwise, &mix, &gate, &up, &down])?;
        Ok(Self {
            depthwise,
            mix,
            gate,
            up,
            down,
            packed,
        })
    }

    /// The block whose packed weights follow the present values of its tensors; after an
    /// optimiser has changed them in place, this is how the fused formulation learns of it.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn repacked(&self) -> Result<Self> {
        let packed = pack([&self.depthwise, &self.mix, &self.gate, &self.up, &self.down])?;
        Ok(Self {
            packed,
            ..self.clone()
        })
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
            packed: self.packed.detach(),
        }
    }

    /// The block's output for x, (cells, C) both.
    ///
    /// # Errors
    /// A tensor operation that fails, such as [`Formulation::Fused`] away from the CPU.
    pub fn forward(&self, x: &Tensor, layout: &Layout, by: Formulation) -> Result<Tensor> {
        match by {
            Formulation::Fused => {
                let (channels, hidden) = self.gate.dims2()?;
                let op = FusedBlock {
                    shape: BlockShape { channels, hidden },
                    layout: layout.clone(),
                };
                Ok(x.apply_op2(&self.packed, op)?)
            }
            Formulation::Plain => self.forward_plain(x, layout),
        }
    }

    fn forward_plain(&self, x: &Tensor, layout: &Layout) -> Result<Tensor> {
        let channels = x.dim(1)?;
        // depthwise3x3(x) M is one convolution, with the matrices diag(w_t) M of the taps t.
        let w = self.depthwise.unsqueeze(2)?;
        let taps = w.broadcast_mul(&self.mix.unsqueeze(0)?)?;
        let taps = taps.reshape((9 * channels, channels))?;
        let y = rms(&(x + convolve(x, &taps, layout)?)?)?;
        let h = (y.matmul(&self.gate)?.silu()? * y.matmul(&self.up)?)?;
        rms(&(&y + h.matmul(&self.down)?)?)
    }
}

fn pack(tensors: [&Tensor; 5]) -> Result<Tensor> {
    let flat: candle_core::Result<Vec<_>> = tensors.into_iter().map(Tensor::flatten_all).collect();
    Ok(Tensor::cat(&flat?, 0)?)
}

/// `x / sqrt(mean(x^2) + eps)` over the last dimension.
fn rms(x: &Tensor) -> Result<Tensor> {
    let width = x.dim(D::Minus1)? as f64;
    let squares = x.sqr()?.sum_keepdim(D::Minus1)?;
    let scale = squares.affine(1.0 / width, f64::from(RMS_EPS))?.sqrt()?;
    Ok(x.broadcast_div(&scale)?)
}

/// [`kernels`] as an operation of candle's graph: arguments x and packed weights.
struct FusedBlock {
    shape: BlockShape,
    layout: Layout,
}

impl FusedBlock {
    fn check(&self, x: &Shape, packed: &Shape) -> candle_core::Result<()> {
        let want = [self.layout.cells(), self.shape.channels];
        if x.dims() != want || packed.dims() != [self.shape.packed_len()] {
            candle_core::bail!("grid block: x is {x:?}, weights {packed:?}, x must be {want:?}");
        }
        Ok(())
    }
}

fn f32_slice<'a>(
    storage: &'a CpuStorage,
    layout: &candle_core::Layout,
) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("grid block: arguments must be contiguous"),
    }
}

impl CustomOp2 for FusedBlock {
    fn name(&self) -> &'static str {
        "grid-block"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &candle_core::Layout,
        packed: &CpuStorage,
        packed_layout: &candle_core::Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.check(x_layout.shape(), packed_layout.shape())?;
        let (x, packed) = (f32_slice(x, x_layout)?, f32_slice(packed, packed_layout)?);
        let out = kernels::forward(self.shape, &self.layout, packed, x);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        packed: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let (dx, dw) = {
            let (x_storage, x_layout) = x.storage_and_layout();
            let (w_storage, w_layout) = packed.storage_and_layout();
            let (g_storage, g_layout) = gradient.storage_and_layout();
            let (
                candle_core::Storage::Cpu(x),
                candle_core::Storage::Cpu(w),
                candle_core::Storage::Cpu(g),
            ) = (&*x_storage, &*w_storage, &*g_storage)
            else {
                candle_core::bail!("grid block: the fused formulation runs on the CPU only");
            };
            kernels::backward(
                self.shape,
                &self.layout,
                f32_slice(w, w_layout)?,
                f32_slice(x, x_layout)?,
                f32_slice(g, g_layout)?,
            )
        };
        let dx = Tensor::from_vec(dx, x.shape(), x.device())?;
        let dw = Tensor::from_vec(dw, packed.shape(), packed.device())?;
        Ok((Some(dx), Some(dw)))
    }
}
