//! The planner's settings: one struct, its defaults, its ranges.
//!
//! `configs/planner.yaml` documents every key, with those of the node; this struct and that file say
//! the same, and a test holds them together. [`crate::node::Settings`] reads it.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::Footprint;
use crate::grid::{DEFAULT_MAX_CELLS, Inflation, Moves};
use crate::model::{DeviceChoice, Precision};
use crate::search::{MAX_COST_WEIGHT, Rules};
use crate::threads::MAX_THREADS;
use crate::{Error, Result};

/// Who may make plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanSource {
    /// The model, repaired where it needs it, and the search where nothing helps.
    #[default]
    Auto,
    /// The model alone.
    Model,
    /// The search alone.
    Search,
}

/// When thinking stops before its bounds; see [`PlannerConfig::halt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HaltRule {
    /// When the model says so: at the start cell `q_halt` is above 0 and above `q_continue`
    /// (HRM, arXiv 2506.21734, section 2), and the rollout is verified.
    Learned,
    /// When the model says that its plan is good, whether or not going on might be better: at the
    /// start cell `q_halt` is above 0 (TRM, arXiv 2510.04871), and the rollout is verified.
    Confident,
    /// When the rollout is verified and has cost the same for `stable_segments` segments.
    #[default]
    Stable,
    /// When `Learned` or `Stable` holds.
    Either,
    /// Never: always to the last segment or the deadline.
    Never,
}

/// The planner's settings. Keys of files that are missing here are errors; keys missing in a file
/// have their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlannerConfig {
    /// Radius of the robot's circle, metres, 0..=10: cells nearer to an obstacle are inscribed.
    /// Also the radius around the start in which inscribed cells may be crossed. Without effect if
    /// there is a footprint, whose inscribed circle is the robot's then.
    pub robot_radius: f64,
    /// The outline of a robot that is not round.
    pub footprint: Footprint,
    /// How far costs reach around obstacles, metres, 0..=100.
    pub inflation_radius: f64,
    /// How fast these costs fall, 1/m, 0..=1000.
    pub cost_scaling_factor: f64,
    /// Weight of a cell's cost against its length, 0..=[`MAX_COST_WEIGHT`]; see [`Rules`].
    pub cost_weight: f64,
    /// The moves from cell to cell.
    pub moves: Moves,
    /// Whether plans may enter unknown cells.
    pub allow_unknown: bool,
    /// How far from a blocked or unreachable goal a plan may end, metres, 0..=1000; 0: not at all.
    /// A request can bring its own.
    pub tolerance: f64,
    /// Who may make plans.
    pub source: PlanSource,
    /// What repair must save of the travel cost of a plan of the model that holds to replace it, as
    /// a share of it, 0..=1; 1: such plans are left alone.
    pub repair_gain: f64,
    /// Radius of the arcs that take the place of corners where there is room for them, metres, 0..=100; 0:
    /// corners stay.
    pub turning_radius: f64,
    /// What a new plan must save of the travel cost left of the one in use to replace it, as a share
    /// of it, 0..=1.
    pub switch_gain: f64,
    /// When thinking stops early.
    pub halt: HaltRule,
    /// For how many segments in a row a verified plan must cost the same to be stable, 1..=64.
    pub stable_segments: usize,
    /// Segments of thinking at most, 1..=4096.
    pub max_segments: usize,
    /// Time for a request, seconds, 0.001..=3600. It may run over by one segment.
    pub max_planning_time: f64,
    /// Tokens the model thinks about at most, 16..=1048576; larger maps are pooled until they fit.
    pub max_tokens: usize,
    /// Whether a plan found on a pooled map is thought about once more, along its corridor, as finely
    /// as `max_tokens` allows.
    pub closer_look: bool,
    /// How many symmetric images of a problem the model thinks about, 1..=16; the best pieces of its plans
    /// count. For models with tied weights there are 2 p^2 of them, for patches of p x p cells.
    pub symmetries: usize,
    /// Whether [`replan`](super::Planner::replan) goes on thinking where it ended when the map has
    /// changed, instead of beginning anew.
    pub warm_start: bool,
    /// Cells a map may have at most, 1..=2147483648.
    pub max_cells: usize,
    /// Where the model thinks. Whoever loads it puts it there
    /// ([`Checkpoint::model_on`](crate::model::Checkpoint::model_on)).
    pub device: DeviceChoice,
    /// What the model's products compute with. [`Planner::new`](super::Planner::new) makes it so.
    pub precision: Precision,
    /// Threads of the whole program, 0..=1024; 0: one per core. It holds for programs that call
    /// [`threads::settle`](crate::threads::settle) with it, as `hrm-planner` does.
    pub threads: usize,
}

