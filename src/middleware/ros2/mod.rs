//! The node as a ROS 2 node, by rclrs: every endpoint of DESIGN section 7.
//!
//! It translates messages and forwards calls, nothing more: what a planner node does is in
//! [`crate::node`]. rclrs runs all callbacks on one thread; maps and plans are made on others.
//! The bindings of the messages come from the sourced ROS 2 (`ros-env`).

mod actions;
mod convert;
mod lifecycle;
mod log;
mod parameters;
mod publishers;
mod qos;
mod sensors;
mod services;

use std::any::Any;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rclrs::{Context, CreateBasicExecutor, Executor, IntoTimerOptions, SpinOptions};

use crate::node::bond::Bond;
use crate::node::lock::lock;
use crate::node::{Clock, Node, Time};
use crate::{Error, Result};
use actions::Running;
use publishers::Publishers;

/// The node's name where nobody gives another (`-r __node:=planner_server`).
const NAME: &str = "hrm_planner";

/// A spin that ends with an error sooner than this is a failure of its own.
const BRIEFLY: Duration = Duration::from_millis(10);
/// So many of them in a row are no accident.
const MOST_FAILURES: u32 = 1000;

/// For how long requests may go on ending once the process is to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything here lives as long as this: subscriptions, services, timers.
type Parts = Vec<Box<dyn Any>>;

/// An rclrs error as one of this crate's.
fn refused<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
    let what = what.into();
    move |error| Error::Middleware {
        what,
        reason: error.to_string(),
    }
}

/// The clock that the node's parameters ask for.
struct RosClock(rclrs::Clock);

impl Clock for RosClock {
    fn now(&self) -> Time {
        Time(self.0.now().nsec)
    }
}

/// A number that no other run of the node has.
fn instance() -> u128 {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    half() << 64 | half()
}

/// Runs the node until SIGINT or SIGTERM, with the arguments of the process.
///
/// # Errors
/// Arguments or parameters that make no sense, a ROS 2 that does not work.
pub fn run() -> Result<()> {
    let context = Context::default_from_env().map_err(refused("the ROS arguments"))?;
    let mut executor = context.create_basic_executor();
    let ending = Ending::by_signals()?;
    let served = Served::new(&executor)?;
    let outcome = spin(&mut executor, &ending);
    tracing::info!("ending");
    served.end(&mut executor);
    outcome
}

/// Spins until the process is to end. rclrs leaves off at the first error of any of its parts, such as
/// an answer to a client that has gone: one more reason to log, none to end a robot's planner.
fn spin(executor: &mut Executor, ending: &Ending) -> Result<()> {
    let mut failures = 0;
    loop {
        let begin = Instant::now();
        let errors = executor.spin(SpinOptions::new().until_promise_resolved(ending.promise()));
        if ending.has_come() {
            return Ok(());
        }
        let reason = errors
            .first()
            .map_or("no reason".to_owned(), ToString::to_string);
        failures = if begin.elapsed() < BRIEFLY {
            failures + 1
        } else {
            0
        };
        if failures > MOST_FAILURES {
            return Err(Error::Middleware {
                what: "spinning fails again and again".to_owned(),
                reason,
            });
        }
        tracing::warn!(error = reason, "ROS reports an error; the node goes on");
    }
}

/// The end of the process, asked for by SIGINT or SIGTERM.
#[derive(Clone, Default)]
struct Ending(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    has_come: bool,
    /// Of all spins: rclrs would end the present one if that of an earlier one were dropped.
    promises: Vec<futures::channel::oneshot::Sender<()>>,
}

impl Ending {
    fn by_signals() -> Result<Self> {
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
        let mut signals = signal_hook::iterator::Signals::new(signals)
            .map_err(refused("listening to SIGINT and SIGTERM"))?;
        let ending = Self::default();
        let of_thread = ending.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                let mut asked = lock(&of_thread.0);
                asked.has_come = true;
                for promise in asked.promises.drain(..) {
                    let _ = promise.send(()); // fails for spins that have ended
                }
            }
        });
        Ok(ending)
    }

    fn has_come(&self) -> bool {
        lock(&self.0).has_come
    }

    /// What is resolved when the end has come, also if it has come already.
    fn promise(&self) -> futures::channel::oneshot::Receiver<()> {
        let (resolve, promise) = futures::channel::oneshot::channel();
        let mut asked = lock(&self.0);
        if asked.has_come {
            let _ = resolve.send(());
        } else {
            asked.promises.push(resolve);
        }
        promise
    }
}

/// The node and all that keeps it on the ROS graph.
struct Served {
    node: Arc<Node>,
    running: Running,
    _parts: Parts,
}

impl Served {
    fn new(executor: &Executor) -> Result<Self> {
        let ros = executor
            .create_node(NAME)
            .map_err(refused("creating the node"))?;
        log::start(ros.logger());
        let declared = parameters::Declared::new(&ros)?;
        let settings = declared.settings().clone();
        if settings.planner.threads > 0 {
            // Before anything uses the pool.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.planner.threads);
            pool.build_global().map_err(refused("threads"))?;
        }
        let publishers = Arc::new(Publishers::new(&ros, &settings)?);
        let clock = Arc::new(RosClock(ros.get_clock()));
        let autostart = settings.node.autostart_node;
        let period_s = settings.node.diagnostics_period;
        let node = Node::new(&ros.name(), instance(), settings, clock, publishers.clone())?;
        let node = Arc::new(node);
        let running = Running::default();

        let mut parts: Parts = declared.follow(&node);
        parts.extend(sensors::subscribe(&ros, &node)?);
        parts.extend(lifecycle::serve(&ros, &node)?);
        parts.extend(services::serve(&ros, &node)?);
        parts.extend(actions::serve(&ros, &node, &running)?);
        let beating = Arc::downgrade(&node);
        let beat = ros.create_timer_repeating(Bond::PERIOD.steady_time(), move || {
            if let Some(node) = beating.upgrade() {
                node.beat();
            }
        });
        parts.push(Box::new(beat.map_err(refused("the heartbeat"))?));
        if period_s > 0.0 {
            let diagnosed = Arc::downgrade(&node);
            let period = Duration::from_secs_f64(period_s);
            let diagnose = ros.create_timer_repeating(period.steady_time(), move || {
                if let Some(node) = diagnosed.upgrade() {
                    publishers.diagnosis(&node);
                }
            });
            parts.push(Box::new(diagnose.map_err(refused("diagnostics"))?));
        }
        if autostart && !node.start() {
            return Err(Error::Middleware {
                what: "autostart_node".to_owned(),
                reason: "the node could not be configured; the log says why".to_owned(),
            });
        }
        tracing::info!(
            name = ros.fully_qualified_name(),
            state = node.state().label(),
            "ready"
        );
        Ok(Self {
            node,
            running,
            _parts: parts,
        })
    }

    /// Ends all requests and leaves the graph. A goal whose future still waits when the executor is
    /// dropped would keep the process on the graph as a ghost: it spins until there is none.
    fn end(self, executor: &mut Executor) {
        self.node.shut_down();
        let end = Instant::now() + PATIENCE;
        while self.running.count() > 0 && Instant::now() < end {
            executor.spin(SpinOptions::new().timeout(Duration::from_millis(10)));
        }
        // The last messages of bond and lifecycle get out before their publishers are gone.
        executor.spin(SpinOptions::new().timeout(Duration::from_millis(20)));
    }
}
