//! How far a run is: a bar on a terminal, else a line every half a minute.

use super::say;
use hrm_training::{Columns, Event, Run, Score, Standing, StepReport, duration, mean_score};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between lines where stderr is no terminal.
pub const LINE_EVERY: Duration = Duration::from_secs(30);
/// How much a step counts in the numbers shown; they jump about from step to step.
const WEIGHT: f64 = 0.05;

/// Shows events of a run on stderr.
pub struct Progress {
    columns: &'static Columns,
    first: u64,
    steps: u64,
    evaluate_every: u64,
    began: Instant,
    judging: Judging,
    deadline: Option<Instant>,
    /// Running means of the first loss and of the share that says how far training is.
    loss: Mean,
    share: Mean,
    /// The last first score on unseen problems, and the best one, once judged.
    unseen: Option<f64>,
    best: Option<f64>,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Of a run, where it is, that may train until `deadline`.
    pub fn new(run: &Run, deadline: Option<Instant>) -> Self {
        let first = run.trainer().steps_done();
        let steps = run.trainer().recipe().run.steps;
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
            columns: run.trainer().columns(),
            first,
            steps,
            evaluate_every: run.trainer().recipe().run.evaluate_every,
            began: now,
            judging: Judging::default(),
            deadline,
            loss: Mean::default(),
            share: Mean::default(),
            unseen: None,
            best: run.best().map(|best| best.means[0]),
            bar,
            last_line: now,
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Step(report) => self.step(report),
            Event::Judging => {
                self.judging.since = Some(Instant::now());
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("judging on {}", self.columns.unseen));
                }
            }
            Event::Scores { scores, best } => self.scores(scores, best),
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

        // Steps and judgements take their own times each.
        let seconds = (self.began.elapsed().saturating_sub(self.judging.took)).as_secs_f64();
        let speed = (report.step - self.first) as f64 / seconds.max(1e-9);
        let judgements =
            self.steps.div_ceil(self.evaluate_every) - (report.step / self.evaluate_every);
        let mut left = (self.steps - report.step) as f64 / speed
            + judgements as f64 * self.judging.mean_seconds();
        if let Some(deadline) = self.deadline {
            let until = deadline.saturating_duration_since(Instant::now());
            left = left.min(until.as_secs_f64());
        }
        // What is cut off where a terminal is narrow matters least.
        let mut text = format!("{} left", duration(left));
        let shown = self.columns.shown_scores[0].label;
        if let Some(unseen) = self.unseen {
            text = format!("{text}, unseen {shown} {:.1} %", 100.0 * unseen);
        }
        if let Some(best) = self.best.filter(|best| Some(*best) != self.unseen) {
            text = format!("{text}, best {:.1} %", 100.0 * best);
        }
        let share_name = self.columns.share.column;
        text = format!(
            "{text}, loss {loss:.3}, {share_name} {:.1} %, {} steps/s",
            100.0 * share,
            three_digits(speed),
        );
        if let Some(bar) = &self.bar {
            bar.set_position(report.step);
            bar.set_message(text);
        } else {
            say::note(format_args!("step {}/{}: {text}", report.step, self.steps));
            self.last_line = Instant::now();
        }
    }

    fn scores(&mut self, scores: &[Score], best: Option<Standing>) {
        self.judging.ends();
        let (Some(first), Some(best)) = (scores.first(), best) else {
            return;
        };
        let [one, two] = self.columns.shown_scores;
        let [mean_one, mean_two] = [one, two].map(|shown| mean_score(scores, shown.column));
        self.unseen = Some(mean_one);
        self.best = Some(best.means[0]);
        let place = if best.since == 0 {
            "the best so far".to_owned()
        } else {
            format!("best {:.1} % at step {}", 100.0 * best.means[0], best.step)
        };
        let line = format!(
            "step {}: {} {} {:.1} %, {} {:.1} %; {place}",
            first.step,
            self.columns.unseen,
            one.label,
            100.0 * mean_one,
            two.label,
            100.0 * mean_two,
        );
        match &self.bar {
            Some(bar) => {
                bar.println(line);
                bar.set_message(format!("unseen {} {:.1} %", one.label, 100.0 * mean_one));
            }
            None => say::note(line),
        }
    }
}

/// How long judging took so far.
#[derive(Debug, Default)]
struct Judging {
    since: Option<Instant>,
    took: Duration,
    times: u32,
}

impl Judging {
    fn ends(&mut self) {
        if let Some(since) = self.since.take() {
            self.took += since.elapsed();
            self.times += 1;
        }
    }

    fn mean_seconds(&self) -> f64 {
        self.took.as_secs_f64() / f64::from(self.times.max(1))
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
