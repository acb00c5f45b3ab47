//! From a costmap and a goal to the numbers a model reads.
//!
//! Each cell has [`PLANES`] values. A model's tokens are patches of p x p cells, and it reads of
//! each the values of its cells and of those around them, (p + 2) x (p + 2) in all (zeros outside
//! the map), so that a token knows from the start which of its moves are blocked. No plane depends
//! on the map's size or place.

use super::layout::{Image, NOWHERE};
use crate::grid::{Cell, Cost, Costmap};
use crate::search::Rules;

/// Values per cell: travel cost, blocked, free, unknown, goal, inside.
pub const PLANES: usize = 6;

/// The largest value of the travel-cost plane; higher costs look the same.
const MAX_TRAVEL: f32 = 4.0;

/// How a model cuts maps into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patches {
    /// p, cells along each side of a token.
    pub side: usize,
    /// Whether patches without a cell that can be entered have no token.
    pub sparse: bool,
}

impl Patches {
    /// Values that a token reads.
    pub fn width(self) -> usize {
        (self.side + 2) * (self.side + 2) * PLANES
    }

    /// (rows, columns) of patches of a map with these (rows, columns) of cells.
    pub fn size(self, (rows, cols): (usize, usize)) -> (usize, usize) {
        (rows.div_ceil(self.side), cols.div_ceil(self.side))
    }
}

/// What a model reads of a map and a goal.
#[derive(Debug, Clone)]
pub struct Encoding {
    /// (tokens x [`Patches::width`]) row-major; per token the planes of its (p + 2) x (p + 2)
    /// cells, row by row from the lower left one.
    pub input: Vec<f32>,
    /// Where there is a token.
    pub image: Image,
}

/// What a model with these patches reads of `map` and `goal`.
///
/// The travel-cost plane is what a metre through the cell costs above a free metre,
/// `cost_weight x cost / 252`; unknown cells that may be entered are free cells with the unknown
/// plane set.
pub fn encode(map: &Costmap, goal: Cell, rules: &Rules, patches: Patches) -> Encoding {
    let geometry = map.geometry();
    let (rows, cols) = (geometry.height(), geometry.width());
    let goal = geometry.index(goal);
    let planes: Vec<[f32; PLANES]> = map
        .costs()
        .iter()
        .enumerate()
        .map(|(index, &cost)| {
            let multiplier = rules.multiplier(cost);
            let unknown = cost == Cost::UNKNOWN;
            [
                multiplier.map_or(0.0, |m| (m as f32 - 1.0).min(MAX_TRAVEL)),
                flag(multiplier.is_none()),
                flag(multiplier.is_some()),
                flag(unknown),
                flag(index == goal),
                1.0,
            ]
        })
        .collect();
    let side = patches.side;
    let (high, wide) = patches.size((rows, cols));
    let image = if patches.sparse {
        let mut open = vec![false; high * wide];
        for (index, planes) in planes.iter().enumerate() {
            let (row, col) = (index / cols, index % cols);
            open[row / side * wide + col / side] |= planes[2] > 0.0 || planes[4] > 0.0;
        }
        Image::sparse(high, wide, |place| open[place])
    } else {
        Image::full(high, wide)
    };
    let mut input = vec![0.0; image.tokens() * patches.width()];
    let mut tokens = input.chunks_exact_mut(patches.width());
    for place in (0..high * wide).filter(|p| image.at(p / wide, p % wide) != NOWHERE) {
        let Some(token) = tokens.next() else { break };
        let (row, col) = (place / wide * side, place % wide * side);
        for (tap, out) in token.chunks_exact_mut(PLANES).enumerate() {
            let (r, c) = (row + tap / (side + 2), col + tap % (side + 2));
            if (1..=rows).contains(&r) && (1..=cols).contains(&c) {
                out.copy_from_slice(&planes[(r - 1) * cols + (c - 1)]);
            }
        }
    }
    Encoding { input, image }
}

fn flag(set: bool) -> f32 {
    if set { 1.0 } else { 0.0 }
}
