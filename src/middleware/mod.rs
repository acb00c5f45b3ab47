//! Back ends: what joins a [`Node`](crate::node::Node) to other programs. Each only translates.

#[cfg(feature = "ros2")]
pub mod ros2;
