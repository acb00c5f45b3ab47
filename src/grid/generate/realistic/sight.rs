//! What a laser scanner sees from place to place.
//!
//! The robot scans, goes to a place at the edge of what it has seen, scans again. Beams step from
//! cell to cell across sides, so that none slips between two obstacles that touch by a corner, and
//! all free cells seen hang together.

use std::f64::consts::TAU;

use rand::RngExt;

use super::Scan;
use crate::grid::Costmap;
use crate::grid::generate::Dice;

/// Beam steps per cell of the map, at most, so that a scan takes linear time.
const STEPS_PER_CELL: usize = 16;
/// A scan ends when the known space has grown by less than this share ...
const LEAST_GROWTH: f64 = 0.02;
/// ... in so many beam steps per known cell, and these besides.
const STALE_STEPS: (usize, usize) = (4, 4000);
/// The robot goes on to one of so many places at the edge of what is known, those found last.
const RECENT_EDGES: usize = 200;
/// The most unseen cells that are seen in passing.
const SLIVER: usize = 12;
/// Beams that are cast in any case.
const FIRST_BEAMS: usize = 16;
/// The most beams of one turn.
const MOST_BEAMS: usize = 4096;
/// How far apart the ends of neighbouring beams may lie with none cast between them, cells.
const DENSE: f32 = 1.0;
/// Places drawn until one is free, before all free cells are listed.
const BLIND_DRAWS: usize = 100;

/// States of a cell. Beams go through free cells only.
const FREE: u8 = 0;
const FREE_SEEN: u8 = 1;
const BLOCKED: u8 = 2;
const BLOCKED_SEEN: u8 = 3;

/// Whether a cell has been seen, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Not,
    Free,
    Blocked,
}

/// The beams of every turn.
struct Scanner {
    range: f32,
    /// The angle between neighbouring beams, radians.
    angle: f32,
    /// Sine and cosine of each beam's angle from the first.
    beams: Vec<(f32, f32)>,
}

impl Scanner {
    fn new(scan: &Scan) -> Self {
        let count = scan.beams.clamp(FIRST_BEAMS, MOST_BEAMS);
        // Every half of what lies between two of the first beams has a beam in its middle.
        let count = count.div_ceil(FIRST_BEAMS).next_power_of_two() * FIRST_BEAMS;
        let angle = TAU / count as f64;
        let beam = |beam| {
            let (sin, cos) = (angle * f64::from(beam)).sin_cos();
            (sin as f32, cos as f32)
        };
        Self {
            range: scan.range as f32,
            angle: angle as f32,
            beams: (0..count as u32).map(beam).collect(),
        }
    }
}

/// A turn of the scanner at one place.
struct ScanTurn<'a> {
    scanner: &'a Scanner,
    pose: usize,
    /// Sine and cosine of the first beam's direction.
    heading: (f32, f32),
    /// Cells crossed so far.
    steps: usize,
}

/// What has been seen so far.
pub(super) struct Sight {
    /// Cells per row, border included.
    stride: usize,
    /// States, with a border of blocked cells around the map.
    cells: Vec<u8>,
    /// The free cells seen, in the order in which they were, as places in `cells`.
    seen: Vec<u32>,
    /// Seen cells beside free ones that were not seen when they were.
    edges: Vec<u32>,
    /// How many free cells there are.
    free: usize,
}

