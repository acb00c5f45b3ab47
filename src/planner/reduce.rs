//! What the model sees of a map, and how its plans come back to the map.
//!
//! A model looks at every cell in every segment, so it gets as few as possible: only the rectangle
//! around what the start can reach, everything else in it blocked; and if that is still too much,
//! blocks of f x f cells as one cell each (see [`super::passages`]). Start and goal need not lie in
//! open blocks: a leg, a few cells, connects each with an open block nearby. A plan over blocks becomes
//! one over cells by stepping from the place that stands for one block to that of the next: straight on
//! where that is legal, and else by the best way inside these blocks, through the door that they hold.
//! With f = 1 all of this changes nothing.
//!
//! Nothing here looks for a way farther than from one block to the next: whether the blocks connect start
//! and goal is asked of their regions.

use std::sync::Arc;

use super::Problem;
use super::laying::{Layout, Layouts, Legs};
use super::passages::Passages;
use super::pooling::{Blocks, FreeCounts};
use super::regions::Bounds;
use super::way::{LoopFree, straight_ends, way_within};
use crate::grid::{Cell, Cost, Costmap, Geometry};
use crate::model::Patches;
use crate::search::Termination;

/// Read-outs of sparse models have a place for blocked cells too: so many count as one free cell.
const EMPTY_PER_FREE: usize = 16;
/// This share of the free cells at least should lie in blocks that are free altogether: where less of them
/// do, the map is finer than the blocks, and ways over them are detours.
const WHOLE: f64 = 0.7;
/// How far the cells may exceed the limit when coarser blocks separate start and goal.
const MAX_EXCESS: usize = 2;

/// A map as the model sees it.
#[derive(Debug, Clone)]
pub struct Reduction {
    blocks: Blocks,
    // Shared: the same blocks serve many starts.
    map: Arc<Costmap>,
    start: Cell,
    goal: Cell,
    start_leg: Vec<Cell>,
    goal_leg: Vec<Cell>,
    passages: Arc<Passages>,
    /// What of the full map the blocks were laid over.
    window: Bounds,
    full: Geometry,
}

impl Reduction {
    /// Reduces a problem's map to at most `max_tokens` tokens of a model with these patches, or to at
    /// most twice as many if blocks that coarse separate the start from the goal. `None` if blocks
    /// that fine still do. For sparse patches only cells that can be reached count.
    ///
    /// Takes the coarsest factor that connects them and at which most free cells lie in blocks that are
    /// free altogether, or, if none is so fine, the finest that connects them; and of the ways to lay
    /// the blocks the one with the most such cells.
    pub fn new(problem: &Problem<'_>, max_tokens: usize, patches: Patches) -> Option<Self> {
        let never = Termination::never();
        Self::within(problem, max_tokens, patches, |_| true, &never)
    }

    /// The same of those cells alone that `is_inside`; all others count as blocked. `None` also if it
    /// was stopped.
    pub(super) fn within(
        problem: &Problem<'_>,
        max_tokens: usize,
        patches: Patches,
        is_inside: impl Fn(Cell) -> bool,
        termination: &Termination,
    ) -> Option<Self> {
        let window = problem.reach.bounds();
        let width = problem.map().geometry().width();
        let is_free = |row: usize, col: usize| {
            problem.is_reachable(row * width + col) && is_inside(Cell::new(row, col))
        };
        let free = FreeCounts::new(window, is_free, termination)?;
        let max_cells = max_tokens.saturating_mul(patches.side * patches.side);
        let count = |factor: usize| {
            let all = Blocks::new(&window, factor, (0, 0)).count();
            if patches.sparse {
                let free = free.all().div_ceil(factor * factor);
                free.max(all / EMPTY_PER_FREE)
            } else {
                all
            }
        };
        let mut factor = 1;
        while count(factor) > max_cells {
            factor += 1;
        }
        let least = (WHOLE * free.all() as f64).ceil() as usize;
        let connecting = |layouts: Layouts| layouts.connecting(problem, &free, termination);
        let mut layout = None;
        // Those that are not fine enough, the finest last.
        let mut coarse = Vec::new();
        while layout.is_none()
            && factor > 0
            && count(factor) <= max_cells.saturating_mul(MAX_EXCESS)
        {
            if termination.reason().is_some() {
                return None;
            }
            let layouts = Layouts::new(&window, factor, &free, termination)?;
            if layouts.whole() >= least {
                layout = connecting(layouts);
            } else {
                coarse.push(layouts);
            }
            factor -= 1;
        }
        let layout = layout.or_else(|| coarse.into_iter().rev().find_map(connecting))?;
        Self::of(problem, window, layout, termination)
    }

    /// A problem's map in blocks, which were laid over a window of it; `None` if it was stopped.
    fn of(
        problem: &Problem<'_>,
        window: Bounds,
        layout: Layout,
        termination: &Termination,
    ) -> Option<Self> {
        let geometry = Geometry::unit(layout.blocks.cols, layout.blocks.rows).ok()?;
        let costs = (0..layout.blocks.count())
            .map(|index| {
                let begins_row = index % layout.blocks.cols == 0;
                if begins_row && termination.reason().is_some() {
                    return None;
                }
                let is_open = layout.passages.is_open(index);
                Some(pooled_cost(problem, &layout.blocks, index, is_open))
            })
            .collect::<Option<_>>()?;
        Some(Self {
            map: Arc::new(Costmap::new(geometry, costs).ok()?),
            blocks: layout.blocks,
            start: layout.start.block,
            goal: layout.goal.block,
            start_leg: layout.start.cells,
            goal_leg: layout.goal.cells,
            passages: Arc::new(layout.passages),
            window,
            full: *problem.map().geometry(),
        })
    }

