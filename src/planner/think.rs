//! The model's thinking: segment after segment, until one of the reasons to halt.
//!
//! After each segment the read-out is followed from the start, brought to the full map and
//! verified, so that there is an answer at any time. The result is the verified rollout of the
//! lowest travel cost, not the last one: later segments mostly improve a plan, but nothing makes
//! them. A model that yields NaN yields no rollout that arrives, and thinking just goes on.

use super::path::{grid_travel_cost, poses_of_cells};
use super::report::timed;
use super::verify::{Expected, verify};
use super::{HaltReason, HaltRule, Policy, Problem, Reduction, Report, Rollout};
use crate::grid::{Cell, Pose2};
use crate::model::{Focus, GridHrm, GridProblems, Readout, Reasoner, wants_to_halt};
use crate::search::{Rules, Stop, Termination};
use crate::{Error, Result};

/// The travel costs of two plans are the same if they differ by no more than this share. Plans are compared by cost, not cell by cell: where many ways are equally
/// good, rollouts change between them for ever.
const STABLE_WITHIN: f64 = 0.002;

/// Of each cell that the model saw, (cells, 8) row-major; `None` if there was no segment.
type MoveLogits = Option<Vec<f32>>;

/// What one segment of thinking came to, for those who watch.
#[derive(Debug)]
pub struct Segment<'a> {
    /// The segment's number, from 1.
    pub index: usize,
    /// The present plan on the full map, perhaps only a beginning of one.
    pub cells: &'a [Cell],
    /// The same in the map frame.
    pub poses: &'a [Pose2],
    /// Whether it reaches the goal.
    pub arrived: bool,
    /// Whether it arrives and the verifier finds nothing wrong with it.
    pub verified: bool,
    /// At the start cell, logit that the plan is good.
    pub q_halt: f32,
    /// At the start cell, logit that it will be if thinking goes on.
    pub q_continue: f32,
    readout: &'a Readout,
    reduction: &'a Reduction,
    resolution: f64,
}

impl Segment<'_> {
    /// The model's cost-to-go of every cell of the full map, row-major, metres; NaN where it has
    /// none. Computed when asked for.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn values(&self) -> Result<Vec<f32>> {
        let metres = (self.reduction.factor() as f64 * self.resolution) as f32;
        let logs = self.readout.value.to_vec1::<f32>()?;
        let values: Vec<f32> = logs.iter().map(|log| log.exp_m1() * metres).collect();
        Ok(self.reduction.spread(&values))
    }

    /// The cell of the full map that a plan which does not arrive would enter next: one that it
    /// has been in before, since there it stops. `None` if it arrives, or if no move is legal under
    /// `rules`, those of the snapshot. Computed when asked for.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn returns_to(&self, rules: &Rules) -> Result<Option<Cell>> {
        let reduction = self.reduction;
        let logits = self.readout.moves.flatten_all()?.to_vec1::<f32>()?;
        let policy = Policy::new(reduction.map(), &logits, rules);
        let rollout = policy.rollout(reduction.start(), reduction.goal());
        let last = rollout.cells.last().filter(|_| !rollout.arrived);
        let next = last.and_then(|&last| {
            let onward = policy.rollout(last, reduction.goal());
            onward.cells.get(1).copied()
        });
        Ok(next.map(|cell| reduction.centre(cell)))
    }
}

/// Bounds and rule of halting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    pub halt: HaltRule,
    pub stable_segments: usize,
    pub max_segments: usize,
    pub closer_look: bool,
    pub termination: &'a Termination,
}

/// A rollout on the full map.
pub(super) struct Candidate {
    pub cells: Vec<Cell>,
    pub poses: Vec<Pose2>,
    pub arrived: bool,
    pub verified: bool,
    /// Whether it is an evading rollout.
    pub evaded: bool,
}

/// A plan of the model that holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub cells: Vec<Cell>,
    /// Whether it is an evading rollout.
    pub evaded: bool,
}

