//! Floor plans: a floor divided into rooms that lie exactly one wall apart.
//!
//! Either divided again and again at random places, with corridors now and then, or in regular
//! rows and columns. Which rooms have doors between them is not decided here.

use rand::RngExt;

use super::Dice;
use super::canvas::Rect;

/// The smallest and the largest side of a room, cells.
const SMALLEST_ROOM: usize = 3;
const LARGEST_ROOM: usize = 20;
/// Corridors are this wide, cells.
const CORRIDOR: std::ops::RangeInclusive<usize> = 1..=3;

/// The rooms of a floor with walls `wall` cells thick; at least one.
pub(super) fn draw(floor: Rect, wall: usize, dice: &mut Dice) -> Vec<Rect> {
    if dice.random_bool(0.7) {
        Division::draw(floor, wall, dice).divide(floor, dice)
    } else {
        lattice(floor, wall, dice)
    }
}

/// How a floor is divided again and again; lengths in cells.
#[derive(Debug, Clone, Copy)]
struct Division {
    wall: usize,
    /// No side gets smaller.
    smallest: usize,
    /// A longer side is always divided; at least twice the smallest and a wall.
    largest: usize,
    /// Probability that a room which may be divided is left whole.
    keep: f64,
    /// Probability that a division makes a corridor.
    corridors: f64,
}

impl Division {
    fn draw(floor: Rect, wall: usize, dice: &mut Dice) -> Self {
        let shorter = floor.height.min(floor.width);
        let limit = (shorter / 3).clamp(SMALLEST_ROOM, 7);
        let smallest = dice.random_range(SMALLEST_ROOM..=limit);
        let least = 2 * smallest + wall;
        // Small floors, too, have more than one room.
        let most = LARGEST_ROOM.min(2 * shorter / 3).max(least);
        Self {
            wall,
            smallest,
            largest: dice.random_range(least..=most),
            keep: dice.random_range(0.0..=0.4),
            corridors: if dice.random_bool(0.5) { 0.5 } else { 0.0 },
        }
    }

    fn divide(&self, floor: Rect, dice: &mut Dice) -> Vec<Rect> {
        let mut rooms = Vec::new();
        let mut open = vec![floor];
        while let Some(block) = open.pop() {
            // Lengthwise blocks are cut across; nearly square ones either way.
            let lying = block.width as f64 / block.height as f64;
            let horizontal = if (0.7..1.4).contains(&lying) {
                dice.random_bool(0.5)
            } else {
                lying > 1.0
            };
            let (length, depth) = if horizontal {
                (block.width, block.height)
            } else {
                (block.height, block.width)
            };
            let keep = length.max(depth) <= self.largest && dice.random_bool(self.keep);
            if keep || length < 2 * self.smallest + self.wall {
                rooms.push(block);
                continue;
            }
            let corridor = dice.random_range(CORRIDOR);
            let with_corridor = 2 * (self.smallest + self.wall) + corridor;
            let gap = if length > 2 * with_corridor.min(self.largest)
                && length >= with_corridor
                && dice.random_bool(self.corridors)
            {
                2 * self.wall + corridor
            } else {
                self.wall
            };
            let at = dice.random_range(self.smallest..=length - gap - self.smallest);
            let rest = at + gap;
            open.push(block.part(horizontal, 0, 0, at, depth));
            open.push(block.part(horizontal, rest, 0, length - rest, depth));
            if gap > self.wall {
                rooms.push(block.part(horizontal, at + self.wall, 0, corridor, depth));
            }
        }
        rooms
    }
}

/// Rooms in rows and columns, all of one row as tall and all of one column as wide as each other.
fn lattice(floor: Rect, wall: usize, dice: &mut Dice) -> Vec<Rect> {
    let rows = lanes(floor.height, wall, dice);
    let cols = lanes(floor.width, wall, dice);
    rows.iter()
        .flat_map(|&(row, height)| {
            cols.iter().map(move |&(col, width)| {
                Rect::new(floor.row + row, floor.col + col, height, width)
            })
        })
        .collect()
}

/// Rooms' places along a side, each its first cell and its length, all lengths alike or drawn.
fn lanes(side: usize, wall: usize, dice: &mut Dice) -> Vec<(usize, usize)> {
    let longest = (side / 2).clamp(SMALLEST_ROOM, LARGEST_ROOM);
    let least = dice.random_range(SMALLEST_ROOM..=longest);
    let most = if dice.random_bool(0.5) {
        least
    } else {
        dice.random_range(least..=longest)
    };
    let mut lanes = Vec::new();
    let mut at = 0;
    loop {
        let length = dice.random_range(least..=most);
        // What would be left must hold a wall and the smallest room.
        if side < at + length + wall + SMALLEST_ROOM {
            lanes.push((at, side - at));
            return lanes;
        }
        lanes.push((at, length));
        at += length + wall;
    }
}
