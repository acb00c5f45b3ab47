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

    let mut progress = Progress::new(&run, deadline);
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
            say_best(&run);
            Ok(Outcome::Done)
        }
        Ending::NoBetter => {
            say::result(format_args!(
                "ended early after {step} of {steps} steps in {time}, for {} evaluations found no better \
                 score (run.patience); model {}, curves {}",
                run.best().map_or(0, |best| best.since),
                run.model_path().display(),
                run.curves_path().display(),
            ));
            say_best(&run);
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

/// Says which model had the best score, if it is another than the last.
fn say_best(run: &Run) {
    let Some(best) = run.best() else { return };
    if best.since == 0 {
        return;
    }
    let shown = run.trainer().columns().shown_scores;
    say::result(format_args!(
        "best score: step {}, {} {:.1} %, {} {:.1} %; model {}",
        best.step,
        shown[0].label,
        100.0 * best.means[0],
        shown[1].label,
        100.0 * best.means[1],
        run.best_path().display(),
    ));
}
