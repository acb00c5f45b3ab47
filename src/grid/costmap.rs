//! A grid of costs: what search, model and verifier plan on.

use super::{Cell, Cost, Geometry, Move};
use crate::{Error, Result};

/// A grid of [`Cost`]s, row-major, row 0 at the bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Costmap {
    geometry: Geometry,
    costs: Vec<Cost>,
}

impl Costmap {
    /// A costmap from row-major costs.
    ///
    /// # Errors
    /// The number of costs is not that of the geometry's cells.
    pub fn new(geometry: Geometry, costs: Vec<Cost>) -> Result<Self> {
        if costs.len() != geometry.cells() {
            return Err(Error::DataLength {
                width: geometry.width(),
                height: geometry.height(),
                actual: costs.len(),
            });
        }
        Ok(Self { geometry, costs })
    }

    /// A costmap with the same cost everywhere.
    pub fn filled(geometry: Geometry, cost: Cost) -> Self {
        Self {
            geometry,
            costs: vec![cost; geometry.cells()],
        }
    }

    /// Where the grid lies.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// All costs, row-major.
    pub fn costs(&self) -> &[Cost] {
        &self.costs
    }

    /// All costs, row-major, to be changed.
    pub fn costs_mut(&mut self) -> &mut [Cost] {
        &mut self.costs
    }

    /// The cost of a cell.
    #[inline]
    pub fn cost(&self, cell: Cell) -> Cost {
        self.costs[self.geometry.index(cell)]
    }

    /// Sets the cost of a cell.
    #[inline]
    pub fn set(&mut self, cell: Cell, cost: Cost) {
        let index = self.geometry.index(cell);
        self.costs[index] = cost;
    }

    /// Where a move from `cell` leads, if the move is legal: the target is traversable and, for a
    /// diagonal, so are both side cells (no corner cutting). The cost of `cell` itself does not
    /// matter: a robot may always leave the cell it is in.
    #[inline]
    pub fn legal_move(&self, cell: Cell, mv: Move, allow_unknown: bool) -> Option<Cell> {
        let target = self.geometry.neighbour(cell, mv)?;
        if !self.cost(target).is_traversable(allow_unknown) {
            return None;
        }
        if mv.is_diagonal() {
            let sides = [
                Cell::new(cell.row, target.col),
                Cell::new(target.row, cell.col),
            ];
            if sides
                .iter()
                .any(|&side| !self.cost(side).is_traversable(allow_unknown))
            {
                return None;
            }
        }
        Some(target)
    }
}
