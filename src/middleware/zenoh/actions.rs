//! Actions: goals from their request to the end of their results' time, as `rcl_action` keeps them.
//!
//! An action is three services and two topics. Its goals are the node's requests: accepted ones are
//! executing at once, and the node's one answer ends each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::contract::{Plans, Qos, time, time_msg};
use super::graph::{Dropped, Graph, Pending, Publisher};
use super::interfaces::action_msgs::msg::{GoalInfo, GoalStatus, GoalStatusArray};
use super::interfaces::action_msgs::srv::{CancelGoal, CancelGoal_Request, CancelGoal_Response};
use super::interfaces::unique_identifier_msgs::msg::UUID;
use super::interfaces::{
    Action, GetResultRequest, GetResultResponse, SendGoalRequest, SendGoalResponse, Service,
};
use super::names::Endpoint;
use crate::Result;
use crate::node::goals::Ticket;
use crate::node::lock::lock;
use crate::node::message::{Answer, Ending};
use crate::node::{Clock, Time};

/// For how long a result can be asked for: as in Nav2 (`action_server_result_timeout`).
const RESULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Goals kept at most; more are rejected until some have been forgotten.
const MOST_GOALS: usize = 10_000;

/// Requests for one goal's result that may wait.
const MOST_WAITING: usize = 64;

/// # Errors
/// [`crate::Error::Middleware`] where Zenoh refuses.
pub fn serve<A: Action>(graph: &mut Graph, name: &str, plans: Plans<A>) -> Result<()> {
    let endpoint = |part: &str| format!("{name}/_action/{part}");
    let status = graph.publisher(&endpoint("status"), Qos::LATCHED)?;
    // Announced as clients expect it; planning has nothing to tell on the way.
    let feedback = endpoint("feedback");
    graph.announce(Endpoint::Publisher, &feedback, A::FEEDBACK)?;
    let server = Arc::new_cyclic(|me| Server {
        me: me.clone(),
        plans,
        clock: graph.clock(),
        status,
        goals: Mutex::default(),
        numbers: AtomicU64::new(0),
        rejected: Dropped::new(name),
    });
    let of_send = server.clone();
    graph.queryable(
        &endpoint("send_goal"),
        A::SEND_GOAL,
        move |ask: SendGoalRequest<A::Goal>, pending| {
            pending.answer(&of_send.send_goal(&ask));
        },
    )?;
    let of_result = server.clone();
    graph.queryable(
        &endpoint("get_result"),
        A::GET_RESULT,
        move |ask: GetResultRequest, pending| of_result.get_result(&ask.goal_id, pending),
    )?;
    let of_cancel = server.clone();
    graph.queryable(
        &endpoint("cancel_goal"),
        CancelGoal::KIND,
        move |ask: CancelGoal_Request, pending| {
            pending.answer(&of_cancel.cancel(&ask.goal_info));
        },
    )?;
    graph.repeat(RESULT_TIMEOUT / 10, move || server.forget())
}

/// The server of an action.
struct Server<A: Action> {
    me: Weak<Self>,
    plans: Plans<A>,
    clock: Arc<dyn Clock>,
    status: Publisher<GoalStatusArray>,
    goals: Mutex<Goals<A::Result>>,
    numbers: AtomicU64,
    rejected: Dropped,
}

/// By their identities.
type Goals<R> = BTreeMap<[u8; 16], Goal<R>>;

struct Goal<R> {
    accepted: Time,
    /// Which of all it is: the status lists them in this order.
    number: u64,
    status: i8,
    /// Once the node has taken it in.
    ticket: Option<Ticket>,
    /// Those who wait for the result.
    waiting: Vec<Pending>,
    /// The result and since when it is there.
    ended: Option<(R, Instant)>,
}

impl<R> Goal<R> {
    fn info(&self, id: [u8; 16]) -> GoalInfo {
        GoalInfo {
            goal_id: UUID { uuid: id },
            stamp: time_msg(self.accepted),
        }
    }
}

impl<A: Action> Server<A> {
    fn send_goal(&self, request: &SendGoalRequest<A::Goal>) -> SendGoalResponse {
        let id = request.goal_id.uuid;
        let accepted = self.clock.now();
        let mut goals = lock(&self.goals);
        if goals.contains_key(&id) || goals.len() >= MOST_GOALS {
            self.rejected
                .note(&"its id was used before, or there are too many goals");
            return SendGoalResponse::default();
        }
        let goal = Goal {
            accepted,
            number: self.numbers.fetch_add(1, Ordering::Relaxed),
            status: GoalStatus::STATUS_EXECUTING,
            ticket: None,
            waiting: Vec::new(),
            ended: None,
        };
        goals.insert(id, goal);
        // The node may answer before `submit` returns, and this map is where it does.
        drop(goals);
        let me = self.me.clone();
        let reply = Box::new(move |answer: Answer| {
            if let Some(server) = me.upgrade() {
                server.end(id, &answer);
            }
        });
        let ticket = self
            .plans
            .node
            .submit((self.plans.ask)(&request.goal), reply);
        let mut goals = lock(&self.goals);
        if ticket.is_none() {
            goals.remove(&id);
            return SendGoalResponse::default();
        }
        if let Some(goal) = goals.get_mut(&id) {
            goal.ticket = ticket;
        }
        self.tell(&goals);
        SendGoalResponse {
            accepted: true,
            stamp: time_msg(accepted),
        }
    }

