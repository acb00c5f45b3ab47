//! The field of a goal: the travel cost from every cell, and what follows from it (optimal moves,
//! paths). Computing it is [`Search`]'s work.

use super::moves::legal_moves;
use super::{RELATIVE_TOLERANCE, Rules, Search};
use crate::Result;
use crate::grid::{Cell, Costmap, Move};

/// The travel cost from every cell of a grid to one goal, in cells.
///
/// Its methods take the map and the rules it was computed with; they never panic with others, but
/// then mean nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) goal: Cell,
    pub(super) values: Vec<f64>,
}

impl Default for Field {
    /// A field of no cells, to be filled by [`Search::field_into`].
    fn default() -> Self {
        Self {
            width: 0,
            height: 0,
            goal: Cell::new(0, 0),
            values: Vec::new(),
        }
    }
}

impl Field {
    /// The field of `goal`. Many fields are faster with one [`Search`], which reuses its buffers.
    ///
    /// # Errors
    /// As [`Search::field_into`].
    pub fn compute(map: &Costmap, goal: Cell, rules: &Rules) -> Result<Self> {
        let mut field = Self::default();
        Search::new().field_into(map, goal, rules, &mut field)?;
        Ok(field)
    }

    /// Cells along x.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Cells along y.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The cell all costs lead to.
    pub fn goal(&self) -> Cell {
        self.goal
    }

    /// All travel costs, row-major, in cells; see [`Field::cost_to_go`].
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Travel cost from a cell to the goal, in cells. Infinite if there is no path, and for blocked
    /// cells and cells outside the grid.
    #[inline]
    pub fn cost_to_go(&self, cell: Cell) -> f64 {
        if cell.row >= self.height || cell.col >= self.width {
            return f64::INFINITY;
        }
        self.values[cell.row * self.width + cell.col]
    }

    /// As [`Field::cost_to_go`], but a blocked cell has the cost of the best path that steps out of
    /// it: for starts, which may be anywhere.
    pub fn cost_to_go_from(&self, map: &Costmap, rules: &Rules, cell: Cell) -> f64 {
        let direct = self.cost_to_go(cell);
        if direct.is_finite() {
            return direct;
        }
        lowest(&self.move_costs(map, rules, cell))
    }

    /// The moves from a cell that lie on an optimal path (bit i = move i), with ties within
    /// [`RELATIVE_TOLERANCE`]. Works for blocked cells too. 0 at the goal and where there is no path.
    pub fn optimal_moves(&self, map: &Costmap, rules: &Rules, cell: Cell) -> u8 {
        self.near_optimal_moves(map, rules, cell, 0.0)
    }

    /// As [`Field::optimal_moves`], with those moves that lose at most `slack` (0 to below 1) of
    /// their own travel cost. Each brings the goal nearer, so that any path of such moves arrives,
    /// for at most 1 / (1 - slack) of the optimal travel cost.
    pub fn near_optimal_moves(&self, map: &Costmap, rules: &Rules, cell: Cell, slack: f64) -> u8 {
        if cell == self.goal {
            return 0;
        }
        let costs = self.move_costs(map, rules, cell);
        let best = lowest(&costs);
        if !best.is_finite() {
            return 0;
        }
        let limit = best * (1.0 + RELATIVE_TOLERANCE);
        let own_cost = |mv: Move| {
            let target = map.geometry().neighbour(cell, mv);
            target.map_or(0.0, |target| costs[mv.index()] - self.cost_to_go(target))
        };
        Move::ALL
            .into_iter()
            .filter(|&mv| {
                let cost = costs[mv.index()];
                cost <= limit || cost.is_finite() && cost <= best + slack * own_cost(mv)
            })
            .fold(0, |set, mv| set | 1 << mv.index())
    }

    /// An optimal path from `start` to the goal, both included, or `None` if there is none. Of equal
    /// moves the one of the lowest index is taken, so the path is always the same.
    pub fn path_from(&self, map: &Costmap, rules: &Rules, start: Cell) -> Option<Vec<Cell>> {
        let mut cell = start;
        let mut remaining = self.cost_to_go_from(map, rules, start);
        if !remaining.is_finite() {
            return None;
        }
        let mut cells = vec![start];
        while cell != self.goal {
            let optimal = self.optimal_moves(map, rules, cell);
            let mv = Move::ALL
                .into_iter()
                .find(|mv| optimal & (1 << mv.index()) != 0)?;
            let next = map.legal_move(cell, mv, rules.allow_unknown())?;
            // Every move costs at least 1. Only a field of another map can fail this, and without
            // the check it could send us round in circles.
            let after = self.cost_to_go(next);
            if after >= remaining {
                return None;
            }
            remaining = after;
            cells.push(next);
            cell = next;
        }
        Some(cells)
    }

    /// Travel cost to the goal by each move, infinite for moves that are not legal.
    fn move_costs(&self, map: &Costmap, rules: &Rules, cell: Cell) -> [f64; 8] {
        let mut costs = [f64::INFINITY; 8];
        let geometry = map.geometry();
        if cell.row >= geometry.height() || cell.col >= geometry.width() {
            return costs;
        }
        let legal = legal_moves(map, cell, rules.allow_unknown()) & rules.moves().set();
        for mv in Move::ALL {
            if legal & (1 << mv.index()) == 0 {
                continue;
            }
            let entered = geometry.neighbour(cell, mv).and_then(|target| {
                let multiplier = rules.multiplier(map.cost(target))?;
                Some(self.cost_to_go(target) + mv.length() * multiplier)
            });
            costs[mv.index()] = entered.unwrap_or(f64::INFINITY);
        }
        costs
    }
}

fn lowest(costs: &[f64; 8]) -> f64 {
    costs.iter().copied().fold(f64::INFINITY, f64::min)
}
