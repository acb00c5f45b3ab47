//! Changing single cells without opening or closing a passage.
//!
//! Free cells connect by straight moves, walls by all eight neighbours. Whether a cell may change
//! from one to the other without joining or parting anything is seen in the ring of its eight
//! neighbours (Yokoi's connectivity number): the free cells of the ring that touch the cell by a
//! side must hang together within the ring.

use crate::grid::{Cost, Costmap};

/// Which cells are free, with a border of blocked cells around, so that every cell has a ring.
#[derive(Debug)]
pub(super) struct Passages {
    /// Cells per row, border included.
    stride: usize,
    width: usize,
    /// 1 where a robot can be, 0 elsewhere.
    free: Vec<u8>,
}

impl Passages {
    pub fn of(map: &Costmap) -> Self {
        let (height, width) = (map.geometry().height(), map.geometry().width());
        let stride = width + 2;
        let mut free = vec![0; stride * (height + 2)];
        for (cells, costs) in free[stride..]
            .chunks_mut(stride)
            .zip(map.costs().chunks(width))
        {
            for (free, cost) in cells[1..].iter_mut().zip(costs) {
                *free = u8::from(cost.is_traversable(false));
            }
        }
        Self {
            stride,
            width,
            free,
        }
    }

    /// The place in the bordered grid of a row-major index.
    pub fn place(&self, index: usize) -> usize {
        // Dividing 32-bit numbers takes a fraction of the time; grids have fewer cells than 2^32.
        let (row, col) = (
            index as u32 / self.width as u32,
            index as u32 % self.width as u32,
        );
        (row as usize + 1) * self.stride + col as usize + 1
    }

    pub fn is_free(&self, place: usize) -> bool {
        self.free[place] != 0
    }

    /// Whether a neighbour of this place, across a side, is not free.
    pub fn is_beside_wall(&self, place: usize) -> bool {
        let stride = self.stride;
        let free = &self.free[place - stride..=place + stride];
        free[0] & free[stride - 1] & free[stride + 1] & free[2 * stride] == 0
    }

    /// Blocks a free cell unless that parts what hangs together; whether it is blocked now.
    pub fn block(&mut self, place: usize) -> bool {
        let ring = self.ring(place);
        // A cell in the open may always be blocked: there is a way around it.
        let may = self.is_free(place) && (ring == u8::MAX || touching_parts(ring) == 1);
        if may {
            self.free[place] = 0;
        }
        may
    }

    /// Frees a blocked cell unless that joins what is apart; whether it is free now.
    pub fn open(&mut self, place: usize) -> bool {
        let may = !self.is_free(place) && touching_parts(self.ring(place)) == 1;
        if may {
            self.free[place] = 1;
        }
        may
    }

    /// The eight neighbours, counter-clockwise from the east, one bit each: free or not.
    fn ring(&self, place: usize) -> u8 {
        let stride = self.stride;
        let free = &self.free[place - stride - 1..=place + stride + 1];
        let below = &free[..3];
        let here = &free[stride..stride + 3];
        let above = &free[2 * stride..2 * stride + 3];
        here[2]
            | above[2] << 1
            | above[1] << 2
            | above[0] << 3
            | here[0] << 4
            | below[0] << 5
            | below[1] << 6
            | below[2] << 7
    }
}

/// How many parts of a ring, each connected by straight moves within it, touch the middle by a
/// side; 0 also for a ring that is free all round.
fn touching_parts(ring: u8) -> u32 {
    /// The bits of the straight neighbours.
    const STRAIGHT: u8 = 0b0101_0101;
    // A straight neighbour ends its part unless the corner and the straight one after it go on.
    let goes_on = ring.rotate_right(1) & ring.rotate_right(2);
    (ring & !goes_on & STRAIGHT).count_ones()
}

/// The map with the cells of a list blocked, in this order, where no passage closes.
pub(super) fn with_blocked(map: &Costmap, mut passages: Passages, indices: Vec<usize>) -> Costmap {
    let mut changed = map.clone();
    let mut refused = indices;
    // What a passage still led to at first may be a dead end by the time the others are blocked.
    for _ in 0..2 {
        refused.retain(|&index| {
            let blocked = passages.block(passages.place(index));
            if blocked {
                changed.costs_mut()[index] = Cost::LETHAL;
            }
            !blocked
        });
    }
    changed
}
