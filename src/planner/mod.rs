//! From a request to a verified plan. This is where plans are made: [`Planner::plan`].
//!
//! ```text
//! Snapshot, Request
//!   -> check      checks.rs     one error per cause, or a Problem that has a solution
//!   -> reduce     reduce.rs     what the model sees of the map
//!   -> think      think.rs      encode, then segments; after each: decode, verify, halt?
//!   -> conclude   conclude.rs   from the thought to an answer, by what follows:
//!   -> repair     repair.rs     a local search where no rollout holds or one is too long
//!   -> search     crate::search where that did not help: complete, with its own time
//!   -> fit        headings.rs   for a robot that is not round, where its outline would touch
//!   -> smooth     path.rs       shortcuts, arcs if asked for, even spacing, headings
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
mod conclude;
mod config;
mod corridor;
mod footprint;
mod frame;
mod headings;
mod image;
mod laying;
mod least_first;
mod line;
mod nav_error;
mod passages;
mod path;
mod pieces;
mod plans;
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
mod way;

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
use crate::search::{Search, Stop, Termination};
use crate::{Error, Result};
use budget::Budget;
use conclude::{Asked, Means, OwnMeans, stopped};
use repair::Draft;
use report::{milliseconds, timed};
use scales::Thought;

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
