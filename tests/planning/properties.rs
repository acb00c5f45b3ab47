//! Ten thousand small maps and requests, most of them awkward: the planner never panics, never
//! publishes a path that may not be driven, and finds one exactly where there is one.

use std::io::Write;

use crate::common::{planning, toy_model};
use hrm_planner::grid::generate::{Kind, generate};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Move, Pose2};
use hrm_planner::planner::{
    Expected, HaltRule, NamedModel, NavError, Outcome, Plan, PlannerConfig, Request, Snapshot,
    Source, verify,
};
use hrm_planner::search::{Field, Termination};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const MAPS: u64 = 10_000;

/// A map, settings and a request, drawn from a seed.
struct Case {
    map: Costmap,
    config: PlannerConfig,
    request: Request,
}

impl Case {
    fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let resolution = 10.0_f64.powf(rng.random_range(-2.0..0.5));
        let map = draw_map(resolution, &mut rng);
        let cells = |rng: &mut ChaCha8Rng, most: f64| {
            let wanted = rng.random_bool(0.7);
            if wanted {
                rng.random_range(0.0..most) * resolution
            } else {
                0.0
            }
        };
        let config = PlannerConfig {
            robot_radius: cells(&mut rng, 2.5),
            inflation_radius: cells(&mut rng, 6.0),
            cost_scaling_factor: rng.random_range(0.0..3.0) / resolution,
            cost_weight: [0.0, 1.0, 7.5][rng.random_range(0..3)],
            allow_unknown: rng.random_bool(0.5),
            tolerance: cells(&mut rng, 5.0),
            halt: [
                HaltRule::Learned,
                HaltRule::Stable,
                HaltRule::Either,
                HaltRule::Never,
            ][rng.random_range(0..4)],
            max_segments: rng.random_range(1..=3),
            max_planning_time: 600.0,
            max_tokens: rng.random_range(16..1600),
            ..PlannerConfig::default()
        };
        let mut request = Request::new(draw_pose(&map, &mut rng), draw_pose(&map, &mut rng));
        if rng.random_bool(0.3) {
            request.tolerance = Some(cells(&mut rng, 10.0));
        }
        if rng.random_bool(0.02) {
            request.goal = request.start;
        }
        Self {
            map,
            config,
            request,
        }
    }
}

/// A generated map or noise, with some unknown space, somewhere in the world.
fn draw_map(resolution: f64, rng: &mut ChaCha8Rng) -> Costmap {
    let (width, height) = (rng.random_range(5..=40), rng.random_range(5..=40));
    let origin = Pose2::new(
        rng.random_range(-50.0..50.0),
        rng.random_range(-50.0..50.0),
        if rng.random_bool(0.5) {
            rng.random_range(-3.2..3.2)
        } else {
            0.0
        },
    );
    let drawn = match Kind::ALL.get(rng.random_range(0..8)) {
        Some(&kind) => generate(kind, height, width, rng),
        None => noise(height, width, rng),
    };
    let unknown = if rng.random_bool(0.3) {
        rng.random_range(0.0..0.4)
    } else {
        0.0
    };
    let mut costs = drawn.costs().to_vec();
    for cost in &mut costs {
        if rng.random_bool(unknown) {
            *cost = Cost::UNKNOWN;
        }
    }
    let (width, height) = (drawn.geometry().width(), drawn.geometry().height());
    Geometry::new(width, height, resolution, origin)
        .and_then(|geometry| Costmap::new(geometry, costs))
        .expect("the map drawn, moved elsewhere")
}

/// Free cells and cells of any cost.
fn noise(height: usize, width: usize, rng: &mut ChaCha8Rng) -> Costmap {
    let density = rng.random_range(0.0..0.6);
    let geometry = Geometry::unit(width, height).expect("sides above 0");
    let mut map = Costmap::filled(geometry, Cost::FREE);
    for cost in map.costs_mut() {
        if rng.random_bool(density) {
            *cost = Cost(rng.random_range(1..=254));
        }
    }
    map
}

/// Mostly on the map, at times on the border between cells, outside, or nowhere.
fn draw_pose(map: &Costmap, rng: &mut ChaCha8Rng) -> Pose2 {
    let geometry = map.geometry();
    let (width, height) = (geometry.width() as f64, geometry.height() as f64);
    let (mut u, mut v) = (rng.random_range(0.0..width), rng.random_range(0.0..height));
    match rng.random_range(0..40) {
        0 => u = f64::NAN,
        1 => v = height + rng.random_range(0.0..3.0),
        2..8 => u = u.floor(),
        8..12 => (u, v) = (u.floor(), v.floor()),
        12..20 => (u, v) = (u.floor() + 0.5, v.floor() + 0.5),
        _ => {}
    }
    let origin = geometry.origin();
    let (sin, cos) = origin.yaw.sin_cos();
    let (u, v) = (u * geometry.resolution(), v * geometry.resolution());
    let x = origin.x + u * cos - v * sin;
    Pose2::new(x, origin.y + u * sin + v * cos, rng.random_range(-3.2..3.2))
}

