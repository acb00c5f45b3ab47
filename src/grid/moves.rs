//! Which of the eight moves a robot makes.

use serde::{Deserialize, Serialize};

use super::Move;

/// The moves that there are: all eight, or the four straight ones, which some benchmarks use (the
/// mazes of arXiv 2506.21734; Nav2's Smac 2D planner calls the two Moore and von Neumann). In files
/// their number, 8 or 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Moves {
    /// The straight moves only.
    Four,
    /// Straight and diagonal moves.
    #[default]
    Eight,
}

impl Moves {
    /// The moves as a set: bit i = move i; see [`Move::index`].
    pub const fn set(self) -> u8 {
        match self {
            Self::Four => 0b0101_0101,
            Self::Eight => 0b1111_1111,
        }
    }

    /// How many there are.
    pub const fn count(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Whether a move is one of them.
    pub const fn contains(self, mv: Move) -> bool {
        self.set() & (1 << mv.index()) != 0
    }
}

impl TryFrom<u8> for Moves {
    type Error = String;

    fn try_from(count: u8) -> Result<Self, String> {
        match count {
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(format!("there are 4 or 8 moves, not {count}")),
        }
    }
}

impl From<Moves> for u8 {
    fn from(moves: Moves) -> Self {
        moves.count() as Self
    }
}
