//! Symmetric images: the same problem, turned or mirrored, as the model sees it.

use std::borrow::Cow;

use candle_core::Tensor;

use super::Reduction;
use crate::Result;
use crate::grid::{Cell, Costmap, Move, Symmetry};
use crate::model::Readout;

/// What the model sees of a map, as one of its symmetric images.
pub(super) struct Image<'a> {
    /// What it is the image of.
    pub reduction: &'a Reduction,
    symmetry: Symmetry,
    /// The map that the model sees.
    pub map: Cow<'a, Costmap>,
    /// The image of each cell of the reduction, both row-major; empty if it is the cell itself.
    images: Vec<u32>,
}

impl<'a> Image<'a> {
    /// The image of what the model sees under a symmetry.
    ///
    /// # Errors
    /// None that the map's own geometry did not have.
    pub fn of(reduction: &'a Reduction, symmetry: Symmetry) -> Result<Self> {
        let map = reduction.map();
        let (map, images) = if symmetry.is_identity() {
            (Cow::Borrowed(map), Vec::new())
        } else {
            let indices = symmetry.indices(size(map)).map(|index| index as u32);
            (Cow::Owned(symmetry.map(map)?), indices.collect())
        };
        Ok(Self {
            reduction,
            symmetry,
            map,
            images,
        })
    }

    /// The image of a cell of the reduction.
    pub fn cell(&self, cell: Cell) -> Cell {
        self.symmetry.cell(cell, size(self.reduction.map()))
    }

    /// The read-out of each cell of the reduction, from that of the image.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn upright(&self, readout: Readout) -> Result<Readout> {
        if self.symmetry.is_identity() {
            return Ok(readout);
        }
        let device = readout.moves.device();
        let images = Tensor::new(&self.images[..], device)?;
        let moves = Move::ALL.map(|mv| self.symmetry.mv(mv).index() as u32);
        let moves = Tensor::new(&moves[..], device)?;
        // Some read-outs are columns of a wider tensor.
        let cells = |tensor: &Tensor| tensor.contiguous()?.index_select(&images, 0);
        Ok(Readout {
            moves: cells(&readout.moves)?.index_select(&moves, 1)?,
            value: cells(&readout.value)?,
            q_halt: cells(&readout.q_halt)?,
            q_continue: cells(&readout.q_continue)?,
        })
    }

    /// Values per cell of the reduction as values per cell of the image.
    pub fn laid_out<T: Copy>(&self, mut values: Vec<T>) -> Vec<T> {
        if self.symmetry.is_identity() {
            return values;
        }
        let upright = values.clone();
        for (&image, value) in self.images.iter().zip(upright) {
            values[image as usize] = value;
        }
        values
    }
}

/// (rows, columns) of a map.
fn size(map: &Costmap) -> (usize, usize) {
    (map.geometry().height(), map.geometry().width())
}
