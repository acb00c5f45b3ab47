//! What the model sees of a map, and how its plans come back to the map.
//!
//! A model looks at every cell in every segment, so it gets as few as possible: only the rectangle
//! around what the start can reach, everything else in it blocked; and if that is still too much,
//! blocks of f x f cells as one cell each (see [`super::pooling`]). Start and goal need not lie in
//! free blocks: a straight line of cells, a leg, connects each with the centre of a free block
//! nearby. A plan over blocks becomes one over cells by stepping from centre to centre. With f = 1
//! all of this changes nothing.
//!
//! Nothing here searches: whether the blocks connect start and goal is asked of their regions.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Problem;
use super::line::legal_line;
use super::pooling::{Blocks, FreeCounts};
use super::regions::{Bounds, Regions};
use crate::grid::{Cell, Cost, Costmap, Geometry};
use crate::model::Patches;
use crate::search::Termination;

/// How many blocks away from the start's or goal's own block a leg may end.
const LEG_SPAN: usize = 3;
/// Ways to lay the blocks that are tried along each axis.
const PHASES: usize = 4;
/// Read-outs of sparse models have a place for blocked cells too: so many count as one free cell.
const EMPTY_PER_FREE: usize = 16;
/// Blocks should hold this share of the free cells at least: where they hold less, passages are
/// closed, and the way that is left may be a detour.
const KEPT: f64 = 0.7;
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
    is_free: Arc<[bool]>,
    /// What of the full map the blocks were laid over.
    window: Bounds,
    full: Geometry,
}

impl Reduction {
    /// Reduces a problem's map to at most `max_tokens` tokens of a model with these patches, or to at
    /// most twice as many if blocks that coarse separate the start from the goal. `None` if blocks
    /// that fine still do. For sparse patches only cells that can be reached count.
    ///
    /// Takes the coarsest factor that connects them and keeps most of the free cells, or, if none
    /// keeps so many, the coarsest that connects them; and of the ways to lay the blocks the one with
    /// the most free cells.
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
        let free = FreeCounts::new(window, |row, col| {
            problem.is_reachable(row * width + col) && is_inside(Cell::new(row, col))
        });
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
        let mut coarser: Option<Layout> = None;
        while factor > 0 && count(factor) <= max_cells.saturating_mul(MAX_EXCESS) {
            let skips: Vec<_> = skips(factor).collect();
            let layouts: Vec<Option<Layout>> = skips
                .into_par_iter()
                .map(|skip| match termination.reason() {
                    Some(_) => None,
                    None => Layout::new(problem, Blocks::new(&window, factor, skip), &free),
                })
                .collect();
            if termination.reason().is_some() {
                return None;
            }
            // Of those with equally many free blocks the first, on any number of threads.
            let mut best: Option<Layout> = None;
            for layout in layouts.into_iter().flatten() {
                if best.as_ref().is_none_or(|best| layout.free > best.free) {
                    best = Some(layout);
                }
            }
            if let Some(best) = best {
                let kept = (best.free * factor * factor) as f64 / free.all().max(1) as f64;
                if kept >= KEPT {
                    return best.into_reduction(problem, window);
                }
                coarser = coarser.or(Some(best));
            }
            factor -= 1;
        }
        coarser?.into_reduction(problem, window)
    }

    /// The same for another start on the same map: that of this problem. `None` if no free block is
    /// in a straight line with it.
    pub(super) fn starting_at(&self, problem: &Problem<'_>) -> Option<Self> {
        let start = problem.start_cell;
        let allow_unknown = problem.snapshot().rules().allow_unknown();
        let near = nearest_free(&self.blocks, &self.is_free, start);
        let (block, leg) = near.into_iter().find_map(|block| {
            let centre = self.blocks.centre(block);
            let leg = legal_line(problem.map(), start, centre, allow_unknown)?;
            Some((block, leg))
        })?;
        Some(Self {
            start: block,
            start_leg: leg,
            ..self.clone()
        })
    }

    /// The same blocks on a map that has changed since, for a problem with the same goal. `None` if
    /// they do not connect its start with the goal there, or no longer cover all that can be reached.
    pub(super) fn on(&self, problem: &Problem<'_>) -> Option<Self> {
        let (window, full) = (problem.reach.bounds(), problem.map().geometry());
        if window != self.window || *full != self.full {
            return None;
        }
        let free = FreeCounts::new(window, |row, col| {
            problem.is_reachable(row * full.width() + col)
        });
        let layout = Layout::new(problem, self.blocks, &free)?;
        let same = layout.into_reduction(problem, window)?;
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

    /// The cell of the full map in the middle of a cell of [`Reduction::map`].
    pub fn centre(&self, cell: Cell) -> Cell {
        self.blocks.centre(cell)
    }

    /// The plan on the full map that follows a plan on [`Reduction::map`], which begins at its
    /// start. It goes on to the problem's goal if the plan ends at [`Reduction::goal`]. No cell
    /// comes twice: what lies between two visits is left out.
    pub fn expand(&self, plan: &[Cell]) -> Vec<Cell> {
        let mut path = LoopFree::default();
        self.start_leg.iter().for_each(|&cell| path.push(cell));
        let mut here = self.blocks.centre(self.start);
        for &block in plan {
            let centre = self.blocks.centre(block);
            while here != centre {
                here = Cell::new(
                    step_towards(here.row, centre.row),
                    step_towards(here.col, centre.col),
                );
                path.push(here);
            }
        }
        if plan.last() == Some(&self.goal) {
            self.goal_leg.iter().for_each(|&cell| path.push(cell));
        }
        path.cells
    }

    /// Values per cell of [`Reduction::map`] as values per cell of the full map, NaN where the
    /// model saw nothing or a blocked cell.
    pub fn spread(&self, values: &[f32]) -> Vec<f32> {
        let mut full = vec![f32::NAN; self.full.cells()];
        for (index, (&value, _)) in values
            .iter()
            .zip(self.is_free.iter())
            .enumerate()
            .filter(|(_, (_, is_free))| **is_free)
        {
            let (rows, cols) = self.blocks.cells(self.blocks.block(index));
            for row in rows {
                full[row * self.full.width()..][cols.clone()].fill(value);
            }
        }
        full
    }
}

