//! What a robot with a laser scanner would have mapped: free space as far as its beams reached,
//! the faces of walls, nothing behind them.
//!
//! The robot scans, goes to a place it has seen, scans again. Beams step from cell to cell across
//! sides, so that none slips between two obstacles that touch by a corner, and all free cells seen
//! hang together. Beams spread with distance: past the range where they lie a cell apart the
//! map shows fans, as real ones do behind doors and windows.

use std::f64::consts::TAU;

use rand::{Rng, RngExt, SeedableRng};

use crate::grid::generate::Dice;
use crate::grid::{Cost, Costmap};

/// Beam steps per cell of the map, at most, so that a scan takes linear time.
const STEPS_PER_CELL: usize = 12;
/// Places drawn until one is free, before all free cells are listed.
const BLIND_DRAWS: usize = 100;
/// Beams of a scanner: those of common 2-D scanners, and few on purpose.
const BEAMS: std::ops::RangeInclusive<usize> = 180..=1080;

/// How a robot has scanned a map; see [`scanned`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scan {
    /// How far a beam reaches, cells.
    pub range: f64,
    /// Beams of one full turn.
    pub beams: usize,
    /// The robot stops when it has seen this share of the map's free cells, 0..=1.
    pub coverage: f64,
    /// How thick walls appear, cells, at least one.
    pub thickness: usize,
    /// The share of seen obstacle cells that the map misses, 0..=1: holes in walls that no robot
    /// passes, since an unknown cell is there.
    pub missed: f64,
}

impl Scan {
    /// A scan for a map of this size.
    pub(super) fn draw(height: usize, width: usize, dice: &mut Dice) -> Self {
        let longer = height.max(width) as f64;
        Self {
            range: (longer * 0.15 * 10.0_f64.powf(dice.random_range(0.0..=1.0))).max(8.0),
            beams: dice.random_range(BEAMS),
            coverage: if dice.random_bool(0.4) {
                1.0
            } else {
                dice.random_range(0.4..=1.0)
            },
            thickness: dice.random_range(1..=3),
            missed: if dice.random_bool(0.3) {
                dice.random_range(0.0..=0.15)
            } else {
                0.0
            },
        }
    }
}

