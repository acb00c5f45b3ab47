//! Grids: where the world is cells. Map files, costs, inflation and generated maps.
//!
//! Everything here is plain data: a [`Geometry`] says where a grid lies in the world, a
//! [`Costmap`] gives each cell a cost as Nav2 uses it. No tensors, no robots, no middleware.

mod cost;
mod costmap;
mod demo;
mod geometry;

pub use cost::Cost;
pub use costmap::Costmap;
pub use demo::{DEMO_GOAL, DEMO_START, demo_map};
pub use geometry::{Cell, DEFAULT_MAX_CELLS, Geometry, Move, Pose2};
