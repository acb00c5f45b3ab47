//! Where the queries, keys and values of heads lie, in f32 and in bf16, and the two products that
//! attention makes of them.
//!
//! In f32 a panel of 3 D rows holds the queries of all heads, then their keys, then their values,
//! one column per token. In bf16 numbers go in pairs (see [`half`](super::half)) along what a
//! product sums over: queries are panels of `d / 2` rows of pairs, keys one row of `d / 2` pairs
//! per token, values d rows of `width / 2` pairs; each takes the place of `d / 2` rows.

use super::dense::{RowMajor, Transposed, product};
use super::half::{self, PairRows, pairs, round_panel, round_rows, turn_pairs};
use super::panels::Panel;
use pulp::Simd;

/// Where a head's queries, keys and values lie in a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Rows of the panel.
    pub rows: usize,
    /// Rows of each of the three.
    each: usize,
    /// First row of each.
    query: usize,
    key: usize,
    value: usize,
}

impl Head {
    /// Head `head` of `heads` that take `each` rows: all queries come first, then all keys, then
    /// all values.
    pub fn new(head: usize, heads: usize, each: usize) -> Self {
        Self {
            rows: 3 * heads * each,
            each,
            query: head * each,
            key: (heads + head) * each,
            value: (2 * heads + head) * each,
        }
    }

    #[inline(always)]
    fn part<'a, T>(&self, first: usize, panel: &Panel, batch: &'a [T]) -> &'a [T] {
        let rows = first * panel.width..(first + self.each) * panel.width;
        &panel.of(batch, self.rows)[rows]
    }

    /// The queries of a panel.
    #[inline(always)]
    pub fn queries<'a, T>(&self, panel: &Panel, batch: &'a [T]) -> &'a [T] {
        self.part(self.query, panel, batch)
    }
}

/// A head's keys and values of one panel.
#[derive(Clone, Copy)]
pub(super) struct KeyPanel<'a, N> {
    pub head: Head,
    pub panel: &'a Panel,
    pub batch: &'a [N],
}

impl<'a, N> KeyPanel<'a, N> {
    #[inline(always)]
    fn keys(&self) -> &'a [N] {
        self.head.part(self.head.key, self.panel, self.batch)
    }

    #[inline(always)]
    fn values(&self) -> &'a [N] {
        self.head.part(self.head.value, self.panel, self.batch)
    }
}

/// What queries, keys and values are made of.
pub(super) trait Numbers: Copy + Send + Sync {
    /// Rows that d channels take.
    fn rows(channels: usize) -> usize;

    /// The scores of a panel of keys, a row each, for `width` queries.
    fn scores<S: Simd>(
        simd: S,
        keys: KeyPanel<'_, Self>,
        queries: &[Self],
        width: usize,
        out: &mut [f32],
    );

    /// Adds a panel's values, weighted by the powers of their scores. `scratch` holds
    /// [`PAIRS`](super::attend::PAIRS).
    fn add_values<S: Simd>(
        simd: S,
        keys: KeyPanel<'_, Self>,
        powers: &[f32],
        width: usize,
        scratch: &mut [u32],
        out: &mut [f32],
    );
}

impl Numbers for f32 {
    fn rows(channels: usize) -> usize {
        channels
    }

    #[inline(always)]
    fn scores<S: Simd>(
        simd: S,
        keys: KeyPanel<'_, f32>,
        queries: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        let rows = Transposed {
            data: keys.keys(),
            stride: keys.panel.width,
        };
        let shape = (keys.panel.columns, keys.head.each, width);
        product(simd, rows, shape, queries, out, false);
    }

    #[inline(always)]
    fn add_values<S: Simd>(
        simd: S,
        keys: KeyPanel<'_, f32>,
        powers: &[f32],
        width: usize,
        _scratch: &mut [u32],
        out: &mut [f32],
    ) {
        let values = RowMajor {
            data: keys.values(),
            stride: keys.panel.width,
        };
        let shape = (keys.head.each, keys.panel.columns, width);
        product(simd, values, shape, powers, out, true);
    }
}

/// Pairs of bf16 numbers.
impl Numbers for u32 {
    fn rows(channels: usize) -> usize {
        pairs(channels)
    }

    #[inline(always)]
    fn scores<S: Simd>(
        _simd: S,
        keys: KeyPanel<'_, u32>,
        queries: &[u32],
        width: usize,
        out: &mut [f32],
    ) {
        let rows = PairRows {
            data: keys.keys(),
            stride: keys.head.each,
        };
        let shape = (keys.panel.columns, keys.head.each, width);
        half::product(rows, shape, queries, out, false);
    }

    #[inline(always)]
    fn add_values<S: Simd>(
        _simd: S,
        keys: KeyPanel<'_, u32>,
        powers: &[f32],
        width: usize,
        scratch: &mut [u32],
        out: &mut [f32],
    ) {
        let values = PairRows {
            data: keys.values(),
            stride: keys.panel.width / 2,
        };
        let powers_of = pairs(keys.panel.columns);
        let scratch = &mut scratch[..powers_of * width];
        round_panel(powers, width, scratch);
        let shape = (out.len() / width, powers_of, width);
        half::product(values, shape, scratch, out, true);
    }
}

/// Rounds a panel of queries, keys and values of heads of `channels` channels, (3 D x width).
#[inline(always)]
pub(super) fn round_heads(qkv: &[f32], channels: usize, width: usize, out: &mut [u32]) {
    let parts = qkv.len() / 3;
    let each = pairs(channels) * width;
    let heads = qkv.chunks_exact(channels * width);
    for (at, (numbers, out)) in heads.zip(out.chunks_exact_mut(each)).enumerate() {
        match at * channels * width / parts {
            0 => round_panel(numbers, width, out),
            1 => turn_pairs(numbers, width, out),
            _ => round_rows(numbers, width, out),
        }
    }
}
