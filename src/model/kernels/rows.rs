//! Kernels of the transformer blocks, row by row: norms, gated units, softmax, with their backward
//! passes. f32, the last dimension contiguous.
//!
//! With rows x, y, gate g and up u:
//!
//! ```text
//! add_rms(x, y) = s / sqrt(mean(s^2) + eps), s = x + y
//! gated(g, u)   = silu(g) * u
//! softmax(x)    = exp(x - max x) / sum(exp(x - max x))
//! ```
//!
//! A row's result depends on that row alone, so results are the same on any number of threads.

use super::elementwise::{exp, sigmoid};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Values of a task: enough to be worth a thread, few enough to stay in the L2 cache.
const VALUES_PER_TASK: usize = 1 << 14;
/// Sums run in so many strands, so that they become SIMD and are the same everywhere.
const STRANDS: usize = 16;

/// What makes one row of the output.
trait RowKernel: Sync {
    /// Fills row `index`.
    fn fill(&self, index: usize, out: &mut [f32]);
}

struct Task<'a, K> {
    kernel: &'a K,
    first: usize,
    width: usize,
    out: &'a mut [f32],
}

impl<K: RowKernel> WithSimd for Task<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (row, out) in self.out.chunks_exact_mut(self.width).enumerate() {
            self.kernel.fill(self.first + row, out);
        }
    }
}

/// All rows of an output of `len` values.
fn all_rows(kernel: &impl RowKernel, len: usize, width: usize) -> Vec<f32> {
    let mut out = vec![0.0; len];
    if width == 0 {
        return out;
    }
    let arch = pulp::Arch::new();
    let rows = (VALUES_PER_TASK / width).max(1);
    out.par_chunks_mut(rows * width)
        .enumerate()
        .for_each(|(task, out)| {
            arch.dispatch(Task {
                kernel,
                first: task * rows,
                width,
                out,
            });
        });
    out
}

/// Row `index` of rows of this width.
#[inline(always)]
fn row(values: &[f32], index: usize, width: usize) -> &[f32] {
    &values[index * width..(index + 1) * width]
}

/// The sum of a function of pairs.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], of: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let (a_strands, a_rest) = a.as_chunks::<STRANDS>();
    let (b_strands, b_rest) = b.as_chunks::<STRANDS>();
    let mut sums = [0.0_f32; STRANDS];
    for (a, b) in a_strands.iter().zip(b_strands) {
        for i in 0..STRANDS {
            sums[i] = of(a[i], b[i], sums[i]);
        }
    }
    for (i, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[i] = of(a, b, sums[i]);
    }
    sums.iter().sum()
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, f32::mul_add)
}

#[inline(always)]
fn inverse_rms(s: &[f32], eps: f32) -> f32 {
    1.0 / (dot(s, s) / s.len() as f32 + eps).sqrt()
}

/// `rms(x + y)` over rows of `width`.
pub(crate) fn add_rms(x: &[f32], y: &[f32], width: usize, eps: f32) -> Vec<f32> {
    struct Kernel<'a>(&'a [f32], &'a [f32], f32);
    impl RowKernel for Kernel<'_> {
        #[inline(always)]
        fn fill(&self, index: usize, out: &mut [f32]) {
            let &Self(x, y, eps) = self;
            let width = out.len();
            let (x, y) = (row(x, index, width), row(y, index, width));
            for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                *out = x + y;
            }
            let scale = inverse_rms(out, eps);
            for out in out {
                *out *= scale;
            }
        }
    }
    all_rows(&Kernel(x, y, eps), x.len(), width)
}

