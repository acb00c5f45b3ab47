//! The forward pass of the block with its matrix products in bf16: inputs rounded to eight bits of
//! mantissa, sums in f32. For inference alone.
//!
//! The state, the depthwise convolution, the residual sums and the norms stay in f32; what a
//! product reads (t, y and h of the block, and the weights) is rounded to the nearest bf16. On
//! x86-64 with `AVX512_BF16` one instruction sums two products per lane, twice the rate of f32.
//! Anywhere else the same roundings run on the kernels of f32: the same plans, at their speed.

use super::chunk::Chunk;
use super::depthwise::depthwise;
use super::elementwise::{gated, rms};
use super::forward::Target;
use super::matmul::{Start, View, matmul};
use super::scratch::{carve, with_scratch};
use super::segment::SegmentKernel;
use super::weights::BlockShape;
use pulp::{Simd, WithSimd};

/// The weights of a segment in bf16, as the instruction set of this machine reads them.
#[derive(Debug)]
pub(crate) struct ReducedWeights {
    shape: BlockShape,
    blocks: Blocks,
}

#[derive(Debug)]
enum Blocks {
    /// Packed weights of all blocks, rounded.
    Portable(Vec<f32>),
    #[cfg(target_arch = "x86_64")]
    Avx512(super::bf16_avx512::Kernel),
}

impl ReducedWeights {
    /// From the packed f32 weights of any number of blocks.
    pub fn new(shape: BlockShape, packed: &[f32]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(kernel) = super::bf16_avx512::Kernel::new(shape, packed) {
            let blocks = Blocks::Avx512(kernel);
            return Self { shape, blocks };
        }
        Self::portable(shape, packed)
    }

    fn portable(shape: BlockShape, packed: &[f32]) -> Self {
        let mut rounded = packed.to_vec();
        for block in rounded.chunks_exact_mut(shape.packed_len()) {
            // The depthwise weights come first and stay as they are.
            let taps = shape.taps() * shape.channels;
            round_all(&mut block[taps..]);
        }
        Self {
            shape,
            blocks: Blocks::Portable(rounded),
        }
    }
}

impl SegmentKernel for ReducedWeights {
    fn forward(&self, block: usize, x: &[f32], chunk: &Chunk<'_>, target: Target<'_>) {
        match &self.blocks {
            Blocks::Portable(packed) => {
                let len = self.shape.packed_len();
                with_scratch(scratch_len(self.shape, chunk.len), |scratch| {
                    pulp::Arch::new().dispatch(Portable {
                        shape: self.shape,
                        packed: &packed[block * len..(block + 1) * len],
                        x,
                        chunk,
                        scratch,
                        target,
                    });
                });
            }
            #[cfg(target_arch = "x86_64")]
            Blocks::Avx512(kernel) => kernel.forward(block, x, chunk, target),
        }
    }
}

/// The nearest bf16, halves to even, as the upper half of an f32; NaN stays NaN.
#[inline(always)]
pub(super) fn bits(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    // Rounding must not carry a NaN's mantissa into its sign.
    if x.is_nan() {
        (bits >> 16) as u16 | 0x40
    } else {
        rounded as u16
    }
}

#[inline(always)]
fn round(x: f32) -> f32 {
    f32::from_bits(u32::from(bits(x)) << 16)
}

#[inline(always)]
fn round_all(values: &mut [f32]) {
    for value in values {
        *value = round(*value);
    }
}

fn scratch_len(shape: BlockShape, cells: usize) -> usize {
    cells * (4 * shape.channels + 3 * shape.hidden + 1)
}

struct Portable<'a> {
    shape: BlockShape,
    packed: &'a [f32],
    x: &'a [f32],
    chunk: &'a Chunk<'a>,
    scratch: &'a mut [f32],
    target: Target<'a>,
}

impl WithSimd for Portable<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            shape,
            packed,
            x,
            chunk,
            scratch,
            target,
        } = self;
        let (m, c, e) = (chunk.len, shape.channels, shape.hidden);
        let w = shape.split(packed);
        let lengths = [m * c, m * c, m * c, m * e, m * e, m * e, m * c, m];
        let [t, y, rounded, g, u, h, s2, inverse] = carve(scratch, lengths);
        depthwise(simd, chunk, c, w.depthwise, x, t, false);
        round_all(t);
        let own = &x[chunk.first * c..(chunk.first + m) * c];
        matmul(
            simd,
            (m, c, c),
            View::rows(t, c),
            w.mix,
            y,
            Start::From(own),
        );
        rms(y, c, inverse);
        rounded.copy_from_slice(y);
        round_all(rounded);
        let input = View::rows(rounded, c);
        matmul(simd, (m, c, e), input, w.gate, g, Start::Zeros);
        matmul(simd, (m, c, e), input, w.up, u, Start::Zeros);
        gated(g, u, h);
        round_all(h);
        matmul(
            simd,
            (m, e, c),
            View::rows(h, e),
            w.down,
            s2,
            Start::From(y),
        );
        target.write::<true>(s2, c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Layout;
    use crate::model::kernels::chunk::chunks;
    use crate::model::kernels::testing::numbers;

    #[test]
    fn rounding_is_to_the_nearest_bf16_and_to_even_at_halves() {
        for (x, want) in [
            (1.0, 1.0),
            (1.0 + 1.0 / 256.0, 1.0), // halfway between 1 and 1 + 1/128: to even
            (1.0 + 3.0 / 256.0, 1.0 + 2.0 / 128.0), // halfway: to even
            (1.001, 1.0),
            (-2.6, -2.593_75),
            (0.0, 0.0),
            (f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(round(x).to_bits(), f32::to_bits(want), "{x}");
        }
        assert!(round(f32::NAN).is_nan());
        assert!(round(f32::from_bits(0x7fff_ffff)).is_nan());
    }

    /// Whatever this machine runs, against the portable formulation.
    #[test]
    fn the_machines_own_instructions_compute_the_portable_formulation() {
        let random = |count, size: f32| -> Vec<f32> {
            numbers(count, 7).into_iter().map(|x| x * size).collect()
        };
        for (channels, hidden) in [(16, 16), (32, 48), (64, 128), (80, 112)] {
            let shape = BlockShape {
                channels,
                hidden,
                kernel: 3,
            };
            let packed = random(2 * shape.packed_len(), 0.4);
            for image in [(1, 1), (1, 7), (9, 1), (11, 13)] {
                let layout = Layout::new(vec![image]);
                let x = random(layout.tokens() * channels, 1.5);
                let kernels = [
                    ReducedWeights::new(shape, &packed),
                    ReducedWeights::portable(shape, &packed),
                ];
                let [own, portable] = kernels.map(|kernel| {
                    let mut all = vec![0.0; x.len()];
                    for chunk in &chunks(&layout, shape.kernel) {
                        let range = chunk.first * channels..;
                        let out = &mut all[range][..chunk.len * channels];
                        let sum = None;
                        let out = Some(out);
                        let activations = None;
                        let target = Target {
                            out,
                            sum,
                            activations,
                        };
                        kernel.forward(1, &x, chunk, target);
                    }
                    all
                });
                for (own, portable) in own.iter().zip(&portable) {
                    // A sum in another order may round to the bf16 next to it.
                    assert!(
                        (own - portable).abs() < 0.02,
                        "{channels} x {hidden}, {image:?}: {own} {portable}"
                    );
                }
                let mean = own.iter().zip(&portable).map(|(a, b)| (a - b).abs());
                assert!(mean.sum::<f32>() / (own.len() as f32) < 1e-3);
            }
        }
    }
}
