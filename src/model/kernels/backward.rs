//! The backward pass of the block.
//!
//! Of the forward pass it needs the block's input and its activations. Where those were not kept,
//! each chunk computes them again while its input is in cache: the same numbers, for the price of
//! one forward pass.

use super::chunk::{CHUNK_TOKENS, Chunk, per_group};
use super::depthwise::{depthwise, depthwise_weights};
use super::elementwise::{gated_backward, rms_backward};
use super::forward::{Activations, activate, activations_len};
use super::matmul::{Start, View, matmul};
use super::scratch::{carve, with_scratch};
use super::weights::{BlockShape, WeightsMut};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// A block's weights as its backward pass reads them: transposed, so that its products go through
/// them row by row.
pub(super) struct BackwardWeights<'a> {
    packed: &'a [f32],
    /// The nine taps turned by half a turn.
    turned: Vec<f32>,
    mix: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    down: Vec<f32>,
}

impl<'a> BackwardWeights<'a> {
    pub fn new(shape: BlockShape, packed: &'a [f32]) -> Self {
        let BlockShape {
            channels: c,
            hidden: e,
            ..
        } = shape;
        let weights = shape.split(packed);
        Self {
            packed,
            turned: weights
                .depthwise
                .chunks_exact(c)
                .rev()
                .flatten()
                .copied()
                .collect(),
            mix: transpose(c, c, weights.mix),
            gate: transpose(c, e, weights.gate),
            up: transpose(c, e, weights.up),
            down: transpose(e, c, weights.down),
        }
    }
}

fn transpose(rows: usize, cols: usize, data: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; data.len()];
    for r in 0..rows {
        for c in 0..cols {
            out[c * rows + r] = data[r * cols + c];
        }
    }
    out
}

/// First half of the backward pass of one chunk: everything up to the depthwise convolution.
struct Backward<'a> {
    shape: BlockShape,
    weights: &'a BackwardWeights<'a>,
    x: &'a [f32],
    /// Those of the forward pass, if it kept them.
    activations: Option<&'a [f32]>,
    chunk: &'a Chunk<'a>,
    scratch: &'a mut [f32],
    /// In: gradient of the output; out: gradient of s1, for this chunk.
    ds1: &'a mut [f32],
    /// Out: gradient of t, for this chunk.
    dt: &'a mut [f32],
    /// Added to: gradient of the weights.
    dw: WeightsMut<'a>,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            shape,
            weights,
            x,
            activations,
            chunk,
            scratch,
            ds1,
            dt,
            dw,
        } = self;
        let BlockShape {
            channels: c,
            hidden: e,
            ..
        } = shape;
        let m = chunk.len;
        let (again, rest) = scratch.split_at_mut(m * activations_len(shape));
        let [h, dh, dg, du] = carve(rest, [m * e; 4]);
        let a = if let Some(kept) = activations {
            Activations::kept(shape, chunk, kept)
        } else {
            let mut a = Activations::room(shape, chunk, again);
            activate(
                simd,
                shape,
                &shape.split(weights.packed),
                x,
                chunk,
                &mut a,
                h,
            );
            Activations::kept(shape, chunk, again)
        };

        // In place, ds1 is ds2 until the gate's and up's gradients are added.
        rms_backward(ds1, a.out, c, a.inverse2);
        let ds2 = View::rows(ds1, c);
        matmul(simd, (m, c, e), ds2, &weights.down, dh, Start::Zeros);
        gated_backward(a.g, a.u, dh, [h, dg, du]);
        let (h, y, t) = (
            View::transposed(h, e),
            View::transposed(a.y, c),
            View::transposed(a.t, c),
        );
        matmul(simd, (e, m, c), h, ds1, dw.down, Start::Output);
        matmul(simd, (c, m, e), y, dg, dw.gate, Start::Output);
        matmul(simd, (c, m, e), y, du, dw.up, Start::Output);
        let (dg, du) = (View::rows(dg, e), View::rows(du, e));
        matmul(simd, (m, e, c), dg, &weights.gate, ds1, Start::Output);
        matmul(simd, (m, e, c), du, &weights.up, ds1, Start::Output);
        rms_backward(ds1, a.y, c, a.inverse1);
        matmul(simd, (c, m, c), t, ds1, dw.mix, Start::Output);
        let ds1 = View::rows(ds1, c);
        matmul(simd, (m, c, c), ds1, &weights.mix, dt, Start::Zeros);
    }
}

/// Second half: the depthwise convolution, whose gradient comes from the neighbours' dt.
struct DepthwiseBackward<'a> {
    channels: usize,
    turned: &'a [f32],
    x: &'a [f32],
    dt: &'a [f32],
    chunk: &'a Chunk<'a>,
    /// In: gradient of s1; out: gradient of x, for this chunk.
    dx: &'a mut [f32],
    /// Added to: gradient of the depthwise weights.
    dw: &'a mut [f32],
}

impl WithSimd for DepthwiseBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            channels: c,
            turned,
            x,
            dt,
            chunk,
            dx,
            dw,
        } = self;
        depthwise(simd, chunk, c, turned, dt, dx, true);
        depthwise_weights(simd, chunk, c, x, dt, dw);
    }
}

/// Turns the gradient of a block's output into that of its input x, and adds to those of its
/// weights: of group i of chunks to `partials[i]`, laid out as the packed weights.
///
/// `activations` are those of the forward pass, [`activations_len`] per cell, if it kept them. `dt`
/// is room for as many numbers as x has.
pub(super) fn backward(
    arch: pulp::Arch,
    shape: BlockShape,
    weights: &BackwardWeights<'_>,
    (chunks, x, activations): (&[Chunk<'_>], &[f32], Option<&[f32]>),
    gradient: &mut [f32],
    dt: &mut [f32],
    partials: &mut [&mut [f32]],
) {
    let c = shape.channels;
    let per_cell = activations_len(shape);
    let scratch_len = CHUNK_TOKENS * (per_cell + 4 * shape.hidden);
    per_group(chunks, c, gradient)
        .into_par_iter()
        .zip(per_group(chunks, c, dt))
        .zip(partials.par_iter_mut())
        .for_each(|(((chunks, ds1), (_, dt)), partial)| {
            for ((chunk, ds1), dt) in chunks.iter().zip(ds1).zip(dt) {
                let cells = chunk.first * per_cell..(chunk.first + chunk.len) * per_cell;
                with_scratch(scratch_len, |scratch| {
                    arch.dispatch(Backward {
                        shape,
                        weights,
                        x,
                        activations: activations.map(|kept| &kept[cells]),
                        chunk,
                        scratch,
                        ds1,
                        dt,
                        dw: shape.split_mut(partial),
                    });
                });
            }
        });
    let dt = &*dt;
    per_group(chunks, c, gradient)
        .into_par_iter()
        .zip(partials.par_iter_mut())
        .for_each(|((chunks, dx), partial)| {
            for (chunk, dx) in chunks.iter().zip(dx) {
                arch.dispatch(DepthwiseBackward {
                    channels: c,
                    turned: &weights.turned,
                    x,
                    dt,
                    chunk,
                    dx,
                    dw: shape.split_mut(partial).depthwise,
                });
            }
        });
}
