//! Back ends: what joins a [`Node`](crate::node::Node) to other programs. Each only translates.
//!
//! ```text
//! contract/   every endpoint and what its messages mean, once for both back ends
//! ros2/       on ROS 2, by rclrs: `hrm_planner_node`
//! zenoh/      without ROS, as rmw_zenoh speaks: `hrm-planner serve`, and its clients
//! ```

#[cfg(feature = "ros2")]
pub mod ros2;
#[cfg(feature = "zenoh")]
pub mod zenoh;
