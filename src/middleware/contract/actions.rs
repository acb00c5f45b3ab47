//! The two actions: `compute_path_to_pose` and `compute_path_through_poses`.

use std::sync::Arc;

use super::convert::{duration_msg, path_msg, pose_stamped};
use super::wire::nav2_msgs::action::{
    ComputePathThroughPoses, ComputePathThroughPoses_Goal, ComputePathThroughPoses_Result,
    ComputePathToPose, ComputePathToPose_Goal, ComputePathToPose_Result,
};
use super::{Action, Graph};
use crate::Result;
use crate::node::Node;
use crate::node::message::{Answer, Ask, AskKind};

/// What the goals of an action mean to the node.
pub struct Plans<A: Action> {
    pub node: Arc<Node>,
    pub ask: fn(&A::Goal) -> Ask,
    pub result: fn(&Answer) -> A::Result,
}

/// # Errors
/// An action that the graph does not take.
pub fn serve(graph: &mut Graph, node: &Arc<Node>) -> Result<()> {
    let plans = Plans::<ComputePathToPose> {
        node: node.clone(),
        ask: to_pose,
        result: to_pose_result,
    };
    graph.act("compute_path_to_pose", plans)?;
    let plans = Plans::<ComputePathThroughPoses> {
        node: node.clone(),
        ask: through_poses,
        result: through_poses_result,
    };
    graph.act("compute_path_through_poses", plans)
}

pub fn to_pose(goal: &ComputePathToPose_Goal) -> Ask {
    Ask::ToPose {
        goal: pose_stamped(&goal.goal),
        start: goal.use_start.then(|| pose_stamped(&goal.start)),
        planner_id: goal.planner_id.clone(),
    }
}

// Results of later releases have fields that this does not name.
#[allow(clippy::needless_update)]
fn to_pose_result(answer: &Answer) -> ComputePathToPose_Result {
    ComputePathToPose_Result {
        path: answer.path().map(path_msg).unwrap_or_default(),
        planning_time: duration_msg(answer.planning_time),
        error_code: AskKind::ToPose.code(answer.error()),
        error_msg: answer.message.clone(),
        ..Default::default()
    }
}

pub fn through_poses(goal: &ComputePathThroughPoses_Goal) -> Ask {
    #[cfg(nav2_goals)]
    let goals = &goal.goals.goals;
    #[cfg(not(nav2_goals))]
    let goals = &goal.goals;
    Ask::ThroughPoses {
        goals: goals.iter().map(pose_stamped).collect(),
        start: goal.use_start.then(|| pose_stamped(&goal.start)),
        planner_id: goal.planner_id.clone(),
    }
}

// As above.
#[allow(clippy::needless_update)]
fn through_poses_result(answer: &Answer) -> ComputePathThroughPoses_Result {
    ComputePathThroughPoses_Result {
        path: answer.path().map(path_msg).unwrap_or_default(),
        planning_time: duration_msg(answer.planning_time),
        error_code: AskKind::ThroughPoses.code(answer.error()),
        error_msg: answer.message.clone(),
        ..Default::default()
    }
}
