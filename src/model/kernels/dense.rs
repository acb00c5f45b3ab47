//! Products of a matrix with a panel, for the transformer blocks.
//!
//! A panel holds some rows of up to 64 columns side by side, one column per token (see
//! [`panels`](super::panels)). `C = A B` with panels B (k x width) and C (m x width) and any
//! matrix A (m x k), such as a weight just as PyTorch stores it: outputs by inputs. So nothing is
//! packed. A panel of a few hundred rows stays in the L2 cache while A streams past it; each of
//! A's numbers meets a whole row of the panel, which asks for about one byte of A per cycle, less
//! than any memory delivers. C is itself a panel, ready to be multiplied again.
//!
//! Every number of C is one sum over k in order, whatever the instruction set and the tile.

use pulp::Simd;

/// The m x k matrix that stands on the left.
pub(super) trait Left: Copy {
    /// `R` of its rows.
    type Rows<'a, const R: usize>
    where
        Self: 'a;

    /// Rows from `row` on, `k` columns of each.
    fn rows<'a, const R: usize>(self, row: usize, k: usize) -> Self::Rows<'a, R>
    where
        Self: 'a;

    /// Number `p` of row `r` of these.
    fn at<const R: usize>(rows: &Self::Rows<'_, R>, r: usize, p: usize) -> f32;
}

/// Row-major: (i, p) lies at `i * stride + p`.
#[derive(Clone, Copy)]
pub(super) struct RowMajor<'m> {
    pub data: &'m [f32],
    pub stride: usize,
}

/// The transpose of a row-major matrix: (i, p) lies at `p * stride + i`.
#[derive(Clone, Copy)]
pub(super) struct Transposed<'m> {
    pub data: &'m [f32],
    pub stride: usize,
}

impl<'m> Left for RowMajor<'m> {
    type Rows<'a, const R: usize>
        = [&'m [f32]; R]
    where
        Self: 'a;

    #[inline(always)]
    fn rows<'a, const R: usize>(self, row: usize, k: usize) -> [&'m [f32]; R]
    where
        Self: 'a,
    {
        let mut rows: [&[f32]; R] = [&[]; R];
        for (r, slice) in rows.iter_mut().enumerate() {
            *slice = &self.data[(row + r) * self.stride..][..k];
        }
        rows
    }

    #[inline(always)]
    fn at<const R: usize>(rows: &[&'m [f32]; R], r: usize, p: usize) -> f32 {
        rows[r][p]
    }
}

impl Left for Transposed<'_> {
    type Rows<'a, const R: usize>
        = Self
    where
        Self: 'a;

    #[inline(always)]
    fn rows<'a, const R: usize>(self, row: usize, _k: usize) -> Self
    where
        Self: 'a,
    {
        Self {
            data: &self.data[row..],
            ..self
        }
    }

    #[inline(always)]
    fn at<const R: usize>(rows: &Self, r: usize, p: usize) -> f32 {
        rows.data[p * rows.stride + r]
    }
}

/// `c = a b`, or `c += a b` with `accumulate`, for panels b (k x width) and c (m x width) and an
/// m x k matrix a. `width` is 16, 32, 48 or 64.
#[inline(always)]
pub(super) fn product<S: Simd, L: Left>(
    simd: S,
    a: L,
    (m, k, width): (usize, usize, usize),
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    // Tiles by register count: sums, a row of B, and A's broadcast fit 32 registers (AVX-512,
    // NEON) or 16 (AVX2). Where one tile spans the panel its width is a constant.
    match (S::F32_LANES, width) {
        (16, 64) => strip::<S, L, 6, 4>(simd, a, (m, k), (64, 0), b, c, accumulate),
        (16, 48) => strip::<S, L, 8, 3>(simd, a, (m, k), (48, 0), b, c, accumulate),
        (16, 32) => strip::<S, L, 8, 2>(simd, a, (m, k), (32, 0), b, c, accumulate),
        (16, 16) => strip::<S, L, 8, 1>(simd, a, (m, k), (16, 0), b, c, accumulate),
        _ if S::REGISTER_COUNT >= 32 => {
            for col in (0..width).step_by(4 * S::F32_LANES) {
                strip::<S, L, 6, 4>(simd, a, (m, k), (width, col), b, c, accumulate);
            }
        }
        _ => {
            for col in (0..width).step_by(2 * S::F32_LANES) {
                strip::<S, L, 6, 2>(simd, a, (m, k), (width, col), b, c, accumulate);
            }
        }
    }
}

