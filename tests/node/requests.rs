//! From a request to its answer: frames, ages, planner names, options.

use crate::common::robot::{Robot, header, pose, to_pose, transform, until};
use hrm_planner::grid::{Pose2, Quaternion};
use hrm_planner::node::message::{Answer, Ask, Ending};
use hrm_planner::node::statistics::Level;
use hrm_planner::node::{Pose, PoseStamped, Time};
use hrm_planner::planner::NavError;

const ROOM: &str = "
    ..........
    ..........
    ..........
    ..........";
const TEXT: &str = "robot_radius: 0.2\nsource: search\ntransform_tolerance: 0.05\ntolerance: 0.0";

fn robot() -> Robot {
    Robot::active(TEXT, ROOM)
}

fn first(answer: &Answer) -> Pose2 {
    answer.path().expect("a plan").poses[0]
}

fn last(answer: &Answer) -> Pose2 {
    *answer
        .path()
        .and_then(|path| path.poses.last())
        .expect("a plan")
}

fn goal_in(frame: &str, stamp_s: f64, x: f64, y: f64) -> Ask {
    Ask::ToPose {
        goal: PoseStamped {
            header: header(frame, stamp_s),
            ..pose(frame, x, y)
        },
        start: Some(pose("map", 1.5, 1.5)),
        planner_id: String::new(),
    }
}

#[test]
fn a_plan_starts_where_the_robot_is_if_no_start_is_given() {
    let robot = robot();
    robot.place("map", "odom", (1.0, 0.0, 0.0), 100.0);
    robot.place("odom", "base_link", (1.25, 2.5, 0.0), 100.0);
    let answer = robot.answer(to_pose(None, (8.5, 1.5)));
    assert!(first(&answer).distance(&Pose2::new(2.25, 2.5, 0.0)) < 1e-9);
    assert!(last(&answer).distance(&Pose2::new(8.5, 1.5, 0.0)) < 1e-9);
}

#[test]
fn a_robot_whose_transform_is_too_old_or_missing_is_a_tf_error() {
    let robot = robot();
    let answer = robot.answer(to_pose(None, (8.5, 1.5)));
    assert_eq!(answer.error(), Some(NavError::TfError));
    assert!(
        answer.message.contains("where the robot is"),
        "{}",
        answer.message
    );
    robot.place("map", "base_link", (1.5, 1.5, 0.0), 99.0);
    let answer = robot.answer(to_pose(None, (8.5, 1.5)));
    assert!(answer.message.contains("1.000 s old"), "{}", answer.message);
    robot.place("map", "base_link", (1.5, 1.5, 0.0), 99.96);
    assert_eq!(robot.answer(to_pose(None, (8.5, 1.5))).error(), None);
}

#[test]
fn a_robot_placed_by_static_transforms_has_no_age() {
    let robot = robot();
    let place = transform("map", "base_link", (1.5, 1.5, 0.0), 0.0);
    robot.node.put_transforms(&[place], true);
    assert_eq!(robot.answer(to_pose(None, (8.5, 1.5))).error(), None);
}

#[test]
fn a_goal_in_the_maps_frame_needs_no_transform_however_old_it_is() {
    assert_eq!(robot().answer(goal_in("map", 1.0, 8.5, 1.5)).error(), None);
}

#[test]
fn a_goal_in_another_frame_is_brought_into_the_maps() {
    let robot = robot();
    let quarter = std::f64::consts::FRAC_PI_2;
    robot.place("map", "odom", (9.0, 0.0, quarter), 99.0);
    robot.place("map", "odom", (9.0, 0.0, quarter), 99.98);
    let expected = Pose2::new(8.5, 2.5, 0.0);
    // At its stamp, without one, with one too old for the buffer, with one a little ahead of it.
    for stamp_s in [99.5, 0.0, 1.0, 100.0] {
        let answer = robot.answer(goal_in("odom", stamp_s, 2.5, 0.5));
        assert!(last(&answer).distance(&expected) < 1e-9, "{stamp_s}");
        assert!((last(&answer).yaw - quarter).abs() < 1e-9);
    }
    let answer = robot.answer(goal_in("odom", 200.0, 2.5, 0.5));
    assert_eq!(answer.error(), Some(NavError::TfError));
    assert!(
        answer.message.contains("use_sim_time"),
        "{}",
        answer.message
    );
}

#[test]
fn poses_that_are_none_say_why() {
    let robot = robot();
    let with = |pose: Pose| Ask::ToPose {
        goal: PoseStamped {
            header: header("map", 0.0),
            pose,
        },
        start: Some(crate::common::robot::pose("map", 1.5, 1.5)),
        planner_id: String::new(),
    };
    let nowhere = Pose {
        position: [f64::NAN, 0.0, 0.0],
        ..Pose::default()
    };
    let unturned = Pose {
        position: [8.5, 1.5, 0.0],
        orientation: Quaternion {
            x: 0.0,
            y: 0.0,
            z: 0.0,
            w: 0.0,
        },
    };
    for (pose, words) in [(nowhere, "finite"), (unturned, "norm")] {
        let answer = robot.answer(with(pose));
        assert_eq!(answer.error(), Some(NavError::TfError));
        assert!(answer.message.contains(words), "{}", answer.message);
    }
    let answer = robot.answer(goal_in("", 0.0, 8.5, 1.5));
    assert!(answer.message.contains("frame_id"), "{}", answer.message);
}

