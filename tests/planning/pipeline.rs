//! From a request to a plan: who makes it, what is published and what is reported.

use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

use crate::common::corridor::{self, EAST, WEST, ask, halting};
use crate::common::planning::{self, centre, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::generate::{Components, Kind, generate, reachable_pair};
use hrm_planner::grid::{Costmap, DEMO_GOAL, DEMO_START, Geometry, Pose2, demo_map};
use hrm_planner::planner::{
    HaltReason, HaltRule, NavError, Plan, PlanSource, Planner, PlannerConfig, Request, Snapshot,
    Source,
};
use hrm_planner::search::Termination;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn plan_on(map: Costmap, config: &PlannerConfig, start: Pose2, goal: Pose2) -> Plan {
    let snapshot = planning::snapshot(map, config);
    let outcome = planning::plan(&snapshot, config, None, &Request::new(start, goal));
    outcome.plan.expect(&outcome.message)
}

// Who makes the plan.

#[test]
fn a_rollout_that_arrives_is_the_plan() {
    let outcome = ask(&point_robot(), Some(toy_model::one_way(EAST, 1.0, 0.0)));
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.message, "");
    assert_eq!(outcome.report.source, Some(Source::Model));
    assert_eq!(outcome.report.model.as_deref(), Some("one way"));
    assert_eq!(outcome.report.reduction_factor, Some(1));
    assert_eq!(outcome.plan.unwrap().cells.len(), 10);
}

#[test]
fn the_search_plans_where_the_model_goes_astray() {
    let outcome = ask(
        &halting(HaltRule::Either),
        Some(toy_model::one_way(WEST, 1.0, 0.0)),
    );
    assert!(outcome.plan.is_some());
    assert_eq!(outcome.report.source, Some(Source::Search));
    assert_eq!(outcome.report.halt_reason, HaltReason::MaxSegments);
    assert_eq!(outcome.report.segments, 5);
}

#[test]
fn the_search_plans_where_the_model_says_nan() {
    let outcome = ask(&halting(HaltRule::Either), Some(toy_model::broken()));
    assert!(outcome.plan.is_some());
    assert_eq!(outcome.report.source, Some(Source::Search));
}

#[test]
fn the_search_plans_where_there_is_no_model() {
    let outcome = ask(&point_robot(), None);
    assert!(outcome.plan.is_some());
    assert_eq!(outcome.report.source, Some(Source::Search));
    assert_eq!(outcome.report.halt_reason, HaltReason::NoModel);
}

#[test]
fn the_model_alone_may_fail() {
    let config = PlannerConfig {
        source: PlanSource::Model,
        ..halting(HaltRule::Either)
    };
    let outcome = ask(&config, Some(toy_model::one_way(WEST, 1.0, 0.0)));
    assert_eq!(outcome.error, Some(NavError::NoValidPath));
    assert!(
        outcome.message.contains("source: auto"),
        "{}",
        outcome.message
    );
    let outcome = ask(&config, Some(toy_model::one_way(EAST, 1.0, 0.0)));
    assert_eq!(outcome.report.source, Some(Source::Model));
}

#[test]
fn the_search_alone_does_not_ask_the_model() {
    let config = PlannerConfig {
        source: PlanSource::Search,
        ..point_robot()
    };
    let outcome = ask(&config, Some(toy_model::one_way(EAST, 1.0, 0.0)));
    assert_eq!(outcome.report.source, Some(Source::Search));
    assert_eq!(outcome.report.halt_reason, HaltReason::NotAsked);
    assert_eq!(outcome.report.segments, 0);
}

// What is published.

#[test]
fn a_plan_in_the_open_is_a_straight_line_at_any_angle() {
    let map = Costmap::filled(
        Geometry::new(80, 60, 0.05, Pose2::new(-1.0, 2.0, 0.3)).unwrap(),
        hrm_planner::grid::Cost::FREE,
    );
    let (start, goal) = (Pose2::new(-0.7, 2.4, 1.0), Pose2::new(1.31, 4.87, -2.0));
    let plan = plan_on(map, &PlannerConfig::default(), start, goal);
    assert!((plan.length_m - start.distance(&goal)).abs() < 1e-9);
    assert!((plan.travel_cost - plan.length_m).abs() < 1e-9);
    assert!(plan.grid_travel_cost > plan.length_m);
}

#[test]
fn poses_begin_and_end_as_asked_and_look_ahead_in_between() {
    let art = "
        .....
        .###.
        .###.
        .###.
        .....";
    let start = Pose2::new(0.4, 0.5, 2.5);
    let goal = Pose2::new(4.5, 4.6, -FRAC_PI_2);
    let plan = plan_on(costmap(art), &point_robot(), start, goal);
    assert_eq!((plan.poses[0], *plan.poses.last().unwrap()), (start, goal));
    for pair in plan.poses.windows(2) {
        assert!(pair[0].distance(&pair[1]) <= 1.0 + 1e-9);
    }
    for pair in plan.poses[1..].windows(2) {
        let heading = (pair[1].y - pair[0].y).atan2(pair[1].x - pair[0].x);
        let difference = (pair[0].yaw - heading + PI).rem_euclid(2.0 * PI) - PI;
        assert!(difference.abs() < 1e-6);
    }
}

