//! CPU kernels of the grid block: forward and backward, f32, channels last, all cores.
//!
//! The block is cut into chunks of cells small enough to stay in the L2 cache through the whole
//! block. Chunks are fixed by the layout, never by the number of threads, and sums over chunks
//! are added in order: results are the same on any number of threads.
//!
//! SIMD is chosen at run time through the `pulp` crate; there is no `unsafe` code here.

// SIMD code must be inlined into the one function that is compiled for the instruction set
// chosen; whatever is left out of it runs hundreds of times slower (measured).
#![allow(clippy::inline_always)]

mod block;
mod matmul;

pub(crate) use block::{BlockShape, RMS_EPS, backward, forward};
