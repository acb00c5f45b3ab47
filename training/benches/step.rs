//! Training steps per second against PyTorch: one segment of a batch of maps, its losses, the
//! gradient, clipping, AdamW and averaged weights; losses and gradients compared first.
//!
//! `cargo bench -p hrm-training --bench step -- [FILTER] [--threads N] [--rounds N]
//! [--no-compile]`. What both leave out is drawing maps, asking the oracle and following rollouts.

#[path = "../../benches/common/mod.rs"]
mod common;

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use common::{Case, Files, Options, Report, Worker, measure};
use hrm_planner::grid::generate::{Kind, problem};
use hrm_planner::model::{
    Carry, Checkpoint, Formulation, GridHrm, GridHrmConfig, GridProblems, ModelConfig, PLANES,
    Reasoner, TrainingRecord,
};
use hrm_planner::search::Rules;
use hrm_training::{AdamW, AdamWConfig, Batch, Loss, Sample, Weights, losses};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::collections::HashMap;

/// How far losses and gradients may be apart, over a tensor's largest value.
const TOLERANCE: f64 = 1e-4;
/// Sides of square maps, cells, and maps in a batch: about the 8,192 cells of the recipes.
const BATCHES: [(usize, usize); 3] = [(16, 32), (30, 9), (64, 2)];
/// Segments that every map is supposed to have done: more than one, so that most cells count.
const SEGMENTS: usize = 4;
/// The settings of configs/recipes/grid.toml.
const OPTIMISER: AdamWConfig = AdamWConfig {
    betas: [0.9, 0.95],
    weight_decay: 0.1,
    eps: 1e-8,
    clip: 1.0,
    ema: 0.995,
};
const RATE: f64 = 1.5e-3;
const VALUE_LOSS: f64 = 0.5;
const HALT_LOSS: f64 = 0.1;

fn main() -> Result<()> {
    let options = Options::read()?;
    let files = Files::new()?;
    let mut worker = Worker::start(&options)?;
    let mut report = Report::begin("one training step of the grid model, f32", &options);
    for (side, batch) in BATCHES {
        let name = format!("step {side}x{side}, {batch} maps");
        if options.want(&name) {
            let case = case(name, (side, batch), &files)?;
            report.add(measure(case, &options, &mut worker, &files)?);
        }
    }
    report.end(&options)
}

fn case<'a>(name: String, (side, batch): (usize, usize), files: &Files) -> Result<Case<'a>> {
    let config = GridHrmConfig::default();
    let lesson = Lesson::draw(&config, side, batch)?;
    let weights = Weights::fresh(&config, 1, &Device::Cpu)?;
    let checkpoint = Checkpoint {
        config: ModelConfig::Grid(config.clone()),
        training: TrainingRecord::default(),
        tensors: weights.tensors(),
    };
    let path = files.path("weights");
    checkpoint.write(&path)?;
    let request = json!({
        "case": "step",
        "weights": path,
        "inputs": files.save("inputs", lesson.tensors((batch, side, side), &config)?)?,
        "settings": {
            "betas": OPTIMISER.betas,
            "weight_decay": OPTIMISER.weight_decay,
            "clip": OPTIMISER.clip,
            "ema": OPTIMISER.ema,
            "learning_rate": RATE,
            "value_loss": VALUE_LOSS,
            "halt_loss": HALT_LOSS,
        },
    });

    // The gradient of the first step, and the loss before each of three.
    let mut outputs = HashMap::new();
    let mut learner = Learner::new(&config, weights)?;
    let (_, gradients) = learner.gradient(&lesson)?;
    for (name, var) in learner.weights.vars() {
        let gradient = match gradients.get(var) {
            Some(gradient) => gradient.clone(),
            None => var.zeros_like()?,
        };
        outputs.insert(format!("gradient.{name}"), gradient);
    }
    let three = (0..3).map(|_| learner.step(&lesson));
    let three = three.collect::<Result<Vec<f32>>>()?;
    outputs.insert("loss".to_owned(), Tensor::new(three, &Device::Cpu)?);

    let fresh = Weights::fresh(&config, 1, &Device::Cpu)?;
    let mut learner = Learner::new(&config, fresh)?;
    Ok(Case {
        name,
        gflop: gflop(&config, batch * side * side),
        request,
        run: Box::new(move || {
            learner.step(&lesson)?;
            Ok(())
        }),
        outputs,
        tolerance: TOLERANCE,
    })
}

