//! One way out of several: their best pieces between the cells where they meet.
//!
//! What later segments, other images of a map or other scales make of a problem is mistaken in other places.
//! Each of it is followed as long as it is the cheapest way on; no move is made that is in none of them.
//! Ways that do not arrive count too: one from the start may meet one that comes from the goal.

use std::collections::HashMap;

use super::least_first::LeastFirst;
use super::path::cost_of_moves;
use crate::grid::{Cell, Costmap};
use crate::search::Rules;

/// The way of the lowest travel cost from one cell to the other along the moves of these ways; `None` if
/// they do not lead there. The moves are taken as they are: who has them made, verifies.
pub(super) fn put_together<'a>(
    map: &Costmap,
    rules: &Rules,
    (start, goal): (Cell, Cell),
    ways: impl Iterator<Item = &'a [Cell]>,
) -> Option<Vec<Cell>> {
    let mut onward: HashMap<Cell, Vec<(Cell, f64)>> = HashMap::new();
    for way in ways {
        for step in way.windows(2) {
            let moves = onward.entry(step[0]).or_default();
            if moves.iter().all(|&(to, _)| to != step[1]) {
                moves.push((step[1], cost_of_moves(map, rules, step)));
            }
        }
    }
    let mut reached: HashMap<Cell, (f64, Cell)> = HashMap::from([(start, (0.0, start))]);
    let mut waiting = LeastFirst::new();
    waiting.push(0.0, start);
    while let Some((cost, here)) = waiting.pop() {
        if here == goal {
            break;
        }
        if reached.get(&here).is_some_and(|&(least, _)| cost > least) {
            continue;
        }
        for &(to, step) in onward.get(&here).map_or(&[][..], Vec::as_slice) {
            let cost = cost + step;
            if reached.get(&to).is_none_or(|&(known, _)| cost < known) {
                reached.insert(to, (cost, here));
                waiting.push(cost, to);
            }
        }
    }
    let mut cells = vec![goal];
    while let Some(&last) = cells.last().filter(|&&last| last != start) {
        cells.push(reached.get(&last)?.1);
    }
    cells.reverse();
    Some(cells)
}
