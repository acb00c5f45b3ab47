//! Furniture of office rooms: rows of desks, pieces along the walls, pieces anywhere, pillars.

use rand::RngExt;

use super::canvas::{Canvas, Rect};
use super::{Dice, choose};

/// The smallest side of a furnished room, cells.
const SMALLEST_FURNISHED: usize = 5;

/// How the rooms of one building are furnished.
#[derive(Debug, Clone, Copy)]
pub(super) struct Furnishing {
    /// Share of rooms with furniture.
    share: f64,
    /// The shorter side of a desk, cells.
    piece: usize,
    /// Room between the rows of desks, cells.
    gap: usize,
}

impl Furnishing {
    /// For rooms that are `scale` times as large as small ones.
    pub fn draw(scale: f64, dice: &mut Dice) -> Self {
        let unit = (scale.round() as usize).max(1);
        Self {
            share: if dice.random_bool(0.75) {
                dice.random_range(0.3..=1.0)
            } else {
                0.0
            },
            piece: dice.random_range(1..=unit + 1),
            gap: dice.random_range(2..=2 + unit),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Style {
    Desks,
    Cupboards,
    Pieces,
    Pillars,
}

/// Puts furniture into a room, or leaves it empty.
pub(super) fn furnish(canvas: &mut Canvas, room: Rect, furnishing: &Furnishing, dice: &mut Dice) {
    if room.height.min(room.width) < SMALLEST_FURNISHED || !dice.random_bool(furnishing.share) {
        return;
    }
    let style = choose(
        &[
            (3, Style::Desks),
            (3, Style::Cupboards),
            (3, Style::Pieces),
            (1, Style::Pillars),
        ],
        dice,
    );
    let Furnishing { piece, gap, .. } = *furnishing;
    match style {
        Style::Desks => rows(canvas, room, (piece, 2 * piece), gap, 0.85, dice),
        Style::Cupboards => cupboards(canvas, room, piece, dice),
        Style::Pieces => pieces(canvas, room, piece, dice),
        Style::Pillars => rows(canvas, room, (1, 1), 2 * gap + 1, 1.0, dice),
    }
}

/// Pieces of one size in rows and columns, a share of them there, off the walls.
fn rows(
    canvas: &mut Canvas,
    room: Rect,
    size: (usize, usize),
    gap: usize,
    share: f64,
    dice: &mut Dice,
) {
    let ground = room.inset(gap.min(2));
    let (tall, wide) = if dice.random_bool(0.5) {
        size
    } else {
        (size.1, size.0)
    };
    for row in (0..ground.height).step_by(tall + gap) {
        for col in (0..ground.width).step_by(wide + gap) {
            let fits = row + tall <= ground.height && col + wide <= ground.width;
            if fits && dice.random_bool(share) {
                let piece = Rect::new(ground.row + row, ground.col + col, tall, wide);
                canvas.fill(piece, true);
            }
        }
    }
}

/// Pieces along the walls. Doors are cut after, and through them.
fn cupboards(canvas: &mut Canvas, room: Rect, piece: usize, dice: &mut Dice) {
    for _ in 0..dice.random_range(1..=4) {
        let horizontal = dice.random_bool(0.5);
        let (along, across) = if horizontal {
            (room.width, room.height)
        } else {
            (room.height, room.width)
        };
        let depth = piece.min(across / 4).max(1);
        let length = dice.random_range(1..=(along / 2).max(1));
        let at = dice.random_range(0..=along - length);
        let far = dice.random_bool(0.5);
        let from = if far { across - depth } else { 0 };
        canvas.fill(room.part(horizontal, at, from, length, depth), true);
    }
}

/// Tables and cases of any size up to twice a piece, off the walls.
fn pieces(canvas: &mut Canvas, room: Rect, piece: usize, dice: &mut Dice) {
    let ground = room.inset(1);
    let most = ground.area() / (12 * piece * piece);
    for _ in 0..dice.random_range(1..=1 + most) {
        let height = dice.random_range(1..=(2 * piece).min(ground.height));
        let width = dice.random_range(1..=(2 * piece).min(ground.width));
        let row = ground.row + dice.random_range(0..=ground.height - height);
        let col = ground.col + dice.random_range(0..=ground.width - width);
        canvas.fill(Rect::new(row, col, height, width), true);
    }
}
