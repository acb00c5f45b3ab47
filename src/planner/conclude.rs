//! From a thought to an answer: repair where it needs it, the search where that does not help, the
//! shape of the plan, the verifier, or the one error that says why there is none.

use super::budget::Budget;
use super::frame::Point;
use super::report::timed;
use super::rounding::{Rounded, rounded};
use super::scales::Thought;
use super::sight::Sight;
use super::smooth::Shortener;
use super::{
    Expected, HaltReason, NavError, Plan, PlanSource, PlannerConfig, Problem, Refusal, Report,
    Source, Violation, ViolationKind, headings, path, repair, verify,
};
use crate::grid::Cell;
use crate::search::{self, Search, Stop};

/// What the way from a thought to an answer depends on.
pub(super) struct Asked<'a> {
    pub config: &'a PlannerConfig,
    pub problem: &'a Problem<'a>,
    pub budget: &'a Budget,
}

impl Asked<'_> {
    /// The answer that follows from a thought: by the model, repaired where it needs it, or else
    /// by the complete search.
    pub fn conclude(
        &self,
        thought: &Thought,
        means: &impl Means,
        search: &mut Search,
        report: &mut Report,
    ) -> Result<Plan, Refusal> {
        report.evaded = thought.held.as_ref().is_some_and(|held| held.evaded);
        let alone = self.config.source == PlanSource::Model;
        let plan = match self.by_model(thought, means, search, report) {
            Some(plan) => plan,
            None if alone && !self.problem.is_within_a_cell() => return Err(unsolved(report)),
            None => {
                let cells = means.search(self, search, report)?;
                report.source = Some(Source::Search);
                match self.published(&cells, means, report) {
                    Some(plan) => plan,
                    None => self.fitted(means, report)?,
                }
            }
        };
        match self.budget.whole.reason() {
            Some(Stop::Cancelled) => Err(stopped(Stop::Cancelled)),
            _ => Ok(plan),
        }
    }

    /// The plan that follows from a thought, repaired where it needs it and where that is allowed;
    /// `None` if there is none.
    fn by_model(
        &self,
        thought: &Thought,
        means: &impl Means,
        search: &mut Search,
        report: &mut Report,
    ) -> Option<Plan> {
        let repaired = timed(&mut report.time_ms.repair, || {
            let is_asked = self.is_repaired(thought);
            is_asked.then(|| means.repair(self, thought, search))?
        });
        let candidates = [
            (repaired.as_ref(), Source::Repaired),
            (thought.cells(), Source::Model),
        ];
        candidates.into_iter().find_map(|(cells, source)| {
            let plan = self.published(cells?, means, report)?;
            report.source = Some(source);
            Some(plan)
        })
    }

    /// The plan along these cells: in the shape that was asked for, or in a plainer one if the verifier
    /// objects to it, or none if it objects to the cells.
    fn published(&self, cells: &[Cell], means: &impl Means, report: &mut Report) -> Option<Plan> {
        let problem = self.problem;
        let resolution = problem.map().geometry().resolution();
        let radius = self.config.turning_radius / resolution;
        let shapes = [Shape::Rounded, Shape::Shortened, Shape::Cells];
        for shape in &shapes[usize::from(radius == 0.0)..] {
            report.tightest_turn_m = None;
            let plan = timed(&mut report.time_ms.smooth, || {
                path::plan_along(problem, cells, |sight, points| {
                    if matches!(shape, Shape::Cells) {
                        return points;
                    }
                    let points = means.shortened(self, sight, points);
                    if matches!(shape, Shape::Shortened) {
                        return points;
                    }
                    let Rounded { points, tightest } = rounded(sight, &points, radius);
                    let turns = tightest.is_finite();
                    report.tightest_turn_m = turns.then_some(tightest * resolution);
                    points
                })
            });
            let violations = timed(&mut report.time_ms.verify, || {
                verify(problem.snapshot(), &plan.poses, &Expected::of(problem))
            });
            // That the outline touches is no defect: nobody has looked at it before.
            let is_defect = |violation: &&Violation| violation.kind != ViolationKind::Footprint;
            match violations.iter().find(is_defect) {
                None if violations.is_empty() => return Some(plan),
                None => {}
                Some(violation) => {
                    tracing::error!(
                        ?violation,
                        ?shape,
                        "a plan failed the verifier; not published"
                    );
                }
            }
        }
        None
    }

    /// The plan for an outline that does not stay clear on the best way for its inscribed circle.
    fn fitted(&self, means: &impl Means, report: &mut Report) -> Result<Plan, Refusal> {
        let outline = self.problem.snapshot().outline();
        let outline = outline.ok_or_else(unverified)?;
        let found = timed(&mut report.time_ms.search, || {
            headings::fitted(self.problem, outline, &self.budget.whole)
        });
        let cells = found.map_err(stopped)?;
        let plan = cells.and_then(|cells| self.published(&cells, means, report));
        plan.ok_or_else(|| {
            Refusal::new(
                NavError::NoValidPath,
                "there is a path for the robot's inscribed circle, but none on which its footprint \
                 stays clear without backing up; check the footprint, or the map",
            )
        })
    }

    /// Whether what follows from a thought may be another plan than the model's own.
    pub fn is_repaired(&self, thought: &Thought) -> bool {
        let is_worth_it = thought.held.is_none() || self.config.repair_gain < 1.0;
        self.config.source != PlanSource::Model && is_worth_it
    }

    /// Cells near what the model thought of, by a search of its own.
    pub fn repaired(&self, thought: &Thought, search: &mut Search) -> Option<Vec<Cell>> {
        let (problem, until) = (self.problem, &self.budget.repair);
        match (thought.cells(), &thought.draft) {
            (Some(cells), _) => {
                let gain = self.config.repair_gain;
                repair::tightened(problem, (cells, thought.factor), gain, search, until)
            }
            (None, Some(draft)) => repair::mended(problem, draft, search, until),
            (None, None) => None,
        }
    }

    /// An optimal plan as cells, by the complete search.
    pub fn searched(&self, search: &mut Search, report: &mut Report) -> Result<Vec<Cell>, Refusal> {
        if let Some(stop) = self.budget.whole.reason() {
            return Err(stopped(stop));
        }
        let problem = self.problem;
        let found = timed(&mut report.time_ms.search, || {
            search.path(
                problem.map(),
                problem.start_cell,
                problem.goal_cell,
                problem.snapshot().rules(),
                &self.budget.whole,
            )
        });
        match found {
            Ok(search::Outcome::Found(path)) => Ok(path.cells),
            Ok(search::Outcome::Stopped(stop)) => Err(stopped(stop)),
            // The checks saw a way, so this would be a defect of theirs or of the search.
            Ok(search::Outcome::Unreachable) => Err(Refusal::new(
                NavError::NoValidPath,
                "no path leads from the start to the goal",
            )),
            Err(error) => Err(Refusal::new(NavError::Unknown, error.to_string())),
        }
    }
}

