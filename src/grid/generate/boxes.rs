//! Boxes in the open: rectangles, thin walls at any angle and corners, which may overlap.

use std::f64::consts::PI;

use rand::RngExt;

use super::canvas::{Canvas, Rect};
use super::{Dice, choose};

/// Obstacles on a map of [`REFERENCE_SIDE`] cells square.
const COUNT: std::ops::RangeInclusive<f64> = 3.0..=40.0;
/// The side of a map on which obstacles have their own size, cells.
const REFERENCE_SIDE: f64 = 40.0;
/// No more obstacles are drawn when they take up this share of the map, overlaps counted twice.
const MAX_TAKEN: f64 = 0.6;
/// A thin wall takes up this share of the square over its length, if that is more than its cells.
/// Walls begin to enclose whole
/// regions when these squares cover the map about 5.6 times (percolation of sticks, Li and Zhang
/// 2009); the limit above stops at three.
const WALL_SHARE: f64 = 0.2;

#[derive(Debug, Clone, Copy)]
enum Shape {
    Rectangle,
    Wall,
    Corner,
}

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(height, width, false);
    // Large maps come with many small obstacles, with few large ones, and in between.
    let map_scale = ((height * width) as f64).sqrt() / REFERENCE_SIDE;
    let scale = map_scale.powf(dice.random_range(0.0..=1.0));
    let count = dice.random_range(COUNT) * (map_scale / scale).powi(2);
    let longest = scale * dice.random_range(4.0..=16.0);
    let longest = longest.min(height.min(width) as f64 * 0.6).max(2.0);
    let shapes = choose(
        &[
            (4, &[(1, Shape::Rectangle)][..]),
            (
                3,
                &[(6, Shape::Rectangle), (2, Shape::Wall), (2, Shape::Corner)],
            ),
            (2, &[(1, Shape::Wall), (1, Shape::Corner)]),
            (1, &[(1, Shape::Wall)]),
        ],
        dice,
    );
    let slanted = dice.random_bool(0.5);
    let mut taken = 0.0;
    for _ in 0..count.round().max(1.0) as usize {
        if taken > MAX_TAKEN * (height * width) as f64 {
            break;
        }
        taken += match choose(shapes, dice) {
            Shape::Rectangle => rectangle(&mut canvas, longest, dice),
            Shape::Wall => wall(&mut canvas, longest, slanted, dice),
            Shape::Corner => corner(&mut canvas, longest, dice),
        };
    }
    canvas
}

/// Blocks a rectangle with sides up to `longest`; returns how many cells it takes up.
fn rectangle(canvas: &mut Canvas, longest: f64, dice: &mut Dice) -> f64 {
    let height = dice.random_range(1.0..=longest) as usize;
    let width = dice.random_range(1.0..=longest) as usize;
    // Anywhere, also partly beyond the border.
    let row = dice.random_range(0..canvas.height() + height - 1);
    let col = dice.random_range(0..canvas.width() + width - 1);
    let (below, left) = (
        (height - 1).saturating_sub(row),
        (width - 1).saturating_sub(col),
    );
    let rect = Rect::new(
        (row + 1).saturating_sub(height),
        (col + 1).saturating_sub(width),
        height - below,
        width - left,
    );
    canvas.fill(rect, true);
    rect.area() as f64
}

/// Blocks a thin wall, straight or at any angle; returns how many cells it takes up.
fn wall(canvas: &mut Canvas, longest: f64, slanted: bool, dice: &mut Dice) -> f64 {
    let length = 1.5 * dice.random_range(longest / 3.0..=longest);
    let angle = if slanted {
        dice.random_range(0.0..PI)
    } else {
        f64::from(dice.random_range(0..2)) * PI / 2.0
    };
    let thickness = choose(&[(3, 1), (1, 2)], dice);
    let row = dice.random_range(0.0..canvas.height() as f64);
    let col = dice.random_range(0.0..canvas.width() as f64);
    let (dr, dc) = (length / 2.0 * angle.sin(), length / 2.0 * angle.cos());
    canvas.line((row - dr, col - dc), (row + dr, col + dc), thickness);
    taken_by_wall(length, thickness)
}

/// Blocks two walls that meet at a right angle; returns how many cells they take up.
fn corner(canvas: &mut Canvas, longest: f64, dice: &mut Dice) -> f64 {
    let thickness = choose(&[(2, 1), (1, 2)], dice);
    let row = dice.random_range(0.0..canvas.height() as f64);
    let col = dice.random_range(0.0..canvas.width() as f64);
    let mut arm = || {
        let length = dice.random_range(longest / 3.0..=longest);
        if dice.random_bool(0.5) {
            length
        } else {
            -length
        }
    };
    let (dr, dc) = (arm(), arm());
    canvas.line((row, col), (row + dr, col), thickness);
    canvas.line((row, col), (row, col + dc), thickness);
    taken_by_wall(dr.abs(), thickness) + taken_by_wall(dc.abs(), thickness)
}

fn taken_by_wall(length: f64, thickness: usize) -> f64 {
    length * (WALL_SHARE * length).max(thickness as f64)
}
