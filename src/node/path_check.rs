//! Whether a path that is being followed is still good: the service `is_path_valid`.
//!
//! As Nav2's (`nav2_planner/src/planner_server.cpp`), with all options of its releases: an empty
//! path is invalid; what the robot has behind it does not count; outside of the map is lethal;
//! unknown is free unless the question says otherwise; a cost of 253, 254 or from `max_cost` on is
//! invalid. Beyond Nav2: cells between the poses count too, and the robot's own surroundings are as
//! relaxed as they are for planning, on the same circle, so that a plan is not invalid as soon as
//! it is made (mowglinext #728); and nothing may be under the robot's footprint.

use super::message::PoseStamped;
use crate::grid::{Cost, Pose2};
use crate::planner::{Snapshot, relaxed_cells};

/// Places looked at for one question at most: a path of 12 km at 5 cm a cell.
const MOST_SAMPLES: usize = 500_000;

/// What is asked (`nav2_msgs/srv/IsPathValid`).
#[derive(Debug, Clone, PartialEq)]
pub struct PathQuestion {
    /// The path's poses, each with its frame.
    pub poses: Vec<PoseStamped>,
    /// From this cost on a cell counts as occupied; 254 and 255: only obstacles do.
    pub max_cost: u8,
    /// Whether unknown cells count as occupied.
    pub unknown_is_obstacle: bool,
    /// Whether the first invalid pose will do.
    pub stop_at_first: bool,
    /// How far ahead of the robot to look, metres; negative: to the end.
    pub max_lookahead_m: f64,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathAnswer {
    /// Whether the question could be answered.
    pub success: bool,
    /// Whether the path may be followed.
    pub is_valid: bool,
    /// The poses that are in the way, or whose way from the pose before is blocked.
    pub invalid: Vec<usize>,
}

impl PathAnswer {
    /// A question that could not be answered.
    pub(super) fn none() -> Self {
        Self::default()
    }
}

/// Checks a path in the map's frame for a robot that is at `robot`, if that is known.
pub(super) fn check_path(
    snapshot: &Snapshot,
    poses: &[Pose2],
    question: &PathQuestion,
    robot: Option<&Pose2>,
) -> PathAnswer {
    let mut answer = PathAnswer {
        success: true,
        is_valid: !poses.is_empty(),
        invalid: Vec::new(),
    };
    let nearest = robot.and_then(|robot| {
        let distances = poses.iter().map(|pose| pose.distance(robot)).enumerate();
        let nearest = distances.min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(nearest.0)
    });
    let first = nearest.unwrap_or(0);
    let Some(begin) = poses.get(first) else {
        return answer;
    };
    let geometry = snapshot.geometry();
    let here = robot.unwrap_or(begin);
    let relaxed = geometry
        .world_to_cell(here.x, here.y)
        .map(|cell| relaxed_cells(snapshot, cell))
        .unwrap_or_default();
    let is_blocked = |x: f64, y: f64| {
        let Some(cell) = geometry.world_to_cell(x, y) else {
            return true;
        };
        let is_relaxed = relaxed.binary_search(&geometry.index(cell)).is_ok();
        !is_relaxed && counts(snapshot.inflated().cost(cell), question)
    };
    let touches = snapshot.touching(here);
    // Half a cell, so that no cell is stepped over but by a corner.
    let step_m = geometry.resolution() / 2.0;
    let mut samples = MOST_SAMPLES;
    let mut gone_m = 0.0;
    for index in first..poses.len() {
        let pose = &poses[index];
        let before = &poses[index.saturating_sub(1).max(first)];
        let length_m = before.distance(pose);
        gone_m += length_m;
        if question.max_lookahead_m >= 0.0 && gone_m > question.max_lookahead_m {
            break;
        }
        // A way of very many cells is a jump of a broken path; its ends will do.
        let wanted = (length_m / step_m).ceil().max(1.0);
        let steps = if wanted <= samples as f64 {
            wanted as usize
        } else {
            1
        };
        samples -= steps.min(samples);
        let is_hit = (1..=steps).any(|step| {
            let share = step as f64 / steps as f64;
            is_blocked(
                before.x + share * (pose.x - before.x),
                before.y + share * (pose.y - before.y),
            )
        });
        if is_hit || !pose.is_finite() || touches(pose) {
            answer.is_valid = false;
            answer.invalid.push(index);
            if question.stop_at_first {
                break;
            }
        }
    }
    answer
}

/// Whether a cost is in the way.
fn counts(cost: Cost, question: &PathQuestion) -> bool {
    match cost {
        Cost::LETHAL | Cost::INSCRIBED => true,
        Cost::UNKNOWN => question.unknown_is_obstacle,
        Cost(cost) => cost >= question.max_cost,
    }
}