/// One way to lay the blocks, with what connects start and goal.
struct Layout {
    blocks: Blocks,
    is_free: Vec<bool>,
    /// Free blocks.
    free: usize,
    start: Leg,
    goal: Leg,
}

/// A straight line of cells between the start or the goal and the centre of a free block.
#[derive(Clone)]
struct Leg {
    block: Cell,
    cells: Vec<Cell>,
}

impl Layout {
    /// These blocks, if they connect the start with the goal.
    fn new(problem: &Problem<'_>, blocks: Blocks, counts: &FreeCounts) -> Option<Self> {
        let is_free: Vec<bool> = (0..blocks.count())
            .map(|index| counts.all_free(&blocks, blocks.block(index)))
            .collect();
        let regions = Regions::new(blocks.cols, blocks.rows, |index| is_free[index]);
        let line = |from, to| {
            let allow_unknown = problem.snapshot().rules().allow_unknown();
            legal_line(problem.map(), from, to, allow_unknown)
        };
        let near = |cell| nearest_free(&blocks, &is_free, cell);
        let legs = |blocks_near: Vec<Cell>, line: &dyn Fn(Cell) -> Option<Vec<Cell>>| {
            let leg = |block| line(blocks.centre(block)).map(|cells| Leg { block, cells });
            blocks_near.into_iter().filter_map(leg).collect::<Vec<_>>()
        };
        let (start, goal) = (problem.start_cell, problem.goal_cell);
        let starts = legs(near(start), &|centre| line(start, centre));
        let goals = legs(near(goal), &|centre| line(centre, goal));
        let region = |leg: &Leg| regions.of(blocks.index(leg.block));
        let (start, goal) = starts.iter().find_map(|start| {
            let goal = goals.iter().find(|goal| region(goal) == region(start))?;
            Some((start.clone(), goal.clone()))
        })?;
        Some(Self {
            free: is_free.iter().filter(|&&free| free).count(),
            blocks,
            is_free,
            start,
            goal,
        })
    }

