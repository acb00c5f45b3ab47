//! The layers of a transformer module in one pass, for inference.
//!
//! States of a batch, (B, T, D), go in and come out; what a layer computes is written in
//! [`sequence`](crate::model::sequence). In between, states live in [`panels`](super::panels):
//! per layer and panel, one task makes queries, keys and values and turns them by their place; one
//! task per head [attends](super::attend); one task adds the output, normalises, runs the gated unit and
//! normalises again, all while the panel is in the L2 cache. Weights are read where they lie.
//!
//! Nothing is kept for a backward pass. A task's numbers depend on its panel alone, so results
//! are the same on any number of threads.

use super::attend::{PAIRS, SCRATCH};
use super::heads::{Head, Numbers};
use super::matrix::Matrix;
use super::panel_tasks::{Attend, Finish, GatedScratch, MixTokens, Mixed, Project};
use super::panels::{Panel, Panels, gather, scatter};
use super::scratch::{carve, with_pairs, with_scratch, with_workspace};
use super::turns::{TurnPanels, Turns};
use pulp::Arch;
use rayon::prelude::*;

/// A gated unit of R inputs and outputs and E hidden values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GatedWeights<'a> {
    /// (2 E x R): gates, then ups.
    pub gate_up: Matrix<'a>,
    /// (R x E)
    pub down: Matrix<'a>,
    /// E
    pub hidden: usize,
}

/// What mixes the tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MixerWeights<'a> {
    /// Attention of every token to every token.
    Attention {
        /// (3 D x D): queries of all heads, then keys, then values.
        qkv: Matrix<'a>,
        /// (D x D)
        out: Matrix<'a>,
        /// N
        heads: usize,
    },
    /// A gated unit over the tokens of each channel.
    Tokens(GatedWeights<'a>),
}

/// A layer. All its weights are of one precision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerWeights<'a> {
    /// Over tokens.
    pub mixer: MixerWeights<'a>,
    /// Over channels.
    pub mlp: GatedWeights<'a>,
    /// Added to the mean square in norms.
    pub eps: f32,
}

/// B problems of T tokens of D channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchShape {
    pub problems: usize,
    pub tokens: usize,
    pub channels: usize,
}

/// What the layers make of states x, (B, T, D).
pub(crate) fn layers(
    arch: Arch,
    shape: BatchShape,
    layers: &[LayerWeights<'_>],
    turns: Option<Turns<'_>>,
    x: &[f32],
) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    if x.is_empty() {
        return out;
    }
    let BatchShape {
        problems,
        tokens,
        channels,
    } = shape;
    let pass = Pass {
        arch,
        shape,
        panels: Panels::new(problems, tokens),
        across: Panels::new(problems, channels),
        turns: turns.map(|turns| TurnPanels::new(tokens, turns)),
    };
    let state = pass.panels.len(channels);
    let mixing = layers.iter().map(|layer| pass.mixing(layer));
    let mixing = mixing.max().unwrap_or(0);
    with_workspace(state + mixing, |scratch| {
        let [state, mixing] = carve(scratch, [state, mixing]);
        let panels = pass.panels.split(state, channels).into_par_iter();
        panels.for_each(|(panel, state)| gather(panel, tokens, x, channels, state));
        for layer in layers {
            pass.layer(layer, state, mixing);
        }
        let panels = pass
            .panels
            .split_columns(&mut out, channels)
            .into_par_iter();
        panels.for_each(|(panel, out)| scatter(panel, panel.of(state, channels), channels, out));
    });
    out
}

/// One pass over a batch.
struct Pass {
    arch: Arch,
    shape: BatchShape,
    /// Columns are tokens.
    panels: Panels,
    /// Columns are channels.
    across: Panels,
    turns: Option<TurnPanels>,
}

impl Pass {
    /// Numbers that a layer's mixer keeps for the whole batch.
    fn mixing(&self, layer: &LayerWeights<'_>) -> usize {
        match layer.mixer {
            MixerWeights::Attention { qkv, .. } => match qkv {
                Matrix::Full(_) => self.panels.len(4 * self.shape.channels),
                Matrix::Half(_) => self.panels.len(self.shape.channels),
            },
            MixerWeights::Tokens(_) => self.across.len(self.shape.tokens),
        }
    }

