//! The numbers behind tensors in main memory, for kernels that read plain slices.

use candle_core::{CpuStorage, Layout, Storage, Tensor};

type CandleResult<T> = candle_core::Result<T>;

/// The f32 numbers of an argument of a custom operation.
///
/// # Errors
/// An argument that is not contiguous, or of another type.
pub(super) fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> CandleResult<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("kernels need contiguous arguments"),
    }
}

/// Runs a function on the numbers of contiguous f32 tensors that are on the CPU.
///
/// # Errors
/// A tensor that is not.
pub(super) fn with_slices<R>(
    tensors: &[&Tensor],
    f: impl FnOnce(&[&[f32]]) -> R,
) -> CandleResult<R> {
    let held: Vec<_> = tensors.iter().map(|t| t.storage_and_layout()).collect();
    let slices = held.iter().map(|(storage, layout)| match &**storage {
        Storage::Cpu(storage) => values(storage, layout),
        _ => candle_core::bail!("kernels run on the CPU only"),
    });
    Ok(f(&slices.collect::<CandleResult<Vec<_>>>()?))
}

/// [`with_slices`] of a fixed number of tensors.
///
/// # Errors
/// As [`with_slices`].
pub(super) fn with_values<const N: usize, R>(
    tensors: [&Tensor; N],
    f: impl FnOnce([&[f32]; N]) -> R,
) -> CandleResult<R> {
    with_slices(&tensors, |slices| {
        f(std::array::from_fn(|tensor| slices[tensor]))
    })
}
