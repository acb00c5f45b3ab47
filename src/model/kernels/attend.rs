//! Attention without its matrix of scores.
//!
//! ```text
//! out = softmax(Q^T K) V      for one head and the queries of one panel
//! ```
//!
//! Keys come panel by panel. The scores of a panel of keys are made, turned into powers against
//! the highest score so far, and summed with the values at once; where a later panel has a higher
//! score, what is summed so far is scaled down (Milakov and Gimelshein, arXiv 1805.02867; Dao et
//! al., arXiv 2205.14135). All that is ever kept is one panel of scores, 16 KiB, instead of T x T.

use super::dense::{RowMajor, Transposed, product};
use super::elementwise::exp;
use super::panels::{MOST_COLUMNS, Panel};
use super::scratch::carve;
use pulp::Simd;

/// Where a head's channels lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Rows of a panel of queries, keys and values together: 3 D.
    pub rows: usize,
    /// d, channels of a head.
    pub channels: usize,
    /// First row of its queries, keys and values.
    pub query: usize,
    pub key: usize,
    pub value: usize,
}

impl Head {
    /// Head `head` of `heads`: all queries come first, then all keys, then all values.
    pub fn new(head: usize, heads: usize, channels: usize) -> Self {
        let d = channels / heads;
        Self {
            rows: 3 * channels,
            channels: d,
            query: head * d,
            key: channels + head * d,
            value: 2 * channels + head * d,
        }
    }
}

/// Numbers of scratch that [`attend`] needs.
pub(super) const SCRATCH: usize = MOST_COLUMNS * (MOST_COLUMNS + 3);

/// The head's output for the queries of `panel`, (d x width). `keys` are the panels of the same
/// problem, `qkv` the batch of all; queries are scaled and turned already.
#[inline(always)]
pub(super) fn attend<S: Simd>(
    simd: S,
    head: Head,
    panel: &Panel,
    keys: &[Panel],
    qkv: &[f32],
    scratch: &mut [f32],
    out: &mut [f32],
) {
    let (d, width) = (head.channels, panel.width);
    let rows = |values, first: usize, width: usize| {
        let values: &[f32] = values;
        &values[first * width..(first + d) * width]
    };
    let queries = rows(panel.of(qkv, head.rows), head.query, width);
    let [powers, highest, shrink, sums] = carve(scratch, [MOST_COLUMNS * width, width, width, width]);
    highest.fill(f32::NEG_INFINITY);
    sums.fill(0.0);
    out.fill(0.0);
    for panel in keys {
        let values = panel.of(qkv, head.rows);
        let stride = panel.width;
        let keys = Transposed {
            data: rows(values, head.key, stride),
            stride,
        };
        let values = RowMajor {
            data: rows(values, head.value, stride),
            stride,
        };
        let powers = &mut powers[..panel.columns * width];
        let shape = (panel.columns, d, width);
        product(simd, keys, shape, queries, powers, false);
        raise(powers, width, highest, shrink, sums);
        for row in out.chunks_exact_mut(width) {
            for (out, shrink) in row.iter_mut().zip(&*shrink) {
                *out *= shrink;
            }
        }
        let shape = (d, panel.columns, width);
        product(simd, values, shape, powers, out, true);
    }
    for sum in &mut *sums {
        *sum = 1.0 / *sum;
    }
    for row in out.chunks_exact_mut(width) {
        for (out, share) in row.iter_mut().zip(&*sums) {
            *out *= share;
        }
    }
}

/// Turns a panel of scores into powers against the highest so far, adds them to the sums, and
/// says by how much all that was summed before shrinks.
#[inline(always)]
fn raise(
    scores: &mut [f32],
    width: usize,
    highest: &mut [f32],
    shrink: &mut [f32],
    sums: &mut [f32],
) {
    shrink.copy_from_slice(highest);
    for row in scores.chunks_exact(width) {
        for (highest, &score) in highest.iter_mut().zip(row) {
            *highest = if score > *highest { score } else { *highest };
        }
    }
    for ((shrink, &highest), sum) in shrink.iter_mut().zip(&*highest).zip(&mut *sums) {
        *shrink = exp(*shrink - highest);
        *sum *= *shrink;
    }
    for row in scores.chunks_exact_mut(width) {
        for ((score, &highest), sum) in row.iter_mut().zip(&*highest).zip(&mut *sums) {
            *score = exp(*score - highest);
            *sum += *score;
        }
    }
}
