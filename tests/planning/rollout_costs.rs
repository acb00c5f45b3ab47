//! The travel cost of every cell's rollout, found for all cells at once, is that of following it.

use crate::common::costmap;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::judge::path_cost;
use hrm_planner::planner::{MOST_EVADED, Policy};
use hrm_planner::search::Rules;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[test]
fn costs_of_all_rollouts_are_those_of_following_each() {
    let mut dice = ChaCha8Rng::seed_from_u64(9);
    let rules = Rules::new(2.0, false).expect("a weight in range");
    let (mut arrive, mut fail) = (0, 0);
    for _ in 0..60 {
        let geometry = Geometry::unit(9, 7).expect("a small grid");
        let mut map = Costmap::filled(geometry, Cost::FREE);
        for index in 0..geometry.cells() {
            let cost = [0, 0, 60, 200, 254][dice.random_range(0..5)];
            map.set(geometry.cell(index), Cost(cost));
        }
        let goal = Cell::new(3, 4);
        map.set(goal, Cost::FREE);
        // Pulled towards the goal, with noise: some rollouts arrive, some run in circles.
        let logits: Vec<f32> = (0..geometry.cells() * 8)
            .map(|place| {
                let (cell, mv) = (geometry.cell(place / 8), place % 8);
                let mv = hrm_planner::grid::Move::from_index(mv);
                let nearer = geometry.neighbour(cell, mv).map_or(-9.0, |next| {
                    cell.octile_distance(goal) - next.octile_distance(goal)
                });
                nearer as f32 + dice.random_range(-0.6..0.6)
            })
            .collect();
        let policy = Policy::new(&map, &logits, &rules);
        let costs = policy.costs_to_go(goal);
        for (index, &cost) in costs.iter().enumerate() {
            let rollout = policy.rollout(geometry.cell(index), goal);
            if rollout.arrived {
                arrive += 1;
                let followed = path_cost(&map, &rules, &rollout.cells).expect("legal moves");
                assert!((cost - followed).abs() < 1e-9 * (1.0 + followed));
            } else {
                fail += 1;
                assert!(cost.is_infinite());
            }
        }
    }
    assert!(arrive > 500 && fail > 500, "{arrive} arrive, {fail} do not");
}

#[test]
fn a_circle_and_a_dead_end_never_arrive() {
    let map = costmap("...\n.#.\n");
    // East everywhere: the right column has no such move.
    let east: Vec<f32> = [1.0, -9.0, 0.0, -9.0, -9.0, -9.0, -9.0, -9.0].repeat(6);
    let rules = Rules::shortest();
    let policy = Policy::new(&map, &east, &rules);
    let costs = policy.costs_to_go(Cell::new(1, 2));
    assert_eq!(costs[3..], [2.0, 1.0, 0.0]);
    let costs = policy.costs_to_go(Cell::new(1, 0));
    assert!(costs[4].is_infinite());
}

#[test]
fn an_evading_rollout_goes_on_where_two_cells_point_at_each_other() {
    let map = costmap(".....\n");
    // East by 1 to west by 0, but the cell in the middle would rather go back.
    let east = [1.0, -9.0, -9.0, -9.0, 0.0, -9.0, -9.0, -9.0];
    let west = [0.0, -9.0, -9.0, -9.0, 1.0, -9.0, -9.0, -9.0];
    let logits = [east, east, west, east, east].concat();
    let rules = Rules::shortest();
    let policy = Policy::new(&map, &logits, &rules);
    let (start, goal) = (Cell::new(0, 0), Cell::new(0, 4));
    let plain = policy.rollout(start, goal);
    assert!(!plain.arrived);
    assert_eq!(plain.cells.len(), 3);
    let evading = policy.evading_rollout(start, goal);
    assert!(evading.arrived);
    assert_eq!(evading.cells.len(), 5);
}

#[test]
fn an_evading_rollout_ends_in_a_dead_end_and_when_it_is_lost() {
    let rules = Rules::shortest();
    let west = [0.0, -9.0, -9.0, -9.0, 1.0, -9.0, -9.0, -9.0];
    let east = [1.0, -9.0, -9.0, -9.0, 0.0, -9.0, -9.0, -9.0];
    // Into the dead end on the left, from which every way back was gone before.
    let map = costmap("....\n");
    let logits = west.repeat(4);
    let rollout =
        Policy::new(&map, &logits, &rules).evading_rollout(Cell::new(0, 1), Cell::new(0, 3));
    assert!(!rollout.arrived);
    assert_eq!(rollout.cells, [Cell::new(0, 1), Cell::new(0, 0)]);
    // A corridor in which every cell but the first would rather go back, at 1 nat each.
    let most = MOST_EVADED as usize;
    let map = costmap(&format!("{}\n", ".".repeat(most + 10)));
    let logits = [east.to_vec(), west.repeat(most + 9)].concat();
    let policy = Policy::new(&map, &logits, &rules);
    let (start, near, far) = (
        Cell::new(0, 0),
        Cell::new(0, most + 1),
        Cell::new(0, most + 2),
    );
    assert!(policy.evading_rollout(start, near).arrived);
    assert!(!policy.evading_rollout(start, far).arrived);
}
