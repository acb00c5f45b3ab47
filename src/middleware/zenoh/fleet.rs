//! Many nodes behind one client: each request goes to one node, and if that one dies, to another.
//!
//! Every node of a fleet serves `~/plan_batch` under its own name, and says so by a liveliness token; Zenoh
//! routers carry both. Whoever asks keeps count of what each node is at, and asks the one with the least.
//! A node's death ends its queries, which are then asked of the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use zenoh::Wait;
use zenoh::sample::{Sample, SampleKind};

use super::client::{Caller, Client, server_of};
use super::interfaces::Service;
use super::interfaces::hrm_planner_msgs::srv::{PlanBatch, PlanBatch_Request, PlanBatch_Response};
use super::refused;
use crate::node::lock::{lock, wait};
use crate::{Error, Result};

/// What the service is called below its node's name.
const SERVICE: &str = "/plan_batch";

/// How long to leave a node alone that has just failed to answer, if there is no other.
const PAUSE: Duration = Duration::from_millis(20);

/// All nodes that can plan.
pub struct Fleet {
    client: Mutex<Client>,
    nodes: Arc<Nodes>,
    // Dropped with the fleet: no nodes are noticed after that.
    _noticing: zenoh::pubsub::Subscriber<()>,
}

/// Asks one node.
type Asker = Arc<Caller<PlanBatch_Request, PlanBatch_Response>>;

#[derive(Default)]
struct Nodes {
    known: Mutex<BTreeMap<String, NodeEntry>>,
    changed: Condvar,
}

#[derive(Default)]
struct NodeEntry {
    /// Its tokens: a node that was started again may be there twice for a moment.
    tokens: usize,
    in_flight: usize,
    /// When it last failed to answer.
    failed: Option<Instant>,
    asker: Option<Asker>,
}

/// An answer and whose it is.
pub struct Answered {
    /// The node's full name.
    pub node: String,
    /// How many nodes were asked before and did not answer.
    pub failures: usize,
    /// What it said.
    pub response: PlanBatch_Response,
}

impl Fleet {
    /// Looks for nodes on the client's network from now on.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn new(client: Client) -> Result<Self> {
        let nodes = Arc::new(Nodes::default());
        let noticed = nodes.clone();
        let domain = client.graph().names().domain();
        let noticing = client
            .graph()
            .session()
            .liveliness()
            .declare_subscriber(format!("@ros2_lv/{domain}/*/*/*/SS/**"))
            .history(true)
            .callback(move |sample: Sample| noticed.notice(&sample))
            .wait()
            .map_err(refused("looking for the fleet"))?;
        Ok(Self {
            client: Mutex::new(client),
            nodes,
            _noticing: noticing,
        })
    }

    /// The names of the nodes that are there.
    pub fn nodes(&self) -> Vec<String> {
        let known = lock(&self.nodes.known);
        let there = known.iter().filter(|(_, entry)| entry.tokens > 0);
        there.map(|(name, _)| name.clone()).collect()
    }

    /// Asks the node that is at the least, and another one if that one dies or is not active; each
    /// request has one answer. From any thread.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] if no node answered in time.
    pub fn ask(&self, request: &PlanBatch_Request, patience: Duration) -> Result<Answered> {
        let end = Instant::now() + patience;
        let mut failures = 0;
        while let Some(node) = self.nodes.take(end) {
            let answer = self.asker(&node).and_then(|asker| {
                asker.ask(request, end.saturating_duration_since(Instant::now()))
            });
            // One that has begun but is not active yet says so without a plan or an error for each start.
            let answer = answer.map(|answer| {
                answer.filter(|answer| answer.error_codes.len() == request.starts.len())
            });
            self.nodes.give_back(&node, matches!(answer, Ok(Some(_))));
            match answer {
                Ok(Some(response)) => {
                    return Ok(Answered {
                        node,
                        failures,
                        response,
                    });
                }
                Ok(None) => tracing::info!("{node} did not answer; another one is asked"),
                Err(error) => tracing::warn!(%error, "{node} cannot be asked"),
            }
            failures += 1;
        }
        Err(Error::NoAnswer {
            name: "*/plan_batch".to_owned(),
        })
    }

    /// Whom to ask through.
    fn asker(&self, node: &str) -> Result<Asker> {
        let known = lock(&self.nodes.known)
            .get(node)
            .and_then(|entry| entry.asker.clone());
        if let Some(asker) = known {
            return Ok(asker);
        }
        let name = format!("{node}{SERVICE}");
        let asker: Asker = Arc::new(lock(&self.client).caller::<PlanBatch>(&name)?);
        let mut known = lock(&self.nodes.known);
        let entry = known.entry(node.to_owned()).or_default();
        Ok(entry.asker.get_or_insert(asker).clone())
    }
}

impl Nodes {
    fn notice(&self, sample: &Sample) {
        let Some(seen) = server_of(sample.key_expr().as_str(), PlanBatch::KIND) else {
            return;
        };
        let Some(node) = seen.name.strip_suffix(SERVICE) else {
            return;
        };
        let mut known = lock(&self.known);
        let entry = known.entry(node.to_owned()).or_default();
        if sample.kind() == SampleKind::Put {
            entry.tokens += 1;
            entry.failed = None;
        } else {
            entry.tokens = entry.tokens.saturating_sub(1);
        }
        drop(known);
        self.changed.notify_all();
    }

    /// Waits for a node, and takes the one that is at the least.
    fn take(&self, end: Instant) -> Option<String> {
        let mut known = lock(&self.known);
        loop {
            let now = Instant::now();
            if now >= end {
                return None;
            }
            let is_ready = |entry: &NodeEntry| {
                entry.tokens > 0 && entry.failed.is_none_or(|failed| failed + PAUSE <= now)
            };
            let ready = known.iter_mut().filter(|(_, entry)| is_ready(entry));
            if let Some((name, entry)) = ready.min_by_key(|(_, entry)| entry.in_flight) {
                entry.in_flight += 1;
                return Some(name.clone());
            }
            known = wait(&self.changed, known, Some(PAUSE.min(end - now)));
        }
    }

    fn give_back(&self, node: &str, has_answered: bool) {
        if let Some(entry) = lock(&self.known).get_mut(node) {
            entry.in_flight -= 1;
            entry.failed = (!has_answered).then(Instant::now);
        }
        self.changed.notify_all();
    }
}
