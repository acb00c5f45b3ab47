//! From a request to a verified plan. This is where plans are made: [`Planner::plan`].
//!
//! ```text
//! Snapshot, Request
//!   -> check      checks.rs     one error per cause, or a Problem that has a solution
//!   -> reduce     reduce.rs     what the model sees of the map
//!   -> think      think.rs      encode, then segments; after each: decode, verify, halt?
//!   -> repair     repair.rs     a local search where no rollout holds or one is too long
//!   -> search     crate::search where that did not help: complete, with its own time
//!   -> fit        headings.rs   for a robot that is not round, where its outline would touch
//!   -> smooth     path.rs       shortcuts, even spacing, headings
//!   -> verify     verify.rs     on the same snapshot; nothing leaves unverified
//!   -> Outcome    a Plan or a NavError, and a Report
//! ```
//!
//! [`Snapshot`] is the map, made ready once and never changed. Metres and radians outside, cells
//! inside. The same map, request, settings and model give the same plan on any number of threads,
//! unless the clock stops the thinking. Middleware, transforms and costmap layers are not here.

mod batch;
mod budget;
mod checks;
mod config;
mod corridor;
mod footprint;
mod frame;
mod headings;
mod image;
mod line;
mod nav_error;
mod path;
mod pooling;
mod reach;
mod reduce;
mod regions;
mod repair;
mod report;
mod request;
mod rollout;
mod rounding;
mod scales;
mod sight;
mod smooth;
mod snapshot;
mod stability;
mod surroundings;
mod think;
mod through;
mod verify;

pub use checks::{Problem, Refusal, check};
pub use config::{HaltRule, PlanSource, PlannerConfig};
pub use footprint::Footprint;
pub use nav_error::NavError;
pub use reduce::Reduction;
pub use report::{HaltReason, Report, Source, Times};
pub use request::{Outcome, Plan, Request};
pub use rollout::{MOST_EVADED, Policy, Rollout};
pub use snapshot::Snapshot;
pub use surroundings::relaxed_cells;
pub use think::Segment;
pub(crate) use through::NO_POSES;
pub use through::Route;
pub use verify::{Expected, Violation, ViolationKind, verify};

use std::path::Path;
use std::time::Instant;

use crate::grid::Cell;
use crate::model::{Checkpoint, Compute, DeviceChoice, GridHrm, SHIPPED_NAME, shipped};
use crate::search::{self, Search, Stop, Termination};
use crate::{Error, Result};
use budget::Budget;
use frame::Point;
use repair::Draft;
use report::{milliseconds, timed};
use rounding::{Rounded, rounded};
use scales::Thought;
use sight::Sight;
use smooth::Shortener;

/// A model and the name that reports call it by.
#[derive(Debug, Clone)]
pub struct NamedModel {
    /// Its file name, for instance.
    pub name: String,
    /// The model.
    pub model: GridHrm,
}

impl NamedModel {
    /// The model in a file, on a device, named after the file.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no grid model.
    pub fn read(path: &Path, compute: &Compute) -> Result<Self> {
        let name = path.file_stem().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            model: Checkpoint::read(path)?.model_on(compute)?,
        })
    }

    /// The shipped model, on a device; `None` if this program was built without one.
    ///
    /// # Errors
    /// As [`shipped`].
    pub fn shipped(compute: &Compute) -> Result<Option<Self>> {
        let checkpoint = shipped()?;
        let named = checkpoint.map(|checkpoint| {
            Ok(Self {
                name: SHIPPED_NAME.to_owned(),
                model: checkpoint.model_on(compute)?,
            })
        });
        named.transpose()
    }
}

/// What was thought for a goal on a snapshot.
#[derive(Debug)]
struct Memory {
    snapshot: u64,
    goal: Cell,
    draft: Draft,
}

impl Memory {
    fn of(problem: &Problem<'_>, thought: &Thought) -> Option<Self> {
        Some(Self {
            snapshot: problem.snapshot().id(),
            goal: problem.goal_cell,
            draft: thought.draft.clone()?,
        })
    }

