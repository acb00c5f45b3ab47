//! The live score: how often rollouts of the model arrive on maps it has never seen.
//!
//! Many problems think as one batch, and each leaves it once its rollout has arrived the same way
//! twice: a quick look while training. Claims are made by the library's judging code, which asks
//! the planner one request at a time.

use super::batch::cat;
use super::pool::{Slot, Ticket};
use super::sample::Sample;
use super::source::Source;
use crate::Result;
use crate::scores::Score;
use hrm_planner::grid::Cell;
use hrm_planner::grid::generate::{Kind, Problem, problem};
use hrm_planner::judge::{OPTIMAL_WITHIN, path_cost};
use hrm_planner::model::{Carry, Checkpoint, Compute, GridHrm, GridProblems, Reasoner};
use hrm_planner::planner::Policy;
use hrm_planner::search::Rules;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The sides of the maps, cells.
const SIDES: [usize; 3] = [16, 32, 48];
/// Problems per kind and side.
const PROBLEMS: usize = 12;
/// A problem that takes more segments counts as not reached.
const MAX_SEGMENTS: usize = 64;
/// The stream of random numbers that these problems are drawn from; training draws from stream 0.
const STREAM: u64 = 0x11fe;

/// An [`Evaluator`](crate::Evaluator): one score per kind and side, always on the same problems, of
/// the kinds that are trained on and with sides up to the largest; and one on the recorded mazes
/// that are held out. The models think where `compute` says.
pub fn live_scores(
    source: &Source,
    compute: &Compute,
) -> impl FnMut(&Checkpoint, u64) -> Result<Vec<Score>> + use<> {
    let data = &source.recipe().data;
    let mut sides = SIDES.to_vec();
    sides.retain(|&side| side <= data.max_side);
    if sides.is_empty() {
        sides.push(data.max_side);
    }
    let mut kinds = Kind::ALL.to_vec();
    kinds.retain(|kind| data.kinds.get(kind).is_some_and(|&share| share > 0.0));
    let (source, compute) = (source.clone(), compute.clone());
    move |model, step| {
        let model = &model.model_on(&compute)?;
        let mut scores = Vec::new();
        if !source.held_out().is_empty() {
            let mut open = Vec::new();
            for maze in source.held_out() {
                let (map, start, goal) = (maze.map.clone(), maze.start, maze.goal);
                open.extend(Open::new(model, Kind::Maze, Problem { map, start, goal })?);
            }
            scores.push(score(model, open, step, "recorded".to_owned(), Kind::Maze)?);
        }
        for &side in &sides {
            for &kind in &kinds {
                let mut rng = ChaCha8Rng::seed_from_u64(0);
                rng.set_stream(STREAM);
                let problems = (0..PROBLEMS).map(|_| problem(kind, side, side, &mut rng));
                let mut open = Vec::new();
                for problem in problems {
                    open.extend(Open::new(model, kind, problem)?);
                }
                let set = format!("generated-{side}");
                scores.push(score(model, open, step, set, kind)?);
            }
        }
        Ok(scores)
    }
}

/// A problem that is being thought about.
struct Open {
    slot: Slot,
    start: Cell,
    /// The rollout after the last segment, if it arrived.
    last: Option<Vec<Cell>>,
}

impl Open {
    fn new(model: &GridHrm, kind: Kind, problem: Problem) -> Result<Option<Self>> {
        let rules = Rules::shortest().with_moves(model.config().moves);
        let sample = Sample::label(kind, problem.map, problem.goal, rules, 0.0);
        let Some(sample) = sample else {
            return Ok(None);
        };
        Ok(Some(Self {
            slot: Slot::new(Ticket::default(), sample, model.config(), model.device())?,
            start: problem.start,
            last: None,
        }))
    }

    /// Travel cost of a path over the oracle's.
    fn cost_ratio(&self, path: &[Cell]) -> Option<f64> {
        let sample = &self.slot.sample;
        let cost = path_cost(&sample.map, &sample.rules, path)?;
        let start = sample.map.geometry().index(self.start);
        Some(cost / f64::from(sample.cost_to_go[start]))
    }
}

fn score(
    model: &GridHrm,
    mut open: Vec<Open>,
    step: u64,
    set: String,
    kind: Kind,
) -> Result<Score> {
    let n = open.len();
    let mut ratios = Vec::new();
    let mut segments = 0;
    for segment in 1..=MAX_SEGMENTS {
        if open.is_empty() {
            break;
        }
        let carry = Carry {
            z_h: cat(&open, |o| &o.slot.carry.z_h)?,
            z_l: cat(&open, |o| &o.slot.carry.z_l)?,
        };
        let problems: Vec<&GridProblems> = open.iter().map(|o| &o.slot.problem).collect();
        let encoded = model.encode(&GridProblems::cat(&problems)?)?;
        let carry = model.segment(&carry, &encoded)?.detached();
        let logits = model
            .read_out(&carry, &encoded)?
            .moves
            .flatten_all()?
            .to_vec1::<f32>()?;
        let mut still = Vec::new();
        for (index, mut o) in open.into_iter().enumerate() {
            let range = encoded.maps.range(index);
            let logits = &logits[range.start * 8..range.end * 8];
            let policy = Policy::new(&o.slot.sample.map, logits, &o.slot.sample.rules);
            let rollout = policy.rollout(o.start, o.slot.sample.goal);
            let settled = o.last.as_ref() == Some(&rollout.cells) || segment == MAX_SEGMENTS;
            if rollout.arrived && settled {
                ratios.extend(o.cost_ratio(&rollout.cells));
                segments += segment;
                continue;
            }
            o.last = rollout.arrived.then_some(rollout.cells);
            o.slot.carry = carry.part(encoded.tokens.range(index))?;
            o.slot.ticket.segments = segment;
            o.slot.grow()?;
            still.push(o);
        }
        open = still;
    }
    // Those still open have thought to the end.
    segments += open.len() * MAX_SEGMENTS;
    let share = |count: usize| count as f64 / n.max(1) as f64;
    let reached = share(ratios.len());
    let optimal = ratios
        .iter()
        .filter(|&&ratio| ratio <= 1.0 + OPTIMAL_WITHIN);
    let optimal = share(optimal.count());
    let mean_ratio = ratios.iter().sum::<f64>() / ratios.len() as f64;
    Ok(Score {
        step,
        set,
        kind: kind.to_string(),
        n,
        numbers: vec![
            ("reached", Some(reached)),
            // A rollout makes legal moves only, so that arriving is all there is to verify here.
            ("valid", Some(reached)),
            ("optimal", Some(optimal)),
            (
                "cost_ratio_mean",
                (!ratios.is_empty()).then_some(mean_ratio),
            ),
            ("segments_mean", Some(segments as f64 / n.max(1) as f64)),
        ],
    })
}
