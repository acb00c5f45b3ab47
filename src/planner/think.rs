//! The model's thinking: segment after segment, until one of the reasons to halt.
//!
//! After each segment the read-out is followed from the start, brought to the full map and
//! verified, so that there is an answer at any time. The result is the verified rollout of the
//! lowest travel cost, not the last one: later segments mostly improve a plan, but nothing makes
//! them. A map that is moved by a cell, turned, mirrored or walked from the goal to the start is the same
//! problem, but not to a model: where `symmetries` asks for it, several images are thought about, one
//! after the other, and the best pieces of their rollouts and of those of their mean count. A model that
//! yields NaN yields no rollout that arrives, and thinking just goes on.

use std::sync::Arc;

use super::image::{Image, Toward, View};
use super::path::{grid_travel_cost, poses_of_cells};
use super::plans::{Held, Plans};
use super::report::timed;
use super::verify::{Expected, verify};
use super::{HaltReason, HaltRule, Policy, Problem, Reduction, Report, Rollout, pieces};
use crate::grid::{Cell, Pose2};
use crate::model::{Focus, GridHrm, GridProblems, Readout, Reasoner, Warm, wants_to_halt};
use crate::search::{Rules, Termination};
use crate::{Error, Result};

/// The travel costs of two plans are the same if they differ by no more than this share. Plans are compared by cost, not cell by cell: where many ways are equally
/// good, rollouts change between them for ever.
const STABLE_WITHIN: f64 = 0.002;

/// Segments at most that go on from a carry of before: a change that takes more of them to understand is
/// better thought about from the beginning.
const WARM_SEGMENTS: usize = 12;

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
    problem: &'a Problem<'a>,
}

impl Segment<'_> {
    /// The model's cost-to-go of every cell of the full map, row-major, metres; NaN where it has
    /// none. Computed when asked for.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn values(&self) -> Result<Vec<f32>> {
        let resolution = self.problem.map().geometry().resolution();
        let metres = (self.reduction.factor() as f64 * resolution) as f32;
        let logs = self.readout.value.to_vec1::<f32>()?;
        let values: Vec<f32> = logs.iter().map(|log| log.exp_m1() * metres).collect();
        Ok(self.reduction.spread(self.problem, &values))
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
        Ok(next.map(|cell| reduction.place(cell)))
    }
}

/// Bounds and rule of halting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    pub halt: HaltRule,
    pub stable_segments: usize,
    pub max_segments: usize,
    pub closer_look: bool,
    pub symmetries: usize,
    pub warm_start: bool,
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
    /// The same on the model's map, also where nothing of it could be brought back.
    rollout: Vec<Cell>,
}

/// What thinking about what the model sees came to.
pub(super) struct Thinking {
    /// The verified rollouts.
    pub plans: Plans,
    /// Of each cell that the model saw, (cells, 8) row-major: the moves of the last segment on the image
    /// of the map that the plan was found on, or else on the first; `None` if there was no segment.
    pub logits: Option<Arc<Vec<f32>>>,
    /// For going on when the map has changed; `None` without a segment, or if nobody asked for it.
    pub warm: Option<Arc<Warm>>,
}

