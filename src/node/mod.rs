//! The planner as a managed node of a robot: a state machine over plain structs.
//!
//! ```text
//! map, updates, scans ─► maps.rs        put down; layers.rs makes immutable snapshots of them
//! /tf, /tf_static     ─► transforms.rs  where frames are to each other
//! goals, requests     ─► goals.rs       newest wins, exactly one answer each
//!                          │
//!                        planning.rs    the planning threads: map, poses, plan, answer
//!                          ▼
//!                        Outbox         plan, report, reasoning, costmap, bond, transitions
//! ```
//!
//! No middleware here: a back end translates its messages into those of [`message`], calls the
//! methods of [`Node`], and implements [`Outbox`]. Methods that take something in only put it down;
//! maps and plans are made on threads of the node. Those that change the lifecycle wait for what they
//! begin or end. An inactive node answers nothing and publishes nothing.

pub mod bond;
mod costmap_message;
pub mod goals;
mod layers;
pub mod lifecycle;
pub(crate) mod lock;
pub mod maps;
pub mod message;
pub mod obstacles;
pub mod parameters;
pub mod path_check;
mod planning;
pub mod report;
pub mod sensors;
pub mod settings;
pub mod statistics;
mod throttle;
mod time;
pub mod transforms;

pub use message::{Pose, PoseStamped};
pub use settings::Settings;
pub use time::{Clock, SimulatedClock, Time};

use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::grid::Pose2;
use crate::planner::NamedModel;
use crate::{Error, Result};
use bond::{Bond, BondStatus};
use goals::{Goals, Lane, Reply, Ticket};
use lifecycle::{Came, Edge, Lifecycle, State, Transition};
use lock::lock;
use maps::Maps;
use message::{Ask, CostmapMessage, Path, TransformStamped, planar};
use path_check::{PathAnswer, PathQuestion, check_path};
use report::{PlanReport, ReasoningFrame};
use statistics::{Diagnosis, Statistics};
use transforms::{Transforms, pose_in};

/// Where a node's messages go; called from any thread.
pub trait Outbox: Send + Sync {
    /// A plan that was made: `plan`.
    fn plan(&self, plan: &Path);
    /// How an answer came about: `~/report`.
    fn report(&self, report: &PlanReport);
    /// Whether anybody watches the node think: computing what [`Outbox::reasoning`] gets takes time.
    fn is_watched(&self) -> bool;
    /// What a segment of thinking came to: `~/reasoning`.
    fn reasoning(&self, frame: &ReasoningFrame);
    /// The costmap, or the window of it that has changed.
    fn costmap(&self, costmap: CostmapMessage, is_whole: bool);
    /// A heartbeat: `bond`.
    fn bond(&self, status: &BondStatus);
    /// A step of the lifecycle: `~/transition_event`.
    fn transition(&self, edge: &Edge);
}

/// A planner node.
pub struct Node {
    name: String,
    settings: Arc<Mutex<Arc<Settings>>>,
    clock: Arc<dyn Clock>,
    outbox: Arc<dyn Outbox>,
    lifecycle: Mutex<Lifecycle>,
    bond: Mutex<Bond>,
    transforms: Arc<Transforms>,
    maps: Arc<Maps>,
    goals: Arc<Goals>,
    statistics: Arc<Mutex<Statistics>>,
    planning: Mutex<Option<Planning>>,
    /// The clock's time at the last heartbeat.
    last_beat: Mutex<Time>,
}

/// The planning threads of a configured node.
struct Planning {
    threads: Vec<JoinHandle<()>>,
    has_model: bool,
}

