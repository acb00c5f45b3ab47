//! The thread of the map store: it alone knows the layers.
//!
//! In go what has arrived ([`super::maps`]); out come snapshots for requests and costmaps for those who
//! subscribe. Everything here is done in turn; nothing waits for a transform.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::costmap_message::{changed_window, occupancies};
use super::lock::{lock, wait};
use super::maps::{Arrivals, MOST_MEASUREMENTS, Ready, Shared};
use super::message::{CostmapMessage, Header, MapMessage, Measurement, Window};
use super::obstacles::{Combination, Observation, Obstacles, Region};
use super::settings::{ObservationSource, Settings};
use super::transforms::When;
use crate::Result;
use crate::grid::{Cost, Costmap, OccupancyGrid, Pose2};
use crate::planner::{PlannerConfig, Snapshot};

/// How soon measurements that wait for a transform are tried again.
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// How soon it is told again that a sensor's measurements are dropped.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// The static map and the frame it lies in.
pub(super) struct StaticMap {
    header: Header,
    grid: OccupancyGrid,
}

impl StaticMap {
    /// The map in a message.
    ///
    /// # Errors
    /// As [`OccupancyGrid::try_from_message`].
    pub fn of(message: MapMessage, settings: &Settings) -> Result<Self> {
        let mut header = message.header;
        if header.frame.is_empty() {
            header.frame.clone_from(&settings.node.global_frame);
        }
        let grid = OccupancyGrid::try_from_message(message.grid, settings.planner.max_cells)?;
        Ok(Self { header, grid })
    }
}

/// The thread of the store: it alone knows the layers.
pub(super) struct Worker {
    shared: Arc<Shared>,
    map: Option<StaticMap>,
    obstacles: Obstacles,
    /// Measurements whose transforms are not there yet.
    unplaced: Vec<Unplaced>,
    /// When it was last told that a sensor's measurements are dropped.
    told: BTreeMap<String, Option<Instant>>,
    published: Option<Published>,
    made: Instant,
}

/// A measurement that waits for its transform.
struct Unplaced {
    sensor: String,
    measurement: Measurement,
    until: Instant,
}

/// The costmap that was published last.
struct Published {
    at: Instant,
    activation: u64,
    ready: Arc<Ready>,
}

