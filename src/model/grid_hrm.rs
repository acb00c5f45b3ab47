//! The grid HRM: a Hierarchical Reasoning Model whose tokens are the cells of a map, or patches of
//! p x p cells.
//!
//! With e the encoded input and z_H, z_L the slow and the fast state, all (tokens, C):
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
//! detached between segments. A block sees one token further (two, where its kernel
//! is 5 x 5), so that one segment carries information `H_cycles (L_cycles L_blocks + H_blocks)`
//! tokens far.
//!
//! After each segment z_H is read out per cell: logits of the eight moves, the logarithm of the
//! cost-to-go, and two halting scores. Halting is judged per cell, not per map: `q_halt` scores
//! "the rollout from here is good", `q_continue` "it will, if thinking goes on", so that one map
//! teaches halting hundreds of times and a request asks at its own start.

use super::block::Block;
use super::cycles::Modules;
use super::formulation::Formulation;
use super::fused;
use super::grid_config::GridHrmConfig;
use super::grid_problems::{GridEncoded, GridProblems, Maps};
use super::halting::HaltSignal;
use super::kernels::ReducedWeights;
use super::layout::Layout;
use super::named_tensors::NamedTensors;
use super::precision::Precision;
use super::reasoner::{Carry, Reasoner};
use crate::grid::Moves;
use crate::search::Termination;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The logit of moves that a model does not know; finite, so that no NaN arises from it.
const NEVER: f32 = -1e9;

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

/// The grid HRM.
#[derive(Debug, Clone)]
pub struct GridHrm {
    config: GridHrmConfig,
    formulation: Formulation,
    embed: Linear,
    h: Vec<Block>,
    l: Vec<Block>,
    /// The weights of L's blocks and then of H's in one vector, as the fused formulation reads
    /// them.
    packed: Tensor,
    /// The same in another precision than f32, if that is asked for.
    reduced: Option<Arc<ReducedWeights>>,
    /// When to leave off in the middle of a segment.
    until: Termination,
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
        let tensors = NamedTensors::checked(config.tensors(), tensors, DType::F32)?;
        let linear = |name: &str| -> Result<Linear> {
            Ok(Linear {
                weight: tensors.get(&format!("{name}.weight"))?,
                bias: tensors.get(&format!("{name}.bias"))?,
            })
        };
        let blocks = |module: &str, count: usize| -> Result<Vec<Block>> {
            (0..count)
                .map(|i| {
                    Block::new(config.channels, config.hidden, config.kernel, |name, _| {
                        tensors.get(&format!("{module}.{i}.{name}"))
                    })
                })
                .collect()
        };
        let (h, l) = (blocks("h", config.h_blocks)?, blocks("l", config.l_blocks)?);
        Ok(Self {
            formulation,
            embed: linear("embed")?,
            packed: packed(&l, &h)?,
            reduced: None,
            until: Termination::never(),
            h,
            l,
            moves: linear("head.moves")?,
            value: linear("head.value")?,
            halt: linear("head.halt")?,
            config,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &GridHrmConfig {
        &self.config
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        self.embed.weight.device()
    }

    /// The model whose packed weights follow the present values of its tensors; after an optimiser
    /// has changed them in place, this is how the fused formulation learns of it.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn refreshed(&self) -> Result<Self> {
        Ok(Self {
            packed: packed(&self.l, &self.h)?,
            reduced: None,
            ..self.clone()
        })
    }

    /// The same model at this precision, for inference: where a gradient is asked for, and in the
    /// plain formulation, it computes in f32 all the same.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn with_precision(&self, precision: Precision) -> Result<Self> {
        let reduced = match precision {
            Precision::F32 => None,
            Precision::Bf16 => {
                let packed = self.packed.to_vec1::<f32>()?;
                let shape = fused::segment_shape(&self.config).block;
                Some(Arc::new(ReducedWeights::new(shape, &packed)))
            }
        };
        Ok(Self {
            reduced,
            ..self.clone()
        })
    }

    /// The same model, for inference, with segments that leave off once it is time to stop: a
    /// chunk of tokens later in the fused formulation, at their end elsewhere. A segment that has left off
    /// is an error ([`Error::SegmentStopped`]), so that nobody reads what it did not compute.
    #[must_use]
    pub fn until(&self, termination: &Termination) -> Self {
        Self {
            until: termination.clone(),
            ..self.clone()
        }
    }

    /// A segment of plain tensor operations, (tokens, C).
    fn plain_segment(&self, carry: &Carry, encoded: &GridEncoded) -> Result<Carry> {
        let detach = |blocks: &[Block]| blocks.iter().map(Block::detached).collect::<Vec<_>>();
        let (h, l) = (detach(&self.h), detach(&self.l));
        let modules = |h, l| GridModules {
            h,
            l,
            layout: &encoded.tokens,
        };
        self.config.cycles().segment(
            carry,
            &encoded.e,
            &modules(&self.h, &self.l),
            &modules(&h, &l),
        )
    }

    /// What a head says of each cell, (cells, W); zeros for cells without a token.
    fn per_cell(&self, head: &Linear, z: &Tensor, encoded: &GridEncoded) -> Result<Tensor> {
        let said = head.forward(z)?;
        let Some(places) = &encoded.places else {
            return Ok(said);
        };
        let (tokens, width) = said.dims2()?;
        let cells = self.config.patch * self.config.patch;
        let said = said.reshape((tokens * cells, width / cells))?;
        Ok(said.index_select(places, 0)?)
    }

