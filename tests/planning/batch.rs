//! Many starts, one goal: every start gets the answer that it would get alone.

use crate::common::planning::{self, at, centre, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::generate::{Kind, generate};
use hrm_planner::grid::{Cost, Pose2};
use hrm_planner::planner::{
    Expected, NamedModel, NavError, Outcome, PlannerConfig, Request, Snapshot, Source, verify,
};
use hrm_planner::search::Termination;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn batch(
    snapshot: &Snapshot,
    config: &PlannerConfig,
    model: Option<NamedModel>,
    starts: &[Pose2],
    goal: Pose2,
) -> Vec<Outcome> {
    let mut planner = planning::planner(config, model);
    let never = Termination::never();
    planner.plan_batch(snapshot, (starts, goal), None, &never, &mut |_| {})
}

#[test]
fn every_start_gets_a_plan_exactly_where_it_would_alone() {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let (mut plans, mut shared) = (0, 0);
    for (kind, radius) in [(Kind::Rooms, 0.0), (Kind::Cave, 0.8), (Kind::Random, 0.0)] {
        let map = generate(kind, 40, 30, &mut dice);
        let config = PlannerConfig {
            robot_radius: radius,
            inflation_radius: 2.0,
            max_segments: 4,
            tolerance: 1.5,
            ..point_robot()
        };
        let snapshot = planning::snapshot(map.clone(), &config);
        let pose = |dice: &mut ChaCha8Rng| {
            at(dice.random_range(-1.0..31.0), dice.random_range(-1.0..41.0))
        };
        let starts: Vec<Pose2> = (0..60).map(|_| pose(&mut dice)).collect();
        let free = (0..map.geometry().cells()).find(|&i| map.costs()[i] == Cost::FREE);
        let goal = centre(&map, map.geometry().cell(free.unwrap()));
        for model in [None, Some(toy_model::untrained(2))] {
            let outcomes = batch(&snapshot, &config, model.clone(), &starts, goal);
            assert_eq!(outcomes.len(), starts.len());
            for (start, outcome) in starts.iter().zip(&outcomes) {
                let request = Request::new(*start, goal);
                let alone = planning::plan(&snapshot, &config, model.clone(), &request);
                assert_eq!(outcome.error, alone.error, "{start:?}");
                let (Some(plan), Some(own)) = (&outcome.plan, &alone.plan) else {
                    continue;
                };
                plans += 1;
                let expected = Expected {
                    start: Some(*start),
                    goal: own.poses.last().copied(),
                    tolerance_m: 0.0,
                };
                assert_eq!(verify(&snapshot, &plan.poses, &expected), [], "{start:?}");
                if plan.cells == own.cells {
                    // Shortcuts are looked for once where plans run together, and are the same.
                    assert!(
                        (plan.travel_cost - own.travel_cost).abs() < 1e-9,
                        "{start:?}"
                    );
                    shared += 1;
                }
                if outcome.report.source == Some(Source::Search) {
                    assert!(plan.grid_travel_cost <= own.grid_travel_cost + 1e-6);
                }
            }
        }
    }
    assert!(plans > 100 && shared > 50, "{plans}, {shared}");
}

#[test]
fn a_start_that_has_no_plan_takes_none_from_the_others() {
    let map = "
        ...#.
        ...#.
        ...#.
    ";
    let config = point_robot();
    let snapshot = planning::snapshot(costmap(map), &config);
    let goal = at(0.5, 2.5);
    let starts = [
        at(2.5, 0.5),
        at(3.5, 0.5),
        at(4.5, 0.5),
        at(9.0, 9.0),
        at(0.2, 2.2),
        at(f64::NAN, 0.0),
    ];
    let outcomes = batch(
        &snapshot,
        &config,
        Some(toy_model::untrained(3)),
        &starts,
        goal,
    );
    let errors: Vec<Option<NavError>> = outcomes.iter().map(|outcome| outcome.error).collect();
    assert_eq!(
        errors,
        [
            None,
            Some(NavError::StartOccupied),
            Some(NavError::NoValidPath),
            Some(NavError::StartOutsideMap),
            None,
            Some(NavError::StartOutsideMap),
        ]
    );
    assert_eq!(outcomes[4].plan.as_ref().unwrap().poses.last(), Some(&goal));
}

#[test]
fn no_starts_no_answers() {
    let config = point_robot();
    let snapshot = planning::snapshot(costmap("..."), &config);
    assert!(batch(&snapshot, &config, None, &[], at(0.5, 0.5)).is_empty());
}