    /// Whether it was thought on the problem's own snapshot.
    fn serves(&self, problem: &Problem<'_>) -> bool {
        self.snapshot == problem.snapshot().id()
    }
}

/// Makes plans. One per thread: it keeps the search's buffers from request to request.
#[derive(Debug)]
pub struct Planner {
    config: PlannerConfig,
    model: Option<NamedModel>,
    search: Search,
    memory: Option<Memory>,
}

impl Planner {
    /// A planner with these settings; without a model the search makes all plans.
    ///
    /// # Errors
    /// [`Error::PlannerSetting`] for a setting outside its range, [`Error::ModelDevice`] for
    /// a model that is not where the settings say.
    pub fn new(config: PlannerConfig, mut model: Option<NamedModel>) -> Result<Self> {
        config.validate()?;
        if let Some(named) = &mut model {
            let place = DeviceChoice::of(named.model.device());
            if place != config.device {
                return Err(Error::ModelDevice {
                    model: place.to_string(),
                    planner: config.device.to_string(),
                });
            }
            named.model = named.model.with_precision(config.precision)?;
        }
        Ok(Self {
            config,
            model,
            search: Search::new(),
            memory: None,
        })
    }

    /// The settings.
    pub fn config(&self) -> &PlannerConfig {
        &self.config
    }

    /// The model.
    pub fn model(&self) -> Option<&NamedModel> {
        self.model.as_ref()
    }