/// What the planner has to answer, by the plainest means.
#[derive(Debug, PartialEq)]
enum Answer {
    Error(NavError),
    /// A plan to the goal itself.
    Goal,
    /// A plan that ends so many metres from it.
    Near(f64),
}

/// The map with the robot's surroundings relaxed, as the documentation has it.
fn relaxed(snapshot: &Snapshot, start: Cell, config: &PlannerConfig) -> Costmap {
    let mut map = snapshot.inflated().clone();
    let geometry = *map.geometry();
    for index in 0..geometry.cells() {
        let cell = geometry.cell(index);
        let (rows, cols) = (cell.row.abs_diff(start.row), cell.col.abs_diff(start.col));
        let distance = (rows as f64).hypot(cols as f64);
        let covered = distance <= config.robot_radius / geometry.resolution();
        let blocked = !map.costs()[index].is_traversable(config.allow_unknown);
        if covered && blocked && snapshot.raw().costs()[index] != Cost::LETHAL {
            map.costs_mut()[index] = Cost::MAX_TRAVERSABLE;
        }
    }
    map
}

/// Which cells can be reached, move by move.
fn flood(map: &Costmap, start: Cell, allow_unknown: bool) -> Vec<bool> {
    let mut reached = vec![false; map.geometry().cells()];
    reached[map.geometry().index(start)] = true;
    let mut waiting = vec![start];
    while let Some(cell) = waiting.pop() {
        for mv in Move::ALL {
            if let Some(next) = map.legal_move(cell, mv, allow_unknown) {
                let seen = &mut reached[map.geometry().index(next)];
                if !std::mem::replace(seen, true) {
                    waiting.push(next);
                }
            }
        }
    }
    reached
}

fn right_answer(case: &Case, snapshot: &Snapshot) -> Answer {
    let geometry = snapshot.geometry();
    let Request { start, goal, .. } = case.request;
    let Some(start) = geometry.world_to_cell(start.x, start.y) else {
        return Answer::Error(NavError::StartOutsideMap);
    };
    let Some(goal_cell) = geometry.world_to_cell(goal.x, goal.y) else {
        return Answer::Error(NavError::GoalOutsideMap);
    };
    if case.map.cost(start) == Cost::LETHAL {
        return Answer::Error(NavError::StartOccupied);
    }
    let allow_unknown = case.config.allow_unknown;
    let reached = flood(
        &relaxed(snapshot, start, &case.config),
        start,
        allow_unknown,
    );
    let fits = |index: usize| {
        reached[index] && snapshot.inflated().costs()[index].is_traversable(allow_unknown)
    };
    if fits(geometry.index(goal_cell)) {
        return Answer::Goal;
    }
    let tolerance = case.request.tolerance.unwrap_or(case.config.tolerance);
    let nearest = (0..geometry.cells())
        .filter(|&index| fits(index))
        .map(|index| {
            let (x, y) = geometry.cell_to_world(geometry.cell(index));
            goal.distance(&Pose2::new(x, y, 0.0))
        })
        .fold(f64::INFINITY, f64::min);
    if tolerance > 0.0 && nearest <= tolerance {
        return Answer::Near(nearest);
    }
    let blocked = !snapshot
        .inflated()
        .cost(goal_cell)
        .is_traversable(allow_unknown);
    Answer::Error(if blocked {
        NavError::GoalOccupied
    } else {
        NavError::NoValidPath
    })
}

/// Asks the planner, and judges all it says. Returns who made the plan.
fn judge(seed: u64, case: &Case, model: &NamedModel) -> Option<Source> {
    let snapshot = planning::snapshot(case.map.clone(), &case.config);
    let outcome = planning::plan(&snapshot, &case.config, Some(model.clone()), &case.request);
    judge_outcome(seed, case, &snapshot, &outcome);
    outcome.report.source
}

