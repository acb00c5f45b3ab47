//! A convolution of 3 x 3 or 5 x 5 over images of different sizes, of tensor operations that every device has.
//!
//! With x (cells, C), one matrix `W_t` (C, D) per tap and n(i, t) the cell under tap t of cell i:
//!
//! ```text
//! y_i = sum over t of  x_n(i, t) W_t            x outside of an image is 0
//! ```
//!
//! The rows under the T taps are gathered side by side, (cells, T C), and multiplied by the T
//! matrices under each other, (T C, D): two operations, however many images there are. On a GPU
//! few operations are worth more than few products.
//!
//! The backward pass is made of the same two. Cell j lies under tap t of cell i exactly if i lies
//! under tap T - 1 - t of j, so that the gradient of x is this convolution of the gradient of y, with
//! the taps in reverse and every matrix transposed. candle's own gradient of a gather is right but
//! adds up row after row in one thread per channel, which on a GPU takes longer than all the rest.

use super::layout::Layout;
use crate::Result;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, Layout as Strides, Shape, Storage, Tensor};

type CandleResult<T> = candle_core::Result<T>;

/// The convolution of x (cells, C) with weights (T C, D), taps row by row from the lower left
/// neighbour: (cells, D).
///
/// # Errors
/// A tensor operation that fails, such as for shapes that do not fit.
pub(super) fn convolve(x: &Tensor, weight: &Tensor, layout: &Layout) -> Result<Tensor> {
    let side = (weight.dim(0)? / x.dim(1)?).isqrt();
    let taps = layout.taps(side, x.device())?;
    let op = Convolution { taps };
    Ok(x.contiguous()?.apply_op2(&weight.contiguous()?, op)?)
}

/// What lies under the taps of every cell, side by side: (cells, C) to (cells, T C).
fn gather(x: &Tensor, taps: &Tensor) -> CandleResult<Tensor> {
    let (cells, channels) = x.dims2()?;
    x.index_select(taps, 0)?
        .reshape((cells, taps.elem_count() / cells * channels))
}

struct Convolution {
    /// As [`Layout::taps`] gives them.
    taps: Tensor,
}

impl Convolution {
    /// The forward pass on the storage of any device; every argument comes with its strides.
    fn forward<S: BackendStorage>(
        x: (&S, &Strides),
        weight: (&S, &Strides),
        taps: (&S, &Strides),
    ) -> CandleResult<(S, Shape)> {
        let (cells, channels) = x.1.shape().dims2()?;
        let (inputs, outputs) = weight.1.shape().dims2()?;
        if inputs * cells != taps.1.shape().elem_count() * channels {
            candle_core::bail!(
                "convolution: x is {:?}, the weights are {:?} and the layout has {} taps",
                x.1.shape(),
                weight.1.shape(),
                taps.1.shape().elem_count()
            );
        }
        let gathered = x.0.index_select(taps.0, x.1, taps.1, 0)?;
        let strides = Strides::contiguous((cells, inputs));
        let sizes = (1, cells, outputs, inputs);
        let out = gathered.matmul(weight.0, sizes, &strides, weight.1)?;
        Ok((out, Shape::from((cells, outputs))))
    }
}

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_strides: &Strides,
        weight: &CpuStorage,
        weight_strides: &Strides,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (taps, taps_strides) = self.taps.storage_and_layout();
        let Storage::Cpu(taps) = &*taps else {
            candle_core::bail!("convolution: the taps are on another device than the cells");
        };
        Self::forward(
            (x, x_strides),
            (weight, weight_strides),
            (taps, taps_strides),
        )
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_strides: &Strides,
        weight: &CudaStorage,
        weight_strides: &Strides,
    ) -> CandleResult<(CudaStorage, Shape)> {
        let (taps, taps_strides) = self.taps.storage_and_layout();
        let Storage::Cuda(taps) = &*taps else {
            candle_core::bail!("convolution: the taps are on another device than the cells");
        };
        Self::forward(
            (x, x_strides),
            (weight, weight_strides),
            (taps, taps_strides),
        )
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let (channels, outputs) = (x.dim(1)?, gradient.dim(1)?);
        let taps = weight.dim(0)? / channels;
        // W_T-1^T .. W_1^T, W_0^T under each other: (T D, C).
        let turned = weight
            .detach()
            .reshape((taps, channels, outputs))?
            .flip(&[0])?
            .transpose(1, 2)?
            .reshape((taps * outputs, channels))?;
        let dx = gather(&gradient, &self.taps)?.matmul(&turned)?;
        let dw = gather(&x.detach(), &self.taps)?.t()?.matmul(&gradient)?;
        Ok((Some(dx), Some(dw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAPS: usize = 9;
    use candle_core::{Device, Var};

    /// Nine gathers and products, one after the other, with candle's own backward pass.
    fn tap_by_tap(x: &Tensor, weight: &Tensor, layout: &Layout) -> Tensor {
        let (cells, channels) = x.dims2().unwrap();
        let taps = layout.taps(3, x.device()).unwrap();
        let taps = taps.reshape((cells, TAPS)).unwrap();
        let zeros = Tensor::zeros((1, channels), x.dtype(), x.device()).unwrap();
        let padded = Tensor::cat(&[x, &zeros], 0).unwrap();
        let mut y: Option<Tensor> = None;
        for tap in 0..TAPS {
            let under: Vec<u32> = taps.get_on_dim(1, tap).unwrap().to_vec1().unwrap();
            let under: Vec<u32> = under.into_iter().map(|i| i.min(cells as u32)).collect();
            let under = Tensor::new(under, x.device()).unwrap();
            let w = weight.narrow(0, tap * channels, channels).unwrap();
            let part = padded.index_select(&under, 0).unwrap().matmul(&w).unwrap();
            y = Some(match y {
                Some(y) => (y + part).unwrap(),
                None => part,
            });
        }
        y.unwrap()
    }

    #[test]
    fn outputs_and_gradients_equal_those_of_single_taps() {
        let layout = Layout::new(vec![(4, 5), (1, 1), (3, 1), (1, 6)]);
        let waves = |(rows, cols), step: f64| {
            let values: Vec<f64> = (0..rows * cols).map(|i| (step * i as f64).sin()).collect();
            Var::from_vec(values, (rows, cols), &Device::Cpu).unwrap()
        };
        let x = waves((layout.tokens(), 3), 0.7);
        let weight = waves((TAPS * 3, 2), 1.3);
        let probe = waves((layout.tokens(), 2), 2.9);
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let all = |y: Tensor| {
            let loss = (&y * probe.as_tensor()).unwrap().sum_all().unwrap();
            let store = loss.backward().unwrap();
            let gradients = [&x, &weight].map(|var| flat(store.get(var).unwrap()));
            [vec![flat(&y)], gradients.to_vec()].concat().concat()
        };
        let ours = all(convolve(&x, &weight, &layout).unwrap());
        let reference = all(tap_by_tap(&x, &weight, &layout));
        assert_eq!(ours.len(), reference.len());
        for (at, (ours, reference)) in ours.iter().zip(&reference).enumerate() {
            assert!((ours - reference).abs() < 1e-12, "{at}: {ours} {reference}");
        }
    }
}
