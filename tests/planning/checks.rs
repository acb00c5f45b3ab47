//! Every cause of "no plan" has its own error, and what can be planned is planned.

use crate::common::costmap;
use crate::common::planning::{self, at, point_robot};
use hrm_planner::grid::{Cost, Costmap, Geometry, Pose2};
use hrm_planner::planner::{
    HaltReason, NavError, Outcome, PlanSource, Planner, PlannerConfig, Request, Snapshot,
};
use hrm_planner::search::Termination;

fn plan_with(map: Costmap, config: &PlannerConfig, start: Pose2, goal: Pose2) -> Outcome {
    let snapshot = planning::snapshot(map, config);
    planning::plan(&snapshot, config, None, &Request::new(start, goal))
}

fn plan(art: &str, start: Pose2, goal: Pose2) -> Outcome {
    plan_with(costmap(art), &point_robot(), start, goal)
}

fn error(outcome: &Outcome) -> NavError {
    assert!(outcome.plan.is_none());
    assert!(!outcome.message.is_empty());
    outcome.error.expect("no plan has an error")
}

const OPEN: &str = "
    ......
    ......
    ......";

#[test]
fn codes_and_names_are_those_of_nav2() {
    let table: Vec<_> = NavError::ALL
        .iter()
        .map(|error| {
            (
                error.name(),
                error.to_pose_code(),
                error.through_poses_code(),
            )
        })
        .collect();
    let expected = [
        ("UNKNOWN", 200, 300),
        ("INVALID_PLANNER", 201, 301),
        ("TF_ERROR", 202, 302),
        ("START_OUTSIDE_MAP", 203, 303),
        ("GOAL_OUTSIDE_MAP", 204, 304),
        ("START_OCCUPIED", 205, 305),
        ("GOAL_OCCUPIED", 206, 306),
        ("TIMEOUT", 207, 307),
        ("NO_VALID_PATH", 208, 308),
        ("NO_VIAPOINTS_GIVEN", 309, 309),
    ];
    assert_eq!(table, expected);
    assert_eq!(
        serde_json::to_string(&NavError::TfError).unwrap(),
        "\"TF_ERROR\""
    );
}

#[test]
fn poses_off_the_map_are_told_apart() {
    let inside = at(0.5, 0.5);
    for outside in [at(-0.1, 1.0), at(6.0, 1.0), at(1.0, 3.0), at(1e300, 1.0)] {
        assert_eq!(
            error(&plan(OPEN, outside, inside)),
            NavError::StartOutsideMap
        );
        assert_eq!(
            error(&plan(OPEN, inside, outside)),
            NavError::GoalOutsideMap
        );
    }
}

#[test]
fn poses_that_are_no_numbers_are_nowhere_on_the_map() {
    let inside = at(0.5, 0.5);
    for broken in [
        at(f64::NAN, 1.0),
        at(1.0, f64::INFINITY),
        Pose2::new(1.0, 1.0, f64::NAN),
    ] {
        let outcome = plan(OPEN, broken, inside);
        assert_eq!(error(&outcome), NavError::StartOutsideMap);
        assert!(outcome.message.contains("finite"));
        assert_eq!(error(&plan(OPEN, inside, broken)), NavError::GoalOutsideMap);
    }
}

#[test]
fn a_start_in_an_obstacle_is_start_occupied() {
    assert_eq!(
        error(&plan("#..", at(0.5, 0.5), at(2.5, 0.5))),
        NavError::StartOccupied
    );
}

#[test]
fn a_start_beside_an_obstacle_is_fine() {
    let config = PlannerConfig {
        robot_radius: 1.5,
        ..point_robot()
    };
    // The start and all around it is inscribed.
    let outcome = plan_with(costmap("#......"), &config, at(1.5, 0.5), at(6.5, 0.5));
    assert_eq!(outcome.error, None, "{}", outcome.message);
    assert_eq!(outcome.plan.unwrap().poses[0], at(1.5, 0.5));
}

