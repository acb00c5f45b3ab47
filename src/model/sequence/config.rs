//! The hyperparameters of a sequence model, and the names and shapes of its weights.
//!
//! Keys have the published names, so that a published `all_config.yaml` can be read key by key.
//! Defaults are those of the published code where it has any. Where the values come from: `arch`
//! in the published configurations `hrm_v1.yaml` and `trm.yaml`, which [`SequenceConfig::hrm`]
//! and [`SequenceConfig::trm`] give, and the data set for lengths and counts.

use super::layer::module_tensors;
use crate::model::cycles::{Cycles, GradientReach};
use crate::model::halting::{HaltSignal, Halting};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which published model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SequenceFamily {
    /// Hierarchical Reasoning Model: modules L and H, gradient through the last update of each.
    Hrm,
    /// Tiny Recursive Model: one net is both, gradient through the last H cycle.
    Trm,
}

/// How a token knows its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PositionEncoding {
    /// Queries and keys are turned by their place.
    Rope,
    /// A learned vector per place is added to the embedding.
    Learned,
    /// Not at all; enough where an MLP mixes the tokens.
    None,
}

/// What a sequence model is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceConfig {
    /// Which published model.
    pub family: SequenceFamily,
    /// S, tokens of a problem: 900 for a maze of 30 x 30, 81 for a Sudoku.
    pub seq_len: usize,
    /// V, tokens there are, with the padding token 0: 6 for mazes, 11 for Sudoku.
    pub vocab_size: usize,
    /// Values of a puzzle's own embedding; 0 for none. Published: equal to `hidden_size`.
    #[serde(default)]
    pub puzzle_emb_ndim: usize,
    /// P, tokens that the puzzle's embedding takes; 0 for as few as hold it. Absent, it is what
    /// the published code takes: 0 in HRM, 16 in TRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puzzle_emb_len: Option<usize>,
    /// Rows of the table of puzzle embeddings. Mazes and Sudoku have one puzzle, "blank".
    pub num_puzzle_identifiers: usize,
    /// H updates per segment. Published: 2 in HRM, 3 in TRM.
    #[serde(rename = "H_cycles")]
    pub h_cycles: usize,
    /// L updates per H update. Published: 2 in HRM, 6 in TRM.
    #[serde(rename = "L_cycles")]
    pub l_cycles: usize,
    /// Layers of H; TRM has no H of its own and ignores it. Published: 4 in HRM.
    #[serde(rename = "H_layers", default)]
    pub h_layers: usize,
    /// Layers of L. Published: 4 in HRM, 2 in TRM.
    #[serde(rename = "L_layers")]
    pub l_layers: usize,
    /// D, channels of both states. Published: 512.
    pub hidden_size: usize,
    /// Width of the gated unit over two thirds of its input's. Published: 4.
    pub expansion: f64,
    /// N, heads of attention. Published: 8.
    pub num_heads: usize,
    /// How a token knows its place. Published: rotary, and none with `mlp_t`.
    pub pos_encodings: PositionEncoding,
    /// Base of the rotary frequencies.
    #[serde(default = "default_rope_theta")]
    pub rope_theta: f64,
    /// Added to the mean square in norms.
    #[serde(default = "default_rms_norm_eps")]
    pub rms_norm_eps: f64,
    /// Whether a gated unit mixes the tokens in place of attention; TRM only.
    #[serde(default)]
    pub mlp_t: bool,
    /// The most segments of a problem in training. Published: 16.
    pub halt_max_steps: usize,
    /// Probability that a problem has to think longer than it wants. Published: 0.1.
    pub halt_exploration_prob: f64,
    /// Whether halting does without `q_continue`. Absent, as published: false in HRM, which
    /// has no such key, and true in TRM.
    #[serde(
        rename = "no_ACT_continue",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub no_act_continue: Option<bool>,
}

fn default_rope_theta() -> f64 {
    10_000.0
}

fn default_rms_norm_eps() -> f64 {
    1e-5
}

