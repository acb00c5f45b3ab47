//! The five services of a managed node; its topic is among the publishers.

use std::sync::Arc;

use rclrs::Node as RosNode;
use ros_env::lifecycle_msgs::msg::{Transition, TransitionDescription};
use ros_env::lifecycle_msgs::srv::{
    ChangeState, ChangeState_Request, ChangeState_Response, GetAvailableStates,
    GetAvailableStates_Request, GetAvailableStates_Response, GetAvailableTransitions,
    GetAvailableTransitions_Request, GetAvailableTransitions_Response, GetState, GetState_Request,
    GetState_Response,
};

use super::publishers::state_msg;
use super::{Parts, refused};
use crate::Result;
use crate::node::Node;
use crate::node::lifecycle::{Edge, State, graph};

fn described(edges: Vec<Edge>) -> GetAvailableTransitions_Response {
    let description = |edge: Edge| TransitionDescription {
        transition: Transition {
            id: edge.id,
            label: edge.label.to_owned(),
        },
        start_state: state_msg(edge.from),
        goal_state: state_msg(edge.to),
    };
    GetAvailableTransitions_Response {
        available_transitions: edges.into_iter().map(description).collect(),
    }
}

/// # Errors
/// A service that ROS does not take.
pub fn serve(ros: &RosNode, node: &Arc<Node>) -> Result<Parts> {
    let what = "the lifecycle services";
    let of_change = node.clone();
    let change = ros
        .create_service::<ChangeState, _>("~/change_state", move |ask: ChangeState_Request| {
            ChangeState_Response {
                success: of_change.change_state(ask.transition.id, &ask.transition.label),
            }
        })
        .map_err(refused(what))?;
    let of_get = node.clone();
    let get = ros
        .create_service::<GetState, _>("~/get_state", move |_: GetState_Request| {
            GetState_Response {
                current_state: state_msg(of_get.state()),
            }
        })
        .map_err(refused(what))?;
    let states = ros
        .create_service::<GetAvailableStates, _>(
            "~/get_available_states",
            |_: GetAvailableStates_Request| GetAvailableStates_Response {
                available_states: State::ALL.into_iter().map(state_msg).collect(),
            },
        )
        .map_err(refused(what))?;
    let of_available = node.clone();
    let available = ros
        .create_service::<GetAvailableTransitions, _>(
            "~/get_available_transitions",
            move |_: GetAvailableTransitions_Request| {
                described(of_available.available_transitions())
            },
        )
        .map_err(refused(what))?;
    let whole = ros
        .create_service::<GetAvailableTransitions, _>(
            "~/get_transition_graph",
            |_: GetAvailableTransitions_Request| described(graph()),
        )
        .map_err(refused(what))?;
    Ok(vec![
        Box::new(change),
        Box::new(get),
        Box::new(states),
        Box::new(available),
        Box::new(whole),
    ])
}
