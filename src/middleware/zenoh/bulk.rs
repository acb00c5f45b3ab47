//! Messages with much data, taken over without another copy.

use super::contract::{header, header_msg, map_info, quaternion};
use super::interfaces::map_msgs::msg::OccupancyGridUpdate;
use super::interfaces::nav_msgs::msg::OccupancyGrid;
use super::interfaces::sensor_msgs::msg::PointCloud2;
use crate::grid::{OccupancyGrid as Occupancies, OccupancyMessage, OccupancyUpdate};
use crate::node::message::{Header, MapMessage, MapUpdate};
use crate::node::sensors::{PointCloud, PointField};

pub type Grid = OccupancyGrid;
pub type GridUpdate = OccupancyGridUpdate;
pub type Cloud = PointCloud2;

pub fn map(map: Grid) -> MapMessage {
    let origin = &map.info.origin;
    MapMessage {
        header: header(&map.header),
        grid: OccupancyMessage {
            width: map.info.width,
            height: map.info.height,
            resolution: map.info.resolution,
            position: [origin.position.x, origin.position.y, origin.position.z],
            orientation: quaternion(&origin.orientation),
            data: map.data,
        },
    }
}

/// A map as a map server publishes it.
pub fn map_msg(header: &Header, map: &Occupancies) -> Grid {
    Grid {
        header: header_msg(header),
        info: map_info(map.geometry(), header.stamp),
        data: map.data().to_vec(),
    }
}

pub fn map_update(update: GridUpdate) -> MapUpdate {
    MapUpdate {
        header: header(&update.header),
        update: OccupancyUpdate {
            x: update.x,
            y: update.y,
            width: update.width,
            height: update.height,
            data: update.data,
        },
    }
}

pub fn point_cloud(cloud: Cloud) -> PointCloud {
    let fields = cloud.fields.into_iter().map(|field| PointField {
        name: field.name,
        offset: field.offset,
        datatype: field.datatype,
    });
    PointCloud {
        header: header(&cloud.header),
        height: cloud.height,
        width: cloud.width,
        fields: fields.collect(),
        is_bigendian: cloud.is_bigendian,
        point_step: cloud.point_step,
        row_step: cloud.row_step,
        data: cloud.data,
    }
}
