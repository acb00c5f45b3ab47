//! Requests on their way to the planning thread: newest wins, exactly one answer each.
//!
//! An action's newer goal takes the place of its older one, which is aborted, whether it waits or is
//! being planned for (as in Nav2's planner server, and nav2 #676, #801). Requests by service wait in
//! line. Each action has a thread of its own, and so have the services. Whoever asks gets a [`Ticket`] to take the request back with; whoever answers does so
//! through the ticket, so that what comes first, the answer or the wish to cancel, decides once and
//! for all, and nothing is published after it was cancelled.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::lock::{lock, wait};
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

    /// Settles the answer: `answer`, or that the request was ended before. `publish` is called with
    /// it before anybody can cancel any more.
    fn settle(&self, answer: Answer, publish: impl FnOnce(&Answer)) -> Answer {
        let mut progress = lock(&self.0.progress);
        progress.is_answered = true;
        let settled = match progress.end {
            None => answer,
            Some(end) => end.answer(answer.planning_time),
        };
        publish(&settled);
        settled
    }
}

impl End {
    /// What a request is told that ended so, after so many seconds.
    fn answer(self, planning_time: f64) -> Answer {
        let (ending, message) = match self {
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
            planning_time,
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
    /// Ends the job with an answer, or with what has come before it; `publish` is called with what is
    /// told in the end, before it is told.
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

/// Requests of one sort, and the thread that answers them: as in Nav2 each action has its own, and
/// so have the services, so that a fleet's batch cannot hold up the robot's own goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    ToPose,
    ThroughPoses,
    Services,
}

impl Lane {
    pub const ALL: [Lane; 3] = [Lane::ToPose, Lane::ThroughPoses, Lane::Services];

    fn of(kind: AskKind) -> Self {
        match kind {
            AskKind::ToPose => Lane::ToPose,
            AskKind::ThroughPoses => Lane::ThroughPoses,
            AskKind::GetPlan | AskKind::Batch => Lane::Services,
        }
    }
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Job>,
    running: Option<Ticket>,
}

#[derive(Default)]
struct Queue {
    lines: [Line; 3],
    is_open: bool,
    is_over: bool,
}

/// The queue in front of the planning threads.
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
            for line in &mut queue.lines {
                if let Some(ticket) = &line.running {
                    ticket.stop(End::Inactive);
                }
                out.extend(line.waiting.drain(..));
            }
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
        let line = &mut queue.lines[Lane::of(kind) as usize];
        let mut older = Vec::new();
        if kind.is_action() {
            if let Some(ticket) = &line.running {
                ticket.stop(End::Superseded);
            }
            older.extend(line.waiting.drain(..));
        } else if line.waiting.len() >= MOST_WAITING {
            drop(queue);
            let full = "too many requests wait already; ask less often";
            let answer = Answer::without(Ending::Aborted, NavError::Timeout, full);
            job.end(answer, |_| {});
            return Some(ticket);
        }
        line.waiting.push_back(job);
        drop(queue);
        self.arrived.notify_all();
        for job in older {
            job.ticket.stop(End::Superseded);
            job.end_unbegun();
        }
        Some(ticket)
    }

    /// The next request of a lane, as soon as there is one; `None` at the end.
    pub fn next(&self, lane: Lane) -> Option<Job> {
        let mut queue = lock(&self.queue);
        loop {
            let is_over = queue.is_over;
            let line = &mut queue.lines[lane as usize];
            line.running = None;
            if is_over {
                return None;
            }
            if let Some(job) = line.waiting.pop_front() {
                line.running = Some(job.ticket.clone());
                return Some(job);
            }
            queue = wait(&self.arrived, queue, None);
        }
    }

    /// Requests that wait or are being planned for.
    pub fn in_flight(&self) -> usize {
        let queue = lock(&self.queue);
        let of_line = |line: &Line| line.waiting.len() + usize::from(line.running.is_some());
        queue.lines.iter().map(of_line).sum()
    }

    /// Ends the planning threads, once they have answered what they are at.
    pub fn finish(&self) {
        self.set_open(false);
        lock(&self.queue).is_over = true;
        self.arrived.notify_all();
    }

    /// Makes it possible to begin anew.
    pub fn reset(&self) {
        let mut queue = lock(&self.queue);
        queue.is_over = false;
    }
}