/// The map as a robot knows it that has scanned it from a walk: cells it never saw are unknown.
///
/// Free cells seen keep their costs and hang together by straight moves. Blocked cells around them
/// keep theirs, up to `thickness` cells deep. A map without a free cell comes back all unknown.
pub fn scanned(map: &Costmap, scan: &Scan, rng: &mut impl Rng) -> Costmap {
    let dice = &mut Dice::from_rng(rng);
    let mut sight = Sight::new(map);
    sight.walk(map, scan, dice);
    for _ in 0..scan.thickness.max(1) {
        sight.deepen();
    }
    let width = map.geometry().width();
    let missed = (scan.missed.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u32;
    let mut known = map.clone();
    for (costs, seen) in known
        .costs_mut()
        .chunks_mut(width)
        .zip(sight.cells[sight.stride..].chunks(sight.stride))
    {
        for (cost, &seen) in costs.iter_mut().zip(&seen[1..]) {
            let known = match seen {
                FREE_SEEN => true,
                BLOCKED_SEEN => missed == 0 || dice.random::<u32>() >= missed,
                _ => false,
            };
            if !known {
                *cost = Cost::UNKNOWN;
            }
        }
    }
    known
}

/// States of a cell. Beams go through free cells only.
const FREE: u8 = 0;
const FREE_SEEN: u8 = 1;
const BLOCKED: u8 = 2;
const BLOCKED_SEEN: u8 = 3;

/// What has been seen so far.
struct Sight {
    /// Cells per row, border included.
    stride: usize,
    /// States, with a border of blocked cells around the map.
    cells: Vec<u8>,
    /// The free cells seen, in the order in which they were, as places in `cells`.
    seen: Vec<u32>,
    /// How many free cells there are.
    free: usize,
}

impl Sight {
    fn new(map: &Costmap) -> Self {
        let (height, width) = (map.geometry().height(), map.geometry().width());
        let stride = width + 2;
        let mut cells = vec![BLOCKED; stride * (height + 2)];
        let mut free = 0;
        for (cells, costs) in cells[stride..]
            .chunks_mut(stride)
            .zip(map.costs().chunks(width))
        {
            for (cell, cost) in cells[1..].iter_mut().zip(costs) {
                if cost.is_traversable(false) {
                    *cell = FREE;
                    free += 1;
                }
            }
        }
        Self {
            stride,
            cells,
            seen: Vec::with_capacity(free),
            free,
        }
    }

    /// Scans from place to place until enough is seen.
    fn walk(&mut self, map: &Costmap, scan: &Scan, dice: &mut Dice) {
        let Some(mut pose) = self.first_pose(dice) else {
            return;
        };
        self.cells[pose] = FREE_SEEN;
        self.seen.push(pose as u32);
        let wanted = (scan.coverage.clamp(0.0, 1.0) * self.free as f64) as usize;
        let mut steps = STEPS_PER_CELL * map.costs().len();
        loop {
            let before = self.seen.len();
            let spent = self.scan_from(pose, scan, dice);
            if self.seen.len() >= wanted || spent >= steps {
                return;
            }
            steps -= spent;
            // On to what this scan has added, or back to what is known.
            let from = if self.seen.len() > before && dice.random_bool(0.7) {
                before
            } else {
                0
            };
            pose = self.seen[dice.random_range(from..self.seen.len())] as usize;
        }
    }

    /// A free cell, any with the same probability.
    fn first_pose(&self, dice: &mut Dice) -> Option<usize> {
        for _ in 0..BLIND_DRAWS {
            let place = dice.random_range(0..self.cells.len());
            if self.cells[place] == FREE {
                return Some(place);
            }
        }
        let free = |&place: &usize| self.cells[place] == FREE;
        let rank = (self.free > 0).then(|| dice.random_range(0..self.free))?;
        (0..self.cells.len()).filter(free).nth(rank)
    }

    /// Casts all beams from a place; returns how many steps that took, at least one.
    fn scan_from(&mut self, pose: usize, scan: &Scan, dice: &mut Dice) -> usize {
        let beams = scan.beams.max(1);
        let first = dice.random_range(0.0..TAU);
        let mut steps = 1;
        for beam in 0..beams {
            let angle = first + TAU * beam as f64 / beams as f64;
            steps += self.cast(pose, angle, scan.range as f32);
        }
        steps
    }

    /// Marks the free cells along a beam as seen; returns how many there are.
    fn cast(&mut self, pose: usize, angle: f64, range: f32) -> usize {
        let (sin, cos) = angle.sin_cos();
        // How far along the beam from one column to the next, and from one row to the next.
        let (per_col, per_row) = (1.0 / cos.abs() as f32, 1.0 / sin.abs() as f32);
        // One step to the right or left, up or down, as wrapping offsets of a place.
        let right = if cos < 0.0 { usize::MAX } else { 1 };
        let up = if sin < 0.0 {
            self.stride.wrapping_neg()
        } else {
            self.stride
        };
        let (mut next_col, mut next_row) = (per_col / 2.0, per_row / 2.0);
        let mut place = pose;
        let mut steps = 0;
        loop {
            let sideways = next_col < next_row;
            let travelled = next_col.min(next_row);
            place = place.wrapping_add(if sideways { right } else { up });
            next_col += if sideways { per_col } else { 0.0 };
            next_row += if sideways { 0.0 } else { per_row };
            if travelled > range {
                return steps;
            }
            match self.cells[place] {
                FREE => {
                    self.cells[place] = FREE_SEEN;
                    self.seen.push(place as u32);
                }
                FREE_SEEN => {}
                _ => return steps,
            }
            steps += 1;
        }
    }

    /// Sees the blocked cells that touch one that is seen, by a side or a corner.
    fn deepen(&mut self) {
        let stride = self.stride;
        let before = self.cells.clone();
        let seen = |cell: u8| cell & 1;
        for (row, rows) in self.cells[stride..].chunks_exact_mut(stride).zip(
            before.chunks(stride).zip(
                before[stride..]
                    .chunks(stride)
                    .zip(before[2 * stride..].chunks(stride)),
            ),
        ) {
            let (below, (here, above)) = rows;
            let row = &mut row[1..stride - 1];
            let around = below.windows(3).zip(here.windows(3).zip(above.windows(3)));
            for (cell, (below, (here, above))) in row.iter_mut().zip(around) {
                let column = |at: usize| seen(below[at]) | seen(here[at]) | seen(above[at]);
                // A blocked cell's lowest bit says whether it is seen; free cells stay.
                *cell |= (column(0) | column(1) | column(2)) & (*cell >> 1);
            }
        }
    }
}
