//! Occupancy grids keep their domain, and become costs as in Nav2.

use hrm_planner::Error;
use hrm_planner::grid::{
    Cost, CostRule, Counts, DEFAULT_MAX_CELLS, Geometry, OccupancyGrid, OccupancyMessage,
    OccupancyUpdate, Quaternion,
};
use proptest::prelude::*;

fn grid(width: usize, data: Vec<i8>) -> OccupancyGrid {
    let geometry = Geometry::unit(width, data.len() / width).expect("a good size");
    OccupancyGrid::new(geometry, data).expect("good occupancies")
}

fn message() -> OccupancyMessage {
    OccupancyMessage {
        width: 3,
        height: 2,
        resolution: 0.05,
        position: [1.0, -2.0, 0.3],
        orientation: Quaternion::from_yaw(0.5),
        data: vec![0, 100, -1, 50, 0, 0],
    }
}

fn rejection(change: impl FnOnce(&mut OccupancyMessage)) -> Error {
    let mut message = message();
    change(&mut message);
    OccupancyGrid::try_from(message).expect_err("a bad message")
}

fn update(x: i32, y: i32, width: u32, height: u32, data: Vec<i8>) -> OccupancyUpdate {
    OccupancyUpdate {
        x,
        y,
        width,
        height,
        data,
    }
}

/// The occupancy that Nav2's costmap publisher gives a cost (`costmap_2d_publisher.cpp`).
fn published(cost: u8) -> i8 {
    match cost {
        0 => 0,
        253 => 99,
        254 => 100,
        255 => -1,
        _ => 1 + (97 * (i32::from(cost) - 1) / 251) as i8,
    }
}

// --- Values ---

