//! Caves: noise smoothed by a cellular automaton, which leaves hollows of natural shape; small
//! hollows are filled in, most others are joined by the shortest tunnels ([`super::tunnels`]).

use rand::RngExt;

use super::canvas::Canvas;
use super::tunnels::join_hollows;
use super::{Dice, choose};

/// Share of cells that are rock at first.
const ROCK: std::ops::RangeInclusive<f64> = 0.38..=0.48;
/// A cave with a smaller share of free cells is drawn anew with less rock.
const LEAST_FREE: f64 = 0.25;

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let mut rock = dice.random_range(ROCK);
    let steps = dice.random_range(2..=6);
    // Large caves come with passages of any width.
    let widest = (height.min(width) / 24).clamp(1, 4);
    let scale = dice.random_range(1..=widest);
    // Beyond the border is rock, or nothing: then the cave goes on there.
    let walled = height.min(width) >= 12 && dice.random_bool(0.6);
    let mut canvas = loop {
        let canvas = hollow_out(height, width, scale, rock, steps, walled, dice);
        let free = canvas.blocked().iter().filter(|&&blocked| !blocked).count();
        if free as f64 >= LEAST_FREE * (height * width) as f64 || rock <= 0.0 {
            break canvas;
        }
        rock -= 0.05;
    };
    let smallest = choose(&[(1, 1), (2, 6), (1, 20)], dice) * scale * scale;
    let joined = if dice.random_bool(0.7) { 1.0 } else { 0.7 };
    join_hollows(&mut canvas, smallest, joined, dice);
    canvas
}

/// Noise of cells of `scale` x `scale`, smoothed `steps` times, then once more in full detail for
/// every doubling of the scale.
fn hollow_out(
    height: usize,
    width: usize,
    scale: usize,
    rock: f64,
    steps: usize,
    walled: bool,
    dice: &mut Dice,
) -> Canvas {
    let mut coarse = Canvas::new(height.div_ceil(scale), width.div_ceil(scale), false);
    let threshold = (rock.max(0.0) * f64::from(u32::MAX)) as u32;
    for blocked in coarse.blocked_mut() {
        *blocked = dice.random::<u32>() < threshold;
    }
    for _ in 0..steps {
        smooth(&mut coarse, walled);
    }
    if scale == 1 {
        return coarse;
    }
    let mut canvas = Canvas::new(height, width, false);
    for (row, cells) in canvas.blocked_mut().chunks_mut(width).enumerate() {
        let source = &coarse.blocked()[row / scale * width.div_ceil(scale)..];
        for (col, blocked) in cells.iter_mut().enumerate() {
            *blocked = source[col / scale];
        }
    }
    for _ in 1..scale {
        smooth(&mut canvas, walled);
    }
    canvas
}

/// One step of the automaton: a cell becomes what most of the nine cells around it are.
fn smooth(canvas: &mut Canvas, walled: bool) {
    let (height, width) = (canvas.height(), canvas.width());
    let beyond = if walled { 3_u8 } else { 1 };
    // For each cell, how many of it and its side neighbours are blocked, with the border beyond.
    let mut sums = vec![beyond; (height + 2) * width];
    let edge = u8::from(walled);
    for (cells, sums) in canvas
        .blocked()
        .chunks(width)
        .zip(sums[width..].chunks_mut(width))
    {
        sums[0] = edge + u8::from(cells[0]) + u8::from(cells[1]);
        sums[width - 1] = u8::from(cells[width - 2]) + u8::from(cells[width - 1]) + edge;
        for (sum, around) in sums[1..width - 1].iter_mut().zip(cells.windows(3)) {
            *sum = u8::from(around[0]) + u8::from(around[1]) + u8::from(around[2]);
        }
    }
    for (row, cells) in canvas.blocked_mut().chunks_mut(width).enumerate() {
        let below = &sums[row * width..][..width];
        let here = &sums[(row + 1) * width..][..width];
        let above = &sums[(row + 2) * width..][..width];
        for (col, blocked) in cells.iter_mut().enumerate() {
            *blocked = below[col] + here[col] + above[col] >= 5;
        }
    }
}