    fn end(&self, id: [u8; 16], answer: &Answer) {
        let mut goals = lock(&self.goals);
        let Some(goal) = goals.get_mut(&id) else {
            return;
        };
        goal.status = match answer.ending {
            Ending::Succeeded => GoalStatus::STATUS_SUCCEEDED,
            Ending::Cancelled => GoalStatus::STATUS_CANCELED,
            Ending::Aborted => GoalStatus::STATUS_ABORTED,
        };
        let response = GetResultResponse {
            status: goal.status,
            result: (self.plans.result)(answer),
        };
        let waiting = std::mem::take(&mut goal.waiting);
        goal.ended = Some((response.result.clone(), Instant::now()));
        self.tell(&goals);
        drop(goals);
        for pending in waiting {
            pending.answer(&response);
        }
    }

    fn get_result(&self, id: &UUID, pending: Pending) {
        let mut goals = lock(&self.goals);
        let response = match goals.get_mut(&id.uuid) {
            None => GetResultResponse {
                status: GoalStatus::STATUS_UNKNOWN,
                result: A::Result::default(),
            },
            Some(goal) => match &goal.ended {
                Some((result, _)) => GetResultResponse {
                    status: goal.status,
                    result: result.clone(),
                },
                None if goal.waiting.len() < MOST_WAITING => {
                    goal.waiting.push(pending);
                    return;
                }
                None => {
                    drop(goals);
                    return pending.refuse("too many wait for this result already");
                }
            },
        };
        drop(goals);
        pending.answer(&response);
    }

    /// Cancels what a request means: one goal by its id, all up to a time by a stamp, or, with neither,
    /// all (`action_msgs/srv/CancelGoal`).
    fn cancel(&self, wanted: &GoalInfo) -> CancelGoal_Response {
        let id = wanted.goal_id.uuid;
        let (by_id, by_time) = (id != [0; 16], time(&wanted.stamp));
        let mut goals = lock(&self.goals);
        let is_meant = |goal_id: &[u8; 16], goal: &Goal<A::Result>| match (by_id, by_time.is_zero())
        {
            (false, true) => true,
            (false, false) => goal.accepted <= by_time,
            (true, true) => *goal_id == id,
            (true, false) => *goal_id == id || goal.accepted <= by_time,
        };
        let mut response = CancelGoal_Response::default();
        for (goal_id, goal) in goals.iter_mut() {
            let is_cancelled = is_meant(goal_id, goal)
                && goal.ended.is_none()
                && goal.ticket.as_ref().is_some_and(Ticket::cancel);
            if is_cancelled {
                goal.status = GoalStatus::STATUS_CANCELING;
                response.goals_canceling.push(goal.info(*goal_id));
            }
        }
        if !response.goals_canceling.is_empty() {
            self.tell(&goals);
        } else if by_id && by_time.is_zero() {
            // To cancel none of many is no error, only not to cancel this very one.
            response.return_code = match goals.get(&id) {
                None => CancelGoal_Response::ERROR_UNKNOWN_GOAL_ID,
                Some(goal) if goal.ended.is_some() => CancelGoal_Response::ERROR_GOAL_TERMINATED,
                // Its answer is on the way: that one stands.
                Some(_) => CancelGoal_Response::ERROR_REJECTED,
            };
        }
        response
    }

    /// Publishes where all goals are; with the goals locked, so that the last word is the last.
    fn tell(&self, goals: &Goals<A::Result>) {
        let mut in_order: Vec<_> = goals.iter().collect();
        in_order.sort_by_key(|(_, goal)| goal.number);
        let status = |(id, goal): (&[u8; 16], &Goal<A::Result>)| GoalStatus {
            goal_info: goal.info(*id),
            status: goal.status,
        };
        let message = GoalStatusArray {
            status_list: in_order.into_iter().map(status).collect(),
        };
        if let Err(error) = self.status.publish(message) {
            tracing::error!(%error, "the goals' status could not be published");
        }
    }

    /// Forgets results that nobody can ask for any more.
    fn forget(&self) {
        lock(&self.goals).retain(|_, goal| {
            let ended = goal.ended.as_ref();
            ended.is_none_or(|(_, since)| since.elapsed() < RESULT_TIMEOUT)
        });
    }
}
