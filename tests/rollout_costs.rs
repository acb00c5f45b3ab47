//! The travel cost of every cell's rollout, found for all cells at once, is that of following it.

mod common;

use common::costmap;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry};
use hrm_planner::judge::path_cost;
use hrm_planner::planner::Policy;
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
        let costs = policy.costs_to_go(&map, &rules, goal);
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
    let costs = policy.costs_to_go(&map, &rules, Cell::new(1, 2));
    assert_eq!(costs[3..], [2.0, 1.0, 0.0]);
    let costs = policy.costs_to_go(&map, &rules, Cell::new(1, 0));
    assert!(costs[4].is_infinite());
}
