//! Where frames are to each other, and were.

use std::f64::consts::{FRAC_PI_2, PI};

use crate::common::robot::{header, transform};
use hrm_planner::Error;
use hrm_planner::grid::Quaternion;
use hrm_planner::node::message::{TransformStamped, planar};
use hrm_planner::node::transforms::{TransformBuffer, When};
use hrm_planner::node::{Pose, Time};
use proptest::prelude::*;

fn buffer(transforms: &[(TransformStamped, bool)]) -> TransformBuffer {
    let mut buffer = TransformBuffer::default();
    for (transform, is_static) in transforms {
        buffer
            .insert(transform, *is_static)
            .expect("the transform makes sense");
    }
    buffer
}

/// map <- odom (fixed, turned left) <- `base_link` (moving along +x at 1 m/s from second 10 on).
fn moving() -> TransformBuffer {
    buffer(&[
        (transform("map", "odom", (1.0, 0.0, FRAC_PI_2), 0.0), true),
        (transform("odom", "base_link", (2.0, 0.0, 0.0), 10.0), false),
        (
            transform("odom", "base_link", (4.0, 0.0, PI / 2.0), 12.0),
            false,
        ),
    ])
}

fn at(buffer: &TransformBuffer, target: &str, source: &str, when: When) -> (f64, f64, f64) {
    let found = planar(
        &buffer
            .lookup(target, source, when)
            .expect("the transform makes sense")
            .transform,
    );
    (found.x, found.y, found.yaw)
}

fn assert_near(found: (f64, f64, f64), expected: (f64, f64, f64)) {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let turn = (found.2 - expected.2).sin().abs();
    let is_near = near(found.0, expected.0) && near(found.1, expected.1) && turn < 1e-9;
    assert!(is_near, "{found:?}, not {expected:?}");
}

#[test]
fn chains_are_followed_and_times_interpolated() {
    let buffer = moving();
    let second = |s| When::At(Time::from_seconds(s));
    assert_near(
        at(&buffer, "map", "base_link", second(10.0)),
        (1.0, 2.0, FRAC_PI_2),
    );
    assert_near(
        at(&buffer, "map", "base_link", second(11.0)),
        (1.0, 3.0, 3.0 * PI / 4.0),
    );
    assert_near(
        at(&buffer, "map", "base_link", When::Latest),
        (1.0, 4.0, PI),
    );
    assert_near(
        at(&buffer, "base_link", "map", second(10.0)),
        (-2.0, 1.0, -FRAC_PI_2),
    );
    assert_near(at(&buffer, "odom", "odom", When::Latest), (0.0, 0.0, 0.0));
}

#[test]
fn a_turn_goes_the_shorter_way() {
    let buffer = buffer(&[
        (transform("a", "b", (0.0, 0.0, PI - 0.1), 1.0), false),
        (transform("a", "b", (0.0, 0.0, -PI + 0.1), 3.0), false),
    ]);
    let found = at(&buffer, "a", "b", When::At(Time::from_seconds(2.0)));
    assert_near(found, (0.0, 0.0, PI));
}

#[test]
fn the_latest_transform_of_a_chain_is_that_of_its_slowest_part() {
    let buffer = buffer(&[
        (transform("map", "odom", (0.0, 0.0, 0.0), 1.0), false),
        (transform("map", "odom", (10.0, 0.0, 0.0), 2.0), false),
        (transform("odom", "base_link", (1.0, 0.0, 0.0), 1.5), false),
    ]);
    let found = buffer.lookup("map", "base_link", When::Latest).unwrap();
    assert_eq!(found.stamp, Some(Time::from_seconds(1.5)));
    assert!((planar(&found.transform).x - 6.0).abs() < 1e-9);
}

#[test]
fn static_transforms_hold_at_all_times_and_have_no_stamp() {
    let buffer = buffer(&[(transform("a", "b", (1.0, 2.0, 0.0), 5.0), true)]);
    for when in [
        When::Latest,
        When::At(Time::ZERO),
        When::At(Time::from_seconds(1e6)),
    ] {
        let found = buffer.lookup("a", "b", when).unwrap();
        assert_eq!(found.stamp, None);
    }
}

#[test]
fn what_is_not_known_is_said() {
    let mut buffer = moving();
    let lookup = |buffer: &TransformBuffer, target, source, when| {
        buffer.lookup(target, source, when).unwrap_err()
    };
    let unknown = lookup(&buffer, "map", "camera", When::Latest);
    assert!(matches!(&unknown, Error::UnknownFrame { frame, known }
        if frame == "camera" && known == "base_link, map, odom"));
    for second in [9.9, 12.1] {
        let error = lookup(
            &buffer,
            "map",
            "base_link",
            When::At(Time::from_seconds(second)),
        );
        assert!(matches!(error, Error::TransformTime { .. }), "{error}");
    }
    buffer
        .insert(&transform("world", "camera", (0.0, 0.0, 0.0), 1.0), false)
        .unwrap();
    let apart = lookup(&buffer, "map", "camera", When::Latest);
    assert!(matches!(apart, Error::UnconnectedFrames { .. }), "{apart}");
}

