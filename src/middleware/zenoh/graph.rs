//! Endpoints of the node on the Zenoh network, as `rmw_zenoh` would have opened them.
//!
//! Messages are taken in on Zenoh's own threads, as the node only puts them down. Requests of services wait
//! in line for a thread of this graph, so that one that takes time holds up no message.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use zenoh::bytes::ZBytes;
use zenoh::key_expr::OwnedKeyExpr;
use zenoh::liveliness::LivelinessToken;
use zenoh::qos::{CongestionControl, Reliability as Delivery};
use zenoh::query::Query;
use zenoh::sample::Sample;
use zenoh::{Session, Wait};
use zenoh_ext::{
    AdvancedPublisher, AdvancedPublisherBuilderExt, AdvancedSubscriberBuilderExt, CacheConfig,
    HistoryConfig, MissDetectionConfig,
};

use super::attachment::Attachment;
use super::contract::{Plans, Qos, Respond};
use super::interfaces::{Action, Kind, Message, Payload, Service};
use super::names::{Endpoint, Names, Offered, gid};
use super::watch::Watched;
use super::{actions, cdr, refused, watch};
use crate::node::lock::lock;
use crate::node::settings::{Durability, Reliability};
use crate::node::{Clock, Time};
use crate::{Error, Result};

/// Requests of services that may wait.
const MOST_REQUESTS: usize = 1000;

/// How often a publisher whose messages are kept says how many there were (`rmw_zenoh`).
const HEARTBEAT: Duration = Duration::from_millis(500);

/// What is to be done on the graph's own thread.
type Task = Box<dyn FnOnce() + Send>;

/// The node on the Zenoh network; its endpoints live as long as this.
pub struct Graph {
    session: Session,
    names: Names,
    clock: Arc<dyn Clock>,
    entities: AtomicU32,
    tokens: Vec<LivelinessToken>,
    watched: Watched,
    parts: Vec<Box<dyn Any + Send>>,
    tasks: SyncSender<Task>,
}

