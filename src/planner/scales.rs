//! Scales: the same model looks at the same map more or less closely.
//!
//! A large map is pooled until it fits. Coarse blocks are few, and a plan over them is soon found, but
//! it turns in larger steps than it must and misses narrow passages. So models of many scales (the
//! sparse ones) think first about the whole map as coarsely as `max_tokens` asks, if that fails about
//! the whole map at another scale, and once they have a plan again about the corridor around it, as
//! finely as fits. The cheapest verified plan is the answer. Other models think at one scale.

use super::report::timed;
use super::think::{Limits, Segment, think};
use super::{HaltReason, Problem, Reduction, Report, path};
use crate::Result;
use crate::grid::Cell;
use crate::model::GridHrm;

/// The whole map is thought about with so many tokens over `max_tokens`, one after the other until
/// there is a plan: (times, over).
const WHOLE: [(usize, usize); 3] = [(1, 1), (4, 1), (1, 4)];

/// Blocks of the coarse plan on each side of it that belong to its corridor.
const MARGIN: usize = 4;

/// Thinks about a problem at all scales that it needs. Returns the cells of the best verified plan,
/// if there is any, and notes segments, halting and times in `report`.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn think_at_scales(
    model: &GridHrm,
    problem: &Problem<'_>,
    max_tokens: usize,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<Option<Vec<Cell>>> {
    let patches = model.config().patches();
    let scales = if patches.sparse {
        &WHOLE[..]
    } else {
        &WHOLE[..1]
    };
    report.halt_reason = HaltReason::NotReducible;
    let mut tried = Vec::new();
    let mut found = None;
    for (times, over) in scales {
        let tokens = max_tokens.saturating_mul(*times) / over;
        let reduction = timed(&mut report.time_ms.reduce, || {
            Reduction::new(problem, tokens, patches)
        });
        let Some(reduction) = reduction.filter(|r| !tried.contains(&r.factor())) else {
            continue;
        };
        tried.push(reduction.factor());
        report.reduction_factor = Some(reduction.factor());
        let cells = think(model, problem, &reduction, limits, observer, report)?;
        if let Some(cells) = cells {
            found = Some((cells, reduction.factor()));
            break;
        }
        if limits.termination.reason().is_some() {
            break;
        }
    }
    let Some((cells, factor)) = found else {
        return Ok(None);
    };
    if factor == 1 || !patches.sparse {
        return Ok(Some(cells));
    }
    let halt_reason = report.halt_reason;
    let reduction = timed(&mut report.time_ms.reduce, || {
        let corridor = Corridor::around(problem, &cells, MARGIN * factor);
        Reduction::within(problem, max_tokens, patches, |cell| corridor.contains(cell))
    });
    if let Some(reduction) = reduction.filter(|finer| finer.factor() < factor) {
        let finer = think(model, problem, &reduction, limits, observer, report)?;
        let cost = |cells: &[Cell]| path::grid_travel_cost(problem, cells);
        if let Some(finer) = finer.filter(|finer| cost(finer) <= cost(&cells)) {
            report.reduction_factor = Some(reduction.factor());
            return Ok(Some(finer));
        }
    }
    // The plan in hand is the coarse one's, whatever became of the finer look.
    report.halt_reason = halt_reason;
    Ok(Some(cells))
}

/// The cells near a plan.
struct Corridor {
    width: usize,
    inside: Vec<bool>,
}

impl Corridor {
    /// All cells at most `margin` rows and columns away from a cell of the plan.
    fn around(problem: &Problem<'_>, plan: &[Cell], margin: usize) -> Self {
        let geometry = problem.map().geometry();
        let (height, width) = (geometry.height(), geometry.width());
        let mut inside = vec![false; geometry.cells()];
        for cell in plan {
            let rows = cell.row.saturating_sub(margin)..(cell.row + margin + 1).min(height);
            let cols = cell.col.saturating_sub(margin)..(cell.col + margin + 1).min(width);
            for row in rows {
                inside[row * width..][cols.clone()].fill(true);
            }
        }
        Self { width, inside }
    }

    fn contains(&self, cell: Cell) -> bool {
        self.inside[cell.row * self.width + cell.col]
    }
}
