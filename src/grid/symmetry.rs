//! The eight symmetries of the square grid: quarter turns and mirror images of a map.

use super::{Cell, Cost, Costmap, Geometry, Move};
use crate::Result;

/// One of the eight ways to lay a grid upon itself or upon its transpose.
///
/// First the rows are turned upside down, if at all, then each row end to end, and then rows and
/// columns change places. What is the same problem to an exact planner is another one to a model
/// whose tokens do not know these symmetries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symmetry {
    upside_down: bool,
    end_to_end: bool,
    transposed: bool,
}

impl Symmetry {
    /// All eight; the first changes nothing.
    pub const ALL: [Self; 8] = [
        Self::new(false, false, false),
        Self::new(true, true, false),
        Self::new(false, false, true),
        Self::new(true, true, true),
        Self::new(true, false, false),
        Self::new(false, true, false),
        Self::new(true, false, true),
        Self::new(false, true, true),
    ];

    const fn new(upside_down: bool, end_to_end: bool, transposed: bool) -> Self {
        Self {
            upside_down,
            end_to_end,
            transposed,
        }
    }

    /// Its place in [`Symmetry::ALL`].
    pub fn index(self) -> usize {
        let place = Self::ALL.iter().position(|&symmetry| symmetry == self);
        place.unwrap_or_default() // it is there
    }

    /// This symmetry after another one: what both come to.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        // Two flips before a transposition are two others before none.
        let (upside_down, end_to_end) = if first.transposed {
            (self.end_to_end, self.upside_down)
        } else {
            (self.upside_down, self.end_to_end)
        };
        Self::new(
            first.upside_down ^ upside_down,
            first.end_to_end ^ end_to_end,
            first.transposed ^ self.transposed,
        )
    }

    /// Whether it changes nothing.
    pub fn is_identity(self) -> bool {
        self == Self::ALL[0]
    }

    /// (rows, columns) of the image of a grid with these (rows, columns).
    pub fn size(self, (rows, cols): (usize, usize)) -> (usize, usize) {
        if self.transposed {
            (cols, rows)
        } else {
            (rows, cols)
        }
    }

    /// Where a cell of a grid with these (rows, columns) lies in the image.
    pub fn cell(self, cell: Cell, (rows, cols): (usize, usize)) -> Cell {
        let row = if self.upside_down {
            rows - 1 - cell.row
        } else {
            cell.row
        };
        let col = if self.end_to_end {
            cols - 1 - cell.col
        } else {
            cell.col
        };
        if self.transposed {
            Cell::new(col, row)
        } else {
            Cell::new(row, col)
        }
    }

    /// What a move of the grid is in the image.
    pub fn mv(self, mv: Move) -> Move {
        // Counted counter-clockwise from +x in eighths of a turn, each mirror image is a change of
        // sign and a turn.
        let mut eighths = mv.index();
        if self.upside_down {
            eighths = 8 - eighths;
        }
        if self.end_to_end {
            eighths = 12 - eighths;
        }
        if self.transposed {
            eighths = 18 - eighths;
        }
        Move::from_index(eighths)
    }

    /// For each cell of a grid with these (rows, columns), row-major, the row-major index of its
    /// image.
    pub fn indices(self, size: (usize, usize)) -> impl Iterator<Item = usize> {
        let (_, image_cols) = self.size(size);
        let (rows, cols) = size;
        (0..rows * cols).map(move |index| {
            let image = self.cell(Cell::new(index / cols, index % cols), size);
            image.row * image_cols + image.col
        })
    }

    /// The image of a map, in cells of unit size.
    ///
    /// # Errors
    /// None that a map's own geometry did not have.
    pub fn map(self, map: &Costmap) -> Result<Costmap> {
        let geometry = map.geometry();
        let size = (geometry.height(), geometry.width());
        let (rows, cols) = self.size(size);
        let mut costs = vec![Cost::LETHAL; geometry.cells()];
        for (image, &cost) in self.indices(size).zip(map.costs()) {
            costs[image] = cost;
        }
        Costmap::new(Geometry::unit(cols, rows)?, costs)
    }
}
