//! Shortcuts at any angle: from a path through cells to one through open space.
//!
//! Of all ways to leave out points of the path the best one is found, where a point may be joined
//! with any of the [`WINDOW`] points after it if the straight line between them is clear; this is
//! repeated with the points left over until nothing changes, so that lines grow beyond the window.
//! The path itself is one of the ways, so its travel cost never rises.
//!
//! The best way from a point on depends on what comes after it alone. So paths that end alike, as
//! those of many starts to one goal do, are looked at once where they run together.

use std::collections::HashMap;

use super::frame::Point;
use super::sight::Sight;
use crate::search::Termination;

/// How many points ahead a shortcut may end. Larger windows gain little and cost their square.
const WINDOW: usize = 32;
/// Rounds at most; the points left over fall quickly, and two or three suffice.
const MAX_ROUNDS: usize = 16;
/// Ways closer than this in travel cost, relatively, are equal, and fewer points win.
const EQUAL: f64 = 1e-12;

/// Leaves out the needless points of paths on one map.
#[derive(Debug, Default)]
pub(super) struct Shortener {
    /// What was found out in each round.
    rounds: Vec<Tails>,
}

impl Shortener {
    /// The path with its needless points left out; first and last point stay. Consecutive points of
    /// `points` must be joined by lines that may be driven. Ends early, with what it has by then, when
    /// `termination` says so. `sight` must be that of all calls.
    pub fn shortened(
        &mut self,
        sight: &Sight<'_>,
        mut points: Vec<Point>,
        termination: &Termination,
    ) -> Vec<Point> {
        for round in 0..MAX_ROUNDS {
            if self.rounds.len() == round {
                self.rounds.push(Tails::default());
            }
            let Some(fewer) = self.rounds[round].shortened(sight, &points, termination) else {
                break;
            };
            if fewer.len() == points.len() {
                break;
            }
            points = fewer;
        }
        points
    }
}

/// The tails of the paths of one round, each once.
#[derive(Debug, Default)]
struct Tails {
    tails: Vec<Tail>,
    /// By the bits of the first point's coordinates and what comes after it.
    places: HashMap<(u64, u64, Option<usize>), usize>,
}

/// A path from a point on.
#[derive(Debug, Clone, Copy)]
struct Tail {
    first: Point,
    /// The tail without its first point; `None` if that is all of it.
    after: Option<usize>,
    /// The best known way along it.
    way: Way,
}

/// The best known way from a point to the end.
#[derive(Debug, Clone, Copy)]
struct Way {
    cost: f64,
    points: usize,
    /// The tail that it goes on with.
    next: Option<usize>,
}

impl Tails {
    /// One round; `None` if it was stopped.
    fn shortened(
        &mut self,
        sight: &Sight<'_>,
        points: &[Point],
        termination: &Termination,
    ) -> Option<Vec<Point>> {
        let mut after = None;
        for &first in points.iter().rev() {
            let key = (first.u.to_bits(), first.v.to_bits(), after);
            if let Some(&known) = self.places.get(&key) {
                after = Some(known);
                continue;
            }
            if termination.reason().is_some() {
                return None;
            }
            let way = self.best_way(sight, first, after);
            let place = self.tails.len();
            self.tails.push(Tail { first, after, way });
            self.places.insert(key, place);
            after = Some(place);
        }
        let kept = std::iter::successors(after, |&at| self.tails[at].way.next);
        Some(kept.map(|at| self.tails[at].first).collect())
    }

    /// The best way from a point along a tail.
    fn best_way(&self, sight: &Sight<'_>, first: Point, after: Option<usize>) -> Way {
        let Some(nearest) = after else {
            return Way {
                cost: 0.0,
                points: 1,
                next: None,
            };
        };
        let onward = |at: usize| {
            let Tail { first, way, .. } = self.tails[at];
            (first, way)
        };
        let (point, way) = onward(nearest);
        let mut best = Way {
            cost: way.cost + sight.cost(first, point),
            points: way.points + 1,
            next: Some(nearest),
        };
        let mut ahead = [nearest; WINDOW];
        let mut count = 0;
        for at in std::iter::successors(after, |&at| self.tails[at].after).take(WINDOW) {
            ahead[count] = at;
            count += 1;
        }
        // From the farthest on: where nothing is in the way that one is the best, and the bound below spares
        // looking at the others.
        for &at in ahead[1..count].iter().rev() {
            let (point, way) = onward(at);
            // No line costs less than its length.
            let least = way.cost + first.distance(point);
            if !is_better(least, way.points + 1, &best) {
                continue;
            }
            let most = best.cost * (1.0 + EQUAL) - way.cost;
            let Some(cost) = sight.clear_cost_within(first, point, most) else {
                continue;
            };
            if is_better(way.cost + cost, way.points + 1, &best) {
                best = Way {
                    cost: way.cost + cost,
                    points: way.points + 1,
                    next: Some(at),
                };
            }
        }
        best
    }
}

/// Whether a way is cheaper, or as cheap with fewer points.
fn is_better(cost: f64, points: usize, than: &Way) -> bool {
    let equal = than.cost * EQUAL;
    cost < than.cost - equal || (cost <= than.cost + equal && points < than.points)
}
