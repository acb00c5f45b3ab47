//! Checkpoint files: what is written is read again, and what is wrong is named.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;

use crate::common::random_model::{random_tensors, small_config};
use candle_core::{DType, Device, Tensor};
use hrm_planner::model::{Checkpoint, TrainingRecord};

fn checkpoint() -> Checkpoint {
    let config = small_config();
    Checkpoint {
        tensors: random_tensors(&config, 1),
        config: config.into(),
        training: TrainingRecord {
            recipe: "name = \"x\"".into(),
            seed: 7,
            steps: 100,
            wall_seconds: 12.5,
            machine: "two cores".into(),
            scores: serde_json::json!([{ "kind": "maze", "reached": 1.0 }]),
            imported_from: None,
            started_from: None,
            ending: None,
        },
    }
}

/// Reads what `change` made of a good checkpoint; the error's text.
fn error_of(change: impl FnOnce(&mut Checkpoint)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut bad = checkpoint();
    change(&mut bad);
    bad.write(&path).unwrap();
    Checkpoint::read(&path).unwrap_err().to_string()
}

/// Writes tensors with metadata of one's own, as some other program might.
fn write_raw(path: &Path, metadata: &[(&str, &str)]) {
    let tensors = checkpoint().tensors;
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    safetensors::serialize_to_file(tensors.iter(), Some(metadata), path).unwrap();
}

#[test]
fn a_checkpoint_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let written = checkpoint();
    written.write(&path).unwrap();
    let read = Checkpoint::read(&path).unwrap();
    assert_eq!(read.config, written.config);
    assert_eq!(read.training, written.training);
    assert_eq!(read.tensors.len(), written.tensors.len());
    for (name, tensor) in &written.tensors {
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&read.tensors[name]), values(tensor), "{name}");
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "no temporary file is left behind");
}

#[test]
fn a_missing_tensor_is_named() {
    let error = error_of(|c| {
        c.tensors.remove("l.1.down");
    });
    assert!(error.contains("`l.1.down` is missing"), "{error}");
}

#[test]
fn an_extra_tensor_is_named() {
    let error = error_of(|c| {
        let zeros = Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap();
        c.tensors.insert("decoder".into(), zeros);
    });
    assert!(error.contains("`decoder`"), "{error}");
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let error = error_of(|c| {
        let zeros = Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap();
        c.tensors.insert("h.0.mix".into(), zeros);
    });
    assert!(
        error.contains("`h.0.mix` is [2, 2]") && error.contains("[16, 16]"),
        "{error}"
    );
}

#[test]
fn a_weight_that_is_no_number_is_named() {
    let error = error_of(|c| {
        let nan = Tensor::full(f32::NAN, 16, &Device::Cpu).unwrap();
        c.tensors.insert("embed.bias".into(), nan);
    });
    assert!(error.contains("`embed.bias` holds NaN at 0"), "{error}");
}

#[test]
fn a_configuration_out_of_range_is_named() {
    let error = error_of(|c| {
        let mut config = small_config();
        config.channels = 17;
        c.config = config.into();
    });
    assert!(error.contains("`channels` is 17"), "{error}");
}

#[test]
fn metadata_that_is_missing_or_foreign_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for (metadata, wanted) in [
        (vec![], "`format` is missing"),
        (vec![("format", "99")], "`format` is \"99\""),
        (vec![("format", "1")], "`family` is missing"),
        (
            vec![("format", "1"), ("family", "gpt"), ("config", "{}")],
            "`family` is \"gpt\"",
        ),
        (
            vec![("format", "1"), ("family", "grid-hrm")],
            "`config` is missing",
        ),
        (
            vec![
                ("format", "1"),
                ("family", "grid-hrm"),
                ("config", "{\"channels\": 16}"),
            ],
            "`config` cannot be read: missing field `hidden`",
        ),
    ] {
        write_raw(&path, &metadata);
        let error = Checkpoint::read(&path).unwrap_err().to_string();
        assert!(error.contains(wanted), "{metadata:?}: {error}");
    }
}

#[test]
fn files_that_are_no_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let missing = Checkpoint::read(&path).unwrap_err().to_string();
    assert!(missing.contains("model.safetensors"), "{missing}");
    let huge_header = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    for bytes in [&b""[..], b"P5 1 1 255 x", &huge_header] {
        std::fs::write(&path, bytes).unwrap();
        let error = Checkpoint::read(&path).unwrap_err().to_string();
        assert!(error.contains("not a safetensors file"), "{error}");
    }
    checkpoint().write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    assert!(Checkpoint::read(&path).is_err(), "truncated");
}
