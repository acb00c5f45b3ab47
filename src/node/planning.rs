//! The planning threads: from a request to its answer, in the order that DESIGN section 7 gives.
//!
//! A current map (waited for, but not for ever), where the robot is, everything into the map's
//! frame, the checks and the plan, the verifier, publication, the answer. It polls the request's
//! ticket at every wait, at every segment and inside the search, and its bound on time counts from
//! the moment the request came in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nalgebra::Isometry3;

use super::goals::{Goals, Job, Lane, Ticket};
use super::lock::lock;
use super::maps::{Maps, Ready, no_map};
use super::message::{Answer, Ask, AskKind, Ending, Header, Path, PoseStamped, planar};
use super::report::{PlanReport, ReasoningFrame};
use super::settings::Settings;
use super::statistics::Statistics;
use super::transforms::{Transforms, When, pose_in};
use super::{Clock, Outbox};
use crate::grid::Pose2;
use crate::planner::{
    NO_POSES, NamedModel, NavError, Outcome, Plan, Planner, PlannerConfig, Refusal, Report,
    Request, Segment,
};
use crate::search::Termination;
use crate::{Error, Result};

/// A tolerance that reaches everywhere, metres: for plans that may end short of the goal.
const ANYWHERE_M: f64 = 1000.0;

/// Starts of a batch at most: each may need a map of its own around the robot.
const MOST_STARTS: usize = 256;

/// What the planning threads share with the node.
pub(super) struct Surroundings {
    pub settings: Arc<Mutex<Arc<Settings>>>,
    pub clock: Arc<dyn Clock>,
    pub outbox: Arc<dyn Outbox>,
    pub transforms: Arc<Transforms>,
    pub maps: Arc<Maps>,
    pub goals: Arc<Goals>,
    pub statistics: Arc<Mutex<Statistics>>,
}

/// The planning thread.
pub(super) struct Worker {
    around: Surroundings,
    model: Option<NamedModel>,
    planner: Planner,
    /// The last plan of a robot on its way that was published, and where it leads to.
    previous: Option<(Pose2, Outcome)>,
    /// The plan that will be the last one if it is published.
    candidate: Option<(Pose2, Outcome)>,
}

/// What came of a request before it is told.
struct Made {
    frame: String,
    plans: Vec<std::result::Result<Plan, NavError>>,
    reports: Vec<Report>,
    message: String,
}

impl Worker {
    /// # Errors
    /// As [`Planner::new`].
    pub fn new(around: Surroundings, model: Option<NamedModel>) -> Result<Self> {
        let config = lock(&around.settings).planner.clone();
        Ok(Self {
            planner: Planner::new(config, model.clone())?,
            around,
            model,
            previous: None,
            candidate: None,
        })
    }

    /// Answers the requests of a lane until there will be no more.
    pub fn run(mut self, lane: Lane) {
        let goals = self.around.goals.clone();
        while let Some(job) = goals.next(lane) {
            let settings = lock(&self.around.settings).clone();
            // A defect costs one answer, not the thread; the job's drop says so to who asked.
            let answered = catch_unwind(AssertUnwindSafe(|| {
                self.follow(&settings.planner);
                self.answer(job, &settings);
            }));
            if answered.is_err() {
                tracing::error!("the planner panicked; it begins anew with the next request");
                self.begin_anew(&settings.planner);
            }
        }
    }

    /// Makes changed settings those of the planner.
    fn follow(&mut self, config: &PlannerConfig) {
        if self.planner.config() != config {
            self.begin_anew(config);
        }
    }

    fn begin_anew(&mut self, config: &PlannerConfig) {
        match Planner::new(config.clone(), self.model.clone()) {
            Ok(planner) => self.planner = planner,
            Err(error) => tracing::error!(%error, "the planner keeps its old settings"),
        }
        self.previous = None;
    }

