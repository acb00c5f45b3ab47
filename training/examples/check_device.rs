//! Checks a device against the CPU: that every model says the same there, how long a segment takes,
//! how fast training goes, and that a run goes on from one to the other.
//!
//! `cargo run --release -p hrm-training --features cuda --example check_device -- [DEVICE]`
//! (default cuda). Where there is no such device it says so and is content. With `cpu` it checks the
//! formulation that a GPU takes, on the CPU. It fails where the numbers are too far apart.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use hrm_planner::grid::generate::{Kind, problem};
use hrm_planner::model::{
    Carry, Checkpoint, Compute, DeviceChoice, Formulation, GridHrm, GridHrmConfig, GridProblems,
    ModelConfig, PositionEncoding, Reasoner, SequenceConfig, SequenceHrm, SequenceProblems,
    TrainingRecord,
};
use hrm_planner::search::Rules;
use hrm_training::{Recipe, Trainer};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The largest difference to the CPU after two segments, over the largest number.
const WITHIN: f32 = 1e-3;
/// Segments of the comparison.
const SEGMENTS: usize = 2;
/// A time is the median of at least so many runs, over at least so long.
const RUNS: usize = 5;
const LONG_ENOUGH: Duration = Duration::from_millis(500);

fn main() -> Result<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "cuda".to_owned());
    let mut device = match name.parse::<DeviceChoice>()?.open() {
        Ok(device) => device,
        Err(error) => {
            println!("skipped, all of it: {error}");
            return Ok(());
        }
    };
    if device.device.is_cpu() {
        device.formulation = Formulation::Plain;
    }
    println!("device: {}; {:?}", device.describe(), device.formulation);
    models(&device)?;
    training(&device)?;
    println!("all within {WITHIN:.0e}");
    Ok(())
}

/// Parity and segment times of every model.
fn models(device: &Compute) -> Result<()> {
    println!(
        "\n{:<28} {:>8} {:>12} {:>12}",
        "model", "batch", "difference", "ms a segment"
    );
    let grid = checkpoint(GridHrmConfig::default().into())?;
    // 64 of them by plain operations would take a CPU minutes.
    let batches: &[usize] = if device.device.is_cpu() {
        &[1]
    } else {
        &[1, 64]
    };
    for &batch in batches {
        let problems = maps(64, batch)?;
        let [here, there] = on_both(device, |compute| grid.model_on(compute))?;
        compare(
            "grid, 64 x 64",
            [&here, &there],
            &problems,
            batch,
            |m: &GridHrm, carry, encoded| {
                let readout = m.read_out(carry, encoded)?;
                Ok(vec![readout.moves, readout.value, readout.q_halt])
            },
        )?;
    }
    let trm = SequenceConfig::trm(900, 6);
    let mlp = SequenceConfig {
        mlp_t: true,
        pos_encodings: PositionEncoding::None,
        ..SequenceConfig::trm(81, 11)
    };
    for (name, config) in [
        ("HRM of 27 M, 30 x 30", SequenceConfig::hrm(900, 6)),
        ("TRM of 7 M, 30 x 30", trm),
        ("TRM with MLP, 9 x 9", mlp),
    ] {
        let model = checkpoint(config.clone().into())?;
        for &batch in batches {
            let problems = tokens(&config, batch);
            let [here, there] = on_both(device, |compute| model.sequence_model_on(compute))?;
            let read = |m: &SequenceHrm, carry: &_, encoded: &_| {
                let readout = m.read_out(carry, encoded)?;
                Ok(vec![readout.logits, readout.q_halt, readout.q_continue])
            };
            if batch == 1 {
                compare(name, [&here, &there], &problems, batch, read)?;
            } else {
                // The CPU would take minutes to compare with.
                let time = segment_time(&there, &problems, &device.device)?;
                println!("{name:<28} {batch:>8} {:>12} {:>12.2}", "", ms(time));
            }
        }
    }
    Ok(())
}

/// The same on the CPU and on the device.
fn on_both<T>(
    device: &Compute,
    make: impl Fn(&Compute) -> hrm_planner::Result<T>,
) -> Result<[T; 2]> {
    Ok([make(&Compute::cpu())?, make(device)?])
}

fn compare<M: Reasoner>(
    name: &str,
    models: [&M; 2],
    problems: &M::Problems,
    batch: usize,
    read: impl Fn(&M, &Carry, &M::Encoded) -> Result<Vec<Tensor>>,
) -> Result<()> {
    let mut answers = Vec::new();
    for model in models {
        let encoded = model.encode(problems)?;
        let mut carry = model.initial_carry(&encoded)?;
        for _ in 0..SEGMENTS {
            carry = model.segment(&carry, &encoded)?.detached();
        }
        answers.push(read(model, &carry, &encoded)?);
    }
    let mut worst = 0.0_f32;
    for (here, there) in answers[0].iter().zip(&answers[1]) {
        worst = worst.max(difference(here, there)?);
    }
    let device = answers[1].first().context("a read-out")?.device().clone();
    let time = segment_time(models[1], problems, &device)?;
    println!("{name:<28} {batch:>8} {worst:>12.1e} {:>12.2}", ms(time));
    ensure!(worst < WITHIN, "{name}: {worst:e} is too far from the CPU");
    Ok(())
}

