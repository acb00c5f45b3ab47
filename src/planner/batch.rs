//! Many starts, one goal: the model thinks once, and every start follows the same read-out.
//!
//! A segment says of every cell which move leads on, so what was thought for one start holds for
//! all others of the same region. The first to be thought for is the one farthest from the goal;
//! by the time that its plan holds, nearer ones mostly do too. Each start is then decoded, verified,
//! repaired and, if need be, searched for by itself, on as many threads as there are; the searches
//! of a batch share one field.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rayon::prelude::*;

use super::budget::Budget;
use super::repair::Draft;
use super::report::{milliseconds, timed};
use super::scales::Thought;
use super::think::{Held, decode};
use super::{
    Asked, Outcome, Plan, Planner, Policy, Problem, Refusal, Report, Request, Segment, Snapshot,
    check,
};
use crate::grid::{Cell, Pose2};
use crate::search::{Field, Search, Termination};

/// The field of a batch's goal, computed when the first start needs it; `None` if it could not be
/// in time.
type SharedField = OnceLock<Option<Field>>;

impl Planner {
    /// Answers many requests with one goal on a snapshot, as [`Planner::plan`] answers one; the
    /// outcomes are in the order of the starts. `max_planning_time` is for all of them together.
    /// The time of thinking is in the report of the start that it was done for.
    pub fn plan_batch(
        &mut self,
        snapshot: &Snapshot,
        (starts, goal): (&[Pose2], Pose2),
        tolerance: Option<f64>,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Vec<Outcome> {
        let budget = Budget::new(termination, self.config().max_planning_time);
        let tolerance_m = tolerance.unwrap_or(self.config().tolerance);
        let request = |start: &Pose2| Request {
            tolerance,
            ..Request::new(*start, goal)
        };
        let checked: Vec<Result<Problem<'_>, Refusal>> = starts
            .par_iter()
            .map(|start| check(snapshot, &request(start), tolerance_m))
            .collect();
        let away = |problem: &Problem<'_>| problem.start_cell.octile_distance(problem.goal_cell);
        let lead = (0..starts.len())
            .filter_map(|index| Some((index, away(checked[index].as_ref().ok()?))))
            .filter(|(_, distance)| *distance > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| index);
        // What the lead thought, with its own outcome.
        let led = lead.map(|lead| {
            let begin = Instant::now();
            let mut report = Report::new(snapshot, self.model());
            let problem = checked[lead].as_ref().map_err(Clone::clone)?;
            let thought = self.think(problem, &budget, observer, &mut report)?;
            report.time_ms.total = milliseconds(begin.elapsed());
            Ok((thought, report))
        });
        let (thought, thinking) = match led {
            Some(Ok((thought, report))) => (Some(thought), Some(report)),
            Some(Err(refusal)) => {
                let refused = |start| {
                    let report = Report::new(snapshot, self.model());
                    Outcome::new(&request(start), Err(Refusal::clone(&refusal)), None, report)
                };
                return starts.iter().map(refused).collect();
            }
            None => (None, None),
        };
        let field = SharedField::new();
        let follower = Follower {
            planner: self,
            budget: &budget,
            thought: thought.as_ref(),
            thinking: thinking.as_ref(),
            field: &field,
        };
        starts
            .par_iter()
            .zip(checked)
            .enumerate()
            .map_init(Search::new, |search, (index, (start, problem))| {
                let begin = Instant::now();
                let is_lead = lead == Some(index);
                let mut report = follower.report(snapshot, is_lead);
                let mut own_cells = None;
                let answer = problem.and_then(|problem| {
                    follower.answer(&problem, is_lead, search, &mut own_cells, &mut report)
                });
                report.time_ms.total += milliseconds(begin.elapsed());
                Outcome::new(&request(start), answer, own_cells, report)
            })
            .collect()
    }
}

/// What all starts of a batch share.
struct Follower<'a> {
    planner: &'a Planner,
    budget: &'a Budget,
    thought: Option<&'a Thought>,
    thinking: Option<&'a Report>,
    field: &'a SharedField,
}

impl Follower<'_> {
    /// A start's report before it is followed; that of the lead has the times of thinking.
    fn report(&self, snapshot: &Snapshot, is_lead: bool) -> Report {
        let mut report = Report::new(snapshot, self.planner.model());
        if let Some(thinking) = self.thinking {
            if is_lead {
                return thinking.clone();
            }
            report.segments = thinking.segments;
            report.halt_reason = thinking.halt_reason;
            report.reduction_factor = thinking.reduction_factor;
        }
        report
    }

    /// One start: decode, verify, repair, search.
    fn answer(
        &self,
        problem: &Problem<'_>,
        is_lead: bool,
        search: &mut Search,
        own_cells: &mut Option<Vec<Cell>>,
        report: &mut Report,
    ) -> Result<Plan, Refusal> {
        let thought = match self.thought {
            Some(thought) if is_lead => Some(thought.clone()),
            Some(thought) => thought
                .draft
                .as_ref()
                .and_then(|draft| follow(problem, draft, report)),
            None => None,
        };
        let thought = thought.unwrap_or_else(Thought::none);
        *own_cells = thought.cells().cloned();
        let asked = Asked {
            config: self.planner.config(),
            problem,
            budget: self.budget,
        };
        asked.conclude(&thought, search, report, |asked, search, report| {
            self.search(asked, search, report)
        })
    }

    /// An optimal plan as cells, by the batch's field where it holds for this start.
    fn search(
        &self,
        asked: &Asked<'_>,
        search: &mut Search,
        report: &mut Report,
    ) -> Result<Vec<Cell>, Refusal> {
        let problem = asked.problem;
        let rules = problem.snapshot().rules();
        // Around a start that was relaxed the map is not the snapshot's.
        if problem.is_relaxed() || problem.is_within_a_cell() {
            return asked.searched(search, report);
        }
        let cells = timed(&mut report.time_ms.search, || {
            let field = self.field.get_or_init(|| {
                let mut field = Field::default();
                let stop = search.field_until(
                    problem.map(),
                    problem.goal_cell,
                    rules,
                    &self.budget.whole,
                    &mut field,
                );
                matches!(stop, Ok(None)).then_some(field)
            });
            let field = field.as_ref()?;
            if field.goal() != problem.goal_cell {
                return None;
            }
            field.path_from(problem.map(), rules, problem.start_cell)
        });
        match cells {
            Some(cells) => Ok(cells),
            None => asked.searched(search, report),
        }
    }
}

/// What the read-out of another start says of this one; `None` if the model did not see it.
pub(super) fn follow(problem: &Problem<'_>, draft: &Draft, report: &mut Report) -> Option<Thought> {
    if problem.is_within_a_cell() {
        return None;
    }
    let reduction = draft.reduction.starting_at(problem)?;
    let policy = Policy::new(reduction.map(), &draft.logits, problem.snapshot().rules());
    let candidate = decode(problem, &reduction, &policy, report);
    Some(Thought {
        factor: reduction.factor(),
        held: candidate.verified.then_some(Held {
            cells: candidate.cells,
            evaded: candidate.evaded,
        }),
        draft: Some(Draft {
            logits: Arc::clone(&draft.logits),
            reduction,
        }),
    })
}