    fn answer(&mut self, job: Job, settings: &Settings) {
        let kind = job.ask.kind();
        self.candidate = None;
        let made = self.make(&job, settings);
        let took_s = job.asked.elapsed().as_secs_f64();
        let frequency = settings.node.expected_planner_frequency;
        if frequency > 0.0 && took_s > 1.0 / frequency {
            tracing::warn!(
                took_s,
                expected_planner_frequency = frequency,
                "a plan took longer than expected"
            );
        }
        let header = |frame: String| Header {
            stamp: self.around.clock.now(),
            frame,
        };
        let (answer, reports) = match made {
            Err(Refusal { error, message }) => {
                (Answer::without(Ending::Aborted, error, message), Vec::new())
            }
            Ok(made) => {
                let header = header(made.frame);
                let is_answered =
                    kind == AskKind::Batch || made.plans.iter().all(std::result::Result::is_ok);
                let mut answer = Answer {
                    ending: if is_answered {
                        Ending::Succeeded
                    } else {
                        Ending::Aborted
                    },
                    paths: Vec::new(),
                    travel_costs: Vec::new(),
                    errors: Vec::new(),
                    message: made.message,
                    planning_time: 0.0,
                };
                for plan in made.plans {
                    answer.errors.push(plan.as_ref().err().copied());
                    let (poses, cost) = match plan {
                        Ok(plan) => (plan.poses, plan.travel_cost),
                        Err(_) => (Vec::new(), f64::NAN),
                    };
                    answer.travel_costs.push(cost);
                    answer.paths.push(Path {
                        header: header.clone(),
                        poses: oriented(poses, settings),
                    });
                }
                (answer, made.reports)
            }
        };
        if answer.ending == Ending::Aborted && !job.ticket.is_stopped() {
            let error = answer.error().map_or("UNKNOWN", NavError::name);
            tracing::warn!("{error}: {}", answer.message);
        }
        let around = &self.around;
        let asked = job.asked;
        let mut is_published = false;
        job.end(answer, |answer| {
            let path = answer.path().filter(|_| answer.ending == Ending::Succeeded);
            if let Some(path) = path.filter(|_| kind.is_action()) {
                around.outbox.plan(path);
                is_published = true;
            }
            lock(&around.statistics).note(kind, answer, &reports, asked.elapsed());
            let header = path.map(|path| path.header.clone()).unwrap_or_default();
            let report = PlanReport::new(header, kind, answer, &reports);
            around.outbox.report(&report);
        });
        if is_published && self.candidate.is_some() {
            self.previous = self.candidate.take();
        }
    }

