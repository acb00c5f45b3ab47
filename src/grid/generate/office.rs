//! Office floors: corridors that branch off each other, rooms of many sizes on both sides of
//! them, doors from one cell to several wide, thick outer walls, furniture.
//!
//! A corridor crosses the floor; whatever lies too deep behind it is crossed by further corridors
//! at right angles, again and again; what is left becomes rows of rooms that face a corridor
//! ([`super::wing`]). A corridor that ends at another one is mostly opened to it, which makes
//! loops.

use rand::RngExt;

use super::canvas::{Canvas, Rect};
use super::furniture::{Furnishing, furnish};
use super::wing::{Side, Wing};
use super::{Dice, choose};

/// A floor whose shorter side is this long has furniture and rooms at their own size, cells.
const REFERENCE_SIDE: f64 = 64.0;
/// The largest factor by which rooms of large floors are larger.
const LARGEST_SCALE: f64 = 5.0;
/// Probability that a corridor which ends at another one is opened to it.
const OPENED: f64 = 0.7;
/// The largest share of rooms that get a second door.
const MAX_SECOND_DOORS: f64 = 0.4;

/// How a floor is laid out; lengths in cells.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// Thickness of inner walls.
    wall: usize,
    corridor: (usize, usize),
    /// Sides of rooms along their corridor.
    room: (usize, usize),
    /// No room is deeper.
    depth: usize,
    /// Doors are one to so many cells wide.
    door: usize,
    /// Share of rooms that are open to their corridor over their whole width.
    open_plan: f64,
    /// Share of wings of moderate size that are one room.
    halls: f64,
    /// Share of deep rooms with another room behind.
    suites: f64,
    furnishing: Furnishing,
}

impl Layout {
    fn draw(floor: Rect, dice: &mut Dice) -> Self {
        let shorter = floor.height.min(floor.width);
        let largest = (shorter as f64 / REFERENCE_SIDE).clamp(1.0, LARGEST_SCALE);
        let scale = largest.powf(dice.random_range(0.0..=1.0));
        let cells = |least: f64, most: f64, dice: &mut Dice| {
            (scale * dice.random_range(least..=most)).round() as usize
        };
        let smallest = cells(3.0, 6.0, dice).min((shorter / 4).max(2));
        let corridor = cells(1.6, 3.4, dice).clamp(1, (shorter / 6).max(1));
        Self {
            wall: choose(&[(3, 1), (2, 1 + scale.round() as usize / 2), (1, 2)], dice)
                .min((shorter / 16).max(1)),
            corridor: (corridor, corridor + cells(0.0, 2.0, dice).min(shorter / 16)),
            room: (smallest, smallest + cells(2.0, 12.0, dice)),
            depth: smallest + cells(2.0, 9.0, dice),
            door: choose(&[(3, 1), (3, 2), (2, 3)], dice) * scale.round() as usize,
            open_plan: choose(&[(2, 0.0), (1, 0.15)], dice),
            halls: choose(&[(1, 0.0), (1, 0.05), (1, 0.2)], dice),
            suites: choose(&[(1, 0.0), (2, 0.4)], dice),
            furnishing: Furnishing::draw(scale, dice),
        }
    }
}

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(height, width, true);
    let shorter = height.min(width);
    let outer = dice.random_range(1..=(shorter / 16).clamp(1, 5));
    let mut building = canvas.bounds();
    // Some buildings stand in a yard.
    let yard = shorter >= 32 && dice.random_bool(0.2);
    if yard {
        let margin = dice.random_range(2..=shorter / 8);
        canvas.fill(building, false);
        building = building.inset(margin);
        canvas.fill(building, true);
    }
    let floor = building.inset(outer);
    let layout = Layout::draw(floor, dice);
    let mut plan = Plan {
        canvas,
        layout,
        rooms: Vec::new(),
    };
    plan.lay_out(floor, dice);
    plan.second_doors(dice);
    if yard {
        plan.entrances(floor, outer, dice);
    }
    plan.canvas
}

