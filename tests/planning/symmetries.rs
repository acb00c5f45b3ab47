//! Symmetric images: the same problem to a planner, another one to a model.

use crate::common::corridor::{EAST, WEST, ask};
use crate::common::planning::{self, at, centre, point_robot};
use crate::common::{costmap, toy_model};
use hrm_planner::grid::generate::{self, Kind, Problem};
use hrm_planner::grid::{Cell, Costmap, Move, Symmetry};
use hrm_planner::planner::{PlanSource, PlannerConfig, Request, Source};
use hrm_planner::search::{Outcome, Rules, Search, Termination};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

const SOUTH: Move = Move::from_index(6);

fn problem(seed: u64, side: usize) -> Problem {
    generate::problem(
        Kind::Random,
        side,
        side,
        &mut ChaCha8Rng::seed_from_u64(seed),
    )
}

#[test]
fn the_eight_are_all_there_and_lay_cells_upon_cells() {
    let size = (5, 7);
    let mut seen = HashSet::new();
    for symmetry in Symmetry::ALL {
        let indices: Vec<usize> = symmetry.indices(size).collect();
        let mut sorted = indices.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..35).collect::<Vec<_>>());
        assert!(seen.insert(indices));
    }
    assert!(Symmetry::ALL[0].is_identity());
    assert_eq!(Symmetry::ALL[0].indices(size).collect::<Vec<_>>()[9], 9);
}

#[test]
fn what_is_a_move_here_is_a_move_there() {
    let map = problem(3, 17).map;
    let geometry = map.geometry();
    let size = (geometry.height(), geometry.width());
    for symmetry in Symmetry::ALL {
        let image = symmetry.map(&map).unwrap();
        for index in 0..geometry.cells() {
            let cell = geometry.cell(index);
            let there = symmetry.cell(cell, size);
            assert_eq!(image.cost(there), map.cost(cell));
            for mv in Move::ALL {
                let target = map.legal_move(cell, mv, false);
                let image_target = image.legal_move(there, symmetry.mv(mv), false);
                let expected = target.map(|target| symmetry.cell(target, size));
                assert_eq!(image_target, expected, "{symmetry:?} {cell:?} {mv:?}");
            }
        }
    }
}

#[test]
fn an_image_has_the_same_best_plans() {
    let Problem { map, start, goal } = problem(8, 24);
    let size = (map.geometry().height(), map.geometry().width());
    let cost = |map: &Costmap, start: Cell, goal: Cell| {
        let never = Termination::never();
        match Search::new().path(map, start, goal, &Rules::shortest(), &never) {
            Ok(Outcome::Found(path)) => path.travel_cost,
            other => panic!("{other:?}"),
        }
    };
    let best = cost(&map, start, goal);
    for symmetry in Symmetry::ALL {
        let image = symmetry.map(&map).unwrap();
        let ends = [start, goal].map(|cell| symmetry.cell(cell, size));
        assert!((cost(&image, ends[0], ends[1]) - best).abs() < 1e-9);
    }
}

/// Only the model plans, in four segments an image.
fn alone(symmetries: usize) -> PlannerConfig {
    PlannerConfig {
        source: PlanSource::Model,
        max_segments: 4,
        symmetries,
        ..point_robot()
    }
}

/// A model that only ever goes west does not get to the east end, but a mirrored one does.
#[test]
fn a_model_that_fails_on_a_map_may_hold_on_an_image_of_it() {
    let model = || Some(toy_model::one_way(WEST, 1.0, 0.0));
    assert!(ask(&alone(1), model()).plan.is_none());
    let outcome = ask(&alone(2), model());
    assert!((outcome.plan.unwrap().length_m - 9.0).abs() < 1e-9);
    // All segments of the map itself, and those of the image until its plan was stable.
    assert_eq!(outcome.report.segments, 4 + 2);
    // With one that holds at once, the images are thought about all the same.
    let outcome = ask(&alone(8), Some(toy_model::one_way(EAST, 1.0, 0.0)));
    assert!(outcome.report.segments > 8);
}

