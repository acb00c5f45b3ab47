//! Actions: goals from their request to their end.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::oneshot;
use rclrs::{
    ActionServerOptions, BeginAcceptedGoal, Node as RosNode, QoSProfile, RequestedGoal,
    TerminatedGoal,
};

use super::contract::Plans;
use super::{Action, refused};
use crate::Result;
use crate::node::message::{Answer, Ending};
use crate::planner::NavError;

/// Requests of each kind that wait until they are looked at.
const GOALS_KEPT: u32 = 1000;

/// For how long a result can be asked for: as in Nav2 (`action_server_result_timeout`). Every message of
/// the status topic lists all goals that young, so that longer costs every client.
const RESULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many goals have not ended.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<AtomicUsize>);

impl Running {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn enter(&self) -> Entered {
        self.0.fetch_add(1, Ordering::SeqCst);
        Entered(self.0.clone())
    }
}

/// Held by a goal from its request to its end.
struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// # Errors
/// An action that ROS does not take.
pub fn serve<A: Action>(
    ros: &RosNode,
    name: &str,
    plans: Plans<A>,
    running: &Running,
) -> Result<Box<dyn Any>> {
    let (plans, running) = (Arc::new(plans), running.clone());
    let server = ros
        .create_action_server::<A, _>(options(name), move |goal| {
            execute(goal, plans.clone(), running.enter())
        })
        .map_err(refused(name))?;
    Ok(Box::new(server))
}

/// An action's options. Services keep 10 requests by default, so that of 20 goals sent at once some
/// would be lost without a word.
fn options(name: &str) -> ActionServerOptions<'_> {
    let many = QoSProfile::services_default().keep_last(GOALS_KEPT);
    let mut options = ActionServerOptions::new(name);
    options.goal_service_qos = many;
    options.result_service_qos = many;
    options.cancel_service_qos = many;
    options.goal_expiration_timeout = RESULT_TIMEOUT;
    options
}

/// A goal from its request to its end.
async fn execute<A: Action>(
    requested: RequestedGoal<A>,
    plans: Arc<Plans<A>>,
    _entered: Entered,
) -> TerminatedGoal {
    let ask = (plans.ask)(requested.goal());
    let (tell, mut told) = oneshot::channel();
    let reply = Box::new(move |answer: Answer| {
        let _ = tell.send(answer); // fails if the process is ending
    });
    // Asked before it is accepted, so that an inactive node rejects.
    let Some(ticket) = plans.node.submit(ask, reply) else {
        return requested.reject();
    };
    let executing = match requested.accept().begin() {
        BeginAcceptedGoal::Execute(executing) => executing,
        BeginAcceptedGoal::Cancel(cancelling) => {
            ticket.cancel();
            let answer = told.await.unwrap_or_else(|_| lost());
            let result = (plans.result)(&answer);
            return match answer.ending {
                // It was there before the wish to cancel.
                Ending::Succeeded => cancelling.succeeded_with(result),
                Ending::Cancelled | Ending::Aborted => cancelling.cancelled_with(result),
            };
        }
    };
    loop {
        match executing.until_cancel_requested(told).await {
            Ok(answer) => {
                let answer = answer.unwrap_or_else(|_| lost());
                let result = (plans.result)(&answer);
                return match answer.ending {
                    Ending::Succeeded => executing.succeeded_with(result),
                    Ending::Cancelled | Ending::Aborted => executing.aborted_with(result),
                };
            }
            Err(rest) if ticket.cancel() => {
                let cancelling = executing.begin_cancelling();
                let answer = rest.await.unwrap_or_else(|_| lost());
                return cancelling.cancelled_with((plans.result)(&answer));
            }
            Err(rest) => {
                // The answer was there first: that one stands.
                executing.reject_cancellation();
                told = rest;
            }
        }
    }
}

/// The answer of a planner that is gone.
fn lost() -> Answer {
    let message = "the planner ended before it had an answer";
    Answer::without(Ending::Aborted, NavError::Unknown, message)
}