/// P of a TRM whose configuration does not say.
const TRM_PUZZLE_TOKENS: usize = 16;
/// No dimension of a model is larger. It keeps products of dimensions far from overflow, whatever
/// a file claims.
const LARGEST: usize = 1 << 24;
/// No sequence is longer: attention grows with the square, and no weight's shape would show that
/// a file claims a length out of all reason.
const LONGEST: usize = 1 << 16;

impl SequenceConfig {
    /// HRM as published (27 M parameters), for `seq_len` tokens out of `vocab_size`, one puzzle.
    pub fn hrm(seq_len: usize, vocab_size: usize) -> Self {
        Self {
            family: SequenceFamily::Hrm,
            seq_len,
            vocab_size,
            puzzle_emb_ndim: 512,
            puzzle_emb_len: None,
            num_puzzle_identifiers: 1,
            h_cycles: 2,
            l_cycles: 2,
            h_layers: 4,
            l_layers: 4,
            hidden_size: 512,
            expansion: 4.0,
            num_heads: 8,
            pos_encodings: PositionEncoding::Rope,
            rope_theta: default_rope_theta(),
            rms_norm_eps: default_rms_norm_eps(),
            mlp_t: false,
            halt_max_steps: 16,
            halt_exploration_prob: 0.1,
            no_act_continue: None,
        }
    }

    /// TRM with attention as published (7 M parameters), for `seq_len` tokens out of
    /// `vocab_size`, one puzzle.
    pub fn trm(seq_len: usize, vocab_size: usize) -> Self {
        Self {
            family: SequenceFamily::Trm,
            h_cycles: 3,
            l_cycles: 6,
            h_layers: 0,
            l_layers: 2,
            ..Self::hrm(seq_len, vocab_size)
        }
    }

    /// P, the tokens that stand before those of the problem.
    pub fn puzzle_tokens(&self) -> usize {
        let as_few = self.puzzle_emb_ndim.div_ceil(self.hidden_size.max(1));
        match (self.puzzle_emb_len, self.family) {
            (Some(0), _) | (None, SequenceFamily::Hrm) => as_few,
            (None, SequenceFamily::Trm) if self.puzzle_emb_ndim == 0 => 0,
            (None, SequenceFamily::Trm) => TRM_PUZZLE_TOKENS,
            (Some(tokens), _) => tokens,
        }
    }

    /// T, all tokens: those of the puzzle and those of the problem.
    pub fn places(&self) -> usize {
        self.puzzle_tokens() + self.seq_len
    }

    /// The shape of a segment.
    pub fn cycles(&self) -> Cycles {
        Cycles {
            h_cycles: self.h_cycles,
            l_cycles: self.l_cycles,
            gradient: match self.family {
                SequenceFamily::Hrm => GradientReach::LastUpdate,
                SequenceFamily::Trm => GradientReach::LastCycle,
            },
        }
    }

    /// When problems halt.
    pub fn halting(&self) -> Halting {
        let trm = self.family == SequenceFamily::Trm;
        Halting {
            signal: if self.no_act_continue.unwrap_or(trm) {
                HaltSignal::OverZero
            } else {
                HaltSignal::OverContinue
            },
            max_segments: self.halt_max_steps,
            exploration: self.halt_exploration_prob,
        }
    }

