//! From bytes to what the node makes of them, for the fuzz targets in `fuzz/`: whatever comes over the
//! network may be refused, but nothing may panic, hang or fill the memory.

use std::sync::{Arc, OnceLock};

use super::attachment::Attachment;
use super::contract::{
    header, laser_scan, pose_stamped, question, through_poses, to_pose, transform,
};
use super::interfaces::{
    GetResultRequest, GetResultResponse, Payload, SendGoalRequest, SendGoalResponse,
};
use super::names::{Names, Seen};
use super::{bulk, cdr, wire};
use crate::node::bond::BondStatus;
use crate::node::lifecycle::Edge;
use crate::node::message::{CostmapMessage, Path, planar};
use crate::node::report::{PlanReport, ReasoningFrame};
use crate::node::{Node, Outbox, Settings, SimulatedClock, Time};

/// What comes on a topic: the first byte says on which one.
pub fn topic(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    let node = node();
    match which % 8 {
        0 => take(bytes, |map: bulk::Grid| node.maps().put_map(bulk::map(map))),
        1 => take(bytes, |update: bulk::GridUpdate| {
            node.maps().put_update(bulk::map_update(update));
        }),
        2 => take(bytes, |message: wire::tf2_msgs::msg::TFMessage| {
            let transforms: Vec<_> = message.transforms.iter().map(transform).collect();
            node.put_transforms(&transforms, which & 128 != 0);
        }),
        3 => take(bytes, |scan: wire::sensor_msgs::msg::LaserScan| {
            let seen = laser_scan(scan).measurement(which & 128 != 0);
            node.maps().put_measurement("scan", seen);
        }),
        4 => take(bytes, |cloud: bulk::Cloud| {
            if let Ok(seen) = bulk::point_cloud(cloud).measurement() {
                node.maps().put_measurement("scan", seen);
            }
        }),
        5 => take(bytes, |status: wire::bond::msg::Status| {
            node.hear_bond(&BondStatus {
                id: status.id,
                instance_id: status.instance_id,
                active: status.active,
            });
        }),
        6 => take(bytes, |pose: wire::geometry_msgs::msg::PoseStamped| {
            if let Ok(isometry) = pose_stamped(&pose).pose.isometry() {
                let _ = planar(&isometry);
            }
        }),
        _ => take(bytes, |clock: wire::rosgraph_msgs::msg::Clock| {
            let _ = super::contract::time(&clock.clock).parts();
        }),
    }
}

/// What is asked of a service or an action: the first byte says of which one.
pub fn request(data: &[u8]) {
    use wire::nav2_msgs::action::{ComputePathThroughPoses_Goal, ComputePathToPose_Goal};
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 20 {
        0 => take(bytes, |ask: SendGoalRequest<ComputePathToPose_Goal>| {
            let _ = to_pose(&ask.goal);
        }),
        1 => take(
            bytes,
            |ask: SendGoalRequest<ComputePathThroughPoses_Goal>| {
                let _ = through_poses(&ask.goal);
            },
        ),
        2 => take(bytes, |_: GetResultRequest| {}),
        3 => take(bytes, |_: wire::action_msgs::srv::CancelGoal_Request| {}),
        4 => take(bytes, |ask: wire::nav2_msgs::srv::IsPathValid_Request| {
            let _ = node().is_path_valid(&question(&ask));
        }),
        5 => take(bytes, |ask: wire::nav_msgs::srv::GetPlan_Request| {
            let _ = (pose_stamped(&ask.start), pose_stamped(&ask.goal));
        }),
        6 => take(
            bytes,
            |ask: wire::hrm_planner_msgs::srv::PlanBatch_Request| {
                let _: Vec<_> = ask.starts.iter().map(pose_stamped).collect();
            },
        ),
        7 => take(
            bytes,
            |_: wire::nav2_msgs::srv::ClearEntireCostmap_Request| {},
        ),
        8 => take(
            bytes,
            |_: wire::nav2_msgs::srv::ClearCostmapAroundRobot_Request| {},
        ),
        9 => take(
            bytes,
            |_: wire::nav2_msgs::srv::ClearCostmapExceptRegion_Request| {},
        ),
        10 => take(
            bytes,
            |_: wire::lifecycle_msgs::srv::ChangeState_Request| {},
        ),
        11 => take(bytes, |_: wire::lifecycle_msgs::srv::GetState_Request| {}),
        12 => take(
            bytes,
            |_: wire::rcl_interfaces::srv::GetParameters_Request| {},
        ),
        13 => take(
            bytes,
            |_: wire::rcl_interfaces::srv::GetParameterTypes_Request| {},
        ),
        14 => take(
            bytes,
            |_: wire::rcl_interfaces::srv::ListParameters_Request| {},
        ),
        15 => take(
            bytes,
            |_: wire::rcl_interfaces::srv::DescribeParameters_Request| {},
        ),
        16 => take(
            bytes,
            |ask: wire::rcl_interfaces::srv::SetParameters_Request| {
                let mut settings = Settings::clone(&node().settings());
                for parameter in &ask.parameters {
                    let value = super::parameters::json(&parameter.value);
                    let _ = settings.set(&parameter.name, &value);
                }
            },
        ),
        17 => take(
            bytes,
            |_: wire::rcl_interfaces::srv::SetParametersAtomically_Request| {},
        ),
        18 => take(
            bytes,
            |_: wire::lifecycle_msgs::srv::GetAvailableStates_Request| {},
        ),
        _ => take(
            bytes,
            |_: wire::lifecycle_msgs::srv::GetAvailableTransitions_Request| {},
        ),
    }
}

