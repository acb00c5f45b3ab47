//! Repair: what a local search makes of a model's plan that fails or is too long, and that it takes
//! no credit that is not its own.

use crate::common::corridor::{EAST, WEST};
use crate::common::planning::{self, at, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::planner::{Outcome, PlanSource, PlannerConfig, Request, Source};

/// East leads into a pocket; the way leads over the top.
const POCKET: &str = "
    ..........
    .########.
    ........#.
";

/// Nothing in the way.
const OPEN: &str = "
    ..........
    ..........
    ..........
    ..........
    ..........
    ..........
    ..........
    ..........
    ..........
    ..........
";

fn few_segments() -> PlannerConfig {
    PlannerConfig {
        max_segments: 3,
        ..point_robot()
    }
}

/// From the lower left corner to a cell, by a model that moves east wherever it can.
fn ask(art: &str, (x, y): (f64, f64), config: &PlannerConfig) -> Outcome {
    let snapshot = planning::snapshot(costmap(art), config);
    let model = toy_model::leaning(EAST, 6.0, [1.0, 0.0]);
    let request = Request::new(at(0.5, 0.5), at(x, y));
    planning::plan(&snapshot, config, Some(model), &request)
}

#[test]
fn a_rollout_in_a_dead_end_is_mended() {
    let outcome = ask(POCKET, (9.5, 0.5), &few_segments());
    assert_eq!(outcome.report.source, Some(Source::Repaired));
    assert_eq!(outcome.own_cells, None);
    let plan = outcome.plan.unwrap();
    assert!((plan.grid_travel_cost - 13.0).abs() < 1e-9);
}

#[test]
fn a_plan_that_is_too_long_is_shortened() {
    // East to the wall, then north: 18 cells where 9 diagonal moves do.
    let outcome = ask(OPEN, (9.5, 9.5), &few_segments());
    assert_eq!(outcome.report.source, Some(Source::Repaired));
    let plan = outcome.plan.unwrap();
    assert!((plan.grid_travel_cost - 9.0 * std::f64::consts::SQRT_2).abs() < 1e-9);
    // The model's own plan stays known.
    assert_eq!(outcome.own_cells.unwrap().len(), 19);
}

#[test]
fn a_plan_of_the_best_cost_is_the_models() {
    let outcome = ask(OPEN, (9.5, 0.5), &few_segments());
    assert_eq!(outcome.report.source, Some(Source::Model));
    assert_eq!(outcome.own_cells, Some(outcome.plan.unwrap().cells));
}

#[test]
fn plans_that_hold_are_left_alone_at_a_gain_of_one() {
    let config = PlannerConfig {
        repair_gain: 1.0,
        ..few_segments()
    };
    let outcome = ask(OPEN, (9.5, 9.5), &config);
    assert_eq!(outcome.report.source, Some(Source::Model));
    assert!((outcome.plan.unwrap().grid_travel_cost - 18.0).abs() < 1e-9);
    // Those that do not hold are still mended.
    let outcome = ask(POCKET, (9.5, 0.5), &config);
    assert_eq!(outcome.report.source, Some(Source::Repaired));
}

#[test]
fn the_model_alone_is_never_repaired() {
    let config = PlannerConfig {
        source: PlanSource::Model,
        ..few_segments()
    };
    assert!(ask(POCKET, (9.5, 0.5), &config).plan.is_none());
    let outcome = ask(OPEN, (9.5, 9.5), &config);
    assert_eq!(outcome.report.source, Some(Source::Model));
    assert!((outcome.plan.unwrap().grid_travel_cost - 18.0).abs() < 1e-9);
}

#[test]
fn a_model_without_an_idea_gets_no_credit() {
    // Each of nine moves east is e^-6 as likely as the one west.
    let config = few_segments();
    let snapshot = planning::snapshot(costmap(".........."), &config);
    let model = toy_model::leaning(WEST, 6.0, [1.0, 0.0]);
    let request = Request::new(at(0.5, 0.5), at(9.5, 0.5));
    let outcome = planning::plan(&snapshot, &config, Some(model), &request);
    assert_eq!(outcome.report.source, Some(Source::Search));
    let model = toy_model::broken();
    let outcome = planning::plan(&snapshot, &config, Some(model), &request);
    assert_eq!(outcome.report.source, Some(Source::Search));
}
