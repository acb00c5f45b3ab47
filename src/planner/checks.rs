//! All up-front checks, in one place: from a request to a [`Problem`] that has a solution, or to
//! the one error that says why it has none.
//!
//! In this order: numbers, the map's resolution, start on the map, goal on the map, start free,
//! goal free and reachable (or a cell near it, by tolerance). What passes here has a plan; only
//! time can stand in the way.

use std::sync::OnceLock;

use super::footprint::Outline;
use super::frame::is_representable;
use super::reach::Reach;
use super::surroundings::{relaxed_cells, relaxed_map};
use super::{NavError, Request, Snapshot};
use crate::grid::{Cell, Cost, Costmap, Pose2};

/// A request that was checked: there is a path from `start_cell` to `goal_cell` on `map`.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// The cells around the start that are relaxed.
    relaxed: Vec<usize>,
    /// The map with them. Made when it is first needed: it is a copy, and a batch checks all its starts at once.
    relaxed_map: OnceLock<Costmap>,
    pub(super) reach: Reach,
    /// The plan's first pose.
    pub start: Pose2,
    /// The cell it is in.
    pub start_cell: Cell,
    /// The plan's last pose: the goal asked for, or the centre of the cell that stands in for it
    /// with the goal's yaw.
    pub goal: Pose2,
    /// The cell it is in.
    pub goal_cell: Cell,
}

impl Problem<'_> {
    /// The map to plan on: the snapshot's inflated map with the robot's surroundings relaxed.
    pub fn map(&self) -> &Costmap {
        if !self.is_relaxed() {
            return self.snapshot.inflated();
        }
        self.relaxed_map
            .get_or_init(|| relaxed_map(self.snapshot, &self.relaxed).into_owned())
    }

    /// The snapshot it was made on.
    pub fn snapshot(&self) -> &Snapshot {
        self.snapshot
    }

    /// Whether cells around the start were relaxed, so that the map is not the snapshot's.
    pub(super) fn is_relaxed(&self) -> bool {
        !self.relaxed.is_empty()
    }

    /// Whether start and goal share a cell, so that the plan is a line inside it.
    pub fn is_within_a_cell(&self) -> bool {
        self.start_cell == self.goal_cell
    }

    /// Whether the cell at a row-major index can be reached from the start.
    pub fn is_reachable(&self, index: usize) -> bool {
        self.reach.contains(self.snapshot, index)
    }
}

/// Why a request has no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Nav2's error.
    pub error: NavError,
    /// What is wrong, with the values, and what to do about it.
    pub message: String,
}

impl Refusal {
    /// A refusal with this message.
    pub fn new(error: NavError, message: impl Into<String>) -> Self {
        Self {
            error,
            message: message.into(),
        }
    }
}

/// Checks a request; `tolerance_m` is how far from a blocked or unreachable goal a plan may end.
///
/// # Errors
/// The first thing that is wrong.
pub fn check<'a>(
    snapshot: &'a Snapshot,
    request: &Request,
    tolerance_m: f64,
) -> Result<Problem<'a>, Refusal> {
    if !(tolerance_m.is_finite() && tolerance_m >= 0.0) {
        return Err(Refusal::new(
            NavError::Unknown,
            format!("the tolerance is {tolerance_m} m; it must be finite and at least 0"),
        ));
    }
    let geometry = snapshot.geometry();
    if !is_representable(geometry) {
        let origin = geometry.origin();
        return Err(Refusal::new(
            NavError::Unknown,
            format!(
                "cells of {} m cannot be told apart at the map's origin ({}, {}); move the map \
                 frame nearer to the map",
                geometry.resolution(),
                origin.x,
                origin.y
            ),
        ));
    }
    let start_cell = cell_of(snapshot, "start", &request.start, NavError::StartOutsideMap)?;
    let goal_cell = cell_of(snapshot, "goal", &request.goal, NavError::GoalOutsideMap)?;
    if snapshot.is_obstacle(geometry.index(start_cell)) {
        return Err(Refusal::new(
            NavError::StartOccupied,
            format!(
                "the start ({}, {}) is in an obstacle; move the robot, correct its localisation or \
                 clear the map around it",
                request.start.x, request.start.y
            ),
        ));
    }

    let relaxed = relaxed_cells(snapshot, start_cell);
    let reach = Reach::new(snapshot, start_cell, &relaxed);
    let is_reached = reach.contains_goal(snapshot, geometry.index(goal_cell));
    let (goal, goal_cell) = if is_reached && fits(snapshot, &request.goal) {
        (request.goal, goal_cell)
    } else {
        let nearest = nearest_goal(snapshot, &reach, &request.goal, goal_cell, tolerance_m)
            .ok_or_else(|| no_goal(snapshot, &request.goal, goal_cell, tolerance_m))?;
        let (x, y) = geometry.cell_to_world(nearest);
        (Pose2::new(x, y, request.goal.yaw), nearest)
    };
    Ok(Problem {
        snapshot,
        relaxed,
        relaxed_map: OnceLock::new(),
        reach,
        start: request.start,
        start_cell,
        goal,
        goal_cell,
    })
}

