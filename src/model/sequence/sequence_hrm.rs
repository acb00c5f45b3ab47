//! The model: carry, segments, heads.
//!
//! The equations are those of the module above; the recurrence is
//! [`Cycles`](crate::model::Cycles), over modules L and H which in a TRM are one.

use super::config::{PositionEncoding, SequenceConfig, SequenceFamily};
use super::embedding::Embedding;
use super::layer::Module;
use super::linear::Linear;
use super::problems::SequenceProblems;
use super::rotary::Rotary;
use crate::Result;
use crate::model::cycles::Modules;
use crate::model::named_tensors::NamedTensors;
use crate::model::{Carry, Precision, Reasoner};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;

/// A batch as every segment reads it.
#[derive(Debug, Clone)]
pub struct SequenceEncoded {
    /// e, (B, T, D).
    pub e: Tensor,
}

/// What a sequence model says after a segment.
#[derive(Debug, Clone)]
pub struct SequenceReadout {
    /// (B, S, V): logits of the answer's token at each place.
    pub logits: Tensor,
    /// (B): logit that the answer is right.
    pub q_halt: Tensor,
    /// (B): logit that it will be if thinking goes on.
    pub q_continue: Tensor,
}

impl SequenceReadout {
    /// (`q_halt`, `q_continue`) of each problem.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn scores(&self) -> Result<Vec<(f32, f32)>> {
        let values = |q: &Tensor| q.to_dtype(DType::F32)?.to_vec1::<f32>();
        let q_halt = values(&self.q_halt)?;
        Ok(q_halt.into_iter().zip(values(&self.q_continue)?).collect())
    }
}

/// A published model, HRM or TRM.
#[derive(Debug, Clone)]
pub struct SequenceHrm {
    config: SequenceConfig,
    tensors: NamedTensors,
    /// In the graph, if the tensors are.
    learning: Parts,
    /// The same parts outside the graph.
    fixed: Parts,
}

/// All that has weights.
#[derive(Debug, Clone)]
struct Parts {
    /// (D) each.
    h_init: Tensor,
    l_init: Tensor,
    /// (identifiers, `puzzle_emb_ndim`)
    puzzles: Option<Tensor>,
    embedding: Embedding,
    rotary: Option<Rotary>,
    /// `None` where L is H too.
    h: Option<Module>,
    l: Module,
    lm_head: Linear,
    q_head: Linear,
}

impl Parts {
    fn new(config: &SequenceConfig, tensors: &NamedTensors) -> Result<Self> {
        let h_init = tensors.get("H_init")?.detach();
        let rotary = match config.pos_encodings {
            // Only attention has queries to turn.
            PositionEncoding::Rope if !config.mlp_t => Some(Rotary::new(
                config.places(),
                config.hidden_size / config.num_heads,
                config.rope_theta,
                h_init.dtype(),
                h_init.device(),
            )?),
            _ => None,
        };
        let h = match config.family {
            SequenceFamily::Hrm => Some(Module::new(config, tensors, "H_level", config.h_layers)?),
            SequenceFamily::Trm => None,
        };
        let puzzles = match config.puzzle_emb_ndim {
            0 => None,
            _ => Some(tensors.get("puzzle_emb.weights")?.detach()),
        };
        Ok(Self {
            h_init,
            l_init: tensors.get("L_init")?.detach(),
            puzzles,
            embedding: Embedding::new(config, tensors)?,
            rotary,
            h,
            l: Module::new(config, tensors, "L_level", config.l_layers)?,
            lm_head: Linear::new(tensors, "lm_head")?,
            q_head: Linear::with_bias(tensors, "q_head")?,
        })
    }
}

impl Parts {
    fn with_precision(&self, precision: Precision) -> Result<Self> {
        let h = self.h.as_ref().map(|h| h.with_precision(precision));
        Ok(Self {
            h: h.transpose()?,
            l: self.l.with_precision(precision)?,
            ..self.clone()
        })
    }