impl Graph {
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn new(session: Session, names: Names, clock: Arc<dyn Clock>) -> Result<Self> {
        let (tasks, taken) = sync_channel::<Task>(MOST_REQUESTS);
        std::thread::Builder::new()
            .name("services".to_owned())
            .spawn(move || {
                for task in taken {
                    task();
                }
            })
            .map_err(refused("a thread for services"))?;
        let token = names.node_token(&session.zid().to_string());
        let mut graph = Self {
            session,
            names,
            clock,
            entities: AtomicU32::new(1),
            tokens: Vec::new(),
            watched: Watched::default(),
            parts: Vec::new(),
            tasks,
        };
        graph.announce(token)?;
        Ok(graph)
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    pub fn name(&self) -> String {
        self.names.node().to_owned()
    }

    /// The name with the namespace.
    pub fn full_name(&self) -> String {
        self.names.full()
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub fn publisher<T: Message>(&mut self, topic: &str, qos: Qos) -> Result<Publisher<T>> {
        let (key, gid) = self.endpoint(Endpoint::Publisher, topic, T::KIND, qos)?;
        let is_reliable = qos.reliability == Reliability::Reliable;
        let publisher = self
            .session
            .declare_publisher(key)
            .congestion_control(CongestionControl::Drop)
            .reliability(if is_reliable {
                Delivery::Reliable
            } else {
                Delivery::BestEffort
            });
        let publisher = if qos.durability == Durability::TransientLocal {
            let publisher = publisher
                .cache(CacheConfig::default().max_samples(qos.depth))
                .publisher_detection()
                .sample_miss_detection(MissDetectionConfig::default().sporadic_heartbeat(HEARTBEAT))
                .wait();
            Sender::Latched(publisher.map_err(refused(topic))?)
        } else {
            Sender::Plain(publisher.wait().map_err(refused(topic))?)
        };
        Ok(Publisher {
            sender: publisher,
            gid,
            sequence: AtomicI64::new(0),
            messages: PhantomData,
        })
    }

    pub fn subscribe<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<()> {
        let (key, _) = self.endpoint(Endpoint::Subscription, topic, T::KIND, qos)?;
        let dropped = Dropped::new(topic);
        let callback = move |sample: Sample| match cdr::decode(&sample.payload().to_bytes()) {
            Ok(message) => take(message),
            Err(error) => dropped.note(&error),
        };
        let subscriber = self.session.declare_subscriber(key);
        let part: Box<dyn Any + Send> = if qos.durability == Durability::TransientLocal {
            let history = HistoryConfig::default()
                .detect_late_publishers()
                .max_samples(qos.depth);
            let subscriber = subscriber
                .history(history)
                .subscriber_detection()
                .callback(callback)
                .wait();
            Box::new(subscriber.map_err(refused(topic))?)
        } else {
            let subscriber = subscriber.callback(callback).wait();
            Box::new(subscriber.map_err(refused(topic))?)
        };
        self.parts.push(part);
        Ok(())
    }

    /// As [`Self::subscribe`]: on Zenoh no publisher is missed for its quality of service.
    pub fn subscribe_watched<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<()> {
        self.subscribe(topic, qos, take)
    }

    /// A service that answers at once.
    pub fn serve<S: Service>(
        &mut self,
        name: &str,
        answer: impl Fn(S::Request) -> S::Response + Send + Sync + 'static,
    ) -> Result<()> {
        self.serve_later::<S>(name, move |ask, respond| respond(answer(ask)))
    }

    /// A service whose answers take time.
    pub fn serve_later<S: Service>(
        &mut self,
        name: &str,
        begin: impl Fn(S::Request, Respond<S::Response>) + Send + Sync + 'static,
    ) -> Result<()> {
        let begin = Arc::new(begin);
        let tasks = self.tasks.clone();
        self.queryable::<S::Request>(name, S::KIND, move |ask, pending| {
            let begin = begin.clone();
            let kept = Arc::new(Mutex::new(Some(pending)));
            let of_task = kept.clone();
            let task: Task = Box::new(move || {
                if let Some(pending) = lock(&of_task).take() {
                    begin(ask, Box::new(move |response| pending.answer(&response)));
                }
            });
            let refused = match tasks.try_send(task) {
                Ok(()) => return,
                Err(TrySendError::Full(_)) => "too many requests wait already; ask less often",
                Err(TrySendError::Disconnected(_)) => "the node is ending",
            };
            if let Some(pending) = lock(&kept).take() {
                tracing::warn!("a request is refused: {refused}");
                pending.refuse(refused);
            }
        })
    }

    /// An action whose goals the node plans for.
    pub fn act<A: Action>(&mut self, name: &str, plans: Plans<A>) -> Result<()> {
        actions::serve(self, name, plans)
    }

    /// Calls `step` again and again until the graph is gone.
    pub fn repeat(&mut self, period: Duration, step: impl FnMut() + Send + 'static) -> Result<()> {
        let repeating = Repeating::start(period, step).map_err(refused("a thread for a timer"))?;
        self.parts.push(Box::new(repeating));
        Ok(())
    }

    /// Takes requests in on Zenoh's own threads.
    pub(super) fn queryable<Request: Payload>(
        &mut self,
        name: &str,
        kind: Kind,
        take: impl Fn(Request, Pending) + Send + Sync + 'static,
    ) -> Result<()> {
        let qos = Qos::DEFAULT;
        let (key, _) = self.endpoint(Endpoint::Server, name, kind, qos)?;
        let dropped = Dropped::new(name);
        let queryable = self
            .session
            .declare_queryable(key.clone())
            .complete(true)
            .callback(move |query| {
                let asked = request(&query);
                let pending = |attachment| Pending {
                    query: query.clone(),
                    key: key.clone(),
                    attachment,
                };
                match asked {
                    Ok((attachment, ask)) => take(ask, pending(attachment)),
                    Err(error) => {
                        dropped.note(&error);
                        refuse(&query, &error.to_string());
                    }
                }
            })
            .wait()
            .map_err(refused(name))?;
        self.parts.push(Box::new(queryable));
        Ok(())
    }

    /// The key of an endpoint and its identity; from now on the network knows of it.
    pub(super) fn endpoint(
        &mut self,
        endpoint: Endpoint,
        name: &str,
        kind: Kind,
        qos: Qos,
    ) -> Result<(OwnedKeyExpr, [u8; 16])> {
        let name = self.names.resolve(name)?;
        let key = self.names.key(&name, kind);
        let key = OwnedKeyExpr::try_from(key).map_err(refused(name.clone()))?;
        let offered = Offered { name, kind, qos };
        let entity = self.entities.fetch_add(1, Ordering::Relaxed);
        let session = self.session.zid().to_string();
        let token = self.names.token(&session, entity, endpoint, &offered);
        let gid = gid(&token);
        self.announce(token)?;
        self.watched.insert((endpoint, offered.name), kind);
        Ok((key, gid))
    }

    fn announce(&mut self, token: String) -> Result<()> {
        let declared = self.session.liveliness().declare_token(token).wait();
        self.tokens.push(declared.map_err(refused("a token"))?);
        Ok(())
    }

    /// From now on, whoever speaks of these topics and services with other types is named in the log.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn look_for_mismatches(&mut self) -> Result<()> {
        let watched = std::mem::take(&mut self.watched);
        let part = watch::start(&self.session, self.names.domain(), watched)?;
        self.parts.push(part);
        Ok(())
    }

    /// Leaves the network.
    pub fn close(mut self) {
        self.parts.clear();
        self.tokens.clear();
        if let Err(error) = self.session.close().wait() {
            tracing::debug!(%error, "leaving the network");
        }
    }
}

/// Where messages of a topic are published.
pub struct Publisher<T> {
    sender: Sender,
    gid: [u8; 16],
    sequence: AtomicI64,
    messages: PhantomData<fn(T)>,
}

enum Sender {
    Plain(zenoh::pubsub::Publisher<'static>),
    Latched(AdvancedPublisher<'static>),
}

impl<T: Message> Publisher<T> {
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses, [`Error::Payload`] for what CDR cannot say.
    // By value, as the other back end takes it.
    #[allow(clippy::needless_pass_by_value)]
    pub fn publish(&self, message: T) -> Result<()> {
        let payload = cdr::encode(&message)?;
        let attachment = Attachment {
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            source_ns: system_time().0,
            gid: self.gid,
        };
        let attachment = attachment.to_bytes();
        let sent = match &self.sender {
            Sender::Plain(publisher) => publisher.put(payload).attachment(attachment).wait(),
            Sender::Latched(publisher) => publisher.put(payload).attachment(attachment).wait(),
        };
        sent.map_err(refused("publishing"))
    }

    /// Whether anybody listens.
    pub fn has_reader(&self) -> bool {
        let status = match &self.sender {
            Sender::Plain(publisher) => publisher.matching_status().wait(),
            Sender::Latched(publisher) => publisher.matching_status().wait(),
        };
        status.is_ok_and(|status| status.matching())
    }
}

/// A request that waits for its answer.
pub struct Pending {
    query: Query,
    key: OwnedKeyExpr,
    attachment: Attachment,
}

impl Pending {
    pub fn answer<Response: Payload>(&self, response: &Response) {
        let payload = match cdr::encode(response) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, "an answer cannot be encoded");
                return self.refuse(&error.to_string());
            }
        };
        let attachment = Attachment {
            source_ns: system_time().0,
            ..self.attachment
        };
        let reply = self
            .query
            .reply(&self.key, payload)
            .attachment(attachment.to_bytes());
        if let Err(error) = reply.wait() {
            tracing::warn!(%error, "an answer could not be sent");
        }
    }

