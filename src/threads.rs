//! One knob for threads: how many a program of this crate uses, and no more.
//!
//! Two pools do the work. Rayon's, for kernels, maps and judging, and candle's matrix products take
//! their number from `RAYON_NUM_THREADS`; candle's pool for elementwise operations takes its own
//! from `CANDLE_NUM_THREADS`. That pool waits spinning, so that it takes time from the other one:
//! with one thread, which is none beside the caller's, training steps are up to a third faster.
//!
//! Both are read when a pool is first used, and a running process cannot change its environment
//! safely. So the programs begin anew with the right one: [`settle`]. Whoever calls the library
//! from a program of their own either calls `settle` first thing in `main`, or starts the program
//! with both variables set. Results do not depend on the number.

use crate::{Error, Result};
use std::ffi::OsString;
use std::process::Command;

/// The most threads that can be asked for.
pub const MAX_THREADS: usize = 1024;

const RAYON: &str = "RAYON_NUM_THREADS";
const CANDLE: &str = "CANDLE_NUM_THREADS";

/// Sees to it that this process uses `threads` threads; 0 stands for as many as
/// `RAYON_NUM_THREADS` says, or one per core where it says nothing.
///
/// Where the environment is another, the program begins anew with the same arguments, in the same
/// process where the system allows it, and this does not return. Call it before any work is done.
///
/// # Errors
/// [`Error::Threads`] if the program cannot be started again.
pub fn settle(threads: usize) -> Result<()> {
    let changes = changes(threads, |name| std::env::var(name).ok());
    if changes.is_empty() {
        return Ok(());
    }
    match restart(&changes) {
        // Nobody asked for a number, and with more threads of candle's it is slower, not wrong.
        Err(_) if threads == 0 => Ok(()),
        Err(source) => Err(Error::Threads { threads, source }),
        Ok(code) => std::process::exit(code),
    }
}

/// The variables that have to change, and their values.
fn changes(
    threads: usize,
    present: impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let number = |name: &str| present(name)?.parse::<usize>().ok().filter(|&n| n > 0);
    let mut changes = Vec::new();
    if threads > 0 && number(RAYON) != Some(threads) {
        changes.push((RAYON, threads.to_string()));
    }
    let chosen = number(CANDLE).filter(|&n| threads == 0 || n <= threads);
    if chosen.is_none() {
        changes.push((CANDLE, "1".to_owned()));
    }
    changes
}

/// This program with its arguments and another environment.
fn again(changes: &[(&'static str, String)]) -> std::io::Result<(Command, OsString)> {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    command.envs(changes.iter().map(|(name, value)| (name, value)));
    Ok((command, called))
}

#[cfg(unix)]
fn restart(changes: &[(&'static str, String)]) -> std::io::Result<i32> {
    use std::os::unix::process::CommandExt;
    let (mut command, called) = again(changes)?;
    Err(command.arg0(called).exec())
}

#[cfg(not(unix))]
fn restart(changes: &[(&'static str, String)]) -> std::io::Result<i32> {
    let (mut command, _) = again(changes)?;
    Ok(command.status()?.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes_of(threads: usize, rayon: Option<&str>, candle: Option<&str>) -> String {
        let present = |name: &str| {
            let value = if name == RAYON { rayon } else { candle };
            value.map(str::to_owned)
        };
        let changes = changes(threads, present);
        let texts = changes
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_differs_is_changed() {
        let both = "RAYON_NUM_THREADS=2 CANDLE_NUM_THREADS=1";
        assert_eq!(changes_of(2, None, None), both);
        assert_eq!(changes_of(2, Some("4"), Some("4")), both);
        assert_eq!(changes_of(2, Some("2"), Some("1")), "");
        assert_eq!(changes_of(2, Some("2"), Some("0")), "CANDLE_NUM_THREADS=1");
        assert_eq!(changes_of(4, Some("4"), Some("2")), "");
    }

    #[test]
    fn all_threads_leave_what_the_environment_says() {
        assert_eq!(changes_of(0, Some("3"), Some("3")), "");
        assert_eq!(changes_of(0, Some("3"), None), "CANDLE_NUM_THREADS=1");
    }
}
