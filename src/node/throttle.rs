//! Log lines about what may come again and again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock::lock;

/// How much time is between two lines.
const PERIOD: Duration = Duration::from_secs(10);

/// Lets one of many log lines through, so that whoever sends nonsense cannot fill the log.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    /// Whether it is time for a line; if so, how many were held back since the last one.
    pub fn pass(&self) -> Option<u64> {
        let mut state = lock(&self.0);
        if state.last.is_some_and(|last| last.elapsed() < PERIOD) {
            state.held_back += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.held_back))
    }
}
