//! Which moves onward from a cell can lie on an optimal path, given the move that entered it.
//!
//! With A the cell before, B this one and C a neighbour: if A reaches C more cheaply without B, no
//! optimal path runs A, B, C, and looking at C from B is lost time. That A was expanded before B is
//! all this needs, so the order of expansions does not matter, nor do ties: only moves that are
//! strictly worse are left out. (Jump point search, Harabor and Grastien 2011, prunes ties too and
//! needs uniform costs; here every cell may have its own.) On open ground three moves of eight are
//! left.

use std::f64::consts::SQRT_2;

use super::moves::legal_from_traversable;
use crate::grid::Move;

/// Moves relative to the one that entered, as bits, after turning that one to bit 0.
const LEFT: u8 = 1 << 2;
const BACK_LEFT: u8 = 1 << 3;
const BACK: u8 = 1 << 4;
const BACK_RIGHT: u8 = 1 << 5;
const RIGHT: u8 = 1 << 6;

/// The legal moves (bit i = move i) out of a cell that was entered by `entered_by`, less those that
/// cannot lie on an optimal path.
///
/// `traversable` has a bit for each traversable neighbour; `here` is the cell's multiplier (see
/// [`Rules::multiplier`](super::Rules::multiplier)), `beyond` gives that of a traversable neighbour.
#[inline]
pub(super) fn onward_moves(
    entered_by: Move,
    traversable: u8,
    here: f64,
    beyond: impl Fn(Move) -> f64,
) -> u8 {
    let turn = entered_by.index() as u32;
    // The three cells behind are neighbours of the cell before, or that cell itself, and nearer to
    // it than to this one: they are left out whatever the costs.
    let mut onward =
        legal_from_traversable(traversable).rotate_right(turn) & !(BACK_LEFT | BACK | BACK_RIGHT);
    let traversable = traversable.rotate_right(turn);
    let multiplier = |relative: u8| {
        beyond(Move::from_index(
            relative.trailing_zeros() as usize + entered_by.index(),
        ))
    };
    for (side, behind) in [(LEFT, BACK_LEFT), (RIGHT, BACK_RIGHT)] {
        if onward & side == 0 {
            continue;
        }
        let worse = if entered_by.is_diagonal() {
            // Instead of two diagonals: straight on to the cell behind, and straight on again. The
            // diagonal to the side is legal, so the cell behind is traversable.
            multiplier(behind) + multiplier(side) < SQRT_2 * (here + multiplier(side))
        } else {
            // Instead of two straight moves: one diagonal, if its other side cell allows.
            traversable & behind != 0 && SQRT_2 * multiplier(side) < here + multiplier(side)
        };
        if worse {
            onward &= !side;
        }
    }
    onward.rotate_left(turn)
}

#[cfg(test)]
mod tests {
    use super::{Move, onward_moves};

    const OPEN: u8 = 0xff;

    fn onward(entered_by: usize, traversable: u8, multipliers: [f64; 8]) -> u8 {
        let beyond = |mv: Move| multipliers[mv.index()];
        onward_moves(Move::from_index(entered_by), traversable, 1.0, beyond)
    }

    #[test]
    fn on_open_ground_three_moves_are_left() {
        assert_eq!(onward(0, OPEN, [1.0; 8]), 0b1000_0011);
        assert_eq!(onward(1, OPEN, [1.0; 8]), 0b0000_0111);
        assert_eq!(onward(6, OPEN, [1.0; 8]), 0b1110_0000);
    }

    #[test]
    fn a_corner_passed_opens_the_turn_round_it() {
        // Eastward, with the cell to the north-west blocked: north cannot be reached before.
        assert_eq!(onward(0, OPEN & !(1 << 3), [1.0; 8]), 0b1000_0111);
    }

    #[test]
    fn a_turn_into_a_costly_cell_may_be_best_taken_straight() {
        let mut multipliers = [1.0; 8];
        multipliers[2] = 10.0;
        assert_eq!(onward(0, OPEN, multipliers), 0b1000_0111);
    }

    #[test]
    fn two_diagonals_may_be_best_round_a_costly_cell() {
        // North-eastward; going on north-west avoids the costly cell to the west.
        let mut multipliers = [1.0; 8];
        multipliers[4] = 10.0;
        assert_eq!(onward(1, OPEN, multipliers), 0b0000_1111);
    }
}
