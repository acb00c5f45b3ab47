//! From cells to the poses that are published: smoothed, evenly spaced, each with a heading.

use super::frame::Point;
use super::sight::Sight;
use super::{Plan, Problem};
use crate::grid::{Cell, Costmap, Move, Pose2};
use crate::search::Rules;

/// Points closer than this, in cells, are one.
const SAME_POINT: f64 = 1e-9;

/// The plan along these cells, which lead from the problem's start to its goal by legal moves, with
/// the shortcuts that `shortened` takes.
pub(super) fn plan_along(
    problem: &Problem<'_>,
    cells: &[Cell],
    shortened: impl FnOnce(&Sight<'_>, Vec<Point>) -> Vec<Point>,
) -> Plan {
    let sight = Sight::new(problem.map(), problem.snapshot().rules());
    let points = shortened(&sight, points_along(problem, cells));
    let resolution = problem.map().geometry().resolution();
    let legs = || points.windows(2).map(|pair| (pair[0], pair[1]));
    let travel_cost: f64 = legs().map(|(from, to)| sight.cost(from, to)).sum();
    let length: f64 = legs().map(|(from, to)| from.distance(to)).sum();
    Plan {
        poses: poses_along(problem, &points),
        travel_cost: travel_cost * resolution,
        grid_travel_cost: grid_travel_cost(problem, cells) * resolution,
        length_m: length * resolution,
        cells: cells.to_vec(),
    }
}

/// The poses along cells that may end anywhere on the way to the goal, without shortcuts.
pub(super) fn poses_of_cells(problem: &Problem<'_>, cells: &[Cell]) -> Vec<Pose2> {
    poses_along(problem, &points_along(problem, cells))
}

/// Travel cost of moves from cell to cell, in cells, as the search counts it: each move at the
/// cost of the cell entered.
pub(super) fn grid_travel_cost(problem: &Problem<'_>, cells: &[Cell]) -> f64 {
    cost_of_moves(problem.map(), problem.snapshot().rules(), cells)
}

/// The same on any map.
pub(super) fn cost_of_moves(map: &Costmap, rules: &Rules, cells: &[Cell]) -> f64 {
    let costs = cells.windows(2).map(|pair| {
        let length = Move::between(pair[0], pair[1]).map_or(f64::INFINITY, Move::length);
        let multiplier = rules.multiplier(map.cost(pair[1]));
        length * multiplier.unwrap_or(f64::INFINITY)
    });
    costs.sum()
}

/// The start, the centres of the cells, and, if they end at the goal's cell, the goal.
///
/// The start's and the goal's own cells count too, although their centres are detours: from a
/// point on a cell's border only its centre is sure to be in sight. Shortcuts remove them.
fn points_along(problem: &Problem<'_>, cells: &[Cell]) -> Vec<Point> {
    let geometry = problem.map().geometry();
    let start = Point::from_world(geometry, problem.start.x, problem.start.y);
    let goal = Point::from_world(geometry, problem.goal.x, problem.goal.y);
    let arrives = cells.last() == Some(&problem.goal_cell);
    if arrives && cells.len() == 1 {
        // Within one cell every straight line is clear.
        return vec![start, goal];
    }
    let is_apart = |from: Point, point: Point| point.distance(from) > SAME_POINT;
    let mut points = vec![start];
    points.extend(
        cells
            .iter()
            .map(|&cell| Point::centre(cell))
            .filter(|&centre| is_apart(start, centre) && (!arrives || is_apart(goal, centre))),
    );
    if arrives {
        points.push(goal);
    }
    points
}

/// Poses along a line of points, at most one resolution apart, each turned towards the next. The
/// first is the problem's start and the last, if the points end at the goal, its goal: exactly,
/// with their own headings.
fn poses_along(problem: &Problem<'_>, points: &[Point]) -> Vec<Pose2> {
    let geometry = problem.map().geometry();
    let goal = Point::from_world(geometry, problem.goal.x, problem.goal.y);
    let arrives = points.last() == Some(&goal);
    if arrives && problem.start == problem.goal {
        return vec![problem.start];
    }
    let mut poses = vec![problem.start];
    for pair in points.windows(2) {
        for point in spaced(pair[0], pair[1]) {
            let (x, y) = point.to_world(geometry);
            poses.push(Pose2::new(x, y, problem.start.yaw));
        }
    }
    if arrives && poses.len() > 1 {
        poses.pop();
        poses.push(problem.goal);
    }
    turn_along(&mut poses, arrives);
    poses
}

/// Points from `from`, which is left out, to `to`, at most one cell apart.
pub(super) fn spaced(from: Point, to: Point) -> impl Iterator<Item = Point> {
    let pieces = (from.distance(to) - SAME_POINT).ceil().max(1.0);
    (1..=pieces as usize).map(move |piece| from.towards(to, piece as f64 / pieces))
}

/// Turns every pose but the first towards the next one; the last one, unless it is the goal, as
/// the one before.
fn turn_along(poses: &mut [Pose2], keep_last: bool) {
    let count = poses.len();
    for index in 1..count {
        let ahead = poses.get(index + 1).copied();
        match ahead {
            Some(ahead) => {
                let here = &mut poses[index];
                here.yaw = (ahead.y - here.y).atan2(ahead.x - here.x);
            }
            None if !keep_last && index > 1 => poses[index].yaw = poses[index - 1].yaw,
            None => {}
        }
    }
}
