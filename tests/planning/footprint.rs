//! Robots that are not round: nothing may be under their outline at any pose.

use crate::common::planning::{self, at, point_robot};
use hrm_planner::Error;
use hrm_planner::grid::{Cost, Costmap, Geometry, Pose2};
use hrm_planner::planner::{
    Expected, Footprint, NavError, Outcome, PlannerConfig, Request, Snapshot, ViolationKind, verify,
};

/// A carriage of 1.6 x 0.6 m.
const CARRIAGE: &str = "[[0.8, 0.3], [0.8, -0.3], [-0.8, -0.3], [-0.8, 0.3]]";

fn config(footprint: &str) -> PlannerConfig {
    PlannerConfig {
        footprint: footprint.parse().expect("an outline"),
        inflation_radius: 1.0,
        cost_scaling_factor: 3.0,
        ..point_robot()
    }
}

/// 8 x 8 m of cells of 0.1 m with a wall across the middle, 0.4 m thick, and a door in it.
fn hall(door_cells: usize) -> Costmap {
    let geometry = Geometry::new(80, 80, 0.1, at(0.0, 0.0)).expect("a grid");
    let mut map = Costmap::filled(geometry, Cost::FREE);
    for (index, cost) in map.costs_mut().iter_mut().enumerate() {
        let (row, col) = (index / 80, index % 80);
        let is_door = (20..20 + door_cells).contains(&col);
        if (38..42).contains(&row) && !is_door {
            *cost = Cost::LETHAL;
        }
    }
    map
}

fn ask(map: Costmap, footprint: &str, (start, goal): (Pose2, Pose2)) -> (Snapshot, Outcome) {
    let config = config(footprint);
    let snapshot = planning::snapshot(map, &config);
    let outcome = planning::plan(&snapshot, &config, None, &Request::new(start, goal));
    if let Some(plan) = &outcome.plan {
        let expected = planning::connecting(start, goal);
        assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
    }
    (snapshot, outcome)
}

/// From one side of the wall to the other, heading north.
fn ends() -> (Pose2, Pose2) {
    let north = std::f64::consts::FRAC_PI_2;
    (Pose2::new(6.0, 1.5, north), Pose2::new(6.0, 6.5, north))
}

#[test]
fn an_outline_is_read_as_nav2_writes_it() {
    let carriage: Footprint = CARRIAGE.parse().unwrap();
    assert!((carriage.inscribed_radius() - 0.3).abs() < 1e-12);
    assert!((carriage.circumscribed_radius() - 0.8_f64.hypot(0.3)).abs() < 1e-12);
    assert_eq!(carriage.to_string().parse::<Footprint>().unwrap(), carriage);
    for none in ["", "[]", " [ ] "] {
        assert!(none.parse::<Footprint>().unwrap().is_none());
    }
    for bad in [
        "[[1, 1], [1, -1]]",
        "[[1, 1], [2, 1], [2, 2]]",
        "[[0.3, 0.2], [0.3, -0.2], [-1e9, 0]]",
        "[1, 2, 3]",
        "circle",
    ] {
        let error = bad.parse::<Footprint>().unwrap_err();
        assert!(matches!(error, Error::Footprint { .. }), "{bad}: {error}");
        assert!(error.to_string().contains("corners in order"), "{error}");
    }
}

#[test]
fn its_inscribed_circle_takes_the_place_of_the_radius() {
    let config = config(CARRIAGE);
    assert!((config.radius() - 0.3).abs() < 1e-12);
    let snapshot = planning::snapshot(hall(10), &config);
    assert!((snapshot.robot_radius_m() - 0.3).abs() < 1e-12);
    assert!(point_robot().radius().abs() < 1e-12);
}