    /// The plans that are asked for.
    fn make(&mut self, job: &Job, settings: &Settings) -> std::result::Result<Made, Refusal> {
        let latest = job.asked + Duration::from_secs_f64(settings.planner.max_planning_time);
        let termination = job.ticket.termination().with_deadline(latest);
        let patience = |seconds: f64| {
            let left = latest.saturating_duration_since(Instant::now());
            left.min(Duration::from_secs_f64(seconds))
        };
        let is_over = || job.ticket.is_stopped();
        let waited = patience(settings.node.costmap_update_timeout);
        let ready = self.around.maps.current(waited, is_over);
        let Some(ready) = ready else {
            let message = no_map(&self.around.maps, settings);
            return Err(Refusal::new(NavError::Timeout, message));
        };
        if let Ask::ThroughPoses { goals, .. } = &job.ask
            && goals.is_empty()
        {
            return Err(Refusal::new(NavError::NoViapointsGiven, NO_POSES));
        }
        let place = Place {
            around: &self.around,
            settings,
            frame: &ready.frame,
            ticket: &job.ticket,
            until: Instant::now() + patience(settings.node.transform_tolerance),
        };
        if let Ask::ToPose { planner_id, .. } | Ask::ThroughPoses { planner_id, .. } = &job.ask {
            check_planner_id(planner_id, &settings.node.planner_plugins)?;
        }
        match &job.ask {
            Ask::ToPose { goal, start, .. } => {
                let request = Request::new(place.start(start.as_ref())?, place.pose("goal", goal)?);
                let is_on_its_way = start.is_none();
                let outcome =
                    self.plan_to_pose(&ready, request, is_on_its_way, settings, &termination);
                Ok(made_of(&ready, outcome))
            }
            Ask::GetPlan {
                start,
                goal,
                tolerance,
            } => {
                let request = Request {
                    tolerance: Some(*tolerance),
                    ..Request::new(place.pose("start", start)?, place.pose("goal", goal)?)
                };
                let outcome = self.plan_to_pose(&ready, request, false, settings, &termination);
                Ok(made_of(&ready, outcome))
            }
            Ask::ThroughPoses { goals, start, .. } => {
                let start = place.start(start.as_ref())?;
                let goals = goals.iter().map(|goal| place.pose("goal", goal));
                let goals = goals.collect::<std::result::Result<Vec<_>, _>>()?;
                let frames = Frames::new(&self.around, &ready);
                let route = self.planner.plan_through(
                    &ready.snapshot,
                    (start, &goals),
                    None,
                    &termination,
                    &mut |segment| frames.show(segment),
                );
                let plan = route.plan.ok_or(route.error.unwrap_or(NavError::Unknown));
                Ok(Made {
                    frame: ready.frame.clone(),
                    plans: vec![plan],
                    reports: route.legs,
                    message: route.message,
                })
            }
            Ask::Batch { starts, .. } if starts.len() > MOST_STARTS => {
                let message = format!(
                    "a batch of {} starts is too large; ask for at most {MOST_STARTS} at once",
                    starts.len()
                );
                Err(Refusal::new(NavError::Unknown, message))
            }
            Ask::Batch { starts, goal } => {
                let goal = place.pose("goal", goal)?;
                let starts = starts.iter().map(|start| place.pose("start", start));
                let starts = starts.collect::<std::result::Result<Vec<_>, _>>()?;
                let frames = Frames::new(&self.around, &ready);
                let outcomes = self.planner.plan_batch(
                    &ready.snapshot,
                    (&starts, goal),
                    None,
                    &termination,
                    &mut |segment| frames.show(segment),
                );
                let mut made = Made {
                    frame: ready.frame.clone(),
                    plans: Vec::new(),
                    reports: Vec::new(),
                    message: String::new(),
                };
                let mut messages = Vec::new();
                for (start, outcome) in outcomes.into_iter().enumerate() {
                    if !outcome.message.is_empty() {
                        messages.push(format!("start {}: {}", start + 1, outcome.message));
                    }
                    let error = outcome.error.unwrap_or(NavError::Unknown);
                    made.plans.push(outcome.plan.ok_or(error));
                    made.reports.push(outcome.report);
                }
                made.message = messages.join("; ");
                Ok(made)
            }
        }
    }

    /// One plan. A robot `is_on_its_way` if it is asked for from where it is: then its last plan
    /// to the same goal may stay.
    fn plan_to_pose(
        &mut self,
        ready: &Ready,
        request: Request,
        is_on_its_way: bool,
        settings: &Settings,
        termination: &Termination,
    ) -> Outcome {
        let frames = Frames::new(&self.around, ready);
        let previous = self
            .previous
            .as_ref()
            .filter(|(goal, _)| is_on_its_way && *goal == request.goal);
        let mut plan = |request: &Request, previous: Option<&Outcome>| {
            let observer = &mut |segment: &Segment<'_>| frames.show(segment);
            if is_on_its_way {
                let snapshot = &ready.snapshot;
                self.planner
                    .replan(snapshot, request, previous, termination, observer)
            } else {
                self.planner
                    .plan(&ready.snapshot, request, termination, observer)
            }
        };
        let mut outcome = plan(&request, previous.map(|(_, outcome)| outcome));
        let is_cut_off = matches!(
            outcome.error,
            Some(NavError::NoValidPath | NavError::GoalOccupied)
        );
        if is_cut_off && settings.node.partial_plan_allowed {
            let nearer = Request {
                tolerance: Some(ANYWHERE_M),
                ..request
            };
            outcome = plan(&nearer, None);
        }
        if is_on_its_way && outcome.plan.is_some() {
            self.candidate = Some((request.goal, outcome.clone()));
        }
        outcome
    }
}

/// One plan, or why there is none.
fn made_of(ready: &Ready, outcome: Outcome) -> Made {
    let error = outcome.error.unwrap_or(NavError::Unknown);
    Made {
        frame: ready.frame.clone(),
        plans: vec![outcome.plan.ok_or(error)],
        reports: vec![outcome.report],
        message: outcome.message,
    }
}

