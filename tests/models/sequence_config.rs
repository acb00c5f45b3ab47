//! Configurations and weights of sequence models: what is accepted, and how faults are named.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::random_sequence::{members, random_problems, random_weights};
use candle_core::{Device, Tensor};
use hrm_planner::model::{Reasoner, SequenceConfig, SequenceHrm};
use serde_json::{Value, json};

fn published_trm() -> Value {
    json!({
        "family": "trm", "seq_len": 81, "vocab_size": 11, "num_puzzle_identifiers": 1,
        "puzzle_emb_ndim": 512, "H_cycles": 3, "L_cycles": 6, "H_layers": 0, "L_layers": 2,
        "hidden_size": 512, "num_heads": 8, "expansion": 4.0, "pos_encodings": "rope",
        "halt_max_steps": 16, "halt_exploration_prob": 0.1
    })
}

#[test]
fn published_keys_are_read_and_absent_ones_mean_what_the_published_code_takes() {
    let config: SequenceConfig = serde_json::from_value(published_trm()).unwrap();
    assert_eq!(config, SequenceConfig::trm(81, 11));
    assert_eq!(config.puzzle_tokens(), 16);
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(
        serde_json::from_value::<SequenceConfig>(written).unwrap(),
        config
    );
}

#[test]
fn a_misspelt_key_is_named() {
    let mut config = published_trm();
    config["H_cycle"] = json!(3);
    let error = serde_json::from_value::<SequenceConfig>(config).unwrap_err();
    assert!(error.to_string().contains("H_cycle"), "{error}");
}

#[test]
fn every_member_of_the_family_is_valid() {
    for (name, config) in members() {
        config
            .validate()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn values_that_make_no_model_are_named() {
    for (key, value) in [
        ("seq_len", json!(0)),
        ("seq_len", json!(1_u64 << 40)),
        ("vocab_size", json!(0)),
        ("hidden_size", json!(u64::MAX)),
        ("num_heads", json!(0)),
        ("num_heads", json!(7)),
        ("num_heads", json!(512)),
        ("H_cycles", json!(0)),
        ("L_cycles", json!(65)),
        ("L_layers", json!(0)),
        ("halt_max_steps", json!(0)),
        ("puzzle_emb_len", json!(1_u64 << 40)),
        ("expansion", json!(-1.0)),
        ("rope_theta", json!(0.0)),
        ("rms_norm_eps", json!(0.0)),
        ("halt_exploration_prob", json!(1.5)),
    ] {
        let mut config = published_trm();
        config[key] = value.clone();
        let config: SequenceConfig = serde_json::from_value(config).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(
            error.contains(&format!("`{key}` is")),
            "{key} = {value}: {error}"
        );
    }
    let too_few = SequenceConfig {
        puzzle_emb_ndim: 1025,
        puzzle_emb_len: Some(2),
        ..SequenceConfig::trm(81, 11)
    };
    let of_hrm = SequenceConfig {
        mlp_t: true,
        ..SequenceConfig::hrm(81, 11)
    };
    let needless = SequenceConfig {
        puzzle_emb_ndim: 0,
        puzzle_emb_len: Some(2),
        ..SequenceConfig::trm(81, 11)
    };
    for (config, key) in [
        (too_few, "puzzle_emb_len"),
        (of_hrm, "mlp_t"),
        (needless, "puzzle_emb_len"),
    ] {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn missing_extra_and_misshapen_tensors_are_named() {
    let (_, config) = members().remove(0);
    let weights = random_weights(&config, 1);
    let fault = |name: &str, tensor: Option<Tensor>| {
        let mut weights = weights.clone();
        match tensor {
            Some(tensor) => weights.insert(name.to_owned(), tensor),
            None => weights.remove(name),
        };
        let error = SequenceHrm::new(config.clone(), &weights)
            .unwrap_err()
            .to_string();
        assert!(error.contains(name), "{error}");
        error
    };
    let zeros = |n: usize| Tensor::zeros(n, candle_core::DType::F32, &Device::Cpu).unwrap();
    assert!(fault("q_head.bias", None).contains("missing"));
    assert!(fault("H_init", None).contains("missing"));
    assert!(fault("q_head.bias", Some(zeros(3))).contains("[3]"));
    assert!(fault("H_level.layers.2.mlp.down_proj.weight", Some(zeros(3))).contains("not part"));
}

#[test]
fn problems_the_model_cannot_read_are_named() {
    let (_, config) = members().remove(0);
    let model = SequenceHrm::new(config.clone(), &random_weights(&config, 1)).unwrap();
    let good = random_problems(&config, 2, 2);
    assert_eq!(model.count(&model.encode(&good).unwrap()), 2);

    let mut short = good.clone();
    short.tokens.pop();
    let mut strange = good.clone();
    strange.tokens[config.seq_len + 3] = 5;
    let mut unknown = good.clone();
    unknown.puzzles[1] = 3;
    for (problems, expected) in [
        (short, "17 tokens"),
        (strange, "problem 1 has token 5 at place 3"),
        (unknown, "problem 1 has puzzle identifier 3"),
    ] {
        let error = model.encode(&problems).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
