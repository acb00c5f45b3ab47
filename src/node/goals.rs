//! Requests on their way to the planning thread: newest wins, exactly one answer each.
//!
//! An action's newer goal takes the place of its older one, which is aborted, whether it waits or is
//! being planned for (as in Nav2's planner server, and nav2 #676, #801). Requests by service wait in
//! line. Whoever asks gets a [`Ticket`] to take the request back with; whoever answers does so
//! through the ticket, so that what comes first, the answer or the wish to cancel, decides once and
//! for all, and nothing is published after it was cancelled.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::lock::lock;
use super::message::{Answer, Ask, AskKind, Ending};
use crate::planner::NavError;
use crate::search::Termination;

/// Requests by service that may wait at most.
const MOST_WAITING: usize = 256;

/// Why a request is to end without being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Whoever asked took it back.
    Cancelled,
    /// A newer goal of the same action has come.
    Superseded,
    /// The node is no longer active.
    Inactive,
}

#[derive(Debug, Default)]
struct Progress {
    end: Option<End>,
    is_answered: bool,
}

#[derive(Debug, Default)]
struct TicketState {
    progress: Mutex<Progress>,
    /// For those who poll: set with `Progress::end`.
    stop: Arc<AtomicBool>,
}

/// A request's identity, shared by who asked and who answers.
#[derive(Debug, Clone, Default)]
pub struct Ticket(Arc<TicketState>);

impl Ticket {
    /// Takes the request back. `false` if it has its answer already: then that one stands.
    pub fn cancel(&self) -> bool {
        self.stop(End::Cancelled)
    }

    /// Says that the request is to end. `false` if it has its answer already.
    pub(super) fn stop(&self, end: End) -> bool {
        let mut progress = lock(&self.0.progress);
        if progress.is_answered {
            return false;
        }
        // A wish to cancel goes before the other reasons: the client expects to read of it.
        if progress.end.is_none() || end == End::Cancelled {
            progress.end = Some(end);
        }
        self.0.stop.store(true, Ordering::Relaxed);
        true
    }

    /// Whether it is to end.
    pub fn is_stopped(&self) -> bool {
        self.0.stop.load(Ordering::Relaxed)
    }

    /// Stops a computation when the request is to end.
    pub fn termination(&self) -> Termination {
        Termination::never().with_cancel(self.0.stop.clone())
    }

    /// Settles the answer: `answer`, or that the request was ended before. `publish` is called in
    /// the first case and before anybody can cancel any more.
    fn settle(&self, answer: Answer, publish: impl FnOnce(&Answer)) -> Answer {
        let mut progress = lock(&self.0.progress);
        progress.is_answered = true;
        let Some(end) = progress.end else {
            publish(&answer);
            return answer;
        };
        let (ending, message) = match end {
            End::Cancelled => (Ending::Cancelled, "the request was cancelled"),
            End::Superseded => (
                Ending::Aborted,
                "a newer goal has taken the place of this one",
            ),
            End::Inactive => (
                Ending::Aborted,
                "the node is no longer active; activate it, then ask again",
            ),
        };
        Answer {
            planning_time: answer.planning_time,
            ..Answer::without(ending, NavError::Unknown, message)
        }
    }
}

/// What is called with the answer, once.
pub type Reply = Box<dyn FnOnce(Answer) + Send>;

/// A request that waits or is being planned for.
pub(super) struct Job {
    pub ask: Ask,
    pub ticket: Ticket,
    pub asked: Instant,
    /// Taken when it is called.
    reply: Option<Reply>,
}

impl Job {
    /// Ends the job with an answer, or with what has come before it; `publish` as in
    /// `Ticket::settle`.
    pub fn end(mut self, answer: Answer, publish: impl FnOnce(&Answer)) {
        self.tell(answer, publish);
    }

