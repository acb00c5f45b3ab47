//! Judging: how good the plans are, in numbers, by set of problems and kind of map.
//!
//! In go a model, the planner's settings and a set of problems; out comes one [`Row`] per kind.
//! Every problem is asked of the planner once, as a robot would ask, and answered by the oracle
//! too. Three answers are compared:
//!
//! - the model's own plan, before repair and fallback: the best one that holds, or, where none
//!   does, the read-out of its last segment;
//! - the published plan, as a path of cells before smoothing, so that 1.0 is the best cost ratio
//!   there is (smoothing cuts corners that a path of cells cannot);
//! - the oracle's, on the same map under the same rules.
//!
//! Nothing is taken on trust: paths are walked and costed here, published plans verified once
//! more. Thinking is bounded by segments, not by time, so that scores are the same on every
//! machine and any number of threads; times are those of one thread.
//!
//! Random problems come from streams of their own (see [`Judge::new`]), which training cannot
//! draw from.

mod answer;
mod case;
mod data_file;
mod failures;
mod generated;
mod maze_hard;
mod maze_tokens;
mod memory;
mod movingai;
mod npz;
mod path_cost;
mod planning_datasets;
mod ros_maps;
mod row;
mod run;
mod statistics;
mod table;

pub use case::{Answer, Case};
pub use data_file::map_files;
pub use failures::{FailureCounts, Failures};
pub use generated::Generated;
pub use memory::{peak_mib, reset_peak};
pub use path_cost::path_cost;
pub use row::Row;
pub use run::{Judge, Progress};
pub use statistics::{mean, percentile};
pub use table::write_table;

/// Travel costs within this share above the oracle's are optimal.
pub const OPTIMAL_WITHIN: f64 = 1e-4;