impl Worker {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            map: None,
            obstacles: Obstacles::default(),
            unplaced: Vec::new(),
            told: BTreeMap::new(),
            published: None,
            made: Instant::now(),
        }
    }

    pub fn run(mut self) {
        while let Some((received, arrivals)) = self.wait() {
            let settings = lock(&self.shared.settings).clone();
            // A defect costs one batch of messages, not the thread.
            let digested = catch_unwind(AssertUnwindSafe(|| {
                let done = self.digest(received, arrivals, &settings);
                self.publish(&settings);
                done
            }));
            if let Ok(done) = digested {
                for done in done {
                    done();
                }
            } else {
                let defect = "the map store panicked, which is a defect: please report it";
                tracing::error!("{defect}");
                let mut current = lock(&self.shared.current);
                current.refusal = Some(defect.to_owned());
                current.contains = received;
            }
        }
    }

    /// Waits for something to do: what has arrived, and how much has been received with it. `None`
    /// at the end.
    fn wait(&self) -> Option<(u64, Arrivals)> {
        let tried_again = (!self.unplaced.is_empty()).then(|| Instant::now() + TRY_AGAIN);
        let mut inbox = lock(&self.shared.inbox);
        loop {
            if inbox.is_over {
                return None;
            }
            let settings = lock(&self.shared.settings).clone();
            let is_urgent = inbox.arrivals.is_urgent();
            let sensors_due = if inbox.arrivals.measurements.is_empty() {
                None
            } else {
                Some(self.made + period(settings.node.update_frequency))
            };
            let due = [sensors_due, self.publication_due(&settings), tried_again];
            let due = due.into_iter().flatten().min();
            let now = Instant::now();
            if is_urgent || due.is_some_and(|due| due <= now) {
                let mut arrivals = std::mem::take(&mut inbox.arrivals);
                if !is_urgent && sensors_due.is_some_and(|due| due > now) {
                    // Only a publication is due: sensors wait for their turn.
                    inbox.arrivals.measurements = std::mem::take(&mut arrivals.measurements);
                }
                return Some((inbox.received, arrivals));
            }
            let nap = due.map(|due| due.saturating_duration_since(now));
            inbox = wait(&self.shared.arrived, inbox, nap);
        }
    }

    /// Takes in what has arrived and makes a snapshot of it; what is to be done once it is in use.
    fn digest(
        &mut self,
        received: u64,
        arrivals: Arrivals,
        settings: &Settings,
    ) -> Vec<Box<dyn FnOnce() + Send>> {
        let mut is_new = arrivals.is_changed;
        let mut is_taken_in = false;
        let mut refusal = None;
        if let Some((at, reason)) = arrivals.refusal {
            let is_newest = arrivals.map.as_ref().is_none_or(|(good, _)| at > *good);
            refusal = Some(reason).filter(|_| is_newest);
        }
        if let Some((_, map)) = arrivals.map {
            self.map = Some(map);
            is_taken_in = true;
        }
        for update in &arrivals.updates {
            let Some(map) = &mut self.map else {
                let reason = "it came before any map";
                self.shared.log_refusal(&reason, "a map update");
                continue;
            };
            let applied = map.grid.apply(&update.update);
            match applied {
                Ok(()) => is_taken_in = true,
                Err(error) => {
                    self.shared.log_refusal(&error, "a map update");
                    refusal = Some(error.to_string());
                }
            }
        }
        is_new |= is_taken_in;
        if let Some(map) = &self.map {
            self.obstacles.fit(map.grid.geometry());
            let frame = map.header.frame.clone();
            let seen = self.observe_all(arrivals.measurements, &frame, settings);
            let base = &settings.node.robot_base_frame;
            let robot = self.shared.transforms.whereabouts(base, &frame);
            for clear in &arrivals.clears {
                match (clear.region, robot) {
                    (Region::Everything, _) => {
                        self.obstacles.clear(clear.region, &Pose2::default());
                    }
                    (region, Some(robot)) => self.obstacles.clear(region, &robot),
                    (_, None) => tracing::error!(
                        "where the robot is is not known, so nothing is cleared around it"
                    ),
                }
            }
            if seen
                && settings.node.obstacle_layer.footprint_clearing_enabled
                && let Some(robot) = robot
            {
                self.obstacles
                    .clear_robot(&robot, settings.planner.radius());
            }
            is_new |= seen || !arrivals.clears.is_empty();
        }
        let begin = Instant::now();
        let ready = is_new.then(|| self.compose(settings)).flatten();
        let made_in = begin.elapsed();
        let mut current = lock(&self.shared.current);
        match ready {
            Some(Ok(ready)) => {
                current.ready = Some(Arc::new(ready));
                current.made_in = made_in;
                self.made = Instant::now();
                if is_taken_in && refusal.is_none() {
                    current.refusal = None;
                }
            }
            Some(Err(error)) => {
                tracing::error!(%error, "the map cannot be made ready; the last good one stays in use");
                refusal = Some(error.to_string());
            }
            None => {}
        }
        current.contains = received;
        if refusal.is_some() {
            current.refusal = refusal;
        }
        drop(current);
        self.shared.changed.notify_all();
        arrivals
            .clears
            .into_iter()
            .map(|clear| clear.done)
            .collect()
    }

    /// Takes measurements in, those that wait for a transform among them; whether any counted. None
    /// is waited for: what cannot be placed yet is tried again until its patience is over.
    fn observe_all(
        &mut self,
        arrived: Vec<(String, Measurement)>,
        frame: &str,
        settings: &Settings,
    ) -> bool {
        let now = Instant::now();
        let patience = Duration::from_secs_f64(settings.node.transform_tolerance.min(10.0));
        let arrived = arrived.into_iter().map(|(sensor, measurement)| Unplaced {
            sensor,
            measurement,
            until: now + patience,
        });
        let mut unplaced = std::mem::take(&mut self.unplaced);
        unplaced.extend(arrived);
        let excess = unplaced.len().saturating_sub(MOST_MEASUREMENTS);
        unplaced.drain(..excess);
        if !settings.node.obstacle_layer.enabled {
            return false;
        }
        let mut seen = false;
        for one in unplaced {
            let source = settings.node.obstacle_layer.source(&one.sensor);
            match self.observe((&one.sensor, &source), &one.measurement, frame) {
                Ok(()) => seen = true,
                Err(_) if now < one.until => self.unplaced.push(one),
                Err(error) => {
                    let told = self.told.entry(one.sensor.clone()).or_insert(None);
                    if told.is_none_or(|at: Instant| at.elapsed() > TELL_AGAIN) {
                        *told = Some(now);
                        tracing::warn!(%error, sensor = one.sensor, "measurements are dropped");
                    }
                }
            }
        }
        seen
    }

    /// Takes a measurement in.
    ///
    /// # Errors
    /// It cannot be brought into the map's frame.
    fn observe(
        &mut self,
        (sensor, source): (&str, &ObservationSource),
        measurement: &Measurement,
        frame: &str,
    ) -> Result<()> {
        let header = &measurement.header;
        let stamp = header.stamp;
        let when = if stamp.is_zero() {
            When::Latest
        } else {
            When::At(stamp)
        };
        let look = |source: &str| self.shared.transforms.lookup(frame, source, when);
        let points = look(&header.frame)?.transform;
        let origin = match source.sensor_frame.as_str() {
            "" => points,
            sensor_frame => look(sensor_frame)?.transform,
        };
        let placed = |point: &[f32; 3]| points * nalgebra::Point3::from(point.map(f64::from));
        let origin = origin.translation.vector;
        let seen = Observation {
            origin: (origin.x, origin.y),
            hits: measurement
                .hits
                .iter()
                .map(|hit| {
                    let point = placed(hit);
                    (point.x, point.y, point.z)
                })
                .collect(),
            misses: measurement
                .misses
                .iter()
                .map(|miss| {
                    let point = placed(miss);
                    (point.x, point.y)
                })
                .collect(),
        };
        self.obstacles.observe(sensor, source, &seen);
        Ok(())
    }

    /// The layers put together; `None` without a map.
    fn compose(&self, settings: &Settings) -> Option<Result<Ready>> {
        let map = self.map.as_ref()?;
        let node = &settings.node;
        let mut costs = if node.static_layer.enabled {
            map.grid.to_costmap(node.static_layer.rule())
        } else {
            Costmap::filled(*map.grid.geometry(), Cost::FREE)
        };
        if node.obstacle_layer.enabled {
            let combination = Combination::by_number(node.obstacle_layer.combination_method);
            self.obstacles.apply(&mut costs, combination);
        }
        // A published costmap has its inflation already; more would come on top of it.
        let config = if node.static_layer.is_costmap {
            PlannerConfig {
                inflation_radius: 0.0,
                ..settings.planner.clone()
            }
        } else {
            settings.planner.clone()
        };
        let snapshot = Snapshot::new(costs, &config);
        Some(snapshot.map(|snapshot| Ready {
            snapshot: snapshot.with_stamp(map.header.stamp.seconds()),
            frame: map.header.frame.clone(),
        }))
    }

    /// When the costmap is to be published next; `None` if there is nothing new to publish.
    fn publication_due(&self, settings: &Settings) -> Option<Instant> {
        let is_asked = self.shared.is_publishing.load(Ordering::SeqCst)
            && settings.node.publish_frequency > 0.0;
        let ready = lock(&self.shared.current)
            .ready
            .clone()
            .filter(|_| is_asked)?;
        let activation = self.shared.activations.load(Ordering::SeqCst);
        match &self.published {
            Some(last) if last.activation != activation => Some(Instant::now()),
            Some(last) if Arc::ptr_eq(&last.ready, &ready) => None,
            Some(last) => Some(last.at + period(settings.node.publish_frequency)),
            None => Some(Instant::now()),
        }
    }

    /// Publishes the costmap if it is time.
    fn publish(&mut self, settings: &Settings) {
        let activation = self.shared.activations.load(Ordering::SeqCst);
        // Whoever listens to a node that was activated anew gets all of it.
        self.published.take_if(|last| last.activation != activation);
        let due = self.publication_due(settings);
        let ready = lock(&self.shared.current).ready.clone();
        let (Some(due), Some(ready)) = (due, ready) else {
            return;
        };
        if due > Instant::now() {
            return;
        }
        let window = self.published.as_ref().and_then(|last| {
            let is_part = !settings.node.always_send_full_costmap;
            is_part
                .then(|| changed_window(&last.ready, &ready))
                .flatten()
        });
        let header = Header {
            stamp: self.shared.clock.now(),
            frame: ready.frame.clone(),
        };
        let geometry = *ready.snapshot.geometry();
        let is_whole = window.is_none();
        let window = window.unwrap_or(Window::whole(&geometry));
        if is_whole || window.width > 0 {
            let message = CostmapMessage {
                header,
                geometry,
                window,
                data: occupancies(ready.snapshot.inflated(), window),
            };
            self.shared.outbox.costmap(message, is_whole);
        }
        self.published = Some(Published {
            at: Instant::now(),
            activation,
            ready,
        });
    }
}

/// The seconds of one period; a frequency of 0 is one of no limit.
fn period(frequency: f64) -> Duration {
    if frequency > 0.0 {
        // An hour stands for ever: more would not fit a clock.
        Duration::from_secs_f64((1.0 / frequency).min(3600.0))
    } else {
        Duration::ZERO
    }
}