/// As in Nav2, no name will do where there is one planner.
fn check_planner_id(id: &str, known: &[String]) -> std::result::Result<(), Refusal> {
    let is_known = known.iter().any(|name| name == id) || (id.is_empty() && known.len() == 1);
    if is_known {
        return Ok(());
    }
    let message = format!(
        "there is no planner `{id}`; ask for {}, or add the name to planner_plugins",
        known.join(", ")
    );
    Err(Refusal::new(NavError::InvalidPlanner, message))
}

/// The poses as they are published.
fn oriented(mut poses: Vec<Pose2>, settings: &Settings) -> Vec<Pose2> {
    if settings.node.use_final_approach_orientation
        && let [.., before, last] = &mut poses[..]
    {
        last.yaw = before.yaw;
    }
    poses
}

/// Where poses are brought to, and with what patience.
struct Place<'a> {
    around: &'a Surroundings,
    settings: &'a Settings,
    frame: &'a str,
    ticket: &'a Ticket,
    /// How long transforms are waited for, all of a request together.
    until: Instant,
}

impl Place<'_> {
    /// Where a request starts: at its pose, or where the robot is.
    fn start(&self, start: Option<&PoseStamped>) -> std::result::Result<Pose2, Refusal> {
        match start {
            Some(start) => self.pose("start", start),
            None => self.robot(),
        }
    }

    /// A request's pose in the map's frame.
    fn pose(&self, what: &str, pose: &PoseStamped) -> std::result::Result<Pose2, Refusal> {
        if pose.header.frame.is_empty() {
            let message = format!(
                "the {what} has no frame_id; set header.frame_id, for instance to `{}`",
                self.frame
            );
            return Err(Refusal::new(NavError::TfError, message));
        }
        let tolerance_s = self.settings.node.transform_tolerance;
        // A pose that makes no sense will not make any more of it with time.
        if let Err(error) = pose.pose.isometry() {
            return Err(Refusal::new(
                NavError::TfError,
                format!("the {what}: {error}"),
            ));
        }
        let found = self.look(|buffer| pose_in(buffer, self.frame, pose, tolerance_s));
        found
            .map(|isometry| planar(&isometry))
            .map_err(|error| Refusal::new(NavError::TfError, format!("the {what}: {error}")))
    }

    /// Where the robot is, by transforms that are not too old.
    fn robot(&self) -> std::result::Result<Pose2, Refusal> {
        let node = &self.settings.node;
        let found = self.look(|buffer| {
            let found = buffer.lookup(self.frame, &node.robot_base_frame, When::Latest)?;
            let age_s = found
                .stamp
                .map(|stamp| self.around.clock.now().since(stamp));
            match age_s {
                // One from the future is as wrong as one from the past.
                Some(age_s) if age_s.abs() > node.transform_tolerance => Err(Error::TransformAge {
                    frame: node.robot_base_frame.clone(),
                    age_s,
                    tolerance_s: node.transform_tolerance,
                }),
                _ => Ok(found.transform),
            }
        });
        found.map(|isometry| planar(&isometry)).map_err(|error| {
            Refusal::new(NavError::TfError, format!("where the robot is: {error}"))
        })
    }

    fn look(
        &self,
        look: impl Fn(&super::transforms::TransformBuffer) -> Result<Isometry3<f64>>,
    ) -> Result<Isometry3<f64>> {
        let is_over = || self.ticket.is_stopped();
        let transforms = &self.around.transforms;
        let patience = self.until.saturating_duration_since(Instant::now());
        transforms.lookup_within(patience, is_over, look)
    }
}

/// Where each segment of thinking is shown, if anybody watches.
struct Frames<'a> {
    outbox: Option<&'a dyn Outbox>,
    header: Header,
    ready: &'a Ready,
}

impl<'a> Frames<'a> {
    fn new(around: &'a Surroundings, ready: &'a Ready) -> Self {
        let outbox = &*around.outbox;
        Self {
            outbox: outbox.is_watched().then_some(outbox),
            header: Header {
                stamp: around.clock.now(),
                frame: ready.frame.clone(),
            },
            ready,
        }
    }

    fn show(&self, segment: &Segment<'_>) {
        if let Some(outbox) = self.outbox {
            let geometry = self.ready.snapshot.geometry();
            outbox.reasoning(&ReasoningFrame::new(self.header.clone(), geometry, segment));
        }
    }
}
