//! The bf16 block on x86-64 with `AVX512_BF16`.
//!
//! `vdpbf16ps` adds two products of bf16 pairs to each of sixteen f32 sums. So weights lie in pairs
//! of inputs; and a row of activations is a row of pairs, one of which is broadcast per step. Gate
//! and up products share a tile, so that `silu(g) * u` is made while
//! both are in registers.

use super::chunk::Chunk;
use super::depthwise::depthwise;
use super::elementwise::rms;
use super::forward::Target;
use super::half::join;
use super::scratch::{carve, with_scratch};
use super::weights::BlockShape;
use pulp::x86::V4;
use std::arch::x86_64::{
    __m512, __m512bh, _mm512_add_ps, _mm512_cvtneps_pbh, _mm512_dpbf16_ps, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_rcp14_ps,
    _mm512_roundscale_ps, _mm512_scalef_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
    _mm512_sub_ps,
};

/// Lanes of a vector.
const LANES: usize = 16;
/// Rows of a tile.
const ROWS: usize = 6;
/// A pair of bf16 in one word, the lower half first.
type Pair = u32;
/// One vector of pairs, for sixteen outputs.
type Pairs = [Pair; LANES];

/// One block's weights.
#[derive(Debug)]
struct Block {
    /// (9 x C) in f32.
    depthwise: Vec<f32>,
    mix: Panels,
    /// Two vectors of gate and the two of up that belong to them by turns.
    gate_up: Panels,
    down: Panels,
}

/// A matrix, cut into panels of four vectors of outputs; what is left over is in narrower ones. A
/// panel is read from front to back.
#[derive(Debug)]
struct Panels {
    /// Pairs of inputs.
    k: usize,
    /// Vectors of outputs, in all panels.
    vectors: usize,
    /// Vectors by panel and pair of inputs.
    pairs: Vec<Pairs>,
    /// Vectors of each panel.
    widths: Vec<usize>,
}

struct Panel<'a> {
    /// Its first vector of outputs.
    at: usize,
    width: usize,
    /// (k x width) vectors.
    pairs: &'a [Pairs],
}

impl Panels {
    /// From vectors of outputs, each with the k pairs of inputs; what does not fill a panel of four
    /// goes into panels of `step`.
    fn new(vectors: &[Vec<Pairs>], step: usize) -> Self {
        let k = vectors.first().map_or(0, Vec::len);
        let (mut pairs, mut widths) = (Vec::with_capacity(k * vectors.len()), Vec::new());
        let mut rest = vectors;
        while !rest.is_empty() {
            let width = if rest.len() >= 4 { 4 } else { step };
            let (panel, others) = rest.split_at(width);
            for input in 0..k {
                pairs.extend(panel.iter().map(|vector| vector[input]));
            }
            widths.push(width);
            rest = others;
        }
        Self {
            k,
            vectors: vectors.len(),
            pairs,
            widths,
        }
    }

    fn panels(&self) -> impl Iterator<Item = Panel<'_>> {
        let mut at = 0;
        self.widths.iter().map(move |&width| {
            let pairs = &self.pairs[at * self.k..(at + width) * self.k];
            at += width;
            Panel {
                at: at - width,
                width,
                pairs,
            }
        })
    }
}

/// The vectors of outputs of a row-major matrix of `cols` columns, in pairs of its rows.
fn vectors(matrix: &[f32], cols: usize) -> Vec<Vec<Pairs>> {
    let of = |first: usize| {
        let rows = matrix.chunks_exact(2 * cols).map(move |two_rows| {
            let (even, odd) = two_rows.split_at(cols);
            std::array::from_fn(|i| join(even[first + i], odd[first + i]))
        });
        rows.collect()
    };
    (0..cols).step_by(LANES).map(of).collect()
}

/// Gate and up in turns of two vectors, or of one at the end of an odd number.
fn in_turns(gate: &[Vec<Pairs>], up: &[Vec<Pairs>]) -> Vec<Vec<Pairs>> {
    let turns = gate.chunks(2).zip(up.chunks(2));
    turns.flat_map(|(gate, up)| [gate, up].concat()).collect()
}

/// The weights of a segment, and the proof that this machine can run them.
#[derive(Debug)]
pub(super) struct Kernel {
    simd: V4,
    shape: BlockShape,
    blocks: Vec<Block>,
}

