//! What the node tells about its plans: `hrm_planner_msgs/PlanReport` and `ReasoningFrame`.

use super::message::{Answer, AskKind, Ending, Header};
use crate::grid::{Geometry, Pose2};
use crate::planner::{Report, Segment};

/// How an answer came about, for all legs of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanReport {
    /// The plan's header.
    pub header: Header,
    /// What was asked.
    pub kind: AskKind,
    /// Whether there is a plan.
    pub succeeded: bool,
    /// Nav2's number for the error; 0 without one.
    pub error_code: u16,
    /// What happened and what to do about it.
    pub message: String,
    /// From the request to the answer, seconds.
    pub planning_time: f64,
    /// Of each leg, or of each start of a batch.
    pub legs: Vec<Report>,
}

impl PlanReport {
    pub(super) fn new(header: Header, kind: AskKind, answer: &Answer, legs: &[Report]) -> Self {
        Self {
            header,
            kind,
            succeeded: answer.ending == Ending::Succeeded,
            error_code: kind.code(answer.error()),
            message: answer.message.clone(),
            planning_time: answer.planning_time,
            legs: legs.to_vec(),
        }
    }
}

/// What a segment of thinking came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasoningFrame {
    /// The map's frame, and when thinking began.
    pub header: Header,
    /// The segment, from 1.
    pub segment: u32,
    /// The present plan, perhaps only a beginning of one.
    pub poses: Vec<Pose2>,
    /// Whether it reaches the goal.
    pub arrived: bool,
    /// Whether it passed the verifier.
    pub verified: bool,
    /// Logit that the plan is good.
    pub q_halt: f32,
    /// Logit that it will be.
    pub q_continue: f32,
    /// Where the values lie.
    pub geometry: Geometry,
    /// The model's cost-to-go of each cell, metres, row-major; NaN where it has none. Empty if it
    /// could not be computed.
    pub values: Vec<f32>,
}

impl ReasoningFrame {
    pub(super) fn new(header: Header, geometry: &Geometry, segment: &Segment<'_>) -> Self {
        let values = segment.values().unwrap_or_else(|error| {
            tracing::warn!(%error, "the value field cannot be shown");
            Vec::new()
        });
        Self {
            header,
            segment: segment.index as u32,
            poses: segment.poses.to_vec(),
            arrived: segment.arrived,
            verified: segment.verified,
            q_halt: segment.q_halt,
            q_continue: segment.q_continue,
            geometry: *geometry,
            values,
        }
    }

    /// The values as occupancies for `RViz`: 0 at the goal, 98 at the greatest one, -1 for none.
    pub fn value_image(&self) -> Vec<i8> {
        let finite = || self.values.iter().filter(|value| value.is_finite());
        let greatest = finite().fold(0.0_f32, |most, &value| most.max(value));
        let shade = |&value: &f32| {
            if value.is_finite() && greatest > 0.0 {
                (98.0 * value / greatest) as i8
            } else {
                -1
            }
        };
        self.values.iter().map(shade).collect()
    }
}
