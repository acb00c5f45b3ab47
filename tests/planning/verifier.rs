//! The verifier names everything that is wrong with a path, and finds whatever is.

use crate::common::costmap;
use crate::common::planning::{self, centre, point_robot};
use hrm_planner::grid::generate::{Kind, Problem, problem};
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Pose2};
use hrm_planner::planner::{
    Expected, PlannerConfig, Request, Snapshot, Violation, ViolationKind, verify,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn robot_of(robot_radius: f64) -> PlannerConfig {
    PlannerConfig {
        robot_radius,
        ..point_robot()
    }
}

fn snapshot(art: &str) -> Snapshot {
    planning::snapshot(costmap(art), &point_robot())
}

/// Poses from (x, y).
fn path(points: &[(f64, f64)]) -> Vec<Pose2> {
    points.iter().map(|&(x, y)| Pose2::new(x, y, 0.0)).collect()
}

fn kinds(violations: &[Violation]) -> Vec<ViolationKind> {
    violations.iter().map(|violation| violation.kind).collect()
}

/// What is wrong with a path that need not begin or end anywhere.
fn wrong(snapshot: &Snapshot, points: &[(f64, f64)]) -> Vec<ViolationKind> {
    kinds(&verify(snapshot, &path(points), &Expected::default()))
}

const OPEN: &str = "
    ....
    ....
    ....";

#[test]
fn a_good_path_has_no_violation() {
    let snapshot = snapshot(OPEN);
    let poses = path(&[(0.5, 0.5), (1.5, 1.5), (2.5, 1.5), (3.1, 1.9)]);
    let expected = Expected {
        start: Some(poses[0]),
        goal: Some(poses[3]),
        tolerance_m: 0.0,
    };
    assert_eq!(verify(&snapshot, &poses, &expected), []);
}

#[test]
fn no_poses_are_empty() {
    assert_eq!(wrong(&snapshot(OPEN), &[]), [ViolationKind::Empty]);
}

#[test]
fn numbers_must_be_finite() {
    let snapshot = snapshot(OPEN);
    for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let points = [(0.5, 0.5), (broken, 0.5), (1.5, 0.5)];
        assert_eq!(wrong(&snapshot, &points), [ViolationKind::NotFinite]);
        let poses = [Pose2::new(0.5, 0.5, broken)];
        let found = verify(&snapshot, &poses, &Expected::default());
        assert_eq!(kinds(&found), [ViolationKind::NotFinite]);
    }
}

#[test]
fn a_path_must_stay_on_the_map() {
    let snapshot = snapshot(OPEN);
    let points = [(3.5, 0.5), (4.5, 0.5), (3.5, 0.6)];
    let found = verify(&snapshot, &path(&points), &Expected::default());
    assert_eq!(kinds(&found), [ViolationKind::Outside]);
    assert_eq!((found[0].index, found[0].x, found[0].y), (1, 4.5, 0.5));
    assert_eq!(wrong(&snapshot, &[(1e300, 0.0)]), [ViolationKind::Outside]);
}

#[test]
fn steps_are_at_most_a_diagonal() {
    let snapshot = snapshot(OPEN);
    assert_eq!(wrong(&snapshot, &[(0.5, 0.5), (1.5, 1.5)]), []);
    let found = verify(
        &snapshot,
        &path(&[(0.5, 0.5), (1.0, 0.5), (2.6, 0.5)]),
        &Expected::default(),
    );
    assert_eq!(kinds(&found), [ViolationKind::Discontinuity]);
    assert_eq!(found[0].index, 1);
}

#[test]
fn the_first_pose_is_the_start_exactly() {
    let snapshot = snapshot(OPEN);
    let poses = path(&[(0.5, 0.5), (1.5, 0.5)]);
    for start in [
        Pose2::new(0.5, 0.500_000_1, 0.0),
        Pose2::new(0.5, 0.5, 1e-9),
    ] {
        let expected = Expected {
            start: Some(start),
            ..Expected::default()
        };
        assert_eq!(
            kinds(&verify(&snapshot, &poses, &expected)),
            [ViolationKind::WrongStart]
        );
    }
}

#[test]
fn the_last_pose_is_the_goal_or_within_the_tolerance() {
    let snapshot = snapshot(OPEN);
    let poses = path(&[(0.5, 0.5), (1.5, 0.5)]);
    let found = |tolerance_m| {
        let expected = Expected {
            goal: Some(Pose2::new(1.5, 0.9, 0.0)),
            tolerance_m,
            ..Expected::default()
        };
        kinds(&verify(&snapshot, &poses, &expected))
    };
    assert_eq!(found(0.0), [ViolationKind::WrongGoal]);
    assert_eq!(found(0.39), [ViolationKind::WrongGoal]);
    assert_eq!(found(0.41), []);
}

