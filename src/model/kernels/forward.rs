//! The forward pass of the block.

use super::chunk::{CHUNK_TOKENS, Chunk};
use super::depthwise::depthwise;
use super::elementwise::{gated, inverse_rms, rms};
use super::matmul::{Start, View, matmul};
use super::scratch::{carve, with_scratch};
use super::weights::{BlockShape, Weights};
use pulp::{Simd, WithSimd};

/// What a block's forward pass makes of some cells, as its backward pass needs it.
pub(super) struct Activations<B> {
    pub t: B,
    pub y: B,
    pub g: B,
    pub u: B,
    /// `rms(s2)`.
    pub out: B,
    /// Factors of the two norms.
    pub inverse1: B,
    pub inverse2: B,
}

/// Numbers of [`Activations`] per cell.
pub(super) fn activations_len(shape: BlockShape) -> usize {
    3 * shape.channels + 2 * shape.hidden + 2
}

impl<B> Activations<B> {
    #[inline(always)]
    fn of([t, y, g, u, out, inverse1, inverse2]: [B; 7]) -> Self {
        Self {
            t,
            y,
            g,
            u,
            out,
            inverse1,
            inverse2,
        }
    }
}

#[inline(always)]
fn lengths(shape: BlockShape, cells: usize) -> [usize; 7] {
    let (c, e) = (cells * shape.channels, cells * shape.hidden);
    [c, c, e, e, c, cells, cells]
}

impl<'a> Activations<&'a mut [f32]> {
    /// Room for those of a chunk, in a buffer of [`activations_len`] numbers per cell.
    #[inline(always)]
    pub fn room(shape: BlockShape, chunk: &Chunk<'_>, buffer: &'a mut [f32]) -> Self {
        Self::of(carve(buffer, lengths(shape, chunk.len)))
    }
}

impl<'a> Activations<&'a [f32]> {
    /// Those of a chunk that were put in this buffer.
    #[inline(always)]
    pub fn kept(shape: BlockShape, chunk: &Chunk<'_>, mut buffer: &'a [f32]) -> Self {
        let mut all: [&[f32]; 7] = [&[]; 7];
        for (part, len) in all.iter_mut().zip(lengths(shape, chunk.len)) {
            (*part, buffer) = buffer.split_at(len);
        }
        Self::of(all)
    }
}

/// Fills in all activations of a chunk but the last norm: `out` holds s2. `h` is room for E numbers
/// per cell.
#[inline(always)]
fn forward_to_s2<S: Simd>(
    simd: S,
    shape: BlockShape,
    w: &Weights<'_>,
    x: &[f32],
    chunk: &Chunk<'_>,
    a: &mut Activations<&mut [f32]>,
    h: &mut [f32],
) {
    let BlockShape {
        channels: c,
        hidden: e,
        ..
    } = shape;
    let m = chunk.len;
    let own = &x[chunk.first * c..(chunk.first + m) * c];
    depthwise(simd, chunk, c, w.depthwise, x, a.t, false);
    let t = View::rows(a.t, c);
    matmul(simd, (m, c, c), t, w.mix, a.y, Start::From(own));
    rms(a.y, c, a.inverse1);
    let y = View::rows(a.y, c);
    matmul(simd, (m, c, e), y, w.gate, a.g, Start::Zeros);
    matmul(simd, (m, c, e), y, w.up, a.u, Start::Zeros);
    gated(a.g, a.u, h);
    let h = View::rows(h, e);
    matmul(simd, (m, e, c), h, w.down, a.out, Start::From(a.y));
}

/// Fills in the activations of a chunk. `h` is room for E numbers per cell.
#[inline(always)]
pub(super) fn activate<S: Simd>(
    simd: S,
    shape: BlockShape,
    w: &Weights<'_>,
    x: &[f32],
    chunk: &Chunk<'_>,
    a: &mut Activations<&mut [f32]>,
    h: &mut [f32],
) {
    forward_to_s2(simd, shape, w, x, chunk, a, h);
    rms(a.out, shape.channels, a.inverse2);
}

/// Where the output of a block goes, for the cells of a chunk.
pub(super) struct Target<'a> {
    /// The output itself.
    pub out: Option<&'a mut [f32]>,
    /// (a, b): b becomes the output plus a.
    pub sum: Option<(&'a [f32], &'a mut [f32])>,
    /// The activations, in [`activations_len`] numbers per cell, where they are wanted.
    pub activations: Option<&'a mut [f32]>,
}

impl Target<'_> {
    /// Writes rows that are the output, or with `NORM` those whose `rms` is.
    #[inline(always)]
    pub fn write<const NORM: bool>(self, from: &[f32], channels: usize) {
        let Target { out, sum, .. } = self;
        match (out, sum) {
            (Some(out), None) => {
                for (from, out) in rows(from, out, channels) {
                    let factor = if NORM { inverse_rms(from) } else { 1.0 };
                    for (out, &from) in out.iter_mut().zip(from) {
                        *out = from * factor;
                    }
                }
            }
            (out, Some((addend, sum))) => {
                let mut outs = out.map(|out| out.chunks_exact_mut(channels));
                let addends = addend.chunks_exact(channels);
                for ((from, sum), addend) in rows(from, sum, channels).zip(addends) {
                    let factor = if NORM { inverse_rms(from) } else { 1.0 };
                    for ((sum, &from), &addend) in sum.iter_mut().zip(from).zip(addend) {
                        *sum = from * factor + addend;
                    }
                    if let Some(out) = outs.as_mut().and_then(Iterator::next) {
                        for (out, &from) in out.iter_mut().zip(from) {
                            *out = from * factor;
                        }
                    }
                }
            }
            (None, None) => {}
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
    chunk: &'a Chunk<'a>,
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
            mut target,
        } = self;
        let (weights, c) = (shape.split(packed), shape.channels);
        let (h, rest) = scratch.split_at_mut(chunk.len * shape.hidden);
        if let Some(kept) = target.activations.take() {
            let mut a = Activations::room(shape, chunk, kept);
            activate(simd, shape, &weights, x, chunk, &mut a, h);
            target.write::<false>(a.out, c);
        } else {
            let mut a = Activations::room(shape, chunk, rest);
            forward_to_s2(simd, shape, &weights, x, chunk, &mut a, h);
            target.write::<true>(a.out, c);
        }
    }
}

/// The block's output for one chunk of x, with packed weights.
pub(super) fn forward(
    arch: pulp::Arch,
    shape: BlockShape,
    packed: &[f32],
    x: &[f32],
    chunk: &Chunk<'_>,
    target: Target<'_>,
) {
    let len = CHUNK_TOKENS * (shape.hidden + activations_len(shape));
    with_scratch(len, |scratch| {
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
