//! Plan stability: a robot that is on its way keeps its plan unless a new one is worth the turn.
//!
//! Planned anew at every second, plans of nearly the same cost take turns, and the robot with them.
//! So the plan in use stays while it holds on the newest snapshot and a new one does not save at
//! least a share `switch_gain` of what is left of its travel cost. It also stays where a new plan
//! was not found in time.

use super::frame::Point;
use super::path::spaced;
use super::sight::Sight;
use super::surroundings::{relaxed_cells, relaxed_map};
use super::{Expected, NavError, Outcome, Plan, Planner, Request, Segment, Snapshot, verify};
use crate::grid::{Cell, Pose2};
use crate::search::Termination;

/// What is said where time did not suffice for a new plan.
const NO_NEW_PLAN: &str = "no new plan in the time allowed; the one in use still holds";

/// A robot farther from its plan than its radius and so many cells has left it.
const ASTRAY_CELLS: f64 = 2.0;

impl Planner {
    /// Answers a request of a robot that may be following a plan already: `previous`, the outcome
    /// of an earlier call with the same goal. As [`Planner::plan`] in all else, except that nothing
    /// is thought about anew while snapshot and goal stay the same and what was thought in the last
    /// call holds for the new start too: a read-out says of every cell which move leads on.
    ///
    /// If the previous plan stays, the outcome has what is left of it from the request's start on,
    /// verified on this snapshot, and the report says so ([`Report::kept`](super::Report::kept)) and
    /// names the source that made it.
    pub fn replan(
        &mut self,
        snapshot: &Snapshot,
        request: &Request,
        previous: Option<&Outcome>,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Outcome {
        let mut outcome = self.plan_recalling(snapshot, request, termination, observer);
        let tolerance_m = request.tolerance.unwrap_or(self.config().tolerance);
        let left = previous.and_then(|previous| {
            let plan = previous.plan.as_ref()?;
            let left = left_of(plan, snapshot, &request.start)?;
            let goal = outcome.plan.as_ref().and_then(|new| new.poses.last());
            let expected = Expected {
                start: Some(request.start),
                goal: Some(*goal.unwrap_or(&request.goal)),
                tolerance_m: if goal.is_some() { 0.0 } else { tolerance_m },
            };
            let holds = verify(snapshot, &left.poses, &expected).is_empty();
            holds.then_some((left, previous.report.source))
        });
        let Some((left, source)) = left else {
            return outcome;
        };
        let is_worth_it = match &outcome.plan {
            Some(new) => new.travel_cost <= (1.0 - self.config().switch_gain) * left.travel_cost,
            None => outcome.error != Some(NavError::Timeout),
        };
        if !is_worth_it {
            outcome.report.source = source;
            outcome.report.kept = true;
            outcome.report.travel_cost = Some(left.travel_cost);
            outcome.report.length_m = Some(left.length_m);
            let last = left.poses.last().unwrap_or(&request.goal);
            outcome.report.goal_distance_m = Some(last.distance(&request.goal));
            if outcome.plan.is_none() {
                outcome.error = None;
                NO_NEW_PLAN.clone_into(&mut outcome.message);
            }
            outcome.plan = Some(left);
        }
        outcome
    }
}

/// What is left of a plan for a robot that has followed it to `here`: from there to the pose after
/// the nearest one, and on. `None` if the robot has left the plan. Not verified. Its cells are those
/// that the poses lie in, and its travel cost on the grid is that of the poses.
fn left_of(plan: &Plan, snapshot: &Snapshot, here: &Pose2) -> Option<Plan> {
    let geometry = snapshot.geometry();
    let resolution = geometry.resolution();
    let distances = plan.poses.iter().map(|pose| pose.distance(here));
    let (nearest, distance) = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let is_near = distance <= snapshot.robot_radius_m() + ASTRAY_CELLS * resolution;
    if !is_near {
        return None; // or the pose is not a pose at all
    }
    let onward = &plan.poses[(nearest + 1).min(plan.poses.len() - 1)..];
    let mut poses = vec![*here];
    let point = |pose: &Pose2| Point::from_world(geometry, pose.x, pose.y);
    let yaw = (onward[0].y - here.y).atan2(onward[0].x - here.x);
    poses.extend(spaced(point(here), point(&onward[0])).map(|point| {
        let (x, y) = point.to_world(geometry);
        Pose2::new(x, y, yaw)
    }));
    // The last of them is the next pose itself.
    poses.pop();
    poses.extend_from_slice(onward);

    let here_cell = geometry.world_to_cell(here.x, here.y)?;
    let map = relaxed_map(snapshot, &relaxed_cells(snapshot, here_cell));
    let sight = Sight::new(&map, snapshot.rules());
    let legs = || {
        poses
            .windows(2)
            .map(|pair| (point(&pair[0]), point(&pair[1])))
    };
    // As new plans do, it must keep a hair's breadth from what is blocked now: a pose on the border
    // of a cell that has been blocked since is on its wrong side by the next rounding.
    let costs: Option<Vec<f64>> = legs()
        .map(|(from, to)| sight.clear_cost(from, to))
        .collect();
    let cost: f64 = costs?.iter().sum();
    let length: f64 = legs().map(|(from, to)| from.distance(to)).sum();
    let mut cells: Vec<Cell> = poses
        .iter()
        .filter_map(|pose| geometry.world_to_cell(pose.x, pose.y))
        .collect();
    cells.dedup();
    Some(Plan {
        travel_cost: cost * resolution,
        grid_travel_cost: cost * resolution,
        length_m: length * resolution,
        poses,
        cells,
    })
}
