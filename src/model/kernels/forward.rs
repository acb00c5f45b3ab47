//! The forward pass of the block.

use super::chunk::{CHUNK_CELLS, Chunk};
use super::depthwise::depthwise;
use super::elementwise::{gated, inverse_rms, rms};
use super::matmul::{Start, View, matmul};
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

/// Everything of a chunk up to s2, of which the output is the `rms`.
#[inline(always)]
pub(super) fn forward_chunk<S: Simd>(
    simd: S,
    shape: BlockShape,
    w: &Weights<'_>,
    x: &[f32],
    chunk: &Chunk,
    a: &mut Activations<'_>,
    s2: &mut [f32],
) {
    let BlockShape {
        channels: c,
        hidden: e,
    } = shape;
    let m = chunk.len;
    let own = &x[chunk.first() * c..(chunk.first() + m) * c];
    depthwise(simd, chunk, c, w.depthwise, x, a.t, false);
    let t = View::rows(a.t, c);
    matmul(simd, (m, c, c), t, w.mix, a.y, Start::From(own));
    rms(a.y, c, a.inverse1);
    let y = View::rows(a.y, c);
    matmul(simd, (m, c, e), y, w.gate, a.g, Start::Zeros);
    matmul(simd, (m, c, e), y, w.up, a.u, Start::Zeros);
    gated(a.g, a.u, a.h);
    let h = View::rows(a.h, e);
    matmul(simd, (m, e, c), h, w.down, s2, Start::From(a.y));
}

/// Where the output of a block goes, for the cells of a chunk.
pub(super) struct Target<'a> {
    /// The output itself.
    pub out: Option<&'a mut [f32]>,
    /// (a, b): b becomes the output plus a.
    pub sum: Option<(&'a [f32], &'a mut [f32])>,
}

impl Target<'_> {
    /// Writes the output `rms(s2)`.
    #[inline(always)]
    pub fn write_rms(self, s2: &[f32], channels: usize) {
        match self {
            Target {
                out: Some(out),
                sum: None,
            } => {
                for (s2, out) in rows(s2, out, channels) {
                    let scale = inverse_rms(s2);
                    for (out, &s2) in out.iter_mut().zip(s2) {
                        *out = s2 * scale;
                    }
                }
            }
            Target {
                out,
                sum: Some((addend, sum)),
            } => {
                let mut outs = out.map(|out| out.chunks_exact_mut(channels));
                let addends = addend.chunks_exact(channels);
                for ((s2, sum), addend) in rows(s2, sum, channels).zip(addends) {
                    let scale = inverse_rms(s2);
                    for ((sum, &s2), &addend) in sum.iter_mut().zip(s2).zip(addend) {
                        *sum = s2 * scale + addend;
                    }
                    if let Some(out) = outs.as_mut().and_then(Iterator::next) {
                        for (out, &s2) in out.iter_mut().zip(s2) {
                            *out = s2 * scale;
                        }
                    }
                }
            }
            Target {
                out: None,
                sum: None,
            } => {}
        }
    }
}

#[inline(always)]
fn rows<'a>(
    from: &'a [f32],
    to: &'a mut [f32],
    channels: usize,
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    from.chunks_exact(channels)
        .zip(to.chunks_exact_mut(channels))
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
        let [s2] = carve(rest, [chunk.len * shape.channels]);
        forward_chunk(simd, shape, &shape.split(packed), x, chunk, &mut a, s2);
        target.write_rms(s2, shape.channels);
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
