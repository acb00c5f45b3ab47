//! Sudoku: the other public task of the published models, to show that their core is general.
//!
//! A [`Board`] is a 9 x 9 board with blanks; [`solve`] answers whether it has none, one or many
//! solutions and how hard the search was; [`generate`] makes a [`Puzzle`] with one solution from a
//! seed; a [`Symmetry`] turns a puzzle into an equivalent one. [`Board::tokens`] is what the
//! sequence models read and write, as in the published data. No tensors here.

mod board;
mod generator;
mod solver;
mod symmetry;
mod tokens;

pub use board::{Board, CELLS, SIDE};
pub use generator::{Puzzle, Wanted, generate};
pub use solver::{Solutions, Verdict, solve};
pub use symmetry::Symmetry;
pub use tokens::{SEQUENCE, VOCABULARY};
