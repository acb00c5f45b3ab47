//! The plainest problem: a corridor of ten cells, to be followed from its west to its east end. A
//! model that always moves east solves it in the first segment, one that moves west never does.

use hrm_planner::grid::Move;
use hrm_planner::planner::{HaltRule, NamedModel, Outcome, PlannerConfig, Request};

use super::costmap;
use super::planning::{self, at, point_robot};

pub const EAST: Move = Move::from_index(0);
pub const WEST: Move = Move::from_index(4);

pub const ART: &str = "..........";

pub fn request() -> Request {
    Request::new(at(0.5, 0.5), at(9.5, 0.5))
}

/// Plans along the corridor.
pub fn ask(config: &PlannerConfig, model: Option<NamedModel>) -> Outcome {
    let snapshot = planning::snapshot(costmap(ART), config);
    planning::plan(&snapshot, config, model, &request())
}

/// Five segments at most.
pub fn halting(halt: HaltRule) -> PlannerConfig {
    PlannerConfig {
        halt,
        stable_segments: 5,
        max_segments: 5,
        ..point_robot()
    }
}
