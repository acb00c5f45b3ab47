//! `hrm-planner verify`: whether a plan may be driven.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hrm_planner::planner::{Expected, Snapshot, Violation, verify};
use serde::Serialize;

use super::arguments::Settings;
use super::failure::{Failure, Result, told};
use super::json::write_json;
use super::maps;
use super::plan_file::StoredPlan;

/// Violations listed in text at most; JSON has them all.
const LISTED: usize = 20;

/// Check a plan against a map
///
/// Walks the whole path on the inflated map, independently of model and search: continuity,
/// obstacles, unknown space, corners, finite numbers; and, for plans stored with their request,
/// start and goal.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hrm-planner verify office.yaml plan.json
  hrm-planner verify office.yaml plan.csv --radius 0.3 --json

Exit codes: 0 the plan is valid, 3 it is not, 2 bad input or usage.")]
pub struct Arguments {
    /// The map: a ROS map's YAML file, or a MovingAI .map file
    map: PathBuf,
    /// The plan: .json as `plan` writes it, or .csv with the columns x,y,yaw
    plan: PathBuf,
    #[command(flatten)]
    pub settings: Settings,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What `verify --json` prints. The names are stable: other tools read them.
#[derive(Debug, Serialize)]
struct Record<'a> {
    valid: bool,
    violations: &'a [Violation],
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let config = arguments.settings.planner()?;
    let snapshot = Snapshot::new(maps::load(&arguments.map, config.max_cells)?, &config)?;
    let plan = StoredPlan::read(&arguments.plan)?;
    let expected = Expected {
        start: plan.start,
        goal: plan.goal,
        tolerance_m: plan.tolerance_m(config.tolerance),
    };
    let violations = verify(&snapshot, &plan.poses, &expected);
    let record = Record {
        valid: violations.is_empty(),
        violations: &violations,
    };
    let telling = if arguments.json {
        write_json(&record, out)
    } else {
        tell(&plan, &violations, config.radius(), out).map_err(Failure::from)
    };
    let verdict = record.valid.then_some(()).ok_or(Failure::Invalid);
    told(telling, verdict)
}

fn tell(
    plan: &StoredPlan,
    violations: &[Violation],
    radius_m: f64,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let poses = plan.poses.len();
    let Some(_) = violations.first() else {
        return writeln!(
            out,
            "valid: a robot of {radius_m} m radius may drive all {poses} poses"
        );
    };
    writeln!(
        out,
        "invalid: {} violations in {poses} poses, for a robot of {radius_m} m radius",
        violations.len()
    )?;
    for violation in violations.iter().take(LISTED) {
        let Violation { kind, index, x, y } = violation;
        writeln!(
            out,
            "  {:<14} at pose {index}, ({x:.3}, {y:.3})",
            kind.name()
        )?;
    }
    if violations.len() > LISTED {
        writeln!(out, "  and {} more", violations.len() - LISTED)?;
    }
    Ok(())
}