/// The cell a pose is in; `error` if it is not on the map, or not a pose at all.
fn cell_of(
    snapshot: &Snapshot,
    what: &str,
    pose: &Pose2,
    error: NavError,
) -> Result<Cell, Refusal> {
    if !pose.is_finite() {
        let message = format!(
            "the {what} is ({}, {}, {}); all three numbers must be finite",
            pose.x, pose.y, pose.yaw
        );
        return Err(Refusal::new(error, message));
    }
    let geometry = snapshot.geometry();
    geometry.world_to_cell(pose.x, pose.y).ok_or_else(|| {
        let origin = geometry.origin();
        let message = format!(
            "the {what} ({}, {}) is outside the map, which covers {} x {} m from ({}, {}) with yaw \
             {}; check its frame, or enlarge the map",
            pose.x,
            pose.y,
            geometry.width() as f64 * geometry.resolution(),
            geometry.height() as f64 * geometry.resolution(),
            origin.x,
            origin.y,
            origin.yaw
        );
        Refusal::new(error, message)
    })
}

/// The reachable cell that stands in for a goal: the one whose centre is nearest to it, at most
/// `tolerance_m` away; of equally near ones the first.
fn nearest_goal(
    snapshot: &Snapshot,
    reach: &Reach,
    goal: &Pose2,
    goal_cell: Cell,
    tolerance_m: f64,
) -> Option<Cell> {
    if tolerance_m <= 0.0 {
        return None;
    }
    let geometry = snapshot.geometry();
    // A centre within the tolerance is at most half a cell farther away in whole cells.
    let span = (tolerance_m / geometry.resolution() + 1.0) as usize;
    let (rows, cols) = geometry.around(goal_cell, span);
    let mut nearest = None;
    let mut least = tolerance_m;
    for row in rows {
        for col in cols.clone() {
            let cell = Cell::new(row, col);
            let (x, y) = geometry.cell_to_world(cell);
            let distance = goal.distance(&Pose2::new(x, y, 0.0));
            let nearer = distance < least || (nearest.is_none() && distance <= least);
            let pose = Pose2::new(x, y, goal.yaw);
            let is_reached = || reach.contains_goal(snapshot, geometry.index(cell));
            if nearer && is_reached() && fits(snapshot, &pose) {
                nearest = Some(cell);
                least = distance;
            }
        }
    }
    nearest
}

/// Whether nothing is under the robot's outline at a pose.
fn fits(snapshot: &Snapshot, pose: &Pose2) -> bool {
    let touched = |outline: &Outline| !outline.touched(snapshot, pose).is_empty();
    !snapshot.outline().is_some_and(touched)
}

/// Why neither the goal nor a cell near it will do.
fn no_goal(snapshot: &Snapshot, goal: &Pose2, goal_cell: Cell, tolerance_m: f64) -> Refusal {
    let geometry = snapshot.geometry();
    let cost = snapshot.inflated().cost(goal_cell);
    let place = format!("the goal ({}, {})", goal.x, goal.y);
    let near = if tolerance_m > 0.0 {
        format!(", and no reachable cell is within {tolerance_m} m of it")
    } else {
        String::new()
    };
    let message = match cost {
        Cost::LETHAL => format!("{place} is in an obstacle{near}; choose a free goal"),
        Cost::INSCRIBED => format!(
            "{place} is nearer to an obstacle than the robot's radius of {} m{near}; choose a goal \
             farther from obstacles",
            snapshot.robot_radius_m()
        ),
        _ if snapshot.regions().of(geometry.index(goal_cell)).is_none() => format!(
            "{place} is in space that was never observed{near}; choose a known goal, or set \
             allow_unknown"
        ),
        _ if !fits(snapshot, goal) => format!(
            "at {place} the robot's footprint would touch an obstacle{near}; choose another goal or \
             heading"
        ),
        _ => {
            return Refusal::new(
                NavError::NoValidPath,
                format!(
                    "no path leads from the start to {place}{near}; obstacles as wide as the robot \
                     separate them: check the map, or robot_radius"
                ),
            );
        }
    };
    Refusal::new(NavError::GoalOccupied, message)
}