#[test]
fn the_verifier_sees_what_sticks_out_of_the_circle() {
    let config = config(CARRIAGE);
    let snapshot = planning::snapshot(hall(10), &config);
    // 0.5 m south of the wall: clear of it when it drives along, not when it turns towards it.
    let along: Vec<Pose2> = (0..20).map(|i| at(4.0 + 0.1 * f64::from(i), 3.3)).collect();
    let expected = Expected::default();
    assert_eq!(verify(&snapshot, &along, &expected), []);
    let mut turned = along;
    turned[10].yaw = 1.5;
    let violations = verify(&snapshot, &turned, &expected);
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].kind, ViolationKind::Footprint);
    assert_eq!(violations[0].index, 10);
    assert!(violations[0].y > 3.8 && violations[0].y < 4.2);
    // Where it stands is where it stands: it may leave, whatever is under it now.
    turned.drain(..10);
    assert_eq!(verify(&snapshot, &turned, &expected), []);
}

#[test]
fn it_goes_through_a_narrow_door_lengthwise() {
    // 0.9 m: no place for its circumscribed circle of 1.7 m.
    let (_, outcome) = ask(hall(9), CARRIAGE, ends());
    let plan = outcome.plan.expect("a plan through the door");
    let in_door = plan.poses.iter().find(|pose| (pose.y - 4.0).abs() < 0.06);
    let pose = in_door.expect("it passes the wall");
    assert!((pose.yaw.sin().abs()) > 0.9, "{pose:?}");
}

#[test]
fn it_does_not_go_where_it_would_not_fit() {
    // Too narrow for the 0.6 m that it is wide.
    let (_, outcome) = ask(hall(5), CARRIAGE, ends());
    assert_eq!(outcome.error, Some(NavError::NoValidPath));
    // A round robot of its inscribed circle is as wide.
    let round = PlannerConfig {
        robot_radius: 0.3,
        ..config("[]")
    };
    let snapshot = planning::snapshot(hall(9), &round);
    let (start, goal) = ends();
    let request = Request::new(start, goal);
    assert!(
        planning::plan(&snapshot, &round, None, &request)
            .plan
            .is_some()
    );
}

#[test]
fn a_goal_at_which_it_would_touch_is_occupied_at_that_heading() {
    let (start, _) = ends();
    let beside_the_wall = Pose2::new(4.0, 3.05, 0.0);
    let (_, outcome) = ask(hall(9), CARRIAGE, (start, beside_the_wall));
    assert!(outcome.plan.is_some());
    let across = Pose2::new(4.0, 3.05, 1.5);
    let (_, outcome) = ask(hall(9), CARRIAGE, (start, across));
    assert_eq!(outcome.error, Some(NavError::GoalOccupied));
    assert!(outcome.message.contains("footprint"), "{}", outcome.message);
}

/// Without costs the way cuts around the wall's end as near as the inscribed circle allows, and the
/// carriage's corners would brush it.
#[test]
fn a_way_that_brushes_a_corner_is_made_anew_with_room_for_it() {
    let geometry = Geometry::new(80, 80, 0.1, at(0.0, 0.0)).unwrap();
    let mut map = Costmap::filled(geometry, Cost::FREE);
    for (index, cost) in map.costs_mut().iter_mut().enumerate() {
        let (row, col) = (index / 80, index % 80);
        if (38..42).contains(&row) && col < 40 {
            *cost = Cost::LETHAL;
        }
    }
    let near = PlannerConfig {
        cost_weight: 0.0,
        ..config(CARRIAGE)
    };
    let (start, goal) = (at(2.0, 2.0), Pose2::new(2.0, 6.0, std::f64::consts::PI));
    let request = Request::new(start, goal);
    let round = PlannerConfig {
        footprint: Footprint::default(),
        robot_radius: 0.3,
        ..near.clone()
    };
    let snapshot = planning::snapshot(map.clone(), &round);
    let circle = planning::plan(&snapshot, &round, None, &request);
    let circle = circle.plan.expect("a plan for the circle");
    let snapshot = planning::snapshot(map, &near);
    let expected = planning::connecting(start, goal);
    let violations = verify(&snapshot, &circle.poses, &expected);
    assert!(!violations.is_empty(), "the test tests nothing");
    assert!(
        violations
            .iter()
            .all(|v| v.kind == ViolationKind::Footprint)
    );
    let outcome = planning::plan(&snapshot, &near, None, &request);
    let plan = outcome.plan.expect("a plan for the carriage");
    assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
    let longer = plan.length_m / circle.length_m;
    assert!((0.95..1.2).contains(&longer), "{longer}: {:?}", plan.cells);
}
