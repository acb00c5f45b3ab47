//! The pass that runs published models where nothing asks for a gradient computes what the
//! tensor operations do, for any size, batch and number of threads.
//!
//! The tensor operations run where weights are variables, and in f64.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::random_sequence::{alone, random_problems, random_weights};
use candle_core::{DType, Tensor, Var};
use hrm_planner::model::{
    Carry, PositionEncoding, Precision, Reasoner, SequenceConfig, SequenceHrm, SequenceProblems,
};
use rayon::ThreadPoolBuilder;
use std::collections::BTreeMap;

/// HRM, TRM and TRM with an MLP over tokens, of sizes that no register or panel divides.
fn members() -> Vec<(String, SequenceConfig)> {
    let mut members = Vec::new();
    for (seq_len, hidden_size, num_heads) in [
        (1, 10, 1),
        (6, 12, 2),
        (17, 48, 3),
        (63, 20, 2),
        (64, 32, 1),
        (130, 72, 4),
    ] {
        let shaped = |published: SequenceConfig, mlp_t: bool| SequenceConfig {
            puzzle_emb_ndim: hidden_size,
            puzzle_emb_len: Some(1),
            hidden_size,
            num_heads,
            h_layers: 1,
            l_layers: 2,
            expansion: 1.0,
            mlp_t,
            pos_encodings: if mlp_t {
                PositionEncoding::None
            } else {
                PositionEncoding::Rope
            },
            ..published
        };
        for (name, config) in [
            ("HRM", shaped(SequenceConfig::hrm(seq_len, 7), false)),
            ("TRM", shaped(SequenceConfig::trm(seq_len, 7), false)),
            (
                "TRM with an MLP",
                shaped(SequenceConfig::trm(seq_len, 7), true),
            ),
        ] {
            let title = format!("{name}, {seq_len} tokens of {hidden_size} channels");
            members.push((title, config));
        }
    }
    members
}

/// The carry after one segment of `problems` random problems.
fn segment(config: &SequenceConfig, weights: &BTreeMap<String, Tensor>, problems: usize) -> Carry {
    let model = SequenceHrm::new(config.clone(), weights).unwrap();
    let encoded = model.encode(&random_problems(config, problems, 5)).unwrap();
    let carry = model.initial_carry(&encoded).unwrap();
    model.segment(&carry, &encoded).unwrap()
}

fn in_f64(weights: &BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let exact =
        |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.to_dtype(DType::F64).unwrap());
    weights.iter().map(exact).collect()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn bits(carry: &Carry) -> Vec<u32> {
    let bits = |tensor: &Tensor| {
        let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    };
    let mut all: Vec<u32> = bits(&carry.z_h);
    all.extend(bits(&carry.z_l));
    all
}

/// The largest difference over the largest value.
fn error(ours: &Tensor, exact: &Tensor) -> f64 {
    let (ours, exact) = (values(ours), values(exact));
    assert_eq!(ours.len(), exact.len());
    assert!(ours.iter().all(|x| x.is_finite()));
    let largest = exact.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let pairs = ours.iter().zip(&exact);
    pairs.fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) / largest
}

/// One update of each state, from modules of one layer: rounding alone is between the two.
#[test]
fn a_layer_is_what_tensor_operations_make_of_it() {
    for (title, config) in members() {
        let config = SequenceConfig {
            h_cycles: 1,
            l_cycles: 1,
            l_layers: 1,
            ..config
        };
        let weights = random_weights(&config, 3);
        let vars: Vec<Var> = weights
            .values()
            .map(|t| Var::from_tensor(t).unwrap())
            .collect();
        let tracked = weights.keys().zip(&vars);
        let tracked = tracked.map(|(name, var)| (name.clone(), var.as_tensor().clone()));
        let tracked = tracked.collect();
        for problems in [1, 3] {
            let ours = segment(&config, &weights, problems);
            let graph = segment(&config, &tracked, problems);
            assert!(graph.z_h.track_op() && !ours.z_h.track_op(), "{title}");
            let exact = segment(&config, &in_f64(&weights), problems);
            for (ours, graph, exact) in [
                (&ours.z_l, &graph.z_l, &exact.z_l),
                (&ours.z_h, &graph.z_h, &exact.z_h),
            ] {
                assert_eq!(ours.dims(), graph.dims(), "{title}");
                let between = error(ours, graph);
                assert!(between < 1e-5, "{title}, {problems} problems: {between:e}");
                let from_exact = error(ours, exact);
                assert!(from_exact < 1e-5, "{title}, {problems}: {from_exact:e}");
            }
        }
    }
}

