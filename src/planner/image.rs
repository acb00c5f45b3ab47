//! Images of a map: the same problem turned, mirrored, moved or seen from its goal, as the model sees it.

use std::borrow::Cow;

use candle_core::Tensor;

use super::Reduction;
use crate::Result;
use crate::grid::{Cell, Cost, Costmap, Geometry, Move, Symmetry};
use crate::model::{GridHrmConfig, Readout};

/// Where the model is asked to lead. The way back is the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// From the start to the goal.
    Goal,
    /// From the goal to the start.
    Start,
}

impl Toward {
    /// From which cell of the reduction to which.
    pub fn ends(self, reduction: &Reduction) -> (Cell, Cell) {
        let (start, goal) = (reduction.start(), reduction.goal());
        match self {
            Self::Goal => (start, goal),
            Self::Start => (goal, start),
        }
    }
}

/// A way to lay out a map that leaves the problem what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    symmetry: Symmetry,
    /// Rows below and columns to the left of the map, which are blocked.
    shift: (usize, usize),
    toward: Toward,
}

impl View {
    /// The views that are another problem to a model of this kind, the map itself first, those toward
    /// the start last. Weights that are tied know symmetries, but how patches lie on a map no weights know;
    /// others are shown symmetries alone, which are as many images as anybody has the time for.
    pub fn all(config: &GridHrmConfig) -> Vec<Self> {
        let forwards = Self::forwards(config);
        let mut views = forwards.clone();
        views.extend(forwards.into_iter().map(|view| Self {
            toward: Toward::Start,
            ..view
        }));
        views
    }

    fn forwards(config: &GridHrmConfig) -> Vec<Self> {
        let view = |symmetry, shift| Self {
            symmetry,
            shift,
            toward: Toward::Goal,
        };
        if config.tied {
            let side = config.patch;
            let mut shifts: Vec<_> = (0..side * side)
                .map(|place| (place / side, place % side))
                .collect();
            // Those first that move both rows and columns.
            shifts.sort_by_key(|&(rows, cols)| ((rows, cols) != (0, 0), rows.min(cols) == 0));
            let upright = |shift| view(Symmetry::ALL[0], shift);
            shifts.into_iter().map(upright).collect()
        } else {
            Symmetry::ALL
                .map(|symmetry| view(symmetry, (0, 0)))
                .to_vec()
        }
    }

    /// Whether it is the problem as it is.
    pub fn is_plain(self) -> bool {
        self.is_upright() && self.toward == Toward::Goal
    }

    /// Whether cells lie where they do on the map.
    fn is_upright(self) -> bool {
        self.symmetry.is_identity() && self.shift == (0, 0)
    }

    /// Where a cell of a map with these (rows, columns) lies.
    fn cell(self, cell: Cell, size: (usize, usize)) -> Cell {
        let cell = self.symmetry.cell(cell, size);
        Cell::new(cell.row + self.shift.0, cell.col + self.shift.1)
    }

    /// The map laid out so, in cells of unit size, and where each of its cells lies, both row-major.
    fn lay_out(self, map: &Costmap) -> Result<(Costmap, Vec<u32>)> {
        let size = size(map);
        let (rows, cols) = self.symmetry.size(size);
        let laid_out = Geometry::unit(cols + self.shift.1, rows + self.shift.0)?;
        let mut image = Costmap::filled(laid_out, Cost::LETHAL);
        let mut places = Vec::with_capacity(map.costs().len());
        for (index, &cost) in map.costs().iter().enumerate() {
            let place = self.cell(map.geometry().cell(index), size);
            image.set(place, cost);
            places.push(laid_out.index(place) as u32);
        }
        Ok((image, places))
    }
}

/// What the model sees of a map, in one of these views.
pub(super) struct Image<'a> {
    /// What it is the image of.
    pub reduction: &'a Reduction,
    view: View,
    /// The map that the model sees.
    pub map: Cow<'a, Costmap>,
    /// Where each cell of the reduction lies in the image, both row-major; empty if nothing is moved.
    places: Vec<u32>,
}

impl<'a> Image<'a> {
    /// The image of what the model sees in a view.
    ///
    /// # Errors
    /// A map of more cells than there may be, with those that a shift adds.
    pub fn of(reduction: &'a Reduction, view: View) -> Result<Self> {
        let map = reduction.map();
        let (map, places) = if view.is_upright() {
            (Cow::Borrowed(map), Vec::new())
        } else {
            let (map, places) = view.lay_out(map)?;
            (Cow::Owned(map), places)
        };
        Ok(Self {
            reduction,
            view,
            map,
            places,
        })
    }

    /// Where its way leads.
    pub fn toward(&self) -> Toward {
        self.view.toward
    }

    /// The image of a cell of the reduction.
    pub fn cell(&self, cell: Cell) -> Cell {
        self.view.cell(cell, size(self.reduction.map()))
    }

    /// The read-out of each cell of the reduction, from that of the image.
    ///
    /// # Errors
    /// A tensor operation that fails.
    pub fn upright(&self, readout: Readout) -> Result<Readout> {
        if self.view.is_upright() {
            return Ok(readout);
        }
        let device = readout.moves.device();
        let places = Tensor::new(&self.places[..], device)?;
        let moves = Move::ALL.map(|mv| self.view.symmetry.mv(mv).index() as u32);
        let moves = Tensor::new(&moves[..], device)?;
        // Some read-outs are columns of a wider tensor.
        let cells = |tensor: &Tensor| tensor.contiguous()?.index_select(&places, 0);
        Ok(Readout {
            moves: cells(&readout.moves)?.index_select(&moves, 1)?,
            value: cells(&readout.value)?,
            q_halt: cells(&readout.q_halt)?,
            q_continue: cells(&readout.q_continue)?,
        })
    }

    /// Values per cell of the reduction as values per cell of the image, with those of a blocked cell
    /// where nothing of the map lies.
    pub fn laid_out<T: Copy + Default>(&self, values: Vec<T>) -> Vec<T> {
        if self.view.is_upright() {
            return values;
        }
        let mut image = vec![T::default(); self.map.costs().len()];
        for (&place, value) in self.places.iter().zip(values) {
            image[place as usize] = value;
        }
        image
    }
}

/// (rows, columns) of a map.
fn size(map: &Costmap) -> (usize, usize) {
    (map.geometry().height(), map.geometry().width())
}
