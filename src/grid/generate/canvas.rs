//! The drawing board of the generators: a grid of free and blocked cells, and the strokes they
//! share. Strokes that leave the canvas are clipped. Becomes a [`Costmap`] of free and lethal cells.

use rand::RngExt;

use super::Dice;
use crate::grid::{Cost, Costmap, Geometry};

/// A block of cells: rows `row..row + height`, columns `col..col + width`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub row: usize,
    pub col: usize,
    pub height: usize,
    pub width: usize,
}

impl Rect {
    pub const fn new(row: usize, col: usize, height: usize, width: usize) -> Self {
        Self {
            row,
            col,
            height,
            width,
        }
    }

    pub const fn area(&self) -> usize {
        self.height * self.width
    }

    /// The block without its outermost `margin` cells; empty where nothing is left.
    pub const fn inset(&self, margin: usize) -> Self {
        Self {
            row: self.row + margin,
            col: self.col + margin,
            height: self.height.saturating_sub(2 * margin),
            width: self.width.saturating_sub(2 * margin),
        }
    }

    /// A block given along a lane and across it, as the rows and columns of this block: what is
    /// drawn once lies along x if `horizontal`, along y otherwise. Lengths in cells.
    pub const fn part(
        &self,
        horizontal: bool,
        along: usize,
        across: usize,
        length: usize,
        depth: usize,
    ) -> Self {
        if horizontal {
            Self::new(self.row + across, self.col + along, depth, length)
        } else {
            Self::new(self.row + along, self.col + across, length, depth)
        }
    }
}

/// Free and blocked cells, row-major.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    height: usize,
    width: usize,
    blocked: Vec<bool>,
}

impl Canvas {
    /// All cells blocked, or none. Both sides are at least 2.
    pub fn new(height: usize, width: usize, blocked: bool) -> Self {
        Self {
            height,
            width,
            blocked: vec![blocked; height * width],
        }
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// The whole canvas as a block.
    pub fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.height, self.width)
    }

    pub fn blocked(&self) -> &[bool] {
        &self.blocked
    }

    pub fn blocked_mut(&mut self) -> &mut [bool] {
        &mut self.blocked
    }

    /// Sets every cell of a block.
    pub fn fill(&mut self, rect: Rect, blocked: bool) {
        let rows = rect.row.min(self.height)..(rect.row + rect.height).min(self.height);
        let cols = rect.col.min(self.width)..(rect.col + rect.width).min(self.width);
        for row in rows {
            self.blocked[row * self.width..][cols.clone()].fill(blocked);
        }
    }

    /// Blocks the canvas's own border, `thickness` cells deep.
    pub fn wall_in(&mut self, thickness: usize) {
        let (height, width) = (self.height, self.width);
        self.fill(Rect::new(0, 0, thickness, width), true);
        self.fill(
            Rect::new(height.saturating_sub(thickness), 0, thickness, width),
            true,
        );
        self.fill(Rect::new(0, 0, height, thickness), true);
        self.fill(
            Rect::new(0, width.saturating_sub(thickness), height, thickness),
            true,
        );
    }

    /// Blocks a straight line between two points, each (row, column), with a square pen of
    /// `thickness` cells. No move passes through it: neighbouring cells of it touch at least by
    /// a corner, and corners are not cut.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), thickness: usize) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil();
        for step in 0..=steps as usize {
            let t = step as f64 / steps.max(1.0);
            let row = (from.0 + t * (to.0 - from.0)).round();
            let col = (from.1 + t * (to.1 - from.1)).round();
            if row >= 0.0 && col >= 0.0 {
                self.fill(
                    Rect::new(row as usize, col as usize, thickness, thickness),
                    true,
                );
            }
        }
    }

    /// Frees a small block if no two free cells are neighbours, so that every map has a plan.
    pub fn ensure_a_move(&mut self, dice: &mut Dice) {
        let beside = |row: &[bool]| row.windows(2).any(|pair| !pair[0] && !pair[1]);
        let above = |low: &[bool], high: &[bool]| low.iter().zip(high).any(|(a, b)| !a && !b);
        let has_move = self.blocked.chunks(self.width).any(beside)
            || self
                .blocked
                .chunks(self.width)
                .zip(self.blocked[self.width..].chunks(self.width))
                .any(|(low, high)| above(low, high));
        if !has_move {
            let row = dice.random_range(0..self.height / 2);
            let col = dice.random_range(0..self.width / 2);
            let (height, width) = (self.height.div_ceil(2), self.width.div_ceil(2));
            self.fill(Rect::new(row, col, height, width), false);
        }
    }

    /// The map: unit geometry, free or lethal.
    pub fn into_costmap(self) -> Costmap {
        let cost = |blocked| if blocked { Cost::LETHAL } else { Cost::FREE };
        let costs = self.blocked.into_iter().map(cost).collect();
        unit_costmap(self.height, self.width, costs)
    }
}

/// A map of unit geometry; sides within [`super::SIDES`], one cost per cell.
pub(super) fn unit_costmap(height: usize, width: usize, costs: Vec<Cost>) -> Costmap {
    Geometry::unit(width, height)
        .and_then(|geometry| Costmap::new(geometry, costs))
        .expect("sides within SIDES make a valid grid with one cost per cell")
}