impl Sight {
    pub fn new(map: &Costmap) -> Self {
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
            edges: Vec::new(),
            free,
        }
    }

    /// What has been seen of the map's cells, row by row.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Seen>> {
        let rows = self.cells[self.stride..].chunks(self.stride);
        rows.map(|row| {
            row[1..].iter().map(|&cell| match cell {
                FREE_SEEN => Seen::Free,
                BLOCKED_SEEN => Seen::Blocked,
                _ => Seen::Not,
            })
        })
    }

    /// Scans from place to place until enough is seen or little is left to see.
    pub fn walk(&mut self, map: &Costmap, scan: &Scan, dice: &mut Dice) {
        let Some(mut pose) = self.first_pose(dice) else {
            return;
        };
        self.cells[pose] = FREE_SEEN;
        self.seen.push(pose as u32);
        let scanner = Scanner::new(scan);
        let wanted = (scan.coverage.clamp(0.0, 1.0) * self.free as f64) as usize;
        let mut steps = STEPS_PER_CELL * map.costs().len();
        let (mut stale, mut known) = (0, 0);
        loop {
            let before = self.seen.len();
            let spent = self.scan_from(pose, &scanner, dice);
            if self.seen.len() as f64 > (1.0 + LEAST_GROWTH) * known as f64 {
                (stale, known) = (0, self.seen.len());
            }
            stale += spent;
            let (per_cell, besides) = STALE_STEPS;
            if self.seen.len() >= wanted || spent >= steps || stale > per_cell * known + besides {
                return;
            }
            steps -= spent;
            for index in before..self.seen.len() {
                let place = self.seen[index];
                if self.is_edge(place as usize) {
                    self.edges.push(place);
                }
            }
            let Some(next) = self.next_pose(dice) else {
                return;
            };
            pose = next;
        }
    }

    /// A place at the edge of what is known, as robots that explore look for, mostly near the last;
    /// `None` if all is known that can be.
    fn next_pose(&mut self, dice: &mut Dice) -> Option<usize> {
        while !self.edges.is_empty() {
            let recent = self.edges.len().saturating_sub(RECENT_EDGES);
            let drawn = dice.random_range(recent..self.edges.len());
            let place = self.edges.swap_remove(drawn) as usize;
            if self.is_edge(place) && !self.see_sliver(place) {
                return Some(place);
            }
        }
        None
    }

    /// Sees all that is left unseen beside a place if that is at most [`SLIVER`] cells: a robot that
    /// passes sees it, and no turn of its own is spent on it. Whether it was so little.
    fn see_sliver(&mut self, place: usize) -> bool {
        let before = self.seen.len();
        let mut from = place;
        let mut next = before;
        loop {
            for beside in self.straight(from) {
                if self.cells[beside] == FREE {
                    self.cells[beside] = FREE_SEEN;
                    self.seen.push(beside as u32);
                }
            }
            if self.seen.len() - before > SLIVER {
                for place in self.seen.drain(before..) {
                    self.cells[place as usize] = FREE;
                }
                return false;
            }
            match self.seen.get(next) {
                Some(&place) => from = place as usize,
                None => return true,
            }
            next += 1;
        }
    }

    /// Whether a free cell across a side of this place has not been seen.
    fn is_edge(&self, place: usize) -> bool {
        let beside = self.straight(place);
        beside.iter().any(|&beside| self.cells[beside] == FREE)
    }

    /// The places across the sides of a place.
    fn straight(&self, place: usize) -> [usize; 4] {
        let stride = self.stride;
        [place - 1, place + 1, place - stride, place + stride]
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

    /// Casts the beams of one turn from a place; returns how many steps that took, at least one.
    fn scan_from(&mut self, pose: usize, scanner: &Scanner, dice: &mut Dice) -> usize {
        let (sin, cos) = dice.random_range(0.0..TAU).sin_cos();
        let mut turn = ScanTurn {
            scanner,
            pose,
            heading: (sin as f32, cos as f32),
            steps: 1,
        };
        let apart = scanner.beams.len() / FIRST_BEAMS;
        let first = self.beam(&mut turn, 0);
        let mut last = first;
        for beam in (0..scanner.beams.len()).step_by(apart) {
            // The turn ends with the beam it began with.
            let next = if beam + apart == scanner.beams.len() {
                first
            } else {
                self.beam(&mut turn, beam + apart)
            };
            self.between(&mut turn, (beam, last), apart, next);
            last = next;
        }
        turn.steps
    }

    /// Casts the beams between two where those lie too far apart; each beam is given by its number
    /// and its length, the second one is `apart` beams further.
    fn between(
        &mut self,
        turn: &mut ScanTurn,
        (beam, length): (usize, f32),
        apart: usize,
        next: f32,
    ) {
        let angle = turn.scanner.angle * apart as f32;
        if apart > 1 && length.max(next) * angle > DENSE {
            let half = apart / 2;
            let middle = self.beam(turn, beam + half);
            self.between(turn, (beam, length), half, middle);
            self.between(turn, (beam + half, middle), half, next);
        }
    }

    /// Casts one beam; returns its length.
    fn beam(&mut self, turn: &mut ScanTurn, beam: usize) -> f32 {
        let ((sin, cos), (beam_sin, beam_cos)) = (turn.heading, turn.scanner.beams[beam]);
        let direction = (
            sin * beam_cos + cos * beam_sin,
            cos * beam_cos - sin * beam_sin,
        );
        let (length, cells) = self.cast(turn.pose, direction, turn.scanner.range);
        turn.steps += cells;
        length
    }

    /// Marks the free cells along a beam, given by its sine and cosine, as seen; returns the beam's
    /// length and how many free cells it crosses.
    fn cast(&mut self, pose: usize, (sin, cos): (f32, f32), range: f32) -> (f32, usize) {
        // How far along the beam from one column to the next, and from one row to the next.
        let (per_col, per_row) = (1.0 / cos.abs(), 1.0 / sin.abs());
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
                return (range, steps);
            }
            match self.cells[place] {
                FREE => {
                    self.cells[place] = FREE_SEEN;
                    self.seen.push(place as u32);
                }
                FREE_SEEN => {}
                _ => return (travelled, steps),
            }
            steps += 1;
        }
    }

    /// Sees the blocked cells that touch one that is seen, by a side or a corner.
    pub fn deepen(&mut self) {
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
