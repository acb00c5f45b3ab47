//! A carry serves on a map that has changed a little: only what reads something else is new.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::costmap;
use crate::common::random_model::small_sparse_model as model;
use hrm_planner::grid::Cell;
use hrm_planner::model::{Carry, Focus, GridHrm, GridProblems, Reasoner, Resumed, Warm};
use hrm_planner::search::Rules;

fn problem(model: &GridHrm, art: &str) -> GridProblems {
    let (start, goal) = (Cell::new(0, 0), Cell::new(1, 11));
    let patches = model.config().patches();
    GridProblems::one(&costmap(art), &Rules::shortest(), start, goal, patches).unwrap()
}

/// Six tokens in a row, the fourth without a way in.
const BEFORE: &str = "
    ......##....
    ......##....
";

/// The carry after a segment on [`BEFORE`], with token 3 in doubt.
fn warm(model: &GridHrm) -> (Warm, Carry) {
    let problem = problem(model, BEFORE);
    let encoded = model.encode(&problem).unwrap();
    let mut focus = Focus::new(model.config(), &encoded, (0, 5));
    let carry = model.initial_carry(&encoded).unwrap();
    let carry = model.segment(&carry, &encoded).unwrap();
    let scores = (0..24).map(|cell| {
        let is_of_token_3 = (8..10).contains(&(cell % 12));
        (true, if is_of_token_3 { -1.0 } else { 1.0 })
    });
    focus.note(&encoded, scores);
    assert_eq!(focus.doubts(), [false, false, false, true, false]);
    (Warm::new(&problem, &carry, Some(&focus)).unwrap(), carry)
}

fn resumed(model: &GridHrm, art: &str) -> (Resumed, Carry) {
    let (warm, carry) = warm(model);
    let resumed = warm.resumed(&problem(model, art)).unwrap();
    (resumed.expect("a map of the same size"), carry)
}

fn rows(carry: &Carry) -> Vec<Vec<f32>> {
    carry.z_h.to_vec2().unwrap()
}

#[test]
fn on_the_same_map_all_is_as_it_was() {
    let model = model();
    let (resumed, carry) = resumed(&model, BEFORE);
    assert!(resumed.changed.is_empty());
    assert_eq!(rows(&resumed.carry), rows(&carry));
    assert_eq!(resumed.resigned, [false, false, false, true, false]);
}

#[test]
fn tokens_that_read_something_else_have_changed_and_new_ones_know_nothing() {
    let model = model();
    // The way between the halves opens: its token is new, and those beside it see it.
    let (resumed, carry) = resumed(
        &model,
        "
        ............
        ............
        ",
    );
    assert_eq!(resumed.changed, [2, 3, 4]);
    let (now, before) = (rows(&resumed.carry), rows(&carry));
    assert_eq!(now.len(), 6);
    assert!(now[3].iter().all(|&z| z == 0.0));
    assert_eq!(now[..3], before[..3]);
    assert_eq!(now[4..], before[3..]);
}

#[test]
fn a_doubt_that_is_old_is_no_reason_to_think_unless_its_token_has_changed() {
    let model = model();
    // Token 3 has changed.
    let (resumed, _) = resumed(
        &model,
        "
        ......##....
        ......##..#.
        ",
    );
    assert_eq!(resumed.changed, [3, 4]);
    assert_eq!(resumed.resigned, [false; 5]);
}

#[test]
fn what_has_not_changed_does_not_think() {
    let model = model();
    let (resumed, _) = resumed(&model, BEFORE);
    let encoded = model.encode(&problem(&model, BEFORE)).unwrap();
    let mut focus = Focus::resumed(model.config(), &encoded, (0, 5), &resumed);
    let after = focus.segment(&model, &resumed.carry, &encoded).unwrap();
    assert!(after.is_none());
    // Nor does the old doubt, but a new one does.
    let doubt = |col: usize| {
        let score = move |cell: usize| if cell % 12 == col { -1.0 } else { 1.0 };
        (0..24).map(move |cell| (true, score(cell)))
    };
    let mut thinks = |col| {
        focus.note(&encoded, doubt(col));
        let after = focus.segment(&model, &resumed.carry, &encoded);
        after.unwrap().is_some()
    };
    assert!(!thinks(8));
    assert!(thinks(10));
}

#[test]
fn a_map_of_another_size_is_another_map() {
    let model = model();
    let (warm, _) = warm(&model);
    let wider = problem(&model, &BEFORE.replace("....\n", "......\n"));
    assert!(warm.resumed(&wider).unwrap().is_none());
}
