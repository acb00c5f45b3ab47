//! How the cells of a batch are cut into chunks that stay in cache.
//!
//! Chunks follow from the layout alone, never from the number of threads.

use crate::model::Layout;

/// Cells per chunk: 96 x (3 C + 3 E) floats are 220 KiB at C = 64, E = 128, within an L2 cache,
/// and 96 is a multiple of the six rows of a matrix tile.
pub(super) const CHUNK_CELLS: usize = 96;

/// Gradients of weights are summed in this many groups of chunks, then over the groups in order,
/// so that the sum does not depend on the number of threads.
pub(super) const GRADIENT_GROUPS: usize = 8;

/// A run of cells of one image.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    /// First cell of the image in the batch.
    pub image: usize,
    pub rows: usize,
    pub cols: usize,
    /// First cell of the chunk within the image.
    pub start: usize,
    pub len: usize,
}

impl Chunk {
    /// First cell of the chunk in the batch.
    pub fn first(&self) -> usize {
        self.image + self.start
    }

    /// Row and column of the chunk's cell `i` within its image.
    #[inline(always)]
    pub fn place(&self, i: usize) -> (usize, usize) {
        ((self.start + i) / self.cols, (self.start + i) % self.cols)
    }

    /// The row and column that follow, row-major.
    #[inline(always)]
    pub fn after(&self, (row, col): (usize, usize)) -> (usize, usize) {
        if col + 1 < self.cols {
            (row, col + 1)
        } else {
            (row + 1, 0)
        }
    }

    /// The cells of the image that a 3 x 3 kernel with its centre at (row, col) meets: up to nine
    /// pairs (tap, cell of the batch), taps row by row, and how many there are.
    #[inline(always)]
    pub fn under_taps(&self, (row, col): (usize, usize)) -> ([(usize, usize); 9], usize) {
        let (mut taps, mut count) = ([(0, 0); 9], 0);
        for dr in 0..3 {
            for dc in 0..3 {
                let (r, c) = (row + dr, col + dc);
                if (1..=self.rows).contains(&r) && (1..=self.cols).contains(&c) {
                    let cell = self.image + (r - 1) * self.cols + (c - 1);
                    taps[count] = (3 * dr + dc, cell);
                    count += 1;
                }
            }
        }
        (taps, count)
    }

    /// The cells from the chunk's cell `i` to the end of its row (or of the chunk) that have a cell
    /// of the image under tap `tap`, as (first cell in the chunk, cells, first cell of the batch
    /// under the tap), which follow each other on both sides; and where the next row begins.
    #[inline(always)]
    pub fn run_under(&self, tap: usize, i: usize) -> ((usize, usize, usize), usize) {
        let (dr, dc) = (tap / 3, tap % 3);
        let (row, col) = self.place(i);
        let in_row = (self.cols - col).min(self.len - i);
        let first = col.max(1_usize.saturating_sub(dc));
        let end = (col + in_row).min(self.cols + 1 - dc);
        let run = if (1..=self.rows).contains(&(row + dr)) && first < end {
            let under = self.image + (row + dr - 1) * self.cols + (first + dc - 1);
            (i + first - col, end - first, under)
        } else {
            (i, 0, 0)
        };
        (run, i + in_row)
    }
}

pub(super) fn chunks(layout: &Layout) -> Vec<Chunk> {
    let mut chunks = Vec::with_capacity(layout.cells() / CHUNK_CELLS + layout.images().len());
    for (image, (rows, cols)) in layout.offsets().zip(layout.images().iter().copied()) {
        for start in (0..rows * cols).step_by(CHUNK_CELLS) {
            let len = CHUNK_CELLS.min(rows * cols - start);
            chunks.push(Chunk {
                image,
                rows,
                cols,
                start,
                len,
            });
        }
    }
    chunks
}

/// Splits a batch-sized buffer into one slice per chunk.
pub(super) fn per_chunk<'a>(
    chunks: &[Chunk],
    channels: usize,
    mut data: &'a mut [f32],
) -> Vec<&'a mut [f32]> {
    chunks
        .iter()
        .map(|chunk| {
            let (head, tail) = std::mem::take(&mut data).split_at_mut(chunk.len * channels);
            data = tail;
            head
        })
        .collect()
}

/// Chunks and their slices of a batch-sized buffer, in the groups whose gradients are summed
/// together.
pub(super) fn per_group<'a>(
    chunks: &'a [Chunk],
    channels: usize,
    data: &'a mut [f32],
) -> Vec<(&'a [Chunk], Vec<&'a mut [f32]>)> {
    let mut slices = per_chunk(chunks, channels, data).into_iter();
    chunks
        .chunks(chunks.len().div_ceil(GRADIENT_GROUPS).max(1))
        .map(|group| (group, slices.by_ref().take(group.len()).collect()))
        .collect()
}
