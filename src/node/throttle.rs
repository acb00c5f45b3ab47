//! Log lines about what may come again and again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock::lock;

/// So many lines are let through in a period: enough for whoever is looking for what is wrong.
const MOST_LINES: u32 = 30;
const PERIOD: Duration = Duration::from_secs(60);

/// Holds log lines back that come too often, so that whoever sends nonsense cannot fill the log.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    period_began: Option<Instant>,
    lines: u32,
    held_back: u64,
}

impl Throttle {
    /// Whether there may be a line; if so, how many were held back since the last one.
    pub fn pass(&self) -> Option<u64> {
        let mut state = lock(&self.0);
        if state
            .period_began
            .is_none_or(|began| began.elapsed() >= PERIOD)
        {
            state.period_began = Some(Instant::now());
            state.lines = 0;
        }
        if state.lines >= MOST_LINES {
            state.held_back += 1;
            return None;
        }
        state.lines += 1;
        Some(std::mem::take(&mut state.held_back))
    }
}
