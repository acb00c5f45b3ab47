//! Rollouts: following the model's most likely legal move from cell to cell.

use crate::grid::{Cell, Costmap, Move};
use crate::search::Rules;

/// What an evading rollout gives away at most, over all its evasions, nats: the most likely move's
/// logit less that of the move taken. A model that needs more has no idea of the way.
pub const MOST_EVADED: f32 = 12.0;

/// The most likely legal move of every cell, or none.
#[derive(Debug, Clone)]
pub struct Policy<'a> {
    map: &'a Costmap,
    rules: &'a Rules,
    logits: &'a [f32],
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

impl<'a> Policy<'a> {
    /// From move logits, (cells, 8) row-major. Of equal logits the lowest move wins; NaN never
    /// does, so that a broken model yields a short rollout, not a panic.
    pub fn new(map: &'a Costmap, logits: &'a [f32], rules: &'a Rules) -> Self {
        let mut policy = Self {
            map,
            rules,
            logits,
            moves: Vec::new(),
        };
        let cells = 0..logits.len() / 8;
        policy.moves = cells
            .map(|index| policy.most_likely(index, |_| true))
            .collect();
        policy
    }

    /// The most likely of the legal moves from a cell that lead to one which is `wanted`.
    fn most_likely(&self, index: usize, wanted: impl Fn(usize) -> bool) -> Option<Move> {
        let cell = self.map.geometry().cell(index);
        let mut best = None;
        let mut highest = f32::NEG_INFINITY;
        for mv in Move::ALL {
            let logit = self.logits[index * 8 + mv.index()];
            if logit > highest
                && self.rules.allow(self.map, cell, mv)
                && self.neighbour(index, mv).is_some_and(&wanted)
            {
                highest = logit;
                best = Some(mv);
            }
        }
        best
    }

    fn neighbour(&self, index: usize, mv: Move) -> Option<usize> {
        let (dr, dc) = mv.step();
        let width = self.map.geometry().width() as isize;
        index.checked_add_signed(dr * width + dc)
    }

    /// Where the cell of this index leads.
    fn next(&self, index: usize) -> Option<usize> {
        self.neighbour(index, self.moves[index]?)
    }

    /// Whether each cell has a move, row-major.
    pub fn moves_on(&self) -> impl Iterator<Item = bool> + '_ {
        self.moves.iter().map(Option::is_some)
    }

    /// Follows the moves from `start`.
    pub fn rollout(&self, start: Cell, goal: Cell) -> Rollout {
        self.follow(start, goal, |here, entered| {
            self.next(here).filter(|&next| !entered[next])
        })
    }

    /// As [`Policy::rollout`], but from a cell whose most likely move leads back to where the
    /// rollout has been, it takes the most likely move that does not.
    ///
    /// Where two ways are nearly as good, the cells on either side of the ridge between them may
    /// each point across it, and a rollout that remembers nothing goes to and fro for ever. Going
    /// on by the next best move costs next to nothing there. It is no search: it never takes a move
    /// back, and ends where all moves do, or when it has given away [`MOST_EVADED`] of likelihood.
    pub fn evading_rollout(&self, start: Cell, goal: Cell) -> Rollout {
        let mut evaded = 0.0;
        self.follow(start, goal, |here, entered| {
            let next = self.next(here)?;
            if !entered[next] {
                return Some(next);
            }
            let logit = |mv: Move| self.logits[here * 8 + mv.index()];
            let mv = self.most_likely(here, |next| !entered[next])?;
            evaded += logit(self.moves[here]?) - logit(mv);
            self.neighbour(here, mv).filter(|_| evaded <= MOST_EVADED)
        })
    }

    /// Goes from `start` to where `next` says, given the index of a cell and which cells were
    /// entered before.
    fn follow(
        &self,
        start: Cell,
        goal: Cell,
        mut next: impl FnMut(usize, &[bool]) -> Option<usize>,
    ) -> Rollout {
        let geometry = self.map.geometry();
        let goal = geometry.index(goal);
        let mut entered = vec![false; self.moves.len()];
        let mut cells = Vec::new();
        let mut here = Some(geometry.index(start));
        while let Some(index) = here {
            entered[index] = true;
            cells.push(geometry.cell(index));
            if index == goal {
                return Rollout {
                    cells,
                    arrived: true,
                };
            }
            here = next(index, &entered);
        }
        Rollout {
            cells,
            arrived: false,
        }
    }

    /// For every cell, the travel cost of its rollout to `goal`, in cells; infinite where it does
    /// not arrive. Linear in the number of cells.
    pub fn costs_to_go(&self, goal: Cell) -> Vec<f64> {
        #[derive(Clone, Copy)]
        enum State {
            New,
            OnWay,
            Known(f64),
        }
        let mut states = vec![State::New; self.moves.len()];
        states[self.map.geometry().index(goal)] = State::Known(0.0);
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
                cost += self.move_cost(index);
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
    fn move_cost(&self, index: usize) -> f64 {
        let entered = self.moves[index].zip(self.next(index));
        let cost = entered.and_then(|(mv, next)| {
            let multiplier = self.rules.multiplier(*self.map.costs().get(next)?)?;
            Some(mv.length() * multiplier)
        });
        cost.unwrap_or(f64::INFINITY)
    }
}

/// The log-probability of each move from a cell among the legal ones, given its logits; minus
/// infinity for moves that are not legal or whose logit is no number.
pub(super) fn legal_log_odds(map: &Costmap, rules: &Rules, cell: Cell, logits: &[f32]) -> [f32; 8] {
    let mut odds = [f32::NEG_INFINITY; 8];
    for mv in Move::ALL {
        let logit = logits[mv.index()];
        if logit.is_finite() && rules.allow(map, cell, mv) {
            odds[mv.index()] = logit;
        }
    }
    let highest = odds.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if highest.is_finite() {
        let sum: f32 = odds.iter().map(|odds| (odds - highest).exp()).sum();
        let shift = highest + sum.ln();
        for odds in &mut odds {
            *odds -= shift;
        }
    }
    odds
}
