//! How a request's time is split between the model and the search.

use std::time::{Duration, Instant};

use crate::search::Termination;

/// Share of the time that the model may use where the search stands behind it; the rest is the
/// search's own.
const MODEL_SHARE: f64 = 0.7;
/// Share of the time after which repair ends.
const REPAIR_SHARE: f64 = 0.8;

/// When each stage of a request has to stop. All of them stop when the caller says so.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    /// For everything.
    pub whole: Termination,
    /// For thinking, if a search may follow.
    pub thinking: Termination,
    /// For repair, as a search may follow.
    pub repair: Termination,
}

impl Budget {
    /// The budget of a request that begins now and may take `max_planning_time` seconds, or less if
    /// the caller's deadline is earlier. The caller's bound on iterations does not count here: it
    /// would mean something else to each stage.
    pub fn new(termination: &Termination, max_planning_time: f64) -> Self {
        let begin = Instant::now();
        let latest = begin + Duration::from_secs_f64(max_planning_time);
        let whole = termination
            .clone()
            .with_max_iterations(u64::MAX)
            .with_deadline(latest);
        let deadline = whole.deadline().unwrap_or(latest);
        let time = deadline.saturating_duration_since(begin);
        let until = |share| whole.clone().with_deadline(begin + time.mul_f64(share));
        Self {
            thinking: until(MODEL_SHARE),
            repair: until(REPAIR_SHARE),
            whole,
        }
    }

    /// For one of `parts` equal parts of what is left of the time.
    pub fn one_of(&self, parts: usize) -> Termination {
        let now = Instant::now();
        let left = self
            .whole
            .deadline()
            .map(|at| at.saturating_duration_since(now));
        match left {
            Some(left) => self.whole.clone().with_deadline(now + left / parts as u32),
            None => self.whole.clone(),
        }
    }
}
