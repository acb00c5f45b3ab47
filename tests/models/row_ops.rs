//! The fused operations of the sequence models are the functions they stand for: in f32, where they
//! run, everything agrees with f64, where plain tensor operations do the same work.

use candle_core::{DType, Device, Tensor, Var};
use hrm_planner::model::{
    PositionEncoding, Reasoner, SequenceConfig, SequenceHrm, SequenceProblems,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Read-out and gradients of a segment, as flat f64 by name.
fn segment(config: &SequenceConfig, dtype: DType) -> BTreeMap<String, Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let vars: BTreeMap<String, Var> = config
        .tensors()
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| rng.random_range(-0.2..0.2)).collect();
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu)
                .and_then(|tensor| tensor.to_dtype(dtype));
            let var = Var::from_tensor(&tensor.expect("a tensor")).expect("a tensor");
            (name, var)
        })
        .collect();
    let tensors = vars.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone()));
    let model = SequenceHrm::new(config.clone(), &tensors.collect()).expect("a model");
    let problems = SequenceProblems {
        tokens: (0..3 * config.seq_len)
            .map(|_| rng.random_range(0..config.vocab_size as u32))
            .collect(),
        puzzles: vec![0; 3],
    };
    let encoded = model.encode(&problems).expect("an encoding");
    let carry = model.initial_carry(&encoded).expect("a carry");
    let carry = model.segment(&carry, &encoded).expect("a segment");
    let readout = model.read_out(&carry, &encoded).expect("a read-out");

    let mut found = BTreeMap::new();
    let mut keep = |name: &str, tensor: &Tensor| {
        let values = tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all());
        let values = values.and_then(|t| t.to_vec1()).expect("values");
        found.insert(name.to_owned(), values);
    };
    keep("logits", &readout.logits);
    keep("q_halt", &readout.q_halt);
    // Cubes, so that the gradient differs from place to place.
    let loss = readout.logits.powf(3.0).and_then(|cubes| cubes.mean_all());
    let gradients = loss.and_then(|loss| loss.backward()).expect("gradients");
    for (name, var) in &vars {
        if let Some(gradient) = gradients.get(var) {
            keep(&format!("gradient of {name}"), gradient);
        }
    }
    found
}

fn compare(config: &SequenceConfig) {
    let (fused, plain) = (segment(config, DType::F32), segment(config, DType::F64));
    assert!(fused.len() > 10);
    assert!(fused.keys().eq(plain.keys()));
    for (name, plain) in plain {
        let largest = plain.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        assert!(largest > 0.0, "{name} is zero");
        for (fused, plain) in fused[&name].iter().zip(&plain) {
            let error = (fused - plain).abs() / largest;
            assert!(error < 1e-3, "{name}: {fused} is not {plain}");
        }
    }
}

/// Widths of 20 and 23 fill no SIMD register.
fn config(seq_len: usize) -> SequenceConfig {
    SequenceConfig {
        puzzle_emb_ndim: 0,
        h_layers: 1,
        l_layers: 2,
        hidden_size: 20,
        expansion: 1.0,
        num_heads: 2,
        pos_encodings: PositionEncoding::Learned,
        ..SequenceConfig::hrm(seq_len, 7)
    }
}

#[test]
fn attention_layers_in_f32_are_those_in_f64() {
    compare(&config(23));
    compare(&config(4));
}

#[test]
fn token_mixing_layers_in_f32_are_those_in_f64() {
    compare(&SequenceConfig {
        mlp_t: true,
        l_layers: 2,
        h_layers: 0,
        l_cycles: 2,
        ..SequenceConfig {
            family: hrm_planner::model::SequenceFamily::Trm,
            ..config(23)
        }
    });
}
