//! Tokens think where there is something to think about, and nowhere else.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::random_model::small_sparse_model as model;
use candle_core::Tensor;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::model::{Carry, Focus, GridEncoded, GridHrm, GridProblems, Reasoner};
use hrm_planner::search::Rules;

/// A corridor, two cells wide: one row of tokens, the goal in the first.
fn corridor(model: &GridHrm, length: usize) -> GridEncoded {
    let map = Costmap::filled(Geometry::unit(length, 2).unwrap(), Cost::FREE);
    let (at, patches) = (Cell::new(0, 0), model.config().patches());
    let problem = GridProblems::one(&map, &Rules::shortest(), at, at, patches).unwrap();
    model.encode(&problem).unwrap()
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    tensor.to_vec2().unwrap()
}

/// `q_halt` of all cells of a corridor: those of the tokens in `doubting` doubt.
fn scores(length: usize, doubting: std::ops::Range<usize>) -> impl Iterator<Item = (bool, f32)> {
    (0..2 * length).map(move |cell| {
        let token = cell % length / 2;
        (true, if doubting.contains(&token) { -1.0 } else { 1.0 })
    })
}

#[test]
fn near_the_goal_a_segment_is_that_of_the_whole_map() {
    let model = model();
    let encoded = corridor(&model, 120);
    let mut focus = Focus::new(model.config(), &encoded, (0, 0));
    let start = model.initial_carry(&encoded).unwrap();
    let whole = model.segment(&start, &encoded).unwrap();
    let part = focus.segment(&model, &start, &encoded).unwrap().unwrap();
    // Tokens up to 12 away have begun; what lies beyond is felt up to 6 tokens from there.
    let (whole, part) = (rows(&whole.z_h), rows(&part.z_h));
    assert_eq!(whole[..6], part[..6]);
    assert!(part[13..].iter().flatten().all(|&z| z == 0.0));
    assert!(part[12].iter().any(|&z| z != 0.0));
    assert_eq!(focus.thought(), 13);
}

#[test]
fn tokens_that_believe_in_their_plans_rest() {
    let model = model();
    let length = 40;
    let encoded = corridor(&model, length);
    let mut focus = Focus::new(model.config(), &encoded, (0, 0));
    let mut carry = model.initial_carry(&encoded).unwrap();
    let mut segments = 0;
    while let Some(after) = focus.segment(&model, &carry, &encoded).unwrap() {
        carry = after;
        focus.note(&encoded, scores(length, 0..0));
        segments += 1;
        assert!(segments < 20, "they never rest");
    }
    // Word needs four segments to the far end, and tokens think on for two.
    assert!((4..=8).contains(&segments), "{segments}");
    assert!(rows(&carry.z_h).iter().all(|z| z.iter().any(|&z| z != 0.0)));
}

#[test]
fn a_doubt_wakes_those_near_it_and_no_others() {
    let model = model();
    let length = 120;
    let encoded = corridor(&model, length);
    let mut focus = Focus::new(model.config(), &encoded, (0, 0));
    let mut carry = model.initial_carry(&encoded).unwrap();
    while let Some(after) = focus.segment(&model, &carry, &encoded).unwrap() {
        carry = after;
        focus.note(&encoded, scores(length, 0..0));
    }
    let at_rest = rows(&carry.z_h);
    focus.note(&encoded, scores(length, 30..31));
    let after = focus.segment(&model, &carry, &encoded).unwrap();
    let Carry { z_h, .. } = after.expect("a doubt is a reason to think");
    let changed: Vec<usize> = rows(&z_h)
        .iter()
        .zip(&at_rest)
        .enumerate()
        .filter(|(_, (new, old))| new != old)
        .map(|(token, _)| token)
        .collect();
    assert!(changed.contains(&30), "{changed:?}");
    // Half a segment's reach around the doubt.
    assert!(
        changed.iter().all(|token| (27..=33).contains(token)),
        "{changed:?}"
    );
}

/// With a rim as wide as a segment reaches, what is kept is what the whole map would think.
#[test]
fn states_that_count_are_those_of_the_whole_map() {
    let model = model();
    let length = 120;
    let encoded = corridor(&model, length);
    let mut focus = Focus::new(model.config(), &encoded, (0, 0));
    let mut carry = model.initial_carry(&encoded).unwrap();
    for _ in 0..20 {
        carry = model.segment(&carry, &encoded).unwrap();
        focus.segment(&model, &carry, &encoded).unwrap();
        focus.note(&encoded, scores(length, 0..0));
    }
    focus.note(&encoded, scores(length, 30..31));
    let whole = model.segment(&carry, &encoded).unwrap();
    let part = focus.segment(&model, &carry, &encoded).unwrap().unwrap();
    let (before, whole, part) = (rows(&carry.z_h), rows(&whole.z_h), rows(&part.z_h));
    for token in 0..60 {
        let want = if (27..=33).contains(&token) {
            &whole
        } else {
            &before
        };
        assert_eq!(part[token], want[token], "token {token}");
    }
}
