//! What one thread does to one panel of a transformer's states, for [`transformer`](super::transformer).
//!
//! Each task is compiled for every instruction set and reads the batch, but writes its own panel
//! only.

use super::attend::{Head, attend};
use super::dense::{RowMajor, product};
use super::elementwise::sigmoid;
use super::panels::{MOST_COLUMNS, Panel, turn};
use super::scratch::carve;
use super::transformer::{GatedWeights, TurnPanels};
use pulp::{Simd, WithSimd};

/// Gates of a gated unit that are made, then multiplied, while they are in the L1 cache.
const GATES: usize = 48;

/// Queries, keys and values of a panel of states; queries and keys are turned by their place, and
/// queries scaled by `d^(-1/2)`.
pub(super) struct Project<'a> {
    pub panel: &'a Panel,
    /// (3 D x D)
    pub weights: &'a [f32],
    /// D
    pub channels: usize,
    /// N
    pub heads: usize,
    pub turns: Option<&'a TurnPanels>,
    /// (D x width)
    pub state: &'a [f32],
    /// Out: (3 D x width).
    pub qkv: &'a mut [f32],
}

impl WithSimd for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (panel, channels) = (self.panel, self.channels);
        let weights = RowMajor {
            data: self.weights,
            stride: channels,
        };
        let shape = (3 * channels, channels, panel.width);
        product(simd, weights, shape, self.state, self.qkv, false);
        let (queries, rest) = self.qkv.split_at_mut(channels * panel.width);
        if let Some(turns) = self.turns {
            turns.turn(panel, queries);
            turns.turn(panel, &mut rest[..channels * panel.width]);
        }
        // On queries rather than on the scores, of which there are T per query.
        let scale = ((channels / self.heads) as f32).powf(-0.5);
        for query in queries {
            *query *= scale;
        }
    }
}

/// The output of one head for one panel of queries.
pub(super) struct Attend<'a> {
    pub head: Head,
    pub panel: &'a Panel,
    /// All panels of the same problem.
    pub keys: &'a [Panel],
    /// The batch, 3 D rows per panel.
    pub qkv: &'a [f32],
    /// [`SCRATCH`](super::attend::SCRATCH) numbers.
    pub scratch: &'a mut [f32],
    /// Out: (d x width).
    pub out: &'a mut [f32],
}

impl WithSimd for Attend<'_> {
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
    /// [`gated_scratch`] numbers.
    pub scratch: &'a mut [f32],
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
        through: &'a [f32],
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
    /// [`gated_scratch`] numbers.
    pub scratch: &'a mut [f32],
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
                let through = RowMajor {
                    data: through,
                    stride: channels,
                };
                let shape = (channels, channels, width);
                product(simd, through, shape, outputs, state, true);
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

/// Numbers of scratch that a gated unit of R inputs needs for panels of this width.
pub(super) fn gated_scratch(weights: GatedWeights<'_>, inputs: usize, width: usize) -> usize {
    (weights.down.len() / inputs + GATES) * width
}

/// `rms(x + down(silu(gate(x)) * up(x)))` of a panel, in place.
#[inline(always)]
fn gated_unit<S: Simd>(
    simd: S,
    weights: GatedWeights<'_>,
    width: usize,
    eps: f32,
    scratch: &mut [f32],
    x: &mut [f32],
) {
    let GatedWeights { gate_up, down } = weights;
    let inputs = x.len() / width;
    let hidden = down.len() / inputs;
    let rows = |first: usize| RowMajor {
        data: &gate_up[first * inputs..],
        stride: inputs,
    };
    let [gates, ups] = carve(scratch, [hidden * width, GATES * width]);
    for (block, gates) in gates.chunks_mut(GATES * width).enumerate() {
        let ups = &mut ups[..gates.len()];
        let shape = (gates.len() / width, inputs, width);
        let first = block * GATES;
        product(simd, rows(first), shape, x, gates, false);
        product(simd, rows(hidden + first), shape, x, ups, false);
        for (gate, up) in gates.iter_mut().zip(ups) {
            *gate = *gate * sigmoid(*gate) * *up;
        }
    }
    let down = RowMajor {
        data: down,
        stride: hidden,
    };
    product(simd, down, (inputs, hidden, width), gates, x, true);
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