#[test]
fn obstacles_are_lethal_also_between_poses() {
    let snapshot = snapshot(".#.");
    // Both poses are free, the cell between them is not: this step is too long as well.
    let found = wrong(&snapshot, &[(0.9, 0.5), (2.1, 0.5)]);
    assert_eq!(found, [ViolationKind::Lethal]);
}

#[test]
fn a_corner_of_an_obstacle_that_is_only_grazed_counts() {
    let art = "
        #..
        ...";
    // From below left past the corner at (1, 1): a twentieth of a cell inside the obstacle.
    let inside = [(0.5, 0.6), (1.4, 1.4)];
    assert_eq!(wrong(&snapshot(art), &inside), [ViolationKind::Lethal]);
    let beside = [(0.5, 0.4), (1.4, 1.4)];
    assert_eq!(wrong(&snapshot(art), &beside), []);
}

#[test]
fn diagonals_between_blocked_cells_are_corner_cuts() {
    let through = [(0.5, 0.5), (1.5, 1.5)];
    for art in ["#.\n..", "..\n.#", "#.\n.#"] {
        let found = wrong(&snapshot(art), &through);
        assert!(!found.is_empty());
        assert!(
            found.iter().all(|&kind| kind == ViolationKind::CornerCut),
            "{art}"
        );
    }
    assert_eq!(wrong(&snapshot("..\n.."), &through), []);
}

#[test]
fn cells_that_the_robot_does_not_fit_in_are_inscribed() {
    let snapshot = Snapshot::new(costmap("......#"), &robot_of(1.0)).unwrap();
    let points = [(3.5, 0.5), (4.5, 0.5), (5.5, 0.5)];
    assert_eq!(wrong(&snapshot, &points), [ViolationKind::Inscribed]);
}

#[test]
fn unknown_cells_count_unless_allowed() {
    let points = [(0.5, 0.5), (1.5, 0.5), (2.5, 0.5)];
    assert_eq!(wrong(&snapshot(".?."), &points), [ViolationKind::Unknown]);
    let config = PlannerConfig {
        allow_unknown: true,
        ..point_robot()
    };
    let snapshot = Snapshot::new(costmap(".?."), &config).unwrap();
    assert_eq!(wrong(&snapshot, &points), []);
}

#[test]
fn the_robots_own_surroundings_may_be_left_but_not_entered_from_elsewhere() {
    let snapshot = Snapshot::new(costmap("#......"), &robot_of(2.0)).unwrap();
    let leaving = path(&[(1.5, 0.5), (2.5, 0.5), (3.5, 0.5), (4.5, 0.5)]);
    assert_eq!(verify(&snapshot, &leaving, &Expected::default()), []);
    let entering = [(5.5, 0.5), (4.5, 0.5), (3.5, 0.5), (2.5, 0.5), (1.5, 0.5)];
    assert_eq!(wrong(&snapshot, &entering), [ViolationKind::Inscribed; 2]);
    // Nor may a path end there, even where it began.
    let found = kinds(&verify(&snapshot, &leaving[..1], &Expected::default()));
    assert_eq!(found, [ViolationKind::Inscribed]);
}

#[test]
fn a_violation_is_reported_where_it_is() {
    let snapshot = snapshot("...#.");
    let points = [(0.5, 0.5), (1.5, 0.5), (2.5, 0.5), (3.5, 0.5), (4.5, 0.5)];
    let found = verify(&snapshot, &path(&points), &Expected::default());
    let expected = Violation {
        kind: ViolationKind::Lethal,
        index: 2,
        x: 3.5,
        y: 0.5,
    };
    assert_eq!(found, [expected]);
    let json = serde_json::to_value(found).unwrap();
    assert_eq!(json[0]["kind"], "lethal");
}

#[test]
fn kinds_are_named_as_in_reports() {
    for kind in [
        ViolationKind::Empty,
        ViolationKind::NotFinite,
        ViolationKind::Outside,
        ViolationKind::Discontinuity,
        ViolationKind::WrongStart,
        ViolationKind::WrongGoal,
        ViolationKind::Lethal,
        ViolationKind::Inscribed,
        ViolationKind::Unknown,
        ViolationKind::CornerCut,
    ] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

/// A plan on a generated map, turned and shifted.
fn planned(seed: u64) -> (Snapshot, Vec<Pose2>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let Problem { map, start, goal } = problem(Kind::ALL[seed as usize % 6], 24, 30, &mut rng);
    let map = Geometry::new(30, 24, 0.1, Pose2::new(-3.0, 40.0, 0.7))
        .and_then(|geometry| Costmap::new(geometry, map.costs().to_vec()))
        .expect("the same cells elsewhere");
    let request = Request::new(centre(&map, start), centre(&map, goal));
    let snapshot = planning::snapshot(map, &point_robot());
    let outcome = planning::plan(&snapshot, &point_robot(), None, &request);
    let plan = outcome.plan.expect("start and goal reach each other");
    (snapshot, plan.poses)
}

/// One way to spoil a plan; places are shares of its length.
#[derive(Debug, Clone)]
enum Mutation {
    Move { place: f64, dx: f64, dy: f64 },
    Remove { place: f64, count: usize },
    Swap { place: f64, other: f64 },
    Repeat { place: f64, other: f64 },
    Break { place: f64, with: f64 },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let share = 0.0..1.0;
    let shift = -0.3..0.3;
    prop_oneof![
        4 => (share.clone(), shift.clone(), shift)
            .prop_map(|(place, dx, dy)| Mutation::Move { place, dx, dy }),
        2 => (share.clone(), 1..6_usize).prop_map(|(place, count)| Mutation::Remove { place, count }),
        1 => (share.clone(), share.clone()).prop_map(|(place, other)| Mutation::Swap { place, other }),
        1 => (share.clone(), share.clone())
            .prop_map(|(place, other)| Mutation::Repeat { place, other }),
        1 => (share, prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e300)])
            .prop_map(|(place, with)| Mutation::Break { place, with }),
    ]
}

