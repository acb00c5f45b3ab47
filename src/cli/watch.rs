//! `hrm-planner watch`: shows what a running node does.

use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use clap::Args;
use hrm_planner::middleware::zenoh::Qos;
use hrm_planner::middleware::zenoh::client::Client;
use hrm_planner::middleware::zenoh::interfaces::Message;
use hrm_planner::middleware::zenoh::interfaces::diagnostic_msgs::msg::DiagnosticArray;
use hrm_planner::middleware::zenoh::interfaces::geometry_msgs::msg::PoseStamped;
use hrm_planner::middleware::zenoh::interfaces::hrm_planner_msgs::msg::{
    PlanReport, ReasoningFrame,
};
use hrm_planner::middleware::zenoh::interfaces::lifecycle_msgs::msg::TransitionEvent;
use hrm_planner::middleware::zenoh::interfaces::nav_msgs::msg::{OccupancyGrid, Path};

use super::failure::Result;
use super::network::NetworkArguments;

/// Show what a running node does
///
/// One line for each plan, report, map and change of state, as they come, and for its diagnostics when
/// they change; ends with Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hrm-planner watch
  hrm-planner watch --thinking --count 20
  hrm-planner watch --node planner_server -r __ns:=/robot1")]
pub struct Arguments {
    /// The node's name
    #[arg(long, value_name = "NAME", default_value = "hrm_planner")]
    node: String,
    /// Also each segment of the model's thinking, which it then computes for us
    #[arg(long)]
    thinking: bool,
    /// End after so many lines
    #[arg(long, value_name = "NUMBER")]
    count: Option<usize>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    #[command(flatten)]
    network: NetworkArguments,
}

/// How long to wait for the network.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let network = arguments.network.network(&[], Some(PATIENCE))?;
    let name = format!("hrm_planner_watch_{}", std::process::id());
    let mut client = Client::join(&name, &network, &arguments.network.client_identity()?)?;
    let (lines, come) = channel();
    let of_node = |topic: &str| format!("{}/{topic}", arguments.node);

    listen(&mut client, &lines, "plan", Qos::DEFAULT, plan)?;
    listen(
        &mut client,
        &lines,
        "global_costmap/costmap",
        Qos::LATCHED,
        costmap,
    )?;
    listen(
        &mut client,
        &lines,
        &of_node("report"),
        Qos::DEFAULT,
        report,
    )?;
    listen(
        &mut client,
        &lines,
        &of_node("transition_event"),
        Qos::DEFAULT,
        transition,
    )?;
    let entry = format!("{}: planner", arguments.node);
    let healths = lines.clone();
    client.listen(
        "/diagnostics",
        Qos::DEFAULT,
        move |array: DiagnosticArray| {
            // Other nodes publish theirs there too.
            for status in array.status.iter().filter(|status| status.name == entry) {
                let level = ["ok", "warning", "error"].get(usize::from(status.level));
                let level = level.unwrap_or(&"stale");
                let _ = healths.send(format!("health      {level}: {}", status.message));
            }
        },
    )?;
    if arguments.thinking {
        listen(
            &mut client,
            &lines,
            &of_node("reasoning"),
            Qos::DEFAULT,
            thinking,
        )?;
    }

    let end = arguments
        .seconds
        .and_then(|s| Instant::now().checked_add(Duration::from_secs(s)));
    let mut left = arguments.count.unwrap_or(usize::MAX);
    let mut health = String::new();
    while left > 0 {
        let line: String = match end {
            None => match come.recv() {
                Ok(line) => line,
                Err(_) => break,
            },
            Some(end) => match come.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(_) => break,
            },
        };
        // Said every second; told when it changes.
        if line.starts_with("health") && std::mem::replace(&mut health, line.clone()) == line {
            continue;
        }
        writeln!(out, "{line}")?;
        out.flush()?;
        left -= 1;
    }
    client.leave();
    Ok(())
}

/// A line for each message that has something to tell.
fn listen<T: Message>(
    client: &mut Client,
    lines: &Sender<String>,
    topic: &str,
    qos: Qos,
    line: impl Fn(&T) -> String + Send + Sync + 'static,
) -> Result<()> {
    let lines = lines.clone();
    client.listen(topic, qos, move |message: T| {
        let _ = lines.send(line(&message)); // fails once nobody reads any more
    })?;
    Ok(())
}

fn plan(path: &Path) -> String {
    let at = |pose: Option<&PoseStamped>| match pose {
        Some(stamped) => {
            let at = &stamped.pose.position;
            format!("{:.2}, {:.2}", at.x, at.y)
        }
        None => "nowhere".to_owned(),
    };
    format!(
        "plan        {} poses from {} to {} in frame {}",
        path.poses.len(),
        at(path.poses.first()),
        at(path.poses.last()),
        path.header.frame_id
    )
}

fn report(report: &PlanReport) -> String {
    let took = f64::from(report.planning_time.sec) * 1000.0
        + f64::from(report.planning_time.nanosec) / 1e6;
    if !report.succeeded {
        let (code, message) = (report.error_code, &report.error_msg);
        return format!("no plan     error {code} after {took:.1} ms: {message}");
    }
    let sources: Vec<&str> = report.legs.iter().map(|leg| leg.source.as_str()).collect();
    let segments: u32 = report.legs.iter().map(|leg| leg.segments).sum();
    let length: f64 = report.legs.iter().map(|leg| leg.length).sum();
    format!(
        "report      {length:.2} m by {} after {segments} segments and {took:.1} ms",
        sources.join(", ")
    )
}

fn costmap(map: &OccupancyGrid) -> String {
    let info = &map.info;
    let blocked = map.data.iter().filter(|&&cell| cell >= 99).count();
    let unknown = map.data.iter().filter(|&&cell| cell < 0).count();
    let share = |cells: usize| 100.0 * cells as f64 / map.data.len().max(1) as f64;
    format!(
        "costmap     {} x {} cells of {:.3} m, {:.1} % blocked, {:.1} % unknown",
        info.width,
        info.height,
        info.resolution,
        share(blocked),
        share(unknown)
    )
}

fn transition(event: &TransitionEvent) -> String {
    let (from, to) = (&event.start_state.label, &event.goal_state.label);
    format!("state       {from} -> {to}")
}

fn thinking(frame: &ReasoningFrame) -> String {
    let holds = match (frame.arrived, frame.verified) {
        (_, true) => "verified",
        (true, false) => "arrives, but does not hold",
        (false, false) => "does not arrive yet",
    };
    format!(
        "segment {:<3} {} poses, {holds}, q_halt {:.2}, q_continue {:.2}",
        frame.segment,
        frame.poses.len(),
        frame.q_halt,
        frame.q_continue
    )
}
