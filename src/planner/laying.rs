//! Laying blocks over a map so that they connect the start with the goal.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::Problem;
use super::passages::Passages;
use super::pooling::{Blocks, FreeCounts};
use super::regions::{Bounds, Regions};
use super::way::{straight_line, way_within};
use crate::grid::Cell;
use crate::search::Termination;

/// How many blocks away from the start's or goal's own block a leg may end.
pub(super) const LEG_SPAN: usize = 3;
/// Ways to lay the blocks that are tried along each axis.
const PHASES: usize = 4;

/// The ways to lay blocks of one size, those with the most cells in blocks that are free altogether first.
pub(super) struct Layouts(Vec<(usize, Blocks)>);

impl Layouts {
    /// `None` if it was stopped.
    pub fn new(
        window: &Bounds,
        factor: usize,
        free: &FreeCounts,
        termination: &Termination,
    ) -> Option<Self> {
        let skips: Vec<_> = skips(factor).collect();
        let layouts: Option<Vec<(usize, Blocks)>> = skips
            .into_par_iter()
            .map(|skip| {
                let blocks = Blocks::new(window, factor, skip);
                let is_stopped = termination.reason().is_some();
                (!is_stopped).then(|| (free.in_whole_blocks(&blocks), blocks))
            })
            .collect();
        let mut layouts = layouts?;
        // Stable: of equals the first, on any number of threads.
        layouts.sort_by_key(|(whole, _)| Reverse(*whole));
        Some(Self(layouts))
    }

    /// Cells in blocks that are free altogether, at most.
    pub fn whole(&self) -> usize {
        self.0.first().map_or(0, |(whole, _)| *whole)
    }

    /// The first that connects the problem's start with its goal; `None` also if it was stopped.
    pub fn connecting(
        self,
        problem: &Problem<'_>,
        free: &FreeCounts,
        termination: &Termination,
    ) -> Option<Layout> {
        let mut all = self.0.into_iter().map(|(_, blocks)| blocks);
        let layout = |blocks| Layout::new(problem, blocks, free, termination);
        // Mostly it is the very first.
        let first = all.next().and_then(layout);
        first.or_else(|| {
            all.collect::<Vec<_>>()
                .into_par_iter()
                .find_map_first(layout)
        })
    }
}

/// One way to lay the blocks, with what connects start and goal.
pub(super) struct Layout {
    pub blocks: Blocks,
    pub passages: Passages,
    pub start: Leg,
    /// From the block to the goal.
    pub goal: Leg,
}

impl Layout {
    /// These blocks, if they connect the start with the goal; `None` also if it was stopped.
    pub fn new(
        problem: &Problem<'_>,
        blocks: Blocks,
        free: &FreeCounts,
        termination: &Termination,
    ) -> Option<Self> {
        let passages = Passages::new(&blocks, free, problem.map().geometry(), termination)?;
        let regions = Regions::new(blocks.cols, blocks.rows, |index| passages.is_open(index));
        let region = |leg: &Leg| regions.of(blocks.index(leg.block));
        let legs = Legs {
            problem,
            blocks: &blocks,
            passages: &passages,
        };
        let goals: Vec<Leg> = legs.from(problem.goal_cell).collect();
        let (start, goal) = legs.from(problem.start_cell).find_map(|start| {
            let goal = goals.iter().find(|goal| region(goal) == region(&start))?;
            Some((start, goal.clone()))
        })?;
        Some(Self {
            blocks,
            passages,
            start,
            goal: Leg {
                block: goal.block,
                cells: goal.cells.into_iter().rev().collect(),
            },
        })
    }
}

/// Where to begin the first block: (rows, columns) to skip, spread over a block.
fn skips(factor: usize) -> impl Iterator<Item = (usize, usize)> {
    let step = factor.div_ceil(PHASES);
    let along = move || (0..factor).step_by(step);
    along().flat_map(move |rows| along().map(move |cols| (rows, cols)))
}

/// The cells between the start or the goal and the place of an open block.
#[derive(Clone)]
pub(super) struct Leg {
    pub block: Cell,
    pub cells: Vec<Cell>,
}

/// Where legs may lead.
pub(super) struct Legs<'a> {
    pub problem: &'a Problem<'a>,
    pub blocks: &'a Blocks,
    pub passages: &'a Passages,
}

impl Legs<'_> {
    /// The legs from a cell to the open blocks near it, those to the nearest first: straight lines, and
    /// to the blocks beside its own the best way inside these blocks.
    pub fn from(&self, cell: Cell) -> impl Iterator<Item = Leg> {
        // With one cell to a block there is nothing to connect.
        let span = if self.blocks.factor == 1 { 0 } else { LEG_SPAN };
        let place = |block| Some((block, self.passages.place(self.blocks.index(block))?));
        let near = self.blocks.around(cell, span);
        let mut near: Vec<(Cell, Cell)> = near.filter_map(place).collect();
        near.sort_by_key(|(_, place)| {
            let (rows, cols) = (place.row.abs_diff(cell.row), place.col.abs_diff(cell.col));
            rows * rows + cols * cols
        });
        let own = self.blocks.nearest(cell);
        near.into_iter().filter_map(move |(block, place)| {
            let is_beside = own.row.abs_diff(block.row).max(own.col.abs_diff(block.col)) <= 1;
            let cells = if is_beside {
                let around = self.blocks.span(own, block);
                let around = around.around(Bounds::of_cell(cell.row, cell.col));
                way_within(self.problem, (cell, place), around)
            } else {
                straight_line(self.problem, (cell, place))
            };
            Some(Leg {
                block,
                cells: cells?,
            })
        })
    }
}