#[test]
fn a_whole_segment_is_what_tensor_operations_make_of_it() {
    for (title, config) in members() {
        // An MLP over tokens with random weights carries rounding tenfold further in each segment
        // of the published length, in any formulation.
        let config = SequenceConfig {
            h_cycles: 2,
            l_cycles: 2,
            ..config
        };
        let weights = random_weights(&config, 4);
        for problems in [1, 3] {
            let ours = segment(&config, &weights, problems);
            let exact = segment(&config, &in_f64(&weights), problems);
            for (ours, exact) in [(&ours.z_l, &exact.z_l), (&ours.z_h, &exact.z_h)] {
                let error = error(ours, exact);
                assert!(error < 1e-4, "{title}, {problems} problems: {error:e}");
            }
        }
    }
}

/// Three digits per product, in whatever order they are summed.
#[test]
fn a_layer_in_bf16_is_off_by_its_rounding() {
    for (title, config) in members() {
        let config = SequenceConfig {
            h_cycles: 1,
            l_cycles: 1,
            l_layers: 1,
            ..config
        };
        let model = SequenceHrm::new(config.clone(), &random_weights(&config, 3)).unwrap();
        let encoded = model.encode(&random_problems(&config, 2, 5)).unwrap();
        let carry = model.initial_carry(&encoded).unwrap();
        let segment = |model: &SequenceHrm| model.segment(&carry, &encoded).unwrap();
        let exact = segment(&model);
        let rounding = model.with_precision(Precision::Bf16).unwrap();
        let error = error(&segment(&rounding).z_l, &exact.z_l);
        assert!((1e-5..0.02).contains(&error), "{title}: {error:e}");
        let back = rounding.with_precision(Precision::F32).unwrap();
        assert!(bits(&segment(&back)) == bits(&exact), "{title}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (title, config) in members() {
        let weights = random_weights(&config, 6);
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| bits(&segment(&config, &weights, 2)))
        };
        let alone = on(1);
        for threads in [2, 3] {
            assert!(on(threads) == alone, "{title}, {threads} threads");
        }
    }
}

#[test]
fn a_problem_in_a_batch_gets_the_bits_it_gets_alone() {
    for (title, config) in members() {
        let model = SequenceHrm::new(config.clone(), &random_weights(&config, 7)).unwrap();
        let problems = random_problems(&config, 3, 8);
        let run = |problems: &SequenceProblems| {
            let encoded = model.encode(problems).unwrap();
            let carry = model.initial_carry(&encoded).unwrap();
            model.segment(&carry, &encoded).unwrap()
        };
        let together = run(&problems);
        for index in [2, 0, 1] {
            let place = Carry {
                z_h: together.z_h.narrow(0, index, 1).unwrap(),
                z_l: together.z_l.narrow(0, index, 1).unwrap(),
            };
            let same = bits(&run(&alone(&problems, index))) == bits(&place);
            assert!(same, "{title}, problem {index}");
        }
    }
}

/// What no kernel is made for is still the tensor operations' to judge.
#[test]
fn a_carry_of_another_length_is_an_error() {
    let (_, config) = members().remove(6);
    let model = SequenceHrm::new(config.clone(), &random_weights(&config, 9)).unwrap();
    let encoded = model.encode(&random_problems(&config, 1, 9)).unwrap();
    let carry = model.initial_carry(&encoded).unwrap();
    let short = Carry {
        z_h: carry.z_h.narrow(1, 0, 5).unwrap(),
        z_l: carry.z_l.narrow(1, 0, 5).unwrap(),
    };
    assert!(model.segment(&short, &encoded).is_err());
}
