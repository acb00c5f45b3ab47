//! Rollouts: following the model's most likely legal move from cell to cell.

use crate::grid::{Cell, Costmap, Move};
use crate::search::Rules;

/// The most likely legal move of every cell, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    width: usize,
    moves: Vec<Option<Move>>,
}

/// Where a rollout led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// From the start on; ends at the goal, before the first cell entered twice, or where no move
    /// is legal.
    pub cells: Vec<Cell>,
    /// Whether the last cell is the goal.
    pub arrived: bool,
}

impl Policy {
    /// From move logits, (cells, 8) row-major. Of equal logits the lowest move wins; NaN never
    /// does, so that a broken model yields a short rollout, not a panic.
    pub fn new(map: &Costmap, logits: &[f32], rules: &Rules) -> Self {
        let geometry = map.geometry();
        let moves = logits
            .chunks_exact(8)
            .enumerate()
            .map(|(index, logits)| {
                let cell = geometry.cell(index);
                let mut best = None;
                let mut highest = f32::NEG_INFINITY;
                for mv in Move::ALL {
                    let logit = logits[mv.index()];
                    if logit > highest && rules.allow(map, cell, mv) {
                        highest = logit;
                        best = Some(mv);
                    }
                }
                best
            })
            .collect();
        Self {
            width: geometry.width(),
            moves,
        }
    }

    /// Where the cell of this index leads.
    fn next(&self, index: usize) -> Option<usize> {
        let (dr, dc) = self.moves[index]?.step();
        index.checked_add_signed(dr * self.width as isize + dc)
    }

    /// Whether each cell has a move, row-major.
    pub fn moves_on(&self) -> impl Iterator<Item = bool> + '_ {
        self.moves.iter().map(Option::is_some)
    }

    /// Follows the moves from `start`.
    pub fn rollout(&self, start: Cell, goal: Cell) -> Rollout {
        let at = |cell: Cell| cell.row * self.width + cell.col;
        let goal = at(goal);
        let mut seen = vec![false; self.moves.len()];
        let mut cells = Vec::new();
        let mut here = Some(at(start));
        while let Some(index) = here {
            if std::mem::replace(&mut seen[index], true) {
                break;
            }
            cells.push(Cell::new(index / self.width, index % self.width));
            if index == goal {
                return Rollout {
                    cells,
                    arrived: true,
                };
            }
            here = self.next(index);
        }
        Rollout {
            cells,
            arrived: false,
        }
    }

    /// For every cell, the travel cost of its rollout to `goal`, in cells; infinite where it does
    /// not arrive. Linear in the number of cells.
    pub fn costs_to_go(&self, map: &Costmap, rules: &Rules, goal: Cell) -> Vec<f64> {
        #[derive(Clone, Copy)]
        enum State {
            New,
            OnWay,
            Known(f64),
        }
        let mut states = vec![State::New; self.moves.len()];
        states[goal.row * self.width + goal.col] = State::Known(0.0);
        let mut way = Vec::new();
        for first in 0..states.len() {
            let mut here = Some(first);
            // Ends at a known cell, a dead end, or a cell of this very way: a loop.
            let mut cost = loop {
                let Some(index) = here else {
                    break f64::INFINITY;
                };
                match states[index] {
                    State::Known(cost) => break cost,
                    State::OnWay => break f64::INFINITY,
                    State::New => {
                        states[index] = State::OnWay;
                        way.push(index);
                        here = self.next(index);
                    }
                }
            };
            for index in way.drain(..).rev() {
                cost += self.move_cost(map, rules, index);
                states[index] = State::Known(cost);
            }
        }
        let cost = |state| match state {
            State::Known(cost) => cost,
            State::New | State::OnWay => f64::INFINITY,
        };
        states.into_iter().map(cost).collect()
    }

    /// Travel cost of the move from the cell of this index; infinite without one.
    fn move_cost(&self, map: &Costmap, rules: &Rules, index: usize) -> f64 {
        let entered = self.moves[index].zip(self.next(index));
        let cost = entered.and_then(|(mv, next)| {
            let multiplier = rules.multiplier(*map.costs().get(next)?)?;
            Some(mv.length() * multiplier)
        });
        cost.unwrap_or(f64::INFINITY)
    }
}
