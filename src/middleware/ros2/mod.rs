//! The node as a ROS 2 node, by rclrs.
//!
//! It opens endpoints and forwards calls, nothing more: which ones there are is in `contract`, what a
//! planner node does in [`crate::node`]. rclrs runs all callbacks on one thread; maps and plans are made
//! on others. The bindings of the messages come from the sourced ROS 2 (`ros-env`).

mod actions;
mod bulk;
// Compiled once per back end, each with its own message types.
#[allow(clippy::duplicate_mod)]
#[path = "../contract/mod.rs"]
mod contract;
mod graph;
mod log;
mod parameters;
mod qos;

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rclrs::{Context, CreateBasicExecutor, Executor, SpinOptions};
use ros_env as wire;
use rosidl_runtime_rs::{Action, Message, Service};

use crate::node::Node;
use crate::node::lock::lock;
use crate::{Error, Result};
use graph::{Graph, Publisher};

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
    graph: Graph,
}

impl Served {
    fn new(executor: &Executor) -> Result<Self> {
        let mut graph = Graph::new(executor)?;
        log::start(graph.ros().logger());
        let declared = parameters::Declared::new(graph.ros())?;
        let settings = declared.settings().clone();
        if settings.planner.threads > 0 {
            // Before anything uses the pool.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.planner.threads);
            pool.build_global().map_err(refused("threads"))?;
        }
        let node = contract::open(&mut graph, settings)?;
        graph.keep(declared.follow(&node));
        graph.look_for_mismatches()?;
        contract::begin(&graph, &node)?;
        Ok(Self { node, graph })
    }

    /// Ends all requests and leaves the graph. A goal whose future still waits when the executor is
    /// dropped would keep the process on the graph as a ghost: it spins until there is none.
    fn end(self, executor: &mut Executor) {
        self.node.shut_down();
        let end = Instant::now() + PATIENCE;
        while self.graph.running().count() > 0 && Instant::now() < end {
            executor.spin(SpinOptions::new().timeout(Duration::from_millis(10)));
        }
        // The last messages of bond and lifecycle get out before their publishers are gone.
        executor.spin(SpinOptions::new().timeout(Duration::from_millis(20)));
    }
}
