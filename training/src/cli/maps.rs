//! `hrm-train eval` of a model that plans: maps by kind and side, and pictures of the worst plans.

use super::eval::Args;
use super::{Outcome, progress::LINE_EVERY, say};
use hrm_planner::grid::generate::Kind;
use hrm_planner::judge::{Answer, Failures, Generated, Judge, Progress, write_table};
use hrm_planner::model::Checkpoint;
use hrm_planner::planner::{NamedModel, PlannerConfig};
use hrm_training::{Error, Recipe, duration, kinds};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Problems of each kind and side.
const PROBLEMS: u32 = 20;
/// Sides of maps, cells.
const SIDES: [usize; 3] = [16, 32, 48];
/// Sides of the maps of a recipe: those of these that it trains on, and its longest.
const RECIPE_SIDES: [usize; 7] = [16, 32, 48, 64, 96, 128, 256];

/// Judges, prints a table, and draws the worst plans if they are wanted.
pub fn execute(
    args: &Args,
    recipe: Option<&Recipe>,
    checkpoint: &Checkpoint,
) -> anyhow::Result<Outcome> {
    if args.clues.is_some() {
        say::note("--clues is for models that answer boards and has no effect on maps");
    }
    let named = NamedModel {
        name: args.model.display().to_string(),
        model: checkpoint
            .model_on(&args.place.open()?)
            .map_err(Error::from)?,
    };
    let config = PlannerConfig {
        device: args.place.device,
        ..PlannerConfig::default()
    };
    let set = problems(args, recipe)?;
    let waiting = Waiting::new(&set);
    let watch = |progress: Progress<'_>| waiting.show(progress);
    let failures = Failures::default();
    let see = |answer: &Answer<'_>| failures.see(answer);
    let mut judge = Judge::new(&config, Some(named), args.seed).map_err(Error::from)?;
    judge = judge.watched_by(&watch);
    if args.failures.is_some() {
        judge = judge.shown_to(&see);
    }
    let rows = judge.generated(&set);
    waiting.bar.finish_and_clear();
    let rows = rows.map_err(Error::from)?;
    args.write_json(&rows)?;
    let mut table = Vec::new();
    write_table(&rows, &mut table)?;
    say::result(String::from_utf8_lossy(&table).trim_end());
    if let Some(folder) = &args.failures {
        let model = args.model.display().to_string();
        say::result(failures.draw(&model, folder).map_err(Error::from)?);
    }
    Ok(Outcome::Done)
}

/// What was asked for, else what the recipe trains on, else the defaults.
fn problems(args: &Args, recipe: Option<&Recipe>) -> Result<Generated, Error> {
    let mut set = Generated {
        kinds: Kind::ALL.to_vec(),
        sides: SIDES.to_vec(),
        n: args.n.unwrap_or(PROBLEMS) as usize,
    };
    if let Some(recipe) = recipe {
        let recipe = recipe.planning()?;
        let longest = recipe.data.max_side;
        set.kinds = kinds(recipe).collect();
        set.sides = RECIPE_SIDES.to_vec();
        set.sides.retain(|&side| side < longest);
        set.sides.push(longest);
    }
    if !args.kinds.is_empty() {
        set.kinds.clone_from(&args.kinds);
    }
    if !args.sides.is_empty() {
        set.sides.clone_from(&args.sides);
    }
    Ok(set)
}

/// How far the judge is: a bar on a terminal, else a line every half a minute.
struct Waiting {
    bar: ProgressBar,
    is_bar: bool,
    last_line: Mutex<Instant>,
}

impl Waiting {
    fn new(set: &Generated) -> Self {
        let bar = ProgressBar::new((set.kinds.len() * set.sides.len() * set.n) as u64);
        // The template is fixed; if indicatif should refuse it, its own will do.
        let template = "{bar:12} {pos}/{len}  {eta} left  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            is_bar: std::io::stderr().is_terminal(),
            last_line: Mutex::new(Instant::now()),
        }
    }

    fn show(&self, progress: Progress<'_>) {
        self.bar.set_message(progress.kind.to_owned());
        self.bar.inc(1);
        let mut last = self
            .last_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.is_bar && last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            let (done, of) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let left = duration(self.bar.eta().as_secs_f64());
            say::note(format_args!(
                "judged {done}/{of}: {left} left, {}",
                progress.kind
            ));
        }
    }
}
