//! Numbers recorded from the published PyTorch implementations, and how far ours are off.
//!
//! The files are at `HRM_REFERENCE`, or `../shared/reference` beside this project; they are not
//! part of it. Training's tests include this file too.

// Clippy's allowance for tests does not reach helpers outside of them. Each test file is a crate
// of its own and uses only some of these.
#![allow(dead_code, clippy::unwrap_used)]

use candle_core::{DType, Device, Tensor};
use hrm_planner::model::{Carry, SequenceConfig, SequenceHrm, SequenceProblems};
use safetensors::{SafeTensors, tensor::TensorView};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The recorded models.
pub const FILES: [&str; 4] = ["hrm-tiny", "hrm-maze", "trm-tiny", "trm-mlp-tiny"];

/// Equal is: off by at most this share of the reference, or by [`FLOOR`].
pub const RELATIVE: f64 = 1e-4;
pub const FLOOR: f64 = 1e-5;

/// One recorded model.
pub struct Reference {
    pub name: &'static str,
    bytes: Vec<u8>,
    pub config: SequenceConfig,
    /// What training measured, one entry per segment.
    pub metrics: Vec<Value>,
}

/// The recorded models that are there; says which are not.
pub fn references() -> Vec<Reference> {
    FILES.into_iter().filter_map(reference).collect()
}

pub fn reference(name: &'static str) -> Option<Reference> {
    let folder = std::env::var_os("HRM_REFERENCE").map_or_else(
        || {
            let project = Path::new(env!("CARGO_MANIFEST_DIR"));
            let beside = |root: &Path| root.join("../shared/reference");
            // Training's tests live one folder deeper.
            let both = [beside(project), beside(&project.join(".."))];
            let found = both.iter().find(|folder| folder.exists());
            found.unwrap_or(&both[0]).clone()
        },
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.safetensors"));
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let text = &header.metadata().as_ref().unwrap()["config"];
    let recorded: Value = serde_json::from_str(text).unwrap();
    let mut config = recorded["cfg"].clone();
    // What the recorder left to the data: tokens and puzzles there are; it explored nothing.
    config["family"] = json!(&name[..3]);
    config["vocab_size"] = json!(6);
    config["num_puzzle_identifiers"] = json!(3);
    config["halt_exploration_prob"] = json!(0.0);
    Some(Reference {
        name,
        config: serde_json::from_value(config).unwrap(),
        metrics: recorded["metrics"].as_array().unwrap().clone(),
        bytes,
    })
}

impl Reference {
    fn file(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).unwrap()
    }

    /// Names of tensors that begin with `prefix`, without it, in order.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let file = self.file();
        let names = file.names().into_iter();
        let mut names: Vec<String> = names
            .filter_map(|name| Some(name.strip_prefix(prefix)?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// A tensor's values, whatever their type.
    pub fn values(&self, name: &str) -> Vec<f64> {
        values(&self.file().tensor(name).unwrap())
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.file().tensor(name).unwrap().shape().to_vec()
    }

    /// Segments recorded under `eval` or `train`.
    pub fn segments(&self, mode: &str) -> usize {
        let names = self.names(&format!("{mode}."));
        let numbers = names.iter().map(|n| n.split('.').next().unwrap());
        numbers.map(|n| n.parse().unwrap()).max().unwrap()
    }

    pub fn tensor(&self, name: &str, dtype: DType) -> Tensor {
        let tensor = Tensor::from_vec(self.values(name), self.shape(name), &Device::Cpu).unwrap();
        tensor.to_dtype(dtype).unwrap()
    }

    /// The weights with our names: as published, without `inner.`.
    pub fn weights(&self, dtype: DType) -> BTreeMap<String, Tensor> {
        let names = self.names("w.inner.").into_iter();
        let tensor = |name: String| {
            let tensor = self.tensor(&format!("w.inner.{name}"), dtype);
            (name, tensor)
        };
        names.map(tensor).collect()
    }

    pub fn model(&self, dtype: DType) -> SequenceHrm {
        SequenceHrm::new(self.config.clone(), &self.weights(dtype)).unwrap()
    }

    /// The carry recorded after a segment of evaluation.
    pub fn carry(&self, segment: usize, dtype: DType) -> Carry {
        Carry {
            z_h: self.tensor(&format!("eval.{segment}.z_H"), dtype),
            z_l: self.tensor(&format!("eval.{segment}.z_L"), dtype),
        }
    }

    pub fn problems(&self) -> SequenceProblems {
        let numbers = |name: &str| self.values(name).iter().map(|&x| x as u32).collect();
        SequenceProblems {
            tokens: numbers("in.inputs"),
            puzzles: numbers("in.puzzle_identifiers"),
        }
    }
}

fn values(view: &TensorView<'_>) -> Vec<f64> {
    use safetensors::Dtype::{F32, F64, I32, U8};
    let data = view.data();
    let four = |b: &[u8]| <[u8; 4]>::try_from(b).unwrap();
    match view.dtype() {
        F32 => data
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(four(b)).into())
            .collect(),
        F64 => data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
            .collect(),
        I32 => data
            .chunks_exact(4)
            .map(|b| i32::from_le_bytes(four(b)).into())
            .collect(),
        U8 => data.iter().map(|&b| b.into()).collect(),
        other => panic!("the recorder wrote no {other:?}"),
    }
}

/// A tensor's values.
pub fn flat(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(candle_core::DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// One tensor as we compute it, beside what was recorded.
pub struct Measured {
    /// Tensors of a kind share a row of the table.
    pub kind: String,
    pub name: String,
    pub ours: Vec<f64>,
    pub recorded: Vec<f64>,
}

impl Measured {
    pub fn new(kind: &str, name: &str, ours: Vec<f64>, recorded: Vec<f64>) -> Self {
        assert_eq!(ours.len(), recorded.len(), "{name}: number of values");
        assert!(ours.iter().all(|x| x.is_finite()), "{name} is not finite");
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            ours,
            recorded,
        }
    }

    /// For each value the error and what is allowed, were there no rounding.
    fn errors(&self) -> impl Iterator<Item = (f64, f64)> {
        let pairs = self.ours.iter().zip(&self.recorded);
        pairs.map(|(a, b)| ((a - b).abs(), (RELATIVE * b.abs()).max(FLOOR)))
    }

    fn beyond(&self) -> usize {
        self.errors()
            .filter(|(error, allowed)| error > allowed)
            .count()
    }

    fn largest_error(&self) -> f64 {
        self.errors().fold(0.0, |m, (error, _)| m.max(error))
    }

    fn largest_value(&self) -> f64 {
        self.recorded
            .iter()
            .fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()))
    }
}

