//! The two actions: `compute_path_to_pose` and `compute_path_through_poses`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use rclrs::{
    ActionServerOptions, BeginAcceptedGoal, Node as RosNode, QoSProfile, RequestedGoal,
    TerminatedGoal,
};
use ros_env::nav2_msgs::action::{
    ComputePathThroughPoses, ComputePathThroughPoses_Goal, ComputePathThroughPoses_Result,
    ComputePathToPose, ComputePathToPose_Goal, ComputePathToPose_Result,
};

use rosidl_runtime_rs::Action;

use super::convert::{duration_msg, path_msg, pose_stamped};
use super::{Parts, refused};
use crate::Result;
use crate::node::Node;
use crate::node::message::{Answer, Ask, AskKind, Ending};
use crate::planner::NavError;

/// Requests of each kind that wait until they are looked at.
const GOALS_KEPT: u32 = 1000;

/// For how long a result can be asked for: as in Nav2 (`action_server_result_timeout`). Every message of
/// the status topic lists all goals that young, so that longer costs every client.
const RESULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many goals have not ended.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<AtomicUsize>);

impl Running {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn enter(&self) -> Entered {
        self.0.fetch_add(1, Ordering::SeqCst);
        Entered(self.0.clone())
    }
}

/// Held by a goal from its request to its end.
struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An action that plans: its goal and its result in the node's terms.
trait Plans: Action {
    fn ask(goal: &Self::Goal) -> Ask;
    fn result(answer: &Answer) -> Self::Result;
}

// Results of later releases have fields that these do not name.
#[allow(clippy::needless_update)]
impl Plans for ComputePathToPose {
    fn ask(goal: &ComputePathToPose_Goal) -> Ask {
        Ask::ToPose {
            goal: pose_stamped(&goal.goal),
            start: goal.use_start.then(|| pose_stamped(&goal.start)),
            planner_id: goal.planner_id.clone(),
        }
    }

    fn result(answer: &Answer) -> ComputePathToPose_Result {
        ComputePathToPose_Result {
            path: answer.path().map(path_msg).unwrap_or_default(),
            planning_time: duration_msg(answer.planning_time),
            error_code: AskKind::ToPose.code(answer.error()),
            error_msg: answer.message.clone(),
            ..Default::default()
        }
    }
}

// As above.
#[allow(clippy::needless_update)]
impl Plans for ComputePathThroughPoses {
    fn ask(goal: &ComputePathThroughPoses_Goal) -> Ask {
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

    fn result(answer: &Answer) -> ComputePathThroughPoses_Result {
        ComputePathThroughPoses_Result {
            path: answer.path().map(path_msg).unwrap_or_default(),
            planning_time: duration_msg(answer.planning_time),
            error_code: AskKind::ThroughPoses.code(answer.error()),
            error_msg: answer.message.clone(),
            ..Default::default()
        }
    }
}

/// # Errors
/// An action that ROS does not take.
pub fn serve(ros: &RosNode, node: &Arc<Node>, running: &Running) -> Result<Parts> {
    let (to_pose, through_poses) = (
        (node.clone(), running.clone()),
        (node.clone(), running.clone()),
    );
    let name = "compute_path_to_pose";
    let to_pose = ros
        .create_action_server::<ComputePathToPose, _>(options(name), move |goal| {
            execute(goal, to_pose.0.clone(), to_pose.1.enter())
        })
        .map_err(refused(name))?;
    let name = "compute_path_through_poses";
    let through_poses = ros
        .create_action_server::<ComputePathThroughPoses, _>(options(name), move |goal| {
            execute(goal, through_poses.0.clone(), through_poses.1.enter())
        })
        .map_err(refused(name))?;
    Ok(vec![Box::new(to_pose), Box::new(through_poses)])
}

/// An action's options. Services keep 10 requests by default, so that of 20 goals sent at once some
/// would be lost without a word.
fn options(name: &str) -> ActionServerOptions<'_> {
    let many = QoSProfile::services_default().keep_last(GOALS_KEPT);
    let mut options = ActionServerOptions::new(name);
    options.goal_service_qos = many;
    options.result_service_qos = many;
    options.cancel_service_qos = many;
    options.goal_expiration_timeout = RESULT_TIMEOUT;
    options
}

/// A goal from its request to its end.
async fn execute<A: Plans>(
    requested: RequestedGoal<A>,
    node: Arc<Node>,
    _entered: Entered,
) -> TerminatedGoal {
    let ask = A::ask(requested.goal());
    let (tell, mut told) = oneshot::channel();
    let reply = Box::new(move |answer: Answer| {
        let _ = tell.send(answer); // fails if the process is ending
    });
    // Asked before it is accepted, so that an inactive node rejects.
    let Some(ticket) = node.submit(ask, reply) else {
        return requested.reject();
    };
    let executing = match requested.accept().begin() {
        BeginAcceptedGoal::Execute(executing) => executing,
        BeginAcceptedGoal::Cancel(cancelling) => {
            ticket.cancel();
            let answer = told.await.unwrap_or_else(|_| lost());
            let result = A::result(&answer);
            return match answer.ending {
                // It was there before the wish to cancel.
                Ending::Succeeded => cancelling.succeeded_with(result),
                Ending::Cancelled | Ending::Aborted => cancelling.cancelled_with(result),
            };
        }
    };
    loop {
        match executing.until_cancel_requested(told).await {
            Ok(answer) => {
                let answer = answer.unwrap_or_else(|_| lost());
                let result = A::result(&answer);
                return match answer.ending {
                    Ending::Succeeded => executing.succeeded_with(result),
                    Ending::Cancelled | Ending::Aborted => executing.aborted_with(result),
                };
            }
            Err(rest) if ticket.cancel() => {
                let cancelling = executing.begin_cancelling();
                let answer = rest.await.unwrap_or_else(|_| lost());
                return cancelling.cancelled_with(A::result(&answer));
            }
            Err(rest) => {
                // The answer was there first: that one stands.
                executing.reject_cancellation();
                told = rest;
            }
        }
    }
}

/// The answer of a planner that is gone.
fn lost() -> Answer {
    let message = "the planner ended before it had an answer";
    Answer::without(Ending::Aborted, NavError::Unknown, message)
}
