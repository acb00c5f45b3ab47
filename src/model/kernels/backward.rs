//! The backward pass of the block.
//!
//! It keeps nothing from the forward pass: each chunk computes its activations again while its
//! input is in cache, which costs one forward and saves the traffic of six activations per cell.

use super::chunk::{Chunk, GRADIENT_GROUPS, chunks, per_group};
use super::elementwise::{multiply_add, rms_backward, sigmoid};
use super::forward::{Activations, forward_chunk, scratch_len};
use super::matmul::{View, matmul};
use super::scratch::{carve, with_scratch};
use super::weights::{BlockShape, WeightsMut};
use crate::model::Layout;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Weights transposed once per backward call, so that its products read them row by row.
struct Transposed {
    mix: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    down: Vec<f32>,
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
    packed: &'a [f32],
    transposed: &'a Transposed,
    x: &'a [f32],
    /// Gradient of the output, for this chunk.
    gradient: &'a [f32],
    chunk: &'a Chunk,
    scratch: &'a mut [f32],
    /// Out: gradient of s1, for this chunk.
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
            packed,
            transposed,
            x,
            gradient,
            chunk,
            scratch,
            ds1,
            dt,
            dw,
        } = self;
        let BlockShape {
            channels: c,
            hidden: e,
        } = shape;
        let m = chunk.len;
        let lengths = Activations::lengths(shape, m);
        let (kept, rest) = scratch.split_at_mut(lengths.iter().sum());
        let mut a = Activations::from_buffers(carve(kept, lengths));
        let [out, ds2, dh] = carve(rest, [m * c, m * c, m * e]);
        forward_chunk(simd, shape, &shape.split(packed), x, chunk, &mut a, out);

        ds2.copy_from_slice(gradient);
        rms_backward(ds2, out, c, a.inverse2);
        matmul(
            simd,
            (e, m, c),
            View::transposed(a.h, e),
            ds2,
            dw.down,
            true,
        );
        matmul(
            simd,
            (m, c, e),
            View::rows(ds2, c),
            &transposed.down,
            dh,
            false,
        );
        // g and u turn into their gradients.
        for ((dh, g), u) in dh.iter().zip(a.g.iter_mut()).zip(a.u.iter_mut()) {
            let s = sigmoid(*g);
            let silu = *g * s;
            *g = dh * *u * (s + silu * (1.0 - s));
            *u = dh * silu;
        }
        matmul(
            simd,
            (c, m, e),
            View::transposed(a.y, c),
            a.g,
            dw.gate,
            true,
        );
        matmul(simd, (c, m, e), View::transposed(a.y, c), a.u, dw.up, true);
        ds1.copy_from_slice(ds2);
        matmul(
            simd,
            (m, e, c),
            View::rows(a.g, e),
            &transposed.gate,
            ds1,
            true,
        );
        matmul(
            simd,
            (m, e, c),
            View::rows(a.u, e),
            &transposed.up,
            ds1,
            true,
        );
        rms_backward(ds1, a.y, c, a.inverse1);
        matmul(simd, (c, m, c), View::transposed(a.t, c), ds1, dw.mix, true);
        matmul(
            simd,
            (m, c, c),
            View::rows(ds1, c),
            &transposed.mix,
            dt,
            false,
        );
    }
}

/// Second half: the depthwise convolution, whose gradient comes from the neighbours' dt.
struct DepthwiseBackward<'a> {
    channels: usize,
    /// The nine taps turned by half a turn.
    turned: &'a [f32],
    x: &'a [f32],
    dt: &'a [f32],
    chunk: &'a Chunk,
    /// In: gradient of s1; out: gradient of x, for this chunk.
    dx: &'a mut [f32],
    /// Added to: gradient of the depthwise weights.
    dw: &'a mut [f32],
}

impl WithSimd for DepthwiseBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            channels: c,
            turned,
            x,
            dt,
            chunk,
            dx,
            dw,
        } = self;
        let first = chunk.first();
        for (i, dx) in dx.chunks_exact_mut(c).enumerate() {
            let place = chunk.place(i);
            let own = &dt[(first + i) * c..(first + i + 1) * c];
            for tap in 0..9 {
                if let Some(cell) = chunk.under_tap(place, tap) {
                    let (weights, cells) = (tap * c..(tap + 1) * c, cell * c..(cell + 1) * c);
                    multiply_add(&turned[weights.clone()], &dt[cells.clone()], dx);
                    multiply_add(own, &x[cells], &mut dw[weights]);
                }
            }
        }
    }
}

/// Gradients of x and of the packed weights, given that of the output.
pub(crate) fn backward(
    shape: BlockShape,
    layout: &Layout,
    packed: &[f32],
    x: &[f32],
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let BlockShape {
        channels: c,
        hidden: e,
    } = shape;
    let arch = pulp::Arch::new();
    let chunks = chunks(layout);
    let weights = shape.split(packed);
    let transposed = Transposed {
        mix: transpose(c, c, weights.mix),
        gate: transpose(c, e, weights.gate),
        up: transpose(c, e, weights.up),
        down: transpose(e, c, weights.down),
    };
    let turned: Vec<f32> = (0..9)
        .rev()
        .flat_map(|tap| weights.depthwise[tap * c..(tap + 1) * c].to_vec())
        .collect();

    let mut dx = vec![0.0; x.len()];
    let mut dt = vec![0.0; x.len()];
    let mut partial = vec![0.0; GRADIENT_GROUPS * packed.len()];
    per_group(&chunks, c, &mut dx)
        .into_par_iter()
        .zip(per_group(&chunks, c, &mut dt))
        .zip(partial.par_chunks_mut(packed.len()))
        .for_each(|(((chunks, dx), (_, dt)), partial)| {
            for ((chunk, ds1), dt) in chunks.iter().zip(dx).zip(dt) {
                let gradient = &gradient[chunk.first() * c..(chunk.first() + chunk.len) * c];
                let dw = shape.split_mut(partial);
                let transposed = &transposed;
                with_scratch(scratch_len(shape), |scratch| {
                    arch.dispatch(Backward {
                        shape,
                        packed,
                        transposed,
                        x,
                        gradient,
                        chunk,
                        scratch,
                        ds1,
                        dt,
                        dw,
                    });
                });
            }
        });
    per_group(&chunks, c, &mut dx)
        .into_par_iter()
        .zip(partial.par_chunks_mut(packed.len()))
        .for_each(|((chunks, dx), partial)| {
            for (chunk, dx) in chunks.iter().zip(dx) {
                arch.dispatch(DepthwiseBackward {
                    channels: c,
                    turned: &turned,
                    x,
                    dt: &dt,
                    chunk,
                    dx,
                    dw: shape.split_mut(partial).depthwise,
                });
            }
        });

    let mut dw = vec![0.0; packed.len()];
    for partial in partial.chunks_exact(packed.len()) {
        for (sum, part) in dw.iter_mut().zip(partial) {
            *sum += part;
        }
    }
    (dx, dw)
}