/// A floor in the making.
struct Plan {
    canvas: Canvas,
    layout: Layout,
    rooms: Vec<Rect>,
}

impl Plan {
    fn lay_out(&mut self, floor: Rect, dice: &mut Dice) {
        let lying = floor.width as f64 / floor.height as f64;
        let horizontal = if (0.7..1.4).contains(&lying) {
            dice.random_bool(0.5)
        } else {
            lying > 1.0
        };
        let across = if horizontal {
            floor.height
        } else {
            floor.width
        };
        let corridor = self.corridor(across, dice);
        let at = (across - corridor) as f64 * dice.random_range(0.15..=0.85);
        // The first corridor is the floor of a wing without depth: both sides of it are wings.
        let along = if horizontal {
            floor.width
        } else {
            floor.height
        };
        let hall = floor.part(horizontal, 0, at as usize, along, corridor);
        self.canvas.fill(hall, false);
        let mut open = Wing::beside(floor, hall, horizontal, self.layout.wall);
        while let Some(wing) = open.pop() {
            if self.is_hall(&wing, dice) {
                self.room(&wing, (0, wing.length()), (0, wing.depth()), dice);
            } else if wing.depth() <= self.layout.depth {
                self.row_of_rooms(&wing, dice);
            } else if let Some(pair) = self.cross(&wing, dice) {
                open.extend(pair);
            } else {
                self.row_of_rooms(&wing, dice);
            }
        }
    }

    /// Whether a wing becomes one room: a lecture hall, a canteen.
    fn is_hall(&self, wing: &Wing, dice: &mut Dice) -> bool {
        let deepest = 4 * self.layout.depth;
        wing.length().max(wing.depth()) <= deepest && dice.random_bool(self.layout.halls)
    }

    /// The width of the next corridor of a block with this side.
    fn corridor(&self, side: usize, dice: &mut Dice) -> usize {
        let (least, most) = self.layout.corridor;
        dice.random_range(least..=most).min((side / 3).max(1))
    }

    /// Lays a corridor through a wing, away from the one that it faces; what lies on either side,
    /// or `None` if there is no room for rooms.
    fn cross(&mut self, wing: &Wing, dice: &mut Dice) -> Option<Vec<Wing>> {
        let Layout { wall, room, .. } = self.layout;
        let corridor = self.corridor(wing.length(), dice);
        let free = wing.length().checked_sub(corridor + 2 * (wall + room.0))?;
        // About the middle, so that no wing is far longer than the other.
        let least = room.0 + wall + free / 4;
        let at = dice.random_range(least..=least + free / 2);
        let hall = wing.part(at, 0, corridor, wing.depth());
        self.canvas.fill(hall, false);
        self.canvas
            .fill(wing.wall_to_corridor(at, corridor, wall), false);
        let end = wing.wall_behind(at, corridor, wall);
        let beyond = wing.wall_behind(at, corridor, wall + 1);
        if let (Some(end), Some(beyond)) = (end, beyond)
            && self.is_free_beyond(beyond, wing)
            && dice.random_bool(OPENED)
        {
            self.canvas.fill(end, false);
        }
        Some(Wing::beside(
            wing.block(),
            hall,
            !wing.is_horizontal(),
            wall,
        ))
    }

    /// Whether the cells of a stretch of wall that lie farthest from its wing are free.
    fn is_free_beyond(&self, stretch: Rect, wing: &Wing) -> bool {
        let far = wing.far_edge(stretch);
        (far.row + far.height <= self.canvas.height() && far.col + far.width <= self.canvas.width())
            && (far.row..far.row + far.height).all(|row| {
                let first = row * self.canvas.width() + far.col;
                self.canvas.blocked()[first..first + far.width]
                    .iter()
                    .all(|&blocked| !blocked)
            })
    }

