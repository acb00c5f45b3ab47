//! Every endpoint of the node (DESIGN section 7): its name, its quality of service, and what a message
//! on it means. Once for all back ends.
//!
//! This folder is compiled inside each back end, against what that one provides: the message types
//! (`wire`, whose names and fields are the same everywhere, as the same definition files make them), the
//! traits of services and messages, and a `Graph` to open endpoints on. What a planner node does is
//! in [`crate::node`].

mod actions;
mod convert;
mod lifecycle;
mod publishers;
mod sensors;
mod services;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::{Action, Graph, Publisher, Service, bulk, wire};
use crate::node::bond::Bond;
use crate::node::settings::{Durability, Reliability};
use crate::node::{Node, Settings};
use crate::{Error, Result};
use publishers::Publishers;

pub use actions::Plans;
// What else a back end translates by itself.
#[allow(unused_imports)]
pub use convert::{
    header, header_msg, map_info, pose, pose_stamped_msg, quaternion, time, time_msg,
};

#[cfg(fuzzing)]
pub use {
    actions::{through_poses, to_pose},
    convert::{pose_stamped, transform},
    sensors::laser_scan,
    services::question,
};

/// The node's name where nobody gives another (`-r __node:=planner_server`).
pub const NAME: &str = "hrm_planner";

/// What an endpoint asks for or offers (DDS quality of service).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qos {
    /// Whether lost messages are sent again.
    pub reliability: Reliability,
    /// Whether those who join late get what was sent before.
    pub durability: Durability,
    /// Messages kept.
    pub depth: usize,
}

impl Qos {
    /// What topics have where nothing else is said.
    pub const DEFAULT: Self = Self::reliable(10);
    /// The last message is kept for those who join late.
    pub const LATCHED: Self = Self {
        reliability: Reliability::Reliable,
        durability: Durability::TransientLocal,
        depth: 1,
    };

    /// Nothing is lost, and so many messages are kept until they are looked at.
    pub const fn reliable(depth: usize) -> Self {
        Self {
            reliability: Reliability::Reliable,
            durability: Durability::Volatile,
            depth,
        }
    }
}

/// What a service's answer is given to, once it is there.
pub type Respond<Response> = Box<dyn FnOnce(Response) + Send>;

/// A node with all its endpoints.
///
/// # Errors
/// Settings that make no sense, an endpoint that the graph does not take.
pub fn open(graph: &mut Graph, settings: Settings) -> Result<Arc<Node>> {
    let publishers = Arc::new(Publishers::new(graph, &settings)?);
    let period_s = settings.node.diagnostics_period;
    let node = Node::new(
        &graph.name(),
        instance(),
        settings,
        graph.clock(),
        publishers.clone(),
    )?;
    let node = Arc::new(node);
    sensors::subscribe(graph, &node)?;
    lifecycle::serve(graph, &node)?;
    services::serve(graph, &node)?;
    actions::serve(graph, &node)?;
    let beating = Arc::downgrade(&node);
    graph.repeat(Bond::PERIOD, move || {
        if let Some(node) = beating.upgrade() {
            node.beat();
        }
    })?;
    if period_s > 0.0 {
        let diagnosed = Arc::downgrade(&node);
        graph.repeat(Duration::from_secs_f64(period_s), move || {
            if let Some(node) = diagnosed.upgrade() {
                publishers.diagnosis(&node);
            }
        })?;
    }
    Ok(node)
}

/// Starts the node if its settings say so, and says in the log that it is there.
///
/// # Errors
/// A node that is to start by itself and cannot.
pub fn begin(graph: &Graph, node: &Node) -> Result<()> {
    if node.settings().node.autostart_node && !node.start() {
        return Err(Error::Middleware {
            what: "autostart_node".to_owned(),
            reason: "the node could not be configured; the log says why".to_owned(),
        });
    }
    tracing::info!(
        name = graph.full_name(),
        state = node.state().label(),
        "ready"
    );
    Ok(())
}

/// A number that nobody else has.
pub fn instance() -> u128 {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    half() << 64 | half()
}