#[test]
fn a_start_in_space_never_observed_is_fine() {
    let outcome = plan("?..", at(0.5, 0.5), at(2.5, 0.5));
    assert_eq!(outcome.error, None, "{}", outcome.message);
}

#[test]
fn only_the_robots_own_surroundings_are_relaxed() {
    let config = PlannerConfig {
        robot_radius: 1.0,
        ..point_robot()
    };
    // A passage of one cell between obstacles, where a robot of this radius does not fit, begins
    // beside the robot and is longer than its radius.
    let art = "
        ...####...
        ..........
        ...####...";
    let outcome = plan_with(costmap(art), &config, at(2.5, 1.5), at(9.5, 1.5));
    assert_eq!(error(&outcome), NavError::NoValidPath);
}

#[test]
fn a_blocked_goal_is_goal_occupied_whatever_blocks_it() {
    let start = at(0.5, 0.5);
    let lethal = plan("...#", start, at(3.5, 0.5));
    let unknown = plan("...?", start, at(3.5, 0.5));
    let config = PlannerConfig {
        robot_radius: 1.0,
        ..point_robot()
    };
    let inscribed = plan_with(costmap(".....#"), &config, start, at(4.5, 0.5));
    for (outcome, word) in [
        (lethal, "obstacle"),
        (unknown, "allow_unknown"),
        (inscribed, "radius"),
    ] {
        assert_eq!(error(&outcome), NavError::GoalOccupied);
        assert!(outcome.message.contains(word), "{}", outcome.message);
    }
}

#[test]
fn unknown_goals_are_fine_where_unknown_space_may_be_entered() {
    let config = PlannerConfig {
        allow_unknown: true,
        ..point_robot()
    };
    let outcome = plan_with(costmap("..??"), &config, at(0.5, 0.5), at(3.5, 0.5));
    assert_eq!(outcome.error, None, "{}", outcome.message);
}

#[test]
fn the_goal_is_not_relaxed_even_beside_the_robot() {
    let config = PlannerConfig {
        robot_radius: 1.5,
        ..point_robot()
    };
    let outcome = plan_with(costmap("#......"), &config, at(1.5, 0.5), at(1.5, 0.5));
    assert_eq!(error(&outcome), NavError::GoalOccupied);
}

#[test]
fn a_goal_cut_off_is_no_valid_path() {
    let start = at(0.5, 0.5);
    assert_eq!(
        error(&plan("..#..", start, at(4.5, 0.5))),
        NavError::NoValidPath
    );
    // Corners are not cut.
    let art = "
        #.
        .#";
    assert_eq!(
        error(&plan(art, start, at(1.5, 1.5))),
        NavError::NoValidPath
    );
}

#[test]
fn tolerance_allows_the_nearest_cell_that_can_be_reached() {
    let config = PlannerConfig {
        tolerance: 1.6,
        ..point_robot()
    };
    // Beyond the wall there are nearer cells, but no way leads there.
    let goal = Pose2::new(3.6, 0.5, 1.0);
    let outcome = plan_with(costmap("...##.."), &config, at(0.5, 0.5), goal);
    let plan = outcome.plan.expect(&outcome.message);
    assert_eq!(plan.poses.last(), Some(&Pose2::new(2.5, 0.5, 1.0)));
    assert!(outcome.message.contains("1.100 m"), "{}", outcome.message);
    assert!((outcome.report.goal_distance_m.unwrap() - 1.1).abs() < 1e-9);
}

#[test]
fn tolerance_also_helps_goals_that_are_free_but_cut_off() {
    let config = PlannerConfig {
        tolerance: 2.0,
        ..point_robot()
    };
    let outcome = plan_with(costmap("...#.."), &config, at(0.5, 0.5), at(4.4, 0.5));
    assert_eq!(outcome.plan.unwrap().poses.last(), Some(&at(2.5, 0.5)));
}

#[test]
fn tolerance_has_an_end() {
    let config = PlannerConfig {
        tolerance: 1.0,
        ..point_robot()
    };
    let outcome = plan_with(costmap("...##.."), &config, at(0.5, 0.5), at(3.6, 0.5));
    assert_eq!(error(&outcome), NavError::GoalOccupied);
}

