//! How far a run is: a bar on a terminal, else a line every half a minute.

use super::say;
use hrm_training::{Event, Score, StepReport, duration};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between lines where stderr is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// How much a step counts in the numbers shown; they jump about from step to step.
const WEIGHT: f64 = 0.05;

/// Shows events of a run on stderr.
pub struct Progress {
    first: u64,
    steps: u64,
    began: Instant,
    deadline: Option<Instant>,
    /// Running means of the loss of the moves and the share that arrives.
    means: Option<(f64, f64)>,
    /// The share of unseen maps reached, once judged.
    reached: Option<f64>,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Of a run at step `first` of `steps`, which may train until `deadline`.
    pub fn new(first: u64, steps: u64, deadline: Option<Instant>) -> Self {
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
            first,
            steps,
            began: now,
            deadline,
            means: None,
            reached: None,
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
        let (loss, arrives) = self.means.unwrap_or((report.moves, report.arrives));
        let loss = loss + WEIGHT * (report.moves - loss);
        let arrives = arrives + WEIGHT * (report.arrives - arrives);
        self.means = Some((loss, arrives));
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
            "{} left, loss {loss:.3}, arrives {:.1} %, {} steps/s",
            duration(left),
            100.0 * arrives,
            three_digits(speed),
        );
        if let Some(reached) = self.reached {
            text = format!("{text}, unseen {:.1} %", 100.0 * reached);
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
        let n: usize = scores.iter().map(|score| score.n).sum();
        let Some(first) = scores.first() else { return };
        let mean = |share: fn(&Score) -> f64| {
            let sum: f64 = scores.iter().map(|s| share(s) * s.n as f64).sum();
            sum / n.max(1) as f64
        };
        let (reached, optimal) = (mean(|s| s.reached), mean(|s| s.optimal));
        self.reached = Some(reached);
        let line = format!(
            "step {}: unseen maps reached {:.1} %, optimal {:.1} %",
            first.step,
            100.0 * reached,
            100.0 * optimal,
        );
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say::note(line),
        }
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
