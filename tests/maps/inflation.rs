//! Distances are exact, and costs around obstacles are those of Nav2's inflation layer.

use hrm_planner::Error;
use hrm_planner::grid::distance::{self, FAR, MAX_REACH, squared_distances};
use hrm_planner::grid::{Cost, Costmap, Geometry, Inflation, Pose2, Workspace, inflate};
use proptest::prelude::*;

/// Sources of a grid up to 24 x 24, few or many.
fn sources() -> impl Strategy<Value = (usize, Vec<bool>)> {
    (1..24_usize, 1..24_usize, 0.0..1.0_f64).prop_flat_map(|(width, height, share)| {
        let cells =
            prop::collection::vec(prop::bool::weighted(share * share * share), width * height);
        (Just(width), cells)
    })
}

/// Squared distance to the nearest source by looking at all of them.
fn brute_force(width: usize, sources: &[bool], index: usize) -> Option<usize> {
    let (row, col) = (index / width, index % width);
    let near = sources.iter().enumerate().filter(|&(_, &source)| source);
    near.map(|(source, _)| {
        let (rows, cols) = (
            (source / width).abs_diff(row),
            (source % width).abs_diff(col),
        );
        rows * rows + cols * cols
    })
    .min()
}

proptest! {
    #[test]
    fn distances_equal_brute_force((width, sources) in sources(), reach in 0..30_u32) {
        let mut workspace = distance::Workspace::default();
        for reach in [reach, u32::MAX] {
            let height = sources.len() / width;
            let squared = squared_distances(width, height, |i| sources[i], reach, &mut workspace);
            for (index, &squared) in squared.iter().enumerate() {
                let limit = u64::from(reach) * u64::from(reach);
                let expected = match brute_force(width, &sources, index) {
                    Some(nearest) if nearest as u64 <= limit => nearest as u32,
                    _ => FAR,
                };
                prop_assert_eq!(squared, expected, "cell {} of width {}", index, width);
            }
        }
    }

    #[test]
    fn inflated_costs_equal_the_formula(
        (width, sources) in sources(),
        old in prop::collection::vec(prop::sample::select(vec![0_u8, 1, 100, 252, 253, 255]), 24 * 24),
        radius_m in 0.0..0.4_f64,
        inflation_radius_m in 0.0..0.9_f64,
        scaling in 0.0..20.0_f64,
    ) {
        let resolution = 0.05;
        let height = sources.len() / width;
        let geometry = Geometry::new(width, height, resolution, Pose2::default()).expect("good");
        let costs = sources.iter().zip(&old);
        let costs = costs.map(|(&lethal, &old)| if lethal { Cost::LETHAL } else { Cost(old) });
        let costmap = Costmap::new(geometry, costs.collect()).expect("good");
        let inflation = Inflation::new(radius_m, inflation_radius_m, scaling).expect("good");
        let inflated = inflate(&costmap, &inflation, &mut Workspace::default());

        let reach = (inflation_radius_m.max(radius_m) / resolution).ceil();
        for (index, (&old, &new)) in costmap.costs().iter().zip(inflated.costs()).enumerate() {
            let cells = brute_force(width, &sources, index).map(|squared| (squared as f64).sqrt());
            let near = match cells {
                Some(cells) if cells <= reach => nav2_cost(cells * resolution, radius_m, scaling),
                _ => 0,
            };
            let expected = match old {
                Cost::UNKNOWN if near >= 253 => near,
                Cost::UNKNOWN => 255,
                Cost(old) => old.max(near),
            };
            prop_assert_eq!(new, Cost(expected), "cell {} of width {}", index, width);
        }
    }
}

/// `InflationLayer::computeCost` of Nav2.
fn nav2_cost(distance_m: f64, inscribed_m: f64, scaling: f64) -> u8 {
    if distance_m == 0.0 {
        254
    } else if distance_m <= inscribed_m {
        253
    } else {
        (252.0 * (-scaling * (distance_m - inscribed_m)).exp()) as u8
    }
}

fn inflated(art: &str, inflation: &Inflation) -> Vec<u8> {
    let inflated = inflate(
        &crate::common::costmap(art),
        inflation,
        &mut Workspace::default(),
    );
    inflated.costs().iter().map(|cost| cost.0).collect()
}

