//! Between the messages of ROS and the plain structs of the node.

use super::wire::builtin_interfaces::msg::{Duration as DurationMsg, Time as TimeMsg};
use super::wire::geometry_msgs::msg::{
    Point, Pose as PoseMsg, PoseStamped as PoseStampedMsg, Quaternion as QuaternionMsg,
    TransformStamped as TransformMsg,
};
use super::wire::hrm_planner_msgs::msg::{
    LegReport, PlanReport as ReportMsg, ReasoningFrame as FrameMsg,
};
use super::wire::nav_msgs::msg::{MapMetaData, Path as PathMsg};
use super::wire::std_msgs::msg::Header as HeaderMsg;

use crate::grid::{Geometry, Pose2, Quaternion};
use crate::node::message::{AskKind, Header, Path, TransformStamped};
use crate::node::report::{PlanReport, ReasoningFrame};
use crate::node::{Pose, PoseStamped, Time};
use crate::planner::{Report, Source};

pub fn time(stamp: &TimeMsg) -> Time {
    Time::from_parts(stamp.sec, stamp.nanosec)
}

pub fn time_msg(time: Time) -> TimeMsg {
    let (sec, nanosec) = time.parts();
    TimeMsg { sec, nanosec }
}

pub fn duration_msg(seconds: f64) -> DurationMsg {
    let (sec, nanosec) = Time::from_seconds(seconds).parts();
    DurationMsg { sec, nanosec }
}

pub fn header(header: &HeaderMsg) -> Header {
    Header {
        stamp: time(&header.stamp),
        frame: header.frame_id.clone(),
    }
}

pub fn header_msg(header: &Header) -> HeaderMsg {
    HeaderMsg {
        stamp: time_msg(header.stamp),
        frame_id: header.frame.clone(),
    }
}

pub fn quaternion(q: &QuaternionMsg) -> Quaternion {
    Quaternion {
        x: q.x,
        y: q.y,
        z: q.z,
        w: q.w,
    }
}

pub fn pose(pose: &PoseMsg) -> Pose {
    Pose {
        position: [pose.position.x, pose.position.y, pose.position.z],
        orientation: quaternion(&pose.orientation),
    }
}

pub fn pose_msg(pose: &Pose2) -> PoseMsg {
    let Quaternion { x, y, z, w } = Quaternion::from_yaw(pose.yaw);
    PoseMsg {
        position: Point {
            x: pose.x,
            y: pose.y,
            z: 0.0,
        },
        orientation: QuaternionMsg { x, y, z, w },
    }
}

pub fn pose_stamped(pose_stamped: &PoseStampedMsg) -> PoseStamped {
    PoseStamped {
        header: header(&pose_stamped.header),
        pose: pose(&pose_stamped.pose),
    }
}

/// What a client asks with.
#[allow(dead_code)]
pub fn pose_stamped_msg(frame: &str, pose: &Pose2) -> PoseStampedMsg {
    PoseStampedMsg {
        header: HeaderMsg {
            frame_id: frame.to_owned(),
            ..HeaderMsg::default()
        },
        pose: pose_msg(pose),
    }
}

pub fn path_msg(path: &Path) -> PathMsg {
    let header = header_msg(&path.header);
    let poses = path.poses.iter().map(|pose| PoseStampedMsg {
        header: header.clone(),
        pose: pose_msg(pose),
    });
    PathMsg {
        poses: poses.collect(),
        header,
    }
}

pub fn transform(transform: &TransformMsg) -> TransformStamped {
    let t = &transform.transform.translation;
    TransformStamped {
        header: header(&transform.header),
        child: transform.child_frame_id.clone(),
        transform: Pose {
            position: [t.x, t.y, t.z],
            orientation: quaternion(&transform.transform.rotation),
        },
    }
}

pub fn map_info(geometry: &Geometry, stamp: Time) -> MapMetaData {
    MapMetaData {
        map_load_time: time_msg(stamp),
        resolution: geometry.resolution() as f32,
        width: geometry.width() as u32,
        height: geometry.height() as u32,
        origin: pose_msg(&geometry.origin()),
    }
}

pub fn report_msg(report: &PlanReport) -> ReportMsg {
    ReportMsg {
        header: header_msg(&report.header),
        kind: match report.kind {
            AskKind::ToPose => ReportMsg::KIND_TO_POSE,
            AskKind::ThroughPoses => ReportMsg::KIND_THROUGH_POSES,
            AskKind::GetPlan => ReportMsg::KIND_GET_PLAN,
            AskKind::Batch => ReportMsg::KIND_BATCH,
        },
        succeeded: report.succeeded,
        error_code: report.error_code,
        error_msg: report.message.clone(),
        planning_time: duration_msg(report.planning_time),
        legs: report.legs.iter().map(leg_msg).collect(),
    }
}

fn leg_msg(report: &Report) -> LegReport {
    let source = match report.source {
        Some(Source::Model) => "model",
        Some(Source::Repaired) => "repaired",
        Some(Source::Search) => "search",
        None => "",
    };
    let time_ms = &report.time_ms;
    LegReport {
        source: source.to_owned(),
        kept: report.kept,
        evaded: report.evaded,
        segments: report.segments as u32,
        halt_reason: report.halt_reason.name().to_owned(),
        q_halt: report.q_halt.unwrap_or(f32::NAN),
        q_continue: report.q_continue.unwrap_or(f32::NAN),
        travel_cost: report.travel_cost.unwrap_or(f64::NAN),
        length: report.length_m.unwrap_or(f64::NAN),
        goal_distance: report.goal_distance_m.unwrap_or(f64::NAN),
        reduction_factor: report.reduction_factor.unwrap_or(0) as u32,
        model: report.model.clone().unwrap_or_default(),
        total_ms: time_ms.total,
        check_ms: time_ms.check,
        reduce_ms: time_ms.reduce,
        encode_ms: time_ms.encode,
        think_ms: time_ms.think,
        decode_ms: time_ms.decode,
        verify_ms: time_ms.verify,
        repair_ms: time_ms.repair,
        search_ms: time_ms.search,
        smooth_ms: time_ms.smooth,
        map_stamp: time_msg(Time::from_seconds(report.map_stamp.unwrap_or(0.0))),
        map_width: report.map_size.0 as u32,
        map_height: report.map_size.1 as u32,
    }
}

pub fn frame_msg(frame: &ReasoningFrame) -> FrameMsg {
    FrameMsg {
        header: header_msg(&frame.header),
        segment: frame.segment,
        poses: frame.poses.iter().map(pose_msg).collect(),
        arrived: frame.arrived,
        verified: frame.verified,
        q_halt: frame.q_halt,
        q_continue: frame.q_continue,
        info: map_info(&frame.geometry, frame.header.stamp),
        values: frame.values.clone(),
    }
}
