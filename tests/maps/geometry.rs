//! Cells and metres convert exactly where they should: floor going in, the centre coming out.

use hrm_planner::Error;
use hrm_planner::grid::{Cell, Geometry, Move, Pose2};
use proptest::prelude::*;

/// Grids of unequal sides, any yaw, and one cell of each.
fn grid_and_cell() -> impl Strategy<Value = (Geometry, Cell)> {
    (
        1..300_usize,
        1..300_usize,
        0.01..2.0_f64,
        -1e3..1e3_f64,
        -1e3..1e3_f64,
        -7.0..7.0_f64,
    )
        .prop_flat_map(|(width, height, resolution, x, y, yaw)| {
            let geometry = Geometry::new(width, height, resolution, Pose2::new(x, y, yaw));
            let cell = (0..height, 0..width).prop_map(|(row, col)| Cell::new(row, col));
            (Just(geometry.expect("good")), cell)
        })
}

/// The world point at (u, v) cells from the grid's corner, along its own axes.
fn at(geometry: &Geometry, u: f64, v: f64) -> (f64, f64) {
    let origin = geometry.origin();
    let (sin, cos) = origin.yaw.sin_cos();
    let (u, v) = (u * geometry.resolution(), v * geometry.resolution());
    (origin.x + u * cos - v * sin, origin.y + u * sin + v * cos)
}

proptest! {
    #[test]
    fn a_cells_centre_is_in_that_cell((geometry, cell) in grid_and_cell()) {
        let (x, y) = geometry.cell_to_world(cell);
        prop_assert_eq!(geometry.world_to_cell(x, y), Some(cell));
    }

    #[test]
    fn every_point_of_a_cell_is_in_that_cell(
        (geometry, cell) in grid_and_cell(),
        du in 1e-6..1.0_f64 - 1e-6,
        dv in 1e-6..1.0_f64 - 1e-6,
    ) {
        let (x, y) = at(&geometry, cell.col as f64 + du, cell.row as f64 + dv);
        prop_assert_eq!(geometry.world_to_cell(x, y), Some(cell));
        let (cx, cy) = geometry.cell_to_world(cell);
        let half_diagonal = geometry.resolution() * std::f64::consts::FRAC_1_SQRT_2;
        prop_assert!((x - cx).hypot(y - cy) <= half_diagonal + 1e-9);
    }

    #[test]
    fn points_outside_the_grid_are_in_no_cell((geometry, _) in grid_and_cell(), along in 0.0..1.0_f64) {
        let (width, height) = (geometry.width() as f64, geometry.height() as f64);
        let (u, v) = (along * width, along * height);
        for (u, v) in [(-1e-6, v), (width + 1e-6, v), (u, -1e-6), (u, height + 1e-6)] {
            let (x, y) = at(&geometry, u, v);
            prop_assert_eq!(geometry.world_to_cell(x, y), None);
        }
    }

    #[test]
    fn index_and_cell_are_inverse((geometry, cell) in grid_and_cell()) {
        let index = geometry.index(cell);
        prop_assert!(index < geometry.cells());
        prop_assert_eq!(geometry.cell(index), cell);
    }

    #[test]
    fn a_move_and_its_opposite_lead_back((geometry, cell) in grid_and_cell()) {
        for mv in Move::ALL {
            if let Some(target) = geometry.neighbour(cell, mv) {
                prop_assert_eq!(geometry.neighbour(target, mv.opposite()), Some(cell));
            }
        }
    }
}

#[test]
fn borders_belong_to_the_cell_above_and_right() {
    let geometry = Geometry::new(4, 2, 0.5, Pose2::new(-1.0, 3.0, 0.0)).expect("good");
    assert_eq!(geometry.world_to_cell(-1.0, 3.0), Some(Cell::new(0, 0)));
    assert_eq!(geometry.world_to_cell(-0.5, 3.0), Some(Cell::new(0, 1)));
    assert_eq!(
        geometry.world_to_cell((-0.5_f64).next_down(), 3.5),
        Some(Cell::new(1, 0))
    );
    assert_eq!(
        geometry.world_to_cell(0.0, 3.5_f64.next_down()),
        Some(Cell::new(0, 2))
    );
    // The far borders belong to no cell of this grid, nor does anything below the near ones.
    assert_eq!(geometry.world_to_cell(1.0, 3.2), None);
    assert_eq!(geometry.world_to_cell(0.0, 4.0), None);
    assert_eq!(geometry.world_to_cell((-1.0_f64).next_down(), 3.2), None);
    assert_eq!(geometry.world_to_cell(0.0, 3.0_f64.next_down()), None);
}

#[test]
fn a_yawed_grid_turns_about_its_lower_left_corner() {
    let quarter = std::f64::consts::FRAC_PI_2;
    let geometry = Geometry::new(3, 2, 1.0, Pose2::new(10.0, 20.0, quarter)).expect("good");
    // Columns run along +y, rows along -x.
    let (x, y) = geometry.cell_to_world(Cell::new(1, 2));
    assert!((x - 8.5).abs() < 1e-12 && (y - 22.5).abs() < 1e-12);
    assert_eq!(geometry.world_to_cell(8.5, 22.5), Some(Cell::new(1, 2)));
    assert_eq!(geometry.world_to_cell(10.5, 20.5), None);
}

#[test]
fn points_that_are_not_finite_are_in_no_cell() {
    let geometry = Geometry::unit(2, 2).expect("good");
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(geometry.world_to_cell(bad, 0.5), None);
        assert_eq!(geometry.world_to_cell(0.5, bad), None);
    }
}

#[test]
fn bad_geometries_are_rejected_with_the_reason() {
    let made = |width, height, resolution, x| {
        Geometry::with_max_cells(width, height, resolution, Pose2::new(x, 0.0, 0.0), 100)
            .expect_err("a bad geometry")
    };
    assert!(matches!(
        made(0, 5, 1.0, 0.0),
        Error::EmptyGrid {
            width: 0,
            height: 5
        }
    ));
    assert!(matches!(made(5, 0, 1.0, 0.0), Error::EmptyGrid { .. }));
    assert!(matches!(
        made(11, 10, 1.0, 0.0),
        Error::TooManyCells { cells: 110, .. }
    ));
    assert!(matches!(
        made(usize::MAX, 2, 1.0, 0.0),
        Error::TooManyCells { .. }
    ));
    for resolution in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            made(1, 1, resolution, 0.0),
            Error::Resolution { .. }
        ));
    }
    for x in [f64::NAN, f64::INFINITY] {
        assert!(matches!(made(1, 1, 1.0, x), Error::Origin { .. }));
    }
}
