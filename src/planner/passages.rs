//! Which blocks of a pooled map are open, and where each of them is gone through.
//!
//! A block is open if it has a passage: free cells that belong together. Of several such groups the
//! largest is the block's passage. Where two open blocks lie side by side, a step leads from the
//! passage of one into that of the other: where none does, since a wall thinner than a block runs between
//! them, one of the two is closed, so that the model sees the wall. It is the one whose neighbours reach
//! each other without it, so that rooms lose the cells along their walls and corridors stay corridors.
//! So whatever path leads through open blocks also leads through the map, and doors and corridors that
//! are narrower than a block stay open.

use super::pooling::{Blocks, FreeCounts};
use super::regions::Regions;
use crate::grid::{Cell, Geometry};
use crate::search::Termination;

/// The place of a closed block.
const CLOSED: u32 = u32::MAX;

/// The sides of a block, counter-clockwise.
const SIDES: usize = 4;
const RIGHT: usize = 0;
const TOP: usize = 1;
const LEFT: usize = 2;

/// The open blocks of a pooled map.
#[derive(Debug, Clone)]
pub(super) struct Passages {
    /// Of each block, row-major, the index of the map's cell that stands for it, or [`CLOSED`].
    places: Vec<u32>,
    /// Of the map.
    geometry: Geometry,
}

impl Passages {
    /// Those of blocks on a map; `None` if it was stopped.
    pub fn new(
        blocks: &Blocks,
        free: &FreeCounts,
        geometry: &Geometry,
        termination: &Termination,
    ) -> Option<Self> {
        let mut survey = Survey::new(blocks, free, termination)?;
        if termination.reason().is_some() {
            return None;
        }
        survey.close_where_walls_are();
        let place = |index: usize| match survey.passages[index] {
            Passage::None => CLOSED,
            Passage::Whole => geometry.index(blocks.centre(blocks.block(index))) as u32,
            Passage::Part { place, .. } => geometry.index(place) as u32,
        };
        Some(Self {
            places: (0..blocks.count()).map(place).collect(),
            geometry: *geometry,
        })
    }

    /// Whether the block at a row-major index can be gone through.
    pub fn is_open(&self, index: usize) -> bool {
        self.places[index] != CLOSED
    }

    /// The map's cell that stands for an open block: of its passage the one nearest to its centre.
    pub fn place(&self, index: usize) -> Option<Cell> {
        let place = self.places[index];
        (place != CLOSED).then(|| self.geometry.cell(place as usize))
    }
}

/// What can be gone through of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Passage {
    None,
    /// All of it.
    Whole,
    /// Some of its cells.
    Part {
        /// How many.
        cells: u32,
        /// The one nearest to the block's centre.
        place: Cell,
        /// Its number among the blocks that [`Survey::faces`] knows.
        faces: u32,
    },
}

/// What a block is needed for, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Its neighbours reach each other without it.
    Nothing,
    /// A corridor ends in it, and would end before it.
    End,
    /// Some of its neighbours only reach each other through it.
    Passage,
}

/// The blocks while it is being found out which are open.
struct Survey<'a> {
    blocks: &'a Blocks,
    passages: Vec<Passage>,
    /// Of each block that is open in part, for each side and each of the cells along it (by row or
    /// column), whether that belongs to the passage.
    faces: Vec<bool>,
}

impl<'a> Survey<'a> {
    /// `None` if it was stopped.
    fn new(blocks: &'a Blocks, free: &FreeCounts, termination: &Termination) -> Option<Self> {
        let mut survey = Self {
            blocks,
            passages: Vec::with_capacity(blocks.count()),
            faces: Vec::new(),
        };
        let all = blocks.factor * blocks.factor;
        for index in 0..blocks.count() {
            let block = blocks.block(index);
            if block.col == 0 && termination.reason().is_some() {
                return None;
            }
            let count = free.in_block(blocks, block);
            let passage = if count == 0 {
                Passage::None
            } else if count == all {
                Passage::Whole
            } else {
                survey.part(block, free)
            };
            survey.passages.push(passage);
        }
        Some(survey)
    }

