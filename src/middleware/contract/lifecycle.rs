//! The five services of a managed node; its topic is among the publishers.

use std::sync::Arc;

use super::Graph;
use super::publishers::state_msg;
use super::wire::lifecycle_msgs::msg::{Transition, TransitionDescription};
use super::wire::lifecycle_msgs::srv::{
    ChangeState, ChangeState_Request, ChangeState_Response, GetAvailableStates,
    GetAvailableStates_Request, GetAvailableStates_Response, GetAvailableTransitions,
    GetAvailableTransitions_Request, GetAvailableTransitions_Response, GetState, GetState_Request,
    GetState_Response,
};
use crate::Result;
use crate::node::Node;
use crate::node::lifecycle::{Edge, State, graph as all_edges};

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
/// A service that the graph does not take.
pub fn serve(graph: &mut Graph, node: &Arc<Node>) -> Result<()> {
    let of_change = node.clone();
    graph.serve::<ChangeState>("~/change_state", move |ask: ChangeState_Request| {
        ChangeState_Response {
            success: of_change.change_state(ask.transition.id, &ask.transition.label),
        }
    })?;
    let of_get = node.clone();
    graph.serve::<GetState>("~/get_state", move |_: GetState_Request| {
        GetState_Response {
            current_state: state_msg(of_get.state()),
        }
    })?;
    graph.serve::<GetAvailableStates>(
        "~/get_available_states",
        |_: GetAvailableStates_Request| GetAvailableStates_Response {
            available_states: State::ALL.into_iter().map(state_msg).collect(),
        },
    )?;
    let of_available = node.clone();
    graph.serve::<GetAvailableTransitions>(
        "~/get_available_transitions",
        move |_: GetAvailableTransitions_Request| described(of_available.available_transitions()),
    )?;
    graph.serve::<GetAvailableTransitions>(
        "~/get_transition_graph",
        |_: GetAvailableTransitions_Request| described(all_edges()),
    )
}
