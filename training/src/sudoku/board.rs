//! A 9 x 9 board: digits and blanks, legal or not.

use crate::{Error, Result};
use std::fmt::{self, Display};
use std::str::FromStr;

/// Rows, columns, boxes and digits of a board.
pub const SIDE: usize = 9;
/// Cells of a board.
pub const CELLS: usize = SIDE * SIDE;

/// A board of 81 cells, row by row: 1 to 9, or 0 for a blank.
///
/// It may break the rules, as the answer of a model may. Its text is 81 characters, `.` for a
/// blank; a text to be read may also have 0 for a blank and white space between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Board([u8; CELLS]);

impl Board {
    /// The board without a digit.
    pub const BLANK: Self = Self([0; CELLS]);

    /// A board of given cells, row by row.
    ///
    /// # Errors
    /// [`Error::SudokuCell`] for the first number above 9.
    pub fn new(cells: [u8; CELLS]) -> Result<Self> {
        match cells.iter().position(|&digit| usize::from(digit) > SIDE) {
            Some(cell) => Err(wrong_cell(cell, cells[cell])),
            None => Ok(Self(cells)),
        }
    }

    /// The cells, row by row: 1 to 9, or 0 for a blank.
    pub fn cells(&self) -> &[u8; CELLS] {
        &self.0
    }

    /// How many cells hold a digit.
    pub fn clues(&self) -> usize {
        self.0.iter().filter(|&&digit| digit != 0).count()
    }

    /// Whether no row, column or box holds a digit twice; blanks are allowed.
    pub fn is_legal(&self) -> bool {
        UNITS.iter().all(|unit| {
            let mut seen = 0_u16;
            unit.iter().map(|&cell| self.0[cell]).all(|digit| {
                let mask = 1 << digit;
                let new = digit == 0 || seen & mask == 0;
                seen |= mask;
                new
            })
        })
    }

    /// Whether every cell holds a digit and the board is legal.
    pub fn is_solved(&self) -> bool {
        self.clues() == CELLS && self.is_legal()
    }

    /// Whether this board has every digit of `puzzle` in its place.
    pub fn keeps(&self, puzzle: &Self) -> bool {
        let mut cells = self.0.iter().zip(&puzzle.0);
        cells.all(|(mine, clue)| *clue == 0 || mine == clue)
    }

    /// This board with one cell blank; `cell` is below [`CELLS`].
    pub(super) fn without(mut self, cell: usize) -> Self {
        self.0[cell] = 0;
        self
    }

    /// A board of cells that are known to be 0 to 9.
    pub(super) fn of(cells: [u8; CELLS]) -> Self {
        debug_assert!(cells.iter().all(|&digit| usize::from(digit) <= SIDE));
        Self(cells)
    }
}

/// A cell that holds no digit and is not blank either.
pub(super) fn wrong_cell(cell: usize, found: impl Display) -> Error {
    Error::SudokuCell {
        row: cell / SIDE + 1,
        column: cell % SIDE + 1,
        found: found.to_string(),
    }
}

impl FromStr for Board {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let symbols: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        let symbols: [char; CELLS] =
            symbols
                .try_into()
                .map_err(|symbols: Vec<char>| Error::SudokuLength {
                    cells: symbols.len(),
                })?;
        let mut cells = [0; CELLS];
        for (cell, symbol) in symbols.into_iter().enumerate() {
            cells[cell] = match symbol.to_digit(10) {
                Some(digit) => digit as u8,
                None if symbol == '.' => 0,
                None => return Err(wrong_cell(cell, format_args!("{symbol:?}"))),
            };
        }
        Ok(Self(cells))
    }
}

impl Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self
            .0
            .iter()
            .map(|&digit| {
                if digit == 0 {
                    '.'
                } else {
                    char::from(b'0' + digit)
                }
            })
            .collect();
        f.write_str(&text)
    }
}

/// Units of a board: its 9 rows, 9 columns and 9 boxes.
const UNIT_COUNT: usize = 3 * SIDE;

/// The cells of every unit, rows first, then columns, then boxes.
pub(super) const UNITS: [[usize; SIDE]; UNIT_COUNT] = units();

const fn units() -> [[usize; SIDE]; UNIT_COUNT] {
    let mut units = [[0; SIDE]; UNIT_COUNT];
    let mut unit = 0;
    while unit < SIDE {
        let mut place = 0;
        while place < SIDE {
            units[unit][place] = unit * SIDE + place;
            units[SIDE + unit][place] = place * SIDE + unit;
            let (row, column) = (unit / 3 * 3 + place / 3, unit % 3 * 3 + place % 3);
            units[2 * SIDE + unit][place] = row * SIDE + column;
            place += 1;
        }
        unit += 1;
    }
    units
}
