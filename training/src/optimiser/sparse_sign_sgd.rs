//! Sign descent for puzzle embeddings: a table of one row per puzzle, of which a step sees few.
//!
//! The published HRM trains its puzzle embeddings this way (sapientinc/HRM,
//! `models/sparse_embedding.py`, there for many processes, here for one): a row that is seen once
//! in a thousand steps has no use for moments, and Adam on such a gradient is nearly its sign.

use crate::{Error, Result};
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// Sign descent on the rows of a table.
///
/// For each row that a batch looked up, with g the sum of its gradients over the batch and r the
/// rate: `w <- w (1 - r weight_decay) - r sign(g)`, where sign(0) is 0. All other rows, their
/// decay included, are left alone. There is no state, so nothing has to be kept for resuming.
#[derive(Debug, Clone, Copy)]
pub struct SparseSignSgd {
    /// Decoupled decay of the rows looked up, times the rate. Published: 0.1 at a rate of 1e-2
    /// for ARC, 1.0 at 1e-4 for Sudoku-Extreme and Maze-Hard.
    pub weight_decay: f64,
}

impl SparseSignSgd {
    /// Changes the rows of `table` (puzzles, width) that a batch looked up; returns the norm of
    /// the summed gradients.
    ///
    /// `ids` (batch) are the rows looked up, any of them more than once; `gradient`
    /// (batch, width) is that of the looked-up rows. A gradient that is not finite changes
    /// nothing.
    ///
    /// # Errors
    /// [`Error::RowGradient`] for a gradient of another shape, [`Error::NoSuchRow`] for an id
    /// outside the table, both before the table is touched; a tensor operation that fails.
    pub fn update(&self, table: &Var, ids: &[u32], gradient: &Tensor, rate: f64) -> Result<f64> {
        let (rows, width) = table.dims2()?;
        if gradient.dims() != [ids.len(), width] {
            return Err(Error::RowGradient {
                found: gradient.dims().to_vec(),
                ids: ids.len(),
                width,
            });
        }
        if let Some(&id) = ids.iter().find(|&&id| id as usize >= rows) {
            return Err(Error::NoSuchRow { id, rows });
        }
        let mut sums: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (&id, gradient) in ids.iter().zip(gradient.to_vec2::<f32>()?) {
            let sum = sums.entry(id).or_insert_with(|| vec![0.0; width]);
            for (sum, part) in sum.iter_mut().zip(gradient) {
                *sum += f64::from(part);
            }
        }
        let norm = sums.values().flatten().map(|g| g * g).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let table = table.as_detached_tensor();
        for (id, sum) in sums {
            let row = table.narrow(0, id as usize, 1)?;
            let mut values = row.flatten_all()?.to_vec1::<f32>()?;
            for (value, g) in values.iter_mut().zip(sum) {
                // Not signum, which takes 0 for positive.
                let sign = f64::from(i8::from(g > 0.0) - i8::from(g < 0.0));
                let decayed = f64::from(*value) * (1.0 - rate * self.weight_decay);
                *value = (decayed - rate * sign) as f32;
            }
            let row = Tensor::from_vec(values, (1, width), table.device())?;
            table.slice_set(&row, 0, id as usize)?;
        }
        Ok(norm)
    }
}
