//! The judge's arithmetic.

mod common;

use common::costmap;
use hrm_planner::grid::Cell;
use hrm_planner::judge::{mean, path_cost, percentile};
use hrm_planner::search::Rules;

#[test]
fn percentiles_are_values_of_the_list() {
    let values = [3.0, 1.0, 4.0, 2.0];
    assert_eq!(percentile(&values, 0.5), Some(2.0));
    assert_eq!(percentile(&values, 0.95), Some(4.0));
    assert_eq!(percentile(&values, 0.0), Some(1.0));
    assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
    assert_eq!(percentile(&[], 0.5), None);
    assert_eq!(mean(&values), Some(2.5));
    assert_eq!(mean(&[]), None);
}

#[test]
fn only_legal_paths_have_a_cost() {
    let map = costmap("..#\n...\n");
    let rules = Rules::shortest();
    let cost = |cells: &[(usize, usize)]| {
        let cells: Vec<Cell> = cells
            .iter()
            .map(|&(row, col)| Cell::new(row, col))
            .collect();
        path_cost(&map, &rules, &cells)
    };
    assert_eq!(cost(&[(0, 0)]), Some(0.0));
    assert_eq!(cost(&[(0, 0), (1, 1)]), Some(std::f64::consts::SQRT_2));
    assert_eq!(cost(&[(1, 1), (0, 2)]), None, "cuts the corner of the wall");
    assert_eq!(cost(&[(1, 1), (1, 2)]), None, "enters the wall");
    assert_eq!(cost(&[(0, 0), (0, 2)]), None, "jumps");
    assert_eq!(cost(&[(5, 5)]), None, "is not on the map");
    assert_eq!(cost(&[]), None);
}
