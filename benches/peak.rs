//! The machine's f32 matrix-product peak, against which kernels are judged: the best single run of
//! the `gemm` crate (through candle) and of PyTorch's libraries on square matrices.
//!
//! `cargo bench --bench peak -- [--threads N] [--rounds N]`. The peaks of one thread and of two
//! are two runs; a filter is ignored, as there is one peak only.

mod common;

use anyhow::Result;
use candle_core::{Device, Tensor};
use common::{Case, Files, Options, Report, Worker, measure};
use serde_json::json;

/// Rows and columns of the matrices.
const SIDES: [usize; 4] = [512, 1024, 1536, 2048];

fn main() -> Result<()> {
    let options = Options {
        no_compile: true,
        ..Options::read()?
    };
    let files = Files::new()?;
    let mut worker = Worker::start(&options)?;
    let mut report = Report::begin("matrix product, f32; ours is the gemm crate", &options);
    let (mut gemm_crate, mut torch) = (0.0_f64, 0.0_f64);
    for side in SIDES {
        let name = format!("matmul {side}");
        let random = || Tensor::randn(0.0_f32, 1.0, (side, side), &Device::Cpu);
        let (a, b) = (random()?, random()?);
        let inputs = files.save("inputs", [("a", a.clone()), ("b", b.clone())])?;
        let product = a.matmul(&b)?;
        let case = Case {
            name,
            gflop: 2.0 * (side as f64).powi(3) / 1e9,
            request: json!({ "case": "matmul", "inputs": inputs }),
            run: Box::new(move || {
                a.matmul(&b)?;
                Ok(())
            }),
            outputs: [("product".to_owned(), product)].into(),
            tolerance: 1e-5,
        };
        let row = measure(case, &options, &mut worker, &files)?;
        gemm_crate = gemm_crate.max(row.gflop / row.ours_fastest);
        for contestant in row.torch.values() {
            torch = torch.max(row.gflop / contestant.fastest);
        }
        report.add(row);
    }
    println!("peak: {gemm_crate:.1} GFLOP/s of the gemm crate, {torch:.1} of torch.mm");
    report.end(&options)
}
