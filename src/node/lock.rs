//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The content of a mutex. If a thread panicked while it held it, the content is what that thread
/// left: all of ours are changed by single assignments, and a node that answers on is worth more
/// than one that dies with its first defect.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
