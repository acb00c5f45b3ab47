//! Random obstacles: blocked cells and small clumps, everywhere with the same density.

use rand::RngExt;

use super::canvas::Canvas;
use super::{Dice, choose};

/// Share of blocked cells.
const DENSITY: std::ops::RangeInclusive<f64> = 0.05..=0.40;

/// The cells of a clump, as (row, column) from its own.
const SINGLE: &[(usize, usize)] = &[(0, 0)];
const SQUARE: &[(usize, usize)] = &[(0, 0), (0, 1), (1, 0), (1, 1)];
const PLUS: &[(usize, usize)] = &[(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)];

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let density = dice.random_range(DENSITY);
    let shapes: &[&[(usize, usize)]] = choose(
        &[
            (6, &[SINGLE][..]),
            (1, &[PLUS]),
            (1, &[SQUARE]),
            (2, &[SINGLE, PLUS, SQUARE]),
        ],
        dice,
    );
    let mut canvas = Canvas::new(height, width, false);
    scatter(&mut canvas, shapes, density, dice);
    canvas
}

/// Blocks clumps with random centres until about `density` of the cells are blocked.
fn scatter(canvas: &mut Canvas, shapes: &[&[(usize, usize)]], density: f64, dice: &mut Dice) {
    let (height, width) = (canvas.height(), canvas.width());
    let cells_per_clump =
        shapes.iter().map(|shape| shape.len()).sum::<usize>() as f64 / shapes.len() as f64;
    // A cell stays free if none of the clumps that could cover it is there.
    let clump_chance = 1.0 - (1.0 - density).powf(1.0 / cells_per_clump);
    for row in 0..height {
        for col in 0..width {
            if !dice.random_bool(clump_chance) {
                continue;
            }
            let shape = shapes[dice.random_range(0..shapes.len())];
            for (dr, dc) in shape {
                if row + dr < height && col + dc < width {
                    canvas.blocked_mut()[(row + dr) * width + col + dc] = true;
                }
            }
        }
    }
}
