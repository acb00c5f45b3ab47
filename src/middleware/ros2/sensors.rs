//! What the node subscribes to: maps, transforms, sensors, the bond, goal poses.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rclrs::{
    IntoPrimitiveOptions, IntoTimerOptions, LogSeverity, Logger, Node as RosNode, QoSProfile,
    SubscriptionOptions,
};
use ros_env::bond::msg::Status;
use ros_env::geometry_msgs::msg::PoseStamped as PoseStampedMsg;
use ros_env::map_msgs::msg::rmw::OccupancyGridUpdate;
use ros_env::nav_msgs::msg::rmw::OccupancyGrid;
use ros_env::sensor_msgs::msg::LaserScan as LaserScanMsg;
use ros_env::sensor_msgs::msg::rmw::PointCloud2;
use ros_env::std_msgs::msg::rmw::Header as RmwHeader;
use ros_env::tf2_msgs::msg::TFMessage;

use super::convert::{header, pose_stamped, transform};
use super::qos::{mismatch, profile};
use super::{Parts, refused};
use crate::Result;
use crate::grid::{OccupancyMessage, OccupancyUpdate, Quaternion};
use crate::node::bond::BondStatus;
use crate::node::lock::lock;
use crate::node::message::{Ask, Header, MapMessage, MapUpdate};
use crate::node::sensors::{LaserScan, PointCloud, PointField};
use crate::node::settings::{DataType, Durability};
use crate::node::{Node, Time};

/// How often publishers are looked at that offer less than is asked for.
const LOOK_PERIOD: Duration = Duration::from_secs(2);

/// # Errors
/// A topic that ROS does not take.
pub fn subscribe(ros: &RosNode, node: &Arc<Node>) -> Result<Parts> {
    let settings = node.settings();
    let own = &settings.node;
    let mut parts = Parts::new();
    let mut watched = Vec::new();

    // The messages of C, whose data is one block: a map is copied once.
    let map_qos = profile(
        own.map_qos_reliability,
        own.map_qos_durability,
        own.map_qos_depth,
    );
    let of_map = node.clone();
    let map = ros
        .create_subscription(
            options(&own.map_topic, map_qos),
            move |map: OccupancyGrid| {
                of_map.maps().put_map(map_message(&map));
            },
        )
        .map_err(refused(own.map_topic.clone()))?;
    watched.push((map.topic_name(), map_qos));
    parts.push(Box::new(map));

    let updates = format!("{}_updates", own.map_topic);
    let update_qos = profile(own.map_qos_reliability, Durability::Volatile, 100);
    let of_updates = node.clone();
    let map_updates = ros
        .create_subscription(
            options(&updates, update_qos),
            move |update: OccupancyGridUpdate| {
                of_updates.maps().put_update(MapUpdate {
                    header: rmw_header(&update.header),
                    update: OccupancyUpdate {
                        x: update.x,
                        y: update.y,
                        width: update.width,
                        height: update.height,
                        data: update.data.to_vec(),
                    },
                });
            },
        )
        .map_err(refused(updates.clone()))?;
    watched.push((map_updates.topic_name(), update_qos));
    parts.push(Box::new(map_updates));

    for (topic, is_static) in [("/tf", false), ("/tf_static", true)] {
        let of_tf = node.clone();
        let options = if is_static {
            topic.reliable().transient_local().keep_last(100)
        } else {
            topic.reliable().keep_last(100)
        };
        let tf = ros
            .create_subscription(options, move |message: TFMessage| {
                let transforms: Vec<_> = message.transforms.iter().map(transform).collect();
                of_tf.put_transforms(&transforms, is_static);
            })
            .map_err(refused(topic))?;
        parts.push(Box::new(tf));
    }

    let sensor_qos = profile(own.sensor_qos_reliability, Durability::Volatile, 5);
    for name in own.obstacle_layer.names() {
        let source = own.obstacle_layer.source(name);
        let of_sensor = node.clone();
        let sensor = name.to_owned();
        let topic = options(&source.topic, sensor_qos);
        let part: Box<dyn std::any::Any> = match source.data_type {
            DataType::LaserScan => {
                let scans = ros.create_subscription(topic, move |scan: LaserScanMsg| {
                    let settings = of_sensor.settings();
                    let source = settings.node.obstacle_layer.source(&sensor);
                    let seen = laser_scan(scan).measurement(source.inf_is_valid);
                    of_sensor.maps().put_measurement(&sensor, seen);
                });
                let scans = scans.map_err(refused(source.topic.clone()))?;
                watched.push((scans.topic_name(), sensor_qos));
                Box::new(scans)
            }
            DataType::PointCloud2 => {
                let clouds = ros.create_subscription(topic, move |cloud: PointCloud2| {
                    match point_cloud(&cloud).measurement() {
                        Ok(seen) => of_sensor.maps().put_measurement(&sensor, seen),
                        Err(error) => tracing::warn!(%error, sensor, "a measurement is dropped"),
                    }
                });
                let clouds = clouds.map_err(refused(source.topic.clone()))?;
                watched.push((clouds.topic_name(), sensor_qos));
                Box::new(clouds)
            }
        };
        parts.push(part);
    }

    let of_bond = node.clone();
    let bond = ros
        .create_subscription("bond".keep_last(100), move |status: Status| {
            of_bond.hear_bond(&BondStatus {
                id: status.id,
                instance_id: status.instance_id,
                active: status.active,
            });
        })
        .map_err(refused("bond"))?;
    parts.push(Box::new(bond));

    if own.subscribe_goal_pose {
        let of_goals = node.clone();
        let goals = ros
            .create_subscription("goal_pose", move |goal: PoseStampedMsg| {
                // The plan, or why there is none, is told on `plan`, `~/report` and the log.
                let ask = Ask::ToPose {
                    goal: pose_stamped(&goal),
                    start: None,
                    planner_id: String::new(),
                };
                if of_goals.submit(ask, Box::new(|_| {})).is_none() {
                    tracing::warn!("a goal pose came while the node was not active");
                }
            })
            .map_err(refused("goal_pose"))?;
        parts.push(Box::new(goals));
    }
    parts.push(watch(ros, watched)?);
    Ok(parts)
}