    fn tell(&mut self, mut answer: Answer, publish: impl FnOnce(&Answer)) {
        if let Some(reply) = self.reply.take() {
            answer.planning_time = self.asked.elapsed().as_secs_f64();
            reply(self.ticket.settle(answer, publish));
        }
    }

    /// Drops a job that was not taken in, without an answer.
    fn refuse(mut self) {
        self.reply = None;
    }

    /// Ends a job that was stopped before it began.
    fn end_unbegun(self) {
        let never = Answer::without(Ending::Aborted, NavError::Unknown, "it was not begun");
        self.end(never, |_| {});
    }
}

impl Drop for Job {
    /// Whatever happens to a request, it gets an answer.
    fn drop(&mut self) {
        let lost = "the planner failed, which is a defect: please report it with the log";
        let answer = Answer::without(Ending::Aborted, NavError::Unknown, lost);
        self.tell(answer, |_| {});
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    running: Option<(AskKind, Ticket)>,
    is_open: bool,
    is_over: bool,
}

/// The queue in front of the planning thread.
#[derive(Default)]
pub(super) struct Goals {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

impl Goals {
    /// Lets requests in, or keeps them out; those that are in are then aborted.
    pub fn set_open(&self, open: bool) {
        let mut queue = lock(&self.queue);
        queue.is_open = open;
        let mut out = Vec::new();
        if !open {
            if let Some((_, ticket)) = &queue.running {
                ticket.stop(End::Inactive);
            }
            out.extend(queue.waiting.drain(..));
        }
        drop(queue);
        for job in out {
            job.ticket.stop(End::Inactive);
            job.end_unbegun();
        }
    }

    /// Takes a request in; `None` if none is let in now. `reply` is called once, from another
    /// thread or from this one.
    pub fn submit(&self, ask: Ask, reply: Reply) -> Option<Ticket> {
        let kind = ask.kind();
        let ticket = Ticket::default();
        let job = Job {
            ask,
            ticket: ticket.clone(),
            asked: Instant::now(),
            reply: Some(reply),
        };
        let mut queue = lock(&self.queue);
        if !queue.is_open {
            drop(queue);
            job.refuse();
            return None;
        }
        let mut older = Vec::new();
        if kind.is_action() {
            if let Some((running, ticket)) = &queue.running
                && *running == kind
            {
                ticket.stop(End::Superseded);
            }
            let mut place = 0;
            while place < queue.waiting.len() {
                if queue.waiting[place].ask.kind() == kind {
                    older.extend(queue.waiting.remove(place));
                } else {
                    place += 1;
                }
            }
        } else if queue.waiting.len() >= MOST_WAITING {
            drop(queue);
            let full = "too many requests wait already; ask less often";
            job.end(
                Answer::without(Ending::Aborted, NavError::Timeout, full),
                |_| {},
            );
            return Some(ticket);
        }
        queue.waiting.push_back(job);
        drop(queue);
        self.arrived.notify_all();
        for job in older {
            job.ticket.stop(End::Superseded);
            job.end_unbegun();
        }
        Some(ticket)
    }

    /// The next request, as soon as there is one; `None` at the end.
    pub fn next(&self) -> Option<Job> {
        let mut queue = lock(&self.queue);
        queue.running = None;
        loop {
            if queue.is_over {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                queue.running = Some((job.ask.kind(), job.ticket.clone()));
                return Some(job);
            }
            queue = self
                .arrived
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Requests that wait or are being planned for.
    pub fn in_flight(&self) -> usize {
        let queue = lock(&self.queue);
        queue.waiting.len() + usize::from(queue.running.is_some())
    }

    /// Ends the planning thread, once it has answered what it is at.
    pub fn finish(&self) {
        self.set_open(false);
        lock(&self.queue).is_over = true;
        self.arrived.notify_all();
    }

    /// Makes it possible to begin anew.
    pub fn reset(&self) {
        let mut queue = lock(&self.queue);
        queue.is_over = false;
        queue.running = None;
    }
}
