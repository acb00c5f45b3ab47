//! A robot on its way thinks on where it ended when the map changes under it.

use crate::common::planning::{self, centre, point_robot};
use crate::shipped_model::shipped_model;
use hrm_planner::grid::generate::{self, Kind, Problem};
use hrm_planner::grid::{Cell, Cost, Costmap};
use hrm_planner::planner::{
    HaltReason, Outcome, Planner, PlannerConfig, Request, Snapshot, verify,
};
use hrm_planner::search::Termination;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn config() -> PlannerConfig {
    PlannerConfig {
        repair_gain: 1.0,
        ..point_robot()
    }
}

/// Rooms of 64 x 64 cells.
fn problem() -> Problem {
    let mut dice = ChaCha8Rng::seed_from_u64(4);
    generate::problem(Kind::Rooms, 64, 64, &mut dice)
}

fn request(map: &Costmap, start: Cell, goal: Cell) -> Request {
    Request::new(centre(map, start), centre(map, goal))
}

fn replan(planner: &mut Planner, map: &Costmap, request: &Request) -> Outcome {
    let snapshot = planning::snapshot(map.clone(), &config());
    let never = Termination::never();
    let outcome = planner.replan(&snapshot, request, None, &never, &mut |_| {});
    check(&snapshot, request, &outcome);
    outcome
}

fn check(snapshot: &Snapshot, request: &Request, outcome: &Outcome) {
    let expected = planning::connecting(request.start, request.goal);
    let plan = outcome.plan.as_ref().expect("a plan");
    assert_eq!(verify(snapshot, &plan.poses, &expected), []);
}

/// The map with a cell in the middle of a plan blocked.
fn blocked(map: &Costmap, outcome: &Outcome) -> Costmap {
    let cells = &outcome.plan.as_ref().expect("a plan").cells;
    // One with room beside it, so that the way is not closed.
    let beside = |cell: &&Cell| {
        let near = |dr: isize, dc: isize| {
            let row = cell.row.checked_add_signed(dr).expect("not at the rim");
            let col = cell.col.checked_add_signed(dc).expect("not at the rim");
            map.cost(Cell::new(row, col)) == Cost::FREE
        };
        (-1..=1).all(|dr| (-1..=1).all(|dc| near(dr, dc)))
    };
    let within = &cells[4..cells.len() - 4];
    let cell = within.iter().filter(beside).nth(2).expect("a wide place");
    let mut map = map.clone();
    map.set(*cell, Cost::LETHAL);
    map
}

#[test]
fn thinking_goes_on_where_the_map_has_changed_a_little() {
    let Problem { map, start, goal } = problem();
    let request = request(&map, start, goal);
    let mut planner = planning::planner(&config(), Some(shipped_model()));
    let first = replan(&mut planner, &map, &request);
    assert!(!first.report.warm && first.own_cells.is_some());
    let map = blocked(&map, &first);
    let second = replan(&mut planner, &map, &request);
    assert!(second.report.warm && second.own_cells.is_some());
    let mut cold = planning::planner(&config(), Some(shipped_model()));
    let anew = replan(&mut cold, &map, &request);
    assert!(!anew.report.warm);
    assert!(
        second.report.segments < anew.report.segments,
        "{} and {}",
        second.report.segments,
        anew.report.segments
    );
    let cost = |outcome: &Outcome| outcome.plan.as_ref().unwrap().grid_travel_cost;
    assert!(cost(&second) <= 1.05 * cost(&anew));
}

#[test]
fn a_map_that_did_not_change_takes_no_thinking_at_all() {
    let Problem { map, start, goal } = problem();
    let request = request(&map, start, goal);
    let mut planner = planning::planner(&config(), Some(shipped_model()));
    let first = replan(&mut planner, &map, &request);
    // The same cells in a new snapshot: nothing has reason to think, the plan is stable as it is.
    let second = replan(&mut planner, &map, &request);
    assert!(second.report.warm);
    assert_eq!(second.report.halt_reason, HaltReason::Stable);
    assert_eq!(second.report.segments, config().stable_segments);
    let cost = |outcome: &Outcome| outcome.plan.as_ref().unwrap().grid_travel_cost;
    assert!(cost(&second) <= 1.005 * cost(&first));
}

#[test]
fn it_begins_anew_for_another_goal_another_map_or_if_told_to() {
    let Problem { map, start, goal } = problem();
    let request = request(&map, start, goal);
    let mut planner = planning::planner(&config(), Some(shipped_model()));
    replan(&mut planner, &map, &request);
    let back = Request::new(request.goal, request.start);
    assert!(!replan(&mut planner, &map, &back).report.warm);

    replan(&mut planner, &map, &request);
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let other = generate::problem(Kind::Cave, 48, 48, &mut dice);
    let elsewhere = self::request(&other.map, other.start, other.goal);
    assert!(!replan(&mut planner, &other.map, &elsewhere).report.warm);

    let told = PlannerConfig {
        warm_start: false,
        ..config()
    };
    let mut planner = planning::planner(&told, Some(shipped_model()));
    let first = replan(&mut planner, &map, &request);
    let map = blocked(&map, &first);
    assert!(!replan(&mut planner, &map, &request).report.warm);
}

/// `plan` promises the same answer whatever was asked before.
#[test]
fn plans_that_nobody_is_following_are_always_made_from_the_beginning() {
    let Problem { map, start, goal } = problem();
    let request = request(&map, start, goal);
    let mut planner = planning::planner(&config(), Some(shipped_model()));
    let first = replan(&mut planner, &map, &request);
    let map = blocked(&map, &first);
    let snapshot = planning::snapshot(map, &config());
    let never = Termination::never();
    let plan = planner.plan(&snapshot, &request, &never, &mut |_| {});
    assert!(!plan.report.warm);
    let mut fresh = planning::planner(&config(), Some(shipped_model()));
    let alone = fresh.plan(&snapshot, &request, &never, &mut |_| {});
    assert_eq!(plan.plan, alone.plan);
}

/// Where the way is closed for good the old belief is wrong everywhere: no plan may come of it.
#[test]
fn a_way_that_is_closed_is_not_believed_in() {
    let art = "
        .................
        .###############.
        .###############.
        .................
    ";
    let closed = "
        .................
        .###############.
        .###############.
        ........#........
    ";
    let (map, closed) = (crate::common::costmap(art), crate::common::costmap(closed));
    let request = request(&map, Cell::new(0, 0), Cell::new(0, 16));
    let mut planner = planning::planner(&config(), Some(shipped_model()));
    let first = replan(&mut planner, &map, &request);
    assert_eq!(first.plan.unwrap().cells.len(), 17);
    let second = replan(&mut planner, &closed, &request);
    assert_eq!(second.plan.unwrap().cells.len(), 23);
}
