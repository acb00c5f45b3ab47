//! What comes in and goes out, as plain structs: the fields of ROS messages that matter here,
//! without any middleware. Each back end translates its own messages into these and back.

use nalgebra::{Isometry3, Quaternion as Numbers, Translation3, UnitQuaternion};

use super::Time;
use crate::grid::{Geometry, OccupancyMessage, OccupancyUpdate, Pose2, Quaternion};
use crate::planner::NavError;
use crate::{Error, Result};

/// `std_msgs/Header`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// When the content held.
    pub stamp: Time,
    /// What frame it is in.
    pub frame: String,
}

/// `geometry_msgs/Pose`, and likewise `geometry_msgs/Transform`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Metres.
    pub position: [f64; 3],
    /// Unit quaternion.
    pub orientation: Quaternion,
}

impl Pose {
    /// A pose in the plane z = 0.
    pub fn planar(pose: Pose2) -> Self {
        Self {
            position: [pose.x, pose.y, 0.0],
            orientation: Quaternion::from_yaw(pose.yaw),
        }
    }

    /// The rigid transform that takes points of the pose's own frame to the frame it is given in.
    ///
    /// # Errors
    /// [`Error::Position`] for a number that is not finite, [`Error::Quaternion`] for an
    /// orientation that is not of unit length.
    pub fn isometry(&self) -> Result<Isometry3<f64>> {
        let [x, y, z] = self.position;
        if !(x.is_finite() && y.is_finite() && z.is_finite()) {
            return Err(Error::Position { x, y, z });
        }
        self.orientation.check_unit()?;
        let Quaternion { x, y, z, w } = self.orientation;
        let translation = Translation3::from(self.position);
        let rotation = UnitQuaternion::from_quaternion(Numbers::new(w, x, y, z));
        Ok(Isometry3::from_parts(translation, rotation))
    }
}

/// Where a rigid transform puts a robot in the plane: its position, and the direction of its x axis.
pub fn planar(isometry: &Isometry3<f64>) -> Pose2 {
    let ahead = isometry.rotation * nalgebra::Vector3::x();
    let at = isometry.translation.vector;
    Pose2::new(at.x, at.y, ahead.y.atan2(ahead.x))
}

/// `geometry_msgs/PoseStamped`.
#[derive(Debug, Clone, PartialEq)]
pub struct PoseStamped {
    /// The frame, and the time at which the pose held in it.
    pub header: Header,
    /// The pose.
    pub pose: Pose,
}

/// `nav_msgs/Path`; all poses are in the header's frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path {
    /// The frame, and when the path was made.
    pub header: Header,
    /// The poses.
    pub poses: Vec<Pose2>,
}

/// `geometry_msgs/TransformStamped`.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformStamped {
    /// The parent frame and the time.
    pub header: Header,
    /// The child frame.
    pub child: String,
    /// Takes points of the child frame to the parent frame.
    pub transform: Pose,
}

/// `nav_msgs/OccupancyGrid`.
#[derive(Debug, Clone, PartialEq)]
pub struct MapMessage {
    /// The map's frame and stamp.
    pub header: Header,
    /// The grid.
    pub grid: OccupancyMessage,
}

/// `map_msgs/OccupancyGridUpdate`.
#[derive(Debug, Clone, PartialEq)]
pub struct MapUpdate {
    /// The update's frame and stamp.
    pub header: Header,
    /// The new values.
    pub update: OccupancyUpdate,
}

impl MapUpdate {
    /// Whether it has a value for each cell that the other has one for, in the same frame.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        let (new, old) = (&self.update, &other.update);
        let rectangle =
            |update: &OccupancyUpdate| (update.x, update.y, update.width, update.height);
        self.header.frame == other.header.frame
            && rectangle(new) == rectangle(old)
            && new.data.len() == old.data.len()
    }
}

/// Points that a sensor saw: a `sensor_msgs/LaserScan` or `sensor_msgs/PointCloud2` in its own frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The sensor's frame and the time.
    pub header: Header,
    /// Where something was, metres in the sensor's frame.
    pub hits: Vec<[f32; 3]>,
    /// The ends of rays that met nothing as far as the sensor can see.
    pub misses: Vec<[f32; 3]>,
}

