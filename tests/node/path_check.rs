//! Whether a path may still be followed.

use crate::common::robot::{Robot, header, pose, to_pose, until};
use hrm_planner::grid::Pose2;
use hrm_planner::node::PoseStamped;
use hrm_planner::node::path_check::PathQuestion;

const TEXT: &str = "robot_radius: 0.6\ninflation_radius: 3.0\nsource: search";
const WALL: &str = "
    ..........
    ..........
    ....##....
    ....##....
    ..........
    ??........";

fn robot() -> Robot {
    let robot = Robot::active(TEXT, WALL);
    until("the map is there", || robot.node.maps().present().is_some());
    robot
}

fn along(y: f64, columns: std::ops::Range<i32>) -> PathQuestion {
    PathQuestion {
        poses: columns
            .map(|col| pose("map", f64::from(col) + 0.5, y))
            .collect(),
        max_cost: 254,
        unknown_is_obstacle: false,
        stop_at_first: false,
        max_lookahead_m: -1.0,
    }
}

#[test]
fn obstacles_and_the_way_between_poses_count() {
    let robot = robot();
    assert!(robot.node.is_path_valid(&along(0.5, 0..10)).is_valid);
    let answer = robot.node.is_path_valid(&along(2.5, 0..10));
    assert!(answer.success && !answer.is_valid);
    assert_eq!(answer.invalid, [4, 5]);
    let mut jump = along(2.5, 0..10);
    jump.poses.drain(1..9);
    assert_eq!(robot.node.is_path_valid(&jump).invalid, [1]);
}

#[test]
fn empty_paths_and_those_that_leave_the_map_are_invalid() {
    let robot = robot();
    assert!(!robot.node.is_path_valid(&along(0.5, 0..0)).is_valid);
    assert!(!robot.node.is_path_valid(&along(0.5, 5..12)).is_valid);
    assert!(!robot.node.is_path_valid(&along(f64::NAN, 0..3)).is_valid);
}

#[test]
fn every_option_does_what_it_says() {
    let robot = robot();
    let ask = |y, change: fn(&mut PathQuestion)| {
        let mut question = along(y, 0..10);
        change(&mut question);
        robot.node.is_path_valid(&question)
    };
    assert!(!ask(0.5, |q| q.unknown_is_obstacle = true).is_valid);
    assert!(
        !ask(0.5, |q| q.max_cost = 1).is_valid,
        "inflation reaches it"
    );
    assert_eq!(ask(2.5, |q| q.stop_at_first = true).invalid, [4]);
    assert!(ask(2.5, |q| q.max_lookahead_m = 2.0).is_valid);
    assert!(!ask(2.5, |q| q.max_lookahead_m = 4.0).is_valid);
}

#[test]
fn what_the_robot_has_behind_it_does_not_count() {
    let robot = robot();
    robot.place("map", "base_link", (7.5, 2.5, 0.0), 100.0);
    assert!(robot.node.is_path_valid(&along(2.5, 0..10)).is_valid);
}

#[test]
fn what_is_under_the_footprint_counts() {
    let carriage =
        "footprint: '[[1.2, 0.6], [1.2, -0.6], [-1.2, -0.6], [-1.2, 0.6]]'\nsource: search";
    let robot = Robot::active(carriage, WALL);
    until("the map is there", || robot.node.maps().present().is_some());
    let mut question = along(1.5, 0..10);
    // A metre beside the wall: clear lengthwise, not across.
    assert!(robot.node.is_path_valid(&question).is_valid);
    let across = Pose2::new(4.5, 1.5, std::f64::consts::FRAC_PI_2);
    question.poses[4].pose = hrm_planner::node::Pose::planar(across);
    let answer = robot.node.is_path_valid(&question);
    assert!(answer.success && !answer.is_valid);
    assert_eq!(answer.invalid, [4]);
}

#[test]
fn a_plan_is_valid_as_soon_as_it_is_made() {
    let robot = Robot::active(
        "robot_radius: 1.2\nsource: search",
        "..........\n.#........\n..........\n..........",
    );
    let answer = robot.answer(to_pose(Some((0.5, 0.5)), (8.5, 1.5)));
    let plan = answer.path().expect("a robot beside an obstacle may leave");
    let poses = plan.poses.iter().map(|pose| PoseStamped {
        header: header("map", 0.0),
        pose: hrm_planner::node::Pose::planar(*pose),
    });
    let question = PathQuestion {
        poses: poses.collect(),
        ..along(0.5, 0..1)
    };
    assert!(robot.node.is_path_valid(&question).is_valid);
}

#[test]
fn nothing_can_be_said_without_a_map_a_frame_or_while_inactive() {
    let empty = Robot::new(TEXT);
    assert!(!empty.node.is_path_valid(&along(0.5, 0..10)).success);
    let robot = robot();
    let mut elsewhere = along(0.5, 0..10);
    elsewhere.poses[3].header.frame = "moon".to_owned();
    assert!(!robot.node.is_path_valid(&elsewhere).success);
    robot.node.change_state(4, "");
    assert!(!robot.node.is_path_valid(&along(0.5, 0..10)).success);
}
