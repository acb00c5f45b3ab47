//! The verifier: whether a path may be driven.

use serde::Serialize;

use super::Snapshot;
use crate::grid::Pose2;

/// What a path must not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// There are no poses.
    Empty,
    /// A number is NaN or infinite.
    NotFinite,
    /// The path leaves the map.
    Outside,
    /// Two poses are farther apart than a diagonal step.
    Discontinuity,
    /// The first pose is not the start.
    WrongStart,
    /// The last pose is not the goal, nor within the tolerance of it.
    WrongGoal,
    /// The path enters an obstacle.
    Lethal,
    /// The path enters a cell where the robot touches an obstacle.
    Inscribed,
    /// The path enters a cell that was never observed.
    Unknown,
    /// The path passes between two cells that touch by a corner, one of which is blocked.
    CornerCut,
}

impl ViolationKind {
    /// The name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            ViolationKind::Empty => "empty",
            ViolationKind::NotFinite => "not-finite",
            ViolationKind::Outside => "outside",
            ViolationKind::Discontinuity => "discontinuity",
            ViolationKind::WrongStart => "wrong-start",
            ViolationKind::WrongGoal => "wrong-goal",
            ViolationKind::Lethal => "lethal",
            ViolationKind::Inscribed => "inscribed",
            ViolationKind::Unknown => "unknown",
            ViolationKind::CornerCut => "corner-cut",
        }
    }
}

/// One thing wrong with a path, and where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Violation {
    /// What is wrong.
    pub kind: ViolationKind,
    /// Index of the pose, or of the first of the two poses between which it happens.
    pub index: usize,
    /// Where, metres in the map frame.
    pub x: f64,
    /// Where, metres in the map frame.
    pub y: f64,
}

/// What a path is expected to connect; what is `None` is not checked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expected {
    /// The first pose, exactly.
    pub start: Option<Pose2>,
    /// The last pose.
    pub goal: Option<Pose2>,
    /// How far the last pose may be from the goal, metres; 0: it is the goal exactly.
    pub tolerance_m: f64,
}

/// Everything wrong with a path, in its order; empty for a valid path.
pub fn verify(_snapshot: &Snapshot, _poses: &[Pose2], _expected: &Expected) -> Vec<Violation> {
    Vec::new()
}
