//! Why there is no plan, in Nav2's names and codes, so that behaviour trees react as they do to
//! Nav2's own planners (`nav2_msgs/action/ComputePathToPose`, Jazzy and later).

use std::fmt;

use serde::{Serialize, Serializer};

/// Why there is no plan: one value per cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NavError {
    /// None of the others: a request that makes no sense, a cancelled one, a defect.
    Unknown,
    /// No planner of this name, or one that cannot work: no model where only a model may plan.
    InvalidPlanner,
    /// A pose cannot be brought into the map's frame.
    TfError,
    /// The start is not on the map.
    StartOutsideMap,
    /// The goal is not on the map.
    GoalOutsideMap,
    /// The start is in an obstacle.
    StartOccupied,
    /// The robot cannot be at the goal, nor near enough to it.
    GoalOccupied,
    /// No plan within the time allowed, or no current map.
    Timeout,
    /// No plan exists; with `source: model`, none was found.
    NoValidPath,
    /// A request for a plan through poses had no poses.
    NoViapointsGiven,
}

impl NavError {
    /// All of them, by code.
    pub const ALL: [NavError; 10] = [
        NavError::Unknown,
        NavError::InvalidPlanner,
        NavError::TfError,
        NavError::StartOutsideMap,
        NavError::GoalOutsideMap,
        NavError::StartOccupied,
        NavError::GoalOccupied,
        NavError::Timeout,
        NavError::NoValidPath,
        NavError::NoViapointsGiven,
    ];

    /// Nav2's name, in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            NavError::Unknown => "UNKNOWN",
            NavError::InvalidPlanner => "INVALID_PLANNER",
            NavError::TfError => "TF_ERROR",
            NavError::StartOutsideMap => "START_OUTSIDE_MAP",
            NavError::GoalOutsideMap => "GOAL_OUTSIDE_MAP",
            NavError::StartOccupied => "START_OCCUPIED",
            NavError::GoalOccupied => "GOAL_OCCUPIED",
            NavError::Timeout => "TIMEOUT",
            NavError::NoValidPath => "NO_VALID_PATH",
            NavError::NoViapointsGiven => "NO_VIAPOINTS_GIVEN",
        }
    }

    /// The code in a result of `ComputePathToPose`, 200..=208. [`NavError::NoViapointsGiven`] does
    /// not occur there and keeps its code of `ComputePathThroughPoses`, 309.
    pub const fn to_pose_code(self) -> u16 {
        match self {
            NavError::Unknown => 200,
            NavError::InvalidPlanner => 201,
            NavError::TfError => 202,
            NavError::StartOutsideMap => 203,
            NavError::GoalOutsideMap => 204,
            NavError::StartOccupied => 205,
            NavError::GoalOccupied => 206,
            NavError::Timeout => 207,
            NavError::NoValidPath => 208,
            NavError::NoViapointsGiven => 309,
        }
    }

    /// What a code in a result of `ComputePathToPose` says; `None` for 0, which says that there is a plan.
    /// A code that is none of Nav2's is [`NavError::Unknown`].
    pub fn of_to_pose_code(code: u16) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|e| e.to_pose_code() == code);
        (code != 0).then_some(known.unwrap_or(NavError::Unknown))
    }

    /// The code in a result of `ComputePathThroughPoses`, 300..=309.
    pub const fn through_poses_code(self) -> u16 {
        match self {
            NavError::NoViapointsGiven => 309,
            other => other.to_pose_code() + 100,
        }
    }
}

impl fmt::Display for NavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for NavError {
    /// As [`NavError::name`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
