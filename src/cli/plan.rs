//! `hrm-planner plan`: one plan on one map.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hrm_planner::grid::Pose2;
use hrm_planner::planner::{
    NamedModel, NavError, Outcome, PlanSource, Planner, PlannerConfig, Problem, Request, Snapshot,
    check,
};
use hrm_planner::search::{self, Search, Termination};

use super::arguments::{Settings, SourceArgument, pose};
use super::failure::{Failure, Result, told};
use super::json::write_json;
use super::models::ModelChoice;
use super::pairs::write_pairs;
use super::pictures::{PictureFile, Thinking, Watch};
use super::plan_file::{PlanFile, PlanRecord};
use super::{maps, plan_text};

/// Plan a path on a map
///
/// The map is a YAML file of a ROS map (with its PGM, PNG or BMP image) or a MovingAI .map file.
/// Poses are metres in the map frame and radians, counter-clockwise from +x.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hrm-planner plan office.yaml --start 1.0,2.0 --goal 8.5,-3.2,1.57
  hrm-planner plan office.yaml --start -1.5,2 --goal 4,4 --picture plan.png --compare
  hrm-planner plan office.yaml --start 0,0 --goal 4,4 --picture thinking.gif
  hrm-planner plan office.yaml --start 0,0 --goal 4,4 --json | jq .source
  hrm-planner plan office.yaml --start 0,0 --goal 4,4 --out plan.csv

Exit codes: 0 a plan, 2 bad input or usage, 3 no plan; the message then begins with Nav2's name
for the error, such as GOAL_OCCUPIED.")]
pub struct Arguments {
    /// The map: a ROS map's YAML file, or a MovingAI .map file
    map: PathBuf,
    /// Where the robot is; yaw 0 if left out
    #[arg(long, value_name = "X,Y[,YAW]", value_parser = pose, allow_hyphen_values = true)]
    start: Pose2,
    /// Where it shall go; yaw 0 if left out
    #[arg(long, value_name = "X,Y[,YAW]", value_parser = pose, allow_hyphen_values = true)]
    goal: Pose2,
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    pub settings: Settings,
    /// Who may make the plan, instead of the configured one [default: auto]
    #[arg(long, value_enum)]
    source: Option<SourceArgument>,
    /// Write the plan: as JSON (.json) or as a table of x, y, yaw (.csv)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw the plan (.png), or the model as it thinks and then the plan (.gif)
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Also compute the optimal travel cost, by the exact search on the same map
    #[arg(long)]
    compare: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    // What is wrong with the arguments comes out before any work is done.
    let plan_file = arguments.out.as_deref().map(PlanFile::new).transpose()?;
    let picture = arguments.picture.as_deref().map(PictureFile::new);
    let picture = picture.transpose()?;
    let mut config = arguments.settings.planner()?;
    if let Some(source) = arguments.source {
        config.source = source.into();
    }
    arguments.model.configure(&mut config);
    let snapshot = Snapshot::new(maps::load(&arguments.map, config.max_cells)?, &config)?;
    let model = match config.source {
        PlanSource::Search => None,
        PlanSource::Auto | PlanSource::Model => arguments.model.load(config.device)?,
    };

    let request = Request::new(arguments.start, arguments.goal);
    let watch = picture.as_ref().map_or(Watch::Nothing, PictureFile::watch);
    let answer = Answer::ask(config, model, &snapshot, &request, watch)?;
    let optimal = arguments.compare.then(|| answer.optimal_travel_cost());
    let record = PlanRecord::new(&request, &answer.outcome, optimal.flatten());
    if let (Some(file), Some(_)) = (&plan_file, &answer.outcome.plan) {
        file.write(&record)?;
    }
    if let Some(picture) = &picture {
        picture.write(&answer)?;
    }
    let telling = if arguments.json {
        write_json(&record, out)
    } else if answer.outcome.plan.is_some() {
        let mut pairs = plan_text::report(&answer, &arguments.map, optimal.flatten());
        let files = arguments.out.iter().chain(&arguments.picture);
        let written: Vec<String> = files.map(|path| path.display().to_string()).collect();
        if !written.is_empty() {
            pairs.push(("written", written.join(", ")));
        }
        write_pairs(out, &pairs).map_err(Failure::from)
    } else {
        Ok(())
    };
    told(telling, answer.failure().map_or(Ok(()), Err))
}

/// A request that was answered, with what is needed to tell and to draw it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The map it was planned on.
    pub snapshot: &'a Snapshot,
    /// What was asked.
    pub request: &'a Request,
    /// What was answered.
    pub outcome: Outcome,
    /// What the model thought, as far as it was watched.
    pub thinking: Thinking,
    tolerance_m: f64,
}

impl<'a> Answer<'a> {
    /// Asks the planner and keeps of its thinking what `watch` says.
    ///
    /// # Errors
    /// Settings outside their ranges.
    pub fn ask(
        config: PlannerConfig,
        model: Option<NamedModel>,
        snapshot: &'a Snapshot,
        request: &'a Request,
        watch: Watch,
    ) -> Result<Self> {
        let tolerance_m = config.tolerance;
        let mut thinking = Thinking::new(watch, snapshot.geometry().cells());
        let mut planner = Planner::new(config, model)?;
        let outcome = planner.plan(snapshot, request, &Termination::never(), &mut |segment| {
            thinking.note(segment);
        });
        if let Some(factor) = outcome.report.reduction_factor {
            thinking.soften(snapshot.geometry().width(), factor);
        }
        Ok(Self {
            snapshot,
            request,
            outcome,
            thinking,
            tolerance_m: request.tolerance.unwrap_or(tolerance_m),
        })
    }

    /// The checked request; `None` if it has no answer.
    pub fn problem(&self) -> Option<Problem<'_>> {
        check(self.snapshot, self.request, self.tolerance_m).ok()
    }

    /// The travel cost of an optimal path of cells on the same map under the same rules, metres;
    /// `None` if the request has no answer.
    pub fn optimal_travel_cost(&self) -> Option<f64> {
        let problem = self.problem()?;
        let found = Search::new().path(
            problem.map(),
            problem.start_cell,
            problem.goal_cell,
            self.snapshot.rules(),
            &Termination::never(),
        );
        match found {
            Ok(search::Outcome::Found(path)) => {
                Some(path.travel_cost * self.snapshot.geometry().resolution())
            }
            _ => None,
        }
    }

    /// Why there is no plan, if there is none.
    pub fn failure(&self) -> Option<Failure> {
        let message = &self.outcome.message;
        let error = match (&self.outcome.plan, self.outcome.error) {
            (Some(_), _) => return None,
            (None, error) => error.unwrap_or(NavError::Unknown),
        };
        Some(Failure::NoPlan(error, message.clone()))
    }
}
