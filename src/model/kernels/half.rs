//! Products in bf16 with sums in f32: weights take half the memory, and where the processor has
//! AVX512-BF16 a product takes half the time.
//!
//! A bf16 number is the upper half of an f32: the same range, three digits. Numbers go in pairs
//! along k, each pair in one u32, the number of lower index in the lower half; an odd k ends with
//! a zero. So a matrix (m x k) is m rows of `k / 2` pairs, a panel (k x width) is `k / 2` rows of
//! `width` pairs, and one instruction multiplies a pair of A with 16 of B and adds both products.
//!
//! A product of two bf16 numbers is exact in f32, so the portable form gives the same sums, at
//! the speed of f32.

use super::bf16::bits;

/// Pairs that hold `k` numbers.
pub(crate) fn pairs(k: usize) -> usize {
    k.div_ceil(2)
}

/// A row-major matrix of rows of `k` numbers, rounded.
pub(crate) fn rounded(values: &[f32], k: usize) -> Vec<u32> {
    let mut out = vec![0; values.len() / k * pairs(k)];
    round_rows(values, k, &mut out);
    out
}

/// A row-major matrix of rows of `k` numbers, rounded.
#[inline(always)]
pub(super) fn round_rows(values: &[f32], k: usize, out: &mut [u32]) {
    for (row, out) in values.chunks_exact(k).zip(out.chunks_exact_mut(pairs(k))) {
        let (both, rest) = row.as_chunks();
        for (out, &[low, high]) in out.iter_mut().zip(both) {
            *out = join(low, high);
        }
        if let (Some(out), Some(&low)) = (out.last_mut(), rest.first()) {
            *out = join(low, 0.0);
        }
    }
}

/// A panel, rounded.
#[inline(always)]
pub(super) fn round_panel(panel: &[f32], width: usize, out: &mut [u32]) {
    for (rows, out) in panel.chunks(2 * width).zip(out.chunks_exact_mut(width)) {
        let (low, high) = rows.split_at(width);
        if high.is_empty() {
            for (out, &low) in out.iter_mut().zip(low) {
                *out = join(low, 0.0);
            }
        }
        for ((out, &low), &high) in out.iter_mut().zip(low).zip(high) {
            *out = join(low, high);
        }
    }
}

/// The columns of a panel, rounded: a row of pairs for each.
#[inline(always)]
pub(super) fn turn_pairs(panel: &[f32], width: usize, out: &mut [u32]) {
    let stride = pairs(panel.len() / width);
    for (p, rows) in panel.chunks(2 * width).enumerate() {
        let (low, high) = rows.split_at(width);
        for (j, (out, &low)) in out.chunks_exact_mut(stride).zip(low).enumerate() {
            out[p] = join(low, high.get(j).copied().unwrap_or(0.0));
        }
    }
}

/// A pair.
#[inline(always)]
pub(super) fn join(low: f32, high: f32) -> u32 {
    u32::from(bits(low)) | (u32::from(bits(high)) << 16)
}

#[inline(always)]
fn low(pair: u32) -> f32 {
    f32::from_bits(pair << 16)
}

#[inline(always)]
fn high(pair: u32) -> f32 {
    f32::from_bits(pair & 0xffff_0000)
}

/// A row-major matrix of pairs.
#[derive(Clone, Copy)]
pub(super) struct PairRows<'a> {
    pub data: &'a [u32],
    /// Pairs from row to row.
    pub stride: usize,
}

impl<'a> PairRows<'a> {
    /// `k` pairs of row `row`.
    #[inline(always)]
    fn row(&self, row: usize, k: usize) -> &'a [u32] {
        &self.data[row * self.stride..][..k]
    }
}

/// As [`dense::product`](super::dense::product), of pairs: a is m rows of k pairs.
#[inline(always)]
pub(super) fn product(
    a: PairRows<'_>,
    (m, k, width): (usize, usize, usize),
    b: &[u32],
    c: &mut [f32],
    accumulate: bool,
) {
    #[cfg(target_arch = "x86_64")]
    if avx512::is_present() {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { avx512::product(a, (m, k, width), b, c, accumulate) };
    }
    portable(a, (m, k, width), b, c, accumulate);
}

