//! Locks that outlive a panic, and waiting for what they hold to change.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever waits looks up so often, so that a request that was cancelled is noticed.
const NAP: Duration = Duration::from_millis(10);

/// The content of a mutex. If a thread panicked while it held it, the content is what that thread
/// left: all of ours are changed by single assignments, and a node that answers on is worth more
/// than one that dies with its first defect.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `condition` is notified, or for so long; for ever without a time.
pub fn wait<'a, T>(
    condition: &Condvar,
    held: MutexGuard<'a, T>,
    at_most: Option<Duration>,
) -> MutexGuard<'a, T> {
    match at_most {
        Some(time) => match condition.wait_timeout(held, time) {
            Ok((held, _)) => held,
            Err(poisoned) => poisoned.into_inner().0,
        },
        None => condition.wait(held).unwrap_or_else(PoisonError::into_inner),
    }
}

/// What `look` finds in a mutex, as soon as it finds it; its last error after `patience`, or when
/// `is_over` says so.
pub fn wait_for<T, Found, Failure>(
    (mutex, changed): (&Mutex<T>, &Condvar),
    patience: Duration,
    is_over: impl Fn() -> bool,
    look: impl Fn(&T) -> Result<Found, Failure>,
) -> Result<Found, Failure> {
    let end = Instant::now() + patience;
    let mut held = lock(mutex);
    loop {
        let error = match look(&held) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || is_over() {
            return Err(error);
        }
        held = wait(changed, held, Some(left.min(NAP)));
    }
}
