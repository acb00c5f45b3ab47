//! Endpoints of the node on the Zenoh network, as `rmw_zenoh` would have opened them.
//!
//! Messages are taken in on Zenoh's own threads, as the node only puts them down. Requests of services wait
//! in line for a thread of this graph, so that one that takes time holds up no message; answers go out on
//! another one, so that a client that does not read holds up nobody but who asks.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use zenoh::key_expr::OwnedKeyExpr;
use zenoh::liveliness::LivelinessToken;
use zenoh::qos::{CongestionControl, Reliability as Delivery};
use zenoh::query::Query;
use zenoh::sample::Sample;
use zenoh::{Session, Wait};
use zenoh_ext::{
    AdvancedPublisher, AdvancedPublisherBuilderExt, AdvancedSubscriberBuilderExt, CacheConfig,
    HistoryConfig, MissDetectionConfig, RecoveryConfig,
};

use super::attachment::{Attachment, Attachments};
use super::contract::{Plans, Qos, Respond};
use super::interfaces::{Action, Kind, Message, Payload, Service};
use super::names::{Endpoint, Names, Offered, gid};
use super::watch::Watched;
use super::{actions, cdr, refused, watch};
use crate::node::lock::lock;
use crate::node::settings::{Durability, Reliability};
use crate::node::{Clock, Time};
use crate::{Error, Result};

/// Requests of services that may wait, and answers on their way.
const MOST_REQUESTS: usize = 256;

/// The longest request that is looked at, bytes: a path of 50,000 poses. With the number above it bounds
/// what those who wait take.
const MOST_REQUEST_BYTES: usize = 4 << 20;

/// How long the end waits for answers on their way.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a publisher whose messages are kept says how many there were (`rmw_zenoh`).
const HEARTBEAT: Duration = Duration::from_millis(500);

/// What is to be done on the graph's own thread.
type Task = Box<dyn FnOnce() + Send>;

/// The node on the Zenoh network; its endpoints live as long as this.
pub struct Graph {
    session: Session,
    names: Names,
    clock: Arc<dyn Clock>,
    entities: u32,
    tokens: Vec<LivelinessToken>,
    watched: Watched,
    parts: Vec<Box<dyn Any + Send>>,
    tasks: SyncSender<Task>,
    answers: SyncSender<Task>,
}

impl Graph {
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn new(session: Session, names: Names, clock: Arc<dyn Clock>) -> Result<Self> {
        let tasks = worker("services")?;
        let answers = worker("answers")?;
        let token = names.node_token(&session.zid().to_string());
        let mut graph = Self {
            session,
            names,
            clock,
            entities: 0,
            tokens: Vec::new(),
            watched: Watched::default(),
            parts: Vec::new(),
            tasks,
            answers,
        };
        graph.declare_token(token)?;
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
        let endpoint = self.endpoint(Endpoint::Publisher, topic, T::KIND, qos)?;
        let is_reliable = qos.reliability == Reliability::Reliable;
        let publisher = self
            .session
            .declare_publisher(endpoint.key)
            .congestion_control(CongestionControl::Drop)
            .reliability(if is_reliable {
                Delivery::Reliable
            } else {
                Delivery::BestEffort
            });
        let sender = if qos.durability == Durability::TransientLocal {
            let publisher = publisher
                .cache(CacheConfig::default().max_samples(qos.depth))
                .publisher_detection()
                .sample_miss_detection(MissDetectionConfig::default().sporadic_heartbeat(HEARTBEAT))
                .wait();
            Sender::Latched(publisher.map_err(refused(topic))?)
        } else {
            Sender::Plain(publisher.wait().map_err(refused(topic))?)
        };
        self.declare_token(endpoint.token)?;
        Ok(Publisher {
            sender,
            attachments: Attachments::new(endpoint.gid),
            messages: PhantomData,
        })
    }

