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

    /// The cells from the chunk's cell `i` to the end of its row, or of the chunk.
    #[inline(always)]
    pub fn run(&self, i: usize) -> Run {
        let (row, first) = ((self.start + i) / self.cols, (self.start + i) % self.cols);
        Run {
            image: self.image,
            rows: self.rows,
            cols: self.cols,
            row,
            first,
            end: self.cols.min(first + self.len - i),
        }
    }
}

/// Cells of one row that follow each other: columns `first..end`, not empty.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// First cell of the image in the batch.
    pub image: usize,
    pub rows: usize,
    pub cols: usize,
    pub row: usize,
    pub first: usize,
    pub end: usize,
}

impl Run {
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// The first cell in the batch of the row under row `dr` (0..3) of a 3 x 3 kernel with its
    /// centre on this row, and true; or that of this row, and false, if there is none.
    #[inline(always)]
    pub fn row_under(&self, dr: usize) -> (usize, bool) {
        let inside = (1..=self.rows).contains(&(self.row + dr));
        let row = if inside { self.row + dr - 1 } else { self.row };
        (self.image + row * self.cols, inside)
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
