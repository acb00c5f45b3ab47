//! Scans and clouds become points; what is broken becomes an error or nothing.

use crate::common::robot::header;
use hrm_planner::Error;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Pose2};
use hrm_planner::node::obstacles::{Combination, Observation, Obstacles, Region};
use hrm_planner::node::sensors::{LaserScan, PointCloud, PointField};
use hrm_planner::node::settings::ObservationSource;
use proptest::prelude::*;

fn scan(ranges: &[f32]) -> LaserScan {
    LaserScan {
        header: header("laser", 1.0),
        angle_min: 0.0,
        angle_increment: std::f32::consts::FRAC_PI_2,
        range_min: 0.1,
        range_max: 10.0,
        ranges: ranges.to_vec(),
    }
}

#[test]
fn rays_become_points_and_bad_ones_nothing() {
    let seen = scan(&[2.0, 3.0, f32::NAN, 0.05]).measurement(true);
    assert_eq!(seen.hits.len(), 2);
    assert!((seen.hits[0][0] - 2.0).abs() < 1e-6 && (seen.hits[1][1] - 3.0).abs() < 1e-6);
    let seen = scan(&[f32::INFINITY, -1.0, 11.0]).measurement(true);
    assert!(seen.hits.is_empty());
    assert_eq!(seen.misses.len(), 1);
    assert!((seen.misses[0][0] - 10.0).abs() < 1e-6);
    assert!(scan(&[f32::INFINITY]).measurement(false).misses.is_empty());
}

fn cloud(points: &[[f32; 3]]) -> PointCloud {
    let field = |name: &str, offset| PointField {
        name: name.to_owned(),
        offset,
        datatype: 7,
    };
    let bytes = points
        .iter()
        .flatten()
        .flat_map(|number| number.to_le_bytes());
    PointCloud {
        header: header("camera", 1.0),
        height: 1,
        width: points.len() as u32,
        fields: vec![field("x", 0), field("y", 4), field("z", 8)],
        is_bigendian: false,
        point_step: 12,
        row_step: 12 * points.len() as u32,
        data: bytes.collect(),
    }
}

#[test]
fn clouds_are_read_by_their_fields() {
    let points = [[1.0, 2.0, 3.0], [f32::NAN, 0.0, 0.0], [4.0, 5.0, 6.0]];
    let seen = cloud(&points).measurement().unwrap();
    assert_eq!(seen.hits, [points[0], points[2]]);
    let mut swapped = cloud(&points);
    swapped.fields[0].offset = 8;
    swapped.fields[2].offset = 0;
    assert_eq!(swapped.measurement().unwrap().hits[..1], [[3.0, 2.0, 1.0]]);
    let mut big = cloud(&points);
    big.data = points
        .iter()
        .flatten()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    big.is_bigendian = true;
    assert_eq!(big.measurement().unwrap().hits[..1], points[..1]);
}

#[test]
fn a_cloud_without_points_takes_no_time_however_many_rows_it_has() {
    let mut empty = cloud(&[]);
    empty.height = u32::MAX;
    assert!(empty.measurement().unwrap().hits.is_empty());
}

