//! Scales: the same model looks at the same map more or less closely.
//!
//! A large map is pooled until it fits. Coarse blocks are few, and a plan over them is soon found, but
//! it turns in larger steps than it must and misses narrow passages. So models of many scales (the
//! sparse ones) think first about the whole map as coarsely as `max_tokens` asks, if that fails about
//! the whole map at another scale, and once they have a plan again about the corridor around it, as
//! finely as fits. The cheapest verified plan is the answer. Other models think at one scale.

use super::corridor::Corridor;
use super::plans::{Held, Plans};
use super::repair::Draft;
use super::report::timed;
use super::think::{Limits, Segment, think};
use super::{HaltReason, Problem, Reduction, Report};
use crate::Result;
use crate::grid::Cell;
use crate::model::GridHrm;

/// The whole map is thought about with so many tokens over `max_tokens`, one after the other until
/// there is a plan: (times, over).
const WHOLE: [(usize, usize); 3] = [(1, 1), (4, 1), (1, 4)];

/// Blocks of the coarse plan on each side of it that belong to its corridor.
const MARGIN: usize = 4;

/// What thinking came to.
#[derive(Debug, Clone)]
pub(super) struct Thought {
    /// The best verified plan, if there is any.
    pub held: Option<Held>,
    /// Cells of the map along each side of what it was found on.
    pub factor: usize,
    /// The last read-out of the whole map: of the scale that found the plan, or else of the first.
    pub draft: Option<Draft>,
}

impl Thought {
    /// What comes of not thinking.
    pub fn none() -> Self {
        Self {
            held: None,
            factor: 1,
            draft: None,
        }
    }

    /// The cells of the best verified plan.
    pub fn cells(&self) -> Option<&Vec<Cell>> {
        self.held.as_ref().map(|held| &held.cells)
    }
}

/// Thinks about a problem at all scales that it needs, and notes segments, halting and times in
/// `report`. An `earlier` draft for the same goal on much the same map is where it begins.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn think_at_scales(
    model: &GridHrm,
    problem: &Problem<'_>,
    max_tokens: usize,
    earlier: Option<&Draft>,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<Thought> {
    let resumed = match earlier {
        Some(earlier) => resume(model, problem, earlier, limits, observer, report)?,
        None => None,
    };
    let mut look = match resumed {
        Some(look) => look,
        None => whole(model, problem, max_tokens, limits, observer, report)?,
    };
    // The plans of one image become better from segment to segment: together they are hardly better than
    // the last.
    if limits.symmetries > 1 {
        look.plans.put_together(problem, report);
    }
    let patches = model.config().patches();
    let may_look_closer = look.factor > 1 && patches.sparse && limits.closer_look;
    let Some(held) = look.plans.best().filter(|_| may_look_closer) else {
        return Ok(look.thought());
    };
    let cost = held.cost;
    let halt_reason = report.halt_reason;
    let reduction = timed(&mut report.time_ms.reduce, || {
        let corridor = Corridor::around(
            problem.snapshot().geometry(),
            &[&held.cells],
            MARGIN * look.factor,
        )?;
        let is_inside = |cell| corridor.contains(cell);
        Reduction::within(problem, max_tokens, patches, is_inside, limits.termination)
    });
    let mut is_better = false;
    if let Some(reduction) = reduction.filter(|finer| finer.factor() < look.factor) {
        // Nobody goes on from a corridor.
        let limits = Limits {
            warm_start: false,
            ..*limits
        };
        let finer = think(model, problem, &reduction, None, &limits, observer, report)?;
        is_better = finer.plans.best().is_some_and(|held| held.cost <= cost);
        if is_better {
            report.reduction_factor = Some(reduction.factor());
            look.factor = reduction.factor();
        }
        look.plans.extend(finer.plans);
        look.plans.put_together(problem, report);
    }
    if !is_better {
        // The plan in hand is the coarse one's, whatever became of the finer look.
        report.halt_reason = halt_reason;
    }
    Ok(look.thought())
}

/// What looking at a map came to so far.
struct Look {
    plans: Plans,
    factor: usize,
    draft: Option<Draft>,
}

impl Look {
    fn thought(self) -> Thought {
        Thought {
            held: self.plans.best().cloned(),
            factor: self.factor,
            draft: self.draft,
        }
    }
}

/// Thinks about the whole map, at one scale after the other until there is a plan.
fn whole(
    model: &GridHrm,
    problem: &Problem<'_>,
    max_tokens: usize,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<Look> {
    let patches = model.config().patches();
    let scales = if patches.sparse {
        &WHOLE[..]
    } else {
        &WHOLE[..1]
    };
    report.halt_reason = HaltReason::NotReducible;
    let mut tried = Vec::new();
    let mut look = Look {
        plans: Plans::default(),
        factor: 1,
        draft: None,
    };
    for (times, over) in scales {
        let tokens = max_tokens.saturating_mul(*times) / over;
        let reduction = timed(&mut report.time_ms.reduce, || {
            Reduction::within(problem, tokens, patches, |_| true, limits.termination)
        });
        if let Some(stop) = limits.termination.reason().filter(|_| reduction.is_none()) {
            report.halt_reason = stop.into();
            break;
        }
        let Some(reduction) = reduction.filter(|r| !tried.contains(&r.factor())) else {
            continue;
        };
        tried.push(reduction.factor());
        report.reduction_factor = Some(reduction.factor());
        let thinking = think(model, problem, &reduction, None, limits, observer, report)?;
        if thinking.plans.best().is_some() || look.draft.is_none() {
            look = Look {
                factor: reduction.factor(),
                draft: Draft::of(reduction, &thinking).or(look.draft),
                plans: thinking.plans,
            };
        }
        if look.plans.best().is_some() || limits.termination.reason().is_some() {
            break;
        }
    }
    Ok(look)
}

/// Goes on from an earlier thought; `None` if the map is seen in other blocks now, or if no plan comes
/// of it soon.
fn resume(
    model: &GridHrm,
    problem: &Problem<'_>,
    earlier: &Draft,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<Option<Look>> {
    let reduction = timed(&mut report.time_ms.reduce, || {
        earlier.reduction.on(problem, limits.termination)
    });
    let Some((reduction, warm)) = reduction.zip(earlier.warm.as_deref()) else {
        return Ok(None);
    };
    let thinking = think(
        model,
        problem,
        &reduction,
        Some(warm),
        limits,
        observer,
        report,
    )?;
    if thinking.plans.best().is_none() {
        return Ok(None);
    }
    let factor = reduction.factor();
    report.reduction_factor = Some(factor);
    report.warm = true;
    Ok(Some(Look {
        factor,
        draft: Draft::of(reduction, &thinking),
        plans: thinking.plans,
    }))
}