impl Kernel {
    /// `None` on a machine without the instructions.
    pub fn new(shape: BlockShape, packed: &[f32]) -> Option<Self> {
        let simd = V4::try_new()?;
        if !std::arch::is_x86_feature_detected!("avx512bf16") {
            return None;
        }
        let (c, e) = (shape.channels, shape.hidden);
        let blocks = packed.chunks_exact(shape.packed_len()).map(|packed| {
            let w = shape.split(packed);
            Block {
                depthwise: w.depthwise.to_vec(),
                mix: Panels::new(&vectors(w.mix, c), 1),
                gate_up: Panels::new(&in_turns(&vectors(w.gate, e), &vectors(w.up, e)), 2),
                down: Panels::new(&vectors(w.down, c), 1),
            }
        });
        let blocks = blocks.collect();
        Some(Self {
            simd,
            shape,
            blocks,
        })
    }

    /// The output of a block for one chunk of x.
    pub fn forward(&self, block: usize, x: &[f32], chunk: &Chunk<'_>, target: Target<'_>) {
        let (m, c, e) = (chunk.len, self.shape.channels, self.shape.hidden);
        // Pairs travel in f32 buffers, two numbers to a word.
        let lengths = [m * c, m * c, m * c, m, m * c / 2, m * e / 2];
        with_scratch(lengths.iter().sum(), |scratch| {
            let buffers = carve(scratch, lengths);
            let block = &self.blocks[block];
            // SAFETY: a Kernel exists only where V4 and avx512bf16 were detected, which are all
            // features that the function is compiled for.
            unsafe { block_avx512(self.simd, self.shape, block, x, chunk, buffers, target) }
        });
    }
}

/// Sixteen numbers.
#[inline(always)]
fn load(x: &[f32; LANES]) -> __m512 {
    // SAFETY: reads sixteen numbers from an array of sixteen; any alignment will do.
    unsafe { _mm512_loadu_ps(x.as_ptr()) }
}

#[inline(always)]
fn store(x: __m512, out: &mut [f32; LANES]) {
    // SAFETY: writes sixteen numbers to an array of sixteen; any alignment will do.
    unsafe { _mm512_storeu_ps(out.as_mut_ptr(), x) }
}

#[inline(always)]
fn weights(x: &Pairs) -> __m512bh {
    // SAFETY: both types are 64 bytes of which every pattern is valid.
    unsafe { std::mem::transmute::<Pairs, __m512bh>(*x) }
}

/// One pair in all lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn broadcast(x: f32) -> __m512bh {
    let all = _mm512_set1_epi32(x.to_bits() as i32);
    // SAFETY: both types are 64 bytes of which every pattern is valid.
    unsafe { std::mem::transmute::<std::arch::x86_64::__m512i, __m512bh>(all) }
}

