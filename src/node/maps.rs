//! The map store: from messages to snapshots that requests plan on.
//!
//! Maps, updates, measurements and wishes to clear come in from any thread and are only put down;
//! one thread of the store puts the layers together (static map, obstacles, inflation) and makes
//! each state of affairs a [`Snapshot`] that never changes. Requests hold the snapshot they began
//! with, so that a map that is resized or cleared meanwhile concerns the next request only (nav2
//! #2437, #2781). A map that makes no sense is refused with the reason, and the last one stays.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::lock::lock;
use super::message::{CostmapMessage, Header, MapMessage, MapUpdate, Measurement, Window, planar};
use super::obstacles::{Combination, Observation, Obstacles, Region};
use super::settings::{ObservationSource, Settings};
use super::transforms::{Transforms, When};
use super::{Clock, Outbox};
use crate::Result;
use crate::grid::{Cost, Costmap, OccupancyGrid, OccupancyMessage, Pose2};
use crate::planner::{PlannerConfig, Snapshot};

/// Measurements that wait for the store at most; older ones go first.
const MOST_MEASUREMENTS: usize = 64;
/// Map updates that wait for the store at most; more are a reason to drop them and say so.
const MOST_UPDATES: usize = 10_000;

/// How soon measurements that wait for a transform are tried again.
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// How soon it is told again that a sensor's measurements are dropped.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// A map that can be planned on.
#[derive(Debug)]
pub struct Ready {
    /// The map with obstacles and inflation.
    pub snapshot: Snapshot,
    /// The frame it lies in.
    pub frame: String,
}

/// What was put down and not looked at yet.
#[derive(Default)]
struct Inbox {
    /// Counts whatever requests have to wait for: maps, updates, settings, wishes to clear.
    received: u64,
    arrivals: Arrivals,
    is_over: bool,
}

/// What has arrived.
#[derive(Default)]
struct Arrivals {
    map: Option<MapMessage>,
    updates: Vec<MapUpdate>,
    measurements: Vec<(String, Measurement)>,
    clears: Vec<Clear>,
    is_changed: bool,
}

impl Arrivals {
    /// Whether a request may be waiting for some of it.
    fn is_urgent(&self) -> bool {
        let is_empty = self.map.is_none() && self.updates.is_empty() && self.clears.is_empty();
        self.is_changed || !is_empty
    }
}

/// A wish to clear, and who wants to know that it is done.
struct Clear {
    region: Region,
    done: Box<dyn FnOnce() + Send>,
}

/// What requests may plan on.
#[derive(Default)]
struct Current {
    ready: Option<Arc<Ready>>,
    /// How much of what was received it contains.
    contains: u64,
    /// Why the last map or update was refused.
    refusal: Option<String>,
    /// How long it took to put the layers together and inflate them.
    made_in: Duration,
}

struct Shared {
    settings: Arc<Mutex<Arc<Settings>>>,
    clock: Arc<dyn Clock>,
    outbox: Arc<dyn Outbox>,
    transforms: Arc<Transforms>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    current: Mutex<Current>,
    changed: Condvar,
    is_publishing: AtomicBool,
    /// How often publishing has begun.
    activations: AtomicU64,
    /// When each sensor was last heard.
    heard: Mutex<BTreeMap<String, Instant>>,
}

/// The store; its thread ends with it.
pub struct Maps {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Maps {
    /// A store without a map.
    pub(super) fn new(
        settings: Arc<Mutex<Arc<Settings>>>,
        clock: Arc<dyn Clock>,
        outbox: Arc<dyn Outbox>,
        transforms: Arc<Transforms>,
    ) -> Self {
        let shared = Arc::new(Shared {
            settings,
            clock,
            outbox,
            transforms,
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            current: Mutex::default(),
            changed: Condvar::new(),
            is_publishing: AtomicBool::new(false),
            activations: AtomicU64::new(0),
            heard: Mutex::default(),
        });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("maps".to_owned())
            .spawn(move || Worker::new(of_thread).run());
        if let Err(error) = &thread {
            tracing::error!(%error, "no thread for maps: there will be no plans");
        }
        Self {
            shared,
            thread: thread.ok(),
        }
    }

    /// A new map; it takes the place of the old one, whatever its size.
    pub fn put_map(&self, map: MapMessage) {
        self.put(|inbox| {
            inbox.arrivals.updates.clear();
            inbox.arrivals.map = Some(map);
            inbox.received += 1;
        });
    }

    /// An update of the map.
    pub fn put_update(&self, update: MapUpdate) {
        self.put(|inbox| {
            if inbox.arrivals.updates.len() >= MOST_UPDATES {
                tracing::warn!("map updates come faster than they can be used; some are dropped");
                inbox.arrivals.updates.clear();
            }
            inbox.arrivals.updates.push(update);
            inbox.received += 1;
        });
    }