/// Asks the planner on a map that changes, for a robot that moves on; judges every answer on the map
/// that it was given for. Returns who made the plans.
fn judge_updates(seed: u64, model: &NamedModel) -> Vec<Option<Source>> {
    let mut case = Case::draw(seed);
    let mut dice = ChaCha8Rng::seed_from_u64(!seed);
    let mut planner = planning::planner(&case.config, Some(model.clone()));
    let mut previous: Option<Outcome> = None;
    let mut sources = Vec::new();
    for _ in 0..4 {
        let snapshot = planning::snapshot(case.map.clone(), &case.config);
        let outcome = planner.replan(
            &snapshot,
            &case.request,
            previous.as_ref(),
            &Termination::never(),
            &mut |_| {},
        );
        judge_outcome(seed, &case, &snapshot, &outcome);
        sources.push(outcome.report.source);
        if let Some(plan) = &outcome.plan {
            let on: usize = dice.random_range(0..plan.poses.len().min(6));
            case.request.start = plan.poses[on];
        }
        previous = Some(outcome);
        edit(&mut case.map, &mut dice);
    }
    sources
}

/// A rectangle of the map becomes something else.
fn edit(map: &mut Costmap, dice: &mut ChaCha8Rng) {
    let (height, width) = (map.geometry().height(), map.geometry().width());
    let (row, col) = (dice.random_range(0..height), dice.random_range(0..width));
    let (rows, cols) = (dice.random_range(1..=6), dice.random_range(1..=6));
    let cost = [Cost::FREE, Cost::LETHAL, Cost::UNKNOWN, Cost(90)][dice.random_range(0..4)];
    for row in row..(row + rows).min(height) {
        for col in col..(col + cols).min(width) {
            map.set(Cell::new(row, col), cost);
        }
    }
}

fn judge_outcome(seed: u64, case: &Case, snapshot: &Snapshot, outcome: &Outcome) {
    let right = right_answer(case, snapshot);
    match (&outcome.plan, outcome.error) {
        (Some(plan), None) => {
            assert_ends(seed, plan, &case.request, &right);
            assert_valid(seed, case, snapshot, plan);
            if !outcome.report.kept {
                assert_cost(seed, case, snapshot, plan, outcome.report.source);
            }
        }
        (None, Some(error)) => {
            assert_eq!(Answer::Error(error), right, "seed {seed}");
            assert!(!outcome.message.is_empty(), "seed {seed}");
        }
        both => panic!("seed {seed}: a plan or an error, not {both:?}"),
    }
}

/// The plan begins at the start and ends where it should.
fn assert_ends(seed: u64, plan: &Plan, request: &Request, right: &Answer) {
    let last = plan.poses[plan.poses.len() - 1];
    match right {
        Answer::Goal => assert_eq!(last, request.goal, "seed {seed}"),
        Answer::Near(distance_m) => {
            let excess_m = last.distance(&request.goal) - distance_m;
            assert!(excess_m.abs() < 1e-9, "seed {seed}: {excess_m}");
        }
        Answer::Error(error) => panic!("seed {seed}: a plan where {error} is right"),
    }
    assert_eq!(plan.poses[0], request.start, "seed {seed}");
}

/// The verifier has nothing against the plan, nor has a walk along it in fiftieths of a cell.
fn assert_valid(seed: u64, case: &Case, snapshot: &Snapshot, plan: &Plan) {
    let ends = Expected {
        start: Some(case.request.start),
        goal: plan.poses.last().copied(),
        tolerance_m: 0.0,
    };
    assert_eq!(verify(snapshot, &plan.poses, &ends), [], "seed {seed}");

    let Pose2 { x, y, .. } = plan.poses[0];
    let start = snapshot.geometry().world_to_cell(x, y);
    let map = relaxed(snapshot, start.expect("on the map"), &case.config);
    let is_free = |x: f64, y: f64| {
        let cell = map.geometry().world_to_cell(x, y);
        cell.is_some_and(|cell| map.cost(cell).is_traversable(case.config.allow_unknown))
    };
    if plan.cells.len() == 1 {
        // A straight line in one cell. Along its border, rounding says in which cell a point is.
        return;
    }
    for pair in plan.poses.windows(2) {
        let step_m = pair[0].distance(&pair[1]);
        assert!(
            step_m <= map.geometry().resolution() * (1.0 + 1e-6),
            "seed {seed}: {step_m}"
        );
        for step in 1..50 {
            let t = f64::from(step) / 50.0;
            let x = pair[0].x + t * (pair[1].x - pair[0].x);
            let y = pair[0].y + t * (pair[1].y - pair[0].y);
            assert!(is_free(x, y), "seed {seed}: ({x}, {y})");
        }
    }
}

