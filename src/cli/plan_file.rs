//! Plans as files and as JSON: written by `plan`, read by `verify`.

use std::fs;
use std::path::{Path, PathBuf};

use hrm_planner::Error;
use hrm_planner::grid::Pose2;
use hrm_planner::planner::{NavError, Outcome, Report, Request};
use serde::{Deserialize, Serialize};

use super::failure::{Failure, Result};

/// A pose in JSON: x, y in metres, yaw in radians.
type Triple = [f64; 3];

/// What `plan --json` prints. The names are stable: other tools read them.
#[derive(Debug, Serialize)]
pub struct PlanRecord<'a> {
    reached: bool,
    error: Option<NavError>,
    message: &'a str,
    #[serde(flatten)]
    report: &'a Report,
    optimal_travel_cost: Option<f64>,
    start: Triple,
    goal: Triple,
    poses: Vec<Triple>,
}

impl<'a> PlanRecord<'a> {
    /// The record of an answer; `optimal_travel_cost` in metres, if it was computed.
    pub fn new(request: &Request, outcome: &'a Outcome, optimal_travel_cost: Option<f64>) -> Self {
        let poses = outcome.plan.as_ref().map_or(&[][..], |plan| &plan.poses);
        Self {
            reached: outcome.plan.is_some(),
            error: outcome.error,
            message: &outcome.message,
            report: &outcome.report,
            optimal_travel_cost,
            start: triple(&request.start),
            goal: triple(&request.goal),
            poses: poses.iter().map(triple).collect(),
        }
    }

    fn csv(&self) -> String {
        let rows = self
            .poses
            .iter()
            .map(|[x, y, yaw]| format!("{x},{y},{yaw}\n"));
        std::iter::once("x,y,yaw\n".to_owned())
            .chain(rows)
            .collect()
    }
}

fn triple(pose: &Pose2) -> Triple {
    [pose.x, pose.y, pose.yaw]
}

/// A file to write a plan to.
#[derive(Debug)]
pub struct PlanFile {
    path: PathBuf,
    is_csv: bool,
}

impl PlanFile {
    /// The file at `path`, whose extension says its format.
    pub fn new(path: &Path) -> Result<Self> {
        let is_csv = match extension(path).as_str() {
            "json" => false,
            "csv" => true,
            _ => {
                return Err(Failure::Input(format!(
                    "{}: plans are written as .json or .csv; choose one",
                    path.display()
                )));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            is_csv,
        })
    }

    /// Writes a plan, replacing what is there.
    pub fn write(&self, record: &PlanRecord<'_>) -> Result<()> {
        let text = if self.is_csv {
            record.csv()
        } else {
            serde_json::to_string(record)? + "\n"
        };
        Ok(fs::write(&self.path, text).map_err(|source| Error::Io {
            path: self.path.clone(),
            source,
        })?)
    }
}

/// The lower-case extension of a path, empty without one.
pub fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

/// A plan read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPlan {
    /// Its poses; NaN where the file says so.
    pub poses: Vec<Pose2>,
    /// The start it was asked for, if the file says so.
    pub start: Option<Pose2>,
    /// The goal it was asked for, if the file says so.
    pub goal: Option<Pose2>,
    /// How far it ends from that goal by tolerance, as the file says, metres; 0 for not at all.
    goal_distance_m: f64,
}

/// The keys of a JSON plan that matter to the verifier. JSON has no NaN: null stands for it.
#[derive(Deserialize)]
struct Keys {
    poses: Vec<[Option<f64>; 3]>,
    start: Option<Triple>,
    goal: Option<Triple>,
    goal_distance_m: Option<f64>,
}

impl StoredPlan {
    /// Reads a plan as [`PlanFile::write`] and `plan --json` write it.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let wrong = |reason: String| {
            Failure::Input(format!(
                "{}: not a plan: {reason}; pass a file that `plan --out` wrote, or a .csv with the \
                 columns x,y,yaw",
                path.display()
            ))
        };
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
        if text.trim_start().starts_with('{') {
            Self::from_json(&text).map_err(wrong)
        } else {
            Self::from_csv(&text).map_err(wrong)
        }
    }

    /// How far from its goal the plan may end, metres: as far as it says it does, but never farther
    /// than the configured tolerance, or a plan could excuse itself from any goal.
    pub fn tolerance_m(&self, configured_m: f64) -> f64 {
        // A distance written in decimals may come back a hair shorter than it was.
        self.goal_distance_m.min(configured_m) * (1.0 + 1e-9)
    }

    fn from_json(text: &str) -> std::result::Result<Self, String> {
        let keys: Keys = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let pose = |[x, y, yaw]: Triple| Pose2::new(x, y, yaw);
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let goal_distance_m = keys.goal_distance_m.unwrap_or(0.0);
        if !(goal_distance_m.is_finite() && goal_distance_m >= 0.0) {
            return Err(format!(
                "its goal_distance_m is {goal_distance_m}; a distance is finite and at least 0"
            ));
        }
        Ok(Self {
            poses: keys.poses.iter().map(|p| pose(p.map(number))).collect(),
            start: keys.start.map(pose),
            goal: keys.goal.map(pose),
            goal_distance_m,
        })
    }

    fn from_csv(text: &str) -> std::result::Result<Self, String> {
        let mut lines = text.lines().enumerate();
        let heading = lines.next().map_or("", |(_, line)| line);
        let columns: Vec<&str> = heading.split(',').map(str::trim).collect();
        if columns != ["x", "y", "yaw"] {
            return Err(format!("its first line is {heading:?}, not x,y,yaw"));
        }
        let poses = lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| {
                let cells: Vec<f64> = line
                    .split(',')
                    .map(|cell| cell.trim().parse())
                    .collect::<std::result::Result<_, _>>()
                    .unwrap_or_default();
                match cells.as_slice() {
                    &[x, y, yaw] => Ok(Pose2::new(x, y, yaw)),
                    _ => Err(format!("line {} is not three numbers", number + 1)),
                }
            })
            .collect::<std::result::Result<_, _>>()?;
        Ok(Self {
            poses,
            start: None,
            goal: None,
            goal_distance_m: 0.0,
        })
    }
}
