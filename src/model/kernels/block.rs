//! The grid block as one fused pass over the cells.
//!
//! With x (cells x C), hidden width E, and `rms(v) = v / sqrt(mean(v^2) + eps)` over channels:
//!
//! ```text
//! t  = depthwise3x3(x)        s1 = x + t M            y = rms(s1)
//! g  = y G    u = y U         h  = silu(g) * u        s2 = y + h D      out = rms(s2)
//! ```
//!
//! Weights come packed in one slice, in this order: depthwise (9 x C), M (C x C), G (C x E),
//! U (C x E), D (E x C), all row-major, input first.
//!
//! The backward pass keeps nothing from the forward pass: each chunk computes its activations
//! again while its input is in cache, which costs one forward and saves the traffic of six
//! activations per cell.

use super::matmul::{View, matmul};
use crate::model::Layout;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

/// Added to the mean square before the root.
pub(crate) const RMS_EPS: f32 = 1e-6;

/// Cells per chunk: 96 x (3 C + 3 E) floats are 220 KiB at C = 64, E = 128, within an L2 cache,
/// and 96 is a multiple of the six rows of a matrix tile.
const CHUNK_CELLS: usize = 96;

/// Gradients of weights are summed in this many groups of chunks, then over the groups in order,
/// so that the sum does not depend on the number of threads.
const GRADIENT_GROUPS: usize = 8;

/// Channel counts of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockShape {
    /// C: channels of the state.
    pub channels: usize,
    /// E: channels inside the gated unit.
    pub hidden: usize,
}

impl BlockShape {
    /// Length of the packed weights.
    pub fn packed_len(self) -> usize {
        let Self {
            channels: c,
            hidden: e,
        } = self;
        9 * c + c * c + 3 * c * e
    }

    fn split(self, packed: &[f32]) -> Weights<'_> {
        let Self {
            channels: c,
            hidden: e,
        } = self;
        let (depthwise, rest) = packed.split_at(9 * c);
        let (mix, rest) = rest.split_at(c * c);
        let (gate, rest) = rest.split_at(c * e);
        let (up, down) = rest.split_at(c * e);
        Weights {
            depthwise,
            mix,
            gate,
            up,
            down,
        }
    }

    fn split_mut(self, packed: &mut [f32]) -> WeightsMut<'_> {
        let Self {
            channels: c,
            hidden: e,
        } = self;
        let (depthwise, rest) = packed.split_at_mut(9 * c);
        let (mix, rest) = rest.split_at_mut(c * c);
        let (gate, rest) = rest.split_at_mut(c * e);
        let (up, down) = rest.split_at_mut(c * e);
        WeightsMut {
            depthwise,
            mix,
            gate,
            up,
            down,
        }
    }
}

struct Weights<'a> {
    depthwise: &'a [f32],
    mix: &'a [f32],
    gate: &'a [f32],
    up: &'a [f32],
    down: &'a [f32],
}

struct WeightsMut<'a> {
    depthwise: &'a mut [f32],
    mix: &'a mut [f32],
    gate: &'a mut [f32],
    up: &'a mut [f32],
    down: &'a mut [f32],
}

/// A run of cells of one image.
#[derive(Clone, Copy)]
struct Chunk {
    /// First cell of the image in the batch.
    image: usize,
    rows: usize,
    cols: usize,
    /// First cell of the chunk within the image.
    start: usize,
    len: usize,
}

impl Chunk {
    /// First cell of the chunk in the batch.
    fn first(&self) -> usize {
        self.image + self.start
    }

    /// Row and column of the chunk's cell `i` within its image.
    #[inline(always)]
    fn place(&self, i: usize) -> (usize, usize) {
        ((self.start + i) / self.cols, (self.start + i) % self.cols)
    }

    /// The cell of the batch under tap `tap` (0..9, row by row) when the kernel's centre lies on
    /// (row, col), or `None` outside the image.
    #[inline(always)]
    fn under_tap(&self, (row, col): (usize, usize), tap: usize) -> Option<usize> {
        let (r, c) = (row + tap / 3, col + tap % 3);
        let inside = (1..=self.rows).contains(&r) && (1..=self.cols).contains(&c);
        inside.then(|| self.image + (r - 1) * self.cols + (c - 1))
    }
}

fn chunks(layout: &Layout) -> Vec<Chunk> {
    let mut chunks = Vec::with_capacity(layout.cells() / CHUNK_CELLS + layout.images().len());
    for (image, (rows, cols)) in layout.offsets().zip(layout.images().iter().copied()) {
        for start in (0..rows * cols).step_by(CHUNK_CELLS) {
            let len = CHUNK_CELLS.min(rows * cols - start);
            chunks.push(Chunk {
                image,
                rows,
                cols,
                start,
                len,
            });
        }
    }
    chunks
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Lends `f` a buffer of this thread of at least `len` numbers with any contents.
fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    // Taken out, not borrowed: a rayon worker that steals work in here gets a buffer of its own.
    let mut buffer = SCRATCH.take();
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    let result = f(&mut buffer[..len]);
    SCRATCH.set(buffer);
    result
}

