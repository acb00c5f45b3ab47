//! One optimal path by A* (Hart, Nilsson, Raphael 1968) under the octile heuristic.
//!
//! The estimate of a cell's whole path is the travel cost so far plus the octile distance to the
//! goal. No move costs less than its length, so the heuristic is consistent: estimates never fall
//! along a path. But they can stay the same, so unlike in a field a cell can be reached more
//! cheaply from its own bucket after it was expanded. It is then expanded again; a bucket is left
//! only when it is empty, and at that point all its costs are final.

use super::marks::Mark;
use super::moves::{index_steps, legal_from_traversable, traversable_neighbours};
use super::pruning::onward_moves;
use super::workspace::{Search, check_goal, max_move_cost};
use super::{RELATIVE_TOLERANCE, Rules, Stop, Termination};
use crate::Result;
use crate::grid::{Cell, Costmap, Geometry, Move, Moves};

/// Expansions between two looks at the clock and the cancel flag: some 0.1 ms.
const EXPANSIONS_PER_POLL: u64 = 1024;

/// Buckets per cell of estimated travel cost. Finer buckets expand fewer cells before their cost is
/// final. Measured at 1, 2, 4 .. 64 on MovingAI's maps: without costs the time no longer falls from
/// 2 on; with costs (weight 3) it halves up to 16, where 10 % more cells are expanded than by a heap.
const LEVELS_PER_CELL: f64 = 16.0;

/// A path, and what it took to find it.
#[derive(Debug, Clone, PartialEq)]
pub struct PathFound {
    /// From start to goal, both included.
    pub cells: Vec<Cell>,
    /// In cells.
    pub travel_cost: f64,
    /// Octile length in cells.
    pub length: f64,
    /// Cells expanded, counted each time.
    pub expansions: u64,
}

/// How a search for a path ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// An optimal path.
    Found(PathFound),
    /// There is none.
    Unreachable,
    /// The termination's condition came true first; whether there is a path stays open.
    Stopped(Stop),
}

