//! Boards as the token sequences of the published data (sapientinc/HRM,
//! `dataset/build_sudoku_dataset.py`): 0 is padding, 1 a blank, 2 to 10 the digits 1 to 9. Inputs
//! are puzzles, labels are solutions; both are written alike.

use super::board::{Board, CELLS, wrong_cell};
use crate::{Error, Result};

/// Tokens of a board.
pub const SEQUENCE: usize = CELLS;
/// Kinds of tokens, padding included.
pub const VOCABULARY: usize = 11;

/// The token of a blank; that of a digit is as much more as the digit says.
const BLANK: u32 = 1;

impl Board {
    /// The board's tokens, row by row.
    pub fn tokens(&self) -> [u32; SEQUENCE] {
        self.cells().map(|digit| BLANK + u32::from(digit))
    }

    /// The board that tokens say, such as the likeliest tokens of a model.
    ///
    /// # Errors
    /// [`Error::SudokuLength`] if there are not [`SEQUENCE`] tokens, [`Error::SudokuCell`] for
    /// the first one that is padding or outside the vocabulary.
    pub fn from_tokens(tokens: &[u32]) -> Result<Self> {
        let length = |_| Error::SudokuLength {
            cells: tokens.len(),
        };
        let tokens: &[u32; SEQUENCE] = tokens.try_into().map_err(length)?;
        let mut cells = [0; CELLS];
        for (cell, &token) in tokens.iter().enumerate() {
            if !(BLANK..VOCABULARY as u32).contains(&token) {
                return Err(wrong_cell(cell, format_args!("token {token}")));
            }
            cells[cell] = (token - BLANK) as u8;
        }
        Ok(Self::of(cells))
    }
}