    /// In the precision of the same parts, and sharing what that takes.
    fn as_precise_as(&self, other: &Self) -> Self {
        let h = self.h.as_ref().zip(other.h.as_ref());
        Self {
            h: h.map(|(h, other)| h.as_precise_as(other)),
            l: self.l.as_precise_as(&other.l),
            ..self.clone()
        }
    }
}

impl Modules for Parts {
    fn l(&self, x: &Tensor) -> Result<Tensor> {
        self.l.forward(x, self.rotary.as_ref())
    }

    fn h(&self, x: &Tensor) -> Result<Tensor> {
        let h = self.h.as_ref().unwrap_or(&self.l);
        h.forward(x, self.rotary.as_ref())
    }
}

impl SequenceHrm {
    /// A model from its tensors by name; see [`SequenceConfig::tensors`]. All are on one device,
    /// and the model computes there: in f64 if `H_init` is f64, which is for judging how far
    /// rounding carries, and else in f32.
    ///
    /// # Errors
    /// A wrong configuration, a missing tensor, one of another shape, or one that is not needed:
    /// each named.
    pub fn new(config: SequenceConfig, tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        config.validate()?;
        let dtype = match tensors.get("H_init").map(Tensor::dtype) {
            Some(DType::F64) => DType::F64,
            _ => DType::F32,
        };
        let tensors = NamedTensors::checked(config.tensors(), tensors, dtype)?;
        let learning = Parts::new(&config, &tensors)?;
        let fixed = Parts::new(&config, &tensors.detached())?;
        Ok(Self {
            config,
            tensors,
            learning,
            fixed,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &SequenceConfig {
        &self.config
    }

    /// Names and tensors of all that gradients train, by name; see
    /// [`SequenceConfig::is_trainable`].
    pub fn trainable(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let tensors = self.tensors.iter();
        tensors.filter(|(name, _)| SequenceConfig::is_trainable(name))
    }

    /// The same model outside the graph, for what must not learn. It shares the weights.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            config: self.config.clone(),
            tensors: self.tensors.detached(),
            learning: self.fixed.clone(),
            fixed: self.fixed.clone(),
        }
    }

    /// The same model, its layers multiplying in this precision wherever nothing asks for a
    /// gradient, on the CPU; elsewhere nothing changes. Bf16 takes the weights as they are now:
    /// what an optimiser changes later, such a model does not see.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn with_precision(&self, precision: Precision) -> Result<Self> {
        let fixed = self.fixed.with_precision(precision)?;
        Ok(Self {
            config: self.config.clone(),
            tensors: self.tensors.clone(),
            learning: self.learning.as_precise_as(&fixed),
            fixed,
        })
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        self.learning.h_init.device()
    }

    /// The puzzle embeddings of a batch, (B, `puzzle_emb_ndim`), outside the graph; `None` for a
    /// model without.
    ///
    /// # Errors
    /// As [`SequenceProblems::check`].
    pub fn puzzle_rows(&self, problems: &SequenceProblems) -> Result<Option<Tensor>> {
        problems.check(&self.config)?;
        let Some(puzzles) = &self.learning.puzzles else {
            return Ok(None);
        };
        let identifiers = Tensor::new(problems.puzzles.as_slice(), self.device())?;
        Ok(Some(puzzles.index_select(&identifiers, 0)?))
    }

    /// Encodes a batch with these puzzle embeddings, (B, `puzzle_emb_ndim`).
    ///
    /// Training makes a variable of [`SequenceHrm::puzzle_rows`] first: its gradient is that of
    /// the rows looked up, one per problem, which is all that a step changes of a large table.
    ///
    /// # Errors
    /// As [`SequenceProblems::check`], or a tensor operation that fails.
    pub fn encode_with(
        &self,
        problems: &SequenceProblems,
        puzzle_rows: Option<&Tensor>,
    ) -> Result<SequenceEncoded> {
        problems.check(&self.config)?;
        let shape = (problems.count(), self.config.seq_len);
        let tokens = Tensor::from_slice(&problems.tokens, shape, self.device())?;
        let e = self.learning.embedding.forward(&tokens, puzzle_rows)?;
        Ok(SequenceEncoded { e })
    }

