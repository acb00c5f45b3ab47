//! What the bytes of messages mean, and that wrong ones are refused without harm.

use hrm_planner::middleware::zenoh::attachment::{Attachment, LENGTH};
use hrm_planner::middleware::zenoh::cdr::{decode, encode};
use hrm_planner::middleware::zenoh::interfaces::geometry_msgs::msg::PoseStamped;
use hrm_planner::middleware::zenoh::interfaces::map_msgs::msg::OccupancyGridUpdate;
use hrm_planner::middleware::zenoh::interfaces::nav_msgs::msg::{OccupancyGrid, Path};
use hrm_planner::middleware::zenoh::interfaces::nav2_msgs::srv::{
    ClearEntireCostmap_Request, IsPathValid_Request,
};
use hrm_planner::middleware::zenoh::interfaces::sensor_msgs::msg::PointCloud2;
use hrm_planner::middleware::zenoh::interfaces::unique_identifier_msgs::msg::UUID;

fn pose() -> PoseStamped {
    let mut pose = PoseStamped::default();
    "map".clone_into(&mut pose.header.frame_id);
    pose.header.stamp.sec = 7;
    pose.pose.position.x = 1.5;
    pose
}

/// Laid out by hand from the CDR rules: aligned to each value's size, counted from after the header.
#[test]
fn a_pose_is_laid_out_as_ros_lays_it_out() {
    let mut expected = vec![0, 1, 0, 0]; // little endian
    expected.extend(7_i32.to_le_bytes());
    expected.extend(0_u32.to_le_bytes());
    expected.extend(4_u32.to_le_bytes()); // the frame with its zero
    expected.extend(b"map\0");
    for number in [1.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0_f64] {
        expected.extend(number.to_le_bytes());
    }
    assert_eq!(encode(&pose()).expect("it can be said"), expected);
    assert_eq!(decode::<PoseStamped>(&expected).expect("a pose"), pose());
}

#[test]
fn the_other_byte_order_is_read_too() {
    let mut bytes = vec![0, 0, 0, 0];
    bytes.extend(7_i32.to_be_bytes());
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend(4_u32.to_be_bytes());
    bytes.extend(b"map\0");
    for number in [1.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0_f64] {
        bytes.extend(number.to_be_bytes());
    }
    assert_eq!(decode::<PoseStamped>(&bytes).expect("a pose"), pose());
}

#[test]
fn cells_survive_the_way() {
    let grid = OccupancyGrid {
        data: (-128..=127).collect(),
        ..OccupancyGrid::default()
    };
    let bytes = encode(&grid).expect("it can be said");
    assert_eq!(decode::<OccupancyGrid>(&bytes).expect("a map"), grid);
}

#[test]
fn fields_have_the_defaults_of_their_definitions() {
    assert_eq!(IsPathValid_Request::default().max_cost, 254);
    assert!((PoseStamped::default().pose.orientation.w - 1.0).abs() < f64::EPSILON);
    // A message without fields has a byte all the same, as a struct of C has.
    let bytes = encode(&ClearEntireCostmap_Request::default()).expect("it can be said");
    assert!(bytes.len() > 4);
    // An array has no length in front of it.
    let id = encode(&UUID { uuid: [3; 16] }).expect("it can be said");
    assert_eq!(id, [vec![0, 1, 0, 0], vec![3; 16]].concat());
}

#[test]
fn a_message_cut_off_anywhere_is_refused() {
    let path = Path {
        poses: vec![pose(), pose()],
        ..Path::default()
    };
    let bytes = encode(&path).expect("it can be said");
    assert!(decode::<Path>(&bytes).is_ok());
    for length in 0..bytes.len() {
        assert!(decode::<Path>(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn lengths_that_lie_take_no_memory() {
    for length in [u32::MAX, u32::MAX / 2, 1 << 28] {
        // A sequence of poses, cells, points: its length is the last thing that is there.
        let cut = |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.len() - 4);
            bytes.extend(length.to_le_bytes());
            bytes
        };
        let path = cut(encode(&Path::default()).expect("it can be said"));
        assert!(decode::<Path>(&path).is_err());
        let grid = cut(encode(&OccupancyGrid::default()).expect("it can be said"));
        assert!(decode::<OccupancyGrid>(&grid).is_err());
        let update = cut(encode(&OccupancyGridUpdate::default()).expect("it can be said"));
        assert!(decode::<OccupancyGridUpdate>(&update).is_err());
    }
}

#[test]
fn what_comes_after_a_message_is_no_error() {
    let mut bytes = encode(&pose()).expect("it can be said");
    bytes.extend([0; 24]);
    assert_eq!(decode::<PoseStamped>(&bytes).expect("a pose"), pose());
}

#[test]
fn other_encodings_and_texts_that_are_none_are_refused() {
    let mut bytes = encode(&pose()).expect("it can be said");
    bytes[1] = 7; // parameter lists of XTypes
    let error = decode::<PoseStamped>(&bytes).expect_err("it is not plain CDR");
    assert!(error.to_string().contains("plain CDR"), "{error}");
    let mut bytes = encode(&pose()).expect("it can be said");
    bytes[16] = 0xff; // in the frame's name
    assert!(decode::<PoseStamped>(&bytes).is_err());
    assert!(decode::<PointCloud2>(&[]).is_err());
}

#[test]
fn attachments_go_there_and_back() {
    let attachment = Attachment {
        sequence: -2,
        source_ns: 1_700_000_000_000_000_001,
        gid: [9; 16],
    };
    let bytes = attachment.to_bytes();
    assert_eq!(bytes.len(), LENGTH);
    assert_eq!(Attachment::parse(&bytes).expect("one"), attachment);
    let mut wrong = bytes;
    wrong[16] = 15;
    assert!(Attachment::parse(&wrong).is_err());
    for length in 0..LENGTH {
        assert!(Attachment::parse(&bytes[..length]).is_err());
    }
    assert!(Attachment::parse(&[&bytes[..], &[0]].concat()).is_err());
}
