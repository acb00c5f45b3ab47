//! A segment of the grid model: all cycles, with the sums of the recurrence folded into the
//! blocks that make their terms, so that no state is read or written for its sake alone.
//!
//! With `slow = z_H + e`, which stands still within an H cycle:
//!
//! ```text
//! x = z_L + slow
//! repeat L_cycles - 1 times:  x = L(x) + slow
//! z_L = L(x)    x = z_L + z_H    z_H = H(x)
//! ```
//!
//! Training keeps the inputs of the blocks of the last H cycle, the only one that a gradient
//! reaches, and their activations too where those are not too large: else they are computed again
//! on the way back.

use super::backward::{BackwardWeights, backward as block_backward};
use super::bf16::ReducedWeights;
use super::chunk::{Chunk, GRADIENT_GROUPS, chunks, per_chunk};
use super::forward::{Target, activations_len, forward as block_forward};
use super::scratch::{carve, with_workspace};
use super::weights::BlockShape;
use crate::model::Layout;
use crate::search::Termination;
use rayon::prelude::*;

/// Numbers that one task of an elementwise pass handles.
const VALUES_PER_TASK: usize = 1 << 14;

/// Numbers of activations that a training step keeps at most: 512 MiB. A batch of the shipped
/// recipes has 84 MiB of them.
const MOST_ACTIVATIONS: usize = 1 << 27;

/// What a segment is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentShape {
    pub block: BlockShape,
    pub h_blocks: usize,
    pub l_blocks: usize,
    pub h_cycles: usize,
    pub l_cycles: usize,
}

/// What becomes of the output of a block.
#[derive(Clone, Copy)]
enum Then {
    /// The input of the next block of its module.
    Next,
    /// With `slow` added, the input of the next update of z_L.
    Again,
    /// The new z_L, and with z_H added the input of H.
    Settled,
    /// The new z_H.
    Planned,
}

impl SegmentShape {
    /// Length of the weights: the packed weights of the blocks of L, then those of H.
    pub fn packed_len(&self) -> usize {
        self.blocks() * self.block.packed_len()
    }

    fn blocks(&self) -> usize {
        self.l_blocks + self.h_blocks
    }

    /// The block applications of one H cycle, in order, as (block, what becomes of its output).
    fn stages(&self) -> Vec<(usize, Then)> {
        let mut stages = Vec::with_capacity(self.l_cycles * self.l_blocks + self.h_blocks);
        for update in 1..=self.l_cycles {
            for block in 1..=self.l_blocks {
                let then = match (block == self.l_blocks, update == self.l_cycles) {
                    (false, _) => Then::Next,
                    (true, false) => Then::Again,
                    (true, true) => Then::Settled,
                };
                stages.push((block - 1, then));
            }
        }
        for block in 1..=self.h_blocks {
            let then = if block < self.h_blocks {
                Then::Next
            } else {
                Then::Planned
            };
            stages.push((self.l_blocks + block - 1, then));
        }
        stages
    }

    /// How many numbers [`forward`] keeps for [`backward`], for this many cells: the inputs of all
    /// stages, and their activations unless they would be more than [`MOST_ACTIVATIONS`].
    pub fn kept_len(&self, cells: usize) -> usize {
        let stages = self.stages().len();
        let activations = stages * cells * activations_len(self.block);
        let inputs = stages * cells * self.block.channels;
        if activations > MOST_ACTIVATIONS {
            inputs
        } else {
            inputs + activations
        }
    }
}

/// Inputs of blocks: each stage reads one and may write the next. As many as there are stages
/// keep them all; two keep the last.
struct Inputs<'a> {
    len: usize,
    buffers: &'a mut [f32],
}

impl Inputs<'_> {
    fn count(&self) -> usize {
        self.buffers.len() / self.len
    }

    fn first(&mut self) -> &mut [f32] {
        &mut self.buffers[..self.len]
    }

    /// The input of a stage, and room for that of the next.
    fn pair(&mut self, stage: usize) -> (&[f32], &mut [f32]) {
        let (now, next) = (stage % self.count(), (stage + 1) % self.count());
        let (low, high) = self.buffers.split_at_mut(now.max(next) * self.len);
        let low = &mut low[now.min(next) * self.len..][..self.len];
        let high = &mut high[..self.len];
        if now < next { (low, high) } else { (high, low) }
    }
}

