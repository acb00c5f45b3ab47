//! Ctrl-C and SIGTERM: the step under way is finished first.

use super::{INTERRUPTED, say};
use hrm_training::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the user or the system asked to stop.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. The first signal only asks, and says what happens next; a second one
    /// ends the process at once, which costs the steps since the last checkpoint but harms no file.
    pub fn listen() -> Result<Self, Error> {
        let requested = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&requested);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            say::note("ending after this step with a checkpoint; once more ends at once");
        })
        .map_err(|e| Error::Signals {
            reason: e.to_string(),
        })?;
        Ok(Self(requested))
    }

    /// Whether a signal came.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
