//! The services that answer about plans and costmap.

use std::sync::{Arc, Mutex};

use super::convert::{duration_msg, header, path_msg, pose_stamped};
use super::wire::hrm_planner_msgs::srv::{PlanBatch, PlanBatch_Request, PlanBatch_Response};
use super::wire::nav_msgs::srv::{GetPlan, GetPlan_Request, GetPlan_Response};
use super::wire::nav2_msgs::srv::{
    ClearCostmapAroundRobot, ClearCostmapAroundRobot_Response, ClearCostmapExceptRegion,
    ClearCostmapExceptRegion_Response, ClearEntireCostmap, ClearEntireCostmap_Response,
    IsPathValid, IsPathValid_Request, IsPathValid_Response,
};
use super::{Graph, Respond, Service};
use crate::Result;
use crate::node::lock::lock;
use crate::node::message::{Answer, Ask, AskKind};
use crate::node::obstacles::Region;
use crate::node::path_check::PathQuestion;
use crate::node::{Node, PoseStamped};

/// # Errors
/// A service that the graph does not take.
pub fn serve(graph: &mut Graph, node: &Arc<Node>) -> Result<()> {
    let of_check = node.clone();
    graph.serve::<IsPathValid>("is_path_valid", move |ask: IsPathValid_Request| {
        let answer = of_check.is_path_valid(&question(&ask));
        IsPathValid_Response {
            #[cfg(nav2_lookahead)]
            success: answer.success,
            is_valid: answer.is_valid,
            invalid_pose_indices: answer.invalid.iter().map(|&index| index as i32).collect(),
        }
    })?;
    let of_plan = node.clone();
    graph.serve_later::<GetPlan>("~/get_plan", move |ask: GetPlan_Request, respond| {
        let ask = Ask::GetPlan {
            start: pose_stamped(&ask.start),
            goal: pose_stamped(&ask.goal),
            tolerance: f64::from(ask.tolerance),
        };
        submit(&of_plan, ask, respond, |answer| GetPlan_Response {
            plan: answer
                .and_then(Answer::path)
                .map(path_msg)
                .unwrap_or_default(),
        });
    })?;
    let of_batch = node.clone();
    graph.serve_later::<PlanBatch>("~/plan_batch", move |ask: PlanBatch_Request, respond| {
        let ask = Ask::Batch {
            starts: ask.starts.iter().map(pose_stamped).collect(),
            goal: pose_stamped(&ask.goal),
        };
        submit(&of_batch, ask, respond, batch_response);
    })?;

    clearing::<ClearEntireCostmap>(
        graph,
        node,
        "entirely",
        |_| Region::Everything,
        cleared_response,
    )?;
    clearing::<ClearCostmapAroundRobot>(
        graph,
        node,
        "around",
        |ask| Region::Around(f64::from(ask.reset_distance)),
        |_| ClearCostmapAroundRobot_Response::default(),
    )?;
    clearing::<ClearCostmapExceptRegion>(
        graph,
        node,
        "except",
        |ask| Region::Except(f64::from(ask.reset_distance)),
        |_| ClearCostmapExceptRegion_Response::default(),
    )
}

/// The question in a request; poses without a frame are in that of the path.
pub fn question(ask: &IsPathValid_Request) -> PathQuestion {
    let of_path = header(&ask.path.header);
    let poses = ask.path.poses.iter().map(pose_stamped).map(|pose| {
        if pose.header.frame.is_empty() {
            PoseStamped {
                header: of_path.clone(),
                ..pose
            }
        } else {
            pose
        }
    });
    #[cfg(nav2_max_cost)]
    let (max_cost, unknown_is_obstacle) = (ask.max_cost, ask.consider_unknown_as_obstacle);
    #[cfg(not(nav2_max_cost))]
    let (max_cost, unknown_is_obstacle) = (254, false);
    #[cfg(nav2_lookahead)]
    let (stop_at_first, max_lookahead_m) =
        (ask.stop_at_first_collision, ask.max_lookahead_distance);
    #[cfg(not(nav2_lookahead))]
    let (stop_at_first, max_lookahead_m) = (false, -1.0);
    PathQuestion {
        poses: poses.collect(),
        max_cost,
        unknown_is_obstacle,
        stop_at_first,
        max_lookahead_m,
    }
}

/// Asks the node, and answers once it has; with nothing (`None`) if it is not active.
fn submit<Response: Send + 'static>(
    node: &Node,
    ask: Ask,
    respond: Respond<Response>,
    response: fn(Option<&Answer>) -> Response,
) {
    // Shared, as whether the node takes the request in shows only after it was given.
    let respond = Arc::new(Mutex::new(Some(respond)));
    let tell = move |respond: &Mutex<Option<Respond<Response>>>, answer: Option<&Answer>| {
        if let Some(respond) = lock(respond).take() {
            respond(response(answer));
        }
    };
    let of_reply = respond.clone();
    let reply = Box::new(move |answer: Answer| tell(&of_reply, Some(&answer)));
    if node.submit(ask, reply).is_none() {
        tracing::warn!("a request came while the node was not active; its answer is empty");
        tell(&respond, None);
    }
}

/// One of the services that clear a region of the costmap: which one its request means, and what it
/// answers once that is done.
fn clearing<T: Service>(
    graph: &mut Graph,
    node: &Arc<Node>,
    which: &str,
    region: fn(&T::Request) -> Region,
    response: fn(bool) -> T::Response,
) -> Result<()>
where
    T::Response: Send,
{
    let costmap = &node.settings().node.costmap_name;
    let name = format!("{costmap}/clear_{which}_{costmap}");
    let of_service = node.clone();
    graph.serve_later::<T>(&name, move |ask: T::Request, respond| {
        if of_service.is_active() {
            of_service
                .maps()
                .clear(region(&ask), move || respond(response(true)));
        } else {
            tracing::warn!("a wish to clear came while the node was not active; nothing is done");
            respond(response(false));
        }
    })
}

/// Says whether all was cleared, where Nav2's release can say it.
#[cfg_attr(not(nav2_clear_success), allow(unused_variables))]
fn cleared_response(success: bool) -> ClearEntireCostmap_Response {
    #[cfg(nav2_clear_success)]
    return ClearEntireCostmap_Response { success };
    #[cfg(not(nav2_clear_success))]
    ClearEntireCostmap_Response::default()
}

fn batch_response(answer: Option<&Answer>) -> PlanBatch_Response {
    let Some(answer) = answer else {
        return PlanBatch_Response {
            error_msg: "the node is not active".to_owned(),
            ..Default::default()
        };
    };
    let code = |error| AskKind::Batch.code(error);
    PlanBatch_Response {
        plans: answer.paths.iter().map(path_msg).collect(),
        travel_costs: answer.travel_costs.clone(),
        error_codes: answer.errors.iter().copied().map(code).collect(),
        error_msg: answer.message.clone(),
        planning_time: duration_msg(answer.planning_time),
    }
}
