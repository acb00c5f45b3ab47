//! How the columns of a batch are cut into panels.
//!
//! A batch is B matrices of R rows and N columns, one column per token (or per channel, where
//! tokens are mixed). Each is cut into panels of 16, 32, 48 or 64 columns that lie one after the
//! other, every panel row-major (R x width) and contiguous: the layout that
//! [`dense`](super::dense) reads and writes. Columns past the last are filled up; what is in them
//! is finite and means nothing.
//!
//! In this layout norms, gated units and softmax run down the columns, so that 16 columns share
//! one instruction and no sum crosses a register. The cut follows from N alone, never from the
//! number of threads.

use std::ops::Range;

/// Columns come in steps of one AVX-512 register, of which two of AVX2 or four of NEON are one.
const STEP: usize = 16;
/// Four registers of columns: with six rows of sums they fill the 32 registers of AVX-512.
const MOST_STEPS: usize = 4;
/// No panel is wider.
pub(super) const MOST_COLUMNS: usize = STEP * MOST_STEPS;

/// One panel of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panel {
    /// Its matrix.
    pub problem: usize,
    /// Its place among the panels of its matrix.
    pub index: usize,
    /// Its first column.
    pub first: usize,
    /// Columns that mean something.
    pub columns: usize,
    /// Columns with those filled up.
    pub width: usize,
    /// Columns of all panels before it in the batch.
    start: usize,
}

impl Panel {
    /// Where its numbers lie in a batch of matrices of `rows` rows.
    #[inline(always)]
    fn range(&self, rows: usize) -> Range<usize> {
        self.start * rows..(self.start + self.width) * rows
    }

    /// Its numbers.
    #[inline(always)]
    pub fn of<'a, T>(&self, batch: &'a [T], rows: usize) -> &'a [T] {
        &batch[self.range(rows)]
    }
}

/// All panels of a batch, in order.
#[derive(Debug, Clone)]
pub(super) struct Panels {
    all: Vec<Panel>,
    per_problem: usize,
}

impl Panels {
    /// Cuts `problems` matrices of `columns` columns as evenly as steps of 16 allow, so that
    /// panels cost much the same.
    pub fn new(problems: usize, columns: usize) -> Self {
        let steps = columns.div_ceil(STEP);
        let per_problem = steps.div_ceil(MOST_STEPS);
        let mut all = Vec::with_capacity(problems * per_problem);
        let mut start = 0;
        for problem in 0..problems {
            let mut first = 0;
            for index in 0..per_problem {
                let wide = usize::from(index < steps % per_problem);
                let width = STEP * (steps / per_problem + wide);
                all.push(Panel {
                    problem,
                    index,
                    first,
                    columns: width.min(columns - first),
                    width,
                    start,
                });
                first += width;
                start += width;
            }
        }
        Self { all, per_problem }
    }

    /// The panels.
    pub fn all(&self) -> &[Panel] {
        &self.all
    }

    /// The panels of one matrix.
    pub fn of_problem(&self, problem: usize) -> &[Panel] {
        &self.all[problem * self.per_problem..(problem + 1) * self.per_problem]
    }

    /// Numbers of a batch of matrices of `rows` rows.
    pub fn len(&self, rows: usize) -> usize {
        self.all.last().map_or(0, |last| last.range(rows).end)
    }

    /// Each panel with its numbers.
    pub fn split<'a, 'b, T>(
        &'a self,
        mut batch: &'b mut [T],
        rows: usize,
    ) -> Vec<(&'a Panel, &'b mut [T])> {
        let mut parts = Vec::with_capacity(self.all.len());
        for panel in &self.all {
            let (own, rest) = batch.split_at_mut(rows * panel.width);
            parts.push((panel, own));
            batch = rest;
        }
        parts
    }

    /// Each panel with its columns in a batch where they are contiguous and none is filled up.
    pub fn split_columns<'a, 'b>(
        &'a self,
        mut batch: &'b mut [f32],
        rows: usize,
    ) -> Vec<(&'a Panel, &'b mut [f32])> {
        let mut parts = Vec::with_capacity(self.all.len());
        for panel in &self.all {
            let (own, rest) = batch.split_at_mut(rows * panel.columns);
            parts.push((panel, own));
            batch = rest;
        }
        parts
    }
}

