//! `hrm-planner demo`: a first plan that needs nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use hrm_planner::Error;
use hrm_planner::grid::{
    Cost, Costmap, DEMO_GOAL, DEMO_START, OccupancyGrid, Pose2, demo_map, save_map,
};
use hrm_planner::planner::{PlannerConfig, Request, Snapshot};

use super::failure::{Result, told};
use super::models::ModelChoice;
use super::pairs::write_pairs;
use super::pictures::{PictureFile, Watch};
use super::plan::Answer;
use super::plan_file::{PlanFile, PlanRecord};
use super::plan_text;

/// Seconds the demo may take: it is for watching, also on a slow machine.
const PATIENCE: f64 = 30.0;

/// Plan through a demo warehouse and show how
///
/// Needs no files: the map is part of the program. Writes the map, the plan, a picture of it and an
/// animation of the model's thinking, and says what to try next.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hrm-planner demo --out /tmp/demo")]
pub struct Arguments {
    /// The folder to write to; made if it is not there
    #[arg(long, value_name = "FOLDER", default_value = "demo-out")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelChoice,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    let folder = &arguments.out;
    fs::create_dir_all(folder).map_err(|source| Error::Io {
        path: folder.clone(),
        source,
    })?;
    let map = folder.join("demo.yaml");
    let occupancies = occupancies(&demo_map())?;
    save_map(&occupancies, &map)?;

    let mut config = PlannerConfig {
        max_planning_time: PATIENCE,
        ..PlannerConfig::default()
    };
    arguments.model.configure(&mut config);
    let snapshot = Snapshot::new(demo_map(), &config)?;
    let request = Request::new(DEMO_START, DEMO_GOAL);
    let model = arguments.model.load(config.device)?;
    let answer = Answer::ask(config.clone(), model, &snapshot, &request, Watch::All)?;
    let optimal = answer.optimal_travel_cost();

    let plan = folder.join("plan.json");
    let record = PlanRecord::new(&request, &answer.outcome, optimal);
    PlanFile::new(&plan)?.write(&record)?;
    let picture = folder.join("demo.png");
    PictureFile::new(&picture)?.write(&answer)?;
    let animation = folder.join("demo.gif");
    PictureFile::new(&animation)?.write(&answer)?;

    let mut pairs = plan_text::report(&answer, &map, optimal);
    pairs.extend([
        ("picture", picture.display().to_string()),
        ("thinking", animation.display().to_string()),
        ("plan file", plan.display().to_string()),
    ]);
    let telling = tell(&snapshot, &pairs, out)
        .and_then(|()| live(arguments, &occupancies, config, out))
        .and_then(|()| Ok(suggest([folder, &map, &plan], out)?));
    told(telling, answer.failure().map_or(Ok(()), Err))
}

/// The second part: the same by a node, while the map changes.
#[cfg(feature = "zenoh")]
fn live(
    arguments: &Arguments,
    map: &OccupancyGrid,
    config: PlannerConfig,
    out: &mut impl Write,
) -> Result<()> {
    let model = arguments.model.named();
    let model = model.map(|path| path.display().to_string());
    super::live::run(map, config, model, out)
}

#[cfg(not(feature = "zenoh"))]
fn live(_: &Arguments, _: &OccupancyGrid, _: PlannerConfig, _: &mut impl Write) -> Result<()> {
    Ok(())
}

fn tell(snapshot: &Snapshot, pairs: &[(&str, String)], out: &mut impl Write) -> Result<()> {
    let radius_m = snapshot.robot_radius_m();
    writeln!(
        out,
        "A robot of {radius_m} m radius drives from the loading bay to the western office.\n"
    )?;
    Ok(write_pairs(out, pairs)?)
}

fn suggest([folder, map, plan]: [&Path; 3], out: &mut impl Write) -> std::io::Result<()> {
    writeln!(
        out,
        "\nTry next, with other poses or another robot:\n  {} plan {} --start {} --goal {} --radius \
         0.3 --picture {}\nCheck a plan:\n  {0} verify {1} {}",
        program(),
        quoted(map),
        argument(&DEMO_START),
        argument(&DEMO_GOAL),
        quoted(&folder.join("next.gif")),
        quoted(plan),
    )?;
    if cfg!(feature = "zenoh") {
        writeln!(
            out,
            "Run it as a node, and ask it from another terminal:\n  {0} serve --map {1}\n  {0} goal {2} \
             --start {3}",
            program(),
            quoted(map),
            argument(&DEMO_GOAL),
            argument(&DEMO_START),
        )?;
    }
    Ok(())
}

/// The demo map as a map file holds it.
fn occupancies(map: &Costmap) -> Result<OccupancyGrid> {
    let occupancy = |&cost: &Cost| match cost {
        Cost::LETHAL => 100,
        Cost::UNKNOWN => -1,
        _ => 0,
    };
    let data = map.costs().iter().map(occupancy).collect();
    Ok(OccupancyGrid::new(*map.geometry(), data)?)
}

/// A pose as an argument.
fn argument(pose: &Pose2) -> String {
    format!("{},{},{:.4}", pose.x, pose.y, pose.yaw)
}

/// How this program was called, so that the commands it suggests work as they are.
fn program() -> String {
    let called = std::env::args_os().next();
    called.map_or_else(|| "hrm-planner".to_owned(), |name| quoted(Path::new(&name)))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:~\\".contains(c);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
