//! A grid model in bf16: nearly the same states, the same on any number of threads, and f32
//! wherever something is learned.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::common::cli::{hrm, map, text};
use crate::common::map_folder::Folder;
use crate::common::random_model::{random_tensors, small_config};
use candle_core::{Tensor, Var};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::model::{
    Carry, Formulation, GridEncoded, GridHrm, GridProblems, Precision, Reasoner,
};
use hrm_planner::search::Rules;

fn model() -> GridHrm {
    let config = small_config();
    let tensors = random_tensors(&config, 3);
    GridHrm::new(config, &tensors, Formulation::Fused).unwrap()
}

fn encoded(model: &GridHrm, rows: usize, cols: usize) -> GridEncoded {
    let map = Costmap::filled(Geometry::unit(cols, rows).unwrap(), Cost::FREE);
    let goal = Cell::new(rows / 2, cols / 3);
    let problems = GridProblems::one(
        &map,
        &Rules::shortest(),
        goal,
        goal,
        model.config().patches(),
    )
    .unwrap();
    model.encode(&problems).unwrap()
}

fn after(model: &GridHrm, encoded: &GridEncoded, segments: usize) -> Carry {
    let mut carry = model.initial_carry(encoded).unwrap();
    for _ in 0..segments {
        carry = model.segment(&carry, encoded).unwrap().detached();
    }
    carry
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn states_in_bf16_are_near_those_in_f32_and_not_the_same() {
    let full = model();
    let reduced = full.with_precision(Precision::Bf16).unwrap();
    for (rows, cols) in [(1, 1), (1, 40), (13, 1), (9, 14), (25, 31)] {
        let encoded = encoded(&full, rows, cols);
        let [a, b] = [&full, &reduced].map(|model| flat(&after(model, &encoded, 2).z_h));
        assert_ne!(a, b, "{rows} x {cols}: bf16 was not used");
        // States are normalised: their size is 1. bf16 has 8 bits, some 4e-3 per product.
        let squares = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2));
        let error = (squares.sum::<f32>() / a.len() as f32).sqrt();
        assert!(error < 0.03, "{rows} x {cols}: {error}");
    }
}

#[test]
fn f32_is_what_a_model_computes_with_unless_told_otherwise() {
    let full = model();
    let back = full.with_precision(Precision::Bf16).unwrap();
    let back = back.with_precision(Precision::F32).unwrap();
    let encoded = encoded(&full, 9, 14);
    let [a, b] = [&full, &back].map(|model| flat(&after(model, &encoded, 2).z_h));
    assert_eq!(a, b);
}

#[test]
fn results_in_bf16_do_not_depend_on_the_number_of_threads() {
    let model = model().with_precision(Precision::Bf16).unwrap();
    let encoded = encoded(&model, 37, 41);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| flat(&after(&model, &encoded, 3).z_h))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn what_learns_learns_in_f32_whatever_the_precision() {
    let config = small_config();
    let vars: std::collections::BTreeMap<String, Var> = random_tensors(&config, 3)
        .into_iter()
        .map(|(name, tensor)| (name, Var::from_tensor(&tensor).unwrap()))
        .collect();
    let tensors = vars.iter();
    let tensors = tensors.map(|(name, var)| (name.clone(), var.as_tensor().clone()));
    let learning = GridHrm::new(config, &tensors.collect(), Formulation::Fused).unwrap();
    let gradients = |model: &GridHrm| {
        let encoded = encoded(model, 8, 11);
        let carry = model.initial_carry(&encoded).unwrap();
        let z_h = model.segment(&carry, &encoded).unwrap().z_h;
        let store = z_h.sqr().unwrap().mean_all().unwrap().backward().unwrap();
        flat(store.get(&vars["l.0.mix"]).unwrap())
    };
    let reduced = learning.with_precision(Precision::Bf16).unwrap();
    let (full, reduced) = (gradients(&learning), gradients(&reduced));
    assert!(full.iter().any(|&g| g != 0.0));
    assert_eq!(full, reduced);
}

#[test]
fn a_plan_can_be_asked_for_in_bf16_by_an_option_and_by_the_settings() {
    let folder = Folder::new();
    let map = map(&folder, "........\n.######.\n........");
    let ends = ["--start", "0.5,2.5", "--goal", "0.5,0.5", "--json"];
    let plan = |more: &[&str]| {
        let run = hrm([&["plan", text(&map), "--source", "model"], &ends[..], more].concat());
        assert_eq!(run.code, 0, "{run:?}");
        run.json()["poses"].clone()
    };
    let full = plan(&[]);
    let settings = folder.write("planner.yaml", "precision: bf16\n");
    // So small a map has one best way, and rounding does not hide it.
    assert_eq!(plan(&["--precision", "bf16"]), full);
    assert_eq!(plan(&["--config", text(&settings)]), full);
    let run = hrm([&["plan", text(&map), "--precision", "f16"], &ends[..]].concat());
    run.fails(2, &["--precision", "f16", "bf16"]);
}
