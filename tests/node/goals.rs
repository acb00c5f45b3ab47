//! Requests: newest wins, exactly one answer each, nothing after a cancel.

use std::time::Duration;

use crate::common::robot::{Robot, map, pose, to_pose, until, wait};
use hrm_planner::node::message::{Ask, AskKind, Ending};
use hrm_planner::planner::NavError;
use proptest::prelude::*;

const ROOM: &str = "
    ..........
    ..........
    ..........
    ..........";

/// A goal that waits for a transform of the robot until there is one.
fn waiting(patience_s: f64) -> (Robot, Ask) {
    let text = format!("source: search\ntransform_tolerance: {patience_s}\nmax_planning_time: 60");
    (Robot::active(&text, ROOM), to_pose(None, (8.5, 1.5)))
}

fn at_once() -> Ask {
    to_pose(Some((1.5, 1.5)), (8.5, 1.5))
}

#[test]
fn the_newest_goal_of_an_action_wins() {
    let (robot, slow) = waiting(30.0);
    let (_, first) = robot.ask(slow.clone());
    let (_, second) = robot.ask(slow.clone());
    let newest = robot.answer(at_once());
    assert_eq!(newest.ending, Ending::Succeeded);
    for told in [first, second] {
        let answer = wait(&told);
        assert_eq!(
            (answer.ending, answer.error()),
            (Ending::Aborted, Some(NavError::Unknown))
        );
        assert!(answer.message.contains("newer goal"), "{}", answer.message);
        assert!(told.recv().is_err(), "one answer, and no more");
    }
}

#[test]
fn a_cancelled_goal_ends_as_such_and_publishes_nothing() {
    let robot = Robot::active("", ROOM);
    assert_eq!(
        robot.answer(at_once()).ending,
        Ending::Succeeded,
        "it could"
    );
    robot.sent.plans.lock().unwrap().clear();
    // Held up in the middle of its thinking.
    let gate = robot.sent.close_gate();
    let (ticket, told) = robot.ask(at_once());
    until("it thinks", || robot.sent.is_at_gate());
    assert!(ticket.unwrap().cancel());
    drop(gate);
    let answer = wait(&told);
    assert_eq!((answer.ending, answer.path()), (Ending::Cancelled, None));
    assert!(robot.sent.plans.lock().unwrap().is_empty());
    let report = robot.sent.reports.lock().unwrap().last().cloned().unwrap();
    assert!(!report.succeeded);
}

#[test]
fn a_waiting_goal_that_is_cancelled_does_not_wait_any_longer() {
    let (robot, slow) = waiting(30.0);
    let (ticket, told) = robot.ask(slow);
    std::thread::sleep(Duration::from_millis(30));
    assert!(ticket.unwrap().cancel());
    let answer = wait(&told);
    assert_eq!(answer.ending, Ending::Cancelled);
    assert!(
        answer.planning_time < 5.0,
        "it did not wait for the transform"
    );
}

#[test]
fn a_batch_does_not_hold_up_the_robots_own_goal() {
    let robot = Robot::active("", ROOM);
    let gate = robot.sent.close_gate();
    let batch = Ask::Batch {
        starts: vec![pose("map", 1.5, 1.5)],
        goal: pose("map", 8.5, 1.5),
    };
    let (_, held_up) = robot.ask(batch);
    until("the batch thinks", || robot.sent.is_at_gate());
    robot.sent.open_gate_for_others();
    assert_eq!(robot.answer(at_once()).ending, Ending::Succeeded);
    drop(gate);
    assert_eq!(wait(&held_up).ending, Ending::Succeeded);
}

#[test]
fn what_has_its_answer_cannot_be_cancelled() {
    let (robot, _) = waiting(1.0);
    let (ticket, told) = robot.ask(at_once());
    assert_eq!(wait(&told).ending, Ending::Succeeded);
    assert!(!ticket.unwrap().cancel());
}

#[test]
fn a_wish_to_cancel_goes_before_a_newer_goal() {
    let (robot, slow) = waiting(30.0);
    let (ticket, told) = robot.ask(slow.clone());
    let (_, _newer) = robot.ask(slow);
    // Either it was taken back in time, or it had ended as superseded: never both.
    let ending = if ticket.unwrap().cancel() {
        Ending::Cancelled
    } else {
        Ending::Aborted
    };
    assert_eq!(wait(&told).ending, ending);
}

