//! The reasoner: a family of recurrent networks behind one small interface.
//!
//! A problem is encoded once; then segments of thinking run on a [`Carry`], each followed by a
//! [`Readout`] of moves, values and halting scores. This module knows tensors and costmaps; it
//! knows no robots and no metres. Turning a read-out into a plan is the planner's work.
//!
//! What all models share: the interface ([`Reasoner`]), the nested recurrence ([`Cycles`]),
//! thinking as long as it needs ([`think`]) and the rule by which problems halt ([`Halting`]).
//!
//! - [`GridHrm`]: the grid model of one scale, for mazes and small grids.
//! - [`SequenceHrm`]: the published models HRM and TRM, for parity and comparison; see
//!   [`sequence`] for their equations.
//! - [`encode`]: from a costmap and a goal to input planes.
//! - [`DeviceChoice`], [`Compute`]: on which device, CPU or CUDA, all of this computes.
//! - [`Checkpoint`]: weights with their configuration and training record in one file, of any
//!   family ([`ModelConfig`]).
//! - [`import`]: checkpoints of the published models, from files that nobody has to trust.
//! - [`shipped`]: the model that is part of this program.

mod act;
mod block;
mod checkpoint;
mod convolution;
mod cycles;
mod device;
mod encode;
mod focus;
mod formulation;
mod fused;
mod grid_config;
mod grid_hrm;
mod grid_problems;
mod halting;
mod host_values;
pub mod import;
mod kernels;
mod layout;
mod model_config;
mod named_tensors;
mod precision;
mod reasoner;
mod row_ops;
pub mod sequence;
mod shipped;
mod ties;
mod warm;
mod weight_stream;

pub use act::{Act, Answer, think};
pub use block::Block;
pub use checkpoint::{Checkpoint, TrainingRecord, write_atomically};
pub use cycles::{Cycles, GradientReach, Modules};
pub use device::{Compute, DeviceChoice};
pub use encode::{Encoding, PLANES, Patches, encode};
pub use focus::{Focus, Word};
pub use formulation::Formulation;
pub use grid_config::GridHrmConfig;
pub use grid_hrm::{GridHrm, Readout, wants_to_halt};
pub use grid_problems::{GridEncoded, GridProblems, Maps};
pub use halting::{HaltSignal, Halting};
#[doc(hidden)]
pub use kernels::{KernelCase, kernel_cases};
pub use layout::{Image, Layout};
pub use model_config::ModelConfig;
pub use precision::Precision;
pub use reasoner::{Carry, Reasoner};
#[doc(no_inline)]
pub use sequence::{
    PositionEncoding, SequenceConfig, SequenceEncoded, SequenceFamily, SequenceHrm,
    SequenceProblems, SequenceReadout,
};
pub use shipped::{SHIPPED_NAME, shipped};
pub use warm::{Resumed, Warm};
