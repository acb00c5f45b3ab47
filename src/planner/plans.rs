//! The plans of the model that hold, and the one that can be put together from them.

use super::path::{grid_travel_cost, poses_of_cells};
use super::report::timed;
use super::verify::{Expected, verify};
use super::{Problem, Report, pieces};
use crate::grid::Cell;

/// What two sums of the same travel costs may differ by, relatively.
const SAME_WITHIN: f64 = 1e-9;

/// So many plans are kept, so that putting them together takes no longer than a segment.
const MOST: usize = 64;

/// A plan of the model that holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub cells: Vec<Cell>,
    /// Its travel cost on the full map, in cells.
    pub cost: f64,
    /// Whether it is an evading rollout, or has a piece of one.
    pub evaded: bool,
}

/// The plans of the model that hold, no two of them the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Plans(Vec<Held>);

impl Plans {
    /// Takes in a plan; the dearest leaves if there are too many.
    pub fn add(&mut self, held: Held) {
        if self.0.iter().any(|known| known.cells == held.cells) {
            return;
        }
        self.0.push(held);
        if self.0.len() > MOST {
            let plans = self.0.iter().enumerate();
            let dearest = plans.max_by(|(_, a), (_, b)| a.cost.total_cmp(&b.cost));
            if let Some((dearest, _)) = dearest {
                self.0.remove(dearest);
            }
        }
    }

    pub fn extend(&mut self, others: Self) {
        for held in others.0 {
            self.add(held);
        }
    }

    /// The cheapest of them, of equal ones the first.
    pub fn best(&self) -> Option<&Held> {
        self.0.iter().min_by(|a, b| a.cost.total_cmp(&b.cost))
    }

    /// Adds the plan that can be put together from pieces of these, if it is cheaper than any of them and
    /// holds.
    pub fn put_together(&mut self, problem: &Problem<'_>, report: &mut Report) {
        let Some(best) = self.best().filter(|_| self.0.len() > 1) else {
            return;
        };
        let together = timed(&mut report.time_ms.decode, || {
            let ways = self.0.iter().map(|held| &held.cells[..]);
            let (map, rules) = (problem.map(), problem.snapshot().rules());
            pieces::put_together(map, rules, (problem.start_cell, problem.goal_cell), ways)
        });
        let Some(cells) = together else { return };
        let cost = grid_travel_cost(problem, &cells);
        if cost >= best.cost * (1.0 - SAME_WITHIN) {
            return;
        }
        let holds = timed(&mut report.time_ms.verify, || {
            let poses = poses_of_cells(problem, &cells);
            verify(problem.snapshot(), &poses, &Expected::of(problem)).is_empty()
        });
        if holds {
            let evaded = self.0.iter().any(|held| held.evaded);
            self.add(Held {
                cells,
                cost,
                evaded,
            });
        }
    }
}