    /// What the sensor of this name saw.
    pub fn put_measurement(&self, sensor: &str, measurement: Measurement) {
        lock(&self.shared.heard).insert(sensor.to_owned(), Instant::now());
        self.put(|inbox| {
            if inbox.arrivals.measurements.len() >= MOST_MEASUREMENTS {
                inbox.arrivals.measurements.remove(0);
            }
            inbox
                .arrivals
                .measurements
                .push((sensor.to_owned(), measurement));
        });
    }

    /// Clears what sensors saw; `done` is called once plans no longer meet it.
    pub fn clear(&self, region: Region, done: impl FnOnce() + Send + 'static) {
        self.put(|inbox| {
            inbox.arrivals.clears.push(Clear {
                region,
                done: Box::new(done),
            });
            inbox.received += 1;
        });
    }

    /// Says that the settings have changed.
    pub(super) fn settings_changed(&self) {
        self.put(|inbox| {
            inbox.arrivals.is_changed = true;
            inbox.received += 1;
        });
    }

    /// Whether costmaps are published; the present one is, when this begins.
    pub(super) fn set_publishing(&self, publishing: bool) {
        if publishing {
            self.shared.activations.fetch_add(1, Ordering::SeqCst);
        }
        self.shared
            .is_publishing
            .store(publishing, Ordering::SeqCst);
        self.put(|_| {}); // so that the thread looks
    }

    fn put(&self, change: impl FnOnce(&mut Inbox)) {
        change(&mut lock(&self.shared.inbox));
        self.shared.arrived.notify_all();
    }

    /// The present map, if there is one, whether or not more has been received.
    pub fn present(&self) -> Option<Arc<Ready>> {
        lock(&self.shared.current).ready.clone()
    }

    /// How long it took to make the present map ready.
    pub fn made_in(&self) -> Duration {
        lock(&self.shared.current).made_in
    }

    /// Why the last map or update was refused, if it was.
    pub fn refusal(&self) -> Option<String> {
        lock(&self.shared.current).refusal.clone()
    }

    /// The sensors that have not been heard for longer than they are expected to be silent.
    pub(super) fn late_sensors(&self, settings: &Settings) -> Vec<String> {
        let layer = &settings.node.obstacle_layer;
        let heard = lock(&self.shared.heard);
        let is_late = |name: &&str| {
            let expected_s = layer.source(name).expected_update_rate;
            let silent = heard.get(*name).map(Instant::elapsed);
            layer.enabled
                && expected_s > 0.0
                && silent.is_none_or(|silent| silent.as_secs_f64() > expected_s)
        };
        layer.names().filter(is_late).map(str::to_owned).collect()
    }

