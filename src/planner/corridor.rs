//! Corridors: the cells near a plan.

use super::Problem;
use super::regions::Bounds;
use crate::grid::{Cell, Cost, Costmap, Geometry};
use crate::search::{self, Search, Termination};

/// The cells near a plan.
pub(super) struct Corridor {
    bounds: Bounds,
    /// Of the cells in the bounds, row-major, which belong to it.
    inside: Vec<bool>,
}

impl Corridor {
    /// All cells at most `margin` rows and columns away from a cell of the plan. `None` for a plan
    /// of no cells.
    pub fn around(problem: &Problem<'_>, plan: &[Cell], margin: usize) -> Option<Self> {
        let geometry = problem.map().geometry();
        let near = |cell: &Cell| Bounds {
            bottom: cell.row.saturating_sub(margin),
            top: (cell.row + margin).min(geometry.height() - 1),
            left: cell.col.saturating_sub(margin),
            right: (cell.col + margin).min(geometry.width() - 1),
        };
        let bounds = plan.iter().map(near).reduce(Bounds::around)?;
        let width = bounds.width();
        let mut inside = vec![false; bounds.height() * width];
        for Bounds {
            bottom,
            top,
            left,
            right,
        } in plan.iter().map(near)
        {
            for row in bottom - bounds.bottom..=top - bounds.bottom {
                let cols = left - bounds.left..=right - bounds.left;
                inside[row * width..][cols].fill(true);
            }
        }
        Some(Self { bounds, inside })
    }

    /// Whether a cell belongs to it.
    pub fn contains(&self, cell: Cell) -> bool {
        let Bounds {
            bottom,
            top,
            left,
            right,
        } = self.bounds;
        let (rows, cols) = (bottom..=top, left..=right);
        rows.contains(&cell.row)
            && cols.contains(&cell.col)
            && self.inside[(cell.row - bottom) * self.bounds.width() + cell.col - left]
    }

    /// The best plan from the problem's start to its goal that stays inside, by an exact search of
    /// these cells alone. `None` if there is none, or if it was stopped.
    pub fn best_plan(
        &self,
        problem: &Problem<'_>,
        search: &mut Search,
        termination: &Termination,
    ) -> Option<Vec<Cell>> {
        let (bounds, width) = (self.bounds, self.bounds.width());
        let all = problem.map();
        let mut costs = vec![Cost::LETHAL; self.inside.len()];
        for (row, (costs, inside)) in costs
            .chunks_exact_mut(width)
            .zip(self.inside.chunks_exact(width))
            .enumerate()
        {
            let first = (bounds.bottom + row) * all.geometry().width() + bounds.left;
            let of_map = &all.costs()[first..first + width];
            for ((cost, &inside), &of_map) in costs.iter_mut().zip(inside).zip(of_map) {
                if inside {
                    *cost = of_map;
                }
            }
        }
        let map = Costmap::new(Geometry::unit(width, bounds.height()).ok()?, costs).ok()?;
        let within = |cell: Cell| {
            let row = cell.row.checked_sub(bounds.bottom)?;
            Some(Cell::new(row, cell.col.checked_sub(bounds.left)?))
        };
        let (start, goal) = (within(problem.start_cell)?, within(problem.goal_cell)?);
        let rules = problem.snapshot().rules();
        match search.path(&map, start, goal, rules, termination) {
            Ok(search::Outcome::Found(path)) => Some(
                path.cells
                    .iter()
                    .map(|cell| Cell::new(cell.row + bounds.bottom, cell.col + bounds.left))
                    .collect(),
            ),
            _ => None,
        }
    }
}