#[test]
fn a_planner_goes_by_its_names() {
    let two = Robot::active(&format!("{TEXT}\nplanner_plugins: [Fast, Safe]"), ROOM);
    let named = |name: &str| Ask::ToPose {
        goal: pose("map", 8.5, 1.5),
        start: Some(pose("map", 1.5, 1.5)),
        planner_id: name.to_owned(),
    };
    for (robot, name, error) in [
        (&robot(), "", None),
        (&robot(), "GridBased", None),
        (&robot(), "Smac", Some(NavError::InvalidPlanner)),
        (&two, "Safe", None),
        (&two, "", Some(NavError::InvalidPlanner)),
    ] {
        assert_eq!(robot.answer(named(name)).error(), error, "{name:?}");
    }
}

#[test]
fn plans_are_stamped_with_the_clock_in_use() {
    let robot = robot();
    robot.clock.set(Time::from_seconds(1234.5));
    let answer = robot.answer(to_pose(Some((1.5, 1.5)), (8.5, 1.5)));
    assert_eq!(answer.path().unwrap().header, header("map", 1234.5));
    assert_eq!(*robot.sent.plans.lock().unwrap(), answer.paths);
}

#[test]
fn a_plan_through_poses_names_the_leg_that_fails() {
    let robot = robot();
    let through = |goals: &[(f64, f64)]| Ask::ThroughPoses {
        goals: goals
            .iter()
            .map(|goal| pose("map", goal.0, goal.1))
            .collect(),
        start: Some(pose("map", 1.5, 1.5)),
        planner_id: String::new(),
    };
    assert_eq!(
        robot.answer(through(&[])).error(),
        Some(NavError::NoViapointsGiven)
    );
    let answer = robot.answer(through(&[(2.5, 2.5), (50.0, 1.5)]));
    assert_eq!(answer.error(), Some(NavError::GoalOutsideMap));
    assert!(answer.message.contains("leg 2 of 2"), "{}", answer.message);
    assert_eq!(
        robot.answer(through(&[(2.5, 2.5), (8.5, 1.5)])).ending,
        Ending::Succeeded
    );
}

#[test]
fn a_report_is_sent_for_plans_and_for_failures() {
    let robot = Robot::active("", ROOM);
    robot.answer(to_pose(Some((1.5, 1.5)), (8.5, 1.5)));
    robot.answer(to_pose(Some((1.5, 1.5)), (99.0, 1.5)));
    until("both are reported", || {
        robot.sent.reports.lock().unwrap().len() == 2
    });
    let reports = robot.sent.reports.lock().unwrap().clone();
    assert!(reports[0].succeeded && reports[0].legs.len() == 1 && reports[0].error_code == 0);
    assert_eq!((reports[1].succeeded, reports[1].error_code), (false, 204));
    let frames = robot.sent.frames.lock().unwrap();
    assert!(!frames.is_empty(), "its thinking is shown");
    assert_eq!(frames[0].values.len(), 40);
    assert!(
        frames[0]
            .value_image()
            .iter()
            .all(|shade| (-1..=98).contains(shade))
    );
}

#[test]
fn a_changed_setting_counts_for_the_next_request() {
    let robot = robot();
    let far = || to_pose(Some((1.5, 1.5)), (8.5, 1.5));
    assert_eq!(robot.answer(far()).error(), None);
    let set = |name: &str, value: serde_json::Value| {
        robot.node.set_parameters(vec![(name.to_owned(), value)])
    };
    set("source", "model".into()).unwrap();
    until("the model plans", || {
        robot.answer(far()).ending == Ending::Succeeded
    });
    let report = robot.sent.reports.lock().unwrap().last().cloned().unwrap();
    assert_eq!(report.legs[0].model.as_deref(), Some("nav"));
    assert!(set("source", "oracle".into()).is_err());
}

#[test]
fn diagnostics_name_what_is_wrong() {
    let robot = Robot::new("obstacle_layer: {scan: {expected_update_rate: 0.5}}");
    assert_eq!(
        robot.node.diagnose().level,
        Level::Ok,
        "it is not meant to plan yet"
    );
    robot.node.start();
    let diagnosis = robot.node.diagnose();
    assert_eq!(diagnosis.level, Level::Error);
    assert!(
        diagnosis.message.contains("no map"),
        "{}",
        diagnosis.message
    );
    robot.node.maps().put_map(crate::common::robot::map(ROOM));
    until("the map is there", || robot.node.maps().present().is_some());
    let diagnosis = robot.node.diagnose();
    assert!(diagnosis.message.contains("scan"), "{}", diagnosis.message);
}
