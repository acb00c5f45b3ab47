//! `hrm-planner bench`: how good the plans are, in numbers.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hrm_planner::Error;
use hrm_planner::grid::generate::Kind;
use hrm_planner::judge::{Answer, Failures, Generated, Judge, Progress, write_table};
use hrm_planner::model::Act;
use hrm_planner::node::Settings;
use hrm_planner::planner::{HaltRule, PlannerConfig};

use super::arguments::HaltArgument;
use super::failure::{Failure, Result};
use super::models::ModelChoice;
use super::progress::ProgressLine;

/// Problems of each generated kind and side, and pairs on each ROS map, where no limit is given.
const DEFAULT_LIMIT: usize = 20;
/// Sides of generated maps where none are given, cells.
const DEFAULT_SIDES: [usize; 3] = [16, 32, 48];
/// The environment variable that names the folder of all data sets, and its default.
const DATA: (&str, &str) = ("HRM_DATA", "../shared/data");

/// Judge model and planner on a set of problems
///
/// Every problem is asked of the planner and of the exact search. The first columns are about the
/// model's own plans, before any fallback; the later ones about what was published. Problems run
/// in parallel, each on one core, without a deadline: scores are the same on every machine, times
/// are those of one core.
#[derive(Debug, Args)]
#[command(after_help = "Sets, and what --limit counts there:
  generated          made for the occasion; problems of each kind and side [20]
  ros-maps           maps that robots made; random pairs on each map [20]
  movingai           published benchmarks; rows of each .scen file [all]
  maze-hard          30 x 30 mazes with long ways; mazes [all]
  planning-datasets  maps of Neural A*; maps of each file [all]
0 is no limit, which can take hours; generated and ros-maps have no end, and need one.

Examples:
  hrm-planner bench generated --limit 50 --sides 16,32,48
  hrm-planner bench ros-maps data/ros-maps --radius 0.5 --json scores.json
  hrm-planner bench movingai --limit 5 --failures worst    (pictures of the worst plans)
  hrm-planner bench maze-hard data/maze-hard --threads 1   (times on an idle machine)

Random problems come from streams of random numbers that training never draws from.")]
pub struct Arguments {
    /// The set of problems
    #[arg(value_enum)]
    set: Set,
    /// The folder that holds the set, or one file of it [default: SET in the folder HRM_DATA]
    path: Option<PathBuf>,
    /// How many problems; see below
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// The seed of everything random
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The robot's radius in metres, for ros-maps [default: the configured one]
    #[arg(long, value_name = "METRES", allow_hyphen_values = true)]
    radius: Option<f64>,
    /// Sides of generated maps, cells [default: 16,32,48]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    sides: Vec<usize>,
    /// Kinds of generated maps [default: all]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    kinds: Vec<Kind>,
    #[command(flatten)]
    model: ModelChoice,
    /// The planner's settings, a YAML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// When thinking stops early, instead of the configured rule
    #[arg(long, value_enum, value_name = "RULE")]
    halt: Option<HaltArgument>,
    /// Segments of thinking at most, instead of the configured number
    #[arg(long, value_name = "N")]
    max_segments: Option<usize>,
    /// Symmetric images of each map to think about, instead of the configured number (1 to 16)
    #[arg(long, value_name = "N")]
    symmetries: Option<usize>,
    /// Also write the rows to this file, a JSON list
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also draw the model's worst plans into this folder, beside the oracle's
    #[arg(long, value_name = "FOLDER")]
    failures: Option<PathBuf>,
}

/// A set of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Set {
    Generated,
    RosMaps,
    #[value(name = "movingai")]
    MovingAi,
    MazeHard,
    PlanningDatasets,
}