    fn into_reduction(self, problem: &Problem<'_>, window: Bounds) -> Option<Reduction> {
        let geometry = Geometry::unit(self.blocks.cols, self.blocks.rows).ok()?;
        let costs = (0..self.blocks.count())
            .map(|index| pooled_cost(problem, &self.blocks, index, self.is_free[index]))
            .collect();
        Some(Reduction {
            map: Arc::new(Costmap::new(geometry, costs).ok()?),
            blocks: self.blocks,
            start: self.start.block,
            goal: self.goal.block,
            start_leg: self.start.cells,
            goal_leg: self.goal.cells,
            is_free: self.is_free.into(),
            window,
            full: *problem.map().geometry(),
        })
    }
}

/// Where to begin the first block: (rows, columns) to skip, spread over a block.
fn skips(factor: usize) -> impl Iterator<Item = (usize, usize)> {
    let step = factor.div_ceil(PHASES);
    let along = move || (0..factor).step_by(step);
    along().flat_map(move |rows| along().map(move |cols| (rows, cols)))
}

/// The free blocks near a cell, those with the nearest centres first.
fn nearest_free(blocks: &Blocks, is_free: &[bool], cell: Cell) -> Vec<Cell> {
    // With one cell to a block there is nothing to connect.
    let span = if blocks.factor == 1 { 0 } else { LEG_SPAN };
    let mut near: Vec<Cell> = blocks
        .around(cell, span)
        .filter(|&block| is_free[blocks.index(block)])
        .collect();
    near.sort_by_key(|&block| {
        let centre = blocks.centre(block);
        let (rows, cols) = (centre.row.abs_diff(cell.row), centre.col.abs_diff(cell.col));
        rows * rows + cols * cols
    });
    near
}

/// The cost of a block: the mean of its cells if it is free, unknown cells counting as 0 (as they
/// do in [`crate::search::Rules`]). Blocks of unknown cells alone stay unknown, unless that would
/// make a blocked one free.
fn pooled_cost(problem: &Problem<'_>, blocks: &Blocks, index: usize, is_free: bool) -> Cost {
    let map = problem.map();
    let unknown_is_free = problem.snapshot().rules().allow_unknown();
    let (rows, cols) = blocks.cells(blocks.block(index));
    let width = map.geometry().width();
    let costs = rows.flat_map(|row| &map.costs()[row * width..][cols.clone()]);
    let (mut sum, mut known) = (0, 0);
    for cost in costs.filter(|&&cost| cost != Cost::UNKNOWN) {
        sum += usize::from(cost.0);
        known += 1;
    }
    let cells = blocks.factor * blocks.factor;
    match (known, is_free) {
        (0, _) if is_free == unknown_is_free => Cost::UNKNOWN,
        (_, false) => Cost::LETHAL,
        (_, true) => Cost(((sum + cells / 2) / cells) as u8),
    }
}

/// One step from `here` towards `there`.
fn step_towards(here: usize, there: usize) -> usize {
    match here.cmp(&there) {
        std::cmp::Ordering::Less => here + 1,
        std::cmp::Ordering::Equal => here,
        std::cmp::Ordering::Greater => here - 1,
    }
}

/// A path in which every cell comes once.
#[derive(Default)]
struct LoopFree {
    cells: Vec<Cell>,
    places: HashMap<Cell, usize>,
}

impl LoopFree {
    /// Adds a cell, or, if the path has been there, goes back to it.
    fn push(&mut self, cell: Cell) {
        if let Some(&place) = self.places.get(&cell) {
            for left_out in self.cells.drain(place + 1..) {
                self.places.remove(&left_out);
            }
            return;
        }
        self.places.insert(cell, self.cells.len());
        self.cells.push(cell);
    }
}
