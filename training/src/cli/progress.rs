//! How far a run is: a bar on a terminal, else a line every half a minute.

use super::say;
use hrm_training::{Columns, Event, Score, StepReport, duration, mean_score};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between lines where stderr is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// How much a step counts in the numbers shown; they jump about from step to step.
const WEIGHT: f64 = 0.05;

/// Shows events of a run on stderr.
pub struct Progress {
    columns: &'static Columns,
    first: u64,
    steps: u64,
    began: Instant,
    deadline: Option<Instant>,
    /// Running means of the first loss and of the share that says how far training is.
    loss: Mean,
    share: Mean,
    /// The first score on unseen problems, once judged.
    unseen: Option<f64>,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Of a run at step `first` of `steps`, which may train until `deadline`.
    pub fn new(
        columns: &'static Columns,
        first: u64,
        steps: u64,
        deadline: Option<Instant>,
    ) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(steps).with_position(first);
            // The template is fixed; if indicatif should refuse it, its own will do.
            if let Ok(style) = ProgressStyle::with_template("{bar:12} {pos}/{len}  {wide_msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        let now = Instant::now();
        Self {
            columns,
            first,
            steps,
            began: now,
            deadline,
            loss: Mean::default(),
            share: Mean::default(),
            unseen: None,
            bar,
            last_line: now,
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Step(report) => self.step(report),
            Event::Scores(scores) => self.scores(scores),
            Event::Saved(_) => {}
        }
    }

    /// Leaves the last state of the bar in view.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }

    fn step(&mut self, report: &StepReport) {
        let loss = self.columns.losses.first().map_or("", |loss| loss.column);
        let loss = self.loss.next(report.number(loss));
        let share = self.share.next(report.number(self.columns.share.column));
        let line_is_due = self.last_line.elapsed() >= LINE_EVERY || report.step == self.steps;
        if self.bar.is_none() && !line_is_due {
            return;
        }

        let seconds = self.began.elapsed().as_secs_f64();
        let speed = (report.step - self.first) as f64 / seconds.max(1e-9);
        let mut left = (self.steps - report.step) as f64 / speed;
        if let Some(deadline) = self.deadline {
            let until = deadline.saturating_duration_since(Instant::now());
            left = left.min(until.as_secs_f64());
        }
        let mut text = format!(
            "{} left, loss {loss:.3}, {} {:.1} %, {} steps/s",
            duration(left),
            self.columns.share.column,
            100.0 * share,
            three_digits(speed),
        );
        if let Some(unseen) = self.unseen {
            text = format!("{text}, unseen {:.1} %", 100.0 * unseen);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(report.step);
            bar.set_message(text);
        } else {
            say::note(format_args!("step {}/{}: {text}", report.step, self.steps));
            self.last_line = Instant::now();
        }
    }

    fn scores(&mut self, scores: &[Score]) {
        let Some(first) = scores.first() else { return };
        let [one, two] = self.columns.shown_scores;
        let [mean_one, mean_two] = [one, two].map(|shown| mean_score(scores, shown.column));
        self.unseen = Some(mean_one);
        let line = format!(
            "step {}: {} {} {:.1} %, {} {:.1} %",
            first.step,
            self.columns.unseen,
            one.label,
            100.0 * mean_one,
            two.label,
            100.0 * mean_two,
        );
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say::note(line),
        }
    }
}

/// A running mean.
#[derive(Debug, Default)]
struct Mean(Option<f64>);

impl Mean {
    /// The mean with one more number, if there is one; NaN before the first.
    fn next(&mut self, number: Option<f64>) -> f64 {
        if let Some(number) = number {
            let mean = self.0.unwrap_or(number);
            self.0 = Some(mean + WEIGHT * (number - mean));
        }
        self.0.unwrap_or(f64::NAN)
    }
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}
