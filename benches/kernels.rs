//! Each kernel of the grid block against the machine's f32 matrix-product peak, one thread.
//!
//! `cargo bench --bench kernels`. The peak is the best run of the `gemm` crate (through candle) on
//! a square matrix; it and the kernels take turns, and the best run of each counts. Nothing else
//! should run meanwhile.

use anyhow::Result;
use candle_core::{Device, Tensor};
use hrm_planner::model::kernel_cases;
use std::time::Instant;

/// Turns of each contestant.
const ROUNDS: usize = 40;
/// Runs of a kernel in a turn: some milliseconds.
const RUNS: usize = 200;
/// Rows and columns of the peak's matrices.
const SIDE: usize = 1024;
/// The sizes of the shipped models.
const CHANNELS: usize = 64;
const HIDDEN: usize = 128;

fn seconds(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn main() -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        let random = || Tensor::randn(0.0_f32, 1.0, (SIDE, SIDE), &Device::Cpu);
        let (a, b) = (random()?, random()?);
        let mut cases = kernel_cases(CHANNELS, HIDDEN);
        let mut peak = f64::INFINITY;
        let mut best = vec![f64::INFINITY; cases.len()];
        for _ in 0..ROUNDS {
            let mut product = Ok(());
            peak = peak.min(seconds(|| product = a.matmul(&b).map(drop)));
            product?;
            for (case, best) in cases.iter_mut().zip(&mut best) {
                let turn = seconds(|| (0..RUNS).for_each(|_| (case.run)()));
                *best = best.min(turn / RUNS as f64);
            }
        }
        let peak = 2.0 * (SIDE as f64).powi(3) / peak / 1e9;
        println!("\nkernels of a block of {CHANNELS} channels, one chunk, one thread");
        println!("peak of f32 matrix products: {peak:.1} GFLOP/s\n");
        println!(
            "{:<32} {:>9} {:>9} {:>7}",
            "kernel", "us", "GFLOP/s", "of peak"
        );
        for (case, seconds) in cases.iter().zip(best) {
            let rate = case.operations / seconds / 1e9;
            let share = 100.0 * rate / peak;
            println!(
                "{:<32} {:>9.2} {:>9.1} {:>5.0} %",
                case.name,
                seconds * 1e6,
                rate,
                share
            );
        }
        Ok(())
    })
}
