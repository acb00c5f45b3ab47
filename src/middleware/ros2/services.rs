//! The services that answer about plans and costmap.

use std::any::Any;
use std::sync::Arc;

use futures::channel::oneshot;
use rclrs::Node as RosNode;
use ros_env::hrm_planner_msgs::srv::{PlanBatch, PlanBatch_Request, PlanBatch_Response};
use ros_env::nav_msgs::srv::{GetPlan, GetPlan_Request, GetPlan_Response};
use ros_env::nav2_msgs::srv::{
    ClearCostmapAroundRobot, ClearCostmapAroundRobot_Response, ClearCostmapExceptRegion,
    ClearCostmapExceptRegion_Response, ClearEntireCostmap, ClearEntireCostmap_Response,
    IsPathValid, IsPathValid_Request, IsPathValid_Response,
};
use rosidl_runtime_rs::Service;

use super::convert::{duration_msg, path_msg, pose_stamped};
use super::{Parts, refused};
use crate::Result;
use crate::node::message::{Answer, Ask, AskKind};
use crate::node::obstacles::Region;
use crate::node::path_check::PathQuestion;
use crate::node::{Node, PoseStamped};

/// # Errors
/// A service that ROS does not take.
pub fn serve(ros: &RosNode, node: &Arc<Node>) -> Result<Parts> {
    let of_check = node.clone();
    let is_path_valid = ros
        .create_service::<IsPathValid, _>("is_path_valid", move |ask: IsPathValid_Request| {
            let answer = of_check.is_path_valid(&question(&ask));
            IsPathValid_Response {
                #[cfg(nav2_lookahead)]
                success: answer.success,
                is_valid: answer.is_valid,
                invalid_pose_indices: answer.invalid.iter().map(|&index| index as i32).collect(),
            }
        })
        .map_err(refused("is_path_valid"))?;
    let of_plan = node.clone();
    let get_plan = ros
        .create_async_service::<GetPlan, _>("~/get_plan", move |ask: GetPlan_Request| {
            let answer = asked(
                &of_plan,
                Ask::GetPlan {
                    start: pose_stamped(&ask.start),
                    goal: pose_stamped(&ask.goal),
                    tolerance: f64::from(ask.tolerance),
                },
            );
            async move {
                let answer = answer.await;
                let path = answer.as_ref().and_then(Answer::path);
                GetPlan_Response {
                    plan: path.map(path_msg).unwrap_or_default(),
                }
            }
        })
        .map_err(refused("~/get_plan"))?;
    let of_batch = node.clone();
    let plan_batch = ros
        .create_async_service::<PlanBatch, _>("~/plan_batch", move |ask: PlanBatch_Request| {
            let answer = asked(
                &of_batch,
                Ask::Batch {
                    starts: ask.starts.iter().map(pose_stamped).collect(),
                    goal: pose_stamped(&ask.goal),
                },
            );
            async move { batch_response(answer.await) }
        })
        .map_err(refused("~/plan_batch"))?;

    let entirely = clearing::<ClearEntireCostmap>(
        ros,
        node,
        "entirely",
        |_| Region::Everything,
        cleared_response,
    )?;
    let around = clearing::<ClearCostmapAroundRobot>(
        ros,
        node,
        "around",
        |ask| Region::Around(f64::from(ask.reset_distance)),
        |_| ClearCostmapAroundRobot_Response::default(),
    )?;
    let except = clearing::<ClearCostmapExceptRegion>(
        ros,
        node,
        "except",
        |ask| Region::Except(f64::from(ask.reset_distance)),
        |_| ClearCostmapExceptRegion_Response::default(),
    )?;
    Ok(vec![
        Box::new(is_path_valid),
        Box::new(get_plan),
        Box::new(plan_batch),
        entirely,
        around,
        except,
    ])
}

/// The question in a request; poses without a frame are in that of the path.
fn question(ask: &IsPathValid_Request) -> PathQuestion {
    let header = super::convert::header(&ask.path.header);
    let poses = ask.path.poses.iter().map(pose_stamped).map(|pose| {
        if pose.header.frame.is_empty() {
            PoseStamped {
                header: header.clone(),
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

/// The answer to a request, once it is there; `None` if the node is not active.
fn asked(node: &Node, ask: Ask) -> impl Future<Output = Option<Answer>> + Send + use<> {
    let (tell, told) = oneshot::channel();
    let reply = Box::new(move |answer| {
        let _ = tell.send(answer); // fails if the process is ending
    });
    if node.submit(ask, reply).is_none() {
        tracing::warn!("a request came while the node was not active; its answer is empty");
    }
    // The other end is dropped where the request was not taken in.
    async move { told.await.ok() }
}

/// One of the services that clear a region of the costmap: which one its request means, and what it
/// answers once that is done.
fn clearing<T: Service>(
    ros: &RosNode,
    node: &Arc<Node>,
    which: &str,
    region: fn(&T::Request) -> Region,
    response: fn(bool) -> T::Response,
) -> Result<Box<dyn Any>> {
    let costmap = &node.settings().node.costmap_name;
    let name = format!("{costmap}/clear_{which}_{costmap}");
    let of_service = node.clone();
    let service = ros.create_async_service::<T, _>(name.as_str(), move |ask: T::Request| {
        let done = cleared(&of_service, region(&ask));
        async move { response(done.await) }
    });
    Ok(Box::new(service.map_err(refused(name.clone()))?))
}

/// Says whether all was cleared, where Nav2's release can say it.
#[cfg_attr(not(nav2_clear_success), allow(unused_variables))]
fn cleared_response(success: bool) -> ClearEntireCostmap_Response {
    #[cfg(nav2_clear_success)]
    return ClearEntireCostmap_Response { success };
    #[cfg(not(nav2_clear_success))]
    ClearEntireCostmap_Response::default()
}

/// Clears a region; ready once that is done, with whether it was.
fn cleared(node: &Node, region: Region) -> impl Future<Output = bool> + Send + use<> {
    let (tell, told) = oneshot::channel();
    if node.is_active() {
        node.maps().clear(region, move || {
            let _ = tell.send(()); // fails if the process is ending
        });
    } else {
        tracing::warn!("a wish to clear came while the node was not active; nothing is done");
        drop(tell);
    }
    async move { told.await.is_ok() }
}

fn batch_response(answer: Option<Answer>) -> PlanBatch_Response {
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
