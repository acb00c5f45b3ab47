//! Drone slices: a horizontal cut through a scene of trees, poles and buildings.
//!
//! The scene is drawn in three dimensions, lengths in cells: a tree is a trunk with a round crown,
//! a pole is thin and tall, a building is a prism over a polygon. Cut low, woods are small dots, cut
//! through the crowns they are ragged blobs of all sizes, and above them only tall things are left.

use std::f64::consts::{PI, TAU};

use rand::RngExt;

use super::canvas::Canvas;
use super::{Dice, choose};

/// The side of a map on which things have their own size, cells.
const REFERENCE_SIDE: f64 = 48.0;
/// The largest factor by which things on large maps are larger.
const LARGEST_SCALE: f64 = 4.0;
/// Things are put up until they cover this share of the map, overlaps counted twice.
const COVERED: std::ops::RangeInclusive<f64> = 0.04..=0.40;
/// A thing takes up at least so many cells of that share: the smallest trunk, and room around it.
const LEAST_TAKEN: f64 = 6.0;

/// What a scene is made of; lengths in cells.
#[derive(Debug, Clone, Copy)]
struct Scene {
    /// How large trees and poles are.
    scale: f64,
    /// The height of the cut.
    cut: f64,
    /// Weights of trees, poles and buildings.
    weights: [(u32, Thing); 3],
    /// The longest half side of a building.
    building: f64,
    /// The probability that a thing stands near the one before: groves and rows of poles.
    grouped: f64,
    /// The share of a crown's cells near its rim that have gaps.
    ragged: f64,
}

#[derive(Debug, Clone, Copy)]
enum Thing {
    Tree,
    Pole,
    Building,
}

impl Scene {
    fn draw(height: usize, width: usize, dice: &mut Dice) -> Self {
        let shorter = height.min(width) as f64;
        let largest = (shorter / REFERENCE_SIDE).clamp(1.0, LARGEST_SCALE);
        let scale = largest.powf(dice.random_range(0.0..=1.0));
        let trees_poles_buildings = choose(
            &[
                (4, [12, 4, 1]),
                (2, [20, 1, 0]),
                (2, [3, 10, 1]),
                (2, [4, 3, 4]),
            ],
            dice,
        );
        let things = [Thing::Tree, Thing::Pole, Thing::Building];
        let mut weights = [(0, Thing::Tree); 3];
        for (weighted, (weight, thing)) in weights
            .iter_mut()
            .zip(trees_poles_buildings.into_iter().zip(things))
        {
            *weighted = (weight, thing);
        }
        Self {
            scale,
            cut: scale * dice.random_range(1.0..=16.0),
            weights,
            building: (scale * dice.random_range(4.0..=14.0)).min(shorter / 4.0),
            grouped: dice.random_range(0.0..=0.8),
            ragged: dice.random_range(0.0..=0.6),
        }
    }
}

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let scene = Scene::draw(height, width, dice);
    let mut canvas = Canvas::new(height, width, false);
    let mut left = dice.random_range(COVERED) * (height * width) as f64;
    let mut place = anywhere(&canvas, dice);
    while left > 0.0 {
        place = if dice.random_bool(scene.grouped) {
            let away = scene.scale * dice.random_range(3.0..=14.0);
            let (sin, cos) = dice.random_range(0.0..TAU).sin_cos();
            // Groups that walk off the map come in again on the other side.
            (
                (place.0 + away * sin).rem_euclid(height as f64),
                (place.1 + away * cos).rem_euclid(width as f64),
            )
        } else {
            anywhere(&canvas, dice)
        };
        let taken = match choose(&scene.weights, dice) {
            Thing::Tree => tree(&mut canvas, place, &scene, dice),
            Thing::Pole => pole(&mut canvas, place, &scene, dice),
            Thing::Building => building(&mut canvas, place, &scene, dice),
        };
        left -= taken.max(LEAST_TAKEN * scene.scale);
    }
    canvas
}

/// A point of the canvas, (row, column).
fn anywhere(canvas: &Canvas, dice: &mut Dice) -> (f64, f64) {
    let row = dice.random_range(0.0..canvas.height() as f64);
    (row, dice.random_range(0.0..canvas.width() as f64))
}

/// Cuts a tree; returns how many cells that blocks.
fn tree(canvas: &mut Canvas, place: (f64, f64), scene: &Scene, dice: &mut Dice) -> f64 {
    let crown = scene.scale * dice.random_range(1.5..=5.0);
    let trunk = crown * dice.random_range(0.12..=0.3);
    let middle = crown + scene.scale * dice.random_range(1.0..=9.0);
    let off_middle = (scene.cut - middle).abs();
    if off_middle < crown {
        let radius = (crown * crown - off_middle * off_middle).sqrt();
        return crown_disc(canvas, place, radius.max(trunk), scene.ragged, dice);
    }
    if scene.cut > middle {
        return 0.0;
    }
    disc(canvas, place, trunk.max(0.5))
}

/// Cuts a pole; returns how many cells that blocks.
fn pole(canvas: &mut Canvas, place: (f64, f64), scene: &Scene, dice: &mut Dice) -> f64 {
    let height = scene.scale * dice.random_range(6.0..=24.0);
    let radius = scene.scale * dice.random_range(0.3..=0.8);
    if scene.cut > height {
        return 0.0;
    }
    disc(canvas, place, radius.max(0.5))
}