impl Search {
    /// An optimal path from `start` to `goal`, the same one every time. The start may be blocked.
    ///
    /// Touches only memory of cells it visits, so short paths on large maps are cheap. Its travel
    /// cost is within [`RELATIVE_TOLERANCE`] of the field's; an iteration of `termination` is an
    /// expansion.
    ///
    /// # Errors
    /// [`Error::CellOutside`](crate::Error::CellOutside) for start or goal,
    /// [`Error::GoalBlocked`](crate::Error::GoalBlocked), and
    /// [`Error::TooManyCells`](crate::Error::TooManyCells) for maps of 2^32 cells or more.
    pub fn path(
        &mut self,
        map: &Costmap,
        start: Cell,
        goal: Cell,
        rules: &Rules,
        termination: &Termination,
    ) -> Result<Outcome> {
        map.geometry().check_inside(start)?;
        check_goal(map, goal, rules)?;
        let geometry = map.geometry();
        let multipliers = rules.multipliers();
        let moves = rules.moves();
        let steps = index_steps(geometry.width());
        let generation = self.next_generation(geometry.cells());
        // A move raises the estimate by its cost and by at most its length.
        let max_rise = max_move_cost(rules) + std::f64::consts::SQRT_2;
        self.queue.reset(max_rise * LEVELS_PER_CELL);

        let (start_index, goal_index) = (geometry.index(start), geometry.index(goal));
        // Levels count from the start's estimate, so that the first bucket is the first level.
        let lowest = start.octile_distance(goal);
        self.marks[start_index] = Mark::start(generation);
        self.costs[start_index] = 0.0;
        self.queue.push(0, start_index as u32);

        let mut expansions = 0;
        let mut next_poll = 0;
        // Estimates from here on cannot improve the best path so far.
        let mut bound = if start == goal { 0.0 } else { f64::INFINITY };
        loop {
            if expansions >= next_poll {
                if let Some(stop) = termination.reason_after(expansions) {
                    return Ok(Outcome::Stopped(stop));
                }
                let max = termination.max_iterations().unwrap_or(u64::MAX);
                next_poll = (expansions + EXPANSIONS_PER_POLL).min(max);
            }
            let Some((level, index)) = self.queue.pop() else {
                break;
            };
            if lowest + level as f64 / LEVELS_PER_CELL >= bound {
                break;
            }
            let index = index as usize;
            let mark = &mut self.marks[index];
            if mark.is_expanded() {
                continue; // expanded from a lower bucket since
            }
            mark.set_expanded();
            let entered_by = mark.entered_by();
            let cost = self.costs[index];
            expansions += 1;

            let cell = cell_of(geometry, index);
            let traversable = traversable_neighbours(map, cell, rules.allow_unknown());
            let multiplier_at = |index: usize| multipliers[map.costs()[index].0 as usize];
            let beyond = |mv: Move| index.wrapping_add_signed(steps[mv.index()]);
            let mut onward = match entered_by {
                // What pruning leaves out, it leaves to a path that may need a diagonal.
                _ if moves == Moves::Four => legal_from_traversable(traversable) & moves.set(),
                None => legal_from_traversable(traversable),
                Some(mv) => onward_moves(mv, traversable, multiplier_at(index), |mv| {
                    multiplier_at(beyond(mv))
                }),
            };
            while onward != 0 {
                let mv = Move::from_index(onward.trailing_zeros() as usize);
                onward &= onward - 1;
                let target = beyond(mv);
                let through = cost + mv.length() * multiplier_at(target);
                let mark = &mut self.marks[target];
                if mark.is_of(generation) && self.costs[target] <= through {
                    continue;
                }
                let (rows, cols) = mv.step();
                let target_cell = Cell {
                    row: cell.row.wrapping_add_signed(rows),
                    col: cell.col.wrapping_add_signed(cols),
                };
                let estimate = through + target_cell.octile_distance(goal);
                if estimate >= bound {
                    continue;
                }
                *mark = Mark::entered(generation, mv);
                self.costs[target] = through;
                if target == goal_index {
                    bound = through * (1.0 - RELATIVE_TOLERANCE);
                    continue;
                }
                // Rounding can put an estimate a hair under the one it came from.
                let target_level = ((estimate - lowest) * LEVELS_PER_CELL) as u64;
                self.queue.push(target_level.max(level), target as u32);
            }
        }
        if bound == f64::INFINITY {
            return Ok(Outcome::Unreachable);
        }
        let cells = self.trace(geometry, start, goal);
        Ok(Outcome::Found(PathFound {
            travel_cost: self.costs[goal_index],
            length: length(&cells),
            cells,
            expansions,
        }))
    }

    /// Makes all marks those of earlier calls, and says the generation of this one.
    fn next_generation(&mut self, cells: usize) -> u32 {
        if self.marks.len() < cells {
            self.marks.resize(cells, Mark::default());
            self.costs.resize(cells, 0.0);
        }
        self.generation += 1;
        if self.generation > Mark::MAX_GENERATION {
            // Marks of calls long ago would come true again.
            self.marks.fill(Mark::default());
            self.generation = 1;
        }
        self.generation
    }

    /// The cells from `start` to `goal` by the moves that entered them.
    fn trace(&self, geometry: &Geometry, start: Cell, goal: Cell) -> Vec<Cell> {
        let mut cells = vec![goal];
        let mut cell = goal;
        while cell != start {
            let entered_by = self.marks[geometry.index(cell)].entered_by();
            // Every cell but the start was entered from a cell of the grid.
            let Some(before) = entered_by.and_then(|mv| geometry.neighbour(cell, mv.opposite()))
            else {
                break;
            };
            cell = before;
            cells.push(cell);
        }
        cells.reverse();
        cells
    }
}

/// As [`Geometry::cell`], by a 32-bit division: indices fit, and it is several times faster.
#[inline]
fn cell_of(geometry: &Geometry, index: usize) -> Cell {
    let (index, width) = (index as u32, geometry.width() as u32);
    Cell {
        row: (index / width) as usize,
        col: (index % width) as usize,
    }
}

/// The octile length of a path in cells.
fn length(cells: &[Cell]) -> f64 {
    let diagonal = |pair: &&[Cell]| pair[0].row != pair[1].row && pair[0].col != pair[1].col;
    let diagonals = cells.windows(2).filter(diagonal).count();
    let straights = cells.len() - 1 - diagonals;
    straights as f64 + diagonals as f64 * std::f64::consts::SQRT_2
}
