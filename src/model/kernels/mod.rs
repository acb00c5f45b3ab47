//! CPU kernels, on all cores: of the grid model's segments ([`segment`], forward and backward, f32
//! and bf16), of the transformer's modules at inference ([`transformer`]), and of its rows in
//! training ([`rows`]). What is said here is of the grid block.
//!
//! With x (cells x C), hidden width E, and `rms(v) = v / sqrt(mean(v^2) + eps)` over channels:
//!
//! ```text
//! t  = depthwise3x3(x)        s1 = x + t M            y = rms(s1)
//! g  = y G    u = y U         h  = silu(g) * u        s2 = y + h D      out = rms(s2)
//! ```
//!
//! Weights come packed in one slice, in this order: depthwise (9 x C), M (C x C), G (C x E),
//! U (C x E), D (E x C), all row-major, input first.
//!
//! The block is cut into chunks of cells small enough to stay in the L2 cache through the whole
//! block. Chunks are fixed by the layout, never by the number of threads, and sums over chunks
//! are added in order: results are the same on any number of threads.
//!
//! SIMD is chosen at run time through the `pulp` crate; `bf16_avx512` and [`half`] alone need
//! instructions that it does not offer, and `unsafe` code for them.

// SIMD code must be inlined into the one function that is compiled for the instruction set
// chosen; whatever is left out of it runs hundreds of times slower (measured).
#![allow(clippy::inline_always)]

mod attend;
mod backward;
mod bf16;
#[cfg(target_arch = "x86_64")]
mod bf16_avx512;
mod cases;
mod chunk;
mod dense;
mod depthwise;
mod elementwise;
mod forward;
pub(crate) mod half;
mod heads;
mod matmul;
pub(crate) mod matrix;
mod panel_tasks;
mod panels;
pub(crate) mod rows;
mod scratch;
mod segment;
pub(crate) mod transformer;
pub(crate) mod turns;
mod weights;

pub(crate) use bf16::ReducedWeights;
pub use cases::{KernelCase, kernel_cases};
pub(crate) use elementwise::RMS_EPS;
pub(crate) use segment::{SegmentShape, backward, forward, forward_reduced};
pub(crate) use weights::BlockShape;

/// What unit tests of kernels share.
#[cfg(test)]
mod testing {
    /// Every instruction set that this machine has, the portable one among them.
    pub fn instruction_sets() -> Vec<pulp::Arch> {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = pulp::x86::V3::try_new().map(pulp::Arch::V3);
            let avx512 = pulp::x86::V4::try_new().map(pulp::Arch::V4);
            let portable = [pulp::Arch::Scalar];
            portable.into_iter().chain(avx2).chain(avx512).collect()
        }
        #[cfg(not(target_arch = "x86_64"))]
        vec![pulp::Arch::new()]
    }

    /// Numbers from -1 to 1.
    pub fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let draw = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(draw).collect()
    }
}