    pub fn subscribe<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<()> {
        let endpoint = self.endpoint(Endpoint::Subscription, topic, T::KIND, qos)?;
        let dropped = Dropped::new(topic);
        let callback = move |sample: Sample| {
            guarded(&dropped.name, || match message(&sample) {
                Ok(message) => take(message),
                Err(error) => dropped.note(&error),
            });
        };
        let subscriber = self.session.declare_subscriber(endpoint.key);
        let part: Box<dyn Any + Send> = if qos.durability == Durability::TransientLocal {
            let history = HistoryConfig::default()
                .detect_late_publishers()
                .max_samples(qos.depth);
            let subscriber = subscriber.history(history).subscriber_detection();
            // What was lost is asked for again where losses are not meant to be.
            let subscriber = if qos.reliability == Reliability::Reliable {
                let recovery = RecoveryConfig::default().heartbeat();
                subscriber.recovery(recovery).callback(callback).wait()
            } else {
                subscriber.callback(callback).wait()
            };
            Box::new(subscriber.map_err(refused(topic))?)
        } else {
            let subscriber = subscriber.callback(callback).wait();
            Box::new(subscriber.map_err(refused(topic))?)
        };
        self.parts.push(part);
        self.declare_token(endpoint.token)
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
        let turned_away = Dropped::new(name);
        self.queryable::<S::Request>(name, S::KIND, move |ask, pending| {
            let begin = begin.clone();
            let kept = Arc::new(Mutex::new(Some(pending)));
            let of_task = kept.clone();
            let task: Task = Box::new(move || {
                if let Some(pending) = lock(&of_task).take() {
                    begin(ask, Box::new(move |response| pending.answer(&response)));
                }
            });
            let reason = match tasks.try_send(task) {
                Ok(()) => return,
                Err(TrySendError::Full(_)) => "too many requests wait already; ask less often",
                Err(TrySendError::Disconnected(_)) => "the node is ending",
            };
            if let Some(pending) = lock(&kept).take() {
                turned_away.note(&reason);
                pending.refuse(reason);
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
        let endpoint = self.endpoint(Endpoint::Server, name, kind, Qos::DEFAULT)?;
        let dropped = Dropped::new(name);
        let (key, answers) = (endpoint.key.clone(), self.answers.clone());
        let callback = move |query: Query| {
            guarded(&dropped.name, || match request(&query) {
                Ok((attachment, ask)) => {
                    let pending = Pending {
                        query: query.clone(),
                        key: key.clone(),
                        attachment,
                        answers: answers.clone(),
                    };
                    take(ask, pending);
                }
                Err(error) => {
                    dropped.note(&error);
                    refuse(&query, &error.to_string());
                }
            });
        };
        let queryable = self
            .session
            .declare_queryable(endpoint.key)
            .complete(true)
            .callback(callback)
            .wait()
            .map_err(refused(name))?;
        self.parts.push(Box::new(queryable));
        self.declare_token(endpoint.token)
    }

    /// What an endpoint is called. Its token is declared once it works: who sees it may use it at once.
    pub(super) fn endpoint(
        &mut self,
        endpoint: Endpoint,
        name: &str,
        kind: Kind,
        qos: Qos,
    ) -> Result<Called> {
        let name = self.names.resolve(name)?;
        let key = self.names.key(&name, kind);
        let key = OwnedKeyExpr::try_from(key).map_err(refused(name.clone()))?;
        let offered = Offered { name, kind, qos };
        self.entities += 1;
        let session = self.session.zid().to_string();
        let token = self
            .names
            .token(&session, self.entities, endpoint, &offered);
        self.watched.insert((endpoint, offered.name.clone()), kind);
        Ok(Called {
            name: offered.name,
            key,
            gid: gid(&token),
            token,
        })
    }

    /// Says that an endpoint is there, of default quality of service.
    pub(super) fn announce(
        &mut self,
        endpoint: Endpoint,
        name: &str,
        kind: Kind,
    ) -> Result<Called> {
        let called = self.endpoint(endpoint, name, kind, Qos::DEFAULT)?;
        self.declare_token(called.token.clone())?;
        Ok(called)
    }

    fn declare_token(&mut self, token: String) -> Result<()> {
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

    /// Leaves the network: first nobody comes any more, then the last answers go out.
    pub fn close(mut self) {
        self.tokens.clear();
        self.parts.clear();
        for queue in [&self.tasks, &self.answers] {
            let (tell, told) = sync_channel(1);
            let last = Box::new(move || {
                let _ = tell.send(()); // fails if nobody waits any more
            });
            if queue.try_send(last).is_ok() {
                // In vain if a client does not read.
                let _ = told.recv_timeout(LAST_WORDS);
            }
        }
        if let Err(error) = self.session.close().wait() {
            tracing::debug!(%error, "leaving the network");
        }
    }
}

/// Where messages of a topic are published.
pub struct Publisher<T> {
    sender: Sender,
    attachments: Attachments,
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
        let attachment = self.attachments.next().to_bytes();
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

/// What an endpoint is called.
pub struct Called {
    /// In full.
    pub name: String,
    pub key: OwnedKeyExpr,
    pub gid: [u8; 16],
    token: String,
}

/// A request that waits for its answer.
pub struct Pending {
    query: Query,
    key: OwnedKeyExpr,
    attachment: Attachment,
    answers: SyncSender<Task>,
}

impl Pending {
    pub fn answer<Response: Payload>(self, response: &Response) {
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
        let (query, key) = (self.query, self.key);
        let send: Task = Box::new(move || {
            let reply = query.reply(&key, payload).attachment(attachment.to_bytes());
            if let Err(error) = reply.wait() {
                tracing::debug!(%error, "an answer could not be sent: who asked has gone");
            }
        });
        if self.answers.try_send(send).is_err() {
            tracing::warn!("an answer is lost: clients do not read theirs");
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

/// A message with a good attachment, as `rmw_zenoh` asks for.
fn message<T: Payload>(sample: &Sample) -> Result<T> {
    let attachment = sample
        .attachment()
        .ok_or_else(|| missing("message", "attachment"))?;
    Attachment::parse(&attachment.to_bytes())?;
    cdr::decode(&sample.payload().to_bytes())
}

fn missing(of: &str, what: &str) -> Error {
    Error::Payload {
        reason: format!("the {of} has no {what}"),
    }
}

/// The attachment and the content of a request.
fn request<Request: Payload>(query: &Query) -> Result<(Attachment, Request)> {
    let attachment = query
        .attachment()
        .ok_or_else(|| missing("request", "attachment"))?;
    let attachment = Attachment::parse(&attachment.to_bytes())?;
    let payload = query
        .payload()
        .ok_or_else(|| missing("request", "payload"))?;
    if payload.len() > MOST_REQUEST_BYTES {
        return Err(Error::Payload {
            reason: format!("{} bytes are more than {MOST_REQUEST_BYTES}", payload.len()),
        });
    }
    Ok((attachment, cdr::decode(&payload.to_bytes())?))
}

/// A thread that does what it is sent, one after the other, as long as somebody may send.
fn worker(name: &str) -> Result<SyncSender<Task>> {
    let (tasks, taken) = sync_channel::<Task>(MOST_REQUESTS);
    let named = name.to_owned();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            for task in taken {
                guarded(&named, task);
            }
        })
        .map_err(refused(format!("a thread for {name}")))?;
    Ok(tasks)
}

/// Does something on a thread that must outlive it: a defect costs one message, not all that follow. What
/// panicked has been reported by the panic hook.
fn guarded(what: &str, step: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(step)).is_err() {
        tracing::error!(
            "what came on `{what}` met a defect of this program: please report it with the log"
        );
    }
}

/// Counts what is dropped on a topic or service, and logs the first and ever fewer of the others, so that
/// whoever sends nonsense cannot fill the log.
pub struct Dropped {
    name: String,
    count: AtomicU64,
}

impl Dropped {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            count: AtomicU64::new(0),
        }
    }

    pub fn note(&self, error: &impl std::fmt::Display) {
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
                    guarded("a timer", &mut step);
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
