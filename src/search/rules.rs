//! What a move costs and where a robot may be: the rules every search, label and verdict shares.

use crate::grid::{Cell, Cost, Costmap, Move, Moves};
use crate::{Error, Result};

/// The largest cost weight. At this weight a robot detours a thousand cells around one cell of the
/// highest traversable cost; the bound keeps the search's bucket queue small.
pub const MAX_COST_WEIGHT: f64 = 1000.0;

/// How travel cost is counted, which moves there are, and whether unknown space may be entered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    cost_weight: f64,
    allow_unknown: bool,
    moves: Moves,
}

impl Rules {
    /// Rules with a cost weight (no unit, 0 = only length counts; Nav2's Smac planners call it
    /// `cost_travel_multiplier`) and the choice whether unknown cells may be entered. All eight
    /// moves are made.
    ///
    /// # Errors
    /// [`Error::CostWeight`] if the weight is not within `0..=MAX_COST_WEIGHT`.
    pub fn new(cost_weight: f64, allow_unknown: bool) -> Result<Self> {
        // A NaN is in no range.
        if !(0.0..=MAX_COST_WEIGHT).contains(&cost_weight) {
            return Err(Error::CostWeight {
                cost_weight,
                max: MAX_COST_WEIGHT,
            });
        }
        Ok(Self {
            cost_weight,
            allow_unknown,
            moves: Moves::Eight,
        })
    }

    /// Only length counts, unknown cells are blocked: the rules of MovingAI's benchmarks.
    pub const fn shortest() -> Self {
        Self {
            cost_weight: 0.0,
            allow_unknown: false,
            moves: Moves::Eight,
        }
    }

    /// The same rules with these moves.
    #[must_use]
    pub const fn with_moves(self, moves: Moves) -> Self {
        Self { moves, ..self }
    }

    /// The moves that are made.
    pub const fn moves(&self) -> Moves {
        self.moves
    }

    /// The weight of a cell's cost against its length, `0..=MAX_COST_WEIGHT`.
    pub const fn cost_weight(&self) -> f64 {
        self.cost_weight
    }

    /// Whether unknown cells may be entered.
    pub const fn allow_unknown(&self) -> bool {
        self.allow_unknown
    }

    /// Whether a move from a cell is one of these moves and legal on the map.
    pub fn allow(&self, map: &Costmap, cell: Cell, mv: Move) -> bool {
        self.moves.contains(mv) && map.legal_move(cell, mv, self.allow_unknown).is_some()
    }

    /// Travel cost per cell of length when entering a cell of this cost, at least 1:
    /// `1 + cost_weight * cost / 252`. Unknown cells, where allowed, count as cost 0. `None` if the
    /// cell is blocked.
    pub fn multiplier(&self, cost: Cost) -> Option<f64> {
        if !cost.is_traversable(self.allow_unknown) {
            return None;
        }
        let known = if cost == Cost::UNKNOWN { 0 } else { cost.0 };
        Some(1.0 + self.cost_weight * f64::from(known) / f64::from(Cost::MAX_TRAVERSABLE.0))
    }

    /// [`Rules::multiplier`] of all 256 costs, infinite where blocked.
    pub(super) fn multipliers(&self) -> [f64; 256] {
        std::array::from_fn(|cost| self.multiplier(Cost(cost as u8)).unwrap_or(f64::INFINITY))
    }
}
