//! How a command can end other than well, and the exit codes that say so.

use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
use hrm_planner::Error;
use hrm_planner::planner::NavError;

/// What commands return.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// Bad input or usage; what is wrong and what to do.
    Input(String),
    /// No command: help, over many lines, says what there is.
    Help(String),
    /// No plan: Nav2's name for it, and what to do.
    NoPlan(NavError, String),
    /// The plan that was to be verified is invalid; standard output says why.
    Invalid,
    /// Whoever read our output has left, as in `hrm-planner ... | head`. Not an error.
    Unread,
    /// Anything else.
    Unforeseen(String),
}

impl Failure {
    /// Wrong usage, in one line.
    pub fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::Help(text);
        }
        let said = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("; ")
            .replace(":; ", ": ");
        let said = said.strip_prefix("error: ").unwrap_or(&said);
        Self::Input(format!("{said}; --help shows what is possible"))
    }

    /// The line for standard error, if there is anything to say.
    pub fn message(&self) -> Option<String> {
        let line = match self {
            Self::Input(message) | Self::Unforeseen(message) => format!("error: {message}"),
            Self::NoPlan(error, message) => format!("no plan: {error}: {message}"),
            Self::Help(text) => return Some(text.trim_end().to_owned()),
            Self::Invalid | Self::Unread => return None,
        };
        Some(line.lines().map(str::trim).collect::<Vec<_>>().join(" "))
    }

    /// The exit code that other programs read.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Unread => 0,
            Self::Unforeseen(_) => 1,
            Self::Input(_) | Self::Help(_) => 2,
            Self::NoPlan(..) | Self::Invalid => 3,
        })
    }
}

/// How a command ends that told its verdict, well or not: a bad verdict counts even if nobody read
/// it.
pub fn told(telling: Result<()>, verdict: Result<()>) -> Result<()> {
    match telling {
        Ok(()) | Err(Failure::Unread) => verdict.and(telling),
        Err(_) => telling,
    }
}

impl From<Error> for Failure {
    /// The library's errors are about what it was given, but for those of tensors, JSON and threads.
    fn from(error: Error) -> Self {
        match error {
            Error::Tensor { .. } | Error::Json { .. } | Error::Threads { .. } => {
                Self::Unforeseen(error.to_string())
            }
            _ => Self::Input(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    /// Of standard output: files have their paths in the library's errors.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Unforeseen(format!("cannot write to standard output: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => Self::Unforeseen(format!("cannot write JSON: {error}")),
        }
    }
}