impl Default for PlannerConfig {
    fn default() -> Self {
        Self {
            robot_radius: 0.22,
            footprint: Footprint::default(),
            inflation_radius: 0.55,
            cost_scaling_factor: 3.0,
            cost_weight: 1.0,
            moves: Moves::Eight,
            allow_unknown: false,
            tolerance: 0.5,
            source: PlanSource::Auto,
            repair_gain: 0.01,
            turning_radius: 0.0,
            switch_gain: 0.05,
            halt: HaltRule::Stable,
            stable_segments: 2,
            max_segments: 64,
            max_planning_time: 2.0,
            max_tokens: 2048,
            closer_look: false,
            symmetries: 1,
            warm_start: true,
            max_cells: DEFAULT_MAX_CELLS,
            device: DeviceChoice::Cpu,
            precision: Precision::F32,
            threads: 0,
        }
    }
}

impl PlannerConfig {
    /// Checks that every setting is within its range.
    ///
    /// # Errors
    /// [`Error::PlannerSetting`] for the first one that is not.
    pub fn validate(&self) -> Result<()> {
        let mut limited = self.limited().into_iter();
        limited.try_for_each(|(limits, value)| limits.check(value))
    }

    /// The range of a setting; `None` for one that is not a number.
    pub fn range(key: &str) -> Option<RangeInclusive<f64>> {
        let limited = Self::default().limited().into_iter();
        let mut ranges = limited.filter(|(limits, _)| limits.key == key);
        ranges.next().map(|(limits, _)| limits.range)
    }

    /// The settings that are numbers, with their ranges.
    fn limited(&self) -> [(Limits, f64); 15] {
        let limits = |key, range, must| Limits { key, range, must };
        [
            (
                limits("robot_radius", 0.0..=10.0, "0 to 10 m"),
                self.robot_radius,
            ),
            (
                limits("inflation_radius", 0.0..=100.0, "0 to 100 m"),
                self.inflation_radius,
            ),
            (
                limits("cost_scaling_factor", 0.0..=1000.0, "0 to 1000 per metre"),
                self.cost_scaling_factor,
            ),
            (
                limits("cost_weight", 0.0..=MAX_COST_WEIGHT, "0 to 1000"),
                self.cost_weight,
            ),
            (
                limits("tolerance", 0.0..=1000.0, "0 to 1000 m"),
                self.tolerance,
            ),
            (
                limits("turning_radius", 0.0..=100.0, "0 to 100 m"),
                self.turning_radius,
            ),
            (limits("switch_gain", 0.0..=1.0, "0 to 1"), self.switch_gain),
            (limits("repair_gain", 0.0..=1.0, "0 to 1"), self.repair_gain),
            (
                limits("stable_segments", 1.0..=64.0, "1 to 64"),
                self.stable_segments as f64,
            ),
            (
                limits("max_segments", 1.0..=4096.0, "1 to 4096"),
                self.max_segments as f64,
            ),
            (
                limits("max_planning_time", 0.001..=3600.0, "0.001 to 3600 s"),
                self.max_planning_time,
            ),
            (
                limits("max_tokens", 16.0..=1_048_576.0, "16 to 1048576"),
                self.max_tokens as f64,
            ),
            (
                limits("symmetries", 1.0..=16.0, "1 to 16"),
                self.symmetries as f64,
            ),
            (
                limits("max_cells", 1.0..=2_147_483_648.0, "1 to 2147483648"),
                self.max_cells as f64,
            ),
            (
                limits("threads", 0.0..=MAX_THREADS as f64, "0 to 1024"),
                self.threads as f64,
            ),
        ]
    }

    /// The radius of the robot's circle, metres: of the largest one inside its footprint, if it has
    /// one.
    pub fn radius(&self) -> f64 {
        if self.footprint.is_none() {
            self.robot_radius
        } else {
            self.footprint.inscribed_radius()
        }
    }

    /// How travel cost is counted.
    ///
    /// # Errors
    /// [`Error::CostWeight`], if the settings are not valid.
    pub fn rules(&self) -> Result<Rules> {
        Ok(Rules::new(self.cost_weight, self.allow_unknown)?.with_moves(self.moves))
    }

    /// How obstacles are inflated.
    ///
    /// # Errors
    /// [`Error::Inflation`], if the settings are not valid.
    pub fn inflation(&self) -> Result<Inflation> {
        Inflation::new(
            self.radius(),
            self.inflation_radius,
            self.cost_scaling_factor,
        )
    }
}

/// The range of a setting that is a number.
#[derive(Debug, Clone)]
struct Limits {
    /// The setting.
    key: &'static str,
    /// Its least and its greatest value.
    range: RangeInclusive<f64>,
    /// The same for people, with the unit.
    must: &'static str,
}

impl Limits {
    /// An error unless `value` is in the range; a NaN is in none.
    fn check(&self, value: f64) -> Result<()> {
        let Self { key, range, must } = self;
        if range.contains(&value) {
            return Ok(());
        }
        Err(Error::PlannerSetting { key, value, must })
    }
}
