//! Matrix products for the sizes of a block: tall, thin, and resident in cache.
//!
//! `C (m x n) = A (m x k) B (k x n)` with B and C row-major and A of any strides, so that the
//! same tile serves the forward pass (A row-major), the gradient of the input (B transposed once
//! per call) and the gradient of the weights (A read column-wise). Nothing is packed: a block's
//! weights and one chunk of cells fit the L1 and L2 caches. A general GEMM library packs both
//! operands on every call, which at these sizes costs more than the product.

use pulp::Simd;

/// A matrix view into a slice: element (i, j) lies at `i * row_stride + j * col_stride`.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The numbers.
    pub data: &'a [f32],
    /// Between rows.
    pub row_stride: usize,
    /// Between columns.
    pub col_stride: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix with `cols` columns.
    #[inline(always)]
    pub fn rows(data: &'a [f32], cols: usize) -> Self {
        Self {
            data,
            row_stride: cols,
            col_stride: 1,
        }
    }

    /// The transpose of a row-major matrix with `cols` columns.
    #[inline(always)]
    pub fn transposed(data: &'a [f32], cols: usize) -> Self {
        Self {
            data,
            row_stride: 1,
            col_stride: cols,
        }
    }
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// Nothing: `c = a b`.
    Zeros,
    /// What is there: `c += a b`.
    Output,
    /// A matrix of the same shape: `c = addend + a b`.
    From(&'a [f32]),
}

/// `c = start + a b`.
///
/// `a` is m x k, `b` row-major k x n, `c` row-major m x n. `n` is a multiple of the SIMD width
/// (all channel counts are multiples of 16; see `GridHrmConfig::validate`).
#[inline(always)]
pub(super) fn matmul<S: Simd>(
    simd: S,
    (m, k, n): (usize, usize, usize),
    a: View<'_>,
    b: &[f32],
    c: &mut [f32],
    start: Start<'_>,
) {
    debug_assert_eq!(n % S::F32_LANES, 0);
    // Tile sizes by register count: 6 x 4 vectors of AVX-512 or NEON (32 registers), 4 x 3 of
    // AVX2 (16 registers) leave room for B's row and A's broadcast.
    if S::REGISTER_COUNT >= 32 {
        rows_by::<S, 6, 4>(simd, (m, k, n), a, b, c, start);
    } else {
        rows_by::<S, 4, 3>(simd, (m, k, n), a, b, c, start);
    }
}

#[inline(always)]
fn rows_by<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    (m, k, n): (usize, usize, usize),
    a: View<'_>,
    b: &[f32],
    c: &mut [f32],
    start: Start<'_>,
) {
    let lanes = S::F32_LANES;
    let mut col = 0;
    while col < n {
        let vectors = ((n - col) / lanes).min(NV);
        let full = vectors == NV;
        let step = if full { NV } else { 1 };
        let mut row = 0;
        while row < m {
            let tile_a = View {
                data: &a.data[row * a.row_stride..],
                ..a
            };
            let (tile_b, tile_c) = (&b[col..], &mut c[row * n + col..]);
            let start = match start {
                Start::From(addend) => Start::From(&addend[row * n + col..]),
                other => other,
            };
            if full && row + MR <= m {
                tile::<S, MR, NV>(simd, k, tile_a, tile_b, tile_c, n, start);
                row += MR;
            } else if full {
                tile::<S, 1, NV>(simd, k, tile_a, tile_b, tile_c, n, start);
                row += 1;
            } else if row + MR <= m {
                tile::<S, MR, 1>(simd, k, tile_a, tile_b, tile_c, n, start);
                row += MR;
            } else {
                tile::<S, 1, 1>(simd, k, tile_a, tile_b, tile_c, n, start);
                row += 1;
            }
        }
        col += step * lanes;
    }
}

/// One tile of MR rows and NV vectors, summed over k in registers.
#[inline(always)]
fn tile<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    k: usize,
    a: View<'_>,
    b: &[f32],
    c: &mut [f32],
    n: usize,
    start: Start<'_>,
) {
    let width = NV * S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); NV]; MR];
    let addend = match start {
        Start::Zeros => None,
        Start::Output => Some(&*c),
        Start::From(addend) => Some(addend),
    };
    if let Some(addend) = addend {
        for (r, sums) in sums.iter_mut().enumerate() {
            let (row, _) = S::as_simd_f32s(&addend[r * n..r * n + width]);
            sums.copy_from_slice(row);
        }
    }
    for p in 0..k {
        let (b_row, _) = S::as_simd_f32s(&b[p * n..p * n + width]);
        let a_col = &a.data[p * a.col_stride..];
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = simd.splat_f32s(a_col[r * a.row_stride]);
            for v in 0..NV {
                sums[v] = simd.mul_add_e_f32s(x, b_row[v], sums[v]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let (row, _) = S::as_mut_simd_f32s(&mut c[r * n..r * n + width]);
        row.copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Product<'a>(
        (usize, usize, usize),
        View<'a>,
        &'a [f32],
        &'a mut [f32],
        Start<'a>,
    );
    impl pulp::WithSimd for Product<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            matmul(simd, self.0, self.1, self.2, self.3, self.4);
        }
    }

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect()
    }

    /// Every instruction set this machine has, and the portable one, against the textbook triple
    /// loop in f64, for odd row counts and both layouts of A.
    #[test]
    fn products_equal_the_textbook() {
        for &(m, k, n) in &[
            (1, 16, 16),
            (5, 64, 64),
            (6, 3, 48),
            (13, 64, 128),
            (96, 128, 64),
            (7, 9, 80),
        ] {
            let (a, b, c0) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3));
            let addend = numbers(m * n, 4);
            let starts = [Start::Zeros, Start::Output, Start::From(&addend)];
            for (transposed, start) in [false, true]
                .into_iter()
                .flat_map(|transposed| starts.map(|start| (transposed, start)))
            {
                let view = if transposed {
                    View::transposed(&a, m)
                } else {
                    View::rows(&a, k)
                };
                let mut want: Vec<f64> = match start {
                    Start::Zeros => vec![0.0; m * n],
                    Start::Output => c0.iter().copied().map(f64::from).collect(),
                    Start::From(addend) => addend.iter().copied().map(f64::from).collect(),
                };
                for i in 0..m {
                    for p in 0..k {
                        for j in 0..n {
                            want[i * n + j] +=
                                f64::from(a[i * view.row_stride + p * view.col_stride])
                                    * f64::from(b[p * n + j]);
                        }
                    }
                }
                let mut native = c0.clone();
                pulp::Arch::new().dispatch(Product((m, k, n), view, &b, &mut native, start));
                let mut portable = c0.clone();
                matmul(
                    pulp::Scalar::new(),
                    (m, k, n),
                    view,
                    &b,
                    &mut portable,
                    start,
                );
                for (i, &w) in want.iter().enumerate() {
                    assert!(
                        (f64::from(native[i]) - w).abs() < 1e-4,
                        "{m}x{k}x{n} at {i}"
                    );
                    assert!(
                        (f64::from(portable[i]) - w).abs() < 1e-4,
                        "{m}x{k}x{n} at {i}"
                    );
                }
            }
        }
    }
}
