//! A robot on its way keeps its plan, unless the plan no longer holds or a new one is worth it.

use crate::common::corridor::EAST;
use crate::common::planning::{self, at, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::Pose2;
use hrm_planner::planner::{HaltReason, Outcome, PlannerConfig, Request, Source, verify};
use hrm_planner::search::Termination;

/// Two ways round, the upper one a little longer; both are cut in half by the doors at col 6.
const BOTH: &str = "
    .............
    .###########.
    .............
    .###########.
    .............
";
const LOWER_CLOSED: &str = "
    .............
    .###########.
    .............
    .###########.
    ......#......
";

fn replan(
    art: &str,
    config: &PlannerConfig,
    start: Pose2,
    goal: Pose2,
    previous: Option<&Outcome>,
) -> Outcome {
    let snapshot = planning::snapshot(costmap(art), config);
    let mut planner = planning::planner(config, None);
    let request = Request::new(start, goal);
    let never = Termination::never();
    let outcome = planner.replan(&snapshot, &request, previous, &never, &mut |_| {});
    if let Some(plan) = &outcome.plan {
        let expected = planning::connecting(start, goal);
        assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
    }
    outcome
}

fn height(outcome: &Outcome) -> f64 {
    let poses = &outcome.plan.as_ref().expect("a plan").poses;
    poses.iter().map(|pose| pose.y).fold(0.0, f64::max)
}

#[test]
fn a_plan_of_nearly_the_same_cost_stays() {
    let config = point_robot();
    // Along the lower way, whose goal is on the same row.
    let (start, goal) = (at(0.5, 0.5), at(12.5, 0.5));
    let first = replan(BOTH, &config, start, goal, None);
    assert!(!first.report.kept && height(&first) < 1.0);
    // A step on, off the line by a bit: what is left of it, not a new one.
    let on_the_way = Pose2::new(3.2, 0.6, 0.1);
    let second = replan(BOTH, &config, on_the_way, goal, Some(&first));
    assert!(second.report.kept);
    assert_eq!(second.report.source, Some(Source::Search));
    let plan = second.plan.unwrap();
    assert!((plan.length_m - 9.3).abs() < 0.1, "{}", plan.length_m);
    assert_eq!(plan.cells.first().map(|cell| cell.col), Some(3));
    let old = &first.plan.unwrap().poses;
    // Only one pose is needed to get back to it.
    assert!(plan.poses[2..].iter().all(|pose| old.contains(pose)));
}

#[test]
fn a_plan_that_no_longer_holds_goes() {
    let config = point_robot();
    let (start, goal) = (at(0.5, 0.5), at(12.5, 0.5));
    let first = replan(BOTH, &config, start, goal, None);
    let second = replan(LOWER_CLOSED, &config, at(2.5, 0.5), goal, Some(&first));
    assert!(!second.report.kept && height(&second) > 2.0);
}

#[test]
fn a_better_plan_replaces_it_and_a_little_better_one_does_not() {
    let (start, goal) = (at(0.5, 0.5), at(12.5, 0.5));
    let config = point_robot();
    // Made while the lower way was closed, it goes through the middle: 16 cells where 12 do.
    let detour = replan(LOWER_CLOSED, &config, start, goal, None);
    let opened = replan(BOTH, &config, start, goal, Some(&detour));
    assert!(!opened.report.kept && height(&opened) < 1.0);
    let patient = PlannerConfig {
        switch_gain: 0.5,
        ..config
    };
    let opened = replan(BOTH, &patient, start, goal, Some(&detour));
    assert!(opened.report.kept && height(&opened) > 2.0);
}

#[test]
fn a_robot_that_left_its_plan_or_has_another_goal_gets_a_new_one() {
    let config = PlannerConfig {
        switch_gain: 1.0,
        ..point_robot()
    };
    let goal = at(12.5, 0.5);
    let first = replan(BOTH, &config, at(0.5, 0.5), goal, None);
    let astray = replan(BOTH, &config, at(3.5, 4.5), goal, Some(&first));
    assert!(!astray.report.kept);
    let elsewhere = replan(BOTH, &config, at(0.5, 0.5), at(12.5, 4.5), Some(&first));
    assert!(!elsewhere.report.kept);
}

#[test]
fn a_plan_that_holds_stays_where_time_ran_out() {
    let config = point_robot();
    let (start, goal) = (at(0.5, 0.5), at(12.5, 0.5));
    let first = replan(BOTH, &config, start, goal, None);
    let snapshot = planning::snapshot(costmap(BOTH), &config);
    let mut planner = planning::planner(&config, None);
    let late = Termination::never().with_deadline(std::time::Instant::now());
    let request = Request::new(at(2.5, 0.5), goal);
    let outcome = planner.replan(&snapshot, &request, Some(&first), &late, &mut |_| {});
    assert!(outcome.report.kept && outcome.error.is_none() && outcome.plan.is_some());
    assert!(
        outcome.message.contains("still holds"),
        "{}",
        outcome.message
    );
}

#[test]
fn on_the_same_snapshot_the_same_goal_is_thought_about_once() {
    let config = PlannerConfig {
        switch_gain: 0.0,
        ..point_robot()
    };
    let snapshot = planning::snapshot(costmap(BOTH), &config);
    let model = toy_model::one_way(EAST, 1.0, 0.0);
    let mut planner = planning::planner(&config, Some(model));
    let never = Termination::never();
    let mut ask = |snapshot: &_, start, goal| {
        let request = Request::new(start, goal);
        planner.replan(snapshot, &request, None, &never, &mut |_| {})
    };
    let goal = at(12.5, 0.5);
    let first = ask(&snapshot, at(0.5, 0.5), goal);
    assert!(first.report.segments > 0);
    let second = ask(&snapshot, at(4.5, 0.5), goal);
    assert_eq!(second.report.segments, 0);
    assert_eq!(second.report.halt_reason, HaltReason::Recalled);
    assert_eq!(second.report.source, Some(Source::Model));
    assert_eq!(second.plan.unwrap().cells.len(), 9);
    // Another goal, or another map though it looks the same, is another matter.
    let elsewhere = ask(&snapshot, at(0.5, 4.5), at(12.5, 4.5));
    assert!(elsewhere.report.segments > 0);
    let anew = planning::snapshot(costmap(BOTH), &config);
    let later = ask(&anew, at(0.5, 4.5), at(12.5, 4.5));
    assert!(later.report.segments > 0);
}

#[test]
fn a_plan_does_not_depend_on_what_was_asked_before() {
    let config = point_robot();
    let snapshot = planning::snapshot(costmap(BOTH), &config);
    let mut planner = planning::planner(&config, Some(toy_model::untrained(4)));
    let never = Termination::never();
    let request = Request::new(at(4.5, 0.5), at(12.5, 0.5));
    let mut ask = |start| {
        let request = Request { start, ..request };
        planner.plan(&snapshot, &request, &never, &mut |_| {})
    };
    let alone = ask(request.start);
    ask(at(0.5, 0.5));
    let after = ask(request.start);
    assert_eq!(alone.report.segments, after.report.segments);
    assert_eq!(alone.plan, after.plan);
}
