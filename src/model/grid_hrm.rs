//! The grid HRM of one scale: a Hierarchical Reasoning Model whose tokens are the cells of a map.
//!
//! With e the encoded input and z_H, z_L the slow and the fast state, all (cells, C):
//!
//! ```text
//! e = input W_in + b_in
//! repeat H_cycles times:
//!     repeat L_cycles times:  z_L <- L(z_L + z_H + e)
//!     z_H <- H(z_H + z_L)
//! ```
//!
//! is one segment (arXiv 2506.21734, section 2; e, z_H and z_L as there). L and H are a few
//! [`Block`]s each. In training the gradient flows through the last H cycle only and the carry is
//! detached between segments. A block sees one cell further, so that one segment carries
//! information `H_cycles (L_cycles L_blocks + H_blocks)` cells far.
//!
//! After each segment z_H is read out per cell: logits of the eight moves, the logarithm of the
//! cost-to-go, and two halting scores. Halting is judged per cell, not per map: `q_halt` scores
//! "the rollout from here is good", `q_continue` "it will, if thinking goes on", so that one map
//! teaches halting hundreds of times and a request asks at its own start.

use super::block::{Block, Formulation};
use super::encode::PLANES;
use super::layout::Layout;
use crate::grid::Moves;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a grid HRM is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridHrmConfig {
    /// C, channels of both states; a multiple of 16.
    pub channels: usize,
    /// E, hidden channels of the gated unit; a multiple of 16.
    pub hidden: usize,
    /// Blocks of the slow module H.
    pub h_blocks: usize,
    /// Blocks of the fast module L.
    pub l_blocks: usize,
    /// H updates per segment.
    pub h_cycles: usize,
    /// L updates per H update.
    pub l_cycles: usize,
    /// The moves it was made for.
    #[serde(default)]
    pub moves: Moves,
}

impl Default for GridHrmConfig {
    fn default() -> Self {
        Self {
            channels: 64,
            hidden: 128,
            h_blocks: 2,
            l_blocks: 2,
            h_cycles: 2,
            l_cycles: 2,
            moves: Moves::Eight,
        }
    }
}

impl GridHrmConfig {
    /// Checks that a model can be built.
    ///
    /// # Errors
    /// The key that is wrong, with its value and what it must be.
    pub fn validate(&self) -> Result<()> {
        let wrong = |key, value, must| Err(Error::ModelConfig { key, value, must });
        for (key, value) in [("channels", self.channels), ("hidden", self.hidden)] {
            if value == 0 || value % 16 != 0 || value > 1024 {
                return wrong(key, value, "a multiple of 16 from 16 to 1024");
            }
        }
        for (key, value) in [
            ("h_blocks", self.h_blocks),
            ("l_blocks", self.l_blocks),
            ("h_cycles", self.h_cycles),
            ("l_cycles", self.l_cycles),
        ] {
            if !(1..=64).contains(&value) {
                return wrong(key, value, "from 1 to 64");
            }
        }
        Ok(())
    }

    /// How many cells information travels in one segment.
    pub fn reach(&self) -> usize {
        self.h_cycles * (self.l_cycles * self.l_blocks + self.h_blocks)
    }

    /// Names and shapes of all trainable tensors, in a fixed order.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut tensors = vec![
            ("embed.weight".to_owned(), vec![9 * PLANES, self.channels]),
            ("embed.bias".to_owned(), vec![self.channels]),
        ];
        for (module, blocks) in [("h", self.h_blocks), ("l", self.l_blocks)] {
            for block in 0..blocks {
                for (name, shape) in Block::tensors(self.channels, self.hidden) {
                    tensors.push((format!("{module}.{block}.{name}"), shape.to_vec()));
                }
            }
        }
        for (head, width) in self.heads() {
            tensors.push((format!("head.{head}.weight"), vec![self.channels, width]));
            tensors.push((format!("head.{head}.bias"), vec![width]));
        }
        tensors
    }

    /// Heads and their widths: moves, log cost-to-go, (`q_halt`, `q_continue`).
    fn heads(&self) -> [(&'static str, usize); 3] {
        [("moves", self.moves.count()), ("value", 1), ("halt", 2)]
    }

    /// Number of trainable values.
    pub fn parameters(&self) -> usize {
        self.tensors()
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }
}

/// The logit of moves that a model does not know; finite, so that no NaN arises from it.
const NEVER: f32 = -1e9;

/// The state handed from segment to segment.
#[derive(Debug, Clone)]
pub struct Carry {
    /// The slow state, (cells, C).
    pub z_h: Tensor,
    /// The fast state, (cells, C).
    pub z_l: Tensor,
}

impl Carry {
    /// The carry outside the graph.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            z_h: self.z_h.detach(),
            z_l: self.z_l.detach(),
        }
    }
}

/// What a model says after a segment.
#[derive(Debug, Clone)]
pub struct Readout {
    /// (cells, 8): logits of the moves in the order of [`crate::grid::Move`]; very low for moves
    /// that the model was not made for.
    pub moves: Tensor,
    /// (cells): ln(1 + cost-to-go in cells).
    pub value: Tensor,
    /// (cells): logit that the rollout from here is good: that it arrives, at a travel cost that is
    /// nearly the best one.
    pub q_halt: Tensor,
    /// (cells): logit that it will be if thinking goes on.
    pub q_continue: Tensor,
}

#[derive(Debug, Clone)]
struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weight)?.broadcast_add(&self.bias)?)
    }
}

