//! Repair: mending what the model thought of, near where it thought of it.
//!
//! Two tools, both local and both cheap beside thinking:
//!
//! - where no rollout holds, the most likely plan: of all ways from the start to the goal the one
//!   whose moves the model together gives the highest probability. A rollout takes the most likely
//!   move at each cell and is stuck where two of them contradict each other; this weighs such a
//!   place against all others, and looks only where the model thinks that a plan may be. It is a
//!   discrepancy search (Harvey, Ginsberg 1995) whose discrepancies count by how unlikely they are.
//! - around a plan, an exact search of its corridor: the model has found the way, and what it left
//!   to be gained beside it is gained here.
//!
//! What comes of it is not the model's own, and reports name it [`Source::Repaired`].
//!
//! [`Source::Repaired`]: super::Source::Repaired

use std::sync::Arc;

use super::corridor::Corridor;
use super::least_first::LeastFirst;
use super::path::grid_travel_cost;
use super::rollout::legal_log_odds;
use super::think::Thinking;
use super::{Problem, Reduction, Snapshot};
use crate::grid::{Cell, Move};
use crate::model::Warm;
use crate::search::{Rules, Search, Termination};

/// Blocks on each side of a plan that belong to its corridor.
const MARGIN: usize = 6;

/// What a cell of travel cost counts beside an improbability of 1 nat: so little that it only
/// decides between plans that are as likely.
const COST_NATS: f64 = 1e-3;

/// No plan less likely than exp(-`MOST_NATS`) is made: a model that gives none a better chance has no
/// idea, and what a search made of it would be the search's own.
const MOST_NATS: f64 = 32.0;

/// Cells looked at between two looks at the clock.
const CELLS_PER_POLL: usize = 1024;

/// A read-out whose rollout does not hold.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// What the model saw.
    pub reduction: Reduction,
    /// Its move logits there, (cells, 8) row-major.
    pub logits: Arc<Vec<f32>>,
    /// For going on when the map has changed.
    pub warm: Option<Arc<Warm>>,
}

impl Draft {
    /// What was thought about a reduction; `None` if there was no segment.
    pub fn of(reduction: Reduction, thinking: &Thinking) -> Option<Self> {
        Some(Self {
            reduction,
            logits: Arc::clone(thinking.logits.as_ref()?),
            warm: thinking.warm.clone(),
        })
    }
}

/// A plan made of a draft: the most likely one, and the best in the corridor around it. `None` if
/// the model gives no way to the goal a chance worth naming, or if it was stopped.
pub(super) fn mended(
    problem: &Problem<'_>,
    draft: &Draft,
    search: &mut Search,
    termination: &Termination,
) -> Option<Vec<Cell>> {
    let cells = most_likely(problem, draft, termination)?;
    let corridor = corridor(problem.snapshot(), &[&cells], draft.reduction.factor())?;
    corridor.best_plan(problem, search, termination)
}

/// The most likely plan of a draft, as cells of the map: only a first idea, which is not verified. `None`
/// as for [`mended`].
pub(super) fn most_likely(
    problem: &Problem<'_>,
    draft: &Draft,
    termination: &Termination,
) -> Option<Vec<Cell>> {
    let blocks = most_likely_plan(draft, problem.snapshot().rules(), termination)?;
    Some(draft.reduction.expand(problem, &blocks))
}

/// The corridor in which plans are repaired that were found on blocks of `factor` cells a side.
pub(super) fn corridor(snapshot: &Snapshot, plans: &[&[Cell]], factor: usize) -> Option<Corridor> {
    Corridor::around(snapshot.geometry(), plans, MARGIN * factor)
}

/// The best plan in the corridor around one that holds, which was found on blocks of `factor` cells
/// a side, if it saves at least a share `gain` of its travel cost.
pub(super) fn tightened(
    problem: &Problem<'_>,
    (cells, factor): (&[Cell], usize),
    gain: f64,
    search: &mut Search,
    termination: &Termination,
) -> Option<Vec<Cell>> {
    let corridor = corridor(problem.snapshot(), &[cells], factor)?;
    let better = corridor.best_plan(problem, search, termination)?;
    saves(problem, (cells, &better), gain).then_some(better)
}

/// Whether a plan saves at least a share `gain` of another one's travel cost.
pub(super) fn saves(problem: &Problem<'_>, (cells, better): (&[Cell], &[Cell]), gain: f64) -> bool {
    let limit = (1.0 - gain) * grid_travel_cost(problem, cells);
    grid_travel_cost(problem, better) <= limit
}

/// The way from start to goal on the draft's map whose moves are together the most likely.
fn most_likely_plan(draft: &Draft, rules: &Rules, termination: &Termination) -> Option<Vec<Cell>> {
    let map = draft.reduction.map();
    let geometry = map.geometry();
    let (start, goal) = (draft.reduction.start(), draft.reduction.goal());
    let (first, last) = (geometry.index(start), geometry.index(goal));
    let mut least = vec![f64::INFINITY; geometry.cells()];
    let mut entered_from = vec![usize::MAX; geometry.cells()];
    let mut waiting = LeastFirst::new();
    least[first] = 0.0;
    waiting.push(0.0, first);
    let mut looked_at = 0;
    while let Some((nats, index)) = waiting.pop() {
        if index == last {
            break;
        }
        if nats > least[index] {
            continue;
        }
        looked_at += 1;
        if looked_at % CELLS_PER_POLL == 0 && termination.reason().is_some() {
            return None;
        }
        let cell = geometry.cell(index);
        let odds = legal_log_odds(map, rules, cell, &draft.logits[index * 8..][..8]);
        for (mv, log_odds) in Move::ALL.into_iter().zip(odds) {
            let Some(next) = geometry
                .neighbour(cell, mv)
                .filter(|_| log_odds > f32::NEG_INFINITY)
            else {
                continue;
            };
            let cost = rules.multiplier(map.cost(next)).unwrap_or(1.0) * mv.length();
            let next = geometry.index(next);
            let through = nats - f64::from(log_odds) + COST_NATS * cost;
            if through < least[next] && through <= MOST_NATS {
                least[next] = through;
                entered_from[next] = index;
                waiting.push(through, next);
            }
        }
    }
    if least[last] == f64::INFINITY {
        return None;
    }
    let mut cells = vec![goal];
    let mut index = last;
    while index != first {
        index = entered_from[index];
        cells.push(geometry.cell(index));
    }
    cells.reverse();
    Some(cells)
}
