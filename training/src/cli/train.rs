//! What `run` and `resume` share: driving a run while showing it, until it ends or is ended.

use super::progress::Progress;
use super::say;
use super::{Outcome, signals::Interrupt};
use hrm_training::{Ending, Run, duration};
use std::time::{Duration, Instant};

/// How long this process may train.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Limit {
    /// Stop after this many minutes, with a checkpoint to go on from
    #[arg(long, value_name = "MINUTES", value_parser = minutes)]
    time_limit: Option<Duration>,
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if minutes > 0.0 {
        Duration::try_from_secs_f64(60.0 * minutes).map_err(|e| e.to_string())
    } else {
        Err("must be above 0".to_owned())
    }
}

/// Drives a run to its end, to the time limit or to an interruption, and says how it went.
pub fn drive(run: Run, limit: Limit) -> anyhow::Result<Outcome> {
    let interrupt = Interrupt::listen()?;
    let deadline = limit
        .time_limit
        .and_then(|limit| Instant::now().checked_add(limit));
    let recipe = run.trainer().recipe().clone();
    let mut run = run.with_live_scores();
    let folder = run.folder().display().to_string();
    let first = run.trainer().steps_done();
    let steps = recipe.run.steps;
    say::note(format_args!(
        "{}: {} parameters, step {first} of {steps}, seed {}, on {}, in {folder}",
        recipe.name,
        recipe.task.parameters(),
        recipe.seed,
        run.trainer().machine(),
    ));

    let columns = run.trainer().columns();
    let mut progress = Progress::new(columns, first, steps, deadline);
    let out_of_time = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let ending = run.drive(
        || interrupt.requested() || out_of_time(),
        |event| progress.show(event),
    );
    progress.finish();

    let step = run.trainer().steps_done();
    let time = duration(run.trainer().seconds());
    let go_on = format!("go on with `hrm-train resume {folder}`");
    match ending? {
        Ending::Complete => {
            say::result(format_args!(
                "done: {step} steps in {time}; model {}, curves {}",
                run.model_path().display(),
                run.curves_path().display(),
            ));
            Ok(Outcome::Done)
        }
        Ending::Stopped if interrupt.requested() => {
            say::note(format_args!(
                "interrupted after step {step}, checkpoint written; {go_on}"
            ));
            Ok(Outcome::Interrupted)
        }
        Ending::Stopped => {
            say::result(format_args!(
                "time limit reached after step {step}, checkpoint written; {go_on}"
            ));
            Ok(Outcome::Done)
        }
    }
}