impl Set {
    const fn name(self) -> &'static str {
        match self {
            Set::Generated => "generated",
            Set::RosMaps => "ros-maps",
            Set::MovingAi => "movingai",
            Set::MazeHard => "maze-hard",
            Set::PlanningDatasets => "planning-datasets",
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let set = arguments.set;
    let mut config = match &arguments.config {
        Some(path) => Settings::read(path)?.planner,
        None => PlannerConfig::default(),
    };
    arguments.warn_of_what_has_no_effect();
    // The robots of the other sets are points.
    if let (Some(radius), Set::RosMaps) = (arguments.radius, set) {
        config.robot_radius = radius;
    }
    config.halt = arguments.halt.map_or(config.halt, HaltRule::from);
    arguments.model.configure(&mut config);
    config.max_segments = arguments.max_segments.unwrap_or(config.max_segments);
    config.symmetries = arguments.symmetries.unwrap_or(config.symmetries);
    let limit = match (arguments.limit, set) {
        (Some(0), Set::Generated | Set::RosMaps) => {
            return Err(Failure::Input(format!(
                "--limit 0 is no limit, and {} has no end; give a number",
                set.name()
            )));
        }
        (limit, Set::Generated | Set::RosMaps) => limit.unwrap_or(DEFAULT_LIMIT),
        (limit, _) => limit.unwrap_or(0),
    };
    if let Some(file) = &arguments.json {
        check_writable(file)?;
    }
    let path = match set {
        Set::Generated => PathBuf::new(),
        _ => arguments.data()?,
    };

    let line = ProgressLine::new(set.name());
    let watch = |progress: Progress<'_>| line.show(progress);
    // The published models answer mazes; they do not plan.
    let tokens = match set {
        Set::MazeHard => arguments.model.sequence_model(&config)?,
        _ => None,
    };
    let model = match tokens {
        Some(_) => None,
        None => arguments.model.load(config.device)?,
    };
    if tokens.is_some() && arguments.failures.is_some() {
        return Err(Failure::Input(
            "--failures draws plans, and a published model fills in tokens instead; leave it out"
                .to_owned(),
        ));
    }
    let failures = Failures::default();
    let see = |answer: &Answer<'_>| failures.see(answer);
    let mut judge = Judge::new(&config, model, arguments.seed)?.watched_by(&watch);
    if arguments.failures.is_some() {
        judge = judge.shown_to(&see);
    }
    let rows = match set {
        Set::Generated => judge.generated(&Generated {
            kinds: given_or(&arguments.kinds, &Kind::ALL),
            sides: given_or(&arguments.sides, &DEFAULT_SIDES),
            n: limit,
        }),
        Set::RosMaps => judge.ros_maps(&path, limit),
        Set::MovingAi => judge.movingai(&path, limit),
        Set::MazeHard => match &tokens {
            Some(model) => {
                let trained_for = model.config().halt_max_steps;
                let act = Act {
                    max_segments: arguments.max_segments.unwrap_or(trained_for),
                    halting: config.halt != HaltRule::Never,
                };
                judge.maze_tokens(&path, limit, model, &act)
            }
            None => judge.maze_hard(&path, limit),
        },
        Set::PlanningDatasets => judge.planning_datasets(&path, limit),
    };
    line.clear();
    let rows = rows?;
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&rows)? + "\n";
        std::fs::write(file, text).map_err(|source| io(file, source))?;
    }
    write_table(&rows, out)?;
    if let Some(folder) = &arguments.failures {
        writeln!(out, "{}", failures.draw(set.name(), folder)?)?;
    }
    Ok(())
}

/// What was given, or the default where nothing was.
fn given_or<T: Clone>(given: &[T], default: &[T]) -> Vec<T> {
    let chosen = if given.is_empty() { default } else { given };
    chosen.to_vec()
}

impl Arguments {
    /// Warns of arguments that are for another set.
    fn warn_of_what_has_no_effect(&self) {
        let is_generated = self.set == Set::Generated;
        let stray = [
            ("PATH", self.path.is_some() && is_generated),
            ("--sides", !self.sides.is_empty() && !is_generated),
            ("--kinds", !self.kinds.is_empty() && !is_generated),
            (
                "--radius",
                self.radius.is_some() && self.set != Set::RosMaps,
            ),
        ];
        for (argument, _) in stray.into_iter().filter(|(_, is_stray)| *is_stray) {
            tracing::warn!(
                "{argument} is for other sets and has no effect on {}",
                self.set.name()
            );
        }
    }

    /// Where the set is.
    fn data(&self) -> Result<PathBuf> {
        let name = self.set.name();
        if let Some(path) = &self.path {
            if path.exists() {
                return Ok(path.clone());
            }
            return Err(Failure::Input(format!(
                "{}: no such file or folder; pass the one that holds {name}",
                path.display()
            )));
        }
        let (variable, default) = DATA;
        let folder = std::env::var_os(variable).map_or(PathBuf::from(default), PathBuf::from);
        let path = folder.join(name);
        if path.exists() {
            return Ok(path);
        }
        Err(Failure::Input(format!(
            "{}: no such folder; pass the folder that holds {name}, or set {variable} to the folder \
             that holds all sets",
            path.display()
        )))
    }
}

/// Fails now rather than after hours of judging. What is there stays as it is, and where nothing
/// is, nothing is left: rows of a judgement that failed must not be taken for rows.
fn check_writable(file: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.append(true).open(file);
    let outcome = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => options
            .create_new(true)
            .open(file)
            .and_then(|_| std::fs::remove_file(file)),
        opened => opened.map(drop),
    };
    outcome.map_err(|source| io(file, source))
}

fn io(path: &Path, source: std::io::Error) -> Failure {
    let path = path.to_owned();
    Error::Io { path, source }.into()
}
