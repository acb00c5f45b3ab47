//! Fields and A* are exact: they agree with a relaxation that is too simple to be wrong, with each
//! other, and with what text art shows.

// Helpers may panic as the tests they help; whole lengths and infinities are exact.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::costmap;
use hrm_planner::Error;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Move};
use hrm_planner::search::{Field, Outcome, PathFound, Rules, Search, Stop, Termination};
use proptest::prelude::*;

/// Travel cost from `cell` by one move and then as `cost_to_go` says; infinite if not legal.
fn cost_by_move(map: &Costmap, rules: &Rules, cost_to_go: &[f64], cell: Cell, mv: Move) -> f64 {
    map.legal_move(cell, mv, rules.allow_unknown())
        .map_or(f64::INFINITY, |target| {
            let cost = map.cost(target);
            let cost = if cost == Cost::UNKNOWN { 0 } else { cost.0 };
            let multiplier = 1.0 + rules.cost_weight() * f64::from(cost) / 252.0;
            mv.length() * multiplier + cost_to_go[map.geometry().index(target)]
        })
}

fn cheapest(map: &Costmap, rules: &Rules, cost_to_go: &[f64], cell: Cell) -> f64 {
    Move::ALL
        .iter()
        .map(|&mv| cost_by_move(map, rules, cost_to_go, cell, mv))
        .fold(f64::INFINITY, f64::min)
}

/// Bellman's equation, iterated over the whole map until nothing changes.
fn cost_to_go_by_relaxation(map: &Costmap, goal: Cell, rules: &Rules) -> Vec<f64> {
    let geometry = map.geometry();
    let mut values = vec![f64::INFINITY; geometry.cells()];
    values[geometry.index(goal)] = 0.0;
    loop {
        let before = values.clone();
        for index in 0..geometry.cells() {
            if map.costs()[index].is_traversable(rules.allow_unknown()) {
                let best = cheapest(map, rules, &values, geometry.cell(index));
                values[index] = values[index].min(best);
            }
        }
        if values == before {
            return values;
        }
    }
}

/// The travel cost of a path, after checking that each of its moves is legal.
fn travel_cost(map: &Costmap, rules: &Rules, path: &[Cell]) -> f64 {
    path.windows(2)
        .map(|pair| {
            let legal = |mv: &Move| map.legal_move(pair[0], *mv, rules.allow_unknown());
            let mv = Move::ALL.into_iter().find(|mv| legal(mv) == Some(pair[1]));
            let mv = mv.unwrap_or_else(|| panic!("no legal move {:?} -> {:?}", pair[0], pair[1]));
            mv.length() * rules.multiplier(map.cost(pair[1])).expect("traversable")
        })
        .sum()
}

fn close(a: f64, b: f64) -> bool {
    // Of the smaller one, so that nothing but infinity is close to infinity.
    a == b || (a - b).abs() <= 1e-8 * a.min(b)
}

fn any_cost() -> impl Strategy<Value = Cost> {
    prop_oneof![
        8 => Just(Cost::FREE),
        4 => (1u8..=252).prop_map(Cost),
        1 => Just(Cost::INSCRIBED),
        2 => Just(Cost::LETHAL),
        2 => Just(Cost::UNKNOWN),
    ]
}

