//! A segment of the grid model: all cycles, with the sums of the recurrence folded into the
//! blocks that make their terms, so that no state is read or written for its sake alone.
//!
//! With `slow = z_H + e`, which stands still within an H cycle:
//!
//! ```text
//! x = z_L + slow;  repeat L_cycles - 1 times: x = L(x) + slow;  z_L = L(x);  x = z_L + z_H;  z_H = H(x)
//! ```
//!
//! Training keeps the inputs of the blocks of the last H cycle, the only one that a gradient
//! reaches; their activations are computed again on the way back.

use super::backward::{BackwardWeights, backward as block_backward};
use super::bf16::ReducedWeights;
use super::chunk::{Chunk, GRADIENT_GROUPS, chunks, per_chunk};
use super::forward::{Target, forward as block_forward};
use super::scratch::{carve, with_workspace};
use super::weights::BlockShape;
use crate::model::Layout;
use rayon::prelude::*;

/// Numbers that one task of an elementwise pass handles.
const VALUES_PER_TASK: usize = 1 << 14;

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

    /// How many numbers [`forward`] keeps for [`backward`], for states of `len` numbers.
    pub fn kept_len(&self, len: usize) -> usize {
        self.stages().len() * len
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
    fn forward(&self, block: usize, x: &[f32], chunk: &Chunk, target: Target<'_>);
}

/// In f32.
pub(super) struct Full<'a> {
    arch: pulp::Arch,
    shape: BlockShape,
    packed: &'a [f32],
}

impl<'a> Full<'a> {
    /// The packed weights of any number of blocks.
    pub fn new(shape: BlockShape, packed: &'a [f32]) -> Self {
        Self {
            arch: pulp::Arch::new(),
            shape,
            packed,
        }
    }
}

impl SegmentKernel for Full<'_> {
    fn forward(&self, block: usize, x: &[f32], chunk: &Chunk, target: Target<'_>) {
        let len = self.shape.packed_len();
        let packed = &self.packed[block * len..(block + 1) * len];
        block_forward(self.arch, self.shape, packed, x, chunk, target);
    }
}

/// (z_H, z_L) after one segment, one after the other, from the (z_H, z_L) before it and e.
///
/// `kept`, of [`SegmentShape::kept_len`], receives what [`backward`] needs.
pub(crate) fn forward(
    shape: &SegmentShape,
    layout: &Layout,
    packed: &[f32],
    carry: [&[f32]; 2],
    e: &[f32],
    kept: Option<&mut [f32]>,
) -> Vec<f32> {
    let kernel = Full::new(shape.block, packed);
    forward_with(&kernel, shape, layout, carry, e, kept)
}

/// The same, without a way back, in the precision of these weights.
pub(crate) fn forward_reduced(
    shape: &SegmentShape,
    layout: &Layout,
    weights: &ReducedWeights,
    carry: [&[f32]; 2],
    e: &[f32],
) -> Vec<f32> {
    forward_with(weights, shape, layout, carry, e, None)
}

fn forward_with(
    kernel: &impl SegmentKernel,
    shape: &SegmentShape,
    layout: &Layout,
    [first_h, first_l]: [&[f32]; 2],
    e: &[f32],
    mut kept: Option<&mut [f32]>,
) -> Vec<f32> {
    let (len, channels) = (e.len(), shape.block.channels);
    let mut out = vec![0.0; 2 * len];
    if len == 0 {
        return out;
    }
    let (z_h, z_l) = out.split_at_mut(len);
    let (chunks, stages) = (chunks(layout), shape.stages());
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
                targets(&chunks, channels, out, sum)
                    .into_par_iter()
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
    chunks: &'a [Chunk],
    channels: usize,
    out: Option<&'a mut [f32]>,
    sum: Option<(&'a [f32], &'a mut [f32])>,
) -> Vec<(&'a Chunk, Target<'a>)> {
    let mut outs = out.map(|out| per_chunk(chunks, channels, out).into_iter());
    let mut sums = sum.map(|(addend, sum)| (addend, per_chunk(chunks, channels, sum).into_iter()));
    chunks
        .iter()
        .map(|chunk| {
            let range = chunk.first() * channels..(chunk.first() + chunk.len) * channels;
            let target = Target {
                out: outs.as_mut().and_then(Iterator::next),
                sum: sums
                    .as_mut()
                    .and_then(|(addend, sums)| Some((&addend[range], sums.next()?))),
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
    let len = gradient.len() / 2;
    let (arch, chunks) = (pulp::Arch::new(), chunks(layout));
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
    let partials_len = GRADIENT_GROUPS * packed.len();
    with_workspace(2 * len + partials_len, |workspace| {
        let [g, dt, partials] = carve(workspace, [len, len, partials_len]);
        partials.fill(0.0);
        g.copy_from_slice(gradient_h);
        let stages = shape.stages();
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
            let x = &kept[stage * len..(stage + 1) * len];
            let input = (&chunks[..], x);
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
