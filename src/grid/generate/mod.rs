//! Generated maps: what the models are trained and judged on.
//!
//! A [`Kind`], a size and a random number generator give a [`Costmap`] of free and lethal cells,
//! or a whole [`Problem`] with a start and a goal that reach each other. The structure (corridor
//! widths, densities, room sizes, ...) is drawn anew for every map and scaled to it, so that one
//! kind covers much variety. The same state of the generator, such as a `ChaCha8Rng` of the same
//! seed, gives the same map.
//!
//! Costs between free and lethal, unknown space and robot radii are not made here: they are laid
//! over these maps by inflation and by training.

mod boxes;
mod canvas;
mod cave;
mod components;
mod floor_plan;
mod furniture;
mod kind;
mod maze;
mod office;
mod problem;
mod random;
pub mod realistic;
mod rooms;
mod slices;
mod tree;
mod tunnels;
mod union;
mod warehouse;
mod wing;

use std::ops::RangeInclusive;

use rand::{Rng, RngExt, SeedableRng};

pub use components::{Components, NO_COMPONENT};
pub use kind::Kind;
pub use problem::{Problem, problem, reachable_pair};
pub use realistic::realistic;

use crate::grid::Costmap;

/// The sides a generated map can have, in cells; the largest is that of the largest grid.
pub const SIDES: RangeInclusive<usize> = 8..=8192;

/// The generator behind every map. Each map gets its own, seeded from the caller's: a map then
/// takes the same amount of the caller's stream whatever its kind and size.
type Dice = rand_chacha::ChaCha8Rng;

/// A generated map of `height` x `width` cells: free and lethal cells, unit geometry, at least two
/// free cells that reach each other. Sides outside [`SIDES`] are moved to its nearer end.
pub fn generate(kind: Kind, height: usize, width: usize, rng: &mut impl Rng) -> Costmap {
    let height = height.clamp(*SIDES.start(), *SIDES.end());
    let width = width.clamp(*SIDES.start(), *SIDES.end());
    let dice = &mut Dice::from_rng(rng);
    let draw = match kind {
        Kind::Maze => maze::draw,
        Kind::Random => random::draw,
        Kind::Rooms => rooms::draw,
        Kind::Warehouse => warehouse::draw,
        Kind::Cave => cave::draw,
        Kind::Boxes => boxes::draw,
        Kind::Office => office::draw,
        Kind::Slices => slices::draw,
    };
    let mut canvas = draw(height, width, dice);
    canvas.ensure_a_move(dice);
    canvas.into_costmap()
}

/// One of the choices, each with its weight; the weights' sum is not zero.
fn choose<T: Copy>(choices: &[(u32, T)], dice: &mut Dice) -> T {
    let total = choices.iter().map(|(weight, _)| weight).sum();
    let mut ticket = dice.random_range(0..total);
    let chosen = choices.iter().find(|(weight, _)| {
        let hit = ticket < *weight;
        ticket = ticket.saturating_sub(*weight);
        hit
    });
    chosen.unwrap_or(&choices[0]).1
}
