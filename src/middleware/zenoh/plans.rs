//! Plans as a client sees them: without the messages they came in.

use std::time::Duration;

use super::client::Client;
use super::contract::{pose, pose_stamped_msg};
use super::fleet::Fleet;
use super::interfaces::action_msgs::msg::GoalStatus;
use super::interfaces::builtin_interfaces::msg::Duration as DurationMsg;
use super::interfaces::hrm_planner_msgs::srv::PlanBatch_Request;
use super::interfaces::nav_msgs::msg::Path;
use super::interfaces::nav2_msgs::action::{ComputePathToPose, ComputePathToPose_Goal};
use crate::Result;
use crate::grid::Pose2;
use crate::node::message::planar;
use crate::planner::NavError;

/// What was told about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The plan; empty if there is none.
    pub poses: Vec<Pose2>,
    /// Why there is none.
    pub error: Option<NavError>,
    /// What happened and what to do about it.
    pub message: String,
    /// From the request to the answer, at the node, seconds.
    pub planning_time_s: f64,
    /// Which node answered, if that is known.
    pub node: Option<String>,
}

impl Told {
    /// How long the plan is, metres.
    pub fn length_m(&self) -> f64 {
        let steps = self.poses.windows(2);
        steps
            .map(|pair| (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y))
            .sum()
    }
}

/// A plan by the action `compute_path_to_pose`, from a pose or from where the robot is.
///
/// # Errors
/// As [`super::client::Actor::act`].
pub fn to_pose(
    client: &mut Client,
    frame: &str,
    start: Option<&Pose2>,
    goal: &Pose2,
    patience: Duration,
) -> Result<Told> {
    let actor = client.actor::<ComputePathToPose>("compute_path_to_pose")?;
    let goal = ComputePathToPose_Goal {
        goal: pose_stamped_msg(frame, goal),
        start: start.map_or_else(Default::default, |start| pose_stamped_msg(frame, start)),
        use_start: start.is_some(),
        ..ComputePathToPose_Goal::default()
    };
    let (status, result) = actor.act(goal, patience)?;
    let mut error = NavError::of_to_pose_code(result.error_code);
    let mut message = result.error_msg;
    if status != GoalStatus::STATUS_SUCCEEDED && error.is_none() {
        // Of a node that was started again in between, or of another planner.
        error = Some(NavError::Unknown);
        message = format!("the goal ended with status {status} and no reason; ask again");
    }
    Ok(Told {
        poses: poses(&result.path)?,
        error,
        message,
        planning_time_s: seconds(&result.planning_time),
        node: None,
    })
}

/// A plan by the service `~/plan_batch` of whichever node of a fleet.
///
/// # Errors
/// As [`Fleet::ask`].
pub fn of_fleet(
    fleet: &Fleet,
    frame: &str,
    start: &Pose2,
    goal: &Pose2,
    patience: Duration,
) -> Result<Told> {
    let request = PlanBatch_Request {
        starts: vec![pose_stamped_msg(frame, start)],
        goal: pose_stamped_msg(frame, goal),
    };
    let answered = fleet.ask(&request, patience)?;
    let response = answered.response;
    let path = response.plans.first().map(poses).transpose()?;
    let code = response.error_codes.first().copied().unwrap_or_default();
    Ok(Told {
        poses: path.unwrap_or_default(),
        error: NavError::of_to_pose_code(code),
        message: response.error_msg,
        planning_time_s: seconds(&response.planning_time),
        node: Some(answered.node),
    })
}

fn poses(path: &Path) -> Result<Vec<Pose2>> {
    let poses = path.poses.iter();
    poses
        .map(|stamped| Ok(planar(&pose(&stamped.pose).isometry()?)))
        .collect()
}

fn seconds(duration: &DurationMsg) -> f64 {
    f64::from(duration.sec) + f64::from(duration.nanosec) * 1e-9
}