fn difference(here: &Tensor, there: &Tensor) -> Result<f32> {
    let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
    let (here, there) = (values(here)?, values(there)?);
    let largest = here.iter().fold(1e-6_f32, |m, x| m.max(x.abs()));
    let apart = here.iter().zip(&there);
    // Not f32::max, which drops NaN.
    Ok(apart.fold(0.0_f32, |m, (a, b)| {
        let apart = (a - b).abs() / largest;
        if apart <= m { m } else { apart }
    }))
}

fn segment_time<M: Reasoner>(model: &M, problems: &M::Problems, on: &Device) -> Result<Duration> {
    let encoded = model.encode(problems)?;
    let mut carry = model.initial_carry(&encoded)?;
    median(|| {
        carry = model.segment(&carry, &encoded)?.detached();
        Ok(on.synchronize()?)
    })
}

/// The median time of something, after one run to warm up.
fn median(mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    run()?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < RUNS || begin.elapsed() < LONG_ENOUGH {
        let one = Instant::now();
        run()?;
        times.push(one.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Training: steps per second, and a run that goes on elsewhere.
fn training(device: &Compute) -> Result<()> {
    println!(
        "\n{:<28} {:>12} {:>12}",
        "recipe", "steps/s CPU", "steps/s here"
    );
    for (name, text) in [
        ("grid", include_str!("../../configs/recipes/grid.toml")),
        ("sudoku", include_str!("../../configs/recipes/sudoku.toml")),
        (
            "sudoku-trm",
            include_str!("../../configs/recipes/sudoku-trm.toml"),
        ),
    ] {
        let mut speeds = Vec::new();
        for compute in [&Compute::cpu(), device] {
            let recipe = Recipe::from_text(text)?;
            let mut trainer = Trainer::new(recipe, text.to_owned(), compute)?;
            let time = median(|| {
                trainer.step()?;
                Ok(())
            })?;
            speeds.push(1.0 / time.as_secs_f64());
        }
        println!("{name:<28} {:>12.2} {:>12.2}", speeds[0], speeds[1]);
    }
    goes_on(device)
}

/// A run begun on the device goes on on the CPU and back, with numbers near those of a run that
/// stayed.
fn goes_on(device: &Compute) -> Result<()> {
    let text = include_str!("../../configs/recipes/smoke.toml");
    let folder = std::env::temp_dir().join(format!("check_device-{}", std::process::id()));
    let recipe = Recipe::from_text(text)?;
    let mut trainer = Trainer::new(recipe, text.to_owned(), device)?;
    for _ in 0..5 {
        trainer.step()?;
    }
    trainer.save(&folder)?;
    let mut losses = Vec::new();
    for compute in [device, &Compute::cpu()] {
        let report = Trainer::resume(&folder, compute)?.step()?;
        losses.push(report.number("moves").context("a loss")?);
    }
    std::fs::remove_dir_all(&folder)?;
    println!(
        "\nresumed there {:.6}, on the CPU {:.6}",
        losses[0], losses[1]
    );
    let apart = (losses[0] - losses[1]).abs() / losses[0].abs();
    ensure!(
        apart < f64::from(WITHIN),
        "a run resumed on the CPU is {apart:e} apart"
    );
    Ok(())
}

/// A model with random weights that keep the variance of what passes through.
fn checkpoint(config: ModelConfig) -> Result<Checkpoint> {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut tensors = BTreeMap::new();
    for (name, shape) in config.tensors() {
        let count: usize = shape.iter().product();
        // Matrices of grid models are (inputs, outputs), those of sequence models the reverse.
        let inputs = match config {
            ModelConfig::Grid(_) => shape[0],
            ModelConfig::Sequence(_) => shape[shape.len() - 1],
        };
        let most = (3.0 / inputs as f32).sqrt();
        let values: Vec<f32> = (0..count).map(|_| dice.random_range(-most..most)).collect();
        tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    Ok(Checkpoint {
        config,
        training: TrainingRecord::default(),
        tensors,
    })
}

/// Generated maps of one size as one batch.
fn maps(side: usize, count: usize) -> Result<GridProblems> {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let rules = Rules::shortest();
    let patches = GridHrmConfig::default().patches();
    let mut problems = Vec::new();
    for number in 0..count {
        let kind = Kind::ALL[number % Kind::ALL.len()];
        let problem = problem(kind, side, side, &mut dice);
        let (start, goal) = (problem.start, problem.goal);
        problems.push(GridProblems::one(
            &problem.map,
            &rules,
            start,
            goal,
            patches,
        )?);
    }
    Ok(GridProblems::cat(&problems.iter().collect::<Vec<_>>())?)
}

fn tokens(config: &SequenceConfig, count: usize) -> SequenceProblems {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let most = config.vocab_size as u32;
    SequenceProblems {
        tokens: (0..count * config.seq_len)
            .map(|_| dice.random_range(1..most))
            .collect(),
        puzzles: vec![0; count],
    }
}