/// A goal of the actions, or a request of the services that plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// `nav2_msgs/action/ComputePathToPose`.
    ToPose {
        /// Where to go.
        goal: PoseStamped,
        /// Where from; `None`: from where the robot is.
        start: Option<PoseStamped>,
        /// Which planner; empty: the only one.
        planner_id: String,
    },
    /// `nav2_msgs/action/ComputePathThroughPoses`.
    ThroughPoses {
        /// Where to go, in this order.
        goals: Vec<PoseStamped>,
        /// Where from; `None`: from where the robot is.
        start: Option<PoseStamped>,
        /// Which planner; empty: the only one.
        planner_id: String,
    },
    /// `nav_msgs/srv/GetPlan`.
    GetPlan {
        /// Where from.
        start: PoseStamped,
        /// Where to go.
        goal: PoseStamped,
        /// How far from the goal the plan may end, metres.
        tolerance: f64,
    },
    /// `hrm_planner_msgs/srv/PlanBatch`.
    Batch {
        /// Where from: one plan each.
        starts: Vec<PoseStamped>,
        /// Where to go.
        goal: PoseStamped,
    },
}

impl Ask {
    /// Which of the requests it is.
    pub fn kind(&self) -> AskKind {
        match self {
            Ask::ToPose { .. } => AskKind::ToPose,
            Ask::ThroughPoses { .. } => AskKind::ThroughPoses,
            Ask::GetPlan { .. } => AskKind::GetPlan,
            Ask::Batch { .. } => AskKind::Batch,
        }
    }
}

/// The kinds of [`Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskKind {
    /// A plan to a pose.
    ToPose,
    /// A plan through poses.
    ThroughPoses,
    /// A plan by service.
    GetPlan,
    /// Many plans by service.
    Batch,
}

impl AskKind {
    /// Whether a newer one takes the place of an older one: so with actions, not with services.
    pub fn is_action(self) -> bool {
        matches!(self, AskKind::ToPose | AskKind::ThroughPoses)
    }

    /// The code that a result of this kind gives an error.
    pub fn code(self, error: Option<NavError>) -> u16 {
        match (self, error) {
            (_, None) => 0,
            (AskKind::ThroughPoses, Some(error)) => error.through_poses_code(),
            (_, Some(error)) => error.to_pose_code(),
        }
    }
}

/// How a request ended (`action_msgs/GoalStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With a plan.
    Succeeded,
    /// Because whoever asked took it back.
    Cancelled,
    /// Without a plan.
    Aborted,
}

/// The one answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How it ended.
    pub ending: Ending,
    /// The plans: one each for a batch's starts (empty where there is none), else one if it
    /// succeeded.
    pub paths: Vec<Path>,
    /// Each plan's travel cost, metres; NaN where there is none.
    pub travel_costs: Vec<f64>,
    /// Each start's error in a batch, else that of the request.
    pub errors: Vec<Option<NavError>>,
    /// What happened and what to do about it.
    pub message: String,
    /// From the request to the answer, seconds.
    pub planning_time: f64,
}

impl Answer {
    /// The error of a request that is not a batch.
    pub fn error(&self) -> Option<NavError> {
        self.errors.first().copied().flatten()
    }

    /// The plan of a request that is not a batch.
    pub fn path(&self) -> Option<&Path> {
        self.paths.first()
    }

    /// An answer without a plan.
    pub fn without(ending: Ending, error: NavError, message: impl Into<String>) -> Self {
        Self {
            ending,
            paths: Vec::new(),
            travel_costs: Vec::new(),
            errors: vec![Some(error)],
            message: message.into(),
            planning_time: 0.0,
        }
    }
}

/// A costmap to be published, as Nav2 publishes it: a `nav_msgs/OccupancyGrid` or an update of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CostmapMessage {
    /// The frame and when it was made.
    pub header: Header,
    /// Where the whole grid lies.
    pub geometry: Geometry,
    /// First column and row of what is in `data`, and its size; the whole grid for a full message.
    pub window: Window,
    /// Occupancies of the window, row-major: 0 free, 1..=98 costs, 99 inscribed, 100 lethal, -1
    /// unknown.
    pub data: Vec<i8>,
}

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First column.
    pub col: usize,
    /// First row.
    pub row: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Window {
    /// All cells of a grid.
    pub fn whole(geometry: &Geometry) -> Self {
        Self {
            col: 0,
            row: 0,
            width: geometry.width(),
            height: geometry.height(),
        }
    }
}
