//! Corners become arcs where there is room, and the report says how tight the tightest turn is.

use crate::common::costmap;
use crate::common::planning::{self, at, point_robot};
use hrm_planner::grid::{Cost, Costmap, Geometry, Pose2};
use hrm_planner::planner::{Outcome, PlannerConfig, Request, verify};

fn ask(map: Costmap, turning_radius: f64, (start, goal): (Pose2, Pose2)) -> Outcome {
    let config = PlannerConfig {
        turning_radius,
        cost_weight: 10.0,
        ..point_robot()
    };
    let snapshot = planning::snapshot(map, &config);
    let outcome = planning::plan(&snapshot, &config, None, &Request::new(start, goal));
    let expected = planning::connecting(start, goal);
    let plan = outcome.plan.as_ref().expect("a plan");
    assert_eq!(verify(&snapshot, &plan.poses, &expected), []);
    outcome
}

/// 40 x 40 cells of 1 m with a wall from the west that the plan must go around, and cells of this
/// cost along it, so that the plan keeps away from its end.
fn around_a_wall(cost: u8) -> Costmap {
    let mut map = Costmap::filled(Geometry::unit(40, 40).expect("a grid"), Cost::FREE);
    for (index, cell) in map.costs_mut().iter_mut().enumerate() {
        let (row, col) = (index / 40, index % 40);
        if row == 20 && col < 20 {
            *cell = Cost::LETHAL;
        } else if row.abs_diff(20) <= 5 && col < 25 {
            *cell = Cost(cost);
        }
    }
    map
}

const ENDS: (Pose2, Pose2) = (Pose2::new(2.5, 5.5, 0.0), Pose2::new(2.5, 35.5, 0.0));

/// The tightest turn of the line through some poses: half the step over the sine of half the turn.
fn tightest(poses: &[Pose2]) -> f64 {
    let turns = poses.windows(3).map(|three| {
        let heading = |a: &Pose2, b: &Pose2| (b.y - a.y).atan2(b.x - a.x);
        let turn = heading(&three[1], &three[2]) - heading(&three[0], &three[1]);
        let turn = turn.sin().atan2(turn.cos()).abs();
        let step = three[0]
            .distance(&three[1])
            .max(three[1].distance(&three[2]));
        if turn < 1e-6 {
            f64::INFINITY
        } else {
            step / 2.0 / (turn / 2.0).sin()
        }
    });
    turns.fold(f64::INFINITY, f64::min)
}

#[test]
fn where_there_is_room_turns_are_as_wide_as_asked_for() {
    let sharp = ask(around_a_wall(100), 0.0, ENDS);
    assert_eq!(sharp.report.tightest_turn_m, None);
    let sharp = tightest(&sharp.plan.unwrap().poses);
    let round = ask(around_a_wall(100), 3.0, ENDS);
    let said = round.report.tightest_turn_m.unwrap();
    assert!((said - 3.0).abs() < 1e-9, "{said}");
    let round = tightest(&round.plan.unwrap().poses);
    assert!(round > 2.9 && sharp < 2.0, "{round} and {sharp}");
}

#[test]
fn where_there_is_none_the_report_says_how_tight_it_is() {
    // A corridor, one cell wide, around a corner: from wall to wall there is room for 1.7 m.
    let map = "
        ..........
        #########.
        #########.
        #########.
    ";
    let outcome = ask(costmap(map), 3.0, (at(0.5, 3.5), at(9.5, 0.5)));
    let said = outcome.report.tightest_turn_m.unwrap();
    assert!((1.3..1.71).contains(&said), "{said}");
    assert!(outcome.plan.unwrap().length_m < 12.0);
}

#[test]
fn a_straight_line_has_no_turns() {
    let outcome = ask(costmap(&".".repeat(20)), 2.0, (at(0.5, 0.5), at(19.5, 0.5)));
    assert_eq!(outcome.report.tightest_turn_m, None);
    assert!((outcome.plan.unwrap().length_m - 19.0).abs() < 1e-9);
}
