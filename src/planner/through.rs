//! Plans through several poses, one after the other: one leg between each two.

use super::budget::Budget;
use super::{NavError, Outcome, Plan, Planner, Report, Request, Segment, Snapshot};
use crate::grid::Pose2;
use crate::search::Termination;

/// What is said of a request without poses.
pub(crate) const NO_POSES: &str = "there are no poses to plan through; send at least a goal";

/// The answer to a request for a plan through poses.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// All legs as one plan, verified leg by leg; `None` if one of them has none.
    pub plan: Option<Plan>,
    /// Why there is none; `None` exactly if there is a plan.
    pub error: Option<NavError>,
    /// What happened and on which leg, for people; empty if all went as asked.
    pub message: String,
    /// How each leg came about, in order, as far as the planner came.
    pub legs: Vec<Report>,
}

impl Planner {
    /// Answers a request for a plan from `start` through `goals` in their order, the last one being
    /// where it ends. As [`Planner::plan`] in all else: `max_planning_time` is for all legs together,
    /// of which each gets an equal share of what is left, and `tolerance` (metres; `None`: as
    /// configured) holds for each goal, so that a leg begins where the one before has ended.
    pub fn plan_through(
        &mut self,
        snapshot: &Snapshot,
        (start, goals): (Pose2, &[Pose2]),
        tolerance: Option<f64>,
        termination: &Termination,
        observer: &mut dyn FnMut(&Segment<'_>),
    ) -> Route {
        let mut route = Route {
            plan: None,
            error: None,
            message: String::new(),
            legs: Vec::with_capacity(goals.len()),
        };
        if goals.is_empty() {
            route.error = Some(NavError::NoViapointsGiven);
            NO_POSES.clone_into(&mut route.message);
            return route;
        }
        let budget = Budget::new(termination, self.config().max_planning_time);
        let mut here = start;
        let mut whole: Option<Plan> = None;
        let mut messages = Vec::new();
        for (leg, &goal) in goals.iter().enumerate() {
            let bounded = budget.one_of(goals.len() - leg);
            let request = Request {
                tolerance,
                ..Request::new(here, goal)
            };
            let Outcome {
                plan,
                error,
                message,
                report,
                ..
            } = self.plan(snapshot, &request, &bounded, observer);
            route.legs.push(report);
            if !message.is_empty() {
                messages.push(format!("leg {} of {}: {message}", leg + 1, goals.len()));
            }
            let Some(plan) = plan else {
                route.error = error;
                route.message = messages.join("; ");
                return route;
            };
            here = plan.poses.last().copied().unwrap_or(goal);
            whole = Some(match whole {
                Some(before) => before.followed_by(plan),
                None => plan,
            });
        }
        route.plan = whole;
        route.message = messages.join("; ");
        route
    }
}

impl Plan {
    /// This plan and then another one, which begins where it ends.
    fn followed_by(mut self, next: Plan) -> Plan {
        // The pose and the cell where they meet come once.
        self.poses.extend(next.poses.into_iter().skip(1));
        self.cells.extend(next.cells.into_iter().skip(1));
        self.travel_cost += next.travel_cost;
        self.grid_travel_cost += next.grid_travel_cost;
        self.length_m += next.length_m;
        self
    }
}
