//! From a request to a verified plan.

mod config;
mod nav_error;
mod report;
mod request;
mod rollout;
mod snapshot;
mod think;
mod verify;

pub use config::{HaltRule, PlanSource, PlannerConfig};
pub use nav_error::NavError;
pub use report::{HaltReason, Report, Source, Times};
pub use request::{Outcome, Plan, Request};
pub use rollout::{Policy, Rollout};
pub use snapshot::Snapshot;
pub use think::Segment;
pub use verify::{Expected, Violation, ViolationKind, verify};

use crate::Result;
use crate::model::GridHrm;
use crate::search::{Search, Termination};

/// A model and the name that reports call it by.
#[derive(Debug, Clone)]
pub struct NamedModel {
    /// Its file name, for instance.
    pub name: String,
    /// The model.
    pub model: GridHrm,
}

/// Makes plans. One per thread: it keeps the search's buffers from request to request.
#[derive(Debug)]
pub struct Planner {
    config: PlannerConfig,
    model: Option<NamedModel>,
    search: Search,
}

impl Planner {
    /// A planner with these settings; without a model the search makes all plans.
    ///
    /// # Errors
    /// [`crate::Error::PlannerSetting`] for a setting outside its range.
    pub fn new(config: PlannerConfig, model: Option<NamedModel>) -> Result<Self> {
        config.validate()?;
        Ok(Self {
            config,
            model,
            search: Search::new(),
        })
    }

    /// The settings.
    pub fn config(&self) -> &PlannerConfig {
        &self.config
    }

    /// The model.
    pub fn model(&self) -> Option<&NamedModel> {
        self.model.as_ref()
    }

    /// Answers a request on a snapshot. Never panics, never returns an unverified plan, and ends
    /// within `max_planning_time` plus one segment, or earlier by `termination`.
    ///
    /// `observer` is called after every segment of thinking.
    pub fn plan(
        &mut self,
        snapshot: &Snapshot,
        request: &Request,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Outcome {
        let _ = (request, termination, observer, &mut self.search);
        Outcome {
            plan: None,
            error: Some(NavError::Unknown),
            message: "not yet able to plan".to_owned(),
            report: Report {
                source: None,
                segments: 0,
                halt_reason: HaltReason::NotAsked,
                q_halt: None,
                q_continue: None,
                travel_cost: None,
                length_m: None,
                goal_distance_m: None,
                reduction_factor: None,
                time_ms: Times::default(),
                map_stamp: snapshot.stamp(),
                map_size: (snapshot.geometry().width(), snapshot.geometry().height()),
                model: self.model.as_ref().map(|model| model.name.clone()),
            },
        }
    }
}
