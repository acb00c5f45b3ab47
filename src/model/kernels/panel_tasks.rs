//! What one thread does to one panel of a transformer's states, for [`transformer`](super::transformer).
//!
//! Each task is compiled for every instruction set and reads the batch, but writes its own panel
//! only.

use super::attend::{attend, query_scale};
use super::elementwise::sigmoid;
use super::heads::{Head, Numbers, round_heads};
use super::matrix::{Matrix, Operand};
use super::panels::{MOST_COLUMNS, Panel, turn};
use super::scratch::carve;
use super::transformer::GatedWeights;
use super::turns::TurnPanels;
use pulp::{Simd, WithSimd};

/// Gates of a gated unit that are made, then multiplied, while they are in the L1 cache.
const GATES: usize = 48;

/// Queries, keys and values of a panel of states; queries and keys are turned by their place, and
/// queries scaled by [`query_scale`].
pub(super) struct Project<'a> {
    pub panel: &'a Panel,
    /// (3 D x D)
    pub weights: Matrix<'a>,
    /// D
    pub channels: usize,
    /// N
    pub heads: usize,
    pub turns: Option<&'a TurnPanels>,
    /// (D x width)
    pub state: &'a [f32],
    /// What [`Matrix::scratch`] says.
    pub pairs: &'a mut [u32],
    /// Out: (3 D x width).
    pub qkv: &'a mut [f32],
    /// Out, if they are to be rounded: see [`heads`](super::heads).
    pub rounded: Option<&'a mut [u32]>,
}

impl WithSimd for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            panel,
            weights,
            channels,
            heads,
            turns,
            state,
            pairs,
            qkv,
            rounded,
        } = self;
        let state = Operand::new(weights, state, panel.width, pairs);
        state.times(simd, weights, 0..3 * channels, qkv, false);
        let (queries, rest) = qkv.split_at_mut(channels * panel.width);
        if let Some(turns) = turns {
            turns.turn(panel, queries);
            turns.turn(panel, &mut rest[..channels * panel.width]);
        }
        // On queries rather than on the scores, of which there are T per query.
        let scale = query_scale(channels / heads);
        for query in queries {
            *query *= scale;
        }
        if let Some(rounded) = rounded {
            round_heads(qkv, channels / heads, panel.width, rounded);
        }
    }
}

/// The output of one head for one panel of queries.
pub(super) struct Attend<'a, N> {
    pub head: Head,
    pub panel: &'a Panel,
    /// All panels of the same problem.
    pub keys: &'a [Panel],
    /// The batch.
    pub qkv: &'a [N],
    /// [`SCRATCH`](super::attend::SCRATCH) numbers and [`PAIRS`](super::attend::PAIRS) pairs.
    pub scratch: (&'a mut [f32], &'a mut [u32]),
    /// Out: (d x width).
    pub out: &'a mut [f32],
}

impl<N: Numbers> WithSimd for Attend<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            head,
            panel,
            keys,
            qkv,
            scratch,
            out,
        } = self;
        attend(simd, head, panel, keys, qkv, scratch, out);
    }
}

/// States after the gated unit over tokens, in panels of channels.
pub(super) struct MixTokens<'a> {
    /// Its columns are channels.
    pub panel: &'a Panel,
    /// The panels of tokens of the same problem.
    pub along: &'a [Panel],
    /// D
    pub channels: usize,
    pub weights: GatedWeights<'a>,
    pub eps: f32,
    /// The batch, D rows per panel of tokens.
    pub state: &'a [f32],
    pub scratch: GatedScratch<'a>,
    /// Out: (T x width).
    pub out: &'a mut [f32],
}

impl WithSimd for MixTokens<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            panel,
            along,
            channels,
            weights,
            eps,
            state,
            scratch,
            out,
        } = self;
        turn(along, state, channels, panel, out);
        gated_unit(simd, weights, panel.width, eps, scratch, out);
    }
}