/// The weights of a segment, in a precision.
pub(super) trait SegmentKernel: Sync {
    /// The output of a block for one chunk of x.
    fn forward(&self, block: usize, x: &[f32], chunk: &Chunk<'_>, target: Target<'_>);
}

/// In f32.
pub(super) struct Full<'a> {
    arch: pulp::Arch,
    shape: BlockShape,
    packed: &'a [f32],
}

impl<'a> Full<'a> {
    /// The packed weights of any number of blocks, for an instruction set of this machine.
    pub fn new(arch: pulp::Arch, shape: BlockShape, packed: &'a [f32]) -> Self {
        Self {
            arch,
            shape,
            packed,
        }
    }
}

impl SegmentKernel for Full<'_> {
    fn forward(&self, block: usize, x: &[f32], chunk: &Chunk<'_>, target: Target<'_>) {
        let len = self.shape.packed_len();
        let packed = &self.packed[block * len..(block + 1) * len];
        block_forward(self.arch, self.shape, packed, x, chunk, target);
    }
}

/// (z_H, z_L) after one segment, one after the other, from the (z_H, z_L) before it and e.
///
/// `kept`, of [`SegmentShape::kept_len`], receives what [`backward`] needs. Once `until` says so,
/// no more is computed, and what is returned means nothing.
pub(crate) fn forward(
    shape: &SegmentShape,
    layout: &Layout,
    packed: &[f32],
    until: &Termination,
    carry: [&[f32]; 2],
    e: &[f32],
    kept: Option<&mut [f32]>,
) -> Vec<f32> {
    let kernel = Full::new(pulp::Arch::new(), shape.block, packed);
    forward_with(&kernel, (shape, until), layout, carry, e, kept)
}

/// The same, without a way back, in the precision of these weights.
pub(crate) fn forward_reduced(
    shape: &SegmentShape,
    layout: &Layout,
    weights: &ReducedWeights,
    until: &Termination,
    carry: [&[f32]; 2],
    e: &[f32],
) -> Vec<f32> {
    forward_with(weights, (shape, until), layout, carry, e, None)
}

fn forward_with(
    kernel: &impl SegmentKernel,
    (shape, until): (&SegmentShape, &Termination),
    layout: &Layout,
    [first_h, first_l]: [&[f32]; 2],
    e: &[f32],
    kept: Option<&mut [f32]>,
) -> Vec<f32> {
    let (len, channels) = (e.len(), shape.block.channels);
    let mut out = vec![0.0; 2 * len];
    if len == 0 {
        return out;
    }
    let (z_h, z_l) = out.split_at_mut(len);
    let (chunks, stages) = (chunks(layout, shape.block.kernel), shape.stages());
    let (mut kept, mut activations) = match kept {
        Some(kept) => {
            let (inputs, activations) = kept.split_at_mut(stages.len() * len);
            let wanted = !activations.is_empty();
            (Some(inputs), wanted.then_some(activations))
        }
        None => (None, None),
    };
    let activations_len = len / channels * activations_len(shape.block);
    with_workspace(3 * len, |workspace| {
        let [slow, pair] = carve(workspace, [len, 2 * len]);
        for cycle in 1..=shape.h_cycles {
            let first = cycle == 1;
            let mut inputs = Inputs {
                len,
                buffers: match &mut kept {
                    Some(kept) if cycle == shape.h_cycles => kept,
                    _ => &mut *pair,
                },
            };
            let z = if first {
                [first_h, first_l]
            } else {
                [&*z_h, &*z_l]
            };
            begin(z, e, slow, inputs.first());
            for (stage, &(block, then)) in stages.iter().enumerate() {
                let (x, next) = if matches!(then, Then::Planned) {
                    (inputs.pair(stage).0, &mut [][..])
                } else {
                    inputs.pair(stage)
                };
                let (out, sum): (_, Option<(&[f32], _)>) = match then {
                    Then::Next => (Some(next), None),
                    Then::Again => (None, Some((slow, next))),
                    Then::Settled => {
                        let z_h = if first { first_h } else { &*z_h };
                        (Some(&mut *z_l), Some((z_h, next)))
                    }
                    Then::Planned => (Some(&mut *z_h), None),
                };
                let kept = activations.as_mut().filter(|_| cycle == shape.h_cycles);
                let kept = kept.map(|all| &mut all[stage * activations_len..][..activations_len]);
                targets(shape.block, &chunks, out, sum, kept)
                    .into_par_iter()
                    .filter(|_| until.reason().is_none())
                    .for_each(|(chunk, target)| kernel.forward(block, x, chunk, target));
            }
        }
    });
    out
}

