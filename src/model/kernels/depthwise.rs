//! The depthwise 3 x 3 convolution of a chunk and its gradients.
//!
//! A row is walked column by column, one or two vectors of channels at a time: each column of
//! three cells is loaded once and serves the three outputs that it touches, and sums and weights
//! stay in registers.

use super::chunk::{Chunk, Run};
use pulp::Simd;

/// A vector of channels of the three cells of a column, and of the nine taps.
struct Window<'a, S: Simd> {
    /// The rows above, at and below the run: of all columns of the image. Where there is no row,
    /// the one at the run stands in, and its weights are zeros.
    rows: [&'a [S::f32s]; 3],
    present: [bool; 3],
    /// Vectors per cell.
    n: usize,
    run: Run,
}

impl<'a, S: Simd> Window<'a, S> {
    #[inline(always)]
    fn new(x: &'a [S::f32s], n: usize, run: Run) -> Self {
        let mut rows: [&[S::f32s]; 3] = [&[]; 3];
        let mut present = [true; 3];
        for dr in 0..3 {
            let (row, inside) = run.row_under(dr);
            rows[dr] = &x[row * n..(row + run.cols) * n];
            present[dr] = inside;
        }
        Self {
            rows,
            present,
            n,
            run,
        }
    }

    /// V vectors from vector `at` on of the three cells of a column.
    #[inline(always)]
    fn column<const V: usize>(&self, col: usize, at: usize) -> [[S::f32s; V]; 3] {
        let from = col * self.n + at;
        let mut column = [[self.rows[0][from]; V]; 3];
        for (cells, row) in column.iter_mut().zip(self.rows) {
            cells.copy_from_slice(&row[from..from + V]);
        }
        column
    }

    /// The columns that the outputs of the run touch.
    #[inline(always)]
    fn columns(&self) -> std::ops::Range<usize> {
        self.run.first.saturating_sub(1)..(self.run.end + 1).min(self.run.cols)
    }
}

/// `out = sum of taps of x with weights (9 x C)` for the cells of a chunk, or `out += ..`.
///
/// x is the whole batch, `out` the chunk's cells.
#[inline(always)]
pub(super) fn depthwise<S: Simd>(
    simd: S,
    chunk: &Chunk,
    channels: usize,
    weights: &[f32],
    x: &[f32],
    out: &mut [f32],
    accumulate: bool,
) {
    let n = channels / S::F32_LANES;
    let (weights, x) = (S::as_simd_f32s(weights).0, S::as_simd_f32s(x).0);
    let out = S::as_mut_simd_f32s(out).0;
    let mut cell = 0;
    while cell < chunk.len {
        let run = chunk.run(cell);
        let window = Window::<S>::new(x, n, run);
        let out = &mut out[cell * n..(cell + run.len()) * n];
        cell += run.len();
        let mut at = 0;
        // Two vectors hide each other's latency, where there are registers for 18 weights.
        while S::REGISTER_COUNT >= 32 && at + 2 <= n {
            depthwise_run::<S, 2>(simd, &window, at, weights, out, accumulate);
            at += 2;
        }
        while at < n {
            depthwise_run::<S, 1>(simd, &window, at, weights, out, accumulate);
            at += 1;
        }
    }
}

#[inline(always)]
fn depthwise_run<S: Simd, const V: usize>(
    simd: S,
    window: &Window<'_, S>,
    at: usize,
    weights: &[S::f32s],
    out: &mut [S::f32s],
    accumulate: bool,
) {
    let (n, run) = (window.n, window.run);
    let zero = [simd.splat_f32s(0.0); V];
    let mut w = [[zero; 3]; 3];
    for (dr, row) in w.iter_mut().enumerate() {
        for (dc, w) in row.iter_mut().enumerate() {
            if window.present[dr] {
                let from = (3 * dr + dc) * n + at;
                w.copy_from_slice(&weights[from..from + V]);
            }
        }
    }
    let columns = window.columns();
    // The sums of the outputs left of the column at hand and at it.
    let (mut left, mut here) = (zero, zero);
    if accumulate && columns.start == run.first {
        here.copy_from_slice(&out[at..at + V]);
    }
    for col in columns.clone() {
        let mut right = zero;
        if accumulate && (run.first..run.end).contains(&(col + 1)) {
            let from = (col + 1 - run.first) * n + at;
            right.copy_from_slice(&out[from..from + V]);
        }
        let x = window.column::<V>(col, at);
        for dr in 0..3 {
            for v in 0..V {
                right[v] = simd.mul_add_e_f32s(w[dr][0][v], x[dr][v], right[v]);
                here[v] = simd.mul_add_e_f32s(w[dr][1][v], x[dr][v], here[v]);
                left[v] = simd.mul_add_e_f32s(w[dr][2][v], x[dr][v], left[v]);
            }
        }
        if col > run.first {
            let to = (col - 1 - run.first) * n + at;
            out[to..to + V].copy_from_slice(&left);
        }
        (left, here) = (here, right);
    }
    if columns.end == run.end {
        // At the image's right border no column comes after the last output.
        let to = (run.end - 1 - run.first) * n + at;
        out[to..to + V].copy_from_slice(&left);
    }
}

/// `dw[tap] += sum over the chunk's cells of dt * x under the tap`, (9 x C).
///
/// x and dt are the whole batch.
#[inline(always)]
pub(super) fn depthwise_weights<S: Simd>(
    simd: S,
    chunk: &Chunk,
    channels: usize,
    x: &[f32],
    dt: &[f32],
    dw: &mut [f32],
) {
    let n = channels / S::F32_LANES;
    let (x, dt) = (S::as_simd_f32s(x).0, S::as_simd_f32s(dt).0);
    let dw = S::as_mut_simd_f32s(dw).0;
    let dt = &dt[chunk.first() * n..(chunk.first() + chunk.len) * n];
    for at in 0..n {
        let mut sums = [[simd.splat_f32s(0.0); 3]; 3];
        let mut cell = 0;
        while cell < chunk.len {
            let run = chunk.run(cell);
            let window = Window::<S>::new(x, n, run);
            let dt = &dt[cell * n..(cell + run.len()) * n];
            cell += run.len();
            weights_run(simd, &window, at, dt, &mut sums);
        }
        for dr in 0..3 {
            for dc in 0..3 {
                let dw = &mut dw[(3 * dr + dc) * n + at];
                *dw = simd.add_f32s(*dw, sums[dr][dc]);
            }
        }
    }
}

#[inline(always)]
fn weights_run<S: Simd>(
    simd: S,
    window: &Window<'_, S>,
    at: usize,
    dt: &[S::f32s],
    sums: &mut [[S::f32s; 3]; 3],
) {
    let (n, run) = (window.n, window.run);
    let zero = simd.splat_f32s(0.0);
    let columns = window.columns();
    // dt of the outputs left of the column at hand and at it.
    let mut left = zero;
    let mut here = if columns.start == run.first {
        dt[at]
    } else {
        zero
    };
    for col in columns {
        let right = if (run.first..run.end).contains(&(col + 1)) {
            dt[(col + 1 - run.first) * n + at]
        } else {
            zero
        };
        let x = window.column::<1>(col, at);
        for dr in 0..3 {
            if window.present[dr] {
                let sums = &mut sums[dr];
                sums[0] = simd.mul_add_e_f32s(right, x[dr][0], sums[0]);
                sums[1] = simd.mul_add_e_f32s(here, x[dr][0], sums[1]);
                sums[2] = simd.mul_add_e_f32s(left, x[dr][0], sums[2]);
            }
        }
        (left, here) = (here, right);
    }
}
