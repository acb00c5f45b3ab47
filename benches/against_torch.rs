//! Inference against PyTorch: a segment of the grid model and of the published HRM, with the same
//! weights, inputs and number of threads, outputs compared first.
//!
//! `cargo bench --bench against_torch -- [FILTER] [--threads N] [--rounds N] [--no-compile]`;
//! `scripts/bench` runs all benchmarks.

mod common;

use anyhow::Result;
use candle_core::{Device, Tensor};
use common::{Case, Files, Options, Report, Worker, measure};
use hrm_planner::grid::generate::{Kind, problem};
use hrm_planner::model::{
    Checkpoint, GridHrm, GridHrmConfig, GridProblems, PLANES, Precision, Reasoner, SequenceConfig,
    SequenceHrm, SequenceProblems,
};
use hrm_planner::search::Rules;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// How far outputs may be apart, over a tensor's largest value: PyTorch computes in f32.
fn tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-4,
        Precision::Bf16 => 0.1,
    }
}

/// What a case is called.
fn name(case: &str, precision: Precision) -> String {
    match precision {
        Precision::F32 => case.to_owned(),
        Precision::Bf16 => format!("{case}, bf16"),
    }
}

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];
/// Sides of square maps, cells, and maps in a batch.
const GRIDS: [(usize, usize); 6] = [(30, 1), (64, 1), (128, 1), (30, 16), (64, 16), (128, 16)];
/// Mazes of 30 x 30 in a batch, as the published HRM reads them.
const MAZES: [usize; 2] = [1, 4];

fn main() -> Result<()> {
    let options = Options::read()?;
    let files = Files::new()?;
    let mut worker = Worker::start(&options)?;
    let mut report = Report::begin("one segment of inference; PyTorch in f32", &options);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/grid.safetensors");
    let checkpoint = Checkpoint::read(&path)?;
    let model = checkpoint.model()?;
    for precision in PRECISIONS {
        let model = model.with_precision(precision)?;
        for (side, batch) in GRIDS {
            let maps = if batch == 1 { "map" } else { "maps" };
            let name = name(&format!("grid {side}x{side}, {batch} {maps}"), precision);
            if options.want(&name) {
                let mut case = grid_case(name, &model, &path, (side, batch), &files)?;
                case.tolerance = tolerance(precision);
                report.add(measure(case, &options, &mut worker, &files)?);
            }
        }
        for batch in MAZES {
            let mazes = if batch == 1 { "maze" } else { "mazes" };
            let name = name(&format!("hrm 27M 30x30, {batch} {mazes}"), precision);
            if options.want(&name) {
                let case = hrm_case(name, batch, precision, &files)?;
                report.add(measure(case, &options, &mut worker, &files)?);
            }
        }
    }
    report.end(&options)
}

/// A segment of the grid model on generated maps of all kinds.
fn grid_case<'a>(
    name: String,
    model: &'a GridHrm,
    weights: &PathBuf,
    (side, batch): (usize, usize),
    files: &Files,
) -> Result<Case<'a>> {
    let problems = grid_problems(side, batch)?;
    let shape = (batch, side, side, 9 * PLANES);
    let planes = [("planes", problems.input.reshape(shape)?)];
    let request = json!({
        "case": "segment",
        "weights": weights,
        "inputs": files.save("inputs", planes)?,
    });
    let encoded = model.encode(&problems)?;
    let carry = model.initial_carry(&encoded)?;
    let after = model.segment(&carry, &encoded)?;
    let said = model.read_out(&after, &encoded)?;
    let outputs = [
        ("z_h", after.z_h),
        ("z_l", after.z_l),
        ("moves", said.moves),
        ("value", said.value),
        ("q_halt", said.q_halt),
        ("q_continue", said.q_continue),
    ];
    Ok(Case {
        name,
        gflop: grid_gflop(model.config(), batch * side * side),
        request,
        run: Box::new(move || {
            model.segment(&carry, &encoded)?;
            Ok(())
        }),
        outputs: named(outputs),
        tolerance: tolerance(Precision::F32),
    })
}

