//! Shortcuts at any angle: from a path through cells to one through open space.
//!
//! Of all ways to leave out points of the path the best one is found, where a point may be joined
//! with any of the [`WINDOW`] points before it if the straight line between them is clear; this is
//! repeated with the points left over until nothing changes, so that lines grow beyond the window.
//! The path itself is one of the ways, so its travel cost never rises.

use super::frame::Point;
use super::sight::Sight;
use crate::search::Termination;

/// How many points back a shortcut may begin. Larger windows gain little and cost their square.
const WINDOW: usize = 32;
/// Rounds at most; the points left over fall quickly, and two or three suffice.
const MAX_ROUNDS: usize = 16;
/// Ways closer than this in travel cost, relatively, are equal, and fewer points win.
const EQUAL: f64 = 1e-12;

/// The path with its needless points left out; first and last point stay. Consecutive points of
/// `points` must be joined by lines that may be driven. Ends early, with what it has by then, when
/// `termination` says so.
pub(super) fn shortened(
    sight: &Sight<'_>,
    mut points: Vec<Point>,
    termination: &Termination,
) -> Vec<Point> {
    for _ in 0..MAX_ROUNDS {
        let Some(fewer) = round(sight, &points, termination) else {
            break;
        };
        if fewer.len() == points.len() {
            break;
        }
        points = fewer;
    }
    points
}

/// The best known way to a point.
#[derive(Clone, Copy)]
struct Way {
    cost: f64,
    points: usize,
    before: usize,
}

/// One round; `None` if it was stopped.
fn round(sight: &Sight<'_>, points: &[Point], termination: &Termination) -> Option<Vec<Point>> {
    let mut ways = vec![Way {
        cost: 0.0,
        points: 1,
        before: 0,
    }];
    for (at, &point) in points.iter().enumerate().skip(1) {
        if termination.reason().is_some() {
            return None;
        }
        let from = at - 1;
        let mut best = Way {
            cost: ways[from].cost + sight.cost(points[from], point),
            points: ways[from].points + 1,
            before: from,
        };
        // From the farthest on: where nothing is in the way that one is the best, and the bound below spares
        // looking at the others.
        for before in at.saturating_sub(WINDOW)..from {
            let way = ways[before];
            // No line costs less than its length.
            let least = way.cost + points[before].distance(point);
            if !is_better(least, way.points + 1, &best) {
                continue;
            }
            let Some(cost) = sight.clear_cost(points[before], point) else {
                continue;
            };
            if is_better(way.cost + cost, way.points + 1, &best) {
                best = Way {
                    cost: way.cost + cost,
                    points: way.points + 1,
                    before,
                };
            }
        }
        ways.push(best);
    }
    let mut kept = vec![points.len() - 1];
    let mut at = points.len() - 1;
    while at > 0 {
        at = ways[at].before;
        kept.push(at);
    }
    Some(kept.into_iter().rev().map(|at| points[at]).collect())
}

/// Whether a way is cheaper, or as cheap with fewer points.
fn is_better(cost: f64, points: usize, than: &Way) -> bool {
    let equal = than.cost * EQUAL;
    cost < than.cost - equal || (cost <= than.cost + equal && points < than.points)
}
