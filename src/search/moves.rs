//! Which moves are legal, for all eight at once: what
//! [`Costmap::legal_move`] says, as one byte per cell.

use crate::grid::{Cell, Cost, Costmap, Move, Moves};

/// Legal moves from which of the eight neighbours are traversable (bit i = neighbour of move i).
///
/// A diagonal needs both its side cells, and in the numbering of [`Move`] these are the neighbours
/// one before and one after: three rotations decide all four diagonals.
#[inline]
pub(super) const fn legal_from_traversable(traversable: u8) -> u8 {
    traversable & (Moves::Four.set() | (traversable.rotate_left(1) & traversable.rotate_right(1)))
}

/// The legal moves from `cell` (bit i = move i). The cost of `cell` itself does not matter.
#[inline]
pub(super) fn legal_moves(map: &Costmap, cell: Cell, allow_unknown: bool) -> u8 {
    legal_from_traversable(traversable_neighbours(map, cell, allow_unknown))
}

/// Which neighbours of `cell` are traversable (bit i = neighbour of move i).
#[inline]
pub(super) fn traversable_neighbours(map: &Costmap, cell: Cell, allow_unknown: bool) -> u8 {
    let geometry = map.geometry();
    let (width, height) = (geometry.width(), geometry.height());
    let mut traversable = 0;
    if cell.row > 0 && cell.col > 0 && cell.row + 1 < height && cell.col + 1 < width {
        // Away from the border three slices of three costs replace eight bounds checks.
        let row = |row: usize| -> Option<&[Cost; 3]> {
            let first = row * width + cell.col - 1;
            map.costs().get(first..)?.first_chunk()
        };
        if let (Some(below), Some(level), Some(above)) =
            (row(cell.row - 1), row(cell.row), row(cell.row + 1))
        {
            let bit = |cost: Cost, index: u8| (cost.is_traversable(allow_unknown) as u8) << index;
            traversable = bit(level[2], 0)
                | bit(above[2], 1)
                | bit(above[1], 2)
                | bit(above[0], 3)
                | bit(level[0], 4)
                | bit(below[0], 5)
                | bit(below[1], 6)
                | bit(below[2], 7);
        }
    } else {
        for mv in Move::ALL {
            if let Some(target) = geometry.neighbour(cell, mv) {
                let free = map.cost(target).is_traversable(allow_unknown);
                traversable |= (free as u8) << mv.index();
            }
        }
    }
    traversable
}

/// The legal moves between traversable cells of a whole map; a buffer to be refilled.
#[derive(Debug, Default)]
pub(super) struct LegalMoves {
    /// Row-major, bit i = move i, 0 for blocked cells.
    pub(super) of_cell: Vec<u8>,
    /// The rows below, at and above the one at work: all ones where traversable, with a blocked
    /// cell at either end.
    rows: [Vec<u8>; 3],
}

impl LegalMoves {
    /// Fills in the legal moves of a map.
    ///
    /// Works on rows of bytes without branches, which the compiler turns into vector instructions.
    pub(super) fn update(&mut self, map: &Costmap, allow_unknown: bool) {
        let width = map.geometry().width();
        self.of_cell.clear();
        self.of_cell.resize(map.geometry().cells(), 0);
        for row in &mut self.rows {
            row.clear();
            row.resize(width + 2, 0);
        }
        let mut ahead = map.costs().chunks_exact(width);
        load_row(ahead.next(), allow_unknown, &mut self.rows[2]);
        for legal in self.of_cell.chunks_exact_mut(width) {
            self.rows.rotate_left(1);
            load_row(ahead.next(), allow_unknown, &mut self.rows[2]);
            let [below, level, above] = &self.rows;
            for (col, legal) in legal.iter_mut().enumerate() {
                let traversable = (level[col + 2] & 1)
                    | (above[col + 2] & 1 << 1)
                    | (above[col + 1] & 1 << 2)
                    | (above[col] & 1 << 3)
                    | (level[col] & 1 << 4)
                    | (below[col] & 1 << 5)
                    | (below[col + 1] & 1 << 6)
                    | (below[col + 2] & 1 << 7);
                *legal = legal_from_traversable(traversable) & level[col + 1];
            }
        }
    }
}

/// Writes which cells of a row are traversable between the two blocked ends; past the top of the
/// map none is.
fn load_row(costs: Option<&[Cost]>, allow_unknown: bool, row: &mut [u8]) {
    row.fill(0);
    for (byte, cost) in row[1..].iter_mut().zip(costs.unwrap_or_default()) {
        *byte = 0u8.wrapping_sub(cost.is_traversable(allow_unknown) as u8);
    }
}

/// What each move adds to a row-major index of a grid of this width.
pub(super) fn index_steps(width: usize) -> [isize; 8] {
    Move::ALL.map(|mv| {
        let (rows, cols) = mv.step();
        rows * width as isize + cols
    })
}
