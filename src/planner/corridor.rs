//! Corridors: the cells near plans.

use super::Problem;
use super::regions::Bounds;
use crate::grid::{Cell, Cost, Costmap, Geometry};
use crate::search::{self, Field, Rules, Search, Termination};

/// The cells near one plan, or near several.
pub(super) struct Corridor {
    bounds: Bounds,
    /// Of the cells in the bounds, row-major, which belong to it.
    inside: Vec<bool>,
}

impl Corridor {
    /// All cells at most `margin` rows and columns away from a cell of the plans. `None` for plans of
    /// no cells.
    pub fn around(geometry: &Geometry, plans: &[&[Cell]], margin: usize) -> Option<Self> {
        let cells = || plans.iter().copied().flatten();
        let near = |cell: &Cell| Bounds {
            bottom: cell.row.saturating_sub(margin),
            top: (cell.row + margin).min(geometry.height() - 1),
            left: cell.col.saturating_sub(margin),
            right: (cell.col + margin).min(geometry.width() - 1),
        };
        let bounds = cells().map(near).reduce(Bounds::around)?;
        let width = bounds.width();
        let mut inside = vec![false; bounds.height() * width];
        for cell in cells() {
            inside[(cell.row - bounds.bottom) * width + cell.col - bounds.left] = true;
        }
        let inside = widened_rows(&inside, width, margin);
        let inside = widened_cols(&inside, width, margin);
        Some(Self { bounds, inside })
    }

    /// All cells of a rectangle of the map.
    pub fn rectangle(bounds: Bounds) -> Self {
        let inside = vec![true; bounds.height() * bounds.width()];
        Self { bounds, inside }
    }

    /// Whether a cell belongs to it.
    pub fn contains(&self, cell: Cell) -> bool {
        let within = within(&self.bounds, cell);
        within.is_some_and(|cell| self.inside[cell.row * self.bounds.width() + cell.col])
    }

    /// The best plan from the problem's start to its goal that stays inside, by an exact search of
    /// these cells alone. `None` if there is none, or if it was stopped.
    pub fn best_plan(
        &self,
        problem: &Problem<'_>,
        search: &mut Search,
        termination: &Termination,
    ) -> Option<Vec<Cell>> {
        let ends = (problem.start_cell, problem.goal_cell);
        self.best_way(problem, ends, search, termination)
    }

    /// The same between any two cells of the problem's map.
    pub fn best_way(
        &self,
        problem: &Problem<'_>,
        (from, to): (Cell, Cell),
        search: &mut Search,
        termination: &Termination,
    ) -> Option<Vec<Cell>> {
        let map = self.cut(problem.map())?;
        let (from, to) = (within(&self.bounds, from)?, within(&self.bounds, to)?);
        let rules = problem.snapshot().rules();
        match search.path(&map, from, to, rules, termination) {
            Ok(search::Outcome::Found(path)) => Some(all_placed(&self.bounds, &path.cells)),
            _ => None,
        }
    }

    /// The best plans that stay inside, from all its cells to one goal, by one exact search of these
    /// cells alone. `None` for a goal outside, or if it was stopped.
    pub fn best_plans(
        &self,
        map: &Costmap,
        goal: Cell,
        rules: &Rules,
        search: &mut Search,
        termination: &Termination,
    ) -> Option<BestPlans> {
        let map = self.cut(map)?;
        let goal = within(&self.bounds, goal)?;
        let field = search.field_in_time(&map, goal, rules, termination)?;
        Some(BestPlans {
            bounds: self.bounds,
            map,
            field,
        })
    }

    /// Its part of a map; what is not inside is lethal.
    fn cut(&self, map: &Costmap) -> Option<Costmap> {
        let (bounds, width) = (self.bounds, self.bounds.width());
        let mut costs = vec![Cost::LETHAL; self.inside.len()];
        for (row, (costs, inside)) in costs
            .chunks_exact_mut(width)
            .zip(self.inside.chunks_exact(width))
            .enumerate()
        {
            let first = (bounds.bottom + row) * map.geometry().width() + bounds.left;
            let of_map = &map.costs()[first..first + width];
            for ((cost, &inside), &of_map) in costs.iter_mut().zip(inside).zip(of_map) {
                if inside {
                    *cost = of_map;
                }
            }
        }
        Costmap::new(Geometry::unit(width, bounds.height()).ok()?, costs).ok()
    }
}

/// The best plans of a corridor to one goal.
pub(super) struct BestPlans {
    bounds: Bounds,
    map: Costmap,
    field: Field,
}

impl BestPlans {
    /// Where all of them lead, a cell of the map.
    pub fn goal(&self) -> Cell {
        placed(&self.bounds, self.field.goal())
    }

    /// The one from this cell; `None` if the corridor has none from there.
    pub fn from(&self, start: Cell, rules: &Rules) -> Option<Vec<Cell>> {
        let start = within(&self.bounds, start)?;
        let cells = self.field.path_from(&self.map, rules, start)?;
        Some(all_placed(&self.bounds, &cells))
    }
}

/// A cell of the map as one of the bounds, if it is.
fn within(bounds: &Bounds, cell: Cell) -> Option<Cell> {
    let is_inside = (bounds.bottom..=bounds.top).contains(&cell.row)
        && (bounds.left..=bounds.right).contains(&cell.col);
    is_inside.then(|| Cell::new(cell.row - bounds.bottom, cell.col - bounds.left))
}

/// A cell of the bounds as one of the map.
fn placed(bounds: &Bounds, cell: Cell) -> Cell {
    Cell::new(cell.row + bounds.bottom, cell.col + bounds.left)
}

fn all_placed(bounds: &Bounds, cells: &[Cell]) -> Vec<Cell> {
    cells.iter().map(|&cell| placed(bounds, cell)).collect()
}

/// Marks, row-major, and whatever is at most `margin` columns beside them.
fn widened_rows(marks: &[bool], width: usize, margin: usize) -> Vec<bool> {
    let mut widened = vec![false; marks.len()];
    for (marks, widened) in marks
        .chunks_exact(width)
        .zip(widened.chunks_exact_mut(width))
    {
        let mut done = 0;
        for col in (0..width).filter(|&col| marks[col]) {
            let end = (col + margin + 1).min(width);
            widened[done.max(col.saturating_sub(margin))..end].fill(true);
            done = end;
        }
    }
    widened
}

/// Marks, row-major, and whatever is at most `margin` rows above or below them.
fn widened_cols(marks: &[bool], width: usize, margin: usize) -> Vec<bool> {
    let rows: Vec<&[bool]> = marks.chunks_exact(width).collect();
    // Of each column, how many marks are near the present row: rows, not columns, lie together in memory.
    let mut near = vec![0_u32; width];
    let mut widened = vec![false; marks.len()];
    for row in rows.iter().take(margin) {
        for (near, &mark) in near.iter_mut().zip(*row) {
            *near += u32::from(mark);
        }
    }
    for (row, widened) in widened.chunks_exact_mut(width).enumerate() {
        if let Some(comes) = rows.get(row + margin) {
            for (near, &mark) in near.iter_mut().zip(*comes) {
                *near += u32::from(mark);
            }
        }
        for (widened, &near) in widened.iter_mut().zip(&near) {
            *widened = near > 0;
        }
        if let Some(goes) = row.checked_sub(margin).map(|row| rows[row]) {
            for (near, &mark) in near.iter_mut().zip(goes) {
                *near -= u32::from(mark);
            }
        }
    }
    widened
}
