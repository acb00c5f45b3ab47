//! Grids: where the world is cells. Map files, costs, inflation and generated maps.
//!
//! Everything here is plain data: a [`Geometry`] says where a grid lies in the world, a
//! [`Costmap`] gives each cell a cost as Nav2 uses it. No tensors, no robots, no middleware.

mod cost;
mod costmap;
mod demo;
pub mod distance;
pub mod generate;
mod geometry;
mod inflation;
mod map_file;
mod map_image;
mod map_save;
mod map_yaml;
pub mod maze_hard;
mod moves;
pub mod movingai;
mod occupancy;
mod occupancy_message;
mod pgm;
mod symmetry;

pub use cost::Cost;
pub use costmap::Costmap;
pub use demo::{DEMO_GOAL, DEMO_START, demo_map};
pub use geometry::{Cell, DEFAULT_MAX_CELLS, Geometry, Move, Pose2};
pub use inflation::{Inflation, Workspace, inflate};
pub use map_file::{MapFile, MapMode, load_map, load_map_with_max_cells};
pub use map_save::save_map;
pub use moves::Moves;
pub use occupancy::{CostRule, Counts, OccupancyGrid, published_occupancy};
pub use occupancy_message::{OccupancyMessage, OccupancyUpdate, Quaternion};
pub use symmetry::Symmetry;