    /// Fills a wing with rooms side by side, each with a door to the corridor.
    fn row_of_rooms(&mut self, wing: &Wing, dice: &mut Dice) {
        let Layout { wall, room, .. } = self.layout;
        let mut at = 0;
        while at < wing.length() {
            let left = wing.length() - at;
            let mut width = dice.random_range(room.0..=room.1);
            // What would be left must hold a wall and the smallest room.
            if left < width + wall + room.0 {
                width = left;
            }
            self.suite(wing, at, width, dice);
            at += width + wall;
        }
    }

    /// A room over the depth of a wing, or several, one behind the other.
    fn suite(&mut self, wing: &Wing, at: usize, width: usize, dice: &mut Dice) {
        let Layout {
            wall, room, depth, ..
        } = self.layout;
        let mut from = 0;
        loop {
            let left = wing.depth() - from;
            let deep = left >= 2 * room.0 + wall;
            let split = deep && (left > depth || dice.random_bool(self.layout.suites));
            let this = if split {
                dice.random_range(room.0..=(left - wall - room.0).min(depth.max(room.0)))
            } else {
                left
            };
            self.room(wing, (at, width), (from, this), dice);
            if !split {
                return;
            }
            from += this + wall;
        }
    }

    /// One room, given by where it begins along and off the corridor and how long and deep it is,
    /// with a door to the corridor or to the room before it.
    fn room(
        &mut self,
        wing: &Wing,
        (at, width): (usize, usize),
        (from, depth): (usize, usize),
        dice: &mut Dice,
    ) {
        let wall = self.layout.wall;
        let floor = wing.part(at, from, width, depth);
        self.canvas.fill(floor, false);
        furnish(&mut self.canvas, floor, &self.layout.furnishing, dice);
        self.rooms.push(floor);
        let mut door = self.door(width, dice);
        if from == 0 && dice.random_bool(self.layout.open_plan) {
            door = width;
        }
        let first = at + dice.random_range(0..=width - door);
        // Through the wall and a step into the rooms, so that no cupboard stands there.
        if from == 0 {
            self.canvas
                .fill(wing.wall_to_corridor(first, door, wall), false);
            self.canvas.fill(wing.part(first, 0, door, 1), false);
        } else {
            let gap = wing.part(first, from - wall - 1, door, wall + 2);
            self.canvas.fill(gap, false);
        }
    }

    fn door(&self, width: usize, dice: &mut Dice) -> usize {
        dice.random_range(1..=self.layout.door.max(1)).min(width)
    }

    /// Doors to whatever lies beside some rooms: the next room, another corridor.
    fn second_doors(&mut self, dice: &mut Dice) {
        let share = dice.random_range(0.0..=MAX_SECOND_DOORS);
        let wall = self.layout.wall;
        for room in std::mem::take(&mut self.rooms) {
            if !dice.random_bool(share) {
                continue;
            }
            let side = choose(&[(1, Side::Right), (1, Side::Above)], dice);
            let wing = Wing::new(room, side);
            let door = self.door(wing.length(), dice);
            let at = dice.random_range(0..=wing.length() - door);
            let gap = wing.wall_to_corridor(at, door, wall);
            let beyond = wing.wall_to_corridor(at, door, wall + 1);
            if self.is_free_beyond(beyond, &wing.facing_back()) {
                self.canvas.fill(gap, false);
            }
        }
    }

    /// Doors through the outer wall, into rooms or corridors.
    fn entrances(&mut self, floor: Rect, outer: usize, dice: &mut Dice) {
        for side in [Side::Below, Side::Above, Side::Left, Side::Right] {
            let wing = Wing::new(floor, side);
            for _ in 0..dice.random_range(1..=2) {
                let door = self.door(wing.length(), dice).max(2).min(wing.length());
                let at = dice.random_range(0..=wing.length() - door);
                self.canvas
                    .fill(wing.wall_to_corridor(at, door, outer), false);
                self.canvas.fill(wing.part(at, 0, door, 1), false);
            }
        }
    }
}