    /// The state after a layer, in place.
    fn layer(&self, layer: &LayerWeights<'_>, state: &mut [f32], mixing: &mut [f32]) {
        let BatchShape {
            tokens, channels, ..
        } = self.shape;
        match layer.mixer {
            MixerWeights::Attention { qkv, out, heads } => {
                let (mixed, rest) = mixing.split_at_mut(self.panels.len(channels));
                match qkv {
                    Matrix::Full(_) => {
                        let keys = &mut rest[..self.panels.len(3 * channels)];
                        self.project(qkv, heads, state, keys);
                        self.attend(heads, keys, mixed);
                    }
                    Matrix::Half(_) => {
                        let rows = 3 * heads * u32::rows(channels / heads);
                        with_pairs(self.panels.len(rows), |keys| {
                            self.project_rounded(qkv, heads, rows, state, keys);
                            self.attend(heads, keys, mixed);
                        });
                    }
                }
                let mixed = &*mixed;
                self.finish(layer, state, |panel| Mixed::Heads {
                    through: out,
                    outputs: panel.of(mixed, channels),
                });
            }
            MixerWeights::Tokens(weights) => {
                let mixed = &mut mixing[..self.across.len(tokens)];
                self.mix_tokens(weights, layer.eps, state, mixed);
                self.finish(layer, state, |panel| Mixed::Tokens {
                    panel,
                    across: self.across.of_problem(panel.problem),
                    states: mixed,
                    tokens,
                });
            }
        }
    }

    /// Queries, keys and values, the first two turned.
    fn project(&self, weights: Matrix<'_>, heads: usize, state: &[f32], qkv: &mut [f32]) {
        let channels = self.shape.channels;
        let panels = self.panels.split(qkv, 3 * channels).into_par_iter();
        panels.for_each(|(panel, qkv)| {
            self.arch.dispatch(Project {
                panel,
                weights,
                channels,
                heads,
                turns: self.turns.as_ref(),
                state: panel.of(state, channels),
                pairs: &mut [],
                qkv,
                rounded: None,
            });
        });
    }

    /// As [`Pass::project`], in `rows` rows of pairs per panel.
    fn project_rounded(
        &self,
        weights: Matrix<'_>,
        heads: usize,
        rows: usize,
        state: &[f32],
        rounded: &mut [u32],
    ) {
        let channels = self.shape.channels;
        let panels = self.panels.split(rounded, rows).into_par_iter();
        panels.for_each(|(panel, rounded)| {
            let pairs = weights.scratch(channels, panel.width);
            with_both(3 * channels * panel.width, pairs, |qkv, pairs| {
                self.arch.dispatch(Project {
                    panel,
                    weights,
                    channels,
                    heads,
                    turns: self.turns.as_ref(),
                    state: panel.of(state, channels),
                    pairs,
                    qkv,
                    rounded: Some(rounded),
                });
            });
        });
    }

    /// The outputs of all heads.
    fn attend<N: Numbers>(&self, heads: usize, qkv: &[N], mixed: &mut [f32]) {
        let channels = self.shape.channels;
        let panels = self.panels.split(mixed, channels).into_iter();
        let tasks: Vec<_> = panels
            .flat_map(|(panel, mixed)| {
                let outs = mixed.chunks_exact_mut(channels / heads * panel.width);
                outs.enumerate().map(move |(head, out)| (panel, head, out))
            })
            .collect();
        tasks.into_par_iter().for_each(|(panel, head, out)| {
            with_both(SCRATCH, PAIRS, |numbers, pairs| {
                self.arch.dispatch(Attend {
                    head: Head::new(head, heads, N::rows(channels / heads)),
                    panel,
                    keys: self.panels.of_problem(panel.problem),
                    qkv,
                    scratch: (numbers, pairs),
                    out,
                });
            });
        });
    }

