//! The time of the robot: what stamps of messages are compared with.
//!
//! It is the system's, or the one that a simulator publishes on `/clock`. How long something may
//! take is not measured with it: deadlines are steady time ([`std::time::Instant`]), so that a
//! simulation that stands still cannot hold up an answer.

use std::sync::atomic::{AtomicI64, Ordering};

const NANOSECONDS: i64 = 1_000_000_000;

/// A point in time: nanoseconds since the clock's epoch (`builtin_interfaces/Time`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// No time: what a message without a stamp has.
    pub const ZERO: Time = Time(0);

    /// From the two fields of `builtin_interfaces/Time`.
    pub const fn from_parts(sec: i32, nanosec: u32) -> Self {
        Self(sec as i64 * NANOSECONDS + nanosec as i64)
    }

    /// As the two fields of `builtin_interfaces/Time`; times that do not fit are the nearest that do.
    pub fn parts(self) -> (i32, u32) {
        let sec = self.0.div_euclid(NANOSECONDS);
        match i32::try_from(sec) {
            Ok(sec) => (sec, self.0.rem_euclid(NANOSECONDS) as u32),
            Err(_) if sec > 0 => (i32::MAX, NANOSECONDS as u32 - 1),
            Err(_) => (i32::MIN, 0),
        }
    }

    /// From seconds.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * NANOSECONDS as f64) as i64)
    }

    /// In seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOSECONDS as f64
    }

    /// Whether this is the stamp of a message that has none.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Seconds from an earlier time to this one; negative if the other is later.
    pub fn since(self, earlier: Time) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / NANOSECONDS as f64
    }
}

/// What tells the time.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Time;
}

/// A simulator's time: it stands until somebody sets it.
#[derive(Debug, Default)]
pub struct SimulatedClock(AtomicI64);

impl SimulatedClock {
    /// Makes it this late.
    pub fn set(&self, now: Time) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}
