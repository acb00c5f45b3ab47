//! The other side of the node: asks it for plans and listens to it, as any client of ROS would.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zenoh::key_expr::OwnedKeyExpr;
use zenoh::query::{ConsolidationMode, QueryTarget};
use zenoh::{Session, Wait};

use super::attachment::Attachments;
use super::contract::Qos;
use super::graph::{Graph, SystemClock};
use super::interfaces::action_msgs::msg::GoalStatus;
use super::interfaces::unique_identifier_msgs::msg::UUID;
use super::interfaces::{
    Action, GetResultRequest, GetResultResponse, Kind, Message, Payload, SendGoalRequest,
    SendGoalResponse, Service,
};
use super::names::{Endpoint, Names, Seen};
use super::session::Network;
use super::{Identity, cdr, refused};
use crate::{Error, Result};

pub use super::graph::Publisher;

/// How often servers that are not there yet are looked for.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// A client on the network.
pub struct Client {
    graph: Graph,
}

impl Client {
    /// Joins the network under a name.
    ///
    /// # Errors
    /// A name that ROS would not take, a network that cannot be joined.
    pub fn join(name: &str, network: &Network, identity: &Identity) -> Result<Self> {
        let names = Names::new(identity.domain, name, &identity.remaps)?;
        let graph = Graph::new(network.join()?, names, Arc::new(SystemClock))?;
        Ok(Self { graph })
    }

    /// Calls `take` with every message of a topic.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn listen<T: Message>(
        &mut self,
        topic: &str,
        qos: Qos,
        take: impl Fn(T) + Send + Sync + 'static,
    ) -> Result<()> {
        self.graph.subscribe(topic, qos, take)
    }

    /// A publisher of a topic.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn publisher<T: Message>(&mut self, topic: &str, qos: Qos) -> Result<Publisher<T>> {
        self.graph.publisher(topic, qos)
    }

    /// The caller of a service; by it as many requests at once as one likes.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn caller<S: Service>(&mut self, name: &str) -> Result<Caller<S::Request, S::Response>> {
        Caller::new(&mut self.graph, name, S::KIND)
    }

    /// The caller of an action.
    ///
    /// # Errors
    /// [`Error::Middleware`] where Zenoh refuses.
    pub fn actor<A: Action>(&mut self, name: &str) -> Result<Actor<A>> {
        let endpoint = |part: &str| format!("{name}/_action/{part}");
        Ok(Actor {
            send_goal: Caller::new(&mut self.graph, &endpoint("send_goal"), A::SEND_GOAL)?,
            get_result: Caller::new(&mut self.graph, &endpoint("get_result"), A::GET_RESULT)?,
        })
    }

    /// Leaves the network.
    pub fn leave(self) {
        self.graph.close();
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// Asks a service, from any thread.
pub struct Caller<Request, Response> {
    session: Session,
    name: String,
    key: OwnedKeyExpr,
    attachments: Attachments,
    payloads: PhantomData<fn(Request) -> Response>,
}

impl<Request: Payload, Response: Payload> Caller<Request, Response> {
    pub(super) fn new(graph: &mut Graph, name: &str, kind: Kind) -> Result<Self> {
        let called = graph.announce(Endpoint::Client, name, kind)?;
        Ok(Self {
            session: graph.session().clone(),
            name: called.name,
            key: called.key,
            attachments: Attachments::new(called.gid),
            payloads: PhantomData,
        })
    }

    /// Asks, again and again until somebody is there to answer.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] if there was none in time; [`Error::Middleware`] for a refusal.
    pub fn call(&self, request: &Request, patience: Duration) -> Result<Response> {
        Ok(self.call_counted(request, patience)?.0)
    }

    /// As [`Self::call`]; says as well which of all times brought the answer.
    fn call_counted(&self, request: &Request, patience: Duration) -> Result<(Response, usize)> {
        let end = Instant::now() + patience;
        for time in 1.. {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if let Some(response) = self.ask(request, left)? {
                return Ok((response, time));
            }
            std::thread::sleep(LOOK_PERIOD);
        }
        Err(self.no_answer())
    }

    fn no_answer(&self) -> Error {
        Error::NoAnswer {
            name: self.name.clone(),
        }
    }

    /// Asks at once; `None` if nobody answers, or whoever was to answer has died.
    ///
    /// # Errors
    /// [`Error::Middleware`] for a refusal, [`Error::Payload`] for an answer that is none.
    pub fn ask(&self, request: &Request, patience: Duration) -> Result<Option<Response>> {
        let replies = self
            .session
            .get(&self.key)
            .payload(cdr::encode(request)?)
            .attachment(self.attachments.next().to_bytes())
            .target(QueryTarget::AllComplete)
            .consolidation(ConsolidationMode::None)
            .timeout(patience)
            .wait()
            .map_err(refused(self.name.clone()))?;
        let mut refusal = None;
        // Ends with the query: when all have answered, have died, or have had their time.
        while let Ok(reply) = replies.recv() {
            match reply.result() {
                Ok(sample) => return cdr::decode(&sample.payload().to_bytes()).map(Some),
                Err(error) => refusal = error.payload().try_to_string().ok().map(Cow::into_owned),
            }
        }
        match refusal {
            // Zenoh's own word for a server that has gone or has not answered in time.
            None => Ok(None),
            Some(reason) if reason == "Timeout" => Ok(None),
            Some(reason) => Err(refused(self.name.clone())(reason)),
        }
    }
}

/// Asks an action, from any thread.
pub struct Actor<A: Action> {
    send_goal: Caller<SendGoalRequest<A::Goal>, SendGoalResponse>,
    get_result: Caller<GetResultRequest, GetResultResponse<A::Result>>,
}

impl<A: Action> Actor<A> {
    /// Sends a goal and waits for what comes of it: its status (`action_msgs/GoalStatus`) and result.
    ///
    /// # Errors
    /// [`Error::NoAnswer`], [`Error::GoalRejected`].
    pub fn act(&self, goal: A::Goal, patience: Duration) -> Result<(i8, A::Result)> {
        let end = Instant::now() + patience;
        let goal_id = UUID {
            uuid: super::contract::instance().to_le_bytes(),
        };
        let request = SendGoalRequest {
            goal_id: goal_id.clone(),
            goal,
        };
        let rejected = || Error::GoalRejected {
            name: self.send_goal.name.clone(),
        };
        let (sent, times) = self.send_goal.call_counted(&request, patience)?;
        // Where the answer to an earlier one was lost on its way, the goal is there already, and sending it
        // again is what is rejected.
        if !sent.accepted && times == 1 {
            return Err(rejected());
        }
        let left = end.saturating_duration_since(Instant::now());
        let answer = self.get_result.call(&GetResultRequest { goal_id }, left)?;
        if !sent.accepted && answer.status == GoalStatus::STATUS_UNKNOWN {
            return Err(rejected());
        }
        Ok((answer.status, answer.result))
    }
}

/// The node that a token speaks of, if it is the server of a service of this kind.
pub(super) fn server_of(token: &str, kind: Kind) -> Option<Seen> {
    Seen::parse(token).filter(|seen| {
        seen.endpoint == Endpoint::Server
            && seen.kind_name == kind.name
            && seen.kind_hash == kind.hash
    })
}
