//! Caves: noise smoothed by a cellular automaton, which leaves hollows of natural shape; small
//! hollows are filled in, most others are joined by the shortest tunnels ([`super::tunnels`]).

use rand::RngExt;

use super::canvas::Canvas;
use super::tunnels::join_hollows;
use super::{Dice, choose};

/// Share of cells that are rock at first. Under 0.42 islands are left in the open, from 0.48 on
/// winding passages in the rock.
const ROCK: std::ops::RangeInclusive<f64> = 0.38..=0.52;
/// A cave with a smaller share of free cells is drawn anew with less rock.
const LEAST_FREE: f64 = 0.25;

/// How a cave is hollowed out.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// Share of cells that are rock at first.
    rock: f64,
    /// Steps of the automaton.
    steps: usize,
    /// The noise has cells of `scale` x `scale` cells of the map.
    scale: usize,
    /// Beyond the border is rock; else the cave goes on there.
    walled: bool,
}

pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let shorter = height.min(width);
    let mut style = Style {
        // The larger of two draws: more passages than islands.
        rock: dice.random_range(ROCK).max(dice.random_range(ROCK)),
        steps: dice.random_range(2..=6),
        // Large caves come with passages of any width.
        scale: dice.random_range(1..=(shorter / 24).clamp(1, 4)),
        walled: shorter >= 12 && dice.random_bool(0.6),
    };
    let mut canvas = loop {
        let canvas = hollow_out(height, width, style, dice);
        let free = canvas.blocked().iter().filter(|&&blocked| !blocked);
        if free.count() as f64 >= LEAST_FREE * (height * width) as f64 || style.rock <= 0.0 {
            break canvas;
        }
        style.rock -= 0.05;
    };
    let smallest = choose(&[(1, 1), (2, 6), (1, 20)], dice) * style.scale * style.scale;
    let joined = if dice.random_bool(0.7) { 1.0 } else { 0.7 };
    join_hollows(&mut canvas, smallest, joined, dice);
    canvas
}

/// Coarse noise, smoothed, then brought to full detail with frayed edges and smoothed again.
fn hollow_out(height: usize, width: usize, style: Style, dice: &mut Dice) -> Canvas {
    let Style { scale, walled, .. } = style;
    let mut coarse = Canvas::new(height.div_ceil(scale), width.div_ceil(scale), false);
    let threshold = (style.rock.max(0.0) * f64::from(u32::MAX)) as u32;
    for blocked in coarse.blocked_mut() {
        *blocked = dice.random::<u32>() < threshold;
    }
    for _ in 0..style.steps {
        smooth(&mut coarse, walled);
    }
    if scale == 1 {
        return coarse;
    }
    let mut canvas = enlarge(&coarse, scale, height, width, dice);
    for _ in 0..=scale {
        smooth(&mut canvas, walled);
    }
    canvas
}

/// Each cell becomes like a random one up to half a coarse cell away, which frays the edges.
fn enlarge(coarse: &Canvas, scale: usize, height: usize, width: usize, dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(height, width, false);
    let (last_row, last_col) = (coarse.height() as u32 - 1, coarse.width() as u32 - 1);
    let scale = scale as u32;
    for (row, cells) in (0..).zip(canvas.blocked_mut().chunks_mut(width)) {
        for (col, blocked) in (0..).zip(cells) {
            // One draw makes both shifts, each `0..scale`.
            let noise = dice.random::<u32>();
            let (up, right) = ((noise >> 16) * scale, (noise & 0xffff) * scale);
            let source = |cell: u32, shift: u32| (cell + (shift >> 16)).saturating_sub(scale / 2);
            let row = (source(row, up) / scale).min(last_row) as usize;
            let col = (source(col, right) / scale).min(last_col) as usize;
            *blocked = coarse.blocked()[row * coarse.width() + col];
        }
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
        for (blocked, ((below, here), above)) in
            cells.iter_mut().zip(below.iter().zip(here).zip(above))
        {
            *blocked = below + here + above >= 5;
        }
    }
}
