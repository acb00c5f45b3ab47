//! A learned global planner for robots.
//!
//! Occupancy grids and goals come in, a Hierarchical Reasoning Model (HRM) thinks in bounded
//! segments, a verified plan goes out. Data flows one way:
//! [`grid`] -> [`model`] -> [`planner`] -> [`node`] -> middleware.
//!
//! - [`grid`]: cells, costs, map files, inflation, generated maps. Knows no tensors.
//! - [`model`]: the reasoner. Knows tensors, but no robots and no metres.
//! - [`planner`]: from a request to a verified plan. This is where plans are made.
//! - [`node`]: the planner as a managed node of a robot: maps, transforms, goals, lifecycle. Knows
//!   no middleware.
//! - [`middleware`]: back ends that join a node to other programs: ROS 2.
//! - [`search`]: the complete search: fields, A*, optimal moves. The oracle of everything.
//! - [`judge`]: how good the plans are, in numbers: scores by set of problems and kind of map.
//! - [`threads`]: how many threads a program uses.
//! - [`view`]: pictures and animations of maps, fields and plans, for people.
//!
//! Words are those of the glossary in `docs/words.md`; every public item says its units and frame.

pub mod error;
pub mod grid;
pub mod judge;
pub mod middleware;
pub mod model;
pub mod node;
pub mod planner;
pub mod search;
pub mod threads;
pub mod view;

pub use error::{Error, Result};