/// `slow = z_H + e` and `x = z_L + slow`.
fn begin([z_h, z_l]: [&[f32]; 2], e: &[f32], slow: &mut [f32], x: &mut [f32]) {
    slow.par_chunks_mut(VALUES_PER_TASK)
        .zip(x.par_chunks_mut(VALUES_PER_TASK))
        .zip(z_h.par_chunks(VALUES_PER_TASK))
        .zip(z_l.par_chunks(VALUES_PER_TASK))
        .zip(e.par_chunks(VALUES_PER_TASK))
        .for_each(|((((slow, x), z_h), z_l), e)| {
            for i in 0..slow.len() {
                slow[i] = z_h[i] + e[i];
                x[i] = z_l[i] + slow[i];
            }
        });
}

/// The part of each chunk in where a block's output goes.
fn targets<'a>(
    shape: BlockShape,
    chunks: &'a [Chunk<'a>],
    out: Option<&'a mut [f32]>,
    sum: Option<(&'a [f32], &'a mut [f32])>,
    activations: Option<&'a mut [f32]>,
) -> Vec<(&'a Chunk<'a>, Target<'a>)> {
    let channels = shape.channels;
    let mut activations =
        activations.map(|kept| per_chunk(chunks, activations_len(shape), kept).into_iter());
    let mut outs = out.map(|out| per_chunk(chunks, channels, out).into_iter());
    let mut sums = sum.map(|(addend, sum)| (addend, per_chunk(chunks, channels, sum).into_iter()));
    chunks
        .iter()
        .map(|chunk| {
            let range = chunk.first * channels..(chunk.first + chunk.len) * channels;
            let target = Target {
                out: outs.as_mut().and_then(Iterator::next),
                sum: sums
                    .as_mut()
                    .and_then(|(addend, sums)| Some((&addend[range], sums.next()?))),
                activations: activations.as_mut().and_then(Iterator::next),
            };
            (chunk, target)
        })
        .collect()
}

/// Gradients of e and of the weights, given those of z_H and z_L after the segment and what the
/// forward pass kept. None flows into the carry before the segment.
pub(crate) fn backward(
    shape: &SegmentShape,
    layout: &Layout,
    packed: &[f32],
    kept: &[f32],
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    backward_with(pulp::Arch::new(), shape, layout, packed, kept, gradient)
}

fn backward_with(
    arch: pulp::Arch,
    shape: &SegmentShape,
    layout: &Layout,
    packed: &[f32],
    kept: &[f32],
    gradient: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let len = gradient.len() / 2;
    let chunks = chunks(layout, shape.block.kernel);
    let block_len = shape.block.packed_len();
    let weights: Vec<BackwardWeights<'_>> = packed
        .chunks_exact(block_len)
        .map(|packed| BackwardWeights::new(shape.block, packed))
        .collect();
    let mut de = vec![0.0; len];
    let mut dw = vec![0.0; packed.len()];
    if len == 0 {
        return (de, dw);
    }
    let (gradient_h, gradient_l) = gradient.split_at(len);
    let stages = shape.stages();
    let (inputs, activations) = kept.split_at(stages.len() * len);
    let activations_len = len / shape.block.channels * activations_len(shape.block);
    let partials_len = GRADIENT_GROUPS * packed.len();
    with_workspace(2 * len + partials_len, |workspace| {
        let [g, dt, partials] = carve(workspace, [len, len, partials_len]);
        partials.fill(0.0);
        g.copy_from_slice(gradient_h);
        for (stage, &(block, then)) in stages.iter().enumerate().rev() {
            match then {
                Then::Settled => add(g, gradient_l),
                // x = L(..) + slow, and slow holds e.
                Then::Again => add(&mut de, g),
                Then::Next | Then::Planned => {}
            }
            let mut partials: Vec<&mut [f32]> = partials
                .chunks_exact_mut(packed.len())
                .map(|partial| &mut partial[block * block_len..(block + 1) * block_len])
                .collect();
            let x = &inputs[stage * len..(stage + 1) * len];
            let kept = activations.get(stage * activations_len..(stage + 1) * activations_len);
            let input = (&chunks[..], x, kept);
            block_backward(
                arch,
                shape.block,
                &weights[block],
                input,
                g,
                dt,
                &mut partials,
            );
        }
        add(&mut de, g);
        for partial in partials.chunks_exact(packed.len()) {
            add(&mut dw, partial);
        }
    });
    (de, dw)
}

