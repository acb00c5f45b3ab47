//! Lines for people. Where nobody reads them any more, such as a pipe that was closed, they are
//! dropped: hours of training do not end for that.

use std::fmt::Display;
use std::io::Write;

/// A line of results, to stdout.
pub fn result(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line about progress or an error, to stderr.
pub fn note(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