#[test]
fn only_minus_one_and_0_to_100_are_occupancies() {
    for value in i8::MIN..=i8::MAX {
        let made = OccupancyGrid::new(Geometry::unit(3, 1).expect("good"), vec![0, 0, value]);
        match made {
            Ok(_) => assert!((-1..=100).contains(&value)),
            Err(Error::OccupancyValue {
                index,
                value: named,
            }) => {
                assert_eq!((index, named), (2, value));
                assert!(!(-1..=100).contains(&value));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn the_data_length_is_that_of_the_grid() {
    let made = OccupancyGrid::new(Geometry::unit(3, 2).expect("good"), vec![0; 5]);
    assert!(matches!(made, Err(Error::DataLength { actual: 5, .. })));
}

#[test]
fn cells_are_counted_by_kind() {
    let counts = grid(4, vec![0, 0, 0, 100, 100, -1, 1, 99]).counts();
    let expected = Counts {
        free: 3,
        occupied: 2,
        unknown: 1,
        other: 2,
    };
    assert_eq!(counts, expected);
}

// --- Costs ---

#[test]
fn by_default_only_certain_obstacles_are_lethal() {
    let costmap = grid(5, vec![-1, 0, 50, 99, 100]).to_costmap(CostRule::default());
    let expected = [
        Cost::UNKNOWN,
        Cost::FREE,
        Cost::FREE,
        Cost::FREE,
        Cost::LETHAL,
    ];
    assert_eq!(costmap.costs(), expected);
}

#[test]
fn the_lethal_threshold_belongs_to_the_lethal_side_and_is_limited() {
    let rule = |lethal_threshold| CostRule::Trinary { lethal_threshold };
    assert_eq!(rule(65).cost(64), Cost::FREE);
    assert_eq!(rule(65).cost(65), Cost::LETHAL);
    assert_eq!(rule(127).cost(100), Cost::LETHAL);
    assert_eq!(rule(-5).cost(0), Cost::LETHAL);
    assert_eq!(rule(-5).cost(-1), Cost::UNKNOWN);
}

#[test]
fn scaled_costs_grow_with_the_occupancy_and_are_cut_to_whole_numbers() {
    let rule = |lethal_threshold| CostRule::Scale { lethal_threshold };
    assert_eq!(rule(100).cost(-1), Cost::UNKNOWN);
    assert_eq!(rule(100).cost(0), Cost::FREE);
    assert_eq!(rule(100).cost(50), Cost(127));
    assert_eq!(rule(100).cost(99), Cost(251)); // 251.46
    assert_eq!(rule(100).cost(100), Cost::LETHAL);
    assert_eq!(rule(40).cost(10), Cost(63)); // 63.5
    assert_eq!(rule(40).cost(40), Cost::LETHAL);
    assert_eq!(rule(0).cost(0), Cost::LETHAL);
}

#[test]
fn a_published_costmap_reads_back_to_costs_that_publish_alike() {
    for occupancy in -1..=100 {
        let cost = CostRule::PublishedCostmap.cost(occupancy);
        assert_eq!(published(cost.0), occupancy, "{occupancy} became {cost:?}");
    }
    for cost in 0..=255 {
        let back = CostRule::PublishedCostmap.cost(published(cost));
        assert!(back.0.abs_diff(cost) <= 1, "{cost} became {back:?}");
    }
    assert_eq!(CostRule::PublishedCostmap.cost(99), Cost::INSCRIBED);
    assert_eq!(CostRule::PublishedCostmap.cost(100), Cost::LETHAL);
}

// --- Messages ---

#[test]
fn a_good_message_becomes_a_grid() {
    let grid = OccupancyGrid::try_from(message()).expect("a good message");
    let geometry = grid.geometry();
    assert_eq!((geometry.width(), geometry.height()), (3, 2));
    assert!((geometry.resolution() - 0.05).abs() < 1e-8);
    let origin = geometry.origin();
    assert_eq!((origin.x, origin.y), (1.0, -2.0));
    assert!((origin.yaw - 0.5).abs() < 1e-12);
    assert_eq!(grid.data(), message().data);
}

#[test]
fn every_fault_of_a_message_has_its_own_reason() {
    use Error as E;
    assert!(matches!(rejection(|m| m.width = 0), E::EmptyGrid { .. }));
    assert!(matches!(rejection(|m| m.height = 0), E::EmptyGrid { .. }));
    assert!(matches!(
        rejection(|m| m.width = 4),
        E::DataLength { actual: 6, .. }
    ));
    for resolution in [0.0, -0.05, f32::NAN, f32::INFINITY] {
        assert!(matches!(
            rejection(|m| m.resolution = resolution),
            E::Resolution { .. }
        ));
    }
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(
            rejection(|m| m.position[0] = number),
            E::Origin { .. }
        ));
        assert!(matches!(
            rejection(|m| m.position[1] = number),
            E::Origin { .. }
        ));
        assert!(matches!(
            rejection(|m| m.position[2] = number),
            E::OriginHeight { .. }
        ));
        assert!(matches!(
            rejection(|m| m.orientation.z = number),
            E::Quaternion { .. }
        ));
    }
    assert!(matches!(
        rejection(|m| m.orientation.w = 0.0),
        E::Quaternion { .. }
    ));
    assert!(matches!(
        rejection(|m| m.data[4] = 101),
        E::OccupancyValue {
            index: 4,
            value: 101
        }
    ));
    assert!(matches!(
        rejection(|m| m.data[0] = -2),
        E::OccupancyValue {
            index: 0,
            value: -2
        }
    ));
    let huge = |m: &mut OccupancyMessage| (m.width, m.height) = (u32::MAX, u32::MAX);
    assert!(matches!(
        rejection(huge),
        E::TooManyCells {
            max_cells: DEFAULT_MAX_CELLS,
            ..
        }
    ));
    assert!(OccupancyGrid::try_from_message(message(), 6).is_ok());
    assert!(matches!(
        OccupancyGrid::try_from_message(message(), 5),
        Err(E::TooManyCells {
            cells: 6,
            max_cells: 5
        })
    ));
}

#[test]
fn an_unset_or_tilted_orientation_is_rejected() {
    let quaternion = |x, y, z, w| Quaternion { x, y, z, w };
    assert!(matches!(
        quaternion(0.0, 0.0, 0.0, 0.0).yaw(),
        Err(Error::Quaternion { .. })
    ));
    assert!(matches!(
        quaternion(0.0, 0.0, 1.0, 1.0).yaw(),
        Err(Error::Quaternion { .. })
    ));
    let (sin, cos) = 0.05_f64.sin_cos();
    for tilted in [
        quaternion(sin, 0.0, 0.0, cos),
        quaternion(0.0, sin, 0.0, -cos),
    ] {
        match tilted.yaw() {
            Err(Error::TiltedOrigin { tilt_rad }) => assert!((tilt_rad - 0.1).abs() < 1e-9),
            other => panic!("{other:?}"),
        }
    }
    // Upside down.
    assert!(matches!(
        quaternion(1.0, 0.0, 0.0, 0.0).yaw(),
        Err(Error::TiltedOrigin { .. })
    ));
}

proptest! {
    #[test]
    fn yaw_survives_the_quaternion_of_either_sign(yaw in -3.1..3.1_f64, sign in prop::bool::ANY) {
        let mut q = Quaternion::from_yaw(yaw);
        if sign {
            q = Quaternion { x: -q.x, y: -q.y, z: -q.z, w: -q.w };
        }
        prop_assert!((q.yaw().expect("a rotation about z") - yaw).abs() < 1e-12);
    }
}

// --- Updates ---

#[test]
fn an_update_overwrites_its_rectangle_and_nothing_else() {
    let mut grid = grid(4, vec![0; 12]);
    grid.apply(&update(1, 1, 2, 2, vec![1, 2, 3, -1]))
        .expect("a good update");
    assert_eq!(grid.data(), [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, -1, 0]);
    grid.apply(&update(0, 0, 4, 3, vec![100; 12]))
        .expect("all of the grid");
    assert_eq!(grid.counts().occupied, 12);
}

#[test]
fn an_empty_update_inside_the_grid_changes_nothing() {
    let mut grid = grid(4, vec![0; 12]);
    for empty in [
        update(0, 0, 0, 0, vec![]),
        update(4, 3, 0, 0, vec![]),
        update(1, 1, 0, 2, vec![]),
    ] {
        grid.apply(&empty).expect("nothing to do");
    }
    assert_eq!(grid.counts().free, 12);
}

#[test]
fn a_rejected_update_leaves_the_grid_unchanged() {
    let before = grid(4, vec![0; 12]);
    let mut grid = before.clone();
    for outside in [
        update(-1, 0, 2, 1, vec![1; 2]),
        update(0, -1, 1, 2, vec![1; 2]),
        update(3, 0, 2, 1, vec![1; 2]),
        update(0, 2, 1, 2, vec![1; 2]),
        update(i32::MAX, i32::MAX, u32::MAX, u32::MAX, vec![]),
        update(i32::MIN, 0, u32::MAX, 1, vec![]),
    ] {
        let error = grid.apply(&outside).expect_err("outside");
        assert!(matches!(error, Error::UpdateOutside { .. }), "{error}");
    }
    for length in [0, 3, 5] {
        let error = grid
            .apply(&update(0, 0, 2, 2, vec![1; length]))
            .expect_err("length");
        assert!(
            matches!(
                error,
                Error::DataLength {
                    width: 2,
                    height: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
    let error = grid
        .apply(&update(0, 0, 2, 1, vec![1, 101]))
        .expect_err("value");
    assert!(
        matches!(
            error,
            Error::OccupancyValue {
                index: 1,
                value: 101
            }
        ),
        "{error}"
    );
    assert_eq!(grid, before);
}
