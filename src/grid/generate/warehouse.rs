//! Warehouses: zones of shelves with aisles between their rows and cross aisles between their
//! ends, sometimes a loading area, an outer wall, and walls with gates between the zones.
//!
//! Shelves keep off the edge of their zone, so that every aisle is reached from every other.

use rand::RngExt;

use super::canvas::{Canvas, Rect};
use super::{Dice, choose};

/// A zone whose longer side is under this is not split, cells.
const SMALLEST_SPLIT: usize = 32;
/// A zone whose longer side is over this is always split, cells.
const LARGEST_ZONE: usize = 160;

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(height, width, false);
    let mut floor = canvas.bounds();
    if height.min(width) > 10 && dice.random_bool(0.5) {
        canvas.wall_in(1);
        floor = floor.inset(1);
    }
    if dice.random_bool(0.4) {
        floor = loading_area(&mut canvas, floor, dice);
    }
    let walled = dice.random_bool(0.4);
    let mut zones = vec![floor];
    while let Some(zone) = zones.pop() {
        let longer = zone.height.max(zone.width);
        if longer > LARGEST_ZONE || (longer >= SMALLEST_SPLIT && dice.random_bool(0.35)) {
            zones.extend(split(&mut canvas, zone, walled, dice));
        } else {
            Shelving::draw(zone, dice).put_up(&mut canvas, zone, dice);
        }
    }
    canvas
}

/// Scatters pallets over a strip along one side; returns the rest of the floor.
fn loading_area(canvas: &mut Canvas, floor: Rect, dice: &mut Dice) -> Rect {
    let horizontal = dice.random_bool(0.5);
    let (along, across) = extent(floor, horizontal);
    let depth = ((across as f64 * dice.random_range(0.1..=0.3)) as usize).clamp(2, across);
    let rest = across - depth;
    let at_end = dice.random_bool(0.5);
    let strip = floor.part(horizontal, 0, if at_end { rest } else { 0 }, along, depth);
    let pallets = strip.area() as f64 * dice.random_range(0.0..=0.08);
    let ground = strip.inset(1);
    for _ in 0..pallets as usize {
        let size = dice.random_range(1..=2);
        if ground.height >= size && ground.width >= size {
            let row = ground.row + dice.random_range(0..=ground.height - size);
            let col = ground.col + dice.random_range(0..=ground.width - size);
            canvas.fill(Rect::new(row, col, size, size), true);
        }
    }
    floor.part(horizontal, 0, if at_end { 0 } else { depth }, along, rest)
}

/// Cuts a zone in two across its longer side, by a wall with a gate if `walled`.
fn split(canvas: &mut Canvas, zone: Rect, walled: bool, dice: &mut Dice) -> [Rect; 2] {
    let horizontal = zone.width >= zone.height;
    let (along, across) = extent(zone, horizontal);
    let at = dice.random_range(along / 3..=along - along / 3);
    let thickness = usize::from(walled);
    if walled {
        canvas.fill(zone.part(horizontal, at, 0, 1, across), true);
        let gate = dice.random_range(2..=6).min(across);
        let from = dice.random_range(0..=across - gate);
        canvas.fill(zone.part(horizontal, at, from, 1, gate), false);
    }
    let rest = at + thickness;
    [
        zone.part(horizontal, 0, 0, at, across),
        zone.part(horizontal, rest, 0, along - rest, across),
    ]
}

/// A block's length along x and its length along y, or the other way round.
fn extent(rect: Rect, horizontal: bool) -> (usize, usize) {
    if horizontal {
        (rect.width, rect.height)
    } else {
        (rect.height, rect.width)
    }
}

/// How the shelves of one zone stand; lengths in cells.
#[derive(Debug, Clone, Copy)]
struct Shelving {
    /// Whether shelves lie along x.
    horizontal: bool,
    depth: usize,
    length: usize,
    aisle: usize,
    cross_aisle: usize,
    margin: usize,
    /// Whether cross aisles lie elsewhere in every row.
    staggered: bool,
    /// Share of shelves that are not there.
    missing: f64,
}

impl Shelving {
    fn draw(zone: Rect, dice: &mut Dice) -> Self {
        let horizontal = dice.random_bool(0.5);
        let (along, _) = extent(zone, horizontal);
        let margin = dice.random_range(1..=3).min(1 + along / 16);
        let longest = along.saturating_sub(2 * margin).clamp(3, 20);
        Self {
            horizontal,
            depth: choose(&[(3, 1), (5, 2), (2, 3)], dice),
            length: dice.random_range(3..=longest),
            aisle: choose(&[(5, 1), (4, 2), (3, 3), (1, 4), (1, 5)], dice),
            cross_aisle: choose(&[(4, 1), (4, 2), (3, 3), (1, 4), (1, 5)], dice),
            margin,
            staggered: dice.random_bool(0.2),
            missing: if dice.random_bool(0.5) {
                dice.random_range(0.0..=0.25)
            } else {
                0.0
            },
        }
    }

    fn put_up(&self, canvas: &mut Canvas, zone: Rect, dice: &mut Dice) {
        let (along, across) = extent(zone, self.horizontal);
        let ends = along.saturating_sub(self.margin);
        let mut row = self.margin;
        while row + self.depth + self.margin <= across {
            let mut at = self.margin;
            if self.staggered {
                // The row begins within a shelf or within a cross aisle.
                let shift = dice.random_range(0..self.length + self.cross_aisle);
                let first = self.length.saturating_sub(shift);
                self.shelf(canvas, zone, row, at..(at + first).min(ends), dice);
                at += self.length + self.cross_aisle - shift;
            }
            while at < ends {
                self.shelf(canvas, zone, row, at..(at + self.length).min(ends), dice);
                at += self.length + self.cross_aisle;
            }
            row += self.depth + self.aisle;
        }
    }

    /// Blocks one shelf, unless it is one of the missing.
    fn shelf(
        &self,
        canvas: &mut Canvas,
        zone: Rect,
        row: usize,
        span: std::ops::Range<usize>,
        dice: &mut Dice,
    ) {
        if !span.is_empty() && !dice.random_bool(self.missing) {
            let shelf = zone.part(self.horizontal, span.start, row, span.len(), self.depth);
            canvas.fill(shelf, true);
        }
    }
}