    /// The same for another start on the same map: that of this problem. `None` if no leg leads from it
    /// to an open block.
    pub(super) fn starting_at(&self, problem: &Problem<'_>) -> Option<Self> {
        let legs = Legs {
            problem,
            blocks: &self.blocks,
            passages: &self.passages,
        };
        let leg = legs.from(problem.start_cell).next()?;
        Some(Self {
            start: leg.block,
            start_leg: leg.cells,
            ..self.clone()
        })
    }

    /// The same blocks on a map that has changed since, for a problem with the same goal. `None` if
    /// they do not connect its start with the goal there, or no longer cover all that can be reached, or
    /// if it was stopped.
    pub(super) fn on(&self, problem: &Problem<'_>, termination: &Termination) -> Option<Self> {
        let (window, full) = (problem.reach.bounds(), problem.map().geometry());
        if window != self.window || *full != self.full {
            return None;
        }
        let is_free = |row: usize, col: usize| problem.is_reachable(row * full.width() + col);
        let free = FreeCounts::new(window, is_free, termination)?;
        let layout = Layout::new(problem, self.blocks, &free, termination)?;
        let same = Self::of(problem, window, layout, termination)?;
        (same.goal == self.goal).then_some(same)
    }

    /// f, cells of the map along each side of one cell here.
    pub fn factor(&self) -> usize {
        self.blocks.factor
    }

    /// The map that the model sees, in cells of unit size.
    pub fn map(&self) -> &Costmap {
        &self.map
    }

    /// Where plans on [`Reduction::map`] begin.
    pub fn start(&self) -> Cell {
        self.start
    }

    /// Where they end.
    pub fn goal(&self) -> Cell {
        self.goal
    }

    /// The cell of the full map that stands for one of [`Reduction::map`]: for a free one the place
    /// where plans go through it, for a blocked one its middle.
    pub fn place(&self, cell: Cell) -> Cell {
        let place = self.passages.place(self.blocks.index(cell));
        place.unwrap_or_else(|| self.blocks.centre(cell))
    }

    /// The plan on the problem's full map that follows a plan on [`Reduction::map`], which begins at
    /// its start. It goes on to the problem's goal if the plan ends at [`Reduction::goal`], and ends
    /// early at a move that is not legal. No cell comes twice: what lies between two visits is left out.
    pub fn expand(&self, problem: &Problem<'_>, plan: &[Cell]) -> Vec<Cell> {
        let mut path = LoopFree::default();
        self.start_leg.iter().for_each(|&cell| path.push(cell));
        let mut here = self.start;
        let mut places = vec![self.place(here)];
        for &block in plan {
            if block == here {
                continue;
            }
            let ends = (self.place(here), self.place(block));
            let Some(way) = way_within(problem, ends, self.blocks.span(here, block)) else {
                return path.cells;
            };
            for cell in way {
                path.push(cell);
            }
            here = block;
            places.push(self.place(here));
        }
        if plan.last() == Some(&self.goal) {
            self.goal_leg.iter().for_each(|&cell| path.push(cell));
        }
        if self.factor() == 1 {
            return path.cells;
        }
        straight_ends(problem, path.cells, &places)
    }

    /// Values per cell of [`Reduction::map`] as values per cell of the problem's full map, NaN where the
    /// model saw nothing or a blocked cell.
    pub fn spread(&self, problem: &Problem<'_>, values: &[f32]) -> Vec<f32> {
        let mut full = vec![f32::NAN; self.full.cells()];
        for (index, &value) in values.iter().enumerate() {
            if !self.passages.is_open(index) {
                continue;
            }
            let (rows, cols) = self.blocks.cells(self.blocks.block(index));
            for row in rows {
                for col in cols.clone() {
                    let cell = row * self.full.width() + col;
                    if problem.is_reachable(cell) {
                        full[cell] = value;
                    }
                }
            }
        }
        full
    }
}

/// The cost of a block: the mean of its cells that can be entered if it is open, unknown cells counting
/// as 0 (as they do in [`crate::search::Rules`]). Blocks of unknown cells alone stay unknown, unless that
/// would make a blocked one free.
fn pooled_cost(problem: &Problem<'_>, blocks: &Blocks, index: usize, is_open: bool) -> Cost {
    let map = problem.map();
    let rules = problem.snapshot().rules();
    let (rows, cols) = blocks.cells(blocks.block(index));
    let width = map.geometry().width();
    let costs = || {
        rows.clone()
            .flat_map(|row| &map.costs()[row * width..][cols.clone()])
    };
    if is_open == rules.allow_unknown() && costs().all(|&cost| cost == Cost::UNKNOWN) {
        return Cost::UNKNOWN;
    }
    if !is_open {
        return Cost::LETHAL;
    }
    let (mut sum, mut entered) = (0, 0);
    for &cost in costs().filter(|&&cost| rules.multiplier(cost).is_some()) {
        sum += if cost == Cost::UNKNOWN {
            0
        } else {
            usize::from(cost.0)
        };
        entered += 1;
    }
    // The passage of an open block has a cell at least.
    Cost(((sum + entered / 2) / entered.max(1)) as u8)
}
