//! What a path of cells costs, counted without search or planner: the judge trusts neither.

use crate::grid::{Cell, Costmap, Move};
use crate::search::Rules;

/// The travel cost of a path in cells (see [`Rules::multiplier`]); `None` if it is empty, leaves
/// the map, or makes a move that is not legal
/// or not one of the rules'.
pub fn path_cost(map: &Costmap, rules: &Rules, cells: &[Cell]) -> Option<f64> {
    let geometry = map.geometry();
    let first = cells.first()?;
    if first.row >= geometry.height() || first.col >= geometry.width() {
        return None;
    }
    cells.windows(2).try_fold(0.0, |cost, pair| {
        let mv = Move::between(pair[0], pair[1])?;
        if !rules.moves().contains(mv) {
            return None;
        }
        let target = map.legal_move(pair[0], mv, rules.allow_unknown())?;
        Some(cost + mv.length() * rules.multiplier(map.cost(target))?)
    })
}
