//! Small obstacles in free space and speckle along walls, as laser scans leave them: chair and
//! table legs, poles, cases, people who walked by. None of it closes a passage.

use std::f64::consts::TAU;

use rand::{Rng, RngExt, SeedableRng};

use super::choose;
use super::passages::Passages;
use crate::grid::generate::Dice;
use crate::grid::{Cost, Costmap};

/// The farthest that an obstacle lies from the one before it in the same cluster, cells.
const CLUSTER_STEP: f64 = 12.0;

/// How much clutter a map gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clutter {
    /// Small obstacles per 1,000 cells of the map; those that fall on no free cell are lost.
    pub per_thousand: f64,
    /// The share of free cells beside an obstacle that become lethal, 0..=1.
    pub speckle: f64,
    /// The probability that an obstacle lies near the one before it, 0..=1.
    pub clustered: f64,
}

impl Clutter {
    /// No clutter at all.
    pub const NONE: Self = Self {
        per_thousand: 0.0,
        speckle: 0.0,
        clustered: 0.0,
    };

    /// Up to 12 obstacles per 1,000 cells, little more often than much.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self {
            per_thousand: 12.0 * dice.random_range(0.0..=1.0_f64).powi(2),
            speckle: if dice.random_bool(0.5) {
                0.25 * dice.random_range(0.0..=1.0_f64).powi(2)
            } else {
                0.0
            },
            clustered: dice.random_range(0.0..=0.9),
        }
    }
}

/// What one obstacle looks like; none has over four cells.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Dot,
    /// Two by two cells.
    Block,
    /// Two to four cells in a line.
    Stroke,
    /// Four dots at the corners of a rectangle, as the legs of a chair or a table.
    Legs,
}

/// The map with clutter. Every free cell keeps its way to every other free cell that stays free.
pub fn cluttered(map: &Costmap, clutter: &Clutter, rng: &mut impl Rng) -> Costmap {
    let dice = &mut Dice::from_rng(rng);
    let mut changed = map.clone();
    let count = clutter.per_thousand * map.costs().len() as f64 / 1000.0;
    // Part of an obstacle is one with that probability.
    let count = (count + dice.random_range(0.0..1.0)).max(0.0) as usize;
    if count == 0 && clutter.speckle <= 0.0 {
        return changed;
    }
    let mut board = Board {
        passages: Passages::of(map),
        map: &mut changed,
    };
    board.speckle(clutter.speckle.clamp(0.0, 1.0), dice);
    board.scatter(count, clutter.clustered.clamp(0.0, 1.0), dice);
    changed
}

/// A map and its passages, which change together.
struct Board<'a> {
    passages: Passages,
    map: &'a mut Costmap,
}

impl Board<'_> {
    /// Blocks a free cell on the map, given in whole or broken cells, where no passage closes.
    fn dot(&mut self, row: f64, col: f64) {
        let (height, width) = (self.map.geometry().height(), self.map.geometry().width());
        if row < 0.0 || col < 0.0 || row >= height as f64 || col >= width as f64 {
            return;
        }
        let index = row as usize * width + col as usize;
        if self.passages.block(self.passages.place(index)) {
            self.map.costs_mut()[index] = Cost::LETHAL;
        }
    }

    /// Blocks this share of the free cells beside obstacles.
    fn speckle(&mut self, share: f64, dice: &mut Dice) {
        if share <= 0.0 {
            return;
        }
        let (height, width) = (self.map.geometry().height(), self.map.geometry().width());
        let threshold = (share * f64::from(u32::MAX)) as u32;
        let mut speckles = Vec::new();
        for row in 1..height - 1 {
            let place = self.passages.place(row * width);
            for col in 1..width - 1 {
                let place = place + col;
                if self.passages.is_free(place)
                    && self.passages.is_beside_wall(place)
                    && dice.random::<u32>() < threshold
                {
                    speckles.push((row, col));
                }
            }
        }
        for (row, col) in speckles {
            self.dot(row as f64, col as f64);
        }
    }

    fn scatter(&mut self, count: usize, clustered: f64, dice: &mut Dice) {
        let (height, width) = (self.map.geometry().height(), self.map.geometry().width());
        let anywhere = |dice: &mut Dice| {
            let row = dice.random_range(0.0..height as f64);
            (row, dice.random_range(0.0..width as f64))
        };
        let mut place = anywhere(dice);
        for _ in 0..count {
            place = if dice.random_bool(clustered) {
                let mut step = || dice.random_range(-CLUSTER_STEP..=CLUSTER_STEP);
                (place.0 + step(), place.1 + step())
            } else {
                anywhere(dice)
            };
            let shape = choose(
                &[
                    (4, Shape::Dot),
                    (2, Shape::Block),
                    (2, Shape::Stroke),
                    (2, Shape::Legs),
                ],
                dice,
            );
            self.put(shape, place, dice);
        }
    }

    fn put(&mut self, shape: Shape, (row, col): (f64, f64), dice: &mut Dice) {
        match shape {
            Shape::Dot => self.dot(row, col),
            Shape::Block => {
                for (up, right) in [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)] {
                    self.dot(row + up, col + right);
                }
            }
            Shape::Stroke => {
                let (sin, cos) = dice.random_range(0.0..TAU).sin_cos();
                for step in 0..dice.random_range(2..=4) {
                    self.dot(row + sin * f64::from(step), col + cos * f64::from(step));
                }
            }
            Shape::Legs => {
                let (sin, cos) = dice.random_range(0.0..TAU).sin_cos();
                let (long, short) = (dice.random_range(3.0..=10.0), dice.random_range(3.0..=7.0));
                for (a, b) in [(0.0, 0.0), (long, 0.0), (0.0, short), (long, short)] {
                    self.dot(row + sin * a + cos * b, col + cos * a - sin * b);
                }
            }
        }
    }
}
