//! Weights in either precision, times panels.

use super::dense::{self, RowMajor};
use super::half::{PairRows, pairs, product, round_panel};
use pulp::Simd;
use std::ops::Range;

/// A row-major weight, outputs by inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Matrix<'a> {
    /// In f32.
    Full(&'a [f32]),
    /// In bf16; see [`half`](super::half).
    Half(&'a [u32]),
}

impl Matrix<'_> {
    /// Pairs of scratch that an [`Operand`] of `inputs` rows needs.
    pub(super) fn scratch(self, inputs: usize, width: usize) -> usize {
        match self {
            Self::Full(_) => 0,
            Self::Half(_) => pairs(inputs) * width,
        }
    }
}

/// A panel that weights are multiplied with, in their precision.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    full: &'a [f32],
    half: &'a [u32],
    width: usize,
}

impl<'a> Operand<'a> {
    /// The panel for products with matrices such as this one.
    #[inline(always)]
    pub fn new(matrix: Matrix<'_>, panel: &'a [f32], width: usize, scratch: &'a mut [u32]) -> Self {
        let scratch = &mut scratch[..matrix.scratch(panel.len() / width, width)];
        if matches!(matrix, Matrix::Half(_)) {
            round_panel(panel, width, scratch);
        }
        Self {
            full: panel,
            half: scratch,
            width,
        }
    }

    /// `out = a panel`, or `out += a panel`, with a the matrix's `rows`.
    #[inline(always)]
    pub fn times<S: Simd>(
        self,
        simd: S,
        matrix: Matrix<'_>,
        rows: Range<usize>,
        out: &mut [f32],
        accumulate: bool,
    ) {
        let Self { full, half, width } = self;
        match matrix {
            Matrix::Full(weights) => {
                let k = full.len() / width;
                let weights = RowMajor {
                    data: &weights[rows.start * k..],
                    stride: k,
                };
                let shape = (rows.len(), k, width);
                dense::product(simd, weights, shape, full, out, accumulate);
            }
            Matrix::Half(weights) => {
                let k = half.len() / width;
                let weights = PairRows {
                    data: &weights[rows.start * k..],
                    stride: k,
                };
                product(weights, (rows.len(), k, width), half, out, accumulate);
            }
        }
    }
}