fn any_map(max_side: usize) -> impl Strategy<Value = Costmap> {
    (1..=max_side, 1..=max_side).prop_flat_map(|(width, height)| {
        prop::collection::vec(any_cost(), width * height).prop_map(move |costs| {
            Costmap::new(Geometry::unit(width, height).unwrap(), costs).unwrap()
        })
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let weight = prop_oneof![Just(0.0), Just(1.0), Just(1000.0), 0.0..20.0];
    (weight, any::<bool>()).prop_map(|(weight, unknown)| Rules::new(weight, unknown).unwrap())
}

fn any_cell(map: &Costmap, pick: prop::sample::Index) -> Cell {
    map.geometry().cell(pick.index(map.geometry().cells()))
}

fn found(outcome: Outcome) -> PathFound {
    match outcome {
        Outcome::Found(path) => path,
        other => panic!("expected a path, not {other:?}"),
    }
}

proptest! {
    // A failing map is small enough to become a text art test; no file of seeds is kept.
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn field_paths_and_optimal_moves_agree_with_relaxation(
        map in any_map(10), rules in any_rules(), pick in any::<prop::sample::Index>(),
    ) {
        let goal = any_cell(&map, pick);
        prop_assume!(map.cost(goal).is_traversable(rules.allow_unknown()));
        let expected = cost_to_go_by_relaxation(&map, goal, &rules);
        let field = Field::compute(&map, goal, &rules).unwrap();
        let mut search = Search::new();
        for index in 0..map.geometry().cells() {
            let cell = map.geometry().cell(index);
            prop_assert!(close(field.cost_to_go(cell), expected[index]));

            // From a blocked cell the first move steps out of it.
            let blocked = !map.cost(cell).is_traversable(rules.allow_unknown());
            let cost = if blocked { cheapest(&map, &rules, &expected, cell) } else { expected[index] };
            prop_assert!(close(field.cost_to_go_from(&map, &rules, cell), cost));

            let optimal = Move::ALL
                .into_iter()
                .filter(|&mv| cell != goal && cost.is_finite()
                    && close(cost_by_move(&map, &rules, &expected, cell, mv), cost))
                .fold(0, |set, mv| set | 1 << mv.index());
            prop_assert_eq!(field.optimal_moves(&map, &rules, cell), optimal);

            let descent = field.path_from(&map, &rules, cell);
            let outcome = search.path(&map, cell, goal, &rules, &Termination::never()).unwrap();
            if cost.is_infinite() {
                prop_assert_eq!(descent, None);
                prop_assert_eq!(outcome, Outcome::Unreachable);
                continue;
            }
            let path = found(outcome);
            prop_assert!(close(path.travel_cost, cost), "{} is not {cost}", path.travel_cost);
            for cells in [descent.expect("reachable"), path.cells] {
                prop_assert_eq!((cells.first(), cells.last()), (Some(&cell), Some(&goal)));
                prop_assert!(close(travel_cost(&map, &rules, &cells), cost));
            }
        }
    }

    #[test]
    fn one_workspace_serves_maps_of_all_sizes(
        requests in prop::collection::vec(
            (any_map(40), any_rules(), any::<[prop::sample::Index; 2]>()), 1..8),
    ) {
        let (mut search, mut field) = (Search::new(), Field::default());
        for (map, rules, [start, goal]) in requests {
            let (start, goal) = (any_cell(&map, start), any_cell(&map, goal));
            let outcome = search.path(&map, start, goal, &rules, &Termination::never());
            if let Err(error) = search.field_into(&map, goal, &rules, &mut field) {
                let blocked = |error: &Error| matches!(error, Error::GoalBlocked { .. });
                prop_assert!(blocked(&error));
                prop_assert!(outcome.is_err_and(|error| blocked(&error)));
                continue;
            }
            prop_assert_eq!(&field, &Field::compute(&map, goal, &rules).unwrap());
            let fresh = Search::new().path(&map, start, goal, &rules, &Termination::never());
            let outcome = outcome.unwrap();
            prop_assert_eq!(&outcome, &fresh.unwrap());
            let cost = field.cost_to_go_from(&map, &rules, start);
            match outcome {
                Outcome::Found(path) => prop_assert!(close(path.travel_cost, cost)),
                other => {
                    prop_assert_eq!(other, Outcome::Unreachable);
                    prop_assert!(cost.is_infinite());
                }
            }
        }
    }
}

/// Paths of both kinds on text art, from the bottom left to the top right cell.
fn corner_to_corner(art: &str) -> Option<PathFound> {
    let map = costmap(art);
    let (width, height) = (map.geometry().width(), map.geometry().height());
    let (start, goal) = (Cell::new(0, 0), Cell::new(height - 1, width - 1));
    let rules = Rules::shortest();
    let field = Field::compute(&map, goal, &rules).unwrap();
    let never = Termination::never();
    match Search::new().path(&map, start, goal, &rules, &never) {
        Ok(Outcome::Found(path)) => {
            assert!(close(field.cost_to_go(start), path.travel_cost));
            Some(path)
        }
        Ok(Outcome::Unreachable) => {
            assert!(field.cost_to_go(start).is_infinite());
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_diagonal_between_free_cells_is_taken() {
    let path = corner_to_corner("..\n..").unwrap();
    assert_eq!(path.cells, [Cell::new(0, 0), Cell::new(1, 1)]);
    assert!(close(path.length, 2f64.sqrt()));
}

#[test]
fn one_blocked_side_cell_forbids_the_diagonal() {
    let path = corner_to_corner("#.\n..").unwrap();
    assert_eq!(
        path.cells,
        [Cell::new(0, 0), Cell::new(0, 1), Cell::new(1, 1)]
    );
    assert!(close(path.length, 2.0));
}

#[test]
fn nothing_slips_between_two_blocked_cells() {
    assert_eq!(corner_to_corner("#.\n.#"), None);
}

#[test]
fn an_unknown_side_cell_counts_as_blocked_unless_allowed() {
    let map = costmap("?.\n..");
    let goal = Cell::new(1, 1);
    let cost = |allow_unknown| {
        let rules = Rules::new(0.0, allow_unknown).unwrap();
        let field = Field::compute(&map, goal, &rules).unwrap();
        field.cost_to_go(Cell::new(0, 0))
    };
    assert!(close(cost(false), 2.0));
    assert!(close(cost(true), 2f64.sqrt()));
}

#[test]
fn a_wall_is_walked_round_without_cutting_its_corner() {
    let path = corner_to_corner(
        "
        ...
        ##.
        ...
        ",
    );
    assert!(close(path.unwrap().length, 4.0));
}

#[test]
fn a_walled_in_goal_is_unreachable() {
    assert_eq!(corner_to_corner("..#.\n..##\n...."), None);
}

#[test]
fn the_cost_of_the_cell_entered_counts_and_that_of_the_cell_left_does_not() {
    let mut map = costmap("...");
    map.set(Cell::new(0, 0), Cost(252));
    map.set(Cell::new(0, 1), Cost(126));
    let rules = Rules::new(2.0, false).unwrap();
    let field = Field::compute(&map, Cell::new(0, 2), &rules).unwrap();
    assert_eq!(field.values(), [3.0, 1.0, 0.0]);
}

#[test]
fn unknown_cells_where_allowed_cost_as_free_ones() {
    let map = costmap(".?.");
    let rules = Rules::new(5.0, true).unwrap();
    let field = Field::compute(&map, Cell::new(0, 2), &rules).unwrap();
    assert_eq!(field.values(), [2.0, 1.0, 0.0]);
}

#[test]
fn a_path_may_start_in_a_blocked_cell_and_never_end_in_one() {
    let map = costmap("#..");
    let (blocked, free) = (Cell::new(0, 0), Cell::new(0, 2));
    let rules = Rules::shortest();
    let mut search = Search::new();
    let never = Termination::never();
    let path = found(search.path(&map, blocked, free, &rules, &never).unwrap());
    assert_eq!(path.length, 2.0);
    let field = Field::compute(&map, free, &rules).unwrap();
    assert!(field.cost_to_go(blocked).is_infinite());
    assert_eq!(field.cost_to_go_from(&map, &rules, blocked), 2.0);
    assert_eq!(field.optimal_moves(&map, &rules, blocked), 1);

    let error = search
        .path(&map, free, blocked, &rules, &never)
        .unwrap_err();
    assert!(matches!(
        error,
        Error::GoalBlocked {
            row: 0,
            col: 0,
            cost: 254
        }
    ));
    assert!(Field::compute(&map, blocked, &rules).is_err());
}

#[test]
fn start_at_the_goal_is_a_path_of_one_cell() {
    let map = costmap("...");
    let cell = Cell::new(0, 1);
    let rules = Rules::shortest();
    let never = Termination::never();
    let path = found(
        Search::new()
            .path(&map, cell, cell, &rules, &never)
            .unwrap(),
    );
    assert_eq!(
        (path.cells, path.travel_cost, path.length),
        (vec![cell], 0.0, 0.0)
    );
    let field = Field::compute(&map, cell, &rules).unwrap();
    assert_eq!(field.path_from(&map, &rules, cell), Some(vec![cell]));
    assert_eq!(field.optimal_moves(&map, &rules, cell), 0);
}

#[test]
fn cells_outside_the_map_are_errors_and_never_panics() {
    let map = costmap("...");
    let (inside, outside) = (Cell::new(0, 0), Cell::new(1, 0));
    let rules = Rules::shortest();
    let never = Termination::never();
    for (start, goal) in [(outside, inside), (inside, outside)] {
        let error = Search::new()
            .path(&map, start, goal, &rules, &never)
            .unwrap_err();
        assert!(matches!(
            error,
            Error::CellOutside {
                row: 1,
                col: 0,
                width: 3,
                height: 1
            }
        ));
    }
    let field = Field::compute(&map, inside, &rules).unwrap();
    assert!(field.cost_to_go_from(&map, &rules, outside).is_infinite());
    assert_eq!(field.optimal_moves(&map, &rules, outside), 0);
    assert_eq!(field.path_from(&map, &rules, outside), None);
}

#[test]
fn a_field_asked_about_another_map_gives_no_path_instead_of_a_wrong_one() {
    let rules = Rules::shortest();
    let field = Field::compute(&costmap("...."), Cell::new(0, 3), &rules).unwrap();
    assert_eq!(
        field.path_from(&costmap("..#."), &rules, Cell::new(0, 0)),
        None
    );
    assert_eq!(
        field.path_from(&costmap(".\n."), &rules, Cell::new(1, 0)),
        None
    );
}

#[test]
fn cost_weights_outside_their_range_are_rejected() {
    for weight in [-0.1, 1000.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Rules::new(weight, false),
            Err(Error::CostWeight { .. })
        ));
    }
    let rules = Rules::new(1000.0, true).unwrap();
    assert_eq!(rules.multiplier(Cost::FREE), Some(1.0));
    assert_eq!(rules.multiplier(Cost(252)), Some(1001.0));
    assert_eq!(rules.multiplier(Cost::UNKNOWN), Some(1.0));
    assert_eq!(rules.multiplier(Cost::INSCRIBED), None);
    assert_eq!(Rules::shortest().multiplier(Cost::UNKNOWN), None);
}

/// How a path and a field across an open map end under a termination.
fn stops(termination: &Termination) -> [Option<Stop>; 2] {
    let map = Costmap::filled(Geometry::unit(100, 100).unwrap(), Cost(7));
    let (start, goal) = (Cell::new(0, 0), Cell::new(99, 50));
    let rules = Rules::new(1.0, false).unwrap();
    let mut search = Search::new();
    let by_path = match search.path(&map, start, goal, &rules, termination) {
        Ok(Outcome::Stopped(stop)) => Some(stop),
        Ok(Outcome::Found(_)) => None,
        other => panic!("{other:?}"),
    };
    let mut field = Field::default();
    let by_field = search.field_until(&map, goal, &rules, termination, &mut field);
    // What was stopped leaves nothing behind that could spoil the next call.
    search.field_into(&map, goal, &rules, &mut field).unwrap();
    assert_eq!(field, Field::compute(&map, goal, &rules).unwrap());
    [by_path, by_field.unwrap()]
}

#[test]
fn a_deadline_that_has_passed_stops_the_search() {
    let past = Termination::never().with_deadline(Instant::now());
    assert_eq!(stops(&past), [Some(Stop::Deadline); 2]);
    let future = Instant::now() + Duration::from_secs(3600);
    assert_eq!(
        stops(&Termination::never().with_deadline(future)),
        [None; 2]
    );
}

#[test]
fn a_later_deadline_never_extends_an_earlier_one() {
    let now = Instant::now();
    let both = Termination::never()
        .with_deadline(now)
        .with_deadline(now + Duration::from_secs(3600));
    assert_eq!(both.deadline(), Some(now));
}

#[test]
fn a_raised_cancel_flag_stops_the_search_before_any_other_reason() {
    let flag = Arc::new(AtomicBool::new(false));
    let cancellable = Termination::never().with_cancel(flag.clone());
    assert_eq!(stops(&cancellable), [None; 2]);
    flag.store(true, Ordering::Relaxed);
    let late_too = cancellable.with_deadline(Instant::now());
    assert_eq!(stops(&late_too), [Some(Stop::Cancelled); 2]);
}

#[test]
fn a_bound_on_iterations_stops_the_search() {
    let few = Termination::never().with_max_iterations(10);
    assert_eq!(stops(&few), [Some(Stop::Iterations); 2]);
    let enough = Termination::never().with_max_iterations(1_000_000);
    assert_eq!(stops(&enough), [None; 2]);
}