    /// Logits of all eight moves, whichever the model was made for.
    fn move_logits(&self, z: &Tensor, encoded: &GridEncoded) -> Result<Tensor> {
        let logits = self.per_cell(&self.moves, z, encoded)?;
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

impl Reasoner for GridHrm {
    type Problems = GridProblems;
    type Encoded = GridEncoded;
    type Readout = Readout;

    fn encode(&self, problems: &GridProblems) -> Result<GridEncoded> {
        let input = problems.input.to_device(self.device())?;
        let e = self.embed.forward(&input)?;
        let (tokens, maps) = (problems.tokens.clone(), problems.maps.clone());
        GridEncoded::new(e, tokens, maps, self.config.patch)
    }

    fn count(&self, encoded: &GridEncoded) -> usize {
        encoded.tokens.images().len()
    }

    /// Zeros, (tokens, C) each.
    fn initial_carry(&self, encoded: &GridEncoded) -> Result<Carry> {
        Carry::zeros(encoded.e.shape(), encoded.e.device())
    }

    fn segment(&self, carry: &Carry, encoded: &GridEncoded) -> Result<Carry> {
        let after = match self.formulation {
            Formulation::Plain => self.plain_segment(carry, encoded),
            Formulation::Fused => {
                let shape = fused::segment_shape(&self.config);
                let weights = fused::Weights {
                    packed: &self.packed,
                    reduced: self.reduced.as_ref(),
                };
                let (tokens, until) = (&encoded.tokens, &self.until);
                fused::segment(&shape, tokens, weights, until, carry, &encoded.e)
            }
        };
        match self.until.reason() {
            Some(stop) => Err(Error::SegmentStopped { stop }),
            None => after,
        }
    }

    fn read_out(&self, carry: &Carry, encoded: &GridEncoded) -> Result<Readout> {
        let z = &carry.z_h;
        let halt = self.per_cell(&self.halt, z, encoded)?;
        Ok(Readout {
            moves: self.move_logits(z, encoded)?,
            value: self.per_cell(&self.value, z, encoded)?.squeeze(1)?,
            q_halt: halt.narrow(1, 0, 1)?.squeeze(1)?,
            q_continue: halt.narrow(1, 1, 1)?.squeeze(1)?,
        })
    }

    /// Each problem is asked at its own start.
    fn wants_to_halt(&self, readout: &Readout, encoded: &GridEncoded) -> Result<Vec<bool>> {
        let q_halt = readout.q_halt.to_vec1::<f32>()?;
        let q_continue = readout.q_continue.to_vec1::<f32>()?;
        let wants = encoded
            .maps
            .starts
            .iter()
            .enumerate()
            .map(|(problem, start)| {
                let row = encoded.maps.range(problem).start + start;
                wants_to_halt(q_halt[row], q_continue[row])
            });
        Ok(wants.collect())
    }

    fn keep(
        &self,
        encoded: &GridEncoded,
        carry: &Carry,
        kept: &[usize],
    ) -> Result<(GridEncoded, Carry)> {
        let (tokens, maps) = (&encoded.tokens, &encoded.maps);
        let rows: Vec<u32> = kept
            .iter()
            .flat_map(|&problem| tokens.range(problem))
            .map(|row| row as u32)
            .collect();
        let rows = Tensor::new(rows, encoded.e.device())?;
        let select = |tensor: &Tensor| tensor.index_select(&rows, 0);
        let images = kept.iter().map(|&kept| tokens.images()[kept].clone());
        let tokens = Layout::of(images.collect());
        let maps = Maps {
            sizes: kept.iter().map(|&kept| maps.sizes[kept]).collect(),
            starts: kept.iter().map(|&kept| maps.starts[kept]).collect(),
        };
        let carry = Carry {
            z_h: select(&carry.z_h)?,
            z_l: select(&carry.z_l)?,
        };
        let encoded = GridEncoded::new(select(&encoded.e)?, tokens, maps, self.config.patch)?;
        Ok((encoded, carry))
    }
}

/// Whether scores of one cell ask to halt: halting must be worth more than going on (HRM), and the
/// plan must be more likely good than not (TRM).
pub fn wants_to_halt(q_halt: f32, q_continue: f32) -> bool {
    HaltSignal::OverContinue.wants(q_halt, q_continue) && HaltSignal::OverZero.wants(q_halt, 0.0)
}

fn packed(l: &[Block], h: &[Block]) -> Result<Tensor> {
    let flat: Vec<[Tensor; 5]> = l.iter().chain(h).map(Block::flat).collect::<Result<_>>()?;
    Ok(Tensor::cat(flat.as_flattened(), 0)?)
}

/// H and L on the cells of some maps.
struct GridModules<'a> {
    h: &'a [Block],
    l: &'a [Block],
    layout: &'a Layout,
}

impl GridModules<'_> {
    fn through(&self, blocks: &[Block], x: &Tensor) -> Result<Tensor> {
        blocks
            .iter()
            .try_fold(x.clone(), |x, block| block.forward(&x, self.layout))
    }
}

impl Modules for GridModules<'_> {
    fn l(&self, x: &Tensor) -> Result<Tensor> {
        self.through(self.l, x)
    }

    fn h(&self, x: &Tensor) -> Result<Tensor> {
        self.through(self.h, x)
    }
}
