//! `hrm-planner goal`: asks a running node for a plan.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use hrm_planner::grid::Pose2;
use hrm_planner::middleware::zenoh::client::Client;
use hrm_planner::middleware::zenoh::fleet::Fleet;
use hrm_planner::middleware::zenoh::plans::{self, Told};
use hrm_planner::planner::NavError;
use serde::Serialize;

use super::arguments::pose;
use super::failure::{Failure, Result};
use super::json::write_json;
use super::network::NetworkArguments;
use super::pairs::write_pairs;

/// Ask a running node for a plan
///
/// The node is one of `hrm-planner serve`, or any node that serves Nav2's action `compute_path_to_pose` on a Zenoh
/// network. Poses are metres in the map frame and radians.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hrm-planner goal 4,4 --start 0,0
  hrm-planner goal 4,4,1.57                 (from where the robot is, as /tf says)
  hrm-planner goal 4,4 --start 0,0 --fleet  (any node; another one if that one dies)

Exit codes: 0 a plan, 2 bad input or nobody there, 3 no plan; the message then begins with Nav2's name
for the error, such as GOAL_OCCUPIED.")]
pub struct Arguments {
    /// Where to go; yaw 0 if left out
    #[arg(value_name = "X,Y[,YAW]", value_parser = pose, allow_hyphen_values = true)]
    goal: Pose2,
    /// Where from, instead of where the robot is; yaw 0 if left out
    #[arg(long, value_name = "X,Y[,YAW]", value_parser = pose, allow_hyphen_values = true)]
    start: Option<Pose2>,
    /// The frame of the poses
    #[arg(long, value_name = "FRAME", default_value = "map")]
    frame: String,
    /// Ask any node of a fleet, and another one if that one dies
    #[arg(long, requires = "start")]
    fleet: bool,
    /// How long to wait for an answer, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    timeout: f64,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkArguments,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, 0.001 to 86400".to_owned()),
    }
}

/// The plan for other programs.
#[derive(Debug, Serialize)]
struct Record<'a> {
    error: Option<&'static str>,
    message: &'a str,
    planning_time_s: f64,
    length_m: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    path: Vec<[f64; 3]>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let patience = Duration::from_secs_f64(arguments.timeout);
    let network = arguments.network.network(&[], Some(patience))?;
    let name = format!("hrm_planner_goal_{}", std::process::id());
    let mut client = Client::join(&name, &network, &arguments.network.client_identity()?)?;
    let told = match arguments.start {
        Some(start) if arguments.fleet => {
            let fleet = Fleet::new(client)?;
            plans::of_fleet(&fleet, &arguments.frame, &start, &arguments.goal, patience)?
        }
        start => {
            let told = plans::to_pose(
                &mut client,
                &arguments.frame,
                start.as_ref(),
                &arguments.goal,
                patience,
            );
            client.leave();
            told?
        }
    };
    tell(&told, arguments.json, out)?;
    match told.error {
        Some(error) => Err(Failure::NoPlan(error, told.message)),
        None => Ok(()),
    }
}

fn tell(told: &Told, as_json: bool, out: &mut impl Write) -> Result<()> {
    if as_json {
        let record = Record {
            error: told.error.map(NavError::name),
            message: &told.message,
            planning_time_s: told.planning_time_s,
            length_m: told.length_m(),
            node: told.node.as_deref(),
            path: told.poses.iter().map(|p| [p.x, p.y, p.yaw]).collect(),
        };
        return write_json(&record, out);
    }
    let [Some(first), Some(last)] = [told.poses.first(), told.poses.last()] else {
        return Ok(());
    };
    let mut pairs = vec![
        (
            "plan",
            format!("{} poses, {:.2} m", told.poses.len(), told.length_m()),
        ),
        ("from", format!("{:.2}, {:.2}", first.x, first.y)),
        (
            "to",
            format!("{:.2}, {:.2}, yaw {:.2}", last.x, last.y, last.yaw),
        ),
        ("took", format!("{:.1} ms", told.planning_time_s * 1000.0)),
    ];
    if let Some(node) = &told.node {
        pairs.push(("by", node.clone()));
    }
    if !told.message.is_empty() {
        pairs.push(("note", told.message.clone()));
    }
    Ok(write_pairs(out, &pairs)?)
}