/// What a client is answered, and what surrounds messages: attachments, tokens, names.
pub fn envelope(data: &[u8]) {
    use wire::nav2_msgs::action::ComputePathToPose_Result;
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 10 {
        0 => take(bytes, |_: SendGoalResponse| {}),
        1 => take(bytes, |_: GetResultResponse<ComputePathToPose_Result>| {}),
        2 => take(
            bytes,
            |_: wire::hrm_planner_msgs::srv::PlanBatch_Response| {},
        ),
        3 => take(bytes, |_: wire::hrm_planner_msgs::msg::PlanReport| {}),
        4 => take(bytes, |_: wire::hrm_planner_msgs::msg::ReasoningFrame| {}),
        5 => take(bytes, |_: wire::diagnostic_msgs::msg::DiagnosticArray| {}),
        6 => take(bytes, |event: wire::nav_msgs::msg::Path| {
            let _ = header(&event.header);
        }),
        7 => {
            if let Ok(attachment) = Attachment::parse(bytes) {
                assert_eq!(attachment.to_bytes(), bytes);
            }
        }
        8 => {
            let text = String::from_utf8_lossy(bytes);
            let _ = Seen::parse(&format!("@ros2_lv/{text}"));
        }
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let rules = text
                .split_once(":=")
                .map(|(a, b)| (a.to_owned(), b.to_owned()));
            let rules: Vec<_> = rules.into_iter().collect();
            if let Ok(names) = Names::new(0, "node", &rules)
                && let Ok(name) = names.resolve(&text)
            {
                let kind = wire::KINDS[0];
                let key = names.key(&name, kind);
                assert!(zenoh::key_expr::KeyExpr::try_from(key).is_ok_and(|key| !key.is_wild()));
            }
        }
    }
}

/// What decodes is taken, and says the same when it is encoded again.
fn take<T: Payload>(bytes: &[u8], took: impl FnOnce(T)) {
    let Ok(message) = cdr::decode::<T>(bytes) else {
        return;
    };
    let Ok(again) = cdr::encode(&message) else {
        panic!("what was decoded cannot be encoded");
    };
    let Ok(twice) = cdr::decode::<T>(&again) else {
        panic!("what was encoded cannot be decoded");
    };
    assert_eq!(cdr::encode(&twice).ok().as_ref(), Some(&again));
    took(message);
}

/// One node for all, on which nobody listens.
fn node() -> &'static Node {
    static NODE: OnceLock<Node> = OnceLock::new();
    NODE.get_or_init(|| {
        let mut settings = Settings::default();
        settings.planner.source = crate::planner::PlanSource::Search;
        // A map of many cells takes its time: refused, as one that is too large.
        settings.planner.max_cells = 10_000;
        let clock = Arc::new(SimulatedClock::default());
        clock.set(Time::from_seconds(100.0));
        let node = Node::new("fuzzed", 1, settings, clock, Arc::new(Silent));
        let Ok(node) = node else {
            panic!("the settings are valid");
        };
        node.start();
        node
    })
}

struct Silent;

impl Outbox for Silent {
    fn plan(&self, _: &Path) {}
    fn report(&self, _: &PlanReport) {}
    fn is_watched(&self) -> bool {
        false
    }
    fn reasoning(&self, _: &ReasoningFrame) {}
    fn costmap(&self, _: CostmapMessage, _: bool) {}
    fn bond(&self, _: &BondStatus) {}
    fn transition(&self, _: &Edge) {}
}