    /// The states after a gated unit over tokens, in panels of channels.
    fn mix_tokens(&self, weights: GatedWeights<'_>, eps: f32, state: &[f32], mixed: &mut [f32]) {
        let BatchShape {
            tokens, channels, ..
        } = self.shape;
        let panels = self.across.split(mixed, tokens).into_par_iter();
        panels.for_each(|(panel, out)| {
            with_gated_scratch(weights, tokens, panel.width, |scratch| {
                self.arch.dispatch(MixTokens {
                    panel,
                    along: self.panels.of_problem(panel.problem),
                    channels,
                    weights,
                    eps,
                    state,
                    scratch,
                    out,
                });
            });
        });
    }

    /// The second half of a layer, of each panel's state and what was mixed for it.
    fn finish<'a>(
        &'a self,
        layer: &LayerWeights<'_>,
        state: &mut [f32],
        mixed: impl Fn(&'a Panel) -> Mixed<'a> + Sync,
    ) {
        let channels = self.shape.channels;
        let panels = self.panels.split(state, channels).into_par_iter();
        panels.for_each(|(panel, state)| {
            with_gated_scratch(layer.mlp, channels, panel.width, |scratch| {
                self.arch.dispatch(Finish {
                    width: panel.width,
                    mixed: mixed(panel),
                    mlp: layer.mlp,
                    eps: layer.eps,
                    scratch,
                    state,
                });
            });
        });
    }
}

/// Lends numbers and pairs of this thread.
fn with_both(numbers: usize, pairs: usize, f: impl FnOnce(&mut [f32], &mut [u32])) {
    with_scratch(numbers, |numbers| {
        with_pairs(pairs, |pairs| f(numbers, pairs));
    });
}

/// Lends what a gated unit needs.
fn with_gated_scratch(
    weights: GatedWeights<'_>,
    inputs: usize,
    width: usize,
    f: impl FnOnce(GatedScratch<'_>),
) {
    let (numbers, pairs) = weights.scratch(inputs, width);
    with_both(numbers, pairs, |numbers, pairs| {
        f(GatedScratch { numbers, pairs });
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{instruction_sets, numbers};
    use super::*;

    /// What every instruction set makes of one random layer is the same but for rounding.
    #[test]
    fn every_instruction_set_computes_the_same_layer() {
        let shape = BatchShape {
            problems: 2,
            tokens: 37,
            channels: 20,
        };
        let (tokens, channels, hidden) = (shape.tokens, shape.channels, 50);
        let weights = |count| -> Vec<f32> {
            let weights = numbers(count, count as u32).into_iter();
            weights.map(|x| x * 0.4).collect()
        };
        let (qkv, out) = (
            weights(3 * channels * channels),
            weights(channels * channels),
        );
        let (gate_up, down) = (weights(2 * hidden * channels), weights(channels * hidden));
        let (across_up, across_down) = (weights(2 * hidden * tokens), weights(tokens * hidden));
        let angles = numbers(tokens * 5, 8);
        let cos: Vec<f32> = angles.iter().map(|x| x.cos()).collect();
        let sin: Vec<f32> = angles.iter().map(|x| x.sin()).collect();
        let x = numbers(2 * tokens * channels, 9);
        let attention = MixerWeights::Attention {
            qkv: Matrix::Full(&qkv),
            out: Matrix::Full(&out),
            heads: 2,
        };
        let across = MixerWeights::Tokens(GatedWeights {
            gate_up: Matrix::Full(&across_up),
            down: Matrix::Full(&across_down),
            hidden,
        });
        for mixer in [attention, across] {
            let layer = LayerWeights {
                mixer,
                mlp: GatedWeights {
                    gate_up: Matrix::Full(&gate_up),
                    down: Matrix::Full(&down),
                    hidden,
                },
                eps: 1e-5,
            };
            let turns = Some(Turns {
                cos: &cos,
                sin: &sin,
            });
            let all = instruction_sets().into_iter();
            let all: Vec<_> = all
                .map(|arch| layers(arch, shape, &[layer; 2], turns, &x))
                .collect();
            for other in &all[1..] {
                for (a, b) in all[0].iter().zip(other) {
                    assert!((a - b).abs() < 1e-5, "{a} {b}");
                }
            }
        }
    }
}