#[test]
fn requests_by_service_wait_in_line() {
    let (robot, _) = waiting(1.0);
    let plan = |x| Ask::GetPlan {
        start: pose("map", 1.5, 1.5),
        goal: pose("map", x, 2.5),
        tolerance: 0.0,
    };
    let told: Vec<_> = (0..8)
        .map(|col| robot.ask(plan(f64::from(col) + 0.5)).1)
        .collect();
    for (col, told) in told.iter().enumerate() {
        let answer = wait(told);
        assert_eq!(answer.ending, Ending::Succeeded);
        let last = answer.path().unwrap().poses.last().copied().unwrap();
        assert!((last.x - (col as f64 + 0.5)).abs() < 1e-9);
    }
    assert!(
        robot.sent.plans.lock().unwrap().is_empty(),
        "they are the askers' alone"
    );
}

#[test]
fn goals_of_different_actions_do_not_replace_each_other() {
    let (robot, _) = waiting(1.0);
    let through = Ask::ThroughPoses {
        goals: vec![pose("map", 4.5, 2.5), pose("map", 8.5, 1.5)],
        start: Some(pose("map", 1.5, 1.5)),
        planner_id: "GridBased".to_owned(),
    };
    assert_eq!(through.kind(), AskKind::ThroughPoses);
    let (_, first) = robot.ask(at_once());
    let (_, second) = robot.ask(through);
    assert_eq!(wait(&first).ending, Ending::Succeeded);
    assert_eq!(wait(&second).ending, Ending::Succeeded);
}

#[test]
fn deactivating_answers_everybody() {
    let (robot, slow) = waiting(30.0);
    // Its frame will never be known.
    let plan = Ask::GetPlan {
        start: pose("nowhere", 1.5, 1.5),
        goal: pose("map", 8.5, 1.5),
        tolerance: 0.0,
    };
    let told = [slow, plan.clone(), plan].map(|ask| robot.ask(ask).1);
    robot.node.change_state(4, "");
    for told in told {
        let answer = wait(&told);
        assert_eq!(answer.ending, Ending::Aborted);
        assert!(
            answer.message.contains("no longer active"),
            "{}",
            answer.message
        );
    }
    until("nobody waits", || robot.node.in_flight() == 0);
}

#[test]
fn a_node_that_is_dropped_answers_everybody() {
    let (robot, slow) = waiting(30.0);
    let (_, told) = robot.ask(slow);
    drop(robot);
    assert_eq!(wait(&told).ending, Ending::Aborted);
}

#[test]
fn the_bound_on_time_counts_from_the_request() {
    let text = "max_planning_time: 0.2\ncostmap_update_timeout: 30\ntransform_tolerance: 30";
    let robot = Robot::new(text);
    assert!(robot.node.start());
    let answer = robot.answer(at_once());
    assert_eq!(answer.error(), Some(NavError::Timeout), "no map");
    assert!(answer.planning_time < 5.0, "{}", answer.planning_time);
    robot.node.maps().put_map(map(ROOM));
    let answer = robot.answer(to_pose(None, (8.5, 1.5)));
    assert_eq!(answer.error(), Some(NavError::TfError), "no robot");
    assert!(answer.planning_time < 5.0, "{}", answer.planning_time);
}

#[test]
fn a_batch_has_an_answer_for_each_start() {
    let (robot, _) = waiting(1.0);
    let answer = robot.answer(Ask::Batch {
        starts: vec![pose("map", 1.5, 1.5), pose("map", 99.0, 1.5)],
        goal: pose("map", 8.5, 1.5),
    });
    assert_eq!(answer.ending, Ending::Succeeded);
    assert_eq!(answer.errors, [None, Some(NavError::StartOutsideMap)]);
    assert!(answer.paths[0].poses.len() > 2 && answer.paths[1].poses.is_empty());
    assert!(answer.message.contains("start 2"), "{}", answer.message);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_asked_and_taken_back_has_one_answer(
        steps in proptest::collection::vec((0..4_u8, any::<bool>()), 1..40),
    ) {
        let (robot, slow) = waiting(0.01);
        let mut asked = Vec::new();
        for (kind, is_taken_back) in steps {
            let ask = match kind {
                0 => at_once(),
                1 => slow.clone(),
                2 => Ask::ThroughPoses {
                    goals: vec![pose("map", 8.5, 1.5)],
                    start: Some(pose("map", 1.5, 1.5)),
                    planner_id: String::new(),
                },
                _ => Ask::GetPlan {
                    start: pose("map", 1.5, 1.5),
                    goal: pose("map", 8.5, 1.5),
                    tolerance: 0.0,
                },
            };
            let (ticket, told) = robot.ask(ask);
            let cancelled = is_taken_back && ticket.unwrap().cancel();
            asked.push((told, cancelled));
        }
        for (told, cancelled) in asked {
            let answer = wait(&told);
            prop_assert_eq!(answer.ending == Ending::Cancelled, cancelled);
            prop_assert_eq!(answer.path().is_some(), answer.ending == Ending::Succeeded);
            prop_assert!(told.recv_timeout(Duration::from_millis(1)).is_err());
        }
    }
}
