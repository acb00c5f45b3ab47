//! A case and its measurement.

use super::tensors::{Files, difference};
use super::{Options, Worker};
use anyhow::{Result, ensure};
use candle_core::Tensor;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long one turn should at least take, seconds.
const TURN: f64 = 0.3;
/// The most repetitions in a turn.
const MOST_REPETITIONS: usize = 100;

/// A piece of work that ours and PyTorch both do.
pub struct Case<'a> {
    pub name: String,
    /// Floating-point operations of one run, in units of 1e9.
    pub gflop: f64,
    /// What PyTorch is asked to load, without mode, threads and outputs.
    pub request: Value,
    /// Ours, once.
    pub run: Box<dyn FnMut() -> Result<()> + 'a>,
    /// What ours says.
    pub outputs: HashMap<String, Tensor>,
    /// How far PyTorch may be from it, over a tensor's largest value.
    pub tolerance: f64,
}

/// What a case came to.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub case: String,
    pub gflop: f64,
    /// Median seconds of ours.
    pub ours: f64,
    /// Seconds of our fastest run.
    pub ours_fastest: f64,
    /// By mode.
    pub torch: BTreeMap<String, Contestant>,
}

/// PyTorch in one mode.
#[derive(Debug, Clone, Serialize)]
pub struct Contestant {
    /// The way of computing it chose.
    pub way: String,
    /// Median seconds.
    pub seconds: f64,
    /// Seconds of the fastest run.
    pub fastest: f64,
    /// Median over the rounds of PyTorch's time over ours.
    pub ratio: f64,
    /// The largest difference from ours, over a tensor's largest value.
    pub difference: f64,
}

/// Before each turn: threads of the one before it wait for more work by spinning, for up to 0.2 s
/// with PyTorch's OpenMP, and would take a core from this one. The first run after it does not
/// count.
const REST: Duration = Duration::from_millis(400);

/// Compares and measures a case.
///
/// # Errors
/// Outputs that do not agree, or a contestant that fails.
pub fn measure(
    mut case: Case<'_>,
    options: &Options,
    worker: &mut Worker,
    files: &Files,
) -> Result<Row> {
    let mut compared = BTreeMap::new();
    for mode in options.modes() {
        let loaded = worker.load(mode, &case.request, files)?;
        let (tensor, error) = difference(&case.outputs, &loaded.outputs)?;
        ensure!(
            error <= case.tolerance,
            "{}: `{tensor}` is {error:.1e} of its largest value away from PyTorch's ({mode}, {})",
            case.name,
            loaded.way
        );
        compared.insert((*mode).to_owned(), (loaded.way, error));
    }

    let once = timed(&mut case.run, 1)?[0];
    let repetitions = ((TURN / once).ceil() as usize).clamp(1, MOST_REPETITIONS);
    let mut ours = Vec::new();
    let mut theirs: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for _ in 0..options.rounds {
        std::thread::sleep(REST);
        let turn = timed(&mut case.run, repetitions + 1)?.split_off(1);
        for mode in options.modes() {
            std::thread::sleep(REST);
            let seconds = worker.run(mode, repetitions + 1)?.split_off(1);
            let (all, ratios) = theirs.entry(mode).or_default();
            ratios.push(median(&seconds) / median(&turn));
            all.extend(seconds);
        }
        ours.extend(turn);
    }
    let contestant = |(mode, (way, difference)): (String, (String, f64))| {
        let (seconds, ratios) = &theirs[mode.as_str()];
        let contestant = Contestant {
            way,
            seconds: median(seconds),
            fastest: fastest(seconds),
            ratio: median(ratios),
            difference,
        };
        (mode, contestant)
    };
    Ok(Row {
        case: case.name,
        gflop: case.gflop,
        ours: median(&ours),
        ours_fastest: fastest(&ours),
        torch: compared.into_iter().map(contestant).collect(),
    })
}

/// Seconds of each of `repetitions` runs.
pub fn timed(run: &mut dyn FnMut() -> Result<()>, repetitions: usize) -> Result<Vec<f64>> {
    (0..repetitions)
        .map(|_| {
            let began = Instant::now();
            run()?;
            Ok(began.elapsed().as_secs_f64())
        })
        .collect()
}

/// The middle value; of an even number, the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n => f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]),
    }
}

fn fastest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
