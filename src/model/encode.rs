//! From a costmap and a goal to the numbers a model reads.
//!
//! Each cell has [`PLANES`] values, and the model reads those of the cell and of its eight
//! neighbours (zeros outside the map), so that a cell knows from the start which of its moves are
//! blocked. No plane depends on the map's size or place.

use crate::grid::{Cell, Cost, Costmap};
use crate::search::Rules;

/// Values per cell: travel cost, blocked, free, unknown, goal, inside.
pub const PLANES: usize = 6;

/// The largest value of the travel-cost plane; higher costs look the same.
const MAX_TRAVEL: f32 = 4.0;

/// The input of a model for `map` and `goal`: (cells x 9 [`PLANES`]) row-major; per cell the
/// planes of its 3 x 3 neighbourhood, row by row from the lower left neighbour.
///
/// The travel-cost plane is what a metre through the cell costs above a free metre,
/// `cost_weight x cost / 252`; unknown cells that may be entered are free cells with the unknown
/// plane set.
pub fn encode(map: &Costmap, goal: Cell, rules: &Rules) -> Vec<f32> {
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
    let mut input = vec![0.0; rows * cols * 9 * PLANES];
    for (index, input) in input.chunks_exact_mut(9 * PLANES).enumerate() {
        let (row, col) = (index / cols, index % cols);
        for (tap, out) in input.chunks_exact_mut(PLANES).enumerate() {
            let (r, c) = (row + tap / 3, col + tap % 3);
            if (1..=rows).contains(&r) && (1..=cols).contains(&c) {
                out.copy_from_slice(&planes[(r - 1) * cols + (c - 1)]);
            }
        }
    }
    input
}

fn flag(set: bool) -> f32 {
    if set { 1.0 } else { 0.0 }
}