/// Rounding is told from a fault by this factor: both sides round, ours may be the luckier.
const LUCK: f64 = 4.0;

/// Compares a run in f32 with the recorded one, prints the largest error of each kind of tensor,
/// and fails where they differ.
///
/// Every value must be within [`RELATIVE`] and [`FLOOR`]. A recurrence can amplify the rounding of
/// f32, in which the reference was computed too, beyond that; the MLP mixer with random weights
/// does so ten- to thirtyfold per segment. Where a value is beyond, the run is done once more in f64, and
/// the error must be within [`LUCK`] times what rounding does to that tensor of our own model.
/// In any case no error may exceed `share` of its tensor's largest value.
pub fn judge(title: &str, share: f64, run: impl Fn(DType) -> Vec<Measured>) {
    let ours = run(DType::F32);
    let exact = ours.iter().any(|m| m.beyond() > 0).then(|| run(DType::F64));
    let rounding: Vec<f64> = match &exact {
        Some(exact) => ours.iter().zip(exact).map(largest_difference).collect(),
        None => vec![0.0; ours.len()],
    };
    let mut rows = BTreeMap::<&str, Row>::new();
    for (tensor, rounding) in ours.iter().zip(&rounding) {
        let row = rows.entry(&tensor.kind).or_default();
        let error = tensor.largest_error();
        row.values += tensor.ours.len();
        row.beyond += tensor.beyond();
        row.largest = row.largest.max(error);
        row.share = row.share.max(error / tensor.largest_value());
        row.rounding = row.rounding.max(*rounding);
    }
    println!("\n{title}");
    println!(
        "{:<34} {:>8} {:>10} {:>10} {:>8} {:>10}",
        "", "", "largest", "/ largest", "beyond", "own"
    );
    println!(
        "{:<34} {:>8} {:>10} {:>10} {:>8} {:>10}",
        "kind", "values", "error", "value", "1e-4", "rounding"
    );
    for (kind, row) in &rows {
        let rounding = match exact {
            Some(_) => format!("{:.1e}", row.rounding),
            None => String::new(),
        };
        println!(
            "{kind:<34} {:>8} {:>10.1e} {:>10.1e} {:>8} {rounding:>10}",
            row.values, row.largest, row.share, row.beyond
        );
    }
    for (tensor, rounding) in ours.iter().zip(&rounding) {
        let (rounding, most) = (LUCK * rounding, share * tensor.largest_value());
        for (i, (error, allowed)) in tensor.errors().enumerate() {
            let allowed = allowed.max(rounding).min(most);
            assert!(
                error <= allowed.max(FLOOR),
                "{title}: {}[{i}] is {}, recorded is {}",
                tensor.name,
                tensor.ours[i],
                tensor.recorded[i]
            );
        }
    }
}

/// The worst of a kind.
#[derive(Default)]
struct Row {
    values: usize,
    beyond: usize,
    largest: f64,
    share: f64,
    rounding: f64,
}

fn largest_difference((a, b): (&Measured, &Measured)) -> f64 {
    let pairs = a.ours.iter().zip(&b.ours);
    pairs.fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}