    /// A map that contains all that has been received by now, as soon as there is one; `None` if
    /// there is none after `patience`, or when `is_over` says so.
    pub fn current(&self, patience: Duration, is_over: impl Fn() -> bool) -> Option<Arc<Ready>> {
        let received = lock(&self.shared.inbox).received;
        let end = Instant::now() + patience;
        let mut current = lock(&self.shared.current);
        loop {
            if current.contains >= received
                && let Some(ready) = &current.ready
            {
                return Some(ready.clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || is_over() {
                return None;
            }
            // Short naps, so that a cancelled request is noticed.
            let nap = left.min(Duration::from_millis(10));
            current = match self.shared.changed.wait_timeout(current, nap) {
                Ok((current, _)) => current,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl Drop for Maps {
    fn drop(&mut self) {
        self.put(|inbox| inbox.is_over = true);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// The static map and the frame it lies in.
struct StaticMap {
    header: Header,
    grid: OccupancyGrid,
}

/// The thread of the store: it alone knows the layers.
struct Worker {
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
    fn new(shared: Arc<Shared>) -> Self {
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

    fn run(mut self) {
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
            inbox = match due {
                Some(due) => {
                    let nap = due.saturating_duration_since(now);
                    match self.shared.arrived.wait_timeout(inbox, nap) {
                        Ok((inbox, _)) => inbox,
                        Err(poisoned) => poisoned.into_inner().0,
                    }
                }
                None => self
                    .shared
                    .arrived
                    .wait(inbox)
                    .unwrap_or_else(PoisonError::into_inner),
            };
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
        if let Some(message) = arrivals.map {
            match static_map(message, settings) {
                Ok(map) => {
                    self.map = Some(map);
                    is_taken_in = true;
                }
                Err(error) => {
                    tracing::error!(%error, "the map is refused; the last good one stays in use");
                    refusal = Some(error.to_string());
                }
            }
        }
        for update in &arrivals.updates {
            let Some(map) = &mut self.map else {
                tracing::warn!("a map update came before any map; it is ignored");
                continue;
            };
            let applied = map.grid.apply(&update.update);
            match applied {
                Ok(()) => is_taken_in = true,
                Err(error) => {
                    tracing::error!(%error, "a map update is refused; the map stays as it was");
                    refusal = Some(error.to_string());
                }
            }
        }
        is_new |= is_taken_in;
        if let Some(map) = &self.map {
            self.obstacles.fit(map.grid.geometry());
            let frame = map.header.frame.clone();
            let seen = self.observe_all(arrivals.measurements, &frame, settings);
            let robot = self.robot(&frame, settings);
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
                    .clear_robot(&robot, settings.planner.robot_radius);
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

    /// Where the robot is, if that is known.
    fn robot(&self, frame: &str, settings: &Settings) -> Option<Pose2> {
        let base = &settings.node.robot_base_frame;
        let found = self
            .shared
            .transforms
            .lookup(frame, base, When::Latest)
            .ok()?;
        Some(planar(&found.transform))
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
            self.shared.outbox.costmap(&message, is_whole);
        }
        self.published = Some(Published {
            at: Instant::now(),
            activation,
            ready,
        });
    }
}

/// The static map in a message.
fn static_map(message: MapMessage, settings: &Settings) -> Result<StaticMap> {
    let mut header = message.header;
    if header.frame.is_empty() {
        header.frame.clone_from(&settings.node.global_frame);
    }
    let grid = OccupancyGrid::try_from_message(message.grid, settings.planner.max_cells)?;
    Ok(StaticMap { header, grid })
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

/// The smallest window that holds all that differs; `None` if the grids are not the same.
fn changed_window(before: &Ready, after: &Ready) -> Option<Window> {
    let (old, new) = (before.snapshot.inflated(), after.snapshot.inflated());
    if old.geometry() != new.geometry() || before.frame != after.frame {
        return None;
    }
    let width = new.geometry().width();
    let rows = old
        .costs()
        .chunks_exact(width)
        .zip(new.costs().chunks_exact(width));
    let mut bounds: Option<(usize, usize, usize, usize)> = None;
    for (row, (old, new)) in rows.enumerate() {
        let mut differing = old.iter().zip(new).enumerate();
        let Some((first, _)) = differing.find(|(_, (old, new))| old != new) else {
            continue;
        };
        let last = old.iter().zip(new).rposition(|(old, new)| old != new);
        let last = last.unwrap_or(first);
        bounds = Some(match bounds {
            None => (first, last, row, row),
            Some((left, right, bottom, _)) => (left.min(first), right.max(last), bottom, row),
        });
    }
    let window = bounds.map_or(
        Window {
            col: 0,
            row: 0,
            width: 0,
            height: 0,
        },
        |(left, right, bottom, top)| Window {
            col: left,
            row: bottom,
            width: right - left + 1,
            height: top - bottom + 1,
        },
    );
    Some(window)
}

/// Costs as Nav2 publishes them (`nav2_costmap_2d/src/costmap_2d_publisher.cpp`).
fn occupancies(map: &Costmap, window: Window) -> Vec<i8> {
    let table: [i8; 256] = std::array::from_fn(|cost| match Cost(cost as u8) {
        Cost::FREE => 0,
        Cost::UNKNOWN => -1,
        Cost::LETHAL => 100,
        Cost::INSCRIBED => 99,
        Cost(cost) => (1 + 97 * (i32::from(cost) - 1) / 251) as i8,
    });
    let width = map.geometry().width();
    let rows = window.row..window.row + window.height;
    let mut data = Vec::with_capacity(window.width * window.height);
    for row in rows {
        let start = row * width + window.col;
        let costs = &map.costs()[start..start + window.width];
        data.extend(costs.iter().map(|cost| table[cost.0 as usize]));
    }
    data
}

/// The message of a grid, for those who have a map file and no map server.
pub fn map_message(header: Header, grid: &OccupancyGrid) -> MapMessage {
    let geometry = grid.geometry();
    let origin = geometry.origin();
    MapMessage {
        header,
        grid: OccupancyMessage {
            width: geometry.width() as u32,
            height: geometry.height() as u32,
            resolution: geometry.resolution() as f32,
            position: [origin.x, origin.y, 0.0],
            orientation: crate::grid::Quaternion::from_yaw(origin.yaw),
            data: grid.data().to_vec(),
        },
    }
}

/// What a request is told that has to do without a current map.
pub(super) fn no_map(maps: &Maps, settings: &Settings) -> String {
    let waited = settings.node.costmap_update_timeout;
    let topic = &settings.node.map_topic;
    match maps.refusal() {
        Some(refusal) => format!("no usable map within {waited} s: {refusal}"),
        None => format!(
            "no current map within {waited} s; check that something publishes on `{topic}` with \
             the QoS of map_qos_*, or raise costmap_update_timeout"
        ),
    }
}