#[test]
fn clouds_that_lie_about_their_layout_are_refused() {
    let change = |change: fn(&mut PointCloud)| {
        let mut broken = cloud(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        change(&mut broken);
        broken.measurement()
    };
    for result in [
        change(|c| c.fields.truncate(2)),
        change(|c| c.fields[1].datatype = 3),
        change(|c| c.fields[2].offset = 9),
        change(|c| c.fields[2].offset = u32::MAX),
        change(|c| c.width = 3),
        change(|c| c.data.truncate(20)),
        change(|c| c.height = u32::MAX),
        change(|c| {
            c.height = 2;
            c.row_step = 4;
        }),
        change(|c| {
            c.width = u32::MAX;
            c.row_step = u32::MAX;
        }),
    ] {
        assert!(
            matches!(result, Err(Error::PointCloud { .. })),
            "{result:?}"
        );
    }
}

/// A ray along row 5, from column 2 to column 10, where it meets something or not.
fn along_a_row(geometry: &Geometry, meets: bool) -> Observation {
    let (x, y) = geometry.cell_to_world(Cell::new(5, 10));
    Observation {
        origin: geometry.cell_to_world(Cell::new(5, 2)),
        hits: if meets { vec![(x, y, 0.5)] } else { Vec::new() },
        misses: if meets { Vec::new() } else { vec![(x, y)] },
    }
}

#[test]
fn unknown_cells_of_the_map_stay_so_where_that_is_asked_for() {
    let (mut layer, map, source) = layer();
    layer.observe("scan", &source, &along_a_row(map.geometry(), true));
    let mut unknown = map.clone();
    layer.apply(&mut unknown, Combination::MaximumOfKnown);
    assert_eq!(unknown, map);
}

fn layer() -> (Obstacles, Costmap, ObservationSource) {
    let geometry = Geometry::new(20, 10, 0.5, Pose2::new(-2.0, 1.0, 0.3)).expect("a grid");
    let mut layer = Obstacles::default();
    layer.fit(&geometry);
    let source = ObservationSource {
        obstacle_max_range: 100.0,
        raytrace_max_range: 100.0,
        ..ObservationSource::default()
    };
    (layer, Costmap::filled(geometry, Cost::UNKNOWN), source)
}

#[test]
fn measurements_mark_as_long_as_they_are_kept_and_cells_until_they_are_cleared() {
    let (mut layer, mut map, source) = layer();
    let geometry = *map.geometry();
    let (x, y) = geometry.cell_to_world(Cell::new(5, 10));
    layer.observe("scan", &source, &along_a_row(&geometry, true));
    layer.apply(&mut map, Combination::Maximum);
    assert_eq!(map.cost(Cell::new(5, 10)), Cost::LETHAL);
    assert!((2..10).all(|col| map.cost(Cell::new(5, col)) == Cost::FREE));
    assert_eq!(
        map.cost(Cell::new(5, 11)),
        Cost::UNKNOWN,
        "nobody saw behind it"
    );
    layer.clear_robot(&Pose2::new(x, y, 0.0), 0.3);
    let mut after = Costmap::filled(geometry, Cost::UNKNOWN);
    layer.apply(&mut after, Combination::Maximum);
    assert_eq!(after.cost(Cell::new(5, 10)), Cost::FREE);
    layer.clear(Region::Everything, &Pose2::default());
    let mut after = Costmap::filled(geometry, Cost::UNKNOWN);
    layer.apply(&mut after, Combination::Maximum);
    assert!(after.costs().iter().all(|&cost| cost == Cost::UNKNOWN));
}

#[test]
fn what_was_seen_overwrites_the_map_only_where_that_is_asked_for() {
    let (mut layer, map, source) = layer();
    let geometry = *map.geometry();
    layer.observe("scan", &source, &along_a_row(&geometry, false));
    for (combination, expected) in [
        (Combination::Maximum, Cost::LETHAL),
        (Combination::MaximumOfKnown, Cost::LETHAL),
        (Combination::Overwrite, Cost::FREE),
    ] {
        let mut walls = Costmap::filled(geometry, Cost::LETHAL);
        layer.apply(&mut walls, combination);
        assert_eq!(walls.cost(Cell::new(5, 5)), expected);
    }
}

proptest! {
    #[test]
    fn rays_from_anywhere_to_anywhere_stay_on_their_line(
        from in (-30.0..30.0_f64, -30.0..30.0_f64),
        to in (-30.0..30.0_f64, -30.0..30.0_f64),
    ) {
        let (mut layer, mut map, source) = layer();
        let seen = Observation { origin: from, hits: Vec::new(), misses: vec![to] };
        layer.observe("scan", &source, &seen);
        layer.apply(&mut map, Combination::Overwrite);
        let geometry = *map.geometry();
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        for (index, &cost) in map.costs().iter().enumerate() {
            let (x, y) = geometry.cell_to_world(geometry.cell(index));
            let along = ((x - from.0) * (to.0 - from.0) + (y - from.1) * (to.1 - from.1)) / length;
            let away = ((x - from.0) * (to.1 - from.1) - (y - from.1) * (to.0 - from.0)).abs() / length;
            let reach = geometry.resolution() * 0.75;
            if cost == Cost::FREE {
                prop_assert!(away < reach && (-reach..=length + reach).contains(&along));
            } else {
                // A cell whose centre is right on the line was crossed.
                prop_assert!(!(away < 0.01 && (0.4..length - 0.4).contains(&along)));
            }
        }
    }

    #[test]
    fn no_cloud_panics(
        (width, height, point_step, row_step) in (0..9_u32, 0..9_u32, 0..40_u32, 0..99_u32),
        offsets in (0..60_u32, 0..60_u32, 0..60_u32),
        datatypes in (0..10_u8, 7..9_u8, 7..9_u8),
        data in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let field = |name: &str, offset, datatype| PointField { name: name.to_owned(), offset, datatype };
        let cloud = PointCloud {
            header: header("camera", 1.0),
            height,
            width,
            fields: vec![
                field("x", offsets.0, datatypes.0),
                field("y", offsets.1, datatypes.1),
                field("z", offsets.2, datatypes.2),
            ],
            is_bigendian: width % 2 == 0,
            point_step,
            row_step,
            data,
        };
        let _ = cloud.measurement();
    }
}
