//! What A* notes about a cell it has reached, in four bytes.
//!
//! Kept apart from the cells' travel costs, so that looking at a neighbour, which is what A* does
//! most, mostly stays in a near cache (a tenth of the time on maps of 1024 x 1024).

use crate::grid::Move;

/// Whether a cell was reached (by the generation of the call), by which move, and whether it has
/// been expanded with its present cost. Generations save clearing the marks before each call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark(u32);

impl Mark {
    /// The largest generation; 0 is that of no call.
    pub(super) const MAX_GENERATION: u32 = u32::MAX >> Self::GENERATION_SHIFT;

    /// Bits 0..4: the move that entered the cell, or [`Self::NOT_ENTERED`].
    const ENTERED_BY: u32 = 0xf;
    const NOT_ENTERED: u32 = 8;
    const EXPANDED: u32 = 1 << 4;
    const GENERATION_SHIFT: u32 = 5;

    /// Of the cell where the path begins.
    pub(super) const fn start(generation: u32) -> Self {
        Self(generation << Self::GENERATION_SHIFT | Self::NOT_ENTERED)
    }

    /// Of a cell that was entered and waits to be expanded.
    pub(super) const fn entered(generation: u32, by: Move) -> Self {
        Self(generation << Self::GENERATION_SHIFT | by.index() as u32)
    }

    pub(super) const fn is_of(self, generation: u32) -> bool {
        self.0 >> Self::GENERATION_SHIFT == generation
    }

    /// `None` at the start.
    pub(super) fn entered_by(self) -> Option<Move> {
        let by = self.0 & Self::ENTERED_BY;
        (by != Self::NOT_ENTERED).then(|| Move::from_index(by as usize))
    }

    pub(super) const fn is_expanded(self) -> bool {
        self.0 & Self::EXPANDED != 0
    }

    pub(super) const fn set_expanded(&mut self) {
        self.0 |= Self::EXPANDED;
    }
}
