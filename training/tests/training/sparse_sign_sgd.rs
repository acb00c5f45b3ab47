//! Puzzle embeddings: sign descent on the rows that a batch looked up, and on no other.

use crate::common::optimising::{assert_all_close, assert_close};
use candle_core::{Device, Tensor, Var};
use hrm_training::{Error, SparseSignSgd};

/// Four rows of three.
const TABLE: [[f32; 3]; 4] = [
    [1.0, -2.0, 0.5],
    [0.1, 0.2, 0.3],
    [-1.0, 0.0, 4.0],
    [7.0, -7.0, 0.25],
];

fn table() -> Var {
    Var::new(&TABLE, &Device::Cpu).expect("a table")
}

fn gradient(rows: &[[f32; 3]]) -> Tensor {
    Tensor::from_vec(rows.concat(), (rows.len(), 3), &Device::Cpu).expect("a gradient")
}

fn rows(table: &Var) -> Vec<Vec<f32>> {
    table.to_vec2::<f32>().expect("a table")
}

fn assert_row(table: &Var, id: usize, expected: &[f64]) {
    let row: Vec<f64> = rows(table)[id].iter().map(|&x| f64::from(x)).collect();
    assert_all_close(&row, expected);
}

/// Bit by bit.
fn assert_untouched(table: &Var, id: usize) {
    let bits = |row: &[f32]| -> Vec<u32> { row.iter().map(|x| x.to_bits()).collect() };
    assert_eq!(bits(&rows(table)[id]), bits(&TABLE[id]), "row {id}");
}

#[test]
fn three_steps_of_rows_are_those_of_the_formula_with_and_without_decay() {
    let steps: [(&[u32], &[[f32; 3]]); 3] = [
        (&[2, 0], &[[5.0, -0.1, 0.0], [-1e-9, 3.0, 1.0]]),
        (&[0], &[[1.0, 1.0, -1.0]]),
        (&[3, 2], &[[0.0, 0.0, 0.0], [-2.0, 8.0, 1e-20]]),
    ];
    for weight_decay in [0.0, 0.1] {
        let table = table();
        let optimiser = SparseSignSgd { weight_decay };
        let mut expected = TABLE.map(|row| row.map(f64::from));
        for (step, (ids, gradients)) in steps.into_iter().enumerate() {
            let rate = 0.01 * (step + 1) as f64;
            optimiser
                .update(&table, ids, &gradient(gradients), rate)
                .unwrap();
            for (&id, gradient) in ids.iter().zip(gradients) {
                for (w, &g) in expected[id as usize].iter_mut().zip(gradient) {
                    let sign = if g == 0.0 { 0.0 } else { f64::from(g.signum()) };
                    *w = *w * (1.0 - rate * weight_decay) - rate * sign;
                }
            }
            for (id, row) in expected.iter().enumerate() {
                assert_row(&table, id, row);
            }
        }
    }
}

#[test]
fn gradients_of_one_row_are_summed_before_the_sign() {
    let table = table();
    let optimiser = SparseSignSgd { weight_decay: 0.0 };
    // Sums: -1 in the first place, nothing in the second, 3 in the third.
    let parts = [
        [1.0, 2.0, 1.0],
        [9.0, 9.0, 9.0],
        [1.0, -2.0, 1.0],
        [-3.0, 0.0, 1.0],
    ];
    let norm = optimiser
        .update(&table, &[1, 3, 1, 1], &gradient(&parts), 0.5)
        .unwrap();
    assert_row(&table, 1, &[0.1 + 0.5, 0.2, 0.3 - 0.5]);
    assert_row(&table, 3, &[6.5, -7.5, -0.25]);
    assert_close(norm, (1.0_f64 + 9.0 + 3.0 * 81.0).sqrt());
}

#[test]
fn a_row_looked_up_twice_decays_once() {
    let table = table();
    let optimiser = SparseSignSgd { weight_decay: 0.1 };
    optimiser
        .update(&table, &[0, 0], &gradient(&[[0.0; 3]; 2]), 0.5)
        .unwrap();
    assert_row(&table, 0, &[0.95, -1.9, 0.475]);
}

#[test]
fn rows_that_were_not_looked_up_do_not_change_by_a_bit() {
    let table = table();
    let optimiser = SparseSignSgd { weight_decay: 0.7 };
    for _ in 0..3 {
        optimiser
            .update(&table, &[1, 1], &gradient(&[[1.0; 3]; 2]), 0.3)
            .unwrap();
    }
    for id in [0, 2, 3] {
        assert_untouched(&table, id);
    }
    assert!(rows(&table)[1] != TABLE[1]);
}

#[test]
fn a_batch_of_none_changes_nothing() {
    let table = table();
    let norm = SparseSignSgd { weight_decay: 0.1 }
        .update(&table, &[], &gradient(&[]), 0.5)
        .unwrap();
    assert_close(norm, 0.0);
    (0..4).for_each(|id| assert_untouched(&table, id));
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing() {
    let table = table();
    let norm = SparseSignSgd { weight_decay: 0.1 }
        .update(
            &table,
            &[0, 1],
            &gradient(&[[1.0; 3], [0.0, f32::NAN, 0.0]]),
            0.5,
        )
        .unwrap();
    assert!(!norm.is_finite());
    (0..4).for_each(|id| assert_untouched(&table, id));
}

#[test]
fn what_does_not_fit_the_table_is_refused_before_it_is_touched() {
    let table = table();
    let optimiser = SparseSignSgd { weight_decay: 0.1 };
    let two = gradient(&[[1.0; 3]; 2]);
    let outside = optimiser.update(&table, &[0, 4], &two, 0.5);
    assert!(matches!(outside, Err(Error::NoSuchRow { id: 4, rows: 4 })));
    let too_few = optimiser.update(&table, &[0], &two, 0.5);
    assert!(matches!(
        too_few,
        Err(Error::RowGradient {
            ids: 1,
            width: 3,
            ..
        })
    ));
    (0..4).for_each(|id| assert_untouched(&table, id));
}