/// The grid HRM of one scale.
#[derive(Debug, Clone)]
pub struct GridHrm {
    config: GridHrmConfig,
    formulation: Formulation,
    embed: Linear,
    h: Vec<Block>,
    l: Vec<Block>,
    moves: Linear,
    value: Linear,
    halt: Linear,
}

impl GridHrm {
    /// A model from its tensors by name; see [`GridHrmConfig::tensors`].
    ///
    /// # Errors
    /// A wrong configuration, a missing tensor, one of another shape, or one that is not needed:
    /// each named.
    pub fn new(
        config: GridHrmConfig,
        tensors: &BTreeMap<String, Tensor>,
        formulation: Formulation,
    ) -> Result<Self> {
        config.validate()?;
        let expected: BTreeMap<_, _> = config.tensors().into_iter().collect();
        if let Some(name) = tensors.keys().find(|name| !expected.contains_key(*name)) {
            return Err(Error::ExtraTensor { name: name.clone() });
        }
        let get = |name: String, shape: &[usize]| {
            let tensor = tensors
                .get(&name)
                .ok_or_else(|| Error::MissingTensor { name: name.clone() })?;
            if tensor.dims() != shape {
                return Err(Error::TensorShape {
                    name,
                    actual: tensor.dims().to_vec(),
                    expected: shape.to_vec(),
                });
            }
            Ok(tensor.to_dtype(DType::F32)?)
        };
        let linear = |name: &str, input: usize, output: usize| -> Result<Linear> {
            Ok(Linear {
                weight: get(format!("{name}.weight"), &[input, output])?,
                bias: get(format!("{name}.bias"), &[output])?,
            })
        };
        let blocks = |module: &str, count: usize| -> Result<Vec<Block>> {
            (0..count)
                .map(|i| {
                    Block::new(config.channels, config.hidden, |name, shape| {
                        get(format!("{module}.{i}.{name}"), shape)
                    })
                })
                .collect()
        };
        let c = config.channels;
        Ok(Self {
            formulation,
            embed: linear("embed", 9 * PLANES, c)?,
            h: blocks("h", config.h_blocks)?,
            l: blocks("l", config.l_blocks)?,
            moves: linear("head.moves", c, config.moves.count())?,
            value: linear("head.value", c, 1)?,
            halt: linear("head.halt", c, 2)?,
            config,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &GridHrmConfig {
        &self.config
    }

    /// The model as it is after its tensors were changed in place; see [`Block::repacked`].
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn refreshed(&self) -> Result<Self> {
        let repack = |blocks: &[Block]| blocks.iter().map(Block::repacked).collect::<Result<_>>();
        Ok(Self {
            h: repack(&self.h)?,
            l: repack(&self.l)?,
            ..self.clone()
        })
    }

    /// e, (cells, C), from the planes of [`super::encode`], (cells, 9 x PLANES).
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn embed(&self, input: &Tensor) -> Result<Tensor> {
        self.embed.forward(input)
    }

    /// The carry before the first segment: zeros, (cells, C) each.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn initial_carry(&self, cells: usize, device: &Device) -> Result<Carry> {
        let zeros = Tensor::zeros((cells, self.config.channels), DType::F32, device)?;
        Ok(Carry {
            z_h: zeros.clone(),
            z_l: zeros,
        })
    }

    /// Thinks for one segment.
    ///
    /// All H cycles but the last run outside the graph.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn segment(&self, carry: &Carry, e: &Tensor, layout: &Layout) -> Result<Carry> {
        let detach = |blocks: &[Block]| blocks.iter().map(Block::detached).collect::<Vec<_>>();
        let (h, l, e_fixed) = (detach(&self.h), detach(&self.l), e.detach());
        let mut carry = carry.detached();
        for _ in 1..self.config.h_cycles {
            carry = self.cycle(&carry, &e_fixed, layout, &h, &l)?;
        }
        self.cycle(&carry, e, layout, &self.h, &self.l)
    }

    fn cycle(
        &self,
        carry: &Carry,
        e: &Tensor,
        layout: &Layout,
        h: &[Block],
        l: &[Block],
    ) -> Result<Carry> {
        let mut z_l = carry.z_l.clone();
        let slow = (&carry.z_h + e)?;
        for _ in 0..self.config.l_cycles {
            z_l = self.through(l, (&z_l + &slow)?, layout)?;
        }
        let z_h = self.through(h, (&carry.z_h + &z_l)?, layout)?;
        Ok(Carry { z_h, z_l })
    }

    fn through(&self, blocks: &[Block], x: Tensor, layout: &Layout) -> Result<Tensor> {
        blocks
            .iter()
            .try_fold(x, |x, block| block.forward(&x, layout, self.formulation))
    }

    /// What the carry says.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn read_out(&self, carry: &Carry) -> Result<Readout> {
        let z = &carry.z_h;
        let halt = self.halt.forward(z)?;
        Ok(Readout {
            moves: self.move_logits(z)?,
            value: self.value.forward(z)?.squeeze(1)?,
            q_halt: halt.narrow(1, 0, 1)?.squeeze(1)?,
            q_continue: halt.narrow(1, 1, 1)?.squeeze(1)?,
        })
    }

    /// Logits of all eight moves, whichever the model was made for.
    fn move_logits(&self, z: &Tensor) -> Result<Tensor> {
        let logits = self.moves.forward(z)?;
        match self.config.moves {
            Moves::Eight => Ok(logits),
            // Straight moves have the even numbers.
            Moves::Four => {
                let never = logits.ones_like()?.affine(f64::from(NEVER), 0.0)?;
                Ok(Tensor::stack(&[logits, never], 2)?.flatten_from(1)?)
            }
        }
    }
}
