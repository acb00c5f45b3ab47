//! The depthwise 3 x 3 convolution of a chunk and its gradients. Sums stay in registers: each
//! output is written once.

use super::chunk::Chunk;
use pulp::Simd;

/// Vectors of channels that are summed side by side: enough to hide the latency of the sums, few
/// enough to stay in the registers of every instruction set.
const VECTORS: usize = 4;

/// `out = sum of taps of x with weights (9 x C)` for the cells of a chunk, or `out += ..`.
///
/// x is the whole batch, `out` the chunk's cells.
#[inline(always)]
pub(super) fn depthwise<S: Simd>(
    simd: S,
    chunk: &Chunk,
    channels: usize,
    weights: &[f32],
    x: &[f32],
    out: &mut [f32],
    accumulate: bool,
) {
    let n = channels / S::F32_LANES;
    let (weights, x) = (S::as_simd_f32s(weights).0, S::as_simd_f32s(x).0);
    let out = S::as_mut_simd_f32s(out).0;
    let mut place = chunk.place(0);
    for out in out.chunks_exact_mut(n) {
        let (taps, count) = chunk.under_taps(place);
        let taps = &taps[..count];
        place = chunk.after(place);
        let mut at = 0;
        while at + VECTORS <= n {
            columns::<S, VECTORS>(simd, taps, n, at, weights, x, out, accumulate);
            at += VECTORS;
        }
        while at < n {
            columns::<S, 1>(simd, taps, n, at, weights, x, out, accumulate);
            at += 1;
        }
    }
}

/// V vectors of channels of one cell, from vector `at` on.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // the inner loop of one function, split off for its width
fn columns<S: Simd, const V: usize>(
    simd: S,
    taps: &[(usize, usize)],
    n: usize,
    at: usize,
    weights: &[S::f32s],
    x: &[S::f32s],
    out: &mut [S::f32s],
    accumulate: bool,
) {
    let out = &mut out[at..at + V];
    let mut sums = [simd.splat_f32s(0.0); V];
    if accumulate {
        sums.copy_from_slice(out);
    }
    for &(tap, cell) in taps {
        let w = &weights[tap * n + at..tap * n + at + V];
        let x = &x[cell * n + at..cell * n + at + V];
        for v in 0..V {
            sums[v] = simd.mul_add_e_f32s(w[v], x[v], sums[v]);
        }
    }
    out.copy_from_slice(&sums);
}

/// `dw[tap] += sum over the chunk's cells of dt * x under the tap`, (9 x C).
///
/// x and dt are the whole batch.
#[inline(always)]
pub(super) fn depthwise_weights<S: Simd>(
    simd: S,
    chunk: &Chunk,
    channels: usize,
    x: &[f32],
    dt: &[f32],
    dw: &mut [f32],
) {
    let n = channels / S::F32_LANES;
    let (x, dt) = (S::as_simd_f32s(x).0, S::as_simd_f32s(dt).0);
    let dw = S::as_mut_simd_f32s(dw).0;
    for tap in 0..9 {
        let dw = &mut dw[tap * n..(tap + 1) * n];
        let mut i = 0;
        while i < chunk.len {
            let ((start, cells, under), next) = chunk.run_under(tap, i);
            i = next;
            let x = &x[under * n..(under + cells) * n];
            let first = chunk.first() + start;
            let dt = &dt[first * n..(first + cells) * n];
            let mut at = 0;
            while at + VECTORS <= n {
                tap_columns::<S, VECTORS>(simd, n, at, x, dt, dw);
                at += VECTORS;
            }
            while at < n {
                tap_columns::<S, 1>(simd, n, at, x, dt, dw);
                at += 1;
            }
        }
    }
}

/// V vectors of channels of one tap, summed over a run of cells.
#[inline(always)]
fn tap_columns<S: Simd, const V: usize>(
    simd: S,
    n: usize,
    at: usize,
    x: &[S::f32s],
    dt: &[S::f32s],
    dw: &mut [S::f32s],
) {
    let dw = &mut dw[at..at + V];
    let mut sums = [simd.splat_f32s(0.0); V];
    sums.copy_from_slice(dw);
    for (x, dt) in x.chunks_exact(n).zip(dt.chunks_exact(n)) {
        let (x, dt) = (&x[at..at + V], &dt[at..at + V]);
        for v in 0..V {
            sums[v] = simd.mul_add_e_f32s(x[v], dt[v], sums[v]);
        }
    }
    dw.copy_from_slice(&sums);
}
