//! Straight lines of cells.

use crate::grid::{Cell, Costmap, Move};

/// The straight line of cells from `from` to `to`, both included, if every move along it is legal.
/// Of the cells that the line passes in each column (or row, if it is steeper) it takes the nearer.
pub(super) fn legal_line(
    map: &Costmap,
    from: Cell,
    to: Cell,
    allow_unknown: bool,
) -> Option<Vec<Cell>> {
    let rows = to.row as i64 - from.row as i64;
    let cols = to.col as i64 - from.col as i64;
    let steps = rows.abs().max(cols.abs());
    // Whole numbers round halves up in one direction only, so that a line is always the same.
    let along = |from: usize, difference: i64, step: i64| {
        from as i64 + (2 * difference * step + steps).div_euclid(2 * steps)
    };
    let mut cells = Vec::with_capacity(steps as usize + 1);
    let mut here = from;
    cells.push(here);
    for step in 1..=steps {
        let next = Cell::new(
            along(from.row, rows, step) as usize,
            along(from.col, cols, step) as usize,
        );
        let mv = Move::ALL
            .into_iter()
            .find(|&mv| map.geometry().neighbour(here, mv) == Some(next))?;
        here = map.legal_move(here, mv, allow_unknown)?;
        cells.push(here);
    }
    Some(cells)
}