#[test]
fn the_length_is_that_of_the_poses() {
    let plan = plan_on(demo_map(), &PlannerConfig::default(), DEMO_START, DEMO_GOAL);
    let length: f64 = plan
        .poses
        .windows(2)
        .map(|pair| pair[0].distance(&pair[1]))
        .sum();
    assert!(
        (plan.length_m - length).abs() < 1e-6,
        "{} {length}",
        plan.length_m
    );
    assert!(plan.travel_cost > plan.length_m);
    assert!(plan.length_m > DEMO_START.distance(&DEMO_GOAL));
}

#[test]
fn a_large_map_is_pooled_for_the_model() {
    let config = PlannerConfig {
        max_segments: 1,
        ..PlannerConfig::default()
    };
    let snapshot = Snapshot::new(demo_map(), &config).unwrap();
    let mut planner = Planner::new(config, Some(toy_model::untrained(3))).unwrap();
    let request = Request::new(DEMO_START, DEMO_GOAL);
    let outcome = planner.plan(&snapshot, &request, &Termination::never(), &mut |segment| {
        assert_eq!(segment.values().unwrap().len(), 400 * 300);
        assert_eq!(segment.poses[0], DEMO_START);
    });
    assert!(outcome.plan.is_some());
    assert!(outcome.report.reduction_factor.unwrap() > 1);
}

/// Travel cost of the line through the centres of a plan's cells, metres: half of each move lies
/// in the cell it leaves, half in the one it enters.
fn unsmoothed_cost(snapshot: &Snapshot, plan: &Plan) -> f64 {
    let multiplier = |cell| {
        let multiplier = snapshot.rules().multiplier(snapshot.inflated().cost(cell));
        multiplier.expect("a plan enters no blocked cell")
    };
    let moves = plan.cells.windows(2).map(|pair| {
        let (rows, cols) = (
            pair[0].row.abs_diff(pair[1].row),
            pair[0].col.abs_diff(pair[1].col),
        );
        let length = ((rows + cols) as f64).sqrt();
        length * f64::midpoint(multiplier(pair[0]), multiplier(pair[1]))
    });
    moves.sum::<f64>() * snapshot.geometry().resolution()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn smoothing_never_raises_the_travel_cost(
        seed: u64,
        kind in 0..6_usize,
        cost_weight in prop_oneof![Just(0.0), 0.0..20.0],
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let map = generate(Kind::ALL[kind], 50, 60, &mut rng);
        let components = Components::of(&map);
        let (start, goal) = reachable_pair(&map, &components, 20.0, &mut rng).unwrap();
        let config = PlannerConfig {
            robot_radius: 0.0,
            inflation_radius: 6.0,
            cost_scaling_factor: 0.5,
            cost_weight,
            ..PlannerConfig::default()
        };
        let snapshot = Snapshot::new(map, &config).unwrap();
        let mut planner = Planner::new(config, None).unwrap();
        let pose = |cell| centre(snapshot.raw(), cell);
        let request = Request::new(pose(start), pose(goal));
        let outcome = planner.plan(&snapshot, &request, &Termination::never(), &mut |_| {});
        let plan = outcome.plan.unwrap();
        let before = unsmoothed_cost(&snapshot, &plan);
        prop_assert!(plan.travel_cost <= before * (1.0 + 1e-9), "{} {before}", plan.travel_cost);
    }
}

// What is reported.

#[test]
fn a_report_is_json_with_stable_names() {
    let snapshot = Snapshot::new(costmap(corridor::ART), &point_robot())
        .unwrap()
        .with_stamp(12.5);
    let model = toy_model::one_way(EAST, 1.0, 0.0);
    let mut planner = Planner::new(point_robot(), Some(model)).unwrap();
    let outcome = planner.plan(
        &snapshot,
        &corridor::request(),
        &Termination::never(),
        &mut |_| {},
    );
    let report = serde_json::to_value(outcome.report).unwrap();
    assert_eq!(report["source"], "model");
    assert_eq!(report["halt_reason"], "stable");
    assert_eq!(report["segments"], 2);
    assert_eq!(report["travel_cost"], 9.0);
    assert_eq!(report["length_m"], 9.0);
    assert_eq!(report["goal_distance_m"], 0.0);
    assert_eq!(report["map_stamp"], 12.5);
    assert_eq!(report["map_size"], serde_json::json!([10, 1]));
    let stages = report["time_ms"].as_object().unwrap();
    for stage in [
        "total", "check", "reduce", "encode", "think", "decode", "verify", "search", "smooth",
    ] {
        assert!(stages[stage].as_f64().unwrap() >= 0.0, "{stage}");
    }
    assert_eq!(stages["search"], 0.0);
}

#[test]
fn halt_reasons_are_named_as_in_reports() {
    for reason in [
        HaltReason::Learned,
        HaltReason::Stable,
        HaltReason::MaxSegments,
        HaltReason::Deadline,
        HaltReason::Cancelled,
        HaltReason::NotReducible,
        HaltReason::NoModel,
        HaltReason::ModelFailed,
        HaltReason::NotAsked,
    ] {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
    }
}

#[test]
fn snapshots_are_shared_by_threads() {
    let snapshot = Arc::new(Snapshot::new(costmap(corridor::ART), &point_robot()).unwrap());
    let plans: Vec<_> = (0..2)
        .map(|_| {
            let snapshot = snapshot.clone();
            std::thread::spawn(move || {
                let mut planner = Planner::new(point_robot(), None).unwrap();
                let termination = Termination::never();
                planner
                    .plan(&snapshot, &corridor::request(), &termination, &mut |_| {})
                    .plan
            })
        })
        .collect();
    for plan in plans {
        assert!(plan.join().unwrap().is_some());
    }
}