    /// The passage of a block that is free in part: of its groups of free cells the largest, of equally
    /// large ones the first.
    fn part(&mut self, block: Cell, free: &FreeCounts) -> Passage {
        let side = self.blocks.factor;
        let (rows, cols) = self.blocks.cells(block);
        let cell = |index: usize| Cell::new(rows.start + index / side, cols.start + index % side);
        let groups = Regions::new(side, side, |index| free.is_free(cell(index)));
        let mut sizes = vec![0; groups.count()];
        for group in (0..side * side).filter_map(|index| groups.of(index)) {
            sizes[group as usize] += 1;
        }
        let largest = (0..groups.count()).rev().max_by_key(|&group| sizes[group]);
        let belongs = |index: usize| groups.of(index).map(|group| group as usize) == largest;
        let centre = self.blocks.centre(block);
        let off_centre = |&index: &usize| {
            let (row, col) = (cell(index).row, cell(index).col);
            row.abs_diff(centre.row).pow(2) + col.abs_diff(centre.col).pow(2)
        };
        let middle = (0..side * side)
            .filter(|&index| belongs(index))
            .min_by_key(off_centre);
        let Some((largest, middle)) = largest.zip(middle) else {
            return Passage::None;
        };
        let faces = (self.faces.len() / (SIDES * side)) as u32;
        let along = |at: fn(usize, usize) -> usize| (0..side).map(move |along| at(along, side));
        self.faces
            .extend(along(|row, side| row * side + side - 1).map(belongs));
        self.faces
            .extend(along(|col, side| (side - 1) * side + col).map(belongs));
        self.faces
            .extend(along(|row, side| row * side).map(belongs));
        self.faces.extend(along(|col, _| col).map(belongs));
        Passage::Part {
            cells: sizes[largest],
            place: cell(middle),
            faces,
        }
    }

    /// Cells of a block's passage.
    fn size(&self, index: usize) -> usize {
        match self.passages[index] {
            Passage::None => 0,
            Passage::Whole => self.blocks.factor * self.blocks.factor,
            Passage::Part { cells, .. } => cells as usize,
        }
    }

    fn is_open(&self, index: usize) -> bool {
        self.passages[index] != Passage::None
    }

    /// Whether cell `along` of a side belongs to a block's passage.
    fn reaches(&self, index: usize, side: usize, along: usize) -> bool {
        match self.passages[index] {
            Passage::None => false,
            Passage::Whole => true,
            Passage::Part { faces, .. } => {
                self.faces[(faces as usize * SIDES + side) * self.blocks.factor + along]
            }
        }
    }

    /// Whether a step leads from a block's passage over one of its sides into that of the block there.
    fn meets(&self, index: usize, side: usize, beyond: usize) -> bool {
        let across = (side + 2) % SIDES;
        let whole = |index: usize| self.passages[index] == Passage::Whole;
        (whole(index) && whole(beyond))
            || (0..self.blocks.factor).any(|along| {
                self.reaches(index, side, along) && self.reaches(beyond, across, along)
            })
    }

    /// The block beyond a side, if there is one.
    fn beyond(&self, index: usize, side: usize) -> Option<usize> {
        let Blocks { rows, cols, .. } = *self.blocks;
        let Cell { row, col } = self.blocks.block(index);
        match side {
            RIGHT => (col + 1 < cols).then_some(index + 1),
            TOP => (row + 1 < rows).then_some(index + cols),
            LEFT => (col > 0).then(|| index - 1),
            _ => (row > 0).then(|| index - cols),
        }
    }

    /// Closes one of every two neighbours between whose passages no step leads.
    fn close_where_walls_are(&mut self) {
        for index in 0..self.passages.len() {
            for side in [RIGHT, TOP] {
                let Some(beyond) = self.beyond(index, side) else {
                    continue;
                };
                let both = self.is_open(index) && self.is_open(beyond);
                if !both || self.meets(index, side, beyond) {
                    continue;
                }
                let worth = |index: usize| (self.need(index), self.size(index));
                let closed = if worth(index) < worth(beyond) {
                    index
                } else {
                    beyond
                };
                self.passages[closed] = Passage::None;
            }
        }
    }

    /// What an open block is needed for, as far as the eight blocks around it can tell.
    fn need(&self, index: usize) -> Need {
        // The neighbour on each side, if a step leads there.
        let on = |from: usize, side: usize| {
            let beyond = self.beyond(from, side)?;
            (self.is_open(beyond) && self.meets(from, side, beyond)).then_some(beyond)
        };
        let neighbours: [Option<usize>; SIDES] = std::array::from_fn(|side| on(index, side));
        let joined = |side: usize| {
            let next = (side + 1) % SIDES;
            let (Some(one), Some(other)) = (neighbours[side], neighbours[next]) else {
                return false;
            };
            // The block in the corner between them.
            on(one, next).is_some_and(|corner| on(other, side) == Some(corner))
        };
        let count = neighbours.iter().flatten().count();
        let joints = (0..SIDES).filter(|&side| joined(side)).count();
        if count > joints + 1 {
            Need::Passage
        } else if count == 1 {
            Need::End
        } else {
            Need::Nothing
        }
    }
}
