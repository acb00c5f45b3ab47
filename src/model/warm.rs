//! Warm start: thinking goes on where it ended although the map has changed a little since.
//!
//! A carry says of every token what is known about it. Where the map is as it was, that still holds,
//! unless the change has made another way the better one; so it is enough that those tokens think again
//! which read something else than before, then those near them that begin to doubt, and so on. Tokens
//! that have doubted all along were thought about at length and are left alone.

use super::focus::Focus;
use super::grid_problems::GridProblems;
use super::layout::{Image, NOWHERE};
use super::reasoner::Carry;
use crate::Result;
use candle_core::Tensor;

/// What was thought about one problem, for going on with another one that is much the same.
#[derive(Debug, Clone)]
pub struct Warm {
    /// What the tokens read, (tokens x width) row-major.
    input: Vec<f32>,
    image: Image,
    carry: Carry,
    /// Whether each token doubted in the end.
    doubts: Vec<bool>,
}

/// What another problem begins with.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// Its carry: zeros for tokens that were not there.
    pub carry: Carry,
    /// Tokens that were not there, or read something else.
    pub changed: Vec<u32>,
    /// Of each token, whether it is one that doubted in the end and reads the same.
    pub resigned: Vec<bool>,
}

impl Warm {
    /// Keeps a carry, and what belongs to it.
    ///
    /// # Errors
    /// A tensor that cannot be read.
    pub fn new(problems: &GridProblems, carry: &Carry, focus: Option<&Focus>) -> Result<Self> {
        let image = problems.tokens.images()[0].clone();
        let doubts = focus.map(|focus| focus.doubts().to_vec());
        Ok(Self {
            input: problems.input.flatten_all()?.to_vec1()?,
            carry: carry.detached(),
            doubts: doubts.unwrap_or_else(|| vec![false; image.tokens()]),
            image,
        })
    }

    /// How to go on with another problem. `None` if its map is of another size.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn resumed(&self, problems: &GridProblems) -> Result<Option<Resumed>> {
        let image = &problems.tokens.images()[0];
        if image.size() != self.image.size() {
            return Ok(None);
        }
        let (_, width) = problems.input.dims2()?;
        let input: Vec<f32> = problems.input.flatten_all()?.to_vec1()?;
        // New tokens begin with the row of zeros behind the old ones.
        let zeros = self.image.tokens() as u32;
        let mut from = vec![zeros; image.tokens()];
        let mut changed = Vec::new();
        let mut resigned = vec![false; image.tokens()];
        let (rows, cols) = image.size();
        for (row, col) in (0..rows * cols).map(|place| (place / cols, place % cols)) {
            let token = image.at(row, col);
            if token == NOWHERE {
                continue;
            }
            let before = self.image.at(row, col);
            if before == NOWHERE {
                changed.push(token);
                continue;
            }
            from[token as usize] = before;
            let read = |token: u32| token as usize * width..(token as usize + 1) * width;
            if self.input[read(before)] == input[read(token)] {
                resigned[token as usize] = self.doubts[before as usize];
            } else {
                changed.push(token);
            }
        }
        let from = Tensor::new(from, self.carry.z_h.device())?;
        let taken = |z: &Tensor| -> Result<Tensor> {
            let none = Tensor::zeros((1, z.dim(1)?), z.dtype(), z.device())?;
            Ok(Tensor::cat(&[z, &none], 0)?.index_select(&from, 0)?)
        };
        Ok(Some(Resumed {
            carry: Carry {
                z_h: taken(&self.carry.z_h)?,
                z_l: taken(&self.carry.z_l)?,
            },
            changed,
            resigned,
        }))
    }
}
