//! Snapshots, planners and requests in one line each.

use hrm_planner::grid::{Cell, Costmap, Pose2};
use hrm_planner::planner::{
    Expected, NamedModel, Outcome, Planner, PlannerConfig, Request, Snapshot,
};
use hrm_planner::search::Termination;

/// Settings for a robot of one point, no costs around obstacles and no hurry, so that art says all.
pub fn point_robot() -> PlannerConfig {
    PlannerConfig {
        robot_radius: 0.0,
        inflation_radius: 0.0,
        tolerance: 0.0,
        // A busy machine is no reason for another answer; tests of the deadline set their own.
        max_planning_time: 600.0,
        ..PlannerConfig::default()
    }
}

/// A pose that heads along +x.
pub fn at(x: f64, y: f64) -> Pose2 {
    Pose2::new(x, y, 0.0)
}

/// A cell's centre, heading along +x.
pub fn centre(map: &Costmap, cell: Cell) -> Pose2 {
    let (x, y) = map.geometry().cell_to_world(cell);
    at(x, y)
}

/// The map made ready.
pub fn snapshot(map: Costmap, config: &PlannerConfig) -> Snapshot {
    Snapshot::new(map, config).expect("the settings are valid and the map is not too large")
}

/// A planner.
pub fn planner(config: &PlannerConfig, model: Option<NamedModel>) -> Planner {
    Planner::new(config.clone(), model).expect("the settings are valid")
}

/// What a plan must connect that leads from `start` to `goal`, both exactly.
pub fn connecting(start: Pose2, goal: Pose2) -> Expected {
    Expected {
        start: Some(start),
        goal: Some(goal),
        tolerance_m: 0.0,
    }
}

/// Answers one request, without bounds and without an audience.
pub fn plan(
    snapshot: &Snapshot,
    config: &PlannerConfig,
    model: Option<NamedModel>,
    request: &Request,
) -> Outcome {
    planner(config, model).plan(snapshot, request, &Termination::never(), &mut |_| {})
}
