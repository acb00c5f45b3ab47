//! The reasoner: a family of recurrent networks behind one small interface.
//!
//! A problem is encoded once; then segments of thinking run on a [`Carry`], each followed by a
//! [`Readout`] of moves, values and halting scores. This module knows tensors and costmaps; it
//! knows no robots and no metres. Turning a read-out into a plan is the planner's work.
//!
//! - [`GridHrm`]: the grid model of one scale, for mazes and small grids.
//! - [`encode`]: from a costmap and a goal to input planes.
//! - [`Checkpoint`]: weights with their configuration and training record in one file.
//! - [`import`]: checkpoints of the published models, from files that nobody has to trust.
//! - [`shipped`]: the model that is part of this program.

mod block;
mod checkpoint;
mod encode;
mod grid_hrm;
pub mod import;
mod kernels;
mod layout;
mod shipped;

pub use block::{Block, Formulation};
pub use checkpoint::{Checkpoint, TrainingRecord, write_atomically};
pub use encode::{PLANES, encode};
pub use grid_hrm::{Carry, GridHrm, GridHrmConfig, Readout};
pub use layout::Layout;
pub use shipped::{SHIPPED_NAME, shipped};