#[inline(always)]
fn portable(
    a: PairRows<'_>,
    (m, k, width): (usize, usize, usize),
    b: &[u32],
    c: &mut [f32],
    accumulate: bool,
) {
    /// Columns at a time: they become one or a few registers.
    const COLUMNS: usize = 16;
    for (row, c) in c.chunks_exact_mut(width).enumerate().take(m) {
        let a = a.row(row, k);
        for (column, c) in c.chunks_exact_mut(COLUMNS).enumerate() {
            let mut sums = [0.0; COLUMNS];
            if accumulate {
                sums.copy_from_slice(c);
            }
            for (&a, b) in a.iter().zip(b.chunks_exact(width)) {
                let (a_low, a_high) = (low(a), high(a));
                for (sum, &b) in sums.iter_mut().zip(&b[column * COLUMNS..]) {
                    // The order of the instruction: the upper halves first.
                    *sum = a_low.mul_add(low(b), a_high.mul_add(high(b), *sum));
                }
            }
            c.copy_from_slice(&sums);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::PairRows;
    use std::arch::is_x86_feature_detected;
    use std::arch::x86_64::{
        __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
        _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps,
    };

    /// Columns of a register.
    const LANES: usize = 16;

    /// Whether the processor has the instructions.
    #[inline(always)]
    pub fn is_present() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn product(
        a: PairRows<'_>,
        (m, k, width): (usize, usize, usize),
        b: &[u32],
        c: &mut [f32],
        accumulate: bool,
    ) {
        match width / LANES {
            4 => strip::<6, 4>(a, (m, k), b, c, accumulate),
            3 => strip::<8, 3>(a, (m, k), b, c, accumulate),
            2 => strip::<8, 2>(a, (m, k), b, c, accumulate),
            _ => strip::<8, 1>(a, (m, k), b, c, accumulate),
        }
    }

    /// All rows of a panel of NV registers of columns.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn strip<const MR: usize, const NV: usize>(
        a: PairRows<'_>,
        (m, k): (usize, usize),
        b: &[u32],
        c: &mut [f32],
        accumulate: bool,
    ) {
        let mut row = 0;
        while row < m {
            let c = &mut c[row * NV * LANES..];
            if row + MR <= m {
                tile::<MR, NV>(a, row, k, b, c, accumulate);
                row += MR;
            } else {
                tile::<1, NV>(a, row, k, b, c, accumulate);
                row += 1;
            }
        }
    }

    /// One tile of MR rows, summed over k in registers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn tile<const MR: usize, const NV: usize>(
        a: PairRows<'_>,
        first: usize,
        k: usize,
        b: &[u32],
        c: &mut [f32],
        accumulate: bool,
    ) {
        let width = NV * LANES;
        let mut rows: [&[u32]; MR] = [&[]; MR];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = a.row(first + r, k);
        }
        let (c, _) = c[..MR * width].as_chunks_mut::<LANES>();
        let mut sums = [[_mm512_setzero_ps(); NV]; MR];
        if accumulate {
            for (at, c) in c.iter().enumerate() {
                // SAFETY: an array of 16 f32 is read whole.
                sums[at / NV][at % NV] = unsafe { _mm512_loadu_ps(c.as_ptr()) };
            }
        }
        for (p, b) in b[..k * width].chunks_exact(width).enumerate() {
            let (b, _) = b.as_chunks::<LANES>();
            let mut b_row = [as_pairs(_mm512_set1_epi32(0)); NV];
            for (register, b) in b_row.iter_mut().zip(b) {
                // SAFETY: an array of 16 u32 is read whole.
                *register = as_pairs(unsafe { _mm512_loadu_si512(b.as_ptr().cast()) });
            }
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let x = as_pairs(_mm512_set1_epi32(row[p].cast_signed()));
                for (sum, &b) in sums.iter_mut().zip(&b_row) {
                    *sum = _mm512_dpbf16_ps(*sum, x, b);
                }
            }
        }
        for (at, c) in c.iter_mut().enumerate() {
            // SAFETY: an array of 16 f32 is written whole.
            unsafe { _mm512_storeu_ps(c.as_mut_ptr(), sums[at / NV][at % NV]) };
        }
    }

    /// The same bits as 32 bf16 numbers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn as_pairs(bits: __m512i) -> __m512bh {
        // SAFETY: both are 64 bytes of plain numbers.
        unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::numbers;
    use super::*;

    /// In pairs, against the textbook sum of rounded numbers in f64, on this machine's
    /// instructions and on the portable ones, for odd sizes too.
    #[test]
    fn products_equal_the_textbook() {
        for width in [16, 32, 48, 64] {
            for (m, k) in [(1, 1), (5, 64), (13, 63), (50, 37), (64, 129)] {
                let (a, b) = (numbers(m * k, 1), numbers(k * width, 2));
                let before = numbers(m * width, 3);
                let mut panel = vec![7; pairs(k) * width];
                round_panel(&b, width, &mut panel);
                let halves = rounded(&a, k);
                let halves = PairRows {
                    data: &halves,
                    stride: pairs(k),
                };
                let shape = (m, pairs(k), width);
                for accumulate in [false, true] {
                    let (mut native, mut plain) = (before.clone(), before.clone());
                    product(halves, shape, &panel, &mut native, accumulate);
                    portable(halves, shape, &panel, &mut plain, accumulate);
                    let near = |x: f32| f64::from(low(join(x, 0.0)));
                    for (at, &before) in before.iter().enumerate() {
                        let (i, j) = (at / width, at % width);
                        let sum = if accumulate { f64::from(before) } else { 0.0 };
                        let term = |p| near(a[i * k + p]) * near(b[p * width + j]);
                        let sum = (0..k).map(term).fold(sum, |sum, term| sum + term);
                        for c in [native[at], plain[at]] {
                            let error = (f64::from(c) - sum).abs();
                            assert!(error < 1e-5, "{m} x {k} x {width}: {error:e}");
                        }
                    }
                }
            }
        }
    }
}
