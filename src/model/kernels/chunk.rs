//! How the tokens of a batch are cut into chunks that stay in cache.
//!
//! Chunks follow from the layout alone, never from the number of threads.

use crate::model::Layout;

/// Tokens per chunk: 96 x (3 C + 3 E) floats are 220 KiB at C = 64, E = 128, within an L2 cache,
/// and 96 is a multiple of the six rows of a matrix tile.
pub(super) const CHUNK_TOKENS: usize = 96;

/// Gradients of weights are summed in this many groups of chunks, then over the groups in order,
/// so that the sum does not depend on the number of threads.
pub(super) const GRADIENT_GROUPS: usize = 8;

/// A run of tokens of a batch.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    /// Its first token.
    pub first: usize,
    pub len: usize,
    /// The tokens under the taps of the kernel centred on each of them; see `Layout::under`.
    pub under: &'a [u32],
}

/// The chunks of a batch whose blocks have kernels of `side` x `side`.
pub(super) fn chunks(layout: &Layout, side: usize) -> Vec<Chunk<'_>> {
    let taps = side * side;
    let under = layout.under(side).chunks(CHUNK_TOKENS * taps);
    under
        .enumerate()
        .map(|(index, under)| Chunk {
            first: index * CHUNK_TOKENS,
            len: under.len() / taps,
            under,
        })
        .collect()
}

/// Splits a batch-sized buffer into one slice per chunk.
pub(super) fn per_chunk<'a>(
    chunks: &[Chunk<'_>],
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
pub(super) fn per_group<'a, 'c>(
    chunks: &'a [Chunk<'c>],
    channels: usize,
    data: &'a mut [f32],
) -> Vec<(&'a [Chunk<'c>], Vec<&'a mut [f32]>)> {
    let mut slices = per_chunk(chunks, channels, data).into_iter();
    chunks
        .chunks(chunks.len().div_ceil(GRADIENT_GROUPS).max(1))
        .map(|group| (group, slices.by_ref().take(group.len()).collect()))
        .collect()
}
