//! Models of many scales look at a large map coarsely first, and once more along the plan.

use crate::common::corridor::EAST;
use crate::common::planning::{self, at, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::planner::{Outcome, PlannerConfig, Request};

/// A hall of 320 x 320 cells, asked from its west to its east end.
fn ask(is_sparse: bool, closer_look: bool) -> Outcome {
    let config = PlannerConfig {
        max_tokens: 1024,
        closer_look,
        repair_gain: 1.0,
        ..point_robot()
    };
    let line = format!("{}\n", ".".repeat(320));
    let snapshot = planning::snapshot(costmap(&line.repeat(320)), &config);
    let model = toy_model::of_scales(EAST, is_sparse);
    let request = Request::new(at(0.5, 160.5), at(319.5, 160.5));
    planning::plan(&snapshot, &config, Some(model), &request)
}

#[test]
fn a_plan_on_blocks_is_thought_about_again_along_its_corridor() {
    let (coarse, fine) = (ask(true, false), ask(true, true));
    let factor = |outcome: &Outcome| outcome.report.reduction_factor.unwrap();
    assert!(
        factor(&coarse) > factor(&fine),
        "{} and {}",
        factor(&coarse),
        factor(&fine)
    );
    assert!(coarse.report.segments < fine.report.segments);
    let cost = |outcome: &Outcome| outcome.plan.as_ref().unwrap().grid_travel_cost;
    assert!(cost(&fine) <= cost(&coarse));
}

#[test]
fn models_that_are_not_sparse_think_at_one_scale() {
    let (coarse, fine) = (ask(false, false), ask(false, true));
    assert_eq!(coarse.report.segments, fine.report.segments);
    assert_eq!(coarse.report.reduction_factor, fine.report.reduction_factor);
}