fn options(topic: &str, qos: QoSProfile) -> SubscriptionOptions<'_> {
    let mut options = SubscriptionOptions::new(topic);
    options.qos = qos;
    options
}

/// Looks now and then for publishers whose messages these subscriptions do not get, and logs each
/// once, with what to do.
fn watch(ros: &RosNode, watched: Vec<(String, QoSProfile)>) -> Result<Box<dyn std::any::Any>> {
    // DDS does not say how many messages a publisher keeps; rclrs logs that as an error each time.
    let quiet = Logger::new("QoSProfile.conversion");
    let quiet = quiet.and_then(|logger| logger.set_level(LogSeverity::Fatal));
    quiet.map_err(refused("a logger's level"))?;
    let told = Mutex::new(BTreeSet::new());
    let looking = ros.clone();
    let timer = ros.create_timer_repeating(LOOK_PERIOD.steady_time(), move || {
        let mut told = lock(&told);
        for (topic, asked) in &watched {
            let publishers = looking.get_publishers_info_by_topic(topic);
            for publisher in publishers.unwrap_or_default() {
                let who = format!("{}/{}", publisher.node_namespace, publisher.node_name);
                let who = who.replace("//", "/");
                if let Some(reason) = mismatch(asked, &publisher.qos_profile)
                    && told.insert((topic.clone(), who.clone()))
                {
                    tracing::error!("nothing comes from {who} on {topic}: {reason}");
                }
            }
        }
    });
    Ok(Box::new(timer.map_err(refused("watching publishers"))?))
}

fn rmw_header(header: &RmwHeader) -> Header {
    Header {
        stamp: Time::from_parts(header.stamp.sec, header.stamp.nanosec),
        frame: header.frame_id.to_string(),
    }
}

fn map_message(map: &OccupancyGrid) -> MapMessage {
    let origin = &map.info.origin;
    MapMessage {
        header: rmw_header(&map.header),
        grid: OccupancyMessage {
            width: map.info.width,
            height: map.info.height,
            resolution: map.info.resolution,
            position: [origin.position.x, origin.position.y, origin.position.z],
            orientation: Quaternion {
                x: origin.orientation.x,
                y: origin.orientation.y,
                z: origin.orientation.z,
                w: origin.orientation.w,
            },
            data: map.data.to_vec(),
        },
    }
}

fn laser_scan(scan: LaserScanMsg) -> LaserScan {
    LaserScan {
        header: header(&scan.header),
        angle_min: scan.angle_min,
        angle_increment: scan.angle_increment,
        range_min: scan.range_min,
        range_max: scan.range_max,
        ranges: scan.ranges,
    }
}

fn point_cloud(cloud: &PointCloud2) -> PointCloud {
    let fields = cloud.fields.iter().map(|field| PointField {
        name: field.name.to_string(),
        offset: field.offset,
        datatype: field.datatype,
    });
    PointCloud {
        header: rmw_header(&cloud.header),
        height: cloud.height,
        width: cloud.width,
        fields: fields.collect(),
        is_bigendian: cloud.is_bigendian,
        point_step: cloud.point_step,
        row_step: cloud.row_step,
        data: cloud.data.to_vec(),
    }
}