/// The gradient of x, which is that of y too, from that of `out = rms(x + y)`:
/// `ds = (dout - out mean(out dout)) / rms`.
pub(crate) fn add_rms_backward(
    [x, y]: [&[f32]; 2],
    gradient: &[f32],
    width: usize,
    eps: f32,
) -> Vec<f32> {
    struct Kernel<'a>([&'a [f32]; 2], &'a [f32], f32);
    impl RowKernel for Kernel<'_> {
        #[inline(always)]
        fn fill(&self, index: usize, out: &mut [f32]) {
            let &Self([x, y], gradient, eps) = self;
            let width = out.len();
            let (x, y) = (row(x, index, width), row(y, index, width));
            let gradient = row(gradient, index, width);
            for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                *out = x + y;
            }
            let scale = inverse_rms(out, eps);
            let mean = dot(out, gradient) * scale * scale / width as f32;
            for (s, &gradient) in out.iter_mut().zip(gradient) {
                *s = (gradient - *s * mean) * scale;
            }
        }
    }
    all_rows(&Kernel([x, y], gradient, eps), x.len(), width)
}

/// `silu(g) * u` over rows of (g, u), `width` values of each.
pub(crate) fn gated(gate_up: &[f32], width: usize) -> Vec<f32> {
    struct Kernel<'a>(&'a [f32]);
    impl RowKernel for Kernel<'_> {
        #[inline(always)]
        fn fill(&self, index: usize, out: &mut [f32]) {
            let (gate, up) = row(self.0, index, 2 * out.len()).split_at(out.len());
            for ((out, &g), &u) in out.iter_mut().zip(gate).zip(up) {
                *out = g * sigmoid(g) * u;
            }
        }
    }
    all_rows(&Kernel(gate_up), gate_up.len() / 2, width)
}

/// The gradient of (g, u) from that of `silu(g) * u`.
pub(crate) fn gated_backward(gate_up: &[f32], gradient: &[f32], width: usize) -> Vec<f32> {
    struct Kernel<'a>(&'a [f32], &'a [f32]);
    impl RowKernel for Kernel<'_> {
        #[inline(always)]
        fn fill(&self, index: usize, out: &mut [f32]) {
            let width = out.len() / 2;
            let (gate, up) = row(self.0, index, 2 * width).split_at(width);
            let gradient = row(self.1, index, width);
            let (d_gate, d_up) = out.split_at_mut(width);
            for i in 0..width.min(gate.len()).min(up.len()) {
                let (g, u, gradient) = (gate[i], up[i], gradient[i]);
                let sigmoid = sigmoid(g);
                d_gate[i] = gradient * u * sigmoid * (1.0 + g * (1.0 - sigmoid));
                d_up[i] = gradient * g * sigmoid;
            }
        }
    }
    all_rows(&Kernel(gate_up, gradient), gate_up.len(), 2 * width)
}

/// Softmax over rows of `width`.
pub(crate) fn softmax(x: &[f32], width: usize) -> Vec<f32> {
    struct Kernel<'a>(&'a [f32]);
    impl RowKernel for Kernel<'_> {
        #[inline(always)]
        fn fill(&self, index: usize, out: &mut [f32]) {
            let x = row(self.0, index, out.len());
            let mut highest = [f32::NEG_INFINITY; STRANDS];
            for x in x.chunks(STRANDS) {
                for (highest, &x) in highest.iter_mut().zip(x) {
                    *highest = highest.max(x);
                }
            }
            let highest = highest.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            for (out, &x) in out.iter_mut().zip(x) {
                *out = exp(x - highest);
            }
            let scale = 1.0 / sum(out, out, |x, _, sum| sum + x);
            for out in out {
                *out *= scale;
            }
        }
    }
    all_rows(&Kernel(x), x.len(), width)
}

/// The gradient of x from that of `p = softmax(x)`: `dx = p (dp - sum(p dp))`.
pub(crate) fn softmax_backward(p: &[f32], gradient: &[f32], width: usize) -> Vec<f32> {
    struct Kernel<'a>(&'a [f32], &'a [f32]);
    impl RowKernel for Kernel<'_> {
        #[inline(always)]
        fn fill(&self, index: usize, out: &mut [f32]) {
            let width = out.len();
            let (p, gradient) = (row(self.0, index, width), row(self.1, index, width));
            let mean = dot(p, gradient);
            for ((out, &p), &gradient) in out.iter_mut().zip(p).zip(gradient) {
                *out = p * (gradient - mean);
            }
        }
    }
    all_rows(&Kernel(p, gradient), p.len(), width)
}
