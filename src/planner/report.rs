//! How an answer came about: who made the plan, why thinking stopped, what took how long.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{NamedModel, Snapshot};
use crate::search::Stop;

/// Who made the published plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A rollout of the model.
    Model,
    /// The model, with a local search that mended its plan or saved travel cost beside it.
    Repaired,
    /// The complete search.
    Search,
}

/// Why thinking stopped, or why it did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaltReason {
    /// The model said that it was done, and its rollout was verified.
    Learned,
    /// The verified rollout did not change any more.
    Stable,
    /// What was thought before on the same snapshot for the same goal held for this start too.
    Recalled,
    /// All segments allowed were used.
    MaxSegments,
    /// The model's share of the time was used.
    Deadline,
    /// Someone asked for it.
    Cancelled,
    /// The map is too large for the model, and pooling it separates the start from the goal.
    NotReducible,
    /// There is no model.
    NoModel,
    /// A tensor operation failed.
    ModelFailed,
    /// There was nothing to think about, or only the search may plan.
    NotAsked,
}

impl From<Stop> for HaltReason {
    /// Why thinking that was stopped stopped.
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::Cancelled,
            Stop::Deadline | Stop::Iterations => Self::Deadline,
        }
    }
}

impl HaltReason {
    /// The name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            HaltReason::Learned => "learned",
            HaltReason::Stable => "stable",
            HaltReason::Recalled => "recalled",
            HaltReason::MaxSegments => "max-segments",
            HaltReason::Deadline => "deadline",
            HaltReason::Cancelled => "cancelled",
            HaltReason::NotReducible => "not-reducible",
            HaltReason::NoModel => "no-model",
            HaltReason::ModelFailed => "model-failed",
            HaltReason::NotAsked => "not-asked",
        }
    }
}

/// Milliseconds spent per stage; 0 for stages that were not needed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Times {
    /// From the call to its return.
    pub total: f64,
    /// Up-front checks and the choice of the target.
    pub check: f64,
    /// From the map to what the model sees.
    pub reduce: f64,
    /// From there to tensors.
    pub encode: f64,
    /// Segments and their read-outs.
    pub think: f64,
    /// From read-outs to cells.
    pub decode: f64,
    /// The verifier, all calls.
    pub verify: f64,
    /// Local searches near what the model thought of.
    pub repair: f64,
    /// The complete search.
    pub search: f64,
    /// Shortcuts and poses.
    pub smooth: f64,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Who made the plan; `None` without one.
    pub source: Option<Source>,
    /// Whether the published plan is what is left of an earlier one; see
    /// [`super::Planner::replan`].
    pub kept: bool,
    /// Whether the model's own plan holds only because it evades cells that it has been in; see
    /// [`super::Policy::evading_rollout`].
    pub evaded: bool,
    /// Segments of thinking.
    pub segments: usize,
    /// Whether thinking went on from what was thought on an earlier map; see
    /// [`super::Planner::replan`].
    pub warm: bool,
    /// Why thinking stopped.
    pub halt_reason: HaltReason,
    /// At the start cell after the last segment, logit.
    pub q_halt: Option<f32>,
    /// At the start cell after the last segment, logit.
    pub q_continue: Option<f32>,
    /// [`super::Plan::travel_cost`], metres.
    pub travel_cost: Option<f64>,
    /// [`super::Plan::length_m`], metres.
    pub length_m: Option<f64>,
    /// The radius of the plan's tightest turn, metres, if `turning_radius` asked for arcs: 0 where a corner
    /// had no room for one. `None` without turns.
    pub tightest_turn_m: Option<f64>,
    /// How far the last pose is from the goal asked for, metres: above 0 only by tolerance.
    pub goal_distance_m: Option<f64>,
    /// Cells of the map along each side of one cell that the model saw; `None` if it saw nothing.
    pub reduction_factor: Option<usize>,
    /// Milliseconds per stage.
    pub time_ms: Times,
    /// The map's stamp, seconds, if it has one.
    pub map_stamp: Option<f64>,
    /// The map's (width, height), cells.
    pub map_size: (usize, usize),
    /// The model's name.
    pub model: Option<String>,
}

impl Report {
    /// The report of a request on this map before anything was done.
    pub(super) fn new(snapshot: &Snapshot, model: Option<&NamedModel>) -> Self {
        Self {
            source: None,
            kept: false,
            evaded: false,
            segments: 0,
            warm: false,
            halt_reason: HaltReason::NotAsked,
            q_halt: None,
            q_continue: None,
            travel_cost: None,
            length_m: None,
            tightest_turn_m: None,
            goal_distance_m: None,
            reduction_factor: None,
            time_ms: Times::default(),
            map_stamp: snapshot.stamp(),
            map_size: (snapshot.geometry().width(), snapshot.geometry().height()),
            model: model.map(|model| model.name.clone()),
        }
    }
}

/// Adds the time that `work` takes to `total_ms`.
pub(super) fn timed<T>(total_ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    *total_ms += milliseconds(begin.elapsed());
    result
}

/// A duration as reports write it.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