impl Node {
    /// An unconfigured node. `name` is what the lifecycle manager knows it by; `instance` a number
    /// that no other run of it has.
    ///
    /// # Errors
    /// Settings outside their ranges.
    pub fn new(
        name: &str,
        instance: u128,
        settings: Settings,
        clock: Arc<dyn Clock>,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Self> {
        settings.validate()?;
        let settings = Arc::new(Mutex::new(Arc::new(settings)));
        let transforms = Arc::new(Transforms::default());
        let maps = Maps::new(
            settings.clone(),
            clock.clone(),
            outbox.clone(),
            transforms.clone(),
        );
        Ok(Self {
            name: name.to_owned(),
            settings,
            clock,
            outbox,
            lifecycle: Mutex::default(),
            bond: Mutex::new(Bond::new(name, instance)),
            transforms,
            maps: Arc::new(maps),
            goals: Arc::default(),
            statistics: Arc::default(),
            planning: Mutex::default(),
            last_beat: Mutex::default(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings at present.
    pub fn settings(&self) -> Arc<Settings> {
        lock(&self.settings).clone()
    }

    /// Sets parameters, all of them or, if one cannot be set, none.
    ///
    /// # Errors
    /// As [`Settings::set`], for the first that cannot be set.
    pub fn set_parameters(&self, parameters: Vec<(String, Value)>) -> Result<()> {
        let mut present = lock(&self.settings);
        let mut changed = Settings::clone(&present);
        for (name, value) in parameters {
            changed.set(&name, &value)?;
        }
        let concerns_map = changed.planner != present.planner
            || changed.node.static_layer != present.node.static_layer
            || changed.node.obstacle_layer != present.node.obstacle_layer;
        *present = Arc::new(changed);
        drop(present);
        if concerns_map {
            self.maps.settings_changed();
        }
        Ok(())
    }

    /// The store of maps: what comes in about obstacles goes there.
    pub fn maps(&self) -> &Maps {
        &self.maps
    }

    /// The present time of the clock in use.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Takes transforms in: those of `/tf_static` if `is_static`, else those of `/tf`.
    pub fn put_transforms(&self, transforms: &[TransformStamped], is_static: bool) {
        self.transforms.insert(transforms, is_static);
    }

    /// The lifecycle's state.
    pub fn state(&self) -> State {
        lock(&self.lifecycle).state()
    }

    /// Whether the node answers and publishes.
    pub fn is_active(&self) -> bool {
        self.state() == State::Active
    }

    /// The transitions that begin at the present state.
    pub fn available_transitions(&self) -> Vec<Edge> {
        lock(&self.lifecycle).available()
    }

    /// Does what a lifecycle manager asks for by number or, going before it, by label
    /// (`lifecycle_msgs/srv/ChangeState`). `false` if that does not begin at the present state, or
    /// cannot be done.
    pub fn change_state(&self, id: u8, label: &str) -> bool {
        self.step(|_| id, label)
    }

    /// Takes the step that `choose` finds at the state that holds when it is its turn.
    fn step(&self, choose: impl FnOnce(State) -> u8, label: &str) -> bool {
        let mut lifecycle = lock(&self.lifecycle);
        let id = choose(lifecycle.state());
        let Some(begun) = lifecycle.begin(id, label) else {
            return false;
        };
        self.outbox.transition(&begun.edge);
        let came = match begun.transition {
            Transition::Configure => self.configure(),
            Transition::Activate => {
                self.goals.set_open(true);
                self.maps.set_publishing(true);
                if self.settings().node.bond_heartbeat_period > 0.0 {
                    // Let go of before it is told: what is said may be heard by this very node.
                    let status = lock(&self.bond).form();
                    self.outbox.bond(&status);
                }
                Ok(())
            }
            Transition::Deactivate => {
                self.deactivate();
                Ok(())
            }
            Transition::CleanUp | Transition::ShutDown => {
                self.deactivate();
                self.clean_up();
                Ok(())
            }
        };
        let came = match came {
            Ok(()) => Came::Success,
            Err(error) => {
                tracing::error!(%error, "{} failed", begun.edge.label);
                Came::Failure
            }
        };
        let edge = lifecycle.end(&begun, came);
        drop(lifecycle);
        tracing::info!(state = edge.to.label(), "{}", begun.edge.label);
        self.outbox.transition(&edge);
        came == Came::Success
    }

    /// Configures and activates the node, as far as it is not yet; `false` if that fails.
    pub fn start(&self) -> bool {
        let go = |transition: Transition| {
            let id = transition.id_at(self.state());
            id == 0 || self.change_state(id, "")
        };
        go(Transition::Configure) && go(Transition::Activate)
    }

    /// Ends the node, whatever it is at; all requests are answered when this returns.
    pub fn shut_down(&self) {
        self.step(|state| Transition::ShutDown.id_at(state), "");
    }

    fn configure(&self) -> Result<()> {
        let model = load_model(&self.settings())?;
        let has_model = model.is_some();
        *lock(&self.statistics) = Statistics::default();
        self.goals.reset();
        let mut threads = Vec::new();
        for lane in Lane::ALL {
            let around = planning::Surroundings {
                settings: self.settings.clone(),
                clock: self.clock.clone(),
                outbox: self.outbox.clone(),
                transforms: self.transforms.clone(),
                maps: self.maps.clone(),
                goals: self.goals.clone(),
                statistics: self.statistics.clone(),
            };
            // The model's weights are shared.
            let worker = planning::Worker::new(around, model.clone())?;
            let thread = std::thread::Builder::new()
                .name("planning".to_owned())
                .spawn(move || worker.run(lane));
            threads.push(thread.map_err(|source| Error::Io {
                path: "a planning thread".into(),
                source,
            })?);
        }
        *lock(&self.planning) = Some(Planning { threads, has_model });
        Ok(())
    }

    fn deactivate(&self) {
        self.goals.set_open(false);
        self.maps.set_publishing(false);
        let status = lock(&self.bond).end();
        if let Some(status) = status {
            self.outbox.bond(&status);
        }
    }

    fn clean_up(&self) {
        self.goals.finish();
        let planning = lock(&self.planning).take();
        for thread in planning.into_iter().flat_map(|planning| planning.threads) {
            // A panic there has been reported by the panic hook.
            let _ = thread.join();
        }
    }

    /// To be called every [`Bond::PERIOD`].
    pub fn beat(&self) {
        let now = self.now();
        let before = std::mem::replace(&mut *lock(&self.last_beat), now);
        if now < before {
            tracing::warn!("time has jumped back; moving transforms are forgotten");
            self.transforms.forget_moving();
        }
        let status = lock(&self.bond).beat();
        if let Some(status) = status {
            self.outbox.bond(&status);
        }
    }

    /// Takes in what was said on `bond`, by anyone.
    pub fn hear_bond(&self, status: &BondStatus) {
        let answer = lock(&self.bond).hear(status);
        if let Some(status) = answer {
            tracing::info!("the lifecycle manager has ended the bond");
            self.outbox.bond(&status);
        }
    }

    /// Takes a request in; `None` if the node is not active. `reply` is called exactly once, from
    /// another thread or from this one, with the answer.
    pub fn submit(&self, ask: Ask, reply: Reply) -> Option<Ticket> {
        self.goals.submit(ask, reply)
    }

    /// Requests that have no answer yet.
    pub fn in_flight(&self) -> usize {
        self.goals.in_flight()
    }

    /// Whether a path may still be followed.
    pub fn is_path_valid(&self, question: &PathQuestion) -> PathAnswer {
        let Some(ready) = self.maps.present().filter(|_| self.is_active()) else {
            tracing::warn!("a path cannot be checked without a map or while inactive");
            return PathAnswer::none();
        };
        let settings = self.settings();
        let node = &settings.node;
        let poses = self.transforms.with(|buffer| {
            let poses = question.poses.iter().map(|pose| {
                let placed = pose_in(buffer, &ready.frame, pose, node.transform_tolerance);
                Ok(planar(&placed?))
            });
            poses.collect::<Result<Vec<Pose2>>>()
        });
        let poses = match poses {
            Ok(poses) => poses,
            Err(error) => {
                tracing::warn!(%error, "a path cannot be checked");
                return PathAnswer::none();
            }
        };
        let robot = self
            .transforms
            .whereabouts(&node.robot_base_frame, &ready.frame);
        check_path(&ready.snapshot, &poses, question, robot.as_ref())
    }

    /// How the node is.
    pub fn diagnose(&self) -> Diagnosis {
        let has_model = lock(&self.planning)
            .as_ref()
            .is_none_or(|planning| planning.has_model);
        lock(&self.statistics).diagnose(self.state(), &self.maps, &self.settings(), has_model)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.deactivate();
        self.clean_up();
    }
}

/// The model that the settings name, on the device that they name; `None` if none was shipped.
///
/// # Errors
/// A file that is no model, a device that is not there.
fn load_model(settings: &Settings) -> Result<Option<NamedModel>> {
    let compute = settings.planner.device.open()?;
    match settings.node.model.as_str() {
        "" => NamedModel::shipped(&compute),
        file => NamedModel::read(FilePath::new(file), &compute).map(Some),
    }
}
