//! Our log lines as those of ROS: on the terminal, in its log files and on `/rosout`, with the
//! levels that `--log-level` sets.

use std::fmt::Write;

use rclrs::{Logger, ToLogParams};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Sends what this crate logs to ROS.
pub fn start(logger: &Logger) {
    let layer = ToRos {
        logger: logger.clone(),
    };
    // Fails only if logging was started before, which the node's main does not do.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

struct ToRos {
    logger: Logger,
}

impl<S: Subscriber> Layer<S> for ToRos {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with("hrm_planner") {
            return; // libraries talk of themselves
        }
        let mut line = Line::default();
        event.record(&mut line);
        let text = line.text();
        let log = (&self.logger).to_log_params();
        match *event.metadata().level() {
            Level::ERROR => rclrs::log!(log.error(), "{text}"),
            Level::WARN => rclrs::log!(log.warn(), "{text}"),
            Level::INFO => rclrs::log!(log.info(), "{text}"),
            _ => rclrs::log!(log.debug(), "{text}"),
        }
    }
}

/// A log line: its message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    error: String,
    fields: String,
}

impl Line {
    fn text(self) -> String {
        let mut text = self.message;
        if !self.error.is_empty() {
            text = format!("{text}: {}", self.error);
        }
        text + &self.fields
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" => self.error = format!("{value:?}"),
            name => {
                // Writing to a String does not fail.
                let _ = write!(self.fields, " {name}={value:?}");
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "error" => value.clone_into(&mut self.error),
            name => {
                let _ = write!(self.fields, " {name}={value}");
            }
        }
    }
}
