//! What the node subscribes to: maps, transforms, sensors, the bond, goal poses.

use std::sync::Arc;

use super::convert::{header, pose_stamped, transform};
use super::wire::bond::msg::Status;
use super::wire::geometry_msgs::msg::PoseStamped as PoseStampedMsg;
use super::wire::sensor_msgs::msg::LaserScan as LaserScanMsg;
use super::wire::tf2_msgs::msg::TFMessage;
use super::{Graph, Qos, bulk};
use crate::Result;
use crate::node::Node;
use crate::node::bond::BondStatus;
use crate::node::message::Ask;
use crate::node::sensors::LaserScan;
use crate::node::settings::{DataType, Durability, NodeSettings};

/// # Errors
/// A topic that the graph does not take.
pub fn subscribe(graph: &mut Graph, node: &Arc<Node>) -> Result<()> {
    let settings = node.settings();
    let own = &settings.node;
    maps(graph, node, own)?;
    for (topic, is_static) in [("/tf", false), ("/tf_static", true)] {
        let of_tf = node.clone();
        let qos = Qos {
            durability: if is_static {
                Durability::TransientLocal
            } else {
                Durability::Volatile
            },
            ..Qos::reliable(100)
        };
        graph.subscribe(topic, qos, move |message: TFMessage| {
            let transforms: Vec<_> = message.transforms.iter().map(transform).collect();
            of_tf.put_transforms(&transforms, is_static);
        })?;
    }
    for name in own.obstacle_layer.names() {
        sensor(graph, node, own, name)?;
    }
    let of_bond = node.clone();
    graph.subscribe("bond", Qos::reliable(100), move |status: Status| {
        of_bond.hear_bond(&BondStatus {
            id: status.id,
            instance_id: status.instance_id,
            active: status.active,
        });
    })?;
    if own.subscribe_goal_pose {
        let of_goals = node.clone();
        graph.subscribe("goal_pose", Qos::DEFAULT, move |goal: PoseStampedMsg| {
            // The plan, or why there is none, is told on `plan`, `~/report` and the log.
            let ask = Ask::ToPose {
                goal: pose_stamped(&goal),
                start: None,
                planner_id: String::new(),
            };
            if of_goals.submit(ask, Box::new(|_| {})).is_none() {
                tracing::warn!("a goal pose came while the node was not active");
            }
        })?;
    }
    Ok(())
}

/// The map and its updates.
fn maps(graph: &mut Graph, node: &Arc<Node>, own: &NodeSettings) -> Result<()> {
    let qos = Qos {
        reliability: own.map_qos_reliability,
        durability: own.map_qos_durability,
        depth: own.map_qos_depth,
    };
    let of_map = node.clone();
    graph.subscribe_watched(&own.map_topic, qos, move |map: bulk::Grid| {
        of_map.maps().put_map(bulk::map(map));
    })?;
    let of_updates = node.clone();
    let qos = Qos {
        durability: Durability::Volatile,
        depth: 100,
        ..qos
    };
    let topic = format!("{}_updates", own.map_topic);
    graph.subscribe_watched(&topic, qos, move |update: bulk::GridUpdate| {
        of_updates.maps().put_update(bulk::map_update(update));
    })
}

/// One that marks and clears.
fn sensor(graph: &mut Graph, node: &Arc<Node>, own: &NodeSettings, name: &str) -> Result<()> {
    let qos = Qos {
        reliability: own.sensor_qos_reliability,
        ..Qos::reliable(5)
    };
    let source = own.obstacle_layer.source(name);
    let of_sensor = node.clone();
    let sensor = name.to_owned();
    match source.data_type {
        DataType::LaserScan => {
            graph.subscribe_watched(&source.topic, qos, move |scan: LaserScanMsg| {
                let settings = of_sensor.settings();
                let source = settings.node.obstacle_layer.source(&sensor);
                let seen = laser_scan(scan).measurement(source.inf_is_valid);
                of_sensor.maps().put_measurement(&sensor, seen);
            })
        }
        DataType::PointCloud2 => {
            graph.subscribe_watched(&source.topic, qos, move |cloud: bulk::Cloud| {
                match bulk::point_cloud(cloud).measurement() {
                    Ok(seen) => of_sensor.maps().put_measurement(&sensor, seen),
                    Err(error) => tracing::warn!(%error, sensor, "a measurement is dropped"),
                }
            })
        }
    }
}

pub fn laser_scan(scan: LaserScanMsg) -> LaserScan {
    LaserScan {
        header: header(&scan.header),
        angle_min: scan.angle_min,
        angle_increment: scan.angle_increment,
        range_min: scan.range_min,
        range_max: scan.range_max,
        ranges: scan.ranges,
    }
}