#[test]
fn costs_fall_with_the_distance_and_end_at_the_inflation_radius() {
    // Unit cells: inscribed up to 1 m, a factor e per metre beyond, nothing beyond 3 m.
    let inflation = Inflation::new(1.0, 3.0, 1.0).expect("good");
    assert_eq!(inflated("#......", &inflation), [254, 253, 92, 34, 0, 0, 0]);
}

#[test]
fn the_inflation_radius_is_rounded_up_to_whole_cells() {
    let inflation = Inflation::new(1.0, 2.1, 1.0).expect("good");
    assert_eq!(inflation.reach_cells(1.0), 3);
    assert_eq!(inflated("#......", &inflation), [254, 253, 92, 34, 0, 0, 0]);
}

#[test]
fn unknown_cells_stay_unknown_unless_the_robot_would_touch_an_obstacle() {
    let inflation = Inflation::new(1.0, 3.0, 1.0).expect("good");
    assert_eq!(inflated("#???.", &inflation), [254, 253, 255, 255, 0]);
}

#[test]
fn a_small_inflation_radius_never_hides_the_robot() {
    let inflation = Inflation::new(2.0, 0.0, 1.0).expect("good");
    assert_eq!(inflated("#....", &inflation), [254, 253, 253, 0, 0]);
}

#[test]
fn only_lethal_cells_inflate() {
    let inflation = Inflation::new(3.0, 3.0, 1.0).expect("good");
    assert_eq!(inflated("..?..", &inflation), [0, 0, 255, 0, 0]);
    let geometry = Geometry::unit(3, 1).expect("good");
    let costs = vec![Cost::INSCRIBED, Cost::FREE, Cost::FREE];
    let costmap = Costmap::new(geometry, costs).expect("good");
    assert_eq!(
        inflate(&costmap, &inflation, &mut Workspace::default()),
        costmap
    );
}

#[test]
fn a_workspace_serves_grids_of_any_size_in_turn() {
    let inflation = Inflation::new(1.0, 2.0, 1.0).expect("good");
    let mut workspace = Workspace::default();
    for art in ["#...\n....\n...#", "#", "......#", "#\n.\n.", "..\n.."] {
        let costmap = crate::common::costmap(art);
        let fresh = inflate(&costmap, &inflation, &mut Workspace::default());
        assert_eq!(
            inflate(&costmap, &inflation, &mut workspace),
            fresh,
            "{art}"
        );
    }
}

#[test]
fn distances_stay_exact_on_very_long_grids() {
    let width = 70_000;
    let mut workspace = distance::Workspace::default();
    let squared = squared_distances(width, 1, |index| index == 0, u32::MAX, &mut workspace);
    assert_eq!(squared[46_341], 46_341 * 46_341);
    assert_eq!(squared[MAX_REACH as usize], MAX_REACH * MAX_REACH);
    assert_eq!(squared[MAX_REACH as usize + 1], FAR);
    assert!(squared_distances(0, 5, |_| true, 1, &mut workspace).is_empty());
}

#[test]
fn huge_radii_are_limited_to_the_grid() {
    let inflation = Inflation::new(1e12, 1e300, 1.0).expect("good");
    let geometry = Geometry::new(1200, 2, 1e-3, Pose2::default()).expect("good");
    let mut costmap = Costmap::filled(geometry, Cost::FREE);
    costmap.costs_mut()[0] = Cost::LETHAL;
    let inflated = inflate(&costmap, &inflation, &mut Workspace::default());
    assert!(
        inflated.costs()[1..]
            .iter()
            .all(|&cost| cost == Cost::INSCRIBED)
    );
}

#[test]
fn parameters_are_finite_and_not_negative() {
    for bad in [-0.1, f64::NAN, f64::INFINITY] {
        for parameters in [[bad, 0.5, 1.0], [0.2, bad, 1.0], [0.2, 0.5, bad]] {
            let [radius, inflation_radius, scaling] = parameters;
            let made = Inflation::new(radius, inflation_radius, scaling);
            assert!(
                matches!(made, Err(Error::Inflation { .. })),
                "{parameters:?}"
            );
        }
    }
}