/// Tied weights know what is mirrored, but not where patches begin: east in their upper rows, west in the
/// lower ones. So a corridor in a lower row is a dead end, until the map is moved by a cell.
#[test]
fn a_model_with_tied_weights_is_shown_the_map_moved_by_a_cell() {
    let model = || {
        let nats = |cell, mv| match (cell, mv) {
            (2 | 3, EAST) | (0 | 1, WEST) => 40.0,
            _ => 0.0,
        };
        Some(toy_model::by_place_in_token(nats))
    };
    assert!(ask(&alone(1), model()).plan.is_none());
    let outcome = ask(&alone(2), model());
    assert!((outcome.plan.unwrap().length_m - 9.0).abs() < 1e-9);
    assert_eq!(outcome.report.segments, 4 + 2);
    // There are four ways to lay patches of 2 x 2, of which two have it in an upper row.
    let outcome = ask(&alone(4), model());
    assert!(outcome.plan.is_some());
    assert_eq!(outcome.report.segments, 2 * 4 + 2 * 2);
}

/// Weights that are tied have four images of a map; the fifth is the first, from the goal to the start.
#[test]
fn a_model_that_fails_from_the_start_may_hold_from_the_goal() {
    let model = || {
        let nats = |_, mv| if mv == WEST { 40.0 } else { 0.0 };
        Some(toy_model::by_place_in_token(nats))
    };
    assert!(ask(&alone(4), model()).plan.is_none());
    let outcome = ask(&alone(5), model());
    assert!((outcome.plan.unwrap().length_m - 9.0).abs() < 1e-9);
    assert_eq!(outcome.report.segments, 4 * 4 + 2);
}

/// It goes east until it must turn and then back; from the goal it goes south until it must turn and then
/// to and fro. Neither way arrives, but they meet where they turn.
#[test]
fn a_way_from_the_start_that_meets_one_from_the_goal_is_a_plan() {
    let art = "
        #########.
        #########.
        #########.
        ..........";
    let ask = |symmetries| {
        let nats = |_, mv| match mv {
            EAST => 40.0,
            SOUTH => 30.0,
            WEST => 20.0,
            _ => 0.0,
        };
        let config = alone(symmetries);
        let snapshot = planning::snapshot(costmap(art), &config);
        let model = Some(toy_model::by_place_in_token(nats));
        let request = Request::new(at(0.5, 0.5), at(9.5, 3.5));
        planning::plan(&snapshot, &config, model, &request)
    };
    assert!(ask(4).plan.is_none());
    let outcome = ask(5);
    assert_eq!(outcome.report.segments, 5 * 4, "no image halts early");
    let plan = outcome.plan.unwrap();
    assert!((plan.grid_travel_cost - 12.0).abs() < 1e-9);
    assert_eq!(outcome.report.source, Some(Source::Model));
}

/// Every image has cells that point back, but the others are surer of the way on.
#[test]
fn the_mean_of_images_may_hold_where_none_of_them_does() {
    let model = || {
        let nats = |cell, mv| match (cell, mv) {
            (0 | 2, EAST) => 60.0,
            (1 | 3, WEST) => 40.0,
            _ => 0.0,
        };
        Some(toy_model::by_place_in_token(nats))
    };
    assert!(ask(&alone(1), model()).plan.is_none());
    let outcome = ask(&alone(2), model());
    assert!((outcome.plan.unwrap().length_m - 9.0).abs() < 1e-9);
    assert_eq!(outcome.report.segments, 2 * 4, "no image halts early");
}

#[test]
fn more_images_never_make_the_plan_dearer() {
    for seed in 0..4 {
        let Problem { map, start, goal } = problem(seed, 20);
        let request = Request::new(centre(&map, start), centre(&map, goal));
        let mut before = f64::INFINITY;
        for symmetries in [1, 2, 8, 9, 16] {
            let config = PlannerConfig {
                symmetries,
                max_segments: 12,
                repair_gain: 1.0,
                ..point_robot()
            };
            let snapshot = planning::snapshot(map.clone(), &config);
            let model = crate::shipped_model::shipped_model();
            let outcome = planning::plan(&snapshot, &config, Some(model), &request);
            let Some(_) = outcome.own_cells else {
                assert!(before.is_infinite());
                continue;
            };
            let cost = outcome.plan.unwrap().grid_travel_cost;
            assert!(cost <= before + 1e-9, "{cost} after {before}");
            before = cost;
        }
        assert!(before.is_finite());
    }
}