fn apply(mutation: &Mutation, poses: &mut Vec<Pose2>) {
    if poses.is_empty() {
        return;
    }
    let count = poses.len();
    let at = |share: f64| (share * count as f64) as usize;
    match *mutation {
        Mutation::Move { place, dx, dy } => {
            poses[at(place)].x += dx;
            poses[at(place)].y += dy;
        }
        Mutation::Remove { place, count } => {
            let first = at(place);
            let end = (first + count).min(poses.len());
            poses.drain(first..end);
        }
        Mutation::Swap { place, other } => poses.swap(at(place), at(other)),
        Mutation::Repeat { place, other } => {
            let pose = poses[at(other)];
            poses.insert(at(place), pose);
        }
        Mutation::Break { place, with } => poses[at(place)].x = with,
    }
}

/// Whether a path may not be driven, by looking at a thousand points between any two poses.
fn is_bad(snapshot: &Snapshot, poses: &[Pose2], start: &Pose2, goal: &Pose2) -> bool {
    let (Some(first), Some(last)) = (poses.first(), poses.last()) else {
        return true;
    };
    let is_blocked = |x: f64, y: f64| {
        let cell = snapshot.geometry().world_to_cell(x, y);
        cell.is_none_or(|cell| !snapshot.inflated().cost(cell).is_traversable(false))
    };
    let longest = snapshot.geometry().resolution() * 1.415;
    let step_is_bad = |pair: &[Pose2]| {
        pair[0].distance(&pair[1]) > longest
            || (0..=1000).any(|step| {
                let t = f64::from(step) / 1000.0;
                let x = pair[0].x + t * (pair[1].x - pair[0].x);
                is_blocked(x, pair[0].y + t * (pair[1].y - pair[0].y))
            })
    };
    first != start
        || last != goal
        || poses
            .iter()
            .any(|pose| !pose.is_finite() || is_blocked(pose.x, pose.y))
        || poses.windows(2).any(step_is_bad)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn spoilt_plans_are_found_out(
        seed in 0..60_u64,
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let (snapshot, plan) = planned(seed);
        let (start, goal) = (plan[0], plan[plan.len() - 1]);
        let expected = Expected { start: Some(start), goal: Some(goal), tolerance_m: 0.0 };
        prop_assert_eq!(verify(&snapshot, &plan, &expected), []);
        prop_assert!(!is_bad(&snapshot, &plan, &start, &goal));

        let mut spoilt = plan;
        for mutation in &mutations {
            apply(mutation, &mut spoilt);
        }
        if is_bad(&snapshot, &spoilt, &start, &goal) {
            prop_assert!(!verify(&snapshot, &spoilt, &expected).is_empty());
        }
    }

    #[test]
    fn an_obstacle_that_appears_on_a_plan_is_found(seed in 0..60_u64, place in 0.0..1.0_f64) {
        let (snapshot, plan) = planned(seed);
        let pose = plan[(place * plan.len() as f64) as usize];
        let cell = snapshot.geometry().world_to_cell(pose.x, pose.y).unwrap();
        let mut map = snapshot.raw().clone();
        map.set(cell, Cost::LETHAL);
        let changed = Snapshot::new(map, &point_robot()).unwrap();
        let found = verify(&changed, &plan, &Expected::default());
        prop_assert!(kinds(&found).contains(&ViolationKind::Lethal));
    }
}

#[test]
fn a_path_along_a_wall_is_not_in_it() {
    // Borders belong to the cell above and right of them.
    let art = "
        ....
        ####";
    assert_eq!(
        wrong(&snapshot(art), &[(0.2, 1.0), (1.2, 1.0), (2.0, 1.0)]),
        []
    );
    let cell = snapshot(art).geometry().world_to_cell(2.0, 1.0);
    assert_eq!(cell, Some(Cell::new(1, 2)));
}