/// All rows of NV vectors of columns.
#[inline(always)]
fn strip<S: Simd, L: Left, const MR: usize, const NV: usize>(
    simd: S,
    a: L,
    (m, k): (usize, usize),
    (width, col): (usize, usize),
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    let mut row = 0;
    while row + MR <= m {
        let c = &mut c[row * width..];
        tile::<S, L, MR, NV>(simd, &a.rows(row, k), k, (width, col), b, c, accumulate);
        row += MR;
    }
    while row + 4 <= m {
        let c = &mut c[row * width..];
        tile::<S, L, 4, NV>(simd, &a.rows(row, k), k, (width, col), b, c, accumulate);
        row += 4;
    }
    while row < m {
        let c = &mut c[row * width..];
        tile::<S, L, 1, NV>(simd, &a.rows(row, k), k, (width, col), b, c, accumulate);
        row += 1;
    }
}

/// One tile of MR rows and NV vectors, summed over k in registers.
#[inline(always)]
fn tile<S: Simd, L: Left, const MR: usize, const NV: usize>(
    simd: S,
    a: &L::Rows<'_, MR>,
    k: usize,
    (width, col): (usize, usize),
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    let span = NV * S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); NV]; MR];
    if accumulate {
        for (r, sums) in sums.iter_mut().enumerate() {
            let (row, _) = S::as_simd_f32s(&c[r * width + col..][..span]);
            sums.copy_from_slice(row);
        }
    }
    for (p, b_row) in b[..k * width].chunks_exact(width).enumerate() {
        let (b_row, _) = S::as_simd_f32s(&b_row[col..][..span]);
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = simd.splat_f32s(L::at(a, r, p));
            for v in 0..NV {
                sums[v] = simd.mul_add_e_f32s(x, b_row[v], sums[v]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let (row, _) = S::as_mut_simd_f32s(&mut c[r * width + col..][..span]);
        row.copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{instruction_sets, numbers};
    use super::*;
    use pulp::WithSimd;

    struct Product<'a, L> {
        a: L,
        shape: (usize, usize, usize),
        b: &'a [f32],
        c: &'a mut [f32],
        accumulate: bool,
    }

    impl<L: Left> WithSimd for Product<'_, L> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            product(simd, self.a, self.shape, self.b, self.c, self.accumulate);
        }
    }

    /// Every instruction set, against the textbook sum in f64, for all widths of panels, odd
    /// numbers of rows, and both layouts of A.
    #[test]
    fn products_equal_the_textbook() {
        for width in [16, 32, 48, 64] {
            for (m, k) in [(1, 1), (5, 64), (6, 3), (13, 64), (50, 37), (64, 129)] {
                let shape = (m, k, width);
                let (a, b) = (numbers(m * k, 1), numbers(k * width, 2));
                let before = numbers(m * width, 3);
                for (transposed, accumulate) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    let at = |i: usize, p: usize| a[if transposed { p * m + i } else { i * k + p }];
                    let mut all = Vec::new();
                    for arch in instruction_sets() {
                        let mut c = before.clone();
                        let (b, c_mut) = (&b[..], &mut c[..]);
                        if transposed {
                            let a = Transposed {
                                data: &a,
                                stride: m,
                            };
                            arch.dispatch(Product {
                                a,
                                shape,
                                b,
                                c: c_mut,
                                accumulate,
                            });
                        } else {
                            let a = RowMajor {
                                data: &a,
                                stride: k,
                            };
                            arch.dispatch(Product {
                                a,
                                shape,
                                b,
                                c: c_mut,
                                accumulate,
                            });
                        }
                        all.push(c);
                    }
                    for (at_c, &before) in before.iter().enumerate() {
                        let (i, j) = (at_c / width, at_c % width);
                        let sum = if accumulate { f64::from(before) } else { 0.0 };
                        let term = |p| f64::from(at(i, p)) * f64::from(b[p * width + j]);
                        let sum = (0..k).map(term).fold(sum, |sum, term| sum + term);
                        for c in &all {
                            let error = (f64::from(c[at_c]) - sum).abs();
                            assert!(error < 1e-5, "{shape:?} at {i}, {j}: {error:e}");
                        }
                    }
                }
            }
        }
    }
}
