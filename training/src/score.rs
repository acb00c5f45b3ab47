//! The live score: how often rollouts of the model arrive on maps it has never seen.
//!
//! Many problems think as one batch, and each leaves it once its rollout has arrived the same
//! way twice: a quick look while training. Claims are made by the library's judging code, which
//! asks the planner one request at a time.

use crate::Result;
use crate::sample::Sample;
use candle_core::{Device, Tensor};
use hrm_planner::grid::Cell;
use hrm_planner::grid::generate::{Kind, problem};
use hrm_planner::model::{Carry, GridHrm, Layout};
use hrm_planner::planner::Policy;
use hrm_planner::search::Rules;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Scores of one kind of map.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    /// The kind.
    pub kind: Kind,
    /// Problems.
    pub n: usize,
    /// Share that arrived within the segments allowed.
    pub reached: f64,
    /// Share whose travel cost is within 0.01 % of the oracle's.
    pub optimal: f64,
    /// Mean travel cost over the oracle's, of those that arrived.
    pub cost_ratio: f64,
    /// Mean segments until the rollout was stable.
    pub segments: f64,
}

struct Open {
    sample: Sample,
    start: Cell,
    carry: Carry,
    input: Tensor,
    last: Option<Vec<Cell>>,
}

/// Scores `n` problems of a kind with sides of `sides` cells, drawn from `seed`.
///
/// # Errors
/// A tensor operation that fails.
pub fn score(
    model: &GridHrm,
    kind: Kind,
    n: usize,
    sides: std::ops::RangeInclusive<usize>,
    seed: u64,
    max_segments: usize,
) -> Result<Score> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut open = Vec::new();
    while open.len() < n {
        let (height, width) = (
            rng.random_range(sides.clone()),
            rng.random_range(sides.clone()),
        );
        let problem = problem(kind, height, width, &mut rng);
        let Some(sample) = Sample::label(kind, problem.map, problem.goal, Rules::shortest()) else {
            continue;
        };
        let cells = sample.optimal.len();
        let input = sample.input();
        let width = input.len() / cells;
        open.push(Open {
            start: problem.start,
            carry: model.initial_carry(cells, &Device::Cpu)?,
            input: Tensor::from_vec(input, (cells, width), &Device::Cpu)?,
            last: None,
            sample,
        });
    }
    let (mut reached, mut optimal, mut ratios, mut segments) = (0, 0, 0.0, 0);
    for segment in 1..=max_segments {
        if open.is_empty() {
            break;
        }
        let layout = Layout::new(open.iter().map(|o| o.sample.size()).collect());
        let cat = |f: &dyn Fn(&Open) -> Tensor| -> Result<Tensor> {
            Ok(Tensor::cat(&open.iter().map(f).collect::<Vec<_>>(), 0)?)
        };
        let carry = Carry {
            z_h: cat(&|o| o.carry.z_h.clone())?,
            z_l: cat(&|o| o.carry.z_l.clone())?,
        };
        let e = model.embed(&cat(&|o| o.input.clone())?)?;
        let carry = model.segment(&carry, &e, &layout)?.detached();
        let logits = model
            .read_out(&carry)?
            .moves
            .flatten_all()?
            .to_vec1::<f32>()?;
        let mut still = Vec::new();
        for (index, mut o) in open.into_iter().enumerate() {
            let range = layout.range(index);
            let policy = Policy::new(
                &o.sample.map,
                &logits[range.start * 8..range.end * 8],
                false,
            );
            let rollout = policy.rollout(o.start, o.sample.goal);
            let stable = rollout.arrived && o.last.as_ref() == Some(&rollout.cells);
            if stable || (segment == max_segments && rollout.arrived) {
                let width = o.sample.size().1;
                let best = f64::from(o.sample.cost_to_go[o.start.row * width + o.start.col]);
                let cost: f64 = rollout
                    .cells
                    .windows(2)
                    .map(|w| {
                        if w[0].row != w[1].row && w[0].col != w[1].col {
                            std::f64::consts::SQRT_2
                        } else {
                            1.0
                        }
                    })
                    .sum();
                reached += 1;
                ratios += cost / best;
                optimal += usize::from(cost <= best * 1.0001);
                segments += segment;
            } else {
                o.last = rollout.arrived.then_some(rollout.cells);
                o.carry = Carry {
                    z_h: carry.z_h.narrow(0, range.start, range.len())?,
                    z_l: carry.z_l.narrow(0, range.start, range.len())?,
                };
                still.push(o);
            }
        }
        open = still;
    }
    let share = |count: usize| count as f64 / n as f64;
    Ok(Score {
        kind,
        n,
        reached: share(reached),
        optimal: share(optimal),
        cost_ratio: ratios / reached.max(1) as f64,
        segments: segments as f64 / reached.max(1) as f64,
    })
}
