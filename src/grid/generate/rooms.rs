//! Rooms: walls with doors, as in flats, offices and hotels.
//!
//! The floor is divided into rooms that lie one wall apart ([`super::floor_plan`]); doors follow a
//! random spanning tree of the rooms that share a wall, plus some more for loops; furniture keeps
//! off the walls, so that it blocks no door.

use rand::RngExt;
use rand::seq::SliceRandom;

use super::canvas::{Canvas, Rect};
use super::union::Union;
use super::{Dice, choose, floor_plan};

/// Probability that a door without which a room is cut off is missing.
const CUT_OFF: f64 = 0.01;
/// Largest share of the shared walls, beyond the tree's, that have a door.
const MAX_MORE_DOORS: f64 = 0.6;
/// The smallest side of a furnished room, cells.
const SMALLEST_FURNISHED: usize = 5;
/// Cells of a room per piece of furniture, at least.
const AREA_PER_PIECE: usize = 12;

const NO_ROOM: u32 = u32::MAX;

/// A stretch of wall between two rooms, `length` cells long and one wall thick.
#[derive(Debug, Clone, Copy)]
struct SharedWall {
    rooms: (u32, u32),
    block: Rect,
    /// Whether the wall runs along x.
    horizontal: bool,
}

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let roomy = height.min(width) >= 16;
    let wall = if roomy {
        choose(&[(5, 1), (1, 2)], dice)
    } else {
        1
    };
    let mut canvas = Canvas::new(height, width, true);
    let mut floor = canvas.bounds();
    if roomy && dice.random_bool(0.5) {
        floor = floor.inset(wall);
    }
    let rooms = floor_plan::draw(floor, wall, dice);
    for &room in &rooms {
        canvas.fill(room, false);
    }

    let mut walls = shared_walls(&rooms, wall, height, width);
    walls.shuffle(dice);
    if dice.random_bool(0.7) {
        // As in offices: who has a door to a corridor needs none to the neighbour.
        let off_corridor = |id: u32| !is_corridor(rooms[id as usize]);
        walls.sort_by_key(|wall| off_corridor(wall.rooms.0) && off_corridor(wall.rooms.1));
    }
    let widest = choose(&[(4, 1), (3, 2), (3, 3)], dice);
    let more_doors = dice.random_range(0.0..=MAX_MORE_DOORS);
    let mut joined = Union::new(rooms.len());
    for shared in &walls {
        let needed = joined.join(shared.rooms.0, shared.rooms.1);
        if dice.random_bool(if needed { 1.0 - CUT_OFF } else { more_doors }) {
            canvas.fill(doorway(shared, widest, dice), false);
        }
    }

    if dice.random_bool(0.5) {
        let share = dice.random_range(0.2..=1.0);
        for &room in &rooms {
            if dice.random_bool(share) {
                furnish(&mut canvas, room, dice);
            }
        }
    }
    canvas
}

/// Whether a room is long and narrow.
fn is_corridor(room: Rect) -> bool {
    let (shorter, longer) = (room.height.min(room.width), room.height.max(room.width));
    shorter <= 3 && longer >= 4 * shorter
}

/// The stretches of wall with one room on either side.
fn shared_walls(rooms: &[Rect], wall: usize, height: usize, width: usize) -> Vec<SharedWall> {
    let mut room_of = vec![NO_ROOM; height * width];
    for (id, room) in (0..).zip(rooms) {
        for row in room.row..room.row + room.height {
            room_of[row * width + room.col..][..room.width].fill(id);
        }
    }
    let mut walls = Vec::with_capacity(3 * rooms.len());
    for (id, room) in (0..).zip(rooms) {
        for horizontal in [false, true] {
            // Along the room's upper or right edge, and past the wall there.
            let (length, edge) = if horizontal {
                (room.width, room.height)
            } else {
                (room.height, room.width)
            };
            let behind = |at| {
                let cell = room.part(horizontal, at, edge + wall, 1, 1);
                if cell.row < height && cell.col < width {
                    room_of[cell.row * width + cell.col]
                } else {
                    NO_ROOM
                }
            };
            let mut from = 0;
            for at in 1..=length {
                if at < length && behind(at) == behind(from) {
                    continue;
                }
                if behind(from) != NO_ROOM {
                    walls.push(SharedWall {
                        rooms: (id, behind(from)),
                        block: room.part(horizontal, from, edge, at - from, wall),
                        horizontal,
                    });
                }
                from = at;
            }
        }
    }
    walls
}

/// An opening of one to `widest` cells somewhere in a shared wall.
fn doorway(shared: &SharedWall, widest: usize, dice: &mut Dice) -> Rect {
    let block = shared.block;
    let (length, thickness) = if shared.horizontal {
        (block.width, block.height)
    } else {
        (block.height, block.width)
    };
    let door = dice.random_range(1..=widest).min(length);
    let at = dice.random_range(0..=length - door);
    block.part(shared.horizontal, at, 0, door, thickness)
}

/// Puts tables and cupboards into a room, none beside a wall.
fn furnish(canvas: &mut Canvas, room: Rect, dice: &mut Dice) {
    if room.height.min(room.width) < SMALLEST_FURNISHED {
        return;
    }
    let ground = room.inset(1);
    for _ in 0..dice.random_range(1..=1 + room.area() / AREA_PER_PIECE / 2) {
        let height = dice.random_range(1..=3.min(ground.height));
        let width = dice.random_range(1..=3.min(ground.width));
        let row = ground.row + dice.random_range(0..=ground.height - height);
        let col = ground.col + dice.random_range(0..=ground.width - width);
        canvas.fill(Rect::new(row, col, height, width), true);
    }
}
