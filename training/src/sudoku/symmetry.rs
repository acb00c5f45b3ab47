//! The symmetries of Sudoku: ways to write the same puzzle differently, as the published data set
//! multiplies its boards (sapientinc/HRM, `dataset/build_sudoku_dataset.py`).

use super::board::{Board, CELLS, SIDE};
use rand::Rng;
use rand::RngExt;
use rand::seq::SliceRandom;

/// Digits relabelled, bands and stacks moved, rows moved within bands and columns within stacks,
/// and perhaps the board transposed before: 2 x 9! x (3!)^8 = 1.2e12 ways.
///
/// A symmetry keeps whatever the rules of Sudoku see: a legal board stays legal, and the solutions
/// of a board go over into those of its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symmetry {
    /// What becomes of each digit; a blank stays one.
    digits: [u8; SIDE + 1],
    /// Where each cell of the image comes from.
    sources: [usize; CELLS],
}

impl Symmetry {
    /// One of all symmetries, each as likely as any other.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let mut digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        digits[1..].shuffle(rng);
        let transpose = rng.random::<bool>();
        let (rows, columns) = (lines(rng), lines(rng));
        let mut sources = [0; CELLS];
        for (cell, source) in sources.iter_mut().enumerate() {
            let (row, column) = (rows[cell / SIDE], columns[cell % SIDE]);
            *source = if transpose {
                column * SIDE + row
            } else {
                row * SIDE + column
            };
        }
        Self { digits, sources }
    }

    /// The image of a board. A puzzle and its solution need the same symmetry.
    pub fn apply(&self, board: &Board) -> Board {
        let image = |source: usize| self.digits[usize::from(board.cells()[source])];
        Board::of(self.sources.map(image))
    }
}

/// Nine rows or columns in an order that keeps threes together.
fn lines(rng: &mut impl Rng) -> [usize; SIDE] {
    let mut bands = [0, 1, 2];
    bands.shuffle(rng);
    let mut lines = [0; SIDE];
    for (place, band) in lines.chunks_exact_mut(3).zip(bands) {
        let mut within = [0, 1, 2];
        within.shuffle(rng);
        for (line, offset) in place.iter_mut().zip(within) {
            *line = 3 * band + offset;
        }
    }
    lines
}
