//! Running the published 27 M HRM takes little more memory than its weights.
//!
//! A process's peak never falls again, so the model is read and run in a process of its own, which
//! is this very test started once more.

// Clippy's allowance for tests does not reach helpers outside of them.
#![allow(clippy::unwrap_used)]

use crate::random_sequence::{random_problems, random_weights};
use candle_core::Tensor;
use hrm_planner::model::{Checkpoint, Reasoner, SequenceConfig, TrainingRecord};
use std::path::Path;
use std::process::Command;

/// Where the second process finds the model.
const MODEL: &str = "HRM_TEST_MEMORY_MODEL";

/// The most bytes this process has held, where the system tells.
fn peak_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[test]
fn the_peak_is_less_than_one_and_a_half_times_the_weights() {
    if let Some(path) = std::env::var_os(MODEL) {
        return measure(Path::new(&path));
    }
    if peak_bytes().is_none() {
        println!("skipped: this system does not tell a process's peak memory");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hrm.safetensors");
    let config = SequenceConfig::hrm(900, 6);
    let checkpoint = Checkpoint {
        tensors: random_weights(&config, 1),
        config: config.into(),
        training: TrainingRecord::default(),
    };
    checkpoint.write(&path).unwrap();
    drop(checkpoint);
    let mut again = Command::new(std::env::current_exe().unwrap());
    // This test alone, so that the peak is its own.
    let this = [
        "--exact",
        "sequence_memory::the_peak_is_less_than_one_and_a_half_times_the_weights",
        "--nocapture",
    ];
    let again = again.args(this).env(MODEL, &path).output().unwrap();
    println!("{}", String::from_utf8_lossy(&again.stdout));
    assert!(again.status.success(), "{again:?}");
}

/// Reads the model and thinks for a segment about one maze of 30 x 30.
fn measure(path: &Path) {
    let checkpoint = Checkpoint::read(path).unwrap();
    let model = checkpoint.sequence_model().unwrap();
    let encoded = model
        .encode(&random_problems(model.config(), 1, 2))
        .unwrap();
    let carry = model.initial_carry(&encoded).unwrap();
    let carry = model.segment(&carry, &encoded).unwrap();
    model.read_out(&carry, &encoded).unwrap();

    let numbers: usize = checkpoint.tensors.values().map(Tensor::elem_count).sum();
    let (weights, carry) = (4 * numbers, 4 * 2 * carry.z_h.elem_count());
    let peak = peak_bytes().unwrap();
    let share = (peak - carry) as f64 / weights as f64;
    println!("weights {weights} bytes, peak {peak}: {share:.2} times the weights and a carry");
    assert!(share < 1.5);
}