/// No plan is better than the best one, and the search's is the best one.
fn assert_cost(seed: u64, case: &Case, snapshot: &Snapshot, plan: &Plan, source: Option<Source>) {
    let (start, goal) = (plan.cells[0], plan.cells[plan.cells.len() - 1]);
    let cell_of = |pose: &Pose2| snapshot.geometry().world_to_cell(pose.x, pose.y);
    assert_eq!(cell_of(&plan.poses[0]), Some(start), "seed {seed}");
    assert_eq!(
        plan.poses.last().and_then(cell_of),
        Some(goal),
        "seed {seed}"
    );

    let map = relaxed(snapshot, start, &case.config);
    let field = Field::compute(&map, goal, snapshot.rules()).expect("plans end in free cells");
    let optimal = field.cost_to_go(start) * map.geometry().resolution();
    let excess = plan.grid_travel_cost - optimal;
    assert!(excess >= -1e-9 * optimal, "seed {seed}: {excess}");
    if source == Some(Source::Search) {
        assert!(excess <= 1e-9 * optimal, "seed {seed}: {excess}");
    }
}

#[test]
fn every_answer_on_random_maps_is_right() {
    let model = toy_model::untrained(1);
    let sources: Vec<Option<Source>> = (0..MAPS)
        .into_par_iter()
        .map(|seed| judge(seed, &Case::draw(seed), &model))
        .collect();
    let count = |wanted| sources.iter().filter(|&&source| source == wanted).count();
    let (by_model, by_search) = (count(Some(Source::Model)), count(Some(Source::Search)));
    let repaired = count(Some(Source::Repaired));
    println!(
        "{by_model} plans by the model, {repaired} repaired, {by_search} by the search, {} none",
        count(None)
    );
    // The test is worth something only if all of them occur.
    assert!(by_model > 100 && repaired > 100 && by_search > 100 && count(None) > 1000);
}

#[test]
fn a_line_along_a_border_to_within_rounding_is_near_the_cells_beyond_it() {
    judge_updates(1_042_340, &toy_model::untrained(4));
}

#[test]
fn every_answer_on_maps_that_change_is_right() {
    let model = toy_model::untrained(2);
    (0..1000_u64).into_par_iter().for_each(|seed| {
        judge_updates(seed, &model);
    });
}

/// `scripts/requests` runs this for hours: `HRM_REQUESTS` requests in all, on maps that change, in
/// blocks whose counts go to the file `HRM_REQUESTS_LOG`; a block in the file is not run again.
#[test]
#[ignore = "takes as long as it is given: scripts/requests"]
fn a_million_answers_are_right() {
    const BLOCK: u64 = 10_000;
    const PER_MAP: u64 = 4;
    let wanted = std::env::var("HRM_REQUESTS");
    let wanted: u64 = wanted.map_or(1_000_000, |n| n.parse().expect("a number"));
    let path = std::env::var("HRM_REQUESTS_LOG").expect("a file for the counts");
    let done = std::fs::read_to_string(&path).unwrap_or_default();
    let done: Vec<&str> = done
        .lines()
        .filter_map(|line| line.split(',').next())
        .collect();
    let models: Vec<NamedModel> = (0..8).map(toy_model::untrained).collect();
    for block in 0..wanted.div_ceil(BLOCK) {
        if done.contains(&block.to_string().as_str()) {
            continue;
        }
        let sources: Vec<Option<Source>> = (block * BLOCK / PER_MAP..(block + 1) * BLOCK / PER_MAP)
            .into_par_iter()
            .flat_map_iter(|seed| {
                // Every sixteenth planner has a model that says NaN.
                let broken = (seed % 16 == 0).then(toy_model::broken);
                let model = broken.unwrap_or_else(|| models[seed as usize % 8].clone());
                judge_updates(1_000_000 + seed, &model)
            })
            .collect();
        let count = |wanted| sources.iter().filter(|&&source| source == wanted).count();
        let counts = [
            Some(Source::Model),
            Some(Source::Repaired),
            Some(Source::Search),
            None,
        ]
        .map(count);
        let line = format!(
            "{block},{}",
            counts.map(|count| count.to_string()).join(",")
        );
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path);
        writeln!(file.expect("the log"), "{line}").expect("the log");
    }
}

#[test]
fn the_same_request_gives_the_same_plan() {
    for seed in 0..200 {
        let case = Case::draw(seed);
        let plan = || {
            let snapshot = planning::snapshot(case.map.clone(), &case.config);
            let model = Some(toy_model::untrained(seed));
            let outcome = planning::plan(&snapshot, &case.config, model, &case.request);
            (outcome.plan, outcome.error, outcome.message)
        };
        let one_thread = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        assert_eq!(plan(), one_thread.install(plan), "seed {seed}");
    }
}