/// Sixteen numbers, rounded, as eight words of pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn store_rounded(x: __m512, out: &mut [f32; LANES / 2]) {
    let rounded = _mm512_cvtneps_pbh(x);
    // SAFETY: both types are 32 bytes of which every pattern is valid.
    *out = unsafe { std::mem::transmute::<std::arch::x86_64::__m256bh, [f32; 8]>(rounded) };
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn round_all(x: &[f32], out: &mut [f32]) {
    let (x, out) = (x.as_chunks().0, out.as_chunks_mut().0);
    for (x, out) in x.iter().zip(out) {
        store_rounded(load(x), out);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512bf16,avx2,fma")]
fn block_avx512(
    simd: V4,
    shape: BlockShape,
    w: &Block,
    x: &[f32],
    chunk: &Chunk<'_>,
    [t, y, s2, inverse, pairs, h]: [&mut [f32]; 6],
    target: Target<'_>,
) {
    let (m, c) = (chunk.len, shape.channels);
    depthwise(simd, chunk, c, &w.depthwise, x, t, false);
    round_all(t, pairs);
    let own = &x[chunk.first * c..(chunk.first + m) * c];
    product(pairs, &w.mix, own, y);
    rms(y, c, inverse);
    round_all(y, pairs);
    gated_product(pairs, &w.gate_up, h);
    product(h, &w.down, y, s2);
    target.write::<true>(s2, c);
}

/// `out = addend + a b`, row-major f32.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn product(a: &[f32], b: &Panels, addend: &[f32], out: &mut [f32]) {
    let (addend, out) = (addend.as_chunks().0, out.as_chunks_mut().0);
    for panel in b.panels() {
        let mut row = 0;
        while row < a.len() / b.k {
            let rows = if row + ROWS <= a.len() / b.k { ROWS } else { 1 };
            let a = &a[row * b.k..(row + rows) * b.k];
            let lines = row * b.vectors + panel.at..;
            let (addend, out) = (&addend[lines.clone()], &mut out[lines]);
            match (rows, panel.width) {
                (ROWS, 4) => product_tile::<ROWS, 4>(a, &panel, b.vectors, addend, out),
                (ROWS, 2) => product_tile::<ROWS, 2>(a, &panel, b.vectors, addend, out),
                (ROWS, _) => product_tile::<ROWS, 1>(a, &panel, b.vectors, addend, out),
                (_, 4) => product_tile::<1, 4>(a, &panel, b.vectors, addend, out),
                (_, 2) => product_tile::<1, 2>(a, &panel, b.vectors, addend, out),
                (_, _) => product_tile::<1, 1>(a, &panel, b.vectors, addend, out),
            }
            row += rows;
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn product_tile<const M: usize, const V: usize>(
    a: &[f32],
    panel: &Panel<'_>,
    vectors: usize,
    addend: &[[f32; LANES]],
    out: &mut [[f32; LANES]],
) {
    let mut sums = [[_mm512_set1_ps(0.0); V]; M];
    for r in 0..M {
        for v in 0..V {
            sums[r][v] = load(&addend[r * vectors + v]);
        }
    }
    let sums = tile::<M, V>(a, panel, sums);
    for r in 0..M {
        for v in 0..V {
            store(sums[r][v], &mut out[r * vectors + v]);
        }
    }
}

/// `h = silu(a gate) * (a up)` in rounded pairs; b holds, panel by panel, as many vectors of gate
/// as of up.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn gated_product(a: &[f32], b: &Panels, h: &mut [f32]) {
    let h = h.as_chunks_mut().0;
    let vectors = b.vectors / 2;
    for panel in b.panels() {
        let mut row = 0;
        while row < a.len() / b.k {
            let rows = if row + ROWS <= a.len() / b.k { ROWS } else { 1 };
            let a = &a[row * b.k..(row + rows) * b.k];
            let h = &mut h[row * vectors + panel.at / 2..];
            match (rows, panel.width) {
                (ROWS, 4) => gated_tile::<ROWS, 4>(a, &panel, vectors, h),
                (ROWS, _) => gated_tile::<ROWS, 2>(a, &panel, vectors, h),
                (_, 4) => gated_tile::<1, 4>(a, &panel, vectors, h),
                (_, _) => gated_tile::<1, 2>(a, &panel, vectors, h),
            }
            row += rows;
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn gated_tile<const M: usize, const V: usize>(
    a: &[f32],
    panel: &Panel<'_>,
    vectors: usize,
    h: &mut [[f32; LANES / 2]],
) {
    let sums = tile::<M, V>(a, panel, [[_mm512_set1_ps(0.0); V]; M]);
    for r in 0..M {
        let (gates, ups) = sums[r].split_at(V / 2);
        for v in 0..V / 2 {
            let value = _mm512_mul_ps(silu(gates[v]), ups[v]);
            store_rounded(value, &mut h[r * vectors + v]);
        }
    }
}

/// `sums + a b` for M rows and V vectors of outputs, in registers.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn tile<const M: usize, const V: usize>(
    a: &[f32],
    panel: &Panel<'_>,
    mut sums: [[__m512; V]; M],
) -> [[__m512; V]; M] {
    let b = panel.pairs.as_chunks::<V>().0;
    let k = a.len() / M;
    for (step, b) in b[..k].iter().enumerate() {
        for r in 0..M {
            let a = broadcast(a[r * k + step]);
            for v in 0..V {
                sums[r][v] = _mm512_dpbf16_ps(sums[r][v], a, weights(&b[v]));
            }
        }
    }
    sums
}

/// `x / (1 + exp(-x))` to 14 bits: six more than its bf16 keeps.
#[inline]
#[target_feature(enable = "avx512f")]
fn silu(x: __m512) -> __m512 {
    // exp(-x) = 2^n 2^f, with n a whole number and |f| <= 1/2; 2^f by its Taylor series, whose
    // fifth term is below 2^-14. Clamped so that 1 + exp(-x) stays finite.
    let power = _mm512_mul_ps(x, _mm512_set1_ps(-std::f32::consts::LOG2_E));
    let power = _mm512_min_ps(power, _mm512_set1_ps(126.0));
    let power = _mm512_max_ps(power, _mm512_set1_ps(-126.0));
    let n = _mm512_roundscale_ps::<0>(power);
    let f = _mm512_sub_ps(power, n);
    let mut p = _mm512_set1_ps(9.618_129e-3);
    for c in [5.550_411e-2, 0.240_226_5, std::f32::consts::LN_2, 1.0] {
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(c));
    }
    let one_and = _mm512_add_ps(_mm512_scalef_ps(p, n), _mm512_set1_ps(1.0));
    _mm512_mul_ps(x, _mm512_rcp14_ps(one_and))
}