/// `sum += term`.
fn add(sum: &mut [f32], term: &[f32]) {
    sum.par_chunks_mut(VALUES_PER_TASK)
        .zip(term.par_chunks(VALUES_PER_TASK))
        .for_each(|(sum, term)| {
            for (sum, term) in sum.iter_mut().zip(term) {
                *sum += term;
            }
        });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{instruction_sets, numbers};
    use super::*;

    const SHAPE: SegmentShape = SegmentShape {
        block: BlockShape {
            channels: 16,
            hidden: 48,
            kernel: 3,
        },
        h_blocks: 1,
        l_blocks: 2,
        h_cycles: 2,
        l_cycles: 2,
    };

    /// States after a segment and the gradients of e and of the weights.
    type Results = (Vec<f32>, (Vec<f32>, Vec<f32>));

    fn results(arch: pulp::Arch, images: &[(usize, usize)], keep_activations: bool) -> Results {
        let layout = Layout::new(images.to_vec());
        let len = layout.tokens() * SHAPE.block.channels;
        let mut packed = numbers(SHAPE.packed_len(), 1);
        for w in &mut packed {
            *w *= 0.3;
        }
        let (z_h, z_l, e) = (numbers(len, 2), numbers(len, 3), numbers(len, 4));
        let probe = numbers(2 * len, 5);
        let (all, inputs) = (SHAPE.kept_len(layout.tokens()), SHAPE.stages().len() * len);
        assert!(all > inputs);
        let mut kept = vec![0.0; if keep_activations { all } else { inputs }];
        let kernel = Full::new(arch, SHAPE.block, &packed);
        let carry = [&z_h[..], &z_l[..]];
        let out = forward_with(
            &kernel,
            (&SHAPE, &Termination::never()),
            &layout,
            carry,
            &e,
            Some(&mut kept),
        );
        let gradients = backward_with(arch, &SHAPE, &layout, &packed, &kept, &probe);
        (out, gradients)
    }

    #[test]
    fn activations_that_were_not_kept_are_computed_again_to_the_same_bits() {
        let run = |keep| results(pulp::Arch::new(), &[(11, 13), (1, 5)], keep);
        assert_eq!(run(true), run(false));
    }

    #[test]
    fn every_instruction_set_computes_the_same_segment() {
        for images in [&[(1, 1)][..], &[(1, 9)], &[(14, 1)], &[(7, 10), (3, 40)]] {
            let (out, (de, dw)) = results(pulp::Arch::Scalar, images, true);
            for arch in instruction_sets() {
                let (own_out, (own_de, own_dw)) = results(arch, images, true);
                for (own, portable) in [(own_out, &out), (own_de, &de), (own_dw, &dw)] {
                    let size = portable.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                    for (a, b) in own.iter().zip(portable) {
                        let error = (a - b).abs() / size;
                        assert!(error < 1e-4, "{arch:?}, {images:?}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_batch_too_large_keeps_its_inputs_alone() {
        let stages = SHAPE.stages().len();
        assert_eq!(
            SHAPE.kept_len(1 << 24),
            (stages << 24) * SHAPE.block.channels
        );
    }
}
