//! What is asked of the planner and what it answers: [`Request`], [`Plan`], [`Outcome`].

use super::{NavError, Refusal, Report};
use crate::grid::{Cell, Pose2};

/// A question for the planner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Where the robot is, map frame.
    pub start: Pose2,
    /// Where it shall go, map frame.
    pub goal: Pose2,
    /// How far from a blocked or unreachable goal the plan may end, metres; `None`: as configured.
    pub tolerance: Option<f64>,
}

impl Request {
    /// From `start` to `goal` with the configured tolerance.
    pub const fn new(start: Pose2, goal: Pose2) -> Self {
        Self {
            start,
            goal,
            tolerance: None,
        }
    }
}

/// A verified plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The path, map frame: the request's start first, its goal last (or, by tolerance, the centre
    /// of the cell that stands in for it, with the goal's yaw), at most one resolution apart, each
    /// turned towards the next.
    pub poses: Vec<Pose2>,
    /// The grid path before smoothing, from the start's cell to the last pose's.
    pub cells: Vec<Cell>,
    /// Travel cost of `poses`, metres: length x (1 + `cost_weight` x cost / 252), summed over the
    /// stretch inside each cell.
    pub travel_cost: f64,
    /// Travel cost of `cells`, metres, by the rules of [`crate::search`]: to be compared with an
    /// optimal path of the search.
    pub grid_travel_cost: f64,
    /// Length of `poses`, metres.
    pub length_m: f64,
}

/// The answer to a [`Request`]: a plan or an error, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The plan, verified on the snapshot it was asked for.
    pub plan: Option<Plan>,
    /// Why there is none; `None` exactly if there is a plan.
    pub error: Option<NavError>,
    /// What happened and what to do about it, for people; empty for a plan to the goal itself.
    pub message: String,
    /// The model's own plan as cells, verified, before any repair and whoever's plan is published;
    /// `None` if it has none.
    pub own_cells: Option<Vec<Cell>>,
    /// How it came about.
    pub report: Report,
}

impl Outcome {
    /// The answer to `request`, with what the plan adds to its report.
    pub(super) fn new(
        request: &Request,
        answer: Result<Plan, Refusal>,
        own_cells: Option<Vec<Cell>>,
        mut report: Report,
    ) -> Self {
        let plan = match answer {
            Ok(plan) => plan,
            Err(Refusal { error, message }) => {
                return Self {
                    plan: None,
                    error: Some(error),
                    message,
                    own_cells,
                    report,
                };
            }
        };
        let last = plan.poses.last().unwrap_or(&request.goal);
        let goal_distance_m = last.distance(&request.goal);
        report.travel_cost = Some(plan.travel_cost);
        report.length_m = Some(plan.length_m);
        report.goal_distance_m = Some(goal_distance_m);
        let message = if *last == request.goal {
            String::new()
        } else {
            format!(
                "the goal is blocked or cannot be reached; the plan ends {goal_distance_m:.3} m \
                 from it, at the nearest cell that can: set tolerance: 0 to refuse this"
            )
        };
        Self {
            plan: Some(plan),
            error: None,
            message,
            own_cells,
            report,
        }
    }
}
