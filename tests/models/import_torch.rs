//! Checkpoints written by the real PyTorch, one of them as large as the published HRM.
//!
//! PyTorch lives in `target/interop`, which `scripts/interop-env` makes. With the environment
//! variable `HRM_INTEROP=1` the test makes it; otherwise it is skipped where it is absent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::cli::{hrm, text};
use candle_core::Tensor;
use hrm_planner::model::Checkpoint;
use serde_json::Value;

/// The Python that has PyTorch.
fn python() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = project.join("target/interop/bin/python");
    if std::env::var_os("HRM_INTEROP").is_some_and(|value| value == "1") {
        let made = Command::new(project.join("scripts/interop-env")).status();
        assert!(made.expect("a shell").success(), "scripts/interop-env");
    } else if !project.join("target/interop/requirements.txt").exists() {
        println!("skipped: no PyTorch; HRM_INTEROP=1 or scripts/interop-env fetches it");
        return None;
    }
    Some(python)
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// Compares a model's tensors with what PyTorch says of them.
fn assert_equal(tensors: &BTreeMap<String, Tensor>, expected: &Value) {
    let expected = expected.as_object().expect("tensors");
    let names: Vec<_> = expected.keys().collect();
    assert_eq!(tensors.keys().collect::<Vec<_>>(), names);
    for (name, record) in expected {
        let tensor = &tensors[name];
        assert_eq!(serde_json::json!(tensor.dims()), record["shape"], "{name}");
        let flat = tensor.flatten_all();
        let values: Vec<f32> = flat.and_then(|flat| flat.to_vec1()).expect("values");
        for sample in record["samples"].as_array().expect("samples") {
            let place = sample[0].as_u64().expect("a place") as usize;
            assert_eq!(
                values[place].to_bits(),
                (number(&sample[1]) as f32).to_bits(),
                "{name}[{place}]"
            );
        }
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        let magnitude: f64 = values.iter().map(|&value| f64::from(value.abs())).sum();
        let tolerance = 1e-12 * magnitude;
        assert!((sum - number(&record["sum"])).abs() <= tolerance, "{name}");
        assert!(
            (magnitude - number(&record["magnitude"])).abs() <= tolerance,
            "{name}"
        );
    }
}

#[test]
fn what_pytorch_wrote_is_imported_to_the_bit() {
    let Some(python) = python() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/torch_checkpoint.py");
    let mut command = Command::new(python);
    command
        .args(["-W", "ignore"])
        .arg(script)
        .arg(folder.path());
    assert!(command.status().expect("Python").success());
    let expected = std::fs::read_to_string(path("expected.json")).expect("read");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");

    for (file, config, family, parameters, length) in [
        ("step_39060", "all_config.yaml", "hrm", 27_270_146, 900),
        ("trm.pt", "trm.yaml", "trm", 397_826, 81),
    ] {
        let (checkpoint, config) = (path(file), path(config));
        let out = path("model.safetensors");
        let mut arguments = vec!["import", text(&checkpoint), "--config", text(&config)];
        arguments.extend(["--out", text(&out), "--json"]);
        let record = hrm(arguments).json();
        assert_eq!(record["family"], family);
        assert_eq!(record["parameters"], parameters);
        assert_eq!(record["config"]["seq_len"], length);
        let read = Checkpoint::read(&out).expect("our format");
        assert_equal(&read.tensors, &expected[file]);
        read.sequence_model().expect("a model");
    }
}
