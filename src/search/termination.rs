//! When to stop: deadline, cancellation and a bound on iterations as one value that is passed in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Why a computation stopped before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The deadline has passed.
    Deadline,
    /// Someone asked for it.
    Cancelled,
    /// The bound on iterations is reached.
    Iterations,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::Deadline => "the deadline has passed",
            Stop::Cancelled => "cancelled",
            Stop::Iterations => "the bound on iterations is reached",
        })
    }
}

/// The conditions under which a computation gives up. Cheap to clone; clones share the cancel flag.
///
/// A computation asks [`Termination::reason_after`] now and then and winds up when it gets one. What
/// an iteration is, the computation says: an expansion, a segment.
#[derive(Debug, Clone, Default)]
pub struct Termination {
    deadline: Option<Instant>,
    cancel: Option<Arc<AtomicBool>>,
    max_iterations: Option<u64>,
}

impl Termination {
    /// Runs to the end.
    pub const fn never() -> Self {
        Self {
            deadline: None,
            cancel: None,
            max_iterations: None,
        }
    }

    /// Stops at this time, or earlier if an earlier deadline is already set: a step of a larger
    /// computation can shorten its budget, never extend it.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |set| set.min(deadline)));
        self
    }

    /// Stops once the flag is true.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Arc<AtomicBool>) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Stops after this many iterations.
    #[must_use]
    pub const fn with_max_iterations(mut self, max_iterations: u64) -> Self {
        self.max_iterations = Some(max_iterations);
        self
    }

    /// When to stop at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// After how many iterations to stop at the latest.
    pub fn max_iterations(&self) -> Option<u64> {
        self.max_iterations
    }

    /// Why to stop now, by the flag and the clock. Cancellation comes first: nobody waits for what
    /// was cancelled.
    pub fn reason(&self) -> Option<Stop> {
        // Relaxed: the flag carries no data, and a poll that sees it late is a poll earlier.
        let cancelled = self.cancel.as_ref();
        if cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Some(Stop::Cancelled);
        }
        let late = self.deadline.is_some_and(|at| Instant::now() >= at);
        late.then_some(Stop::Deadline)
    }

    /// As [`Termination::reason`], also by the number of iterations done.
    pub fn reason_after(&self, iterations: u64) -> Option<Stop> {
        let enough = self.max_iterations.is_some_and(|max| iterations >= max);
        self.reason().or(enough.then_some(Stop::Iterations))
    }
}
