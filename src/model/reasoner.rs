//! The one interface of the family: what every model does, whatever it reads and answers.
//!
//! A batch of problems is encoded once. Segments of thinking then go from [`Carry`] to
//! [`Carry`], each may be read out, and a problem that wants to halt leaves the batch. Nothing
//! here knows grids, tokens or losses; how long to think is decided in [`think`](super::think).

use crate::Result;
use candle_core::{DType, Device, Shape, Tensor};
use std::ops::Range;

/// The state handed from segment to segment.
#[derive(Debug, Clone)]
pub struct Carry {
    /// The slow state: (cells, C) of grid models, (problems, tokens, hidden size) of sequence
    /// models.
    pub z_h: Tensor,
    /// The fast state, of the same shape.
    pub z_l: Tensor,
}

impl Carry {
    /// A carry of zeros in both states of this shape.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn zeros(shape: impl Into<Shape>, device: &Device) -> Result<Self> {
        let zeros = Tensor::zeros(shape, DType::F32, device)?;
        Ok(Self {
            z_h: zeros.clone(),
            z_l: zeros,
        })
    }

    /// The carry outside the graph.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            z_h: self.z_h.detach(),
            z_l: self.z_l.detach(),
        }
    }

    /// The carry of these rows alone.
    ///
    /// # Errors
    /// A tensor operation that fails, as for rows that are not there.
    pub fn part(&self, rows: Range<usize>) -> Result<Self> {
        Ok(Self {
            z_h: self.z_h.narrow(0, rows.start, rows.len())?,
            z_l: self.z_l.narrow(0, rows.start, rows.len())?,
        })
    }
}

/// A model of the family (arXiv 2506.21734, section 2).
///
/// With x the problems, e their encoding and z = (z_H, z_L) the carry:
///
/// ```text
/// e = encode(x)    z <- segment(z, e)    y, q_halt, q_continue = read_out(z, e)
/// ```
pub trait Reasoner {
    /// A batch of problems, as the model's user states them.
    type Problems: ?Sized;
    /// The batch as every segment reads it: e, and what else belongs to the problems.
    type Encoded;
    /// What the model says about each problem after a segment.
    type Readout;

    /// Encodes a batch.
    ///
    /// # Errors
    /// Problems that this model cannot read, or a tensor operation that fails.
    fn encode(&self, problems: &Self::Problems) -> Result<Self::Encoded>;

    /// How many problems an encoding holds.
    fn count(&self, encoded: &Self::Encoded) -> usize;

    /// The carry before the first segment.
    ///
    /// # Errors
    /// A tensor operation that fails.
    fn initial_carry(&self, encoded: &Self::Encoded) -> Result<Carry>;

    /// Thinks for one segment. No gradient flows into the carry it begins with.
    ///
    /// # Errors
    /// A tensor operation that fails.
    fn segment(&self, carry: &Carry, encoded: &Self::Encoded) -> Result<Carry>;

    /// What a carry says.
    ///
    /// # Errors
    /// A tensor operation that fails.
    fn read_out(&self, carry: &Carry, encoded: &Self::Encoded) -> Result<Self::Readout>;

    /// For each problem, whether the model's own halting rule would stop now.
    ///
    /// # Errors
    /// A tensor operation that fails.
    fn wants_to_halt(&self, readout: &Self::Readout, encoded: &Self::Encoded) -> Result<Vec<bool>>;

    /// The batch of the problems at `kept` alone, in that order.
    ///
    /// # Errors
    /// A tensor operation that fails, such as for an index past the last problem.
    fn keep(
        &self,
        encoded: &Self::Encoded,
        carry: &Carry,
        kept: &[usize],
    ) -> Result<(Self::Encoded, Carry)>;
}