    /// Answers a request on a snapshot. Never panics, never returns an unverified plan, returns no
    /// plan once cancelled, and ends within `max_planning_time` plus one segment, on large
    /// maps plus one pass over the cells, or earlier by `termination`.
    ///
    /// `observer` is called after every segment of thinking; use `&mut |_| {}` where nobody watches.
    pub fn plan(
        &mut self,
        snapshot: &Snapshot,
        request: &Request,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Outcome {
        // The same request gives the same plan, whatever was asked before.
        self.memory = None;
        self.plan_recalling(snapshot, request, termination, observer)
    }

    /// As [`Planner::plan`], but what was thought in the last call may serve this one too.
    fn plan_recalling(
        &mut self,
        snapshot: &Snapshot,
        request: &Request,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Outcome {
        let begin = Instant::now();
        let mut report = Report::new(snapshot, self.model.as_ref());
        let mut own_cells = None;
        let answer = self.answer(
            snapshot,
            request,
            termination,
            observer,
            &mut own_cells,
            &mut report,
        );
        if answer.is_err() && termination.reason() == Some(Stop::Cancelled) {
            report.halt_reason = HaltReason::Cancelled;
        }
        report.time_ms.total = milliseconds(begin.elapsed());
        Outcome::new(request, answer, own_cells, report)
    }

    /// The pipeline. `own_cells` becomes the model's own plan, if it holds.
    fn answer(
        &mut self,
        snapshot: &Snapshot,
        request: &Request,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
        own_cells: &mut Option<Vec<Cell>>,
        report: &mut Report,
    ) -> std::result::Result<Plan, Refusal> {
        let budget = Budget::new(termination, self.config.max_planning_time);
        let tolerance_m = request.tolerance.unwrap_or(self.config.tolerance);
        let problem = timed(&mut report.time_ms.check, || {
            check(snapshot, request, tolerance_m)
        })?;
        let memory = self.memory.take();
        let memory = memory.filter(|memory| memory.goal == problem.goal_cell);
        let recalled = memory
            .as_ref()
            .filter(|memory| memory.serves(&problem))
            .and_then(|memory| batch::follow(&problem, &memory.draft, report))
            .filter(|thought| thought.held.is_some());
        let thought = if let Some(thought) = recalled {
            report.halt_reason = HaltReason::Recalled;
            report.reduction_factor = Some(thought.factor);
            thought
        } else {
            let earlier = memory.as_ref().map(|memory| &memory.draft);
            self.think(&problem, earlier, &budget, observer, report)?
        };
        self.memory = Memory::of(&problem, &thought);
        *own_cells = thought.cells().cloned();
        let asked = Asked {
            config: &self.config,
            problem: &problem,
            budget: &budget,
        };
        asked.conclude(&thought, &OwnMeans, &mut self.search, report)
    }

    /// What the model thinks of a problem, if it is asked; it may begin with an `earlier` draft.
    fn think(
        &self,
        problem: &Problem<'_>,
        earlier: Option<&Draft>,
        budget: &Budget,
        observer: &mut dyn FnMut(&Segment<'_>),
        report: &mut Report,
    ) -> std::result::Result<Thought, Refusal> {
        let nothing = Thought::none();
        if problem.is_within_a_cell() {
            return Ok(nothing); // nothing to think about: the search's answer is the cell itself
        }
        let model = match (&self.model, self.config.source) {
            (_, PlanSource::Search) => return Ok(nothing),
            (Some(named), _) => &named.model,
            (None, PlanSource::Auto) => {
                report.halt_reason = HaltReason::NoModel;
                return Ok(nothing);
            }
            (None, PlanSource::Model) => {
                report.halt_reason = HaltReason::NoModel;
                return Err(Refusal::new(
                    NavError::InvalidPlanner,
                    "`source` is model, but no model is loaded; load one, or set source: auto",
                ));
            }
        };
        let limits = think::Limits {
            halt: self.config.halt,
            stable_segments: self.config.stable_segments,
            max_segments: self.config.max_segments,
            closer_look: self.config.closer_look,
            symmetries: self.config.symmetries,
            warm_start: self.config.warm_start,
            termination: if self.is_alone() {
                &budget.whole
            } else {
                &budget.thinking
            },
        };
        let tokens = self.config.max_tokens;
        let thought =
            scales::think_at_scales(model, problem, tokens, earlier, &limits, observer, report);
        match thought {
            Ok(thought) => Ok(thought),
            Err(error) => {
                tracing::error!(%error, "the model failed; the search takes over");
                report.halt_reason = HaltReason::ModelFailed;
                Ok(nothing)
            }
        }
    }

    /// Whether only the model may plan.
    fn is_alone(&self) -> bool {
        self.config.source == PlanSource::Model
    }
}

/// What the way from a thought to an answer depends on.
struct Asked<'a> {
    config: &'a PlannerConfig,
    problem: &'a Problem<'a>,
    budget: &'a Budget,
}

impl Asked<'_> {
    /// The answer that follows from a thought: by the model, repaired where it needs it, or else
    /// by the complete search.
    fn conclude(
        &self,
        thought: &Thought,
        means: &impl Means,
        search: &mut Search,
        report: &mut Report,
    ) -> std::result::Result<Plan, Refusal> {
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
    fn fitted(
        &self,
        means: &impl Means,
        report: &mut Report,
    ) -> std::result::Result<Plan, Refusal> {
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
    fn is_repaired(&self, thought: &Thought) -> bool {
        let is_worth_it = thought.held.is_none() || self.config.repair_gain < 1.0;
        self.config.source != PlanSource::Model && is_worth_it
    }

    /// Cells near what the model thought of, by a search of its own.
    fn repaired(&self, thought: &Thought, search: &mut Search) -> Option<Vec<Cell>> {
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
    fn searched(
        &self,
        search: &mut Search,
        report: &mut Report,
    ) -> std::result::Result<Vec<Cell>, Refusal> {
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
trait Means {
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
    ) -> std::result::Result<Vec<Cell>, Refusal> {
        asked.searched(search, report)
    }

    /// A path on the request's map without its needless points.
    fn shortened(&self, asked: &Asked<'_>, sight: &Sight<'_>, points: Vec<Point>) -> Vec<Point> {
        Shortener::default().shortened(sight, points, &asked.budget.whole)
    }
}

/// Those of a request that comes alone.
struct OwnMeans;

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
fn stopped(stop: Stop) -> Refusal {
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