/// A model that learns, and its optimiser.
struct Learner {
    weights: Weights,
    model: GridHrm,
    optimiser: AdamW,
}

impl Learner {
    fn new(config: &GridHrmConfig, weights: Weights) -> Result<Self> {
        Ok(Self {
            model: GridHrm::new(config.clone(), &weights.tensors(), Formulation::Fused)?,
            optimiser: AdamW::new(OPTIMISER, &weights)?,
            weights,
        })
    }

    /// Loss and gradients.
    fn gradient(&mut self, lesson: &Lesson) -> Result<(f32, GradStore)> {
        self.model = self.model.refreshed()?;
        let encoded = self.model.encode(&lesson.problems)?;
        let carry = self.model.segment(&lesson.carry, &encoded)?;
        let readout = self.model.read_out(&carry, &encoded)?;
        let Loss { moves, value, halt } = losses(&readout, &lesson.batch, &lesson.good)?;
        let total = ((moves + (value * VALUE_LOSS)?)? + (halt * HALT_LOSS)?)?;
        Ok((total.to_scalar()?, total.backward()?))
    }

    /// One step; the loss before it.
    fn step(&mut self, lesson: &Lesson) -> Result<f32> {
        let (loss, gradients) = self.gradient(lesson)?;
        self.optimiser.update(&self.weights, &gradients, RATE)?;
        Ok(loss)
    }
}

/// A batch of maps with labels, all in the middle of thinking.
struct Lesson {
    problems: GridProblems,
    batch: Batch,
    good: Tensor,
    carry: Carry,
}

impl Lesson {
    /// Maps of one size, of all kinds in turn.
    fn draw(config: &GridHrmConfig, side: usize, batch: usize) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut samples = Vec::new();
        for &kind in Kind::ALL.iter().cycle().take(batch) {
            let problem = problem(kind, side, side, &mut rng);
            let sample = Sample::label(kind, problem.map, problem.goal, Rules::shortest(), 0.0);
            samples.push(sample.context("a generated problem with a blocked goal")?);
        }
        let drawn: Vec<&Sample> = samples.iter().collect();
        let segments = vec![SEGMENTS; batch];
        let batch = Batch::new(&drawn, &segments, config.reach(), &Device::Cpu)?;
        let cells = batch.maps.cells();
        let problem = |sample: &Sample| sample.problem(config.patches(), &Device::Cpu);
        let problems = samples.iter().map(problem).collect::<Result<Vec<_>, _>>()?;
        // What a carry holds in the middle of thinking: values of a norm's output.
        let state = || Tensor::randn(0.0_f32, 1.0, (cells, config.channels), &Device::Cpu);
        let good = Tensor::rand(0.0_f32, 1.0, cells, &Device::Cpu)?.ge(0.5_f32)?;
        Ok(Self {
            problems: GridProblems::cat(&problems.iter().collect::<Vec<_>>())?,
            batch,
            good: good.to_dtype(DType::F32)?,
            carry: Carry {
                z_h: state()?,
                z_l: state()?,
            },
        })
    }

    /// As PyTorch reads it: (maps, rows, columns, values) and labels of all cells.
    fn tensors(
        &self,
        (maps, rows, cols): (usize, usize, usize),
        config: &GridHrmConfig,
    ) -> Result<Vec<(&'static str, Tensor)>> {
        let image = |tensor: &Tensor, width: usize| tensor.reshape((maps, rows, cols, width));
        Ok(vec![
            ("planes", image(&self.problems.input, 9 * PLANES)?),
            ("z_h", image(&self.carry.z_h, config.channels)?),
            ("z_l", image(&self.carry.z_l, config.channels)?),
            ("legal", self.batch.legal.clone()),
            ("optimal", self.batch.optimal.clone()),
            ("weight", self.batch.weight.clone()),
            ("value", self.batch.value.clone()),
            ("good", self.good.clone()),
        ])
    }
}

/// Operations of a step: the segment, and for its last H cycle twice as many on the way back.
fn gflop(config: &GridHrmConfig, cells: usize) -> f64 {
    let (c, e) = (config.channels, config.hidden);
    let block = 2 * (9 * c + c * c + 3 * c * e);
    let cycle = (config.l_cycles * config.l_blocks + config.h_blocks) * block;
    ((config.h_cycles + 2) * cycle * cells) as f64 / 1e9
}
