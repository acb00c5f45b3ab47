//! The judge's arithmetic.

use crate::common::costmap;
use hrm_planner::grid::Cell;
use hrm_planner::judge::{Row, mean, path_cost, percentile, write_table};
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

#[test]
fn the_mean_of_all_cost_ratios_is_that_of_all_plans() {
    let row = |valid, ratio| Row {
        set: String::new(),
        kind: "some".to_owned(),
        n: 10,
        reached: None,
        valid: Some(valid),
        optimal: None,
        exact: None,
        token_accuracy: None,
        cost_ratio_mean: Some(ratio),
        cost_ratio_p95: None,
        evaded: None,
        final_reached: Some(valid),
        final_optimal: None,
        final_cost_ratio_mean: Some(ratio + 1.0),
        repaired: None,
        fallback: None,
        segments_mean: None,
        oracle_mismatches: None,
        ms_p50: None,
        ms_p99: None,
        oracle_ms_p50: None,
        peak_mb: None,
    };
    let mut table = Vec::new();
    // Nine plans of ratio 1 and one of ratio 2, of ten problems each.
    write_table(&[row(0.9, 1.0), row(0.1, 2.0)], &mut table).expect("written");
    let table = String::from_utf8(table).expect("UTF-8");
    let all: Vec<&str> = table
        .lines()
        .last()
        .expect("a row")
        .split_whitespace()
        .collect();
    assert_eq!(all[..2], ["all", "20"]);
    assert_eq!(
        (all[3], all[7], all[13]),
        ("50.0", "1.100", "2.100"),
        "{table}"
    );
}