/// What a plan along cells looks like.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// With shortcuts, and arcs in place of corners.
    Rounded,
    /// With shortcuts.
    Shortened,
    /// From centre to centre.
    Cells,
}

/// What stands behind the model. Requests of a batch share some of it.
pub(super) trait Means {
    /// Cells to go along in place of what was thought of; `None`: there are none, or no better ones.
    fn repair(
        &self,
        asked: &Asked<'_>,
        thought: &Thought,
        search: &mut Search,
    ) -> Option<Vec<Cell>> {
        asked.repaired(thought, search)
    }

    /// The cells of an optimal plan.
    fn search(
        &self,
        asked: &Asked<'_>,
        search: &mut Search,
        report: &mut Report,
    ) -> Result<Vec<Cell>, Refusal> {
        asked.searched(search, report)
    }

    /// A path on the request's map without its needless points.
    fn shortened(&self, asked: &Asked<'_>, sight: &Sight<'_>, points: Vec<Point>) -> Vec<Point> {
        Shortener::default().shortened(sight, points, &asked.budget.whole)
    }
}

/// Those of a request that comes alone.
pub(super) struct OwnMeans;

impl Means for OwnMeans {}

/// Why a model that plans alone has no plan.
fn unsolved(report: &Report) -> Refusal {
    match report.halt_reason {
        HaltReason::Cancelled => stopped(Stop::Cancelled),
        HaltReason::Deadline => stopped(Stop::Deadline),
        reason => Refusal::new(
            NavError::NoValidPath,
            format!(
                "there is a path, but the model found none in {} segments ({}); set source: auto, \
                 so that the search takes over",
                report.segments,
                reason.name()
            ),
        ),
    }
}

/// Why a request that was stopped has no plan.
pub(super) fn stopped(stop: Stop) -> Refusal {
    match stop {
        Stop::Cancelled => Refusal::new(NavError::Unknown, "the request was cancelled"),
        Stop::Deadline | Stop::Iterations => Refusal::new(
            NavError::Timeout,
            "no plan within the time allowed; raise max_planning_time, or use a coarser map",
        ),
    }
}

/// Why a plan was found and is not published.
fn unverified() -> Refusal {
    Refusal::new(
        NavError::Unknown,
        "the search's path failed the verifier, which is a defect of this planner: please report \
         it with the map and the request",
    )
}
