//! Looks for those who speak of this node's topics and services with other types than this node.
//!
//! The type's hash is part of a key, so that messages of another definition never arrive: without a word, a
//! robot of another release would seem to send nothing.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use zenoh::sample::{Sample, SampleKind};
use zenoh::{Session, Wait};

use super::interfaces::Kind;
use super::names::{Endpoint, Seen};
use super::refused;
use crate::Result;
use crate::node::lock::lock;

/// This node's endpoints: of what kind they are, by full names.
pub type Watched = BTreeMap<(Endpoint, String), Kind>;

/// So many are named; whoever makes up more has another aim.
const MOST_TOLD: usize = 1000;

/// # Errors
/// [`crate::Error::Middleware`] where Zenoh refuses.
pub fn start(session: &Session, domain: u32, watched: Watched) -> Result<Box<dyn Any + Send>> {
    let told = Mutex::new(BTreeSet::new());
    let subscriber = session
        .liveliness()
        .declare_subscriber(format!("@ros2_lv/{domain}/**"))
        .history(true)
        .callback(move |sample: Sample| {
            if sample.kind() != SampleKind::Put {
                return;
            }
            let Some(seen) = Seen::parse(sample.key_expr().as_str()) else {
                return;
            };
            let Some(text) = mismatch(&watched, &seen) else {
                return;
            };
            let mut told = lock(&told);
            if told.len() < MOST_TOLD && told.insert((seen.node, seen.name)) {
                tracing::error!("{text}");
            }
        })
        .wait();
    Ok(Box::new(subscriber.map_err(refused("looking for others"))?))
}

/// What is wrong with somebody's endpoint that should meet one of this node's.
fn mismatch(watched: &Watched, seen: &Seen) -> Option<String> {
    let (counterpart, does) = match seen.endpoint {
        Endpoint::Publisher => (Endpoint::Subscription, "publishes"),
        Endpoint::Subscription => (Endpoint::Publisher, "subscribes to"),
        Endpoint::Server => (Endpoint::Client, "serves"),
        Endpoint::Client => (Endpoint::Server, "asks for"),
    };
    let kind = watched.get(&(counterpart, seen.name.clone()))?;
    if kind.name == seen.kind_name && kind.hash == seen.kind_hash {
        return None;
    }
    Some(format!(
        "{} {does} {} with another definition ({} {}, this node has {} {}), so that nothing gets through: \
         build this node against the ROS release of the others, see docs/zenoh.md",
        seen.node, seen.name, seen.kind_name, seen.kind_hash, kind.name, kind.hash
    ))
}
