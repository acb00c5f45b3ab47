//! The complete search: the oracle, the fallback and the source of every label.
//!
//! In go a [`Costmap`](crate::grid::Costmap), cells and [`Rules`]; out come a [`Field`] (the travel
//! cost from every cell to one goal) or one optimal path. Both are exact: no approximation, no
//! weighting of the heuristic, no smoothing. Nothing here knows tensors, robots or middleware.
//!
//! The travel cost of a move is its octile length times `1 + cost_weight * cost / 252`, where `cost`
//! is that of the cell entered (see [`Rules::multiplier`]). Moves are those of
//! [`Costmap::legal_move`](crate::grid::Costmap::legal_move): no corner cutting, and the cost of the
//! cell left never matters, so a path may start in a blocked cell.

mod astar;
mod buckets;
mod dijkstra;
mod field;
mod marks;
mod moves;
mod pruning;
mod rules;
mod termination;
mod workspace;

pub use astar::{Outcome, PathFound};
pub use field::Field;
pub use rules::{MAX_COST_WEIGHT, Rules};
pub use termination::{Stop, Termination};
pub use workspace::Search;

/// Travel costs closer than this, relative to the larger one, count as equal. Sums of a million
/// rounded terms stay well inside it; real differences between octile lengths stay well outside.
pub const RELATIVE_TOLERANCE: f64 = 1e-9;
