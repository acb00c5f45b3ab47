//! What `TensorBoard` shows of a run: the rows of its tables once more, as an event file.
//!
//! The file lies beside the tables, so that `tensorboard --logdir runs` compares all runs of a
//! folder. As in the tables, every event is on disk once [`Events::add`] returns, and when a run
//! goes on from an earlier step, events after that step are dropped, since they come again.
//!
//! The format is written here: the crates for it are no longer kept up, and each builds on a whole
//! protobuf library for what are two kinds of message.

mod message;
mod record;

use crate::metrics::MetricsRow;
use crate::numbers::Columns;
use crate::scores::{Score, mean_score};
use crate::{Error, Result};
use hrm_planner::model::write_atomically;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file's name in the run's folder. `TensorBoard` looks for `tfevents` in it.
pub(crate) const EVENTS_FILE: &str = "events.out.tfevents.hrm-train";

/// The event file of a run.
#[derive(Debug)]
pub(crate) struct Events {
    path: PathBuf,
    file: File,
    columns: &'static Columns,
}

impl Events {
    /// The event file in a folder, with its events up to `step`; later ones are dropped, and so is
    /// an end that a power cut tore. A file that is not there is made.
    pub(crate) fn open(folder: &Path, columns: &'static Columns, step: u64) -> Result<Self> {
        let path = folder.join(EVENTS_FILE);
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let old = match std::fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            old => old.map_err(io)?,
        };
        let mut kept: Vec<u8> = record::records(&old)
            .filter(|message| message::step_of(message) <= step)
            .flat_map(record::framed)
            .collect();
        if kept.is_empty() {
            kept = record::framed(message::version(now()));
        }
        // A viewer may be reading: what stays as it is is left alone.
        if kept != old {
            write_atomically(&path, &kept)?;
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(io)?;
        Ok(Self {
            path,
            file,
            columns,
        })
    }

    /// Adds a row of metrics: losses, learning rate, norm of the gradient, and what the task
    /// measures.
    pub(crate) fn add_metrics(&mut self, row: &MetricsRow) -> Result<()> {
        let losses = self.columns.losses;
        let values = row.numbers.iter().filter_map(|&(column, number)| {
            let group = match column {
                "rate" => "optimiser/learning rate".to_owned(),
                "gradient" => "optimiser/gradient norm".to_owned(),
                loss if losses.iter().any(|shown| shown.column == loss) => format!("loss/{loss}"),
                measure => format!("training/{measure}"),
            };
            Some((group, number?))
        });
        let speed = row.seconds / row.step.max(1) as f64;
        let seconds = ("training/seconds per step".to_owned(), speed);
        let values: Vec<_> = values.chain([seconds]).collect();
        self.add(row.step, &values)
    }

    /// Adds an evaluation: each score by set and kind, and its mean over all problems.
    pub(crate) fn add_scores(&mut self, scores: &[Score]) -> Result<()> {
        let Some(first) = scores.first() else {
            return Ok(());
        };
        let means = self.columns.shown_scores.map(|shown| {
            let mean = mean_score(scores, shown.column);
            (format!("score/{}", shown.column), mean)
        });
        let each = scores.iter().flat_map(|score| {
            let place = format!("{}/{}", score.set, score.kind);
            let numbers = score.numbers.iter();
            numbers.filter_map(move |&(name, number)| Some((format!("{name}/{place}"), number?)))
        });
        let values: Vec<_> = means.into_iter().chain(each).collect();
        self.add(first.step, &values)
    }

    fn add(&mut self, step: u64, values: &[(String, f64)]) -> Result<()> {
        let message = message::scalars(now(), step, values);
        // One write per event, so that it is there whole or not at all.
        let written = self.file.write_all(&record::framed(&message));
        written.map_err(|source| Error::Io {
            path: self.path.clone(),
            source,
        })
    }
}

/// Seconds since 1970, as events are dated.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |time| time.as_secs_f64())
}