    pub fn refuse(&self, reason: &str) {
        refuse(&self.query, reason);
    }
}

fn refuse(query: &Query, reason: &str) {
    // Fails if whoever asked has gone.
    let _ = query.reply_err(reason).wait();
}

/// The attachment and the content of a request.
fn request<Request: Payload>(query: &Query) -> Result<(Attachment, Request)> {
    let missing = |what: &str| Error::Payload {
        reason: format!("the request has no {what}"),
    };
    let bytes = |part: &ZBytes| part.to_bytes().into_owned();
    let attachment = query.attachment().ok_or_else(|| missing("attachment"))?;
    let attachment = Attachment::parse(&bytes(attachment))?;
    let payload = query.payload().ok_or_else(|| missing("payload"))?;
    Ok((attachment, cdr::decode(&payload.to_bytes())?))
}

/// Counts what is dropped on a topic or service, and logs the first and ever fewer of the others, so that
/// whoever sends nonsense cannot fill the log.
struct Dropped {
    name: String,
    count: AtomicU64,
}

impl Dropped {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            count: AtomicU64::new(0),
        }
    }

    fn note(&self, error: &Error) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(%error, count, "what came on `{}` is dropped", self.name);
        }
    }
}

/// A thread that does something again and again, until this is dropped.
struct Repeating {
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Repeating {
    fn start(period: Duration, mut step: impl FnMut() + Send + 'static) -> std::io::Result<Self> {
        let (end, ended) = sync_channel(0);
        let thread = std::thread::Builder::new()
            .name("timer".to_owned())
            .spawn(move || {
                while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                    step();
                }
            })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Repeating {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// The system's time.
pub fn system_time() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ns = since.map_or(0, |since| since.as_nanos());
    Time(i64::try_from(ns).unwrap_or(i64::MAX))
}

/// The clock of the system.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        system_time()
    }
}
