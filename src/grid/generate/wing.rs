//! A block of a floor with a corridor along one of its sides, and places in it counted from there:
//! along the corridor, and in depth away from it.

use super::canvas::Rect;

/// A side of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Row 0's.
    Below,
    Above,
    /// Column 0's.
    Left,
    Right,
}

/// A block of cells that faces a corridor, one wall away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wing {
    block: Rect,
    side: Side,
}

impl Wing {
    pub fn new(block: Rect, side: Side) -> Self {
        Self { block, side }
    }

    /// What a hall across a whole block leaves on either side of it, one wall away; the hall lies
    /// along x if `horizontal`. Nothing where nothing is left.
    pub fn beside(block: Rect, hall: Rect, horizontal: bool, wall: usize) -> Vec<Self> {
        let (first, length, width, all) = if horizontal {
            (hall.row - block.row, block.width, hall.height, block.height)
        } else {
            (hall.col - block.col, block.height, hall.width, block.width)
        };
        let behind = first + width + wall;
        let (before_side, behind_side) = if horizontal {
            (Side::Above, Side::Below)
        } else {
            (Side::Right, Side::Left)
        };
        let before = block.part(horizontal, 0, 0, length, first.saturating_sub(wall));
        let after = block.part(horizontal, 0, behind, length, all.saturating_sub(behind));
        [
            Self::new(before, before_side),
            Self::new(after, behind_side),
        ]
        .into_iter()
        .filter(|wing| wing.block.area() > 0)
        .collect()
    }

    pub fn block(&self) -> Rect {
        self.block
    }

    /// Whether the corridor lies along x.
    pub fn is_horizontal(&self) -> bool {
        matches!(self.side, Side::Below | Side::Above)
    }

    /// Cells along the corridor.
    pub fn length(&self) -> usize {
        if self.is_horizontal() {
            self.block.width
        } else {
            self.block.height
        }
    }

    /// Cells away from the corridor.
    pub fn depth(&self) -> usize {
        if self.is_horizontal() {
            self.block.height
        } else {
            self.block.width
        }
    }

    /// The same block as seen from the opposite side.
    pub fn facing_back(&self) -> Self {
        let side = match self.side {
            Side::Below => Side::Above,
            Side::Above => Side::Below,
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        };
        Self::new(self.block, side)
    }

    /// A part of the wing that begins `along` the corridor and `from` cells away from it.
    pub fn part(&self, along: usize, from: usize, length: usize, depth: usize) -> Rect {
        let across = match self.side {
            Side::Below | Side::Left => from,
            Side::Above | Side::Right => self.depth() - from - depth,
        };
        let horizontal = self.is_horizontal();
        self.block.part(horizontal, along, across, length, depth)
    }

    /// `thickness` cells beyond the wing on the side of its corridor; at the canvas's border, those
    /// that are there.
    pub fn wall_to_corridor(&self, along: usize, length: usize, thickness: usize) -> Rect {
        let Rect {
            row,
            col,
            height,
            width,
        } = self.block;
        match self.side {
            Side::Below => {
                let first = row.saturating_sub(thickness);
                Rect::new(first, col + along, row - first, length)
            }
            Side::Above => Rect::new(row + height, col + along, thickness, length),
            Side::Left => {
                let first = col.saturating_sub(thickness);
                Rect::new(row + along, first, length, col - first)
            }
            Side::Right => Rect::new(row + along, col + width, length, thickness),
        }
    }

    /// As [`Wing::wall_to_corridor`], on the side away from the corridor; `None` if the canvas ends
    /// before.
    pub fn wall_behind(&self, along: usize, length: usize, thickness: usize) -> Option<Rect> {
        let stretch = self
            .facing_back()
            .wall_to_corridor(along, length, thickness);
        let deep = if self.is_horizontal() {
            stretch.height
        } else {
            stretch.width
        };
        (deep == thickness).then_some(stretch)
    }

    /// Of a stretch of wall behind the wing, the cells farthest from the wing.
    pub fn far_edge(&self, stretch: Rect) -> Rect {
        let Rect {
            row,
            col,
            height,
            width,
        } = stretch;
        match self.side {
            Side::Below => Rect::new(row + height.saturating_sub(1), col, 1, width),
            Side::Above => Rect::new(row, col, 1, width),
            Side::Left => Rect::new(row, col + width.saturating_sub(1), height, 1),
            Side::Right => Rect::new(row, col, height, 1),
        }
    }
}
