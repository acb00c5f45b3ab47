//! Plans through several poses: one plan, leg after leg.

use crate::common::planning::{self, at, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::Pose2;
use hrm_planner::planner::{Expected, NavError, PlannerConfig, Route, Snapshot, verify};
use hrm_planner::search::Termination;

const ROOMS: &str = "
    ......#...
    ......#...
    ..........
    ......#...
    ......#...
";

fn route(art: &str, config: &PlannerConfig, goals: &[Pose2]) -> (Snapshot, Route) {
    let snapshot = planning::snapshot(costmap(art), config);
    let mut planner = planning::planner(config, Some(toy_model::untrained(1)));
    let never = Termination::never();
    let request = (at(0.5, 0.5), goals);
    let route = planner.plan_through(&snapshot, request, None, &never, &mut |_| {});
    (snapshot, route)
}

#[test]
fn all_poses_are_passed_in_their_order() {
    let goals = [
        Pose2::new(8.5, 4.5, 1.0),
        Pose2::new(1.5, 4.5, 2.0),
        Pose2::new(8.5, 0.5, 3.0),
    ];
    let (snapshot, route) = route(ROOMS, &point_robot(), &goals);
    let plan = route.plan.unwrap();
    assert_eq!((route.error, route.legs.len()), (None, 3));
    assert_eq!(route.message, "");
    let expected = Expected {
        start: Some(at(0.5, 0.5)),
        goal: Some(goals[2]),
        tolerance_m: 0.0,
    };
    assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
    let places: Vec<usize> = goals
        .iter()
        .map(|goal| plan.poses.iter().position(|pose| pose == goal).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    let legs = |number: fn(&hrm_planner::planner::Report) -> Option<f64>| -> f64 {
        route.legs.iter().filter_map(number).sum()
    };
    assert!((plan.length_m - legs(|leg| leg.length_m)).abs() < 1e-9);
    assert!((plan.travel_cost - legs(|leg| leg.travel_cost)).abs() < 1e-9);
}

#[test]
fn without_poses_there_is_nothing_to_plan() {
    let (_, route) = route(ROOMS, &point_robot(), &[]);
    assert_eq!(route.error, Some(NavError::NoViapointsGiven));
    assert!(route.plan.is_none() && !route.message.is_empty());
}

#[test]
fn a_leg_that_fails_is_named_and_there_is_no_half_plan() {
    let goals = [at(8.5, 4.5), at(6.5, 0.5), at(1.5, 1.5)];
    let (_, route) = route(ROOMS, &point_robot(), &goals);
    assert_eq!(route.error, Some(NavError::GoalOccupied));
    assert!(
        route.message.starts_with("leg 2 of 3: "),
        "{}",
        route.message
    );
    assert_eq!((route.plan, route.legs.len()), (None, 2));
}

#[test]
fn a_leg_begins_where_tolerance_ended_the_one_before() {
    let config = PlannerConfig {
        tolerance: 2.0,
        ..point_robot()
    };
    let goals = [at(6.5, 0.5), at(1.5, 1.5)];
    let (snapshot, route) = route(ROOMS, &config, &goals);
    let plan = route.plan.unwrap();
    assert!(
        route.message.starts_with("leg 1 of 2: "),
        "{}",
        route.message
    );
    let expected = Expected {
        start: Some(at(0.5, 0.5)),
        goal: Some(goals[1]),
        tolerance_m: 0.0,
    };
    assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
}
