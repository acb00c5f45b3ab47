//! Arguments that several subcommands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hrm_planner::grid::Pose2;
use hrm_planner::node;
use hrm_planner::planner::{HaltRule, PlanSource, PlannerConfig};

use super::failure::Result;

/// Settings of the planner.
#[derive(Debug, Args)]
pub struct Settings {
    /// The planner's settings, a YAML file; keys that it leaves out have their defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The robot's radius in metres, instead of the configured one [default: 0.22]
    #[arg(long, value_name = "METRES", allow_hyphen_values = true)]
    pub radius: Option<f64>,
}

impl Settings {
    /// The settings, checked.
    pub fn planner(&self) -> Result<PlannerConfig> {
        let mut config = match &self.config {
            Some(path) => node::Settings::read(path)?.planner,
            None => PlannerConfig::default(),
        };
        if let Some(radius) = self.radius {
            config.robot_radius = radius;
        }
        config.validate()?;
        Ok(config)
    }
}

/// Who may make the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceArgument {
    /// The model, and the search where the model finds nothing
    Auto,
    /// The model alone
    Model,
    /// The search alone
    Search,
}

impl From<SourceArgument> for PlanSource {
    fn from(source: SourceArgument) -> Self {
        match source {
            SourceArgument::Auto => PlanSource::Auto,
            SourceArgument::Model => PlanSource::Model,
            SourceArgument::Search => PlanSource::Search,
        }
    }
}

/// When thinking stops early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HaltArgument {
    /// The model prefers halting to going on
    Learned,
    /// The model believes in its plan
    Confident,
    /// The plan has cost the same for some segments
    Stable,
    /// Learned or stable, whichever comes first
    Either,
    /// Think to the end
    Never,
}

impl From<HaltArgument> for HaltRule {
    fn from(rule: HaltArgument) -> Self {
        match rule {
            HaltArgument::Learned => HaltRule::Learned,
            HaltArgument::Confident => HaltRule::Confident,
            HaltArgument::Stable => HaltRule::Stable,
            HaltArgument::Either => HaltRule::Either,
            HaltArgument::Never => HaltRule::Never,
        }
    }
}

/// A pose from `X,Y` or `X,Y,YAW`.
pub fn pose(text: &str) -> std::result::Result<Pose2, String> {
    let numbers: Option<Vec<f64>> = text
        .split(',')
        .map(|number| number.trim().parse().ok().filter(|x: &f64| x.is_finite()))
        .collect();
    match numbers.as_deref() {
        Some(&[x, y]) => Ok(Pose2::new(x, y, 0.0)),
        Some(&[x, y, yaw]) => Ok(Pose2::new(x, y, yaw)),
        _ => Err(
            "expected X,Y or X,Y,YAW, finite numbers in metres and radians, such as -1.5,2 or \
             -1.5,2,3.14"
                .to_owned(),
        ),
    }
}
