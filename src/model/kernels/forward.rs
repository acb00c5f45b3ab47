//! The forward pass of the block.

use super::chunk::{CHUNK_CELLS, Chunk};
use super::depthwise::depthwise;
use super::elementwise::{gated, rms};
use super::matmul::{View, matmul};
use super::scratch::{carve, with_scratch};
use super::weights::{BlockShape, Weights};
use pulp::{Simd, WithSimd};

/// What a chunk needs for the forward and the backward pass.
pub(super) fn scratch_len(shape: BlockShape) -> usize {
    CHUNK_CELLS * (4 * shape.channels + 4 * shape.hidden + 2)
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
    depthwise(simd, chunk, c, w.depthwise, x, a.t, false);
    a.y.copy_from_slice(&x[chunk.first() * c..(chunk.first() + m) * c]);
    matmul(simd, (m, c, c), View::rows(a.t, c), w.mix, a.y, true);
    rms(a.y, c, a.inverse1);
    matmul(simd, (m, c, e), View::rows(a.y, c), w.gate, a.g, false);
    matmul(simd, (m, c, e), View::rows(a.y, c), w.up, a.u, false);
    gated(a.g, a.u, a.h);
    out.copy_from_slice(a.y);
    matmul(simd, (m, e, c), View::rows(a.h, e), w.down, out, true);
    rms(out, c, a.inverse2);
}

/// Where the output of a block goes, for the cells of a chunk.
pub(super) struct Target<'a> {
    /// The output itself.
    pub out: Option<&'a mut [f32]>,
    /// (a, b): b becomes the output plus a.
    pub sum: Option<(&'a [f32], &'a mut [f32])>,
}

impl Target<'_> {
    /// Writes an output.
    #[inline(always)]
    pub fn write(self, output: &[f32]) {
        if let Some(out) = self.out {
            out.copy_from_slice(output);
        }
        if let Some((addend, sum)) = self.sum {
            for ((sum, &a), &y) in sum.iter_mut().zip(addend).zip(output) {
                *sum = y + a;
            }
        }
    }
}

struct Forward<'a> {
    shape: BlockShape,
    packed: &'a [f32],
    x: &'a [f32],
    chunk: &'a Chunk,
    scratch: &'a mut [f32],
    target: Target<'a>,
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
            target,
        } = self;
        let lengths = Activations::lengths(shape, chunk.len);
        let (kept, rest) = scratch.split_at_mut(lengths.iter().sum());
        let mut a = Activations::from_buffers(carve(kept, lengths));
        let [out] = carve(rest, [chunk.len * shape.channels]);
        forward_chunk(simd, shape, &shape.split(packed), x, chunk, &mut a, out);
        target.write(out);
    }
}

/// The block's output for one chunk of x, with packed weights.
pub(super) fn forward(
    arch: pulp::Arch,
    shape: BlockShape,
    packed: &[f32],
    x: &[f32],
    chunk: &Chunk,
    target: Target<'_>,
) {
    with_scratch(scratch_len(shape), |scratch| {
        arch.dispatch(Forward {
            shape,
            packed,
            x,
            chunk,
            scratch,
            target,
        });
    });
}
