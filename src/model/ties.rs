//! Tied weights: a model that answers a turned or mirrored map with the turned or mirrored answer.
//!
//! A plan on the mirror image of a map is the mirror image of the plan. A model has to learn that
//! eight times over, unless it cannot do otherwise: with tied weights (group convolutions, Cohen and
//! Welling, arXiv 1602.07576; for planning Zhao et al., arXiv 2206.03674) it does so exactly, as long as
//! its patches lie in the image as they lie in the map. Channels come in fields of eight, one for each
//! symmetry of the square: a map's image has the same numbers in its states, at the image of each place
//! and in another order within each field. For that, a weight between two places, channels or
//! moves must be the weight between their images. So of eight weights one is free, and kernels compute as ever.

use super::encode::PLANES;
use super::grid_config::GridHrmConfig;
use crate::grid::{Cell, Move, Moves, Symmetry};
use std::collections::BTreeMap;

/// Channels of a field.
const FIELD: usize = Symmetry::ALL.len();

/// What the indices along one dimension of a tensor stand for.
#[derive(Debug, Clone, Copy)]
enum Axis {
    /// So many channels, in fields.
    Fields(usize),
    /// A square of cells or taps of this side, row by row from the lower left one; for each of them
    /// so many values that are the same in all images.
    Square(usize, usize),
    /// The same with these moves for each of them.
    SquareOfMoves(usize, Moves),
}

impl Axis {
    /// A dimension of one index.
    const NONE: Self = Self::Square(1, 1);

    fn len(self) -> usize {
        match self {
            Self::Fields(channels) => channels,
            Self::Square(side, each) => side * side * each,
            Self::SquareOfMoves(side, moves) => side * side * moves.count(),
        }
    }

    /// The image of each index.
    fn images(self, symmetry: Symmetry) -> Vec<usize> {
        let within = |side: usize, index: usize| {
            let cell = symmetry.cell(Cell::new(index / side, index % side), (side, side));
            cell.row * side + cell.col
        };
        let image = |index: usize| match self {
            Self::Fields(_) => {
                let turned = symmetry.after(Symmetry::ALL[index % FIELD]);
                index / FIELD * FIELD + turned.index()
            }
            Self::Square(side, each) => within(side, index / each) * each + index % each,
            Self::SquareOfMoves(side, moves) => {
                let (count, apart) = (moves.count(), FIELD / moves.count());
                let mv = symmetry.mv(Move::from_index(index % count * apart));
                within(side, index / count) * count + mv.index() / apart
            }
        };
        (0..self.len()).map(image).collect()
    }
}

impl GridHrmConfig {
    /// For each value of each tensor, row-major, the index of the first value that it is equal to in a
    /// model with tied weights, by the tensors' names; `None` if these weights are not tied.
    pub fn ties(&self) -> Option<BTreeMap<String, Vec<u32>>> {
        if !self.tied {
            return None;
        }
        let tensors = self.tensors().into_iter();
        let of_tensors = tensors.map(|(name, _)| {
            let ties = ties(self.axes(&name));
            (name, ties)
        });
        Some(of_tensors.collect())
    }

    /// Number of trainable values that are not tied to an earlier one.
    pub fn free_parameters(&self) -> usize {
        let Some(ties) = self.ties() else {
            return self.parameters();
        };
        let firsts = |ties: &Vec<u32>| {
            let places = ties.iter().enumerate();
            places
                .filter(|&(place, &first)| place == first as usize)
                .count()
        };
        ties.values().map(firsts).sum()
    }

    /// What the two dimensions of a tensor stand for; the first of a vector has one index.
    fn axes(&self, name: &str) -> (Axis, Axis) {
        let (channels, hidden) = (Axis::Fields(self.channels), Axis::Fields(self.hidden));
        let per_token = |each| Axis::Square(self.patch, each);
        let (of, kind) = name.rsplit_once('.').unwrap_or(("", name));
        let columns = match of {
            "head.moves" => Axis::SquareOfMoves(self.patch, self.moves),
            "head.value" => per_token(1),
            "head.halt" => per_token(2),
            _ if ["gate", "up"].contains(&kind) => hidden,
            _ => channels,
        };
        let rows = match (of, kind) {
            (_, "bias") => Axis::NONE,
            ("embed", _) => Axis::Square(self.patch + 2, PLANES),
            (_, "depthwise") => Axis::Square(self.kernel, 1),
            (_, "down") => hidden,
            _ => channels,
        };
        (rows, columns)
    }
}

/// The index of the first value that each value of a tensor is tied to, row-major.
fn ties((rows, columns): (Axis, Axis)) -> Vec<u32> {
    let width = columns.len();
    let mut first: Vec<u32> = (0..(rows.len() * width) as u32).collect();
    for symmetry in Symmetry::ALL {
        let (rows, columns) = (rows.images(symmetry), columns.images(symmetry));
        for (index, first) in first.iter_mut().enumerate() {
            let image = rows[index / width] * width + columns[index % width];
            *first = (*first).min(image as u32);
        }
    }
    first
}