/// What a layer's mixer made.
pub(super) enum Mixed<'a> {
    /// The outputs of all heads for this panel, (D x width), which go through one more matrix,
    /// (D x D).
    Heads {
        through: Matrix<'a>,
        outputs: &'a [f32],
    },
    /// The states of the batch in panels of channels, T rows each, those `across` of this problem.
    Tokens {
        panel: &'a Panel,
        across: &'a [Panel],
        states: &'a [f32],
        tokens: usize,
    },
}

/// A layer's second half: what was mixed is added and normalised (over tokens that is done
/// already), then comes the gated unit.
pub(super) struct Finish<'a> {
    pub width: usize,
    pub mixed: Mixed<'a>,
    pub mlp: GatedWeights<'a>,
    pub eps: f32,
    pub scratch: GatedScratch<'a>,
    /// In and out: (D x width).
    pub state: &'a mut [f32],
}

impl WithSimd for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            width,
            mixed,
            mlp,
            eps,
            scratch,
            state,
        } = self;
        match mixed {
            Mixed::Heads { through, outputs } => {
                let channels = state.len() / width;
                let outputs = Operand::new(through, outputs, width, scratch.pairs);
                outputs.times(simd, through, 0..channels, state, true);
                rms(state, width, eps);
            }
            Mixed::Tokens {
                panel,
                across,
                states,
                tokens,
            } => turn(across, states, tokens, panel, state),
        }
        gated_unit(simd, mlp, width, eps, scratch, state);
    }
}

/// What a gated unit keeps while it works; see [`GatedWeights::scratch`].
pub(super) struct GatedScratch<'a> {
    pub numbers: &'a mut [f32],
    pub pairs: &'a mut [u32],
}

impl GatedWeights<'_> {
    /// Numbers and pairs of scratch for panels of this width.
    pub(super) fn scratch(&self, inputs: usize, width: usize) -> (usize, usize) {
        let up = self.gate_up.scratch(inputs, width);
        let down = self.down.scratch(self.hidden, width);
        ((self.hidden + GATES) * width, up.max(down))
    }
}

/// `rms(x + down(silu(gate(x)) * up(x)))` of a panel, in place.
#[inline(always)]
fn gated_unit<S: Simd>(
    simd: S,
    weights: GatedWeights<'_>,
    width: usize,
    eps: f32,
    scratch: GatedScratch<'_>,
    x: &mut [f32],
) {
    let GatedWeights {
        gate_up,
        down,
        hidden,
    } = weights;
    let GatedScratch { numbers, pairs } = scratch;
    let [all, ups] = carve(numbers, [hidden * width, GATES * width]);
    let input = Operand::new(gate_up, x, width, pairs);
    for (block, gates) in all.chunks_mut(GATES * width).enumerate() {
        let ups = &mut ups[..gates.len()];
        let first = block * GATES;
        let last = first + gates.len() / width;
        input.times(simd, gate_up, first..last, gates, false);
        input.times(simd, gate_up, hidden + first..hidden + last, ups, false);
        for (gate, up) in gates.iter_mut().zip(ups) {
            *gate = *gate * sigmoid(*gate) * *up;
        }
    }
    let inputs = x.len() / width;
    let gates = Operand::new(down, all, width, pairs);
    gates.times(simd, down, 0..inputs, x, true);
    rms(x, width, eps);
}

/// Normalises the columns of a panel.
#[inline(always)]
fn rms(x: &mut [f32], width: usize, eps: f32) {
    let mut scales = [0.0; MOST_COLUMNS];
    let scales = &mut scales[..width];
    for row in x.chunks_exact(width) {
        for (sum, &x) in scales.iter_mut().zip(row) {
            *sum = x.mul_add(x, *sum);
        }
    }
    let rows = (x.len() / width) as f32;
    for scale in &mut *scales {
        *scale = 1.0 / (*scale / rows + eps).sqrt();
    }
    for row in x.chunks_exact_mut(width) {
        for (x, &scale) in row.iter_mut().zip(&*scales) {
            *x *= scale;
        }
    }
}
