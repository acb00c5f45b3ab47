//! Messages with much data, as C has them: the data is one block, and is copied once.

// By value, as the other back end takes the data over.
#![allow(clippy::needless_pass_by_value)]

use super::wire::map_msgs::msg::rmw::OccupancyGridUpdate;
use super::wire::nav_msgs::msg::rmw::OccupancyGrid;
use super::wire::sensor_msgs::msg::rmw::PointCloud2;
use super::wire::std_msgs::msg::rmw::Header as RmwHeader;
use crate::grid::{OccupancyMessage, OccupancyUpdate, Quaternion};
use crate::node::Time;
use crate::node::message::{Header, MapMessage, MapUpdate};
use crate::node::sensors::{PointCloud, PointField};

pub type Grid = OccupancyGrid;
pub type GridUpdate = OccupancyGridUpdate;
pub type Cloud = PointCloud2;

fn rmw_header(header: &RmwHeader) -> Header {
    Header {
        stamp: Time::from_parts(header.stamp.sec, header.stamp.nanosec),
        frame: header.frame_id.to_string(),
    }
}

pub fn map(map: Grid) -> MapMessage {
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

pub fn map_update(update: GridUpdate) -> MapUpdate {
    MapUpdate {
        header: rmw_header(&update.header),
        update: OccupancyUpdate {
            x: update.x,
            y: update.y,
            width: update.width,
            height: update.height,
            data: update.data.to_vec(),
        },
    }
}

pub fn point_cloud(cloud: Cloud) -> PointCloud {
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
