//! A line on standard error that says how far a long command is, where a person watches.

use std::io::{IsTerminal, Write};

use hrm_planner::judge::Progress;

/// Columns that the line takes at most; what was there before is overwritten.
const WIDTH: usize = 76;

/// The line. Writes nothing unless standard error is a terminal.
#[derive(Debug)]
pub struct ProgressLine {
    set: &'static str,
    is_watched: bool,
}

impl ProgressLine {
    /// A line for a set of problems.
    pub fn new(set: &'static str) -> Self {
        Self {
            set,
            is_watched: std::io::stderr().is_terminal(),
        }
    }

    /// Shows how far it is.
    pub fn show(&self, progress: Progress<'_>) {
        let Progress { kind, done, of } = progress;
        self.write(&format!("{} {kind}: {done} of {of}", self.set));
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.write("");
    }

    fn write(&self, text: &str) {
        if self.is_watched {
            let text: String = text.chars().take(WIDTH).collect();
            // Progress that cannot be shown is not worth an error.
            let _ = write!(std::io::stderr(), "\r{text:WIDTH$}\r");
        }
    }
}
