//! Grids: where the world is cells. Map files, costs, inflation and generated maps.
//!
//! Everything here is plain data: a [`Geometry`] says where a grid lies in the world, a
//! [`Costmap`] gives each cell a cost as Nav2 uses it. No tensors, no robots, no middleware.

mod cost;
mod costmap;
mod geometry;
pub mod movingai;

pub use cost::Cost;
pub use costmap::Costmap;
pub use geometry::{Cell, DEFAULT_MAX_CELLS, Geometry, Move, Pose2};