/// Cuts a building, a rectangle, an L or a polygon; returns how many cells that blocks.
fn building(canvas: &mut Canvas, place: (f64, f64), scene: &Scene, dice: &mut Dice) -> f64 {
    let height = scene.scale * dice.random_range(3.0..=30.0);
    if scene.cut > height || scene.building < 2.0 {
        return 0.0;
    }
    let turn = dice.random_range(0.0..TAU);
    let mut half_side = || scene.building * dice.random_range(0.35..=1.0);
    let (a, b) = (half_side(), half_side());
    let corners: Vec<(f64, f64)> = match choose(&[(4, 4), (2, 6), (2, 0)], dice) {
        4 => vec![(-a, -b), (a, -b), (a, b), (-a, b)],
        6 => {
            let (c, d) = (
                a * dice.random_range(-0.4..=0.4),
                b * dice.random_range(-0.4..=0.4),
            );
            vec![(-a, -b), (a, -b), (a, d), (c, d), (c, b), (-a, b)]
        }
        _ => {
            let corners = dice.random_range(5..=8);
            (0..corners)
                .map(|corner| {
                    let angle = TAU * f64::from(corner) / f64::from(corners);
                    (a * angle.cos(), b * angle.sin())
                })
                .collect()
        }
    };
    let (sin, cos) = turn.sin_cos();
    let corners: Vec<(f64, f64)> = corners
        .into_iter()
        .map(|(x, y)| (place.0 + x * sin + y * cos, place.1 + x * cos - y * sin))
        .collect();
    polygon(canvas, &corners)
}

/// The rows of the canvas whose centres lie between two heights.
fn rows(canvas: &Canvas, low: f64, high: f64) -> std::ops::Range<usize> {
    let first = (low - 0.5).ceil().max(0.0) as usize;
    let end = ((high - 0.5).floor() + 1.0).max(0.0) as usize;
    first..end.min(canvas.height())
}

/// Blocks the cells of a row whose centres lie between two columns.
fn span(canvas: &mut Canvas, row: usize, from: f64, to: f64) {
    let width = canvas.width();
    let first = (from - 0.5).ceil().max(0.0) as usize;
    let end = (((to - 0.5).floor() + 1.0).max(0.0) as usize).min(width);
    if first < end {
        canvas.blocked_mut()[row * width..][first..end].fill(true);
    }
}

/// Blocks a disc, at least the cell of its centre; returns its area.
fn disc(canvas: &mut Canvas, (row, col): (f64, f64), radius: f64) -> f64 {
    span_at(canvas, row, col);
    for line in rows(canvas, row - radius, row + radius) {
        let off = line as f64 + 0.5 - row;
        let half = (radius * radius - off * off).max(0.0).sqrt();
        span(canvas, line, col - half, col + half);
    }
    PI * radius * radius
}

/// Blocks the cell at a point.
fn span_at(canvas: &mut Canvas, row: f64, col: f64) {
    if row >= 0.0 && (row as usize) < canvas.height() {
        span(canvas, row as usize, col.floor(), col.floor() + 1.0);
    }
}

/// Blocks a disc with a bumpy rim and gaps in its outer half; returns its area.
fn crown_disc(
    canvas: &mut Canvas,
    place: (f64, f64),
    radius: f64,
    ragged: f64,
    dice: &mut Dice,
) -> f64 {
    let (row, col) = place;
    span_at(canvas, row, col);
    let width = canvas.width();
    // Two waves around the rim; crowns are no circles.
    let (two, three) = (dice.random_range(0.0..TAU), dice.random_range(0.0..TAU));
    let gaps = ragged * f64::from(u32::MAX);
    for line in rows(canvas, row - 1.3 * radius, row + 1.3 * radius) {
        let up = line as f64 + 0.5 - row;
        let first = (col - 1.3 * radius).max(0.0) as usize;
        let end = ((col + 1.3 * radius).max(0.0) as usize + 1).min(width);
        for at in first..end {
            let right = at as f64 + 0.5 - col;
            let distance = up.hypot(right);
            let angle = up.atan2(right);
            let rim = 1.0 + 0.15 * (2.0 * angle + two).sin() + 0.12 * (3.0 * angle + three).sin();
            // From 0 at two thirds of the radius to 1 at the rim.
            let outer = (3.0 * distance / (radius * rim) - 2.0).max(0.0);
            if outer <= 1.0 && f64::from(dice.random::<u32>()) >= gaps * outer {
                canvas.blocked_mut()[line * width + at] = true;
            }
        }
    }
    PI * radius * radius
}

/// Blocks the cells with their centres in a polygon, given by its corners in order, (row, column);
/// returns its area.
fn polygon(canvas: &mut Canvas, corners: &[(f64, f64)]) -> f64 {
    let heights = || corners.iter().map(|corner| corner.0);
    let low = heights().fold(f64::INFINITY, f64::min);
    let high = heights().fold(f64::NEG_INFINITY, f64::max);
    let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
    let mut crossings = Vec::new();
    for line in rows(canvas, low, high) {
        let height = line as f64 + 0.5;
        crossings.clear();
        crossings.extend(
            edges()
                .filter(|(a, b)| (a.0 <= height) != (b.0 <= height))
                .map(|(a, b)| a.1 + (b.1 - a.1) * (height - a.0) / (b.0 - a.0)),
        );
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            span(canvas, line, pair[0], pair[1]);
        }
    }
    // The shoelace formula.
    edges()
        .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
        .sum::<f64>()
        .abs()
        / 2.0
}