    /// The carry in which the problems that `starts` marks, one entry per problem, begin anew
    /// from `H_init` and `L_init`.
    ///
    /// # Errors
    /// A tensor operation that fails, such as for a wrong number of entries.
    pub fn restarted(&self, carry: &Carry, starts: &[bool]) -> Result<Carry> {
        let marks: Vec<u8> = starts.iter().map(|&starts| starts.into()).collect();
        let marks = Tensor::from_vec(marks, (starts.len(), 1, 1), self.device())?;
        let shape = carry.z_h.shape();
        let marks = marks.broadcast_as(shape)?;
        let restart = |z: &Tensor, init: &Tensor| -> Result<Tensor> {
            Ok(marks.where_cond(&init.broadcast_as(shape)?, z)?)
        };
        Ok(Carry {
            z_h: restart(&carry.z_h, &self.learning.h_init)?,
            z_l: restart(&carry.z_l, &self.learning.l_init)?,
        })
    }
}

impl Reasoner for SequenceHrm {
    type Problems = SequenceProblems;
    type Encoded = SequenceEncoded;
    type Readout = SequenceReadout;

    fn encode(&self, problems: &SequenceProblems) -> Result<SequenceEncoded> {
        let rows = self.puzzle_rows(problems)?;
        self.encode_with(problems, rows.as_ref())
    }

    fn count(&self, encoded: &SequenceEncoded) -> usize {
        encoded.e.dims().first().copied().unwrap_or(0)
    }

    fn initial_carry(&self, encoded: &SequenceEncoded) -> Result<Carry> {
        let everywhere = |init: &Tensor| -> Result<Tensor> {
            Ok(init.broadcast_as(encoded.e.shape())?.contiguous()?)
        };
        Ok(Carry {
            z_h: everywhere(&self.learning.h_init)?,
            z_l: everywhere(&self.learning.l_init)?,
        })
    }

    fn segment(&self, carry: &Carry, encoded: &SequenceEncoded) -> Result<Carry> {
        let cycles = self.config.cycles();
        cycles.segment(carry, &encoded.e, &self.learning, &self.fixed)
    }

    fn read_out(&self, carry: &Carry, _encoded: &SequenceEncoded) -> Result<SequenceReadout> {
        let (puzzle_tokens, seq_len) = (self.config.puzzle_tokens(), self.config.seq_len);
        let answer = carry.z_h.narrow(1, puzzle_tokens, seq_len)?;
        let first = carry.z_h.narrow(1, 0, 1)?.squeeze(1)?;
        let q = self.learning.q_head.forward(&first)?;
        Ok(SequenceReadout {
            logits: self.learning.lm_head.forward(&answer)?,
            q_halt: q.narrow(1, 0, 1)?.squeeze(1)?,
            q_continue: q.narrow(1, 1, 1)?.squeeze(1)?,
        })
    }

    fn wants_to_halt(
        &self,
        readout: &SequenceReadout,
        _encoded: &SequenceEncoded,
    ) -> Result<Vec<bool>> {
        let signal = self.config.halting().signal;
        let scores = readout.scores()?;
        Ok(scores
            .into_iter()
            .map(|(halt, go_on)| signal.wants(halt, go_on))
            .collect())
    }

    fn keep(
        &self,
        encoded: &SequenceEncoded,
        carry: &Carry,
        kept: &[usize],
    ) -> Result<(SequenceEncoded, Carry)> {
        let kept: Vec<u32> = kept.iter().map(|&problem| problem as u32).collect();
        let kept = Tensor::new(kept, self.device())?;
        let rows = |tensor: &Tensor| tensor.index_select(&kept, 0);
        let encoded = SequenceEncoded {
            e: rows(&encoded.e)?,
        };
        let carry = Carry {
            z_h: rows(&carry.z_h)?,
            z_l: rows(&carry.z_l)?,
        };
        Ok((encoded, carry))
    }
}
