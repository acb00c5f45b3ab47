//! What the node has done so far, and how it is: its entry in `/diagnostics`.

use std::time::Duration;

use super::lifecycle::State;
use super::maps::Maps;
use super::message::{Answer, AskKind, Ending};
use super::settings::Settings;
use crate::planner::{NavError, Report, Source};

/// How bad it is (`diagnostic_msgs/DiagnosticStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// All is well.
    Ok = 0,
    /// Something needs a look.
    Warn = 1,
    /// Plans cannot be made.
    Error = 2,
}

/// The node's entry in `/diagnostics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// How bad it is.
    pub level: Level,
    /// Why.
    pub message: String,
    /// Names and values.
    pub values: Vec<(String, String)>,
}

/// What has been done since the node was configured.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    requests: u64,
    succeeded: u64,
    by_model: u64,
    repaired: u64,
    by_search: u64,
    segments: u64,
    plans: u64,
    last_ms: f64,
    slowest_ms: f64,
    last_error: Option<(NavError, String)>,
}

impl Statistics {
    /// Notes an answer that was given.
    pub(super) fn note(
        &mut self,
        kind: AskKind,
        answer: &Answer,
        reports: &[Report],
        took: Duration,
    ) {
        self.requests += 1;
        self.last_ms = took.as_secs_f64() * 1e3;
        self.slowest_ms = self.slowest_ms.max(self.last_ms);
        for report in reports {
            self.segments += report.segments as u64;
            match report.source {
                Some(Source::Model) => self.by_model += 1,
                Some(Source::Repaired) => self.repaired += 1,
                Some(Source::Search) => self.by_search += 1,
                None => continue,
            }
            self.plans += 1;
        }
        if answer.ending == Ending::Succeeded {
            self.succeeded += 1;
            self.last_error = None;
        } else if let (Some(error), false) = (answer.error(), kind == AskKind::Batch) {
            self.last_error = Some((error, answer.message.clone()));
        }
    }

    /// How the node is.
    pub(super) fn diagnose(
        &self,
        state: State,
        maps: &Maps,
        settings: &Settings,
        has_model: bool,
    ) -> Diagnosis {
        let late_sensors = maps.late_sensors(settings);
        let map = maps.present();
        let refusal = maps.refusal();
        let (level, message) = if state != State::Active {
            (Level::Ok, format!("{}; answers nothing", state.label()))
        } else if map.is_none() {
            let why = refusal
                .clone()
                .unwrap_or_else(|| "none has come".to_owned());
            (Level::Error, format!("no map: {why}"))
        } else if !late_sensors.is_empty() {
            (
                Level::Warn,
                format!("not heard in time: {}", late_sensors.join(", ")),
            )
        } else if let Some(refusal) = &refusal {
            (Level::Warn, format!("the last map was refused: {refusal}"))
        } else if !has_model {
            (
                Level::Warn,
                "no model; the search makes all plans".to_owned(),
            )
        } else if let Some((error, message)) = &self.last_error {
            (Level::Warn, format!("{error}: {message}"))
        } else {
            (Level::Ok, "plans".to_owned())
        };
        let share = |count: u64| {
            if self.plans == 0 {
                "-".to_owned()
            } else {
                format!("{:.1} %", 100.0 * count as f64 / self.plans as f64)
            }
        };
        let mut values = vec![
            ("state", state.label().to_owned()),
            ("requests", self.requests.to_string()),
            ("succeeded", self.succeeded.to_string()),
            ("plans by the model", share(self.by_model)),
            ("plans repaired", share(self.repaired)),
            ("plans by the search", share(self.by_search)),
            ("last answer", format!("{:.1} ms", self.last_ms)),
            ("slowest answer", format!("{:.1} ms", self.slowest_ms)),
        ];
        if self.plans > 0 {
            let mean = self.segments as f64 / self.plans as f64;
            values.push(("segments per plan", format!("{mean:.1}")));
        }
        if let Some(map) = &map {
            let geometry = map.snapshot.geometry();
            values.push(("map frame", map.frame.clone()));
            let made_ms = maps.made_in().as_secs_f64() * 1e3;
            values.push(("map made ready", format!("{made_ms:.3} ms")));
            let (width, height) = (geometry.width(), geometry.height());
            let resolution = geometry.resolution();
            values.push(("map", format!("{width} x {height} cells of {resolution} m")));
        }
        Diagnosis {
            level,
            message,
            values: values
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        }
    }
}
