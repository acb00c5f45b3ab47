//! Rounded corners: from a line with sharp corners to one that a robot with a turning circle follows.
//!
//! Each corner becomes an arc that touches both its legs (a fillet), of the radius asked for, or, where
//! there is no room for that one, of the largest that stays clear: legs are shared by the corners at
//! their ends, half each, and an arc cuts the corner on its inside, where the obstacle is that made
//! it. How tight the tightest turn is that remains is said, not hidden.

use super::frame::Point;
use super::sight::Sight;

/// Radii that are tried at a corner: each is this share of the one before.
const SHRINK: f64 = 0.8;
/// Arcs of less than this share of the radius asked for are not tried: the corner stays.
const LEAST: f64 = 0.05;
/// Chords of an arc are at most so long, cells, and turn by at most so much, radians.
const CHORD: (f64, f64) = (1.0, 0.15);
/// Corners are joined to ones that turn by no more, radians: beyond, their legs meet far away.
const SHARPEST: f64 = 2.4;
/// Corners that turn by less, radians, are none.
const STRAIGHT: f64 = 1e-6;

/// A line whose corners are rounded as far as there is room.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rounded {
    /// The line; chords of arcs where it turns.
    pub points: Vec<Point>,
    /// The radius of its tightest turn, cells: 0 where a corner stays, infinite without turns.
    pub tightest: f64,
}

/// Rounds the corners of a line that may be driven with arcs of `radius` cells.
pub(super) fn rounded(sight: &Sight<'_>, points: &[Point], radius: f64) -> Rounded {
    let points = &joined(sight, points.to_vec(), radius)[..];
    let mut line = Rounded {
        points: points.first().copied().into_iter().collect(),
        tightest: f64::INFINITY,
    };
    let last = points.len().saturating_sub(1);
    for at in 1..last {
        let corner = Corner::new([points[at - 1], points[at], points[at + 1]]);
        let Some(corner) = corner else {
            line.points.push(points[at]);
            continue;
        };
        // The ends of the line are no corners, so that theirs have those legs to themselves.
        let (before, after) = corner.legs;
        let room = |leg: f64, is_end: bool| if is_end { leg } else { leg / 2.0 };
        let room = room(before, at == 1).min(room(after, at + 1 == last));
        if let Some((arc, radius)) = corner.arc_within(sight, radius, room) {
            line.points.extend(arc);
            line.tightest = line.tightest.min(radius);
        } else {
            line.points.push(points[at]);
            line.tightest = 0.0;
        }
    }
    line.points.extend(points.last().filter(|_| last > 0));
    line.points.dedup();
    line
}

/// The line with one corner in place of two that turn the same way and are too near to each other for
/// both arcs: it lies where the legs before and after them meet, if the way there is clear.
fn joined(sight: &Sight<'_>, mut points: Vec<Point>, radius: f64) -> Vec<Point> {
    let mut at = 1;
    while at + 2 < points.len() {
        let corners = [at, at + 1]
            .map(|corner| Corner::new([points[corner - 1], points[corner], points[corner + 1]]));
        let met = match &corners {
            [Some(one), Some(other)] => one.met_with(other, radius),
            _ => None,
        };
        let is_clear = |corner| {
            let (before, after) = (points[at - 1], points[at + 2]);
            let first = sight.clear_cost(before, corner);
            first.is_some() && sight.clear_cost(corner, after).is_some()
        };
        match met.filter(|&corner| is_clear(corner)) {
            Some(corner) => {
                points.splice(at..at + 2, [corner]);
                // What came before may be too near to this one.
                at = at.saturating_sub(1).max(1);
            }
            None => at += 1,
        }
    }
    points
}

/// Where a line turns.
struct Corner {
    at: Point,
    /// Unit vectors along the leg before and the leg after.
    along: [(f64, f64); 2],
    /// Their lengths.
    legs: (f64, f64),
    /// How far it turns, radians, counter-clockwise.
    turn: f64,
}

impl Corner {
    /// The corner in the middle of three points; `None` if it is none.
    fn new([before, at, after]: [Point; 3]) -> Option<Self> {
        let unit = |from: Point, to: Point| {
            let length = from.distance(to);
            let along = ((to.u - from.u) / length, (to.v - from.v) / length);
            (length > 0.0).then_some((along, length))
        };
        let (first, leg_before) = unit(before, at)?;
        let (second, leg_after) = unit(at, after)?;
        let sine = first.0 * second.1 - first.1 * second.0;
        let cosine = first.0 * second.0 + first.1 * second.1;
        let turn = sine.atan2(cosine);
        (turn.abs() > STRAIGHT).then_some(Self {
            at,
            along: [first, second],
            legs: (leg_before, leg_after),
            turn,
        })
    }

    /// Where the leg before this corner and the leg after the next one meet, if the two turn the same
    /// way, together by less than a half turn, and have no room for arcs of this radius between them.
    fn met_with(&self, next: &Self, radius: f64) -> Option<Point> {
        let turn = self.turn + next.turn;
        let tangents = (self.turn.abs() / 2.0).tan() + (next.turn.abs() / 2.0).tan();
        let is_near = self.legs.1 < radius * tangents;
        let is_one = self.turn * next.turn > 0.0 && turn.abs() < SHARPEST;
        if !(is_near && is_one) {
            return None;
        }
        // By the law of sines, in the triangle of the two corners and the new one.
        let ahead = self.legs.1 * next.turn.abs().sin() / turn.abs().sin();
        let [along, _] = self.along;
        Some(Point {
            u: self.at.u + ahead * along.0,
            v: self.at.v + ahead * along.1,
        })
    }

    /// The largest arc of at most this radius that takes no more than `room` of each leg and is
    /// clear, with its radius.
    fn arc_within(&self, sight: &Sight<'_>, radius: f64, room: f64) -> Option<(Vec<Point>, f64)> {
        let tangent = (self.turn.abs() / 2.0).tan();
        let mut tried = radius.min(room / tangent);
        while tried >= LEAST * radius {
            let arc = self.arc(tried, tried * tangent);
            let is_clear = |pair: &[Point]| sight.clear_cost(pair[0], pair[1]).is_some();
            if arc.windows(2).all(is_clear) {
                return Some((arc, tried));
            }
            tried *= SHRINK;
        }
        None
    }

    /// The arc of a radius, which leaves the first leg and joins the second one this far from the
    /// corner, as points on it.
    fn arc(&self, radius: f64, from_corner: f64) -> Vec<Point> {
        let [first, _] = self.along;
        let begin = Point {
            u: self.at.u - from_corner * first.0,
            v: self.at.v - from_corner * first.1,
        };
        let side = self.turn.signum();
        let chords = (self.turn.abs() * (radius / CHORD.0).max(1.0 / CHORD.1)).ceil();
        let points = 0..=chords as usize;
        let on_arc = |point| {
            let turned = self.turn.abs() * point as f64 / chords;
            // In the frame of the first leg: ahead, and to the side that the line turns to.
            let (ahead, aside) = (radius * turned.sin(), side * radius * (1.0 - turned.cos()));
            Point {
                u: begin.u + ahead * first.0 - aside * first.1,
                v: begin.v + ahead * first.1 + aside * first.0,
            }
        };
        points.map(on_arc).collect()
    }
}
