//! When thinking stops, and what can be watched of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::corridor::{self, EAST, WEST, ask, halting};
use crate::common::planning::{at, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::planner::{
    HaltReason, HaltRule, NavError, Planner, PlannerConfig, Request, Snapshot, Source,
};
use hrm_planner::search::Termination;

// When thinking stops.

#[test]
fn thinking_stops_when_the_model_says_so() {
    for rule in [HaltRule::Learned, HaltRule::Either] {
        let report = ask(&halting(rule), Some(toy_model::one_way(EAST, 1.5, 0.5))).report;
        assert_eq!(
            (report.halt_reason, report.segments),
            (HaltReason::Learned, 1)
        );
        assert_eq!((report.q_halt, report.q_continue), (Some(1.5), Some(0.5)));
    }
}

#[test]
fn thinking_goes_on_while_the_model_would_rather_continue() {
    for (q_halt, q_continue) in [(1.0, 2.0), (-1.0, -2.0), (f32::NAN, 0.0)] {
        let model = toy_model::one_way(EAST, q_halt, q_continue);
        let outcome = ask(&halting(HaltRule::Learned), Some(model));
        let report = outcome.report;
        assert_eq!(
            (report.halt_reason, report.segments),
            (HaltReason::MaxSegments, 5)
        );
        // The plan is good all the same.
        assert_eq!(report.source, Some(Source::Model));
    }
}

#[test]
fn thinking_stops_when_the_plan_is_stable() {
    for rule in [HaltRule::Stable, HaltRule::Either] {
        let report = ask(&halting(rule), Some(toy_model::one_way(EAST, -1.0, 0.0))).report;
        assert_eq!(
            (report.halt_reason, report.segments),
            (HaltReason::Stable, 5)
        );
    }
}

#[test]
fn thinking_can_go_to_the_end() {
    let report = ask(
        &halting(HaltRule::Never),
        Some(toy_model::one_way(EAST, 9.0, 0.0)),
    )
    .report;
    assert_eq!(
        (report.halt_reason, report.segments),
        (HaltReason::MaxSegments, 5)
    );
}

#[test]
fn a_plan_that_does_not_arrive_never_halts() {
    let report = ask(
        &halting(HaltRule::Either),
        Some(toy_model::one_way(WEST, 9.0, 0.0)),
    )
    .report;
    assert_eq!(report.halt_reason, HaltReason::MaxSegments);
}

#[test]
fn a_deadline_ends_the_thinking_and_leaves_time_for_the_search() {
    let config = PlannerConfig {
        max_segments: 4096,
        max_planning_time: 0.5,
        ..point_robot()
    };
    let slow = toy_model::one_way(WEST, 1.0, 0.0);
    let snapshot = Snapshot::new(costmap(corridor::ART), &config).unwrap();
    let mut planner = Planner::new(config, Some(slow)).unwrap();
    let outcome = planner.plan(
        &snapshot,
        &corridor::request(),
        &Termination::never(),
        &mut |_| std::thread::sleep(Duration::from_millis(10)),
    );
    assert_eq!(outcome.report.halt_reason, HaltReason::Deadline);
    assert_eq!(outcome.report.source, Some(Source::Search));
}

#[test]
fn a_verified_plan_is_there_when_the_deadline_comes() {
    let config = PlannerConfig {
        halt: HaltRule::Never,
        max_segments: 4096,
        max_planning_time: 0.3,
        ..point_robot()
    };
    let snapshot = Snapshot::new(costmap(corridor::ART), &config).unwrap();
    let model = toy_model::one_way(EAST, 1.0, 0.0);
    let mut planner = Planner::new(config, Some(model)).unwrap();
    let outcome = planner.plan(
        &snapshot,
        &corridor::request(),
        &Termination::never(),
        &mut |_| std::thread::sleep(Duration::from_millis(10)),
    );
    assert_eq!(outcome.report.halt_reason, HaltReason::Deadline);
    assert_eq!(outcome.report.source, Some(Source::Model));
}

#[test]
fn a_deadline_already_over_is_a_timeout() {
    let snapshot = Snapshot::new(costmap(corridor::ART), &point_robot()).unwrap();
    let model = toy_model::one_way(EAST, 1.0, 0.0);
    let mut planner = Planner::new(point_robot(), Some(model)).unwrap();
    let over = Termination::never().with_deadline(Instant::now());
    let outcome = planner.plan(&snapshot, &corridor::request(), &over, &mut |_| {});
    assert_eq!(outcome.error, Some(NavError::Timeout));
    assert_eq!(outcome.report.segments, 0);
}

#[test]
fn a_cancelled_request_ends_at_the_next_segment_without_a_plan() {
    let snapshot = Snapshot::new(costmap(corridor::ART), &halting(HaltRule::Never)).unwrap();
    for direction in [EAST, WEST] {
        let model = toy_model::one_way(direction, 1.0, 0.0);
        let mut planner = Planner::new(halting(HaltRule::Never), Some(model)).unwrap();
        let cancel = Arc::new(AtomicBool::new(false));
        let outcome = planner.plan(
            &snapshot,
            &corridor::request(),
            &Termination::never().with_cancel(cancel.clone()),
            &mut |segment| cancel.store(segment.index == 2, Ordering::Relaxed),
        );
        assert!(outcome.plan.is_none());
        assert_eq!(outcome.error, Some(NavError::Unknown));
        assert!(outcome.message.contains("cancelled"));
        assert_eq!(outcome.report.halt_reason, HaltReason::Cancelled);
        assert_eq!(outcome.report.segments, 2);
    }
}

// Watching it think.

#[test]
fn every_segment_can_be_watched() {
    let art = "
        ....##
        ......";
    let snapshot = Snapshot::new(costmap(art), &halting(HaltRule::Never)).unwrap();
    let model = toy_model::one_way(EAST, 0.25, 0.75);
    let mut planner = Planner::new(halting(HaltRule::Never), Some(model)).unwrap();
    let mut indices = Vec::new();
    let request = Request::new(at(0.2, 0.3), at(5.5, 0.5));
    let outcome = planner.plan(&snapshot, &request, &Termination::never(), &mut |segment| {
        indices.push(segment.index);
        assert!(segment.arrived && segment.verified);
        assert_eq!((segment.q_halt, segment.q_continue), (0.25, 0.75));
        assert_eq!(segment.cells.len(), 6);
        assert_eq!(segment.poses[0], request.start);
        assert_eq!(segment.poses.last(), Some(&request.goal));
        let values = segment.values().unwrap();
        assert_eq!(values.len(), 12);
        // The toy says ln(1 + cost-to-go) = 0 everywhere, but nothing of obstacles.
        assert!(values[0].abs() < 1e-6);
        assert!(values[10].is_nan() && values[11].is_nan());
    });
    assert_eq!(indices, [1, 2, 3, 4, 5]);
    assert_eq!(outcome.report.segments, 5);
}

#[test]
fn a_plan_that_stops_on_the_way_can_be_watched() {
    let art = "
        ....#.
        .####.
        ......";
    let snapshot = Snapshot::new(costmap(art), &halting(HaltRule::Either)).unwrap();
    let model = toy_model::one_way(EAST, 1.0, 0.0);
    let mut planner = Planner::new(halting(HaltRule::Either), Some(model)).unwrap();
    let request = Request::new(at(0.5, 2.5), at(5.5, 2.5));
    let mut seen = 0;
    let outcome = planner.plan(&snapshot, &request, &Termination::never(), &mut |segment| {
        seen += 1;
        assert!(!segment.arrived && !segment.verified);
        assert!(!segment.cells.is_empty());
        assert_ne!(segment.poses.last(), Some(&request.goal));
    });
    assert_eq!(seen, 5);
    assert_eq!(outcome.report.source, Some(Source::Search));
}
