//! Many nodes behind one client: each request goes to one node, and if that one dies, to another.
//!
//! Every node of a fleet serves `~/plan_batch` under its own name, and says so by a liveliness token; Zenoh
//! routers carry both. Whoever asks keeps count of its own requests at each node, and asks one with the
//! fewest. A node's death ends its queries, which are then asked of the others; so is what a node could not
//! do for reasons of its own, as it is ending or has no map yet.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use zenoh::Wait;
use zenoh::sample::{Sample, SampleKind};

use super::client::{Caller, Client, server_of};
use super::interfaces::Service;
use super::interfaces::hrm_planner_msgs::srv::{PlanBatch, PlanBatch_Request, PlanBatch_Response};
use super::refused;
use crate::node::lock::{lock, wait};
use crate::planner::NavError;
use crate::{Error, Result};

/// What the service is called below its node's name.
const SERVICE: &str = "/plan_batch";

/// How long to leave a node alone that has just failed to answer, if there is no other.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the first request waits, so that it is not the first node to be heard of that gets it.
const LISTENING: Duration = Duration::from_millis(50);

/// A node that is silent for this share of the patience, but at least so long, is given up: it may have
/// lost its power or its network, which nobody tells.
const SILENCE: (u32, Duration) = (3, Duration::from_secs(3));

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
    lots: RandomState,
}

#[derive(Default)]
struct NodeEntry {
    /// Its tokens: a node that was started again may be there twice for a moment.
    tokens: BTreeSet<String>,
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
        std::thread::sleep(LISTENING);
        Ok(Self {
            client: Mutex::new(client),
            nodes,
            _noticing: noticing,
        })
    }

    /// The names of the nodes that are there.
    pub fn nodes(&self) -> Vec<String> {
        let known = lock(&self.nodes.known);
        let there = known.iter().filter(|(_, entry)| !entry.tokens.is_empty());
        there.map(|(name, _)| name.clone()).collect()
    }

    /// Asks a node that has the fewest requests of this fleet's, and another one if that one cannot answer;
    /// each request has one answer. From any thread.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] if no node answered in time.
    pub fn ask(&self, request: &PlanBatch_Request, patience: Duration) -> Result<Answered> {
        let end = Instant::now() + patience;
        let (share, least) = SILENCE;
        let silence = (patience / share).max(least);
        let mut failures = 0;
        // What nodes said that could not, and which have.
        let mut last = None;
        let mut unable = BTreeSet::new();
        while let Some(node) = self.nodes.take(end) {
            let left = end.saturating_duration_since(Instant::now());
            let answer = self
                .asker(&node)
                .and_then(|asker| asker.ask(request, left.min(silence)));
            let has_answered = matches!(&answer, Ok(Some(answer)) if is_final(request, answer));
            self.nodes.give_back(&node, has_answered);
            match answer {
                Ok(Some(response)) => {
                    let answered = Answered {
                        node: node.clone(),
                        failures,
                        response,
                    };
                    // What every node says is the answer, too.
                    let is_new = unable.insert(node);
                    if has_answered || (!is_new && unable.len() >= self.nodes().len()) {
                        return Ok(answered);
                    }
                    last = Some(answered);
                }
                Ok(None) => tracing::info!("{node} did not answer; another one is asked"),
                Err(error) => tracing::warn!(%error, "{node} cannot be asked"),
            }
            failures += 1;
        }
        last.ok_or_else(|| Error::NoAnswer {
            name: format!("*{SERVICE}"),
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

/// Whether an answer is about the request, and not about a node that is ending, waits for its map, or has
/// too much to do: then there is a plan or an error for each start, or an error of the request itself.
fn is_final(request: &PlanBatch_Request, answer: &PlanBatch_Response) -> bool {
    let is_of_node = |code: u16| {
        let error = NavError::of_to_pose_code(code);
        matches!(error, None | Some(NavError::Unknown | NavError::Timeout))
    };
    match answer.error_codes.first() {
        None => request.starts.is_empty() && answer.error_msg.is_empty(),
        Some(&code) => answer.plans.len() == request.starts.len() || !is_of_node(code),
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
        let token = sample.key_expr().to_string();
        let mut known = lock(&self.known);
        let entry = known.entry(node.to_owned()).or_default();
        if sample.kind() == SampleKind::Put {
            entry.tokens.insert(token);
            entry.failed = None;
        } else {
            entry.tokens.remove(&token);
        }
        let is_gone = |entry: &NodeEntry| entry.tokens.is_empty() && entry.in_flight == 0;
        known.retain(|_, entry| !is_gone(entry));
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
                let has_rested = entry.failed.is_none_or(|failed| failed + PAUSE <= now);
                !entry.tokens.is_empty() && has_rested
            };
            // By lot among equals, or many clients would all begin with the same one.
            let ready = known.iter_mut().filter(|(_, entry)| is_ready(entry));
            let lot = |name: &str| self.lots.hash_one((name, now));
            if let Some((name, entry)) =
                ready.min_by_key(|(name, entry)| (entry.in_flight, lot(name)))
            {
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
