//! Logs, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Says of each strange text in a message that it is strange; what is wrong with the message is said by us.
const QUIET: &str = "cdr_encoding=off";

/// Starts logging: warnings and errors, and more with each `-v`. `RUST_LOG` overrules.
pub fn start(verbose: u8) {
    begin(&format!("{},{QUIET}", level(verbose)), false);
}

/// As [`start`], for a program that runs on: with the time, and with what this crate does from the
/// beginning.
#[cfg(feature = "zenoh")]
pub fn start_node(verbose: u8) {
    let own = level(verbose + 1);
    begin(&format!("warn,{QUIET},hrm_planner={own}"), true);
}

fn level(verbose: u8) -> &'static str {
    match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    }
}

fn begin(levels: &str, with_time: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(levels));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // A closed standard error must not end the program.
        .log_internal_errors(false);
    // Fails only if logging was started before, which main does not do.
    let _ = if with_time {
        log.finish().try_init()
    } else {
        log.without_time().finish().try_init()
    };
}
