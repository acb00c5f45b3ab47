//! Pooling: one cell for each square block of cells, for models that cannot look at all of a map.
//!
//! Which blocks can be gone through is the business of [`super::passages`].

use super::regions::Bounds;
use crate::grid::Cell;
use crate::search::Termination;
use std::ops::Range;

/// How the cells of a window fall into blocks. Cells beyond the last whole block, and before the
/// first, belong to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Cells along each side of a block.
    pub factor: usize,
    /// The map's row and column where the first block begins.
    pub first: Cell,
    /// Blocks along y.
    pub rows: usize,
    /// Blocks along x.
    pub cols: usize,
}

impl Blocks {
    /// The whole blocks of a window that begin `skip` = (rows, columns) into it.
    pub fn new(window: &Bounds, factor: usize, skip: (usize, usize)) -> Self {
        Self {
            factor,
            first: Cell::new(window.bottom + skip.0, window.left + skip.1),
            rows: window.height().saturating_sub(skip.0) / factor,
            cols: window.width().saturating_sub(skip.1) / factor,
        }
    }

    /// Number of blocks.
    pub fn count(&self) -> usize {
        self.rows * self.cols
    }

    /// The block at a row-major index, as a pooled cell.
    pub fn block(&self, index: usize) -> Cell {
        Cell::new(index / self.cols, index % self.cols)
    }

    /// The row-major index of a pooled cell.
    pub fn index(&self, block: Cell) -> usize {
        block.row * self.cols + block.col
    }

    /// The map's rows and columns of a block.
    pub fn cells(&self, block: Cell) -> (Range<usize>, Range<usize>) {
        let row = self.first.row + block.row * self.factor;
        let col = self.first.col + block.col * self.factor;
        (row..row + self.factor, col..col + self.factor)
    }

    /// The rectangle of the map that two blocks span, both included.
    pub fn span(&self, one: Cell, other: Cell) -> Bounds {
        let bounds = |block| {
            let (rows, cols) = self.cells(block);
            Bounds {
                bottom: rows.start,
                top: rows.end - 1,
                left: cols.start,
                right: cols.end - 1,
            }
        };
        bounds(one).around(bounds(other))
    }

    /// The map's cell in the middle of a block; of the four around the middle of an even block the
    /// upper right one.
    pub fn centre(&self, block: Cell) -> Cell {
        Cell::new(
            self.first.row + block.row * self.factor + self.factor / 2,
            self.first.col + block.col * self.factor + self.factor / 2,
        )
    }

    /// The block that a cell of the map is in, or the nearest one.
    pub fn nearest(&self, cell: Cell) -> Cell {
        let near = |at: usize, first: usize, count: usize| {
            (at.saturating_sub(first) / self.factor).min(count.saturating_sub(1))
        };
        Cell::new(
            near(cell.row, self.first.row, self.rows),
            near(cell.col, self.first.col, self.cols),
        )
    }

    /// The blocks at most `span` blocks away from the one that a cell of the map is in, or would
    /// be in, in rows and in columns.
    pub fn around(&self, cell: Cell, span: usize) -> impl Iterator<Item = Cell> + use<> {
        let near = |at: usize, first: usize, count: usize| {
            let own = at.saturating_sub(first) / self.factor;
            own.saturating_sub(span)..own.saturating_add(span + 1).min(count)
        };
        let cols = near(cell.col, self.first.col, self.cols);
        near(cell.row, self.first.row, self.rows)
            .flat_map(move |row| cols.clone().map(move |col| Cell::new(row, col)))
    }
}

/// How many cells of any rectangle of a window are free, in constant time: a table of sums
/// (Crow, SIGGRAPH 1984).
pub(super) struct FreeCounts {
    window: Bounds,
    /// Of the cells below and left of each corner, (height + 1) x (width + 1), row-major.
    sums: Vec<u32>,
}

impl FreeCounts {
    /// Counts the window's free cells; `is_free` is asked by row and column of the map. `None` if it was
    /// stopped.
    pub fn new(
        window: Bounds,
        is_free: impl Fn(usize, usize) -> bool,
        termination: &Termination,
    ) -> Option<Self> {
        let stride = window.width() + 1;
        let mut sums = vec![0; stride * (window.height() + 1)];
        for row in 0..window.height() {
            if termination.reason().is_some() {
                return None;
            }
            let mut in_row = 0;
            for col in 0..window.width() {
                in_row += u32::from(is_free(window.bottom + row, window.left + col));
                sums[(row + 1) * stride + col + 1] = sums[row * stride + col + 1] + in_row;
            }
        }
        Some(Self { window, sums })
    }

    /// The window's free cells.
    pub fn all(&self) -> usize {
        self.sums.last().map_or(0, |&count| count as usize)
    }

    /// The free cells of a block, which lies inside the window.
    pub fn in_block(&self, blocks: &Blocks, block: Cell) -> usize {
        let (rows, cols) = blocks.cells(block);
        self.count(rows, cols)
    }

    /// The cells of blocks that are free altogether.
    pub fn in_whole_blocks(&self, blocks: &Blocks) -> usize {
        let all = blocks.factor * blocks.factor;
        let is_whole = |index: &usize| self.in_block(blocks, blocks.block(*index)) == all;
        (0..blocks.count()).filter(is_whole).count() * all
    }

    /// Whether a cell of the window is free.
    pub fn is_free(&self, cell: Cell) -> bool {
        self.count(cell.row..cell.row + 1, cell.col..cell.col + 1) == 1
    }

    fn count(&self, rows: Range<usize>, cols: Range<usize>) -> usize {
        let stride = self.window.width() + 1;
        let at = |row: usize, col: usize| {
            self.sums[(row - self.window.bottom) * stride + (col - self.window.left)]
        };
        let free = at(rows.end, cols.end) + at(rows.start, cols.start)
            - at(rows.start, cols.end)
            - at(rows.end, cols.start);
        free as usize
    }
}