    /// Checks that a model can be built.
    ///
    /// # Errors
    /// The key that is wrong, with its value and what it must be.
    pub fn validate(&self) -> Result<()> {
        let wrong = |key, value, must| Err(Error::ModelConfig { key, value, must });
        let hrm = self.family == SequenceFamily::Hrm;
        for (key, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_puzzle_identifiers", self.num_puzzle_identifiers),
            ("num_heads", self.num_heads),
            ("halt_max_steps", self.halt_max_steps),
        ] {
            if !(1..=LARGEST).contains(&value) {
                return wrong(key, value, "from 1 to 16777216");
            }
        }
        if !(1..=LONGEST).contains(&self.seq_len) {
            return wrong("seq_len", self.seq_len, "from 1 to 65536");
        }
        for (key, value, used) in [
            ("H_cycles", self.h_cycles, true),
            ("L_cycles", self.l_cycles, true),
            ("H_layers", self.h_layers, hrm),
            ("L_layers", self.l_layers, true),
        ] {
            if used && !(1..=64).contains(&value) {
                return wrong(key, value, "from 1 to 64");
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_heads) {
            return wrong("num_heads", self.num_heads, "a divisor of hidden_size");
        }
        let head = self.hidden_size / self.num_heads;
        if self.pos_encodings == PositionEncoding::Rope && !head.is_multiple_of(2) {
            let must = "such that hidden_size / num_heads is even, for rotary positions";
            return wrong("num_heads", self.num_heads, must);
        }
        if self.mlp_t && hrm {
            return wrong("mlp_t", 1, "false in an HRM; only a TRM mixes by an MLP");
        }
        self.validate_puzzles()?;
        for (key, value, range, must) in [
            ("expansion", self.expansion, 1e-3..=64.0, "0.001 to 64"),
            (
                "rope_theta",
                self.rope_theta,
                1.0..=f64::MAX,
                "finite and at least 1",
            ),
            (
                "rms_norm_eps",
                self.rms_norm_eps,
                f64::MIN_POSITIVE..=1.0,
                "above 0, at most 1",
            ),
            (
                "halt_exploration_prob",
                self.halt_exploration_prob,
                0.0..=1.0,
                "0 to 1",
            ),
        ] {
            if !range.contains(&value) {
                return Err(Error::ModelConfigNumber { key, value, must });
            }
        }
        Ok(())
    }

    fn validate_puzzles(&self) -> Result<()> {
        let wrong = |key, value, must| Err(Error::ModelConfig { key, value, must });
        let (values, tokens) = (self.puzzle_emb_ndim, self.puzzle_tokens());
        if values > LARGEST {
            return wrong("puzzle_emb_ndim", values, "at most 16777216");
        }
        if tokens > LONGEST {
            return wrong("puzzle_emb_len", tokens, "at most 65536");
        }
        if values == 0 && tokens > 0 {
            let must = "0 where puzzle_emb_ndim is 0";
            return wrong("puzzle_emb_len", tokens, must);
        }
        if tokens * self.hidden_size < values {
            let must = "large enough for puzzle_emb_ndim values in tokens of hidden_size";
            return wrong("puzzle_emb_len", tokens, must);
        }
        Ok(())
    }

    /// Names and shapes of all tensors, in a fixed order.
    ///
    /// The names are those of the published state dicts from `inner.` on, without it: the
    /// published `model.inner.H_level.layers.0.mlp.down_proj.weight` is
    /// `H_level.layers.0.mlp.down_proj.weight` here.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (d, v) = (self.hidden_size, self.vocab_size);
        let mut tensors: Vec<(String, Vec<usize>)> = Vec::new();
        let mut add = |name: &str, shape: &[usize]| tensors.push((name.into(), shape.to_vec()));
        add("H_init", &[d]);
        add("L_init", &[d]);
        if self.puzzle_emb_ndim > 0 {
            let shape = [self.num_puzzle_identifiers, self.puzzle_emb_ndim];
            add("puzzle_emb.weights", &shape);
        }
        add("embed_tokens.embedding_weight", &[v, d]);
        if self.pos_encodings == PositionEncoding::Learned {
            add("embed_pos.embedding_weight", &[self.places(), d]);
        }
        add("lm_head.weight", &[v, d]);
        add("q_head.weight", &[2, d]);
        add("q_head.bias", &[2]);
        if self.family == SequenceFamily::Hrm {
            tensors.extend(module_tensors(self, "H_level", self.h_layers));
        }
        tensors.extend(module_tensors(self, "L_level", self.l_layers));
        tensors
    }

    /// Whether the tensor of this name is trained by gradients from end to end.
    ///
    /// All are but three: the first states `H_init` and `L_init` are drawn once and stay, as
    /// published, and `puzzle_emb.weights` learns only the rows looked up, each by itself (see
    /// [`SequenceHrm::encode_with`](super::SequenceHrm::encode_with)).
    pub fn is_trainable(name: &str) -> bool {
        !matches!(name, "H_init" | "L_init" | "puzzle_emb.weights")
    }

    /// Number of trainable values, as the papers count them: without puzzle embeddings.
    pub fn parameters(&self) -> usize {
        self.tensors()
            .iter()
            .filter(|(name, _)| Self::is_trainable(name))
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }
}