/// Fills a panel from a batch whose columns are contiguous: column j of matrix b lies at
/// `(b N + j) rows`.
#[inline(always)]
pub(super) fn gather(panel: &Panel, total: usize, columns: &[f32], rows: usize, out: &mut [f32]) {
    let first = panel.problem * total + panel.first;
    let columns = &columns[first * rows..(first + panel.columns) * rows];
    // A block of rows at a time, so that both sides of the transposition stay in cache.
    for (block, out) in out.chunks_mut(STEP * panel.width).enumerate() {
        for (j, column) in columns.chunks_exact(rows).enumerate() {
            let column = &column[block * STEP..];
            for (row, &value) in out.chunks_exact_mut(panel.width).zip(column) {
                row[j] = value;
            }
        }
        for row in out.chunks_exact_mut(panel.width) {
            row[panel.columns..].fill(0.0);
        }
    }
}

/// The inverse of [`gather`]: the columns of one panel, one after the other.
#[inline(always)]
pub(super) fn scatter(panel: &Panel, values: &[f32], rows: usize, columns: &mut [f32]) {
    for (block, values) in values.chunks(STEP * panel.width).enumerate() {
        for (j, column) in columns.chunks_exact_mut(rows).enumerate() {
            let column = &mut column[block * STEP..];
            for (row, out) in values.chunks_exact(panel.width).zip(column) {
                *out = row[j];
            }
        }
    }
}

/// Fills panel `to`, whose columns are rows of panels `from`: the transpose of a matrix, panel by
/// panel. `batch` holds the panels `from`, `rows` rows each.
#[inline(always)]
pub(super) fn turn(from: &[Panel], batch: &[f32], rows: usize, to: &Panel, out: &mut [f32]) {
    for panel in from {
        let values = panel.of(batch, rows);
        let own = &values[to.first * panel.width..(to.first + to.columns) * panel.width];
        let out = &mut out[panel.first * to.width..(panel.first + panel.columns) * to.width];
        for (t, out) in out.chunks_exact_mut(to.width).enumerate() {
            let (kept, filled) = out.split_at_mut(to.columns);
            for (out, row) in kept.iter_mut().zip(own.chunks_exact(panel.width)) {
                *out = row[t];
            }
            filled.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::numbers;
    use super::*;

    #[test]
    fn every_column_is_in_one_panel() {
        for columns in 1..300 {
            let panels = Panels::new(2, columns);
            let mut start = 0;
            for problem in 0..2 {
                let mut first = 0;
                for (index, panel) in panels.of_problem(problem).iter().enumerate() {
                    assert_eq!((panel.problem, panel.index), (problem, index));
                    assert_eq!((panel.first, panel.start), (first, start));
                    assert!([16, 32, 48, 64].contains(&panel.width), "{columns}");
                    assert!(panel.columns > 0 && panel.columns <= panel.width);
                    first += panel.columns;
                    start += panel.width;
                }
                assert_eq!(first, columns);
            }
            assert!(panels.len(1) < 2 * (columns + STEP));
        }
    }

    #[test]
    fn panels_cost_much_the_same() {
        let widths = |columns| -> Vec<usize> {
            let panels = Panels::new(1, columns);
            panels.all().iter().map(|panel| panel.width).collect()
        };
        assert_eq!(widths(901), [[64; 12].as_slice(), &[48; 3]].concat());
        assert_eq!(widths(82), [48, 48]);
        assert_eq!(widths(65), [48, 32]);
    }

    #[test]
    fn scattering_and_turning_give_back_what_was_gathered() {
        for (columns, rows) in [(1, 1), (7, 40), (70, 33), (130, 16), (64, 65)] {
            let batch = numbers(2 * columns * rows, 7);
            let (panels, across) = (Panels::new(2, columns), Panels::new(2, rows));
            let mut gathered = vec![f32::NAN; panels.len(rows)];
            for (panel, out) in panels.split(&mut gathered, rows) {
                gather(panel, columns, &batch, rows, out);
            }
            assert!(gathered.iter().all(|x| x.is_finite()), "filled up");

            let mut turned = vec![f32::NAN; across.len(columns)];
            for (panel, out) in across.split(&mut turned, columns) {
                let from = panels.of_problem(panel.problem);
                turn(from, &gathered, rows, panel, out);
            }
            let mut back = vec![f32::NAN; panels.len(rows)];
            for (panel, out) in panels.split(&mut back, rows) {
                let from = across.of_problem(panel.problem);
                turn(from, &turned, columns, panel, out);
            }
            assert_eq!(back, gathered);

            let mut scattered = vec![f32::NAN; batch.len()];
            for (panel, out) in panels.split_columns(&mut scattered, rows) {
                scatter(panel, panel.of(&gathered, rows), rows, out);
            }
            assert_eq!(scattered, batch);
        }
    }
}
