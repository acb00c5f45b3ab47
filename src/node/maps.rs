//! The map store: from messages to snapshots that requests plan on.
//!
//! Maps, updates, measurements and wishes to clear come in from any thread and are only put down;
//! one thread ([`super::layers`]) puts the layers together (static map, obstacles, inflation) and makes
//! each state of affairs a [`Snapshot`] that never changes. Requests hold the snapshot they began
//! with, so that a map that is resized or cleared meanwhile concerns the next request only (nav2
//! #2437, #2781). A map that makes no sense is refused with the reason, and the last one stays.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::layers::{StaticMap, Worker};
use super::lock::{lock, wait_for};
use super::message::{MapMessage, MapUpdate, Measurement};
use super::obstacles::Region;
use super::settings::Settings;
use super::throttle::Throttle;
use super::transforms::Transforms;
use super::{Clock, Outbox};
use crate::planner::Snapshot;

/// Measurements that wait for the store at most; older ones go first.
pub(super) const MOST_MEASUREMENTS: usize = 64;
/// Map updates that wait for the store at most, and at most as many cells as a map may have wait with them.
const MOST_UPDATES: usize = 10_000;

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
pub(super) struct Inbox {
    /// Counts whatever requests have to wait for: maps, updates, settings, wishes to clear.
    pub received: u64,
    pub arrivals: Arrivals,
    pub is_over: bool,
}

/// What has arrived.
#[derive(Default)]
pub(super) struct Arrivals {
    /// The newest good map, and which of all that was received it is.
    pub map: Option<(u64, StaticMap)>,
    /// Why the newest bad one is refused, and which it is.
    pub refusal: Option<(u64, String)>,
    /// In the order of their arrival.
    pub updates: Vec<MapUpdate>,
    pub measurements: Vec<(String, Measurement)>,
    pub clears: Vec<Clear>,
    pub is_changed: bool,
}

impl Arrivals {
    /// Adds an update of the map; one that was waiting for the very same cells says nothing any more.
    ///
    /// Where too much is waiting, all of it is given up, and this says so: memory has an end, and a map with
    /// some of its updates is no better than one with none.
    fn add_update(&mut self, update: MapUpdate, most_cells: usize) -> Option<String> {
        self.updates.retain(|old| !update.replaces(old));
        self.updates.push(update);
        let cells: usize = self.updates.iter().map(|one| one.update.data.len()).sum();
        // One alone is judged with the map that it is for.
        let is_too_much = cells > most_cells && self.updates.len() > 1;
        (is_too_much || self.updates.len() > MOST_UPDATES).then(|| {
            let count = self.updates.len();
            self.updates.clear();
            format!(
                "{count} map updates came faster than they can be used and are dropped; \
                 send the whole map again, and updates less often"
            )
        })
    }

    /// Whether a request may be waiting for some of it.
    pub fn is_urgent(&self) -> bool {
        let is_empty = self.map.is_none() && self.updates.is_empty() && self.clears.is_empty();
        self.is_changed || self.refusal.is_some() || !is_empty
    }
}

/// A wish to clear, and who wants to know that it is done.
pub(super) struct Clear {
    pub region: Region,
    pub done: Box<dyn FnOnce() + Send>,
}

/// What requests may plan on.
#[derive(Default)]
pub(super) struct Current {
    pub ready: Option<Arc<Ready>>,
    /// How much of what was received it contains.
    pub contains: u64,
    /// Why the last map or update was refused.
    pub refusal: Option<String>,
    /// How long it took to put the layers together and inflate them.
    pub made_in: Duration,
}

pub(super) struct Shared {
    pub settings: Arc<Mutex<Arc<Settings>>>,
    pub clock: Arc<dyn Clock>,
    pub outbox: Arc<dyn Outbox>,
    pub transforms: Arc<Transforms>,
    pub inbox: Mutex<Inbox>,
    pub arrived: Condvar,
    pub current: Mutex<Current>,
    pub changed: Condvar,
    pub is_publishing: AtomicBool,
    /// How often publishing has begun.
    pub activations: AtomicU64,
    /// When each sensor was last heard.
    pub heard: Mutex<BTreeMap<String, Instant>>,
    /// For maps and updates that are refused.
    pub refusals: Throttle,
}

impl Shared {
    /// Logs why a map or update is not used.
    pub fn log_refusal(&self, error: &dyn std::fmt::Display, what: &str) {
        if let Some(held_back) = self.refusals.pass() {
            tracing::error!(%error, held_back, "{what} is refused; the map stays as it is");
        }
    }
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
            refusals: Throttle::default(),
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
    ///
    /// It is checked here, which takes less than copying it did: one that makes no sense must not take
    /// the place of a good one that nobody has looked at yet.
    pub fn put_map(&self, map: MapMessage) {
        let settings = lock(&self.shared.settings).clone();
        let map = StaticMap::of(map, &settings);
        self.put(|inbox| {
            inbox.received += 1;
            match map {
                Ok(map) => {
                    inbox.arrivals.updates.clear();
                    inbox.arrivals.map = Some((inbox.received, map));
                }
                Err(error) => {
                    self.shared.log_refusal(&error, "the map");
                    inbox.arrivals.refusal = Some((inbox.received, error.to_string()));
                }
            }
        });
    }

    /// An update of the map.
    pub fn put_update(&self, update: MapUpdate) {
        let most_cells = lock(&self.shared.settings).planner.max_cells;
        self.put(|inbox| {
            inbox.received += 1;
            if let Some(reason) = inbox.arrivals.add_update(update, most_cells) {
                self.shared.log_refusal(&reason, "a map update");
                inbox.arrivals.refusal = Some((inbox.received, reason));
            }
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
        let shared = &self.shared;
        let look = |current: &Current| {
            let ready = current.ready.as_ref();
            let ready = ready.filter(|_| current.contains >= received);
            ready.cloned().ok_or(())
        };
        wait_for((&shared.current, &shared.changed), patience, is_over, look).ok()
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