#[test]
fn a_request_can_bring_its_own_tolerance() {
    let snapshot = Snapshot::new(costmap("...##.."), &point_robot()).unwrap();
    let mut planner = Planner::new(point_robot(), None).unwrap();
    let mut plan = |tolerance| {
        let request = Request {
            start: at(0.5, 0.5),
            goal: at(3.6, 0.5),
            tolerance,
        };
        planner.plan(&snapshot, &request, &Termination::never(), &mut |_| {})
    };
    assert!(plan(Some(1.2)).plan.is_some());
    assert_eq!(error(&plan(None)), NavError::GoalOccupied);
    for senseless in [f64::NAN, -1.0, f64::INFINITY] {
        assert_eq!(error(&plan(Some(senseless))), NavError::Unknown);
    }
}

#[test]
fn a_goal_at_the_start_is_one_pose() {
    let here = Pose2::new(1.2, 1.7, 0.3);
    let plan = plan(OPEN, here, here).plan.unwrap();
    assert_eq!(plan.poses, [here]);
    assert_eq!((plan.length_m, plan.travel_cost), (0.0, 0.0));
}

#[test]
fn a_goal_that_only_turns_is_two_poses() {
    let start = Pose2::new(1.2, 1.7, 0.3);
    let goal = Pose2::new(1.2, 1.7, -2.0);
    let outcome = plan(OPEN, start, goal);
    assert_eq!(outcome.plan.unwrap().poses, [start, goal]);
    assert_eq!(outcome.report.halt_reason, HaltReason::NotAsked);
}

#[test]
fn a_goal_in_the_same_cell_is_a_straight_line() {
    let (start, goal) = (at(1.1, 1.1), at(1.8, 1.2));
    assert_eq!(plan(OPEN, start, goal).plan.unwrap().poses, [start, goal]);
}

#[test]
fn a_map_of_one_cell_has_a_plan_if_it_is_free() {
    let middle = at(0.5, 0.5);
    assert!(plan(".", middle, at(0.2, 0.9)).plan.is_some());
    assert_eq!(error(&plan("#", middle, middle)), NavError::StartOccupied);
    assert_eq!(error(&plan("?", middle, middle)), NavError::GoalOccupied);
    assert_eq!(
        error(&plan(".", middle, at(1.5, 0.5))),
        NavError::GoalOutsideMap
    );
}

#[test]
fn a_map_of_obstacles_only_is_start_occupied() {
    let map = Costmap::filled(Geometry::unit(30, 20).unwrap(), Cost::LETHAL);
    let outcome = plan_with(map, &PlannerConfig::default(), at(3.5, 3.5), at(20.5, 3.5));
    assert_eq!(error(&outcome), NavError::StartOccupied);
}

#[test]
fn a_map_too_far_away_for_its_resolution_is_refused() {
    let origin = Pose2::new(1e15, 0.0, 0.4);
    let map = Costmap::filled(Geometry::new(9, 9, 0.05, origin).unwrap(), Cost::FREE);
    let (start, goal) = (at(1e15, 0.1), at(1e15, 0.3));
    let outcome = plan_with(map, &point_robot(), start, goal);
    assert_eq!(error(&outcome), NavError::Unknown);
    assert!(outcome.message.contains("origin"), "{}", outcome.message);
}

#[test]
fn a_map_with_too_many_cells_is_no_snapshot() {
    let config = PlannerConfig {
        max_cells: 17,
        ..point_robot()
    };
    assert!(Snapshot::new(costmap(OPEN), &config).is_err());
}

#[test]
fn only_a_model_may_plan_but_there_is_none() {
    let config = PlannerConfig {
        source: PlanSource::Model,
        ..point_robot()
    };
    let outcome = plan_with(costmap(OPEN), &config, at(0.5, 0.5), at(5.5, 0.5));
    assert_eq!(error(&outcome), NavError::InvalidPlanner);
}
