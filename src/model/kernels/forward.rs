//! The forward pass of the block.

use super::chunk::{CHUNK_CELLS, Chunk, chunks, per_chunk};
use super::elementwise::{multiply_add, rms, sigmoid};
use super::matmul::{View, matmul};
use super::scratch::{carve, with_scratch};
use super::weights::{BlockShape, Weights};
use crate::model::Layout;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// What a chunk needs for the forward and the backward pass.
pub(super) fn scratch_len(shape: BlockShape) -> usize {
    CHUNK_CELLS * (4 * shape.channels + 4 * shape.hidden + 2)
}

/// `out[i] = sum of taps of x with the depthwise weights` for the cells of a chunk.
#[inline(always)]
pub(super) fn depthwise(
    chunk: &Chunk,
    channels: usize,
    weights: &[f32],
    x: &[f32],
    out: &mut [f32],
) {
    for (i, out) in out.chunks_exact_mut(channels).enumerate() {
        let place = chunk.place(i);
        out.fill(0.0);
        for tap in 0..9 {
            if let Some(cell) = chunk.under_tap(place, tap) {
                let w = &weights[tap * channels..(tap + 1) * channels];
                let x = &x[cell * channels..(cell + 1) * channels];
                multiply_add(w, x, out);
            }
        }
    }
}

/// What the forward pass of one chunk leaves behind.
pub(super) struct Activations<'a> {
    pub t: &'a mut [f32],
    pub y: &'a mut [f32],
    pub g: &'a mut [f32],
    pub u: &'a mut [f32],
    pub h: &'a mut [f32],
    pub inverse1: &'a mut [f32],
    pub inverse2: &'a mut [f32],
}

impl<'a> Activations<'a> {
    pub fn lengths(shape: BlockShape, cells: usize) -> [usize; 7] {
        let (c, e) = (cells * shape.channels, cells * shape.hidden);
        [c, c, e, e, e, cells, cells]
    }

    pub fn from_buffers([t, y, g, u, h, inverse1, inverse2]: [&'a mut [f32]; 7]) -> Self {
        Self {
            t,
            y,
            g,
            u,
            h,
            inverse1,
            inverse2,
        }
    }
}

#[inline(always)]
pub(super) fn forward_chunk<S: Simd>(
    simd: S,
    shape: BlockShape,
    w: &Weights<'_>,
    x: &[f32],
    chunk: &Chunk,
    a: &mut Activations<'_>,
    out: &mut [f32],
) {
    let BlockShape {
        channels: c,
        hidden: e,
    } = shape;
    let m = chunk.len;
    depthwise(chunk, c, w.depthwise, x, a.t);
    a.y.copy_from_slice(&x[chunk.first() * c..(chunk.first() + m) * c]);
    matmul(simd, (m, c, c), View::rows(a.t, c), w.mix, a.y, true);
    rms(a.y, c, a.inverse1);
    matmul(simd, (m, c, e), View::rows(a.y, c), w.gate, a.g, false);
    matmul(simd, (m, c, e), View::rows(a.y, c), w.up, a.u, false);
    for ((h, &g), &u) in a.h.iter_mut().zip(a.g.iter()).zip(a.u.iter()) {
        *h = g * sigmoid(g) * u;
    }
    out.copy_from_slice(a.y);
    matmul(simd, (m, e, c), View::rows(a.h, e), w.down, out, true);
    rms(out, c, a.inverse2);
}

pub(super) struct Forward<'a> {
    shape: BlockShape,
    packed: &'a [f32],
    x: &'a [f32],
    chunk: &'a Chunk,
    scratch: &'a mut [f32],
    out: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            shape,
            packed,
            x,
            chunk,
            scratch,
            out,
        } = self;
        let lengths = Activations::lengths(shape, chunk.len);
        let mut a = Activations::from_buffers(carve(scratch, lengths));
        forward_chunk(simd, shape, &shape.split(packed), x, chunk, &mut a, out);
    }
}

/// The block's output for x (cells x C) and packed weights.
pub(crate) fn forward(shape: BlockShape, layout: &Layout, packed: &[f32], x: &[f32]) -> Vec<f32> {
    let arch = pulp::Arch::new();
    let chunks = chunks(layout);
    let mut out = vec![0.0; x.len()];
    per_chunk(&chunks, shape.channels, &mut out)
        .into_par_iter()
        .zip(&chunks)
        .for_each(|(out, chunk)| {
            with_scratch(scratch_len(shape), |scratch| {
                arch.dispatch(Forward {
                    shape,
                    packed,
                    x,
                    chunk,
                    scratch,
                    out,
                });
            });
        });
    out
}