/// Thinks about a problem, about each of as many symmetric images of it as `limits` say; notes
/// segments, halting and times in `report`. If there is an `earlier` thought about much the same
/// problem, goes on from there, and only for a few segments.
///
/// # Errors
/// A tensor operation that fails.
pub(super) fn think(
    model: &GridHrm,
    problem: &Problem<'_>,
    reduction: &Reduction,
    earlier: Option<&Warm>,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<Thinking> {
    let mut best: Option<(f64, HaltReason)> = None;
    let mut thinking = Thinking {
        plans: Plans::default(),
        logits: None,
        warm: None,
    };
    let images = if earlier.is_some() {
        1
    } else {
        limits.symmetries
    };
    let mut means = [Mean::default(), Mean::default()];
    let mut rollouts = Vec::new();
    for view in View::all(model.config()).into_iter().take(images) {
        if thinking.logits.is_some() && limits.termination.reason().is_some() {
            break;
        }
        let image = Image::of(reduction, view)?;
        let limits = Limits {
            // Thinking goes on from the map itself.
            warm_start: limits.warm_start && view.is_plain(),
            ..*limits
        };
        let about = think_about(model, problem, &image, earlier, &limits, observer, report)?;
        if images > 1 {
            means[image.toward() as usize].add(about.logits.as_deref());
        }
        let cost = about.plans.best().map(|held| held.cost);
        let is_better = cost.is_some_and(|cost| best.is_none_or(|(least, _)| cost < least));
        if (is_better || thinking.logits.is_none()) && image.toward() == Toward::Goal {
            thinking.logits = about.logits.map(Arc::new).or(thinking.logits);
        }
        if let Some(cost) = cost.filter(|_| is_better) {
            best = Some((cost, report.halt_reason));
        }
        thinking.plans.extend(about.plans);
        rollouts.extend(about.rollout);
        thinking.warm = thinking.warm.or(about.warm);
    }
    if let Some((_, halt_reason)) = best {
        report.halt_reason = halt_reason;
    }
    for (mean, toward) in means.into_iter().zip([Toward::Goal, Toward::Start]) {
        let Some(logits) = mean.of_several() else {
            continue;
        };
        let policy = Policy::new(reduction.map(), &logits, problem.snapshot().rules());
        let mut candidate = decode(problem, reduction, &policy, toward, report);
        rollouts.push(std::mem::take(&mut candidate.rollout));
        let held = candidate.held(problem);
        if (held.is_some() || best.is_none()) && toward == Toward::Goal {
            thinking.logits = Some(Arc::new(logits));
        }
        if let Some(held) = held {
            thinking.plans.add(held);
        }
    }
    let plan = together(problem, reduction, &rollouts, report);
    // Put together from rollouts that do not arrive, it leaves dead ends behind, as one that evades does.
    let evaded = thinking.plans.best().is_none_or(|best| best.evaded);
    if let Some(plan) = plan {
        thinking.plans.add(Held { evaded, ..plan });
    }
    Ok(thinking)
}

/// The plan that can be put together from rollouts of several images, if it holds.
fn together(
    problem: &Problem<'_>,
    reduction: &Reduction,
    rollouts: &[Vec<Cell>],
    report: &mut Report,
) -> Option<Held> {
    if rollouts.len() < 2 {
        return None;
    }
    let cells = timed(&mut report.time_ms.decode, || {
        let (map, rules) = (reduction.map(), problem.snapshot().rules());
        let ways = rollouts.iter().map(Vec::as_slice);
        pieces::put_together(map, rules, Toward::Goal.ends(reduction), ways)
    })?;
    let arrived = true;
    Candidate::of(problem, reduction, Rollout { cells, arrived }, report).held(problem)
}

/// The mean of the logits of several images: where each is mistaken somewhere else, it is mistaken
/// hardly anywhere.
#[derive(Default)]
struct Mean {
    sums: Vec<f32>,
    images: usize,
}

impl Mean {
    /// Takes in those of one image, if it has any; all of them have the same cells.
    fn add(&mut self, logits: Option<&[f32]>) {
        let Some(logits) = logits else { return };
        self.sums.resize(logits.len(), 0.0);
        for (sum, logit) in self.sums.iter_mut().zip(logits) {
            *sum += logit;
        }
        self.images += 1;
    }

    /// The mean, if there is more than one image.
    fn of_several(mut self) -> Option<Vec<f32>> {
        let images = self.images as f32;
        self.sums.iter_mut().for_each(|sum| *sum /= images);
        (self.images > 1).then_some(self.sums)
    }
}

/// What thinking about one image came to.
struct ThinkingAbout {
    /// The verified rollouts.
    plans: Plans,
    /// The last rollout on the model's map, whether it arrives or not.
    rollout: Option<Vec<Cell>>,
    logits: Option<Vec<f32>>,
    warm: Option<Arc<Warm>>,
}

/// Thinks about one image of a problem.
fn think_about(
    model: &GridHrm,
    problem: &Problem<'_>,
    image: &Image<'_>,
    earlier: Option<&Warm>,
    limits: &Limits<'_>,
    observer: &mut dyn FnMut(&Segment<'_>),
    report: &mut Report,
) -> Result<ThinkingAbout> {
    let model = model.until(limits.termination);
    let reduction = image.reduction;
    let (start, goal) = image.toward().ends(reduction);
    let begin = reduction.map().geometry().index(start);
    let goal = image.cell(goal);
    let (problems, encoded, earlier) = timed(&mut report.time_ms.encode, || {
        let problems = GridProblems::one(
            &image.map,
            problem.snapshot().rules(),
            image.cell(start),
            goal,
            model.config().patches(),
        )?;
        let encoded = model.encode(&problems)?;
        let earlier = earlier.map(|warm| warm.resumed(&problems)).transpose()?;
        Result::Ok((problems, encoded, earlier.flatten()))
    })?;
    // Only sparse models know what it looks like where tokens are missing.
    let config = model.config();
    let goal = (goal.row / config.patch, goal.col / config.patch);
    let is_resumed = earlier.is_some();
    let (mut carry, focus) = match earlier {
        Some(resumed) => {
            let focus = Focus::resumed(config, &encoded, goal, &resumed);
            (resumed.carry, focus)
        }
        None => (
            model.initial_carry(&encoded)?,
            Focus::new(config, &encoded, goal),
        ),
    };
    let mut focus = Some(focus).filter(|_| config.sparse);
    let max_segments = if is_resumed {
        WARM_SEGMENTS.min(limits.max_segments)
    } else {
        limits.max_segments
    };
    let mut plans = Plans::default();
    let mut rollout = None;
    // The cost of the last verified plan, and how many segments in a row it has not changed.
    let mut steady: Option<(f64, usize)> = None;
    // Whether no token had reason to think in the last segment.
    let mut at_rest = false;
    report.halt_reason = HaltReason::MaxSegments;
    let mut latest = None;
    // Of this and of other scales.
    let before = report.segments;
    for index in 1..=max_segments {
        let readout = timed(&mut report.time_ms.think, || {
            let after = match &mut focus {
                Some(focus) => focus.segment(&model, &carry, &encoded)?,
                None => Some(model.segment(&carry, &encoded)?),
            };
            at_rest = after.is_none();
            if let Some(after) = after {
                carry = after;
            }
            image.upright(model.read_out(&carry, &encoded)?)
        });
        let readout = match readout {
            Err(Error::SegmentStopped { stop }) => {
                report.halt_reason = stop.into();
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
            let cells = image.laid_out(policy.moves_on().zip(q_halt).collect());
            focus.note(&encoded, cells.into_iter());
        }
        let mut candidate = decode(problem, reduction, &policy, image.toward(), report);
        rollout = Some(std::mem::take(&mut candidate.rollout));
        let is_mistaken = at_rest && !candidate.verified;
        if is_mistaken {
            // All tokens believe in what does not hold: let all of them think again.
            focus = None;
        }
        let q_halt = readout.q_halt.get(begin)?.to_scalar::<f32>()?;
        let q_continue = readout.q_continue.get(begin)?.to_scalar::<f32>()?;
        report.segments = before + index;
        report.q_halt = Some(q_halt);
        report.q_continue = Some(q_continue);
        if image.toward() == Toward::Goal {
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
                problem,
            });
        }

        if let Some(held) = candidate.held(problem) {
            let cost = held.cost;
            plans.add(held);
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
            if is_resumed && is_mistaken {
                break;
            }
        }
    }
    let warm = match latest.as_ref().filter(|_| limits.warm_start) {
        Some(_) => Some(Arc::new(Warm::new(&problems, &carry, focus.as_ref())?)),
        None => None,
    };
    Ok(ThinkingAbout {
        plans,
        rollout,
        logits: latest,
        warm,
    })
}

/// Follows a policy from end to end, on the model's map and then on the full one. Where its rollout
/// does not arrive and one that evades loops yields a plan that holds, that is the plan.
pub(super) fn decode(
    problem: &Problem<'_>,
    reduction: &Reduction,
    policy: &Policy<'_>,
    toward: Toward,
    report: &mut Report,
) -> Candidate {
    let (start, goal) = toward.ends(reduction);
    let from_the_start = |mut rollout: Rollout| {
        if toward == Toward::Start {
            rollout.cells.reverse();
        }
        rollout
    };
    let rollout = from_the_start(policy.rollout(start, goal));
    let candidate = Candidate::of(problem, reduction, rollout, report);
    if candidate.arrived {
        return candidate;
    }
    let evading = from_the_start(policy.evading_rollout(start, goal));
    if !evading.arrived {
        // It goes on where the other one ends.
        return Candidate {
            rollout: evading.cells,
            ..candidate
        };
    }
    let evading = Candidate::of(problem, reduction, evading, report);
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
    /// The same as a plan that holds, if it does.
    pub fn held(self, problem: &Problem<'_>) -> Option<Held> {
        self.verified.then(|| Held {
            cost: grid_travel_cost(problem, &self.cells),
            cells: self.cells,
            evaded: self.evaded,
        })
    }

    /// A rollout on the model's map, brought to the full one and verified.
    fn of(
        problem: &Problem<'_>,
        reduction: &Reduction,
        rollout: Rollout,
        report: &mut Report,
    ) -> Self {
        let Rollout {
            cells: rollout,
            arrived,
        } = rollout;
        let (cells, poses) = timed(&mut report.time_ms.decode, || {
            let begins = rollout.first() == Some(&reduction.start());
            // One that was to come to the start and did not, says nothing of how to leave it.
            let leading = if begins { &rollout[..] } else { &[] };
            let cells = reduction.expand(problem, leading);
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
            rollout,
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
