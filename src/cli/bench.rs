//! `hrm-planner bench`: how good the plans are, in numbers.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hrm_planner::Error;
use hrm_planner::grid::generate::Kind;
use hrm_planner::judge::{Generated, Judge, Progress, write_table};
use hrm_planner::planner::PlannerConfig;

use super::failure::{Failure, Result};
use super::models::ModelChoice;
use super::progress::ProgressLine;

/// Problems of each generated kind and side, and pairs on each ROS map, where no limit is given.
const DEFAULT_LIMIT: usize = 20;
/// Radius of the robot on ROS maps, metres: a small indoor robot.
const DEFAULT_RADIUS: f64 = 0.22;
/// The environment variable that names the folder of all data sets, and its default.
const DATA: (&str, &str) = ("HRM_DATA", "../shared/data");

/// Judge model and planner on a set of problems
///
/// Every problem is asked of the planner and of the exact search. The first columns are about the
/// model's own plans, before any fallback; the later ones about what was published. Problems run
/// in parallel, each on one core, without a deadline: scores are the same on every machine, times
/// are those of one core.
#[derive(Debug, Args)]
#[command(
    after_help = "Sets, and what --limit counts there (0: no limit, which can take hours):
  generated          made for the occasion; problems of each kind and side [20]
  ros-maps           maps that robots made; random pairs on each map [20]
  movingai           published benchmarks; rows of each .scen file [all]
  maze-hard          30 x 30 mazes with long ways; mazes [all]
  planning-datasets  maps of Neural A*; maps of each file [all]

Examples:
  hrm-planner bench generated --limit 50 --sides 16,32,48
  hrm-planner bench ros-maps data/ros-maps --radius 0.5 --json scores.json
  RAYON_NUM_THREADS=1 hrm-planner bench maze-hard data/maze-hard   (times on an idle machine)

Random problems come from streams of random numbers that training never draws from."
)]
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
    /// The robot's radius in metres, for ros-maps [default: 0.22]
    #[arg(long, value_name = "METRES", allow_hyphen_values = true)]
    radius: Option<f64>,
    /// Sides of generated maps, cells
    #[arg(
        long,
        value_name = "N,N,...",
        value_delimiter = ',',
        default_value = "16,32,48"
    )]
    sides: Vec<usize>,
    /// Kinds of generated maps [default: all]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    kinds: Vec<Kind>,
    #[command(flatten)]
    model: ModelChoice,
    /// The planner's settings, a YAML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also write the rows to this file, a JSON list
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
        Some(path) => PlannerConfig::read(path)?,
        None => PlannerConfig {
            robot_radius: DEFAULT_RADIUS,
            ..PlannerConfig::default()
        },
    };
    match (arguments.radius, set) {
        (Some(radius), Set::RosMaps) => config.robot_radius = radius,
        (Some(_), _) => tracing::warn!(
            "--radius is for ros-maps; the robots of {} are points, and it has no effect",
            set.name()
        ),
        (None, _) => {}
    }
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
    let judge = Judge::new(&config, arguments.model.load()?, arguments.seed)?.watched_by(&watch);
    let rows = match set {
        Set::Generated => judge.generated(&Generated {
            kinds: if arguments.kinds.is_empty() {
                Kind::ALL.to_vec()
            } else {
                arguments.kinds.clone()
            },
            sides: arguments.sides.clone(),
            n: limit,
        }),
        Set::RosMaps => judge.ros_maps(&path, limit),
        Set::MovingAi => judge.movingai(&path, limit),
        Set::MazeHard => judge.maze_hard(&path, limit),
        Set::PlanningDatasets => judge.planning_datasets(&path, limit),
    };
    line.clear();
    let rows = rows?;
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&rows)? + "\n";
        std::fs::write(file, text).map_err(|source| io(file, source))?;
    }
    Ok(write_table(&rows, out)?)
}

impl Arguments {
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

/// Fails now rather than after hours of judging.
fn check_writable(file: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options
        .create(true)
        .append(true)
        .open(file)
        .map_err(|source| io(file, source))?;
    Ok(())
}

fn io(path: &Path, source: std::io::Error) -> Failure {
    let path = path.to_owned();
    Error::Io { path, source }.into()
}
