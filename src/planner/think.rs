//! The model's thinking.

use crate::grid::{Cell, Pose2};

/// What one segment of thinking came to, for those who watch.
#[derive(Debug)]
pub struct Segment<'a> {
    /// The segment's number, from 1.
    pub index: usize,
    /// The present plan on the full map, perhaps only a beginning of one.
    pub cells: &'a [Cell],
    /// The same in the map frame.
    pub poses: &'a [Pose2],
    /// Whether it reaches the goal.
    pub arrived: bool,
    /// Whether the verifier finds nothing wrong with it.
    pub verified: bool,
    /// At the start cell, logit that the plan arrives.
    pub q_halt: f32,
    /// At the start cell, logit that it will if thinking goes on.
    pub q_continue: f32,
}

impl Segment<'_> {
    /// The model's cost-to-go of every cell of the full map, row-major, metres; NaN where it has
    /// none. Computed when asked for.
    pub fn values(&self) -> Vec<f32> {
        Vec::new()
    }
}
