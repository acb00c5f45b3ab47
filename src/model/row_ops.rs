//! Norms, gated units and softmax as operations of candle's graph: one pass over memory each, with
//! a backward pass, which candle's own fused forms lack.
//!
//! On the CPU in f32 they run the kernels of `kernels::rows`; elsewhere, and in f64, the same
//! functions are made of plain tensor operations, which are also the reference in tests.

use super::host_values::{values, with_values};
use super::kernels::rows;
use crate::Result;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, DType, Layout, Shape, Tensor};

type CandleResult<T> = candle_core::Result<T>;

/// `s / sqrt(mean(s^2) + eps)` of `s = x + y` over the last dimension; the shape stays.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn add_rms(x: &Tensor, y: &Tensor, eps: f64) -> Result<Tensor> {
    if has_kernels(x) && x.dims() == y.dims() {
        let eps = eps as f32;
        return Ok(x
            .contiguous()?
            .apply_op2(&y.contiguous()?, AddRms { eps })?);
    }
    let s = (x + y)?;
    let scale = (s.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    Ok(s.broadcast_div(&scale)?)
}

/// `silu(g) * u` of the two halves (g, u) of the last dimension, which is halved.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn gated(gate_up: &Tensor) -> Result<Tensor> {
    if has_kernels(gate_up) {
        return Ok(gate_up.contiguous()?.apply_op1(Gated)?);
    }
    let width = gate_up.dim(D::Minus1)? / 2;
    let gate = gate_up.narrow(D::Minus1, 0, width)?;
    let up = gate_up.narrow(D::Minus1, width, width)?;
    Ok((gate.silu()? * up)?)
}

/// Softmax over the last dimension; the shape stays.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    if has_kernels(x) {
        return Ok(x.contiguous()?.apply_op1(Softmax)?);
    }
    // Subtracting the highest changes nothing but the range, so it is a constant.
    let highest = x.max_keepdim(D::Minus1)?.detach();
    let powers = x.broadcast_sub(&highest)?.exp()?;
    Ok(powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?)
}

fn has_kernels(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

fn last(shape: &Shape) -> usize {
    shape.dims().last().copied().unwrap_or(0)
}

struct AddRms {
    eps: f32,
}

impl CustomOp2 for AddRms {
    fn name(&self) -> &'static str {
        "add-rms"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let shape = x_layout.shape().clone();
        let (x, y) = (values(x, x_layout)?, values(y, y_layout)?);
        let out = rows::add_rms(x, y, last(&shape), self.eps);
        Ok((CpuStorage::F32(out), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let width = last(x.shape());
        let ds = with_values([x, y, &gradient.contiguous()?], |[x, y, gradient]| {
            rows::add_rms_backward([x, y], gradient, width, self.eps)
        })?;
        let ds = Tensor::from_vec(ds, x.shape(), x.device())?;
        Ok((Some(ds.clone()), Some(ds)))
    }
}

struct Gated;

impl CustomOp1 for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let mut dims = layout.dims().to_vec();
        let Some(width) = dims.last_mut() else {
            candle_core::bail!("a gated unit needs a dimension to halve");
        };
        *width /= 2;
        let out = rows::gated(values(x, layout)?, *width);
        Ok((CpuStorage::F32(out), Shape::from(dims)))
    }

    fn bwd(&self, x: &Tensor, out: &Tensor, gradient: &Tensor) -> CandleResult<Option<Tensor>> {
        let width = last(out.shape());
        let dx = with_values([x, &gradient.contiguous()?], |[x, gradient]| {
            rows::gated_backward(x, gradient, width)
        })?;
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}

struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let shape = layout.shape().clone();
        let out = rows::softmax(values(x, layout)?, last(&shape));
        Ok((CpuStorage::F32(out), shape))
    }

    fn bwd(&self, x: &Tensor, out: &Tensor, gradient: &Tensor) -> CandleResult<Option<Tensor>> {
        let width = last(out.shape());
        let dx = with_values([out, &gradient.contiguous()?], |[p, gradient]| {
            rows::softmax_backward(p, gradient, width)
        })?;
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}
