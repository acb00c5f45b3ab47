//! The node without ROS: on Zenoh, wire-compatible with `rmw_zenoh`.
//!
//! ```text
//! session.rs      how to join the network; by default this machine only, without a router
//! names.rs        names of ROS as keys and liveliness tokens of Zenoh
//! interfaces.rs   the messages, made by the build of the files in msg/
//! cdr.rs, attachment.rs   what the bytes mean
//! graph.rs        publishers, subscriptions, services; actions.rs and parameters.rs on top of it
//! client.rs       the other side, for people and programs; plans.rs: what it asks for;
//! fleet.rs        many nodes behind one client
//! ```
//!
//! Which endpoints there are is in `contract`, what a planner node does in [`crate::node`]. The wire facts are
//! those of `rmw_zenoh`'s design document; `docs/zenoh.md` says what was tried against what.

mod actions;
pub mod attachment;
mod bulk;
pub mod cdr;
pub mod client;
// Compiled once per back end, each with its own message types.
#[allow(clippy::duplicate_mod)]
#[path = "../contract/mod.rs"]
mod contract;
pub mod fleet;
#[cfg(fuzzing)]
pub mod fuzzing;
mod graph;
pub mod interfaces;
mod names;
mod parameters;
pub mod plans;
pub mod session;
mod watch;

use std::sync::Arc;

use crate::grid::OccupancyGrid;
use crate::node::message::Header;
use crate::node::{Clock, Node, Settings, SimulatedClock};
use crate::{Error, Result};
pub use contract::Qos;
use graph::{Graph, Publisher, SystemClock, system_time};
use interfaces as wire;
use interfaces::nav_msgs::msg::OccupancyGrid as GridMsg;
use interfaces::rosgraph_msgs::msg::Clock as ClockMsg;
use interfaces::{Action, Service};
use names::Names;
use session::Network;

/// An error of Zenoh as one of this crate's, without the lines of its source that it names.
fn refused<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
    let what = what.into();
    move |error| {
        let text = error.to_string();
        let reason = text.split(" at /").next().unwrap_or(&text);
        Error::Middleware {
            what,
            reason: reason.to_owned(),
        }
    }
}

/// What a process is called on the graph.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// As `ROS_DOMAIN_ID`: nodes of other domains are not met.
    pub domain: u32,
    /// Remapping rules of ROS: what is called `FROM` is to be `TO`; `__node` and `__ns` are the node's
    /// name and namespace.
    pub remaps: Vec<(String, String)>,
}

impl Identity {
    /// Of the domain that `ROS_DOMAIN_ID` says, 0 without it.
    ///
    /// # Errors
    /// [`Error::Domain`] for a variable that is no number.
    pub fn from_env() -> Result<Self> {
        let domain = match std::env::var("ROS_DOMAIN_ID") {
            Ok(text) if !text.is_empty() => text
                .parse()
                .map_err(|_| Error::Domain { text: text.clone() })?,
            _ => 0,
        };
        Ok(Self {
            domain,
            remaps: Vec::new(),
        })
    }
}

/// A node on the network, with all its endpoints.
pub struct Served {
    node: Arc<Node>,
    graph: Graph,
    map: Option<Publisher<GridMsg>>,
}

impl Served {
    /// Joins the network; the node is active if `autostart_node` says so, else it waits for a lifecycle
    /// manager.
    ///
    /// # Errors
    /// Names and settings that make no sense, a network that cannot be joined.
    pub fn start(settings: Settings, network: &Network, identity: &Identity) -> Result<Self> {
        settings.validate()?;
        let names = Names::new(identity.domain, contract::NAME, &identity.remaps)?;
        let simulated = Arc::new(SimulatedClock::default());
        let is_simulated = settings.node.use_sim_time;
        let clock: Arc<dyn Clock> = if is_simulated {
            simulated.clone()
        } else {
            Arc::new(SystemClock)
        };
        let mut graph = Graph::new(network.open()?, names, clock)?;
        if is_simulated {
            graph.subscribe("/clock", Qos::reliable(1), move |message: ClockMsg| {
                simulated.set(contract::time(&message.clock));
            })?;
        }
        let node = contract::open(&mut graph, settings)?;
        parameters::serve(&mut graph, &node)?;
        graph.look_for_mismatches()?;
        contract::begin(&graph, &node)?;
        Ok(Self {
            node,
            graph,
            map: None,
        })
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Publishes a map on the map's topic, as a map server does: late joiners get it too.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn publish_map(&mut self, map: &OccupancyGrid) -> Result<()> {
        let settings = self.node.settings();
        if self.map.is_none() {
            let topic = &settings.node.map_topic;
            self.map = Some(self.graph.publisher(topic, Qos::LATCHED)?);
        }
        match &self.map {
            Some(publisher) => publisher.publish(map_msg(&settings.node.global_frame, map)),
            None => Ok(()),
        }
    }

    /// Ends all requests and leaves the network.
    pub fn end(self) {
        self.node.shut_down();
        self.graph.close();
    }
}

/// A map as a map server publishes it, stamped with the present time.
pub fn map_msg(frame: &str, map: &OccupancyGrid) -> GridMsg {
    let header = Header {
        stamp: system_time(),
        frame: frame.to_owned(),
    };
    bulk::map_msg(&header, map)
}
