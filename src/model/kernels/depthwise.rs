//! The depthwise convolution of a chunk and its gradients, for kernels of 3 x 3 and 5 x 5.
//!
//! The tokens under the taps come from a table, so that images of any shape, with places left
//! empty, cost what their tokens cost. One or two vectors of channels at a time, sums and weights
//! stay in registers.

use super::chunk::Chunk;
use crate::model::layout::NOWHERE;
use pulp::Simd;

/// Taps of a kernel of 3 x 3.
const SMALL: usize = 9;
/// Taps of a kernel of 5 x 5.
const LARGE: usize = 25;

/// `out = sum of taps of x with weights (taps x C)` for the tokens of a chunk, or `out += ..`.
///
/// x is the whole batch, `out` the chunk's tokens.
#[inline(always)]
pub(super) fn depthwise<S: Simd>(
    simd: S,
    chunk: &Chunk<'_>,
    channels: usize,
    weights: &[f32],
    x: &[f32],
    out: &mut [f32],
    accumulate: bool,
) {
    let n = channels / S::F32_LANES;
    let taps = weights.len() / channels;
    let (weights, x) = (S::as_simd_f32s(weights).0, S::as_simd_f32s(x).0);
    let out = S::as_mut_simd_f32s(out).0;
    let mut at = 0;
    // Two vectors hide each other's latency, where there are registers for 18 weights.
    while taps == SMALL && S::REGISTER_COUNT >= 32 && at + 2 <= n {
        vectors::<S, SMALL, 2>(simd, (chunk, n, at), weights, x, out, accumulate);
        at += 2;
    }
    while at < n {
        if taps == SMALL {
            vectors::<S, SMALL, 1>(simd, (chunk, n, at), weights, x, out, accumulate);
        } else {
            vectors::<S, LARGE, 1>(simd, (chunk, n, at), weights, x, out, accumulate);
        }
        at += 1;
    }
}

/// V vectors, from vector `at` on of the `n` of a token.
#[inline(always)]
fn vectors<S: Simd, const TAPS: usize, const V: usize>(
    simd: S,
    (chunk, n, at): (&Chunk<'_>, usize, usize),
    weights: &[S::f32s],
    x: &[S::f32s],
    out: &mut [S::f32s],
    accumulate: bool,
) {
    let zero = [simd.splat_f32s(0.0); V];
    let mut w = [zero; TAPS];
    for (tap, w) in w.iter_mut().enumerate() {
        w.copy_from_slice(&weights[tap * n + at..][..V]);
    }
    let tokens = chunk.under.as_chunks::<TAPS>().0;
    for (under, out) in tokens.iter().zip(out.chunks_exact_mut(n)) {
        let out = &mut out[at..at + V];
        let mut sum = zero;
        if accumulate {
            sum.copy_from_slice(out);
        }
        for (w, &token) in w.iter().zip(under) {
            if token != NOWHERE {
                let x = &x[token as usize * n + at..][..V];
                for v in 0..V {
                    sum[v] = simd.mul_add_e_f32s(w[v], x[v], sum[v]);
                }
            }
        }
        out.copy_from_slice(&sum);
    }
}

/// `dw[tap] += sum over the chunk's tokens of dt * x under the tap`, (taps x C).
///
/// x and dt are the whole batch.
#[inline(always)]
pub(super) fn depthwise_weights<S: Simd>(
    simd: S,
    chunk: &Chunk<'_>,
    channels: usize,
    x: &[f32],
    dt: &[f32],
    dw: &mut [f32],
) {
    let n = channels / S::F32_LANES;
    let small = dw.len() == SMALL * channels;
    let (x, dt) = (S::as_simd_f32s(x).0, S::as_simd_f32s(dt).0);
    let dw = S::as_mut_simd_f32s(dw).0;
    let dt = &dt[chunk.first * n..(chunk.first + chunk.len) * n];
    for at in 0..n {
        if small {
            weights::<S, SMALL>(simd, (chunk, n, at), x, dt, dw);
        } else {
            weights::<S, LARGE>(simd, (chunk, n, at), x, dt, dw);
        }
    }
}

#[inline(always)]
fn weights<S: Simd, const TAPS: usize>(
    simd: S,
    (chunk, n, at): (&Chunk<'_>, usize, usize),
    x: &[S::f32s],
    dt: &[S::f32s],
    dw: &mut [S::f32s],
) {
    let mut sums = [simd.splat_f32s(0.0); TAPS];
    let tokens = chunk.under.as_chunks::<TAPS>().0;
    for (under, dt) in tokens.iter().zip(dt.chunks_exact(n)) {
        let dt = dt[at];
        for (sum, &token) in sums.iter_mut().zip(under) {
            if token != NOWHERE {
                *sum = simd.mul_add_e_f32s(dt, x[token as usize * n + at], *sum);
            }
        }
    }
    for (tap, sum) in sums.into_iter().enumerate() {
        let dw = &mut dw[tap * n + at];
        *dw = simd.add_f32s(*dw, sum);
    }
}