#[test]
fn frames_that_go_in_a_circle_end_in_an_error() {
    let buffer = buffer(&[
        (transform("a", "b", (0.0, 0.0, 0.0), 1.0), false),
        (transform("b", "a", (0.0, 0.0, 0.0), 1.0), false),
        (transform("c", "d", (0.0, 0.0, 0.0), 1.0), false),
    ]);
    assert!(buffer.lookup("a", "d", When::Latest).is_err());
    assert!(buffer.lookup("a", "b", When::Latest).is_ok());
}

#[test]
fn a_leading_slash_is_no_part_of_a_name() {
    let buffer = buffer(&[(transform("/map", "/odom", (1.0, 0.0, 0.0), 1.0), false)]);
    assert_near(at(&buffer, "map", "/odom", When::Latest), (1.0, 0.0, 0.0));
}

#[test]
fn transforms_that_make_no_sense_are_refused() {
    let mut buffer = TransformBuffer::default();
    let mut broken = transform("a", "b", (0.0, 0.0, 0.0), 1.0);
    broken.transform.orientation = Quaternion {
        x: 0.0,
        y: 0.0,
        z: 0.0,
        w: 0.0,
    };
    let nan = TransformStamped {
        header: header("a", 1.0),
        child: "b".to_owned(),
        transform: Pose {
            position: [f64::NAN, 0.0, 0.0],
            ..Pose::default()
        },
    };
    for bad in [
        broken,
        nan,
        transform("a", "a", (0.0, 0.0, 0.0), 1.0),
        transform("", "b", (0.0, 0.0, 0.0), 1.0),
        transform("a", "/", (0.0, 0.0, 0.0), 1.0),
    ] {
        assert!(buffer.insert(&bad, false).is_err(), "{bad:?}");
    }
    assert!(buffer.lookup("a", "b", When::Latest).is_err());
}

#[test]
fn ten_seconds_are_kept_and_a_jump_back_forgets_them() {
    let mut buffer = TransformBuffer::default();
    for tenth in 0..300 {
        let second = f64::from(tenth) / 10.0;
        buffer
            .insert(&transform("a", "b", (second, 0.0, 0.0), second), false)
            .unwrap();
    }
    let known = |buffer: &TransformBuffer, second| {
        buffer
            .lookup("a", "b", When::At(Time::from_seconds(second)))
            .is_ok()
    };
    assert!(known(&buffer, 20.0) && known(&buffer, 29.9) && !known(&buffer, 19.0));
    buffer
        .insert(&transform("b", "c", (0.0, 0.0, 0.0), 0.0), true)
        .unwrap();
    buffer.forget_moving();
    assert!(!known(&buffer, 25.0));
    assert!(buffer.lookup("b", "c", When::Latest).is_ok());
}

#[test]
fn one_stamp_from_the_future_does_not_freeze_a_frame() {
    let mut buffer = TransformBuffer::default();
    for (x, second) in [(1.0, 1000.0), (2.0, 50.0), (3.0, 50.1)] {
        let link = transform("a", "b", (x, 0.0, 0.0), second);
        buffer.insert(&link, false).unwrap();
    }
    assert_near(at(&buffer, "a", "b", When::Latest), (3.0, 0.0, 0.0));
}

#[test]
fn a_frame_that_gets_another_parent_is_there() {
    let mut buffer = moving();
    buffer
        .insert(&transform("map", "base_link", (5.0, 5.0, 0.0), 13.0), false)
        .unwrap();
    assert_near(
        at(&buffer, "map", "base_link", When::Latest),
        (5.0, 5.0, 0.0),
    );
}

proptest! {
    #[test]
    fn there_and_back_is_nowhere(
        poses in proptest::collection::vec((-50.0..50.0_f64, -50.0..50.0_f64, -3.0..3.0_f64), 1..6),
    ) {
        let mut buffer = TransformBuffer::default();
        let name = |index: usize| format!("frame{index}");
        for (index, pose) in poses.iter().enumerate() {
            let link = transform(&name(index), &name(index + 1), *pose, 1.0);
            buffer.insert(&link, index % 2 == 0).unwrap();
        }
        let last = name(poses.len());
        let there = buffer.lookup("frame0", &last, When::Latest).unwrap().transform;
        let back = buffer.lookup(&last, "frame0", When::Latest).unwrap().transform;
        let round = there * back;
        prop_assert!(round.translation.vector.norm() < 1e-9 && round.rotation.angle() < 1e-6);
    }
}