/// Thinks about a problem. Returns the best verified rollout, if there is any, and the
/// move logits of the last segment; notes segments, halting and times in `report`.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn think(
    model: &GridHrm,
    problem: &Problem<'_>,
    reduction: &Reduction,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<(Option<Held>, MoveLogits)> {
    let model = model.until(limits.termination);
    let geometry = reduction.map().geometry();
    let start = geometry.index(reduction.start());
    let encoded = timed(&mut report.time_ms.encode, || {
        let (map, rules) = (reduction.map(), problem.snapshot().rules());
        let problems = GridProblems::one(
            map,
            rules,
            reduction.start(),
            reduction.goal(),
            model.config().patches(),
        )?;
        model.encode(&problems)
    })?;
    let mut carry = model.initial_carry(&encoded)?;
    // Only sparse models know what it looks like where tokens are missing.
    let patch = model.config().patch;
    let goal = (reduction.goal().row / patch, reduction.goal().col / patch);
    let mut focus = model
        .config()
        .sparse
        .then(|| Focus::new(model.config(), &encoded, goal));
    let mut best: Option<(f64, Held)> = None;
    // The cost of the last verified plan, and how many segments in a row it has not changed.
    let mut steady: Option<(f64, usize)> = None;
    // Whether no token had reason to think in the last segment.
    let mut at_rest = false;
    report.halt_reason = HaltReason::MaxSegments;
    let mut latest = None;
    // Of this and of other scales.
    let before = report.segments;
    for index in 1..=limits.max_segments {
        let readout = timed(&mut report.time_ms.think, || {
            let after = match &mut focus {
                Some(focus) => focus.segment(&model, &carry, &encoded)?,
                None => Some(model.segment(&carry, &encoded)?),
            };
            at_rest = after.is_none();
            if let Some(after) = after {
                carry = after;
            }
            model.read_out(&carry, &encoded)
        });
        let readout = match readout {
            Err(Error::SegmentStopped { stop }) => {
                report.halt_reason = match stop {
                    Stop::Cancelled => HaltReason::Cancelled,
                    Stop::Deadline | Stop::Iterations => HaltReason::Deadline,
                };
                break;
            }
            readout => readout?,
        };
        let logits = latest.insert(readout.moves.flatten_all()?.to_vec1::<f32>()?);
        let policy = timed(&mut report.time_ms.decode, || {
            Policy::new(reduction.map(), logits, problem.snapshot().rules())
        });
        if let Some(focus) = &mut focus {
            let q_halt = readout.q_halt.to_vec1::<f32>()?;
            focus.note(&encoded, policy.moves_on().zip(q_halt));
        }
        let candidate = decode(problem, reduction, &policy, report);
        if at_rest && !candidate.verified {
            // All tokens believe in what does not hold: let all of them think again.
            focus = None;
        }
        let q_halt = readout.q_halt.get(start)?.to_scalar::<f32>()?;
        let q_continue = readout.q_continue.get(start)?.to_scalar::<f32>()?;
        report.segments = before + index;
        report.q_halt = Some(q_halt);
        report.q_continue = Some(q_continue);
        observer(&Segment {
            index: before + index,
            cells: &candidate.cells,
            poses: &candidate.poses,
            arrived: candidate.arrived,
            verified: candidate.verified,
            q_halt,
            q_continue,
            readout: &readout,
            reduction,
            resolution: problem.map().geometry().resolution(),
        });

        let cost = candidate
            .verified
            .then(|| grid_travel_cost(problem, &candidate.cells));
        if let Some(cost) = cost {
            if best.as_ref().is_none_or(|(lowest, _)| cost < *lowest) {
                let Candidate { cells, evaded, .. } = candidate;
                best = Some((cost, Held { cells, evaded }));
            }
            let learned = match limits.halt {
                HaltRule::Confident => q_halt > 0.0,
                _ => wants_to_halt(q_halt, q_continue),
            };
            let same = |&(last, _): &(f64, usize)| (cost - last).abs() <= STABLE_WITHIN * last;
            let segments = steady.filter(same).map_or(1, |(_, segments)| segments + 1);
            steady = Some((cost, segments));
            let stable = segments >= limits.stable_segments;
            if let Some(reason) = halts(limits.halt, learned, stable) {
                report.halt_reason = reason;
                break;
            }
        } else {
            steady = None;
        }
    }
    Ok((best.map(|(_, held)| held), latest))
}

/// Follows a policy from the start, on the model's map and then on the full one. Where its rollout
/// does not arrive and one that evades loops yields a plan that holds, that is the plan.
pub(super) fn decode(
    problem: &Problem<'_>,
    reduction: &Reduction,
    policy: &Policy<'_>,
    report: &mut Report,
) -> Candidate {
    let (start, goal) = (reduction.start(), reduction.goal());
    let mut brought_back = |rollout: Rollout| Candidate::of(problem, reduction, rollout, report);
    let candidate = brought_back(policy.rollout(start, goal));
    if candidate.arrived {
        return candidate;
    }
    let evading = policy.evading_rollout(start, goal);
    if !evading.arrived {
        return candidate;
    }
    let evading = brought_back(evading);
    if evading.verified {
        Candidate {
            evaded: true,
            ..evading
        }
    } else {
        candidate
    }
}

impl Candidate {
    /// A rollout on the model's map, brought to the full one and verified.
    fn of(
        problem: &Problem<'_>,
        reduction: &Reduction,
        rollout: Rollout,
        report: &mut Report,
    ) -> Self {
        let Rollout { cells, arrived } = rollout;
        let (cells, poses) = timed(&mut report.time_ms.decode, || {
            let cells = reduction.expand(&cells);
            let poses = poses_of_cells(problem, &cells);
            (cells, poses)
        });
        let verified = arrived
            && timed(&mut report.time_ms.verify, || {
                verify(problem.snapshot(), &poses, &Expected::of(problem)).is_empty()
            });
        Self {
            cells,
            poses,
            arrived,
            verified,
            evaded: false,
        }
    }
}

/// Whether, and why, to halt after a verified rollout.
fn halts(rule: HaltRule, learned: bool, stable: bool) -> Option<HaltReason> {
    let by_model = matches!(
        rule,
        HaltRule::Learned | HaltRule::Confident | HaltRule::Either
    );
    let by_stability = matches!(rule, HaltRule::Stable | HaltRule::Either);
    if by_model && learned {
        Some(HaltReason::Learned)
    } else if by_stability && stable {
        Some(HaltReason::Stable)
    } else {
        None
    }
}