/// What a chunk needs for the forward and the backward pass.
fn scratch_len(shape: BlockShape) -> usize {
    CHUNK_CELLS * (4 * shape.channels + 4 * shape.hidden + 2)
}

/// Takes `N` buffers of the given lengths off the front of `scratch`.
#[inline(always)]
fn carve<const N: usize>(scratch: &mut [f32], lengths: [usize; N]) -> [&mut [f32]; N] {
    let mut rest = scratch;
    let mut buffers = [(); N].map(|()| Default::default());
    for (buffer, len) in buffers.iter_mut().zip(lengths) {
        (*buffer, rest) = std::mem::take(&mut rest).split_at_mut(len);
    }
    buffers
}

/// exp(x), relative error below 3e-7 for |x| <= 87, clamped beyond. Branch-free, so that loops
/// over it become SIMD.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // 2^n e^r with n = round(x / ln 2); adding 1.5 * 2^23 rounds to an integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    // ln 2 in two parts (Cody-Waite), so that r is exact.
    let r = n.mul_add(-0.693_145_75, x);
    let r = n.mul_add(-1.428_606_8e-6, r);
    let mut p = 1.0 / 720.0_f32;
    for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p.mul_add(r, c);
    }
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    p * scale
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Dot product of two rows in 16 strands, so that it becomes SIMD and is the same everywhere.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut strands = [0.0_f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for i in 0..16 {
            strands[i] = a[i].mul_add(b[i], strands[i]);
        }
    }
    strands.iter().sum()
}

/// `out += a * b`, element by element.
#[inline(always)]
fn multiply_add(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = a.mul_add(b, *out);
    }
}

/// Normalises each row in place and keeps the factors.
#[inline(always)]
fn rms(rows: &mut [f32], channels: usize, inverse: &mut [f32]) {
    for (row, inverse) in rows.chunks_exact_mut(channels).zip(inverse) {
        let scale = 1.0 / (dot(row, row) / channels as f32 + RMS_EPS).sqrt();
        for x in row {
            *x *= scale;
        }
        *inverse = scale;
    }
}

/// Turns the gradient of `y = rms(s)` into that of s, in place: `ds = (dy - y mean(y dy)) / rms`.
#[inline(always)]
fn rms_backward(gradient: &mut [f32], y: &[f32], channels: usize, inverse: &[f32]) {
    let rows = gradient
        .chunks_exact_mut(channels)
        .zip(y.chunks_exact(channels));
    for ((dy, y), &scale) in rows.zip(inverse) {
        let mean = dot(dy, y) / channels as f32;
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = (*dy - y * mean) * scale;
        }
    }
}

/// `out[i] = sum of taps of x with the depthwise weights` for the cells of a chunk.
#[inline(always)]
fn depthwise(chunk: &Chunk, channels: usize, weights: &[f32], x: &[f32], out: &mut [f32]) {
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
struct Activations<'a> {
    t: &'a mut [f32],
    y: &'a mut [f32],
    g: &'a mut [f32],
    u: &'a mut [f32],
    h: &'a mut [f32],
    inverse1: &'a mut [f32],
    inverse2: &'a mut [f32],
}

impl<'a> Activations<'a> {
    fn lengths(shape: BlockShape, cells: usize) -> [usize; 7] {
        let (c, e) = (cells * shape.channels, cells * shape.hidden);
        [c, c, e, e, e, cells, cells]
    }

    fn from_buffers([t, y, g, u, h, inverse1, inverse2]: [&'a mut [f32]; 7]) -> Self {
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
fn forward_chunk<S: Simd>(
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

struct Forward<'a> {
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

/// Splits a batch-sized buffer into one slice per chunk.
fn per_chunk<'a>(chunks: &[Chunk], channels: usize, mut data: &'a mut [f32]) -> Vec<&'a mut [f32]> {
    chunks
        .iter()
        .map(|chunk| {
            let (head, tail) = std::mem::take(&mut data).split_at_mut(chunk.len * channels);
            data = tail;
            head
        })
        .collect()
}

/// Chunks and their slices of a batch-sized buffer, in the groups whose gradients are summed
/// together.
fn per_group<'a>(
    chunks: &'a [Chunk],
    channels: usize,
    data: &'a mut [f32],
) -> Vec<(&'a [Chunk], Vec<&'a mut [f32]>)> {
    let mut slices = per_chunk(chunks, channels, data).into_iter();
    chunks
        .chunks(chunks.len().div_ceil(GRADIENT_GROUPS).max(1))
        .map(|group| (group, slices.by_ref().take(group.len()).collect()))
        .collect()
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