/// Maps of one size, of all kinds in turn.
fn grid_problems(side: usize, batch: usize) -> Result<GridProblems> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let rules = Rules::shortest();
    let one = |kind: &Kind| {
        let problem = problem(*kind, side, side, &mut rng);
        let patches = GridHrmConfig::default().patches();
        GridProblems::one(&problem.map, &rules, problem.start, problem.goal, patches)
    };
    let kinds = Kind::ALL.iter().cycle().take(batch);
    let all = kinds.map(one).collect::<hrm_planner::Result<Vec<_>>>()?;
    Ok(GridProblems::cat(&all.iter().collect::<Vec<_>>())?)
}

/// Operations of a segment: per cell and block, nine taps of each channel, the mixing matrix and
/// the three of the gated unit.
fn grid_gflop(config: &GridHrmConfig, cells: usize) -> f64 {
    let (c, e) = (config.channels, config.hidden);
    let block = 2 * (9 * c + c * c + 3 * c * e);
    let blocks = config.h_cycles * (config.l_cycles * config.l_blocks + config.h_blocks);
    (blocks * block * cells) as f64 / 1e9
}

/// A segment of the published HRM with random weights, on random tokens.
fn hrm_case<'a>(
    name: String,
    batch: usize,
    precision: Precision,
    files: &Files,
) -> Result<Case<'a>> {
    let config = SequenceConfig::hrm(900, 6);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut weights = BTreeMap::new();
    for (name, shape) in config.tensors() {
        // Variance 1 / inputs, so that what passes through keeps its size.
        let most = (3.0 / shape.last().copied().unwrap_or(1) as f32).sqrt();
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| rng.random_range(-most..most)).collect();
        weights.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    let problems = SequenceProblems {
        tokens: (0..batch * config.seq_len)
            .map(|_| rng.random_range(1..config.vocab_size as u32))
            .collect(),
        puzzles: vec![0; batch],
    };
    let tokens = Tensor::from_slice(&problems.tokens, (batch, config.seq_len), &Device::Cpu)?;
    let puzzles = Tensor::from_slice(&problems.puzzles, batch, &Device::Cpu)?;
    let request = json!({
        "case": "sequence",
        "config": config,
        "weights": files.save("weights", weights.clone())?,
        "inputs": files.save("inputs", [("tokens", tokens), ("puzzles", puzzles)])?,
    });
    let gflop = hrm_gflop(&config, batch);
    let model = SequenceHrm::new(config, &weights)?.with_precision(precision)?;
    let encoded = model.encode(&problems)?;
    let carry = model.initial_carry(&encoded)?;
    let after = model.segment(&carry, &encoded)?;
    let said = model.read_out(&after, &encoded)?;
    let outputs = [
        ("z_h", after.z_h),
        ("z_l", after.z_l),
        ("logits", said.logits),
        ("q_halt", said.q_halt),
        ("q_continue", said.q_continue),
    ];
    Ok(Case {
        name,
        gflop,
        request,
        run: Box::new(move || {
            model.segment(&carry, &encoded)?;
            Ok(())
        }),
        outputs: named(outputs),
        tolerance: tolerance(precision),
    })
}

/// Operations of a segment: per layer the linear maps of each token and the two products of
/// attention.
fn hrm_gflop(config: &SequenceConfig, batch: usize) -> f64 {
    let shapes = config.tensors();
    let per_token = |module: &str| -> usize {
        let mine = shapes.iter().filter(|(name, _)| name.starts_with(module));
        mine.map(|(_, shape)| 2 * shape.iter().product::<usize>())
            .sum()
    };
    let tokens = config.places();
    let attention = 4 * tokens * tokens * config.hidden_size;
    let l = per_token("L_level") * tokens + config.l_layers * attention;
    let h = per_token("H_level") * tokens + config.h_layers * attention;
    (batch * config.h_cycles * (config.l_cycles * l + h)) as f64 / 1e9
}

fn named<const N: usize>(outputs: [(&str, Tensor); N]) -> HashMap<String, Tensor> {
    let named = outputs.map(|(name, tensor)| (name.to_owned(), tensor));
    named.into_iter().collect()
}
