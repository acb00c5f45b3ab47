//! A batch of planning problems as the grid HRM takes it.

use super::encode::{PLANES, encode};
use super::layout::Layout;
use crate::Result;
use crate::grid::{Cell, Costmap};
use crate::search::Rules;
use candle_core::{Device, Tensor};

/// Problems on maps of any sizes, without padding between them.
#[derive(Debug, Clone)]
pub struct GridProblems {
    /// (cells, 9 x PLANES): the planes of [`encode`] of all maps. On any device: a model takes it
    /// to its own.
    pub input: Tensor,
    /// The sizes of the maps.
    pub layout: Layout,
    /// For each map the cell that a plan is asked for, row-major within the map: where halting is
    /// judged.
    pub starts: Vec<usize>,
}

impl GridProblems {
    /// One problem.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn one(map: &Costmap, rules: &Rules, start: Cell, goal: Cell) -> Result<Self> {
        let geometry = map.geometry();
        let input = encode(map, goal, rules);
        let shape = (geometry.cells(), 9 * PLANES);
        Ok(Self {
            input: Tensor::from_vec(input, shape, &Device::Cpu)?,
            layout: Layout::new(vec![(geometry.height(), geometry.width())]),
            starts: vec![geometry.index(start)],
        })
    }
}

/// A batch as every segment reads it.
#[derive(Debug, Clone)]
pub struct GridEncoded {
    /// (cells, C): e.
    pub e: Tensor,
    /// The sizes of the maps.
    pub layout: Layout,
    /// As in [`GridProblems`].
    pub starts: Vec<usize>,
}
