//! What a robot with a laser scanner would have mapped: free space as far as its beams reached,
//! the faces of walls, nothing behind them.
//!
//! How the robot moves and looks is the matter of [`super::sight`]. Beams spread with distance: past
//! the range where they lie a cell apart the map shows fans, as real ones do behind doors and
//! windows.

use rand::{Rng, RngExt, SeedableRng};

use super::sight::{Seen, Sight};
use crate::grid::generate::Dice;
use crate::grid::{Cost, Costmap};

/// Beams of a scanner: those of common 2-D scanners, and few on purpose.
const BEAMS: std::ops::RangeInclusive<usize> = 180..=1080;

/// How a robot has scanned a map; see [`scanned`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scan {
    /// How far a beam reaches, cells.
    pub range: f64,
    /// Beams of one full turn, 16..=4096, rounded up to a power of two. Near obstacles, where they
    /// lie far less than a cell apart, most of them are left out.
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
                dice.random_range(0.25..=1.0)
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
    for (costs, seen) in known.costs_mut().chunks_mut(width).zip(sight.rows()) {
        for (cost, seen) in costs.iter_mut().zip(seen) {
            let known = match seen {
                Seen::Free => true,
                Seen::Blocked => missed == 0 || dice.random::<u32>() >= missed,
                Seen::Not => false,
            };
            if !known {
                *cost = Cost::UNKNOWN;
            }
        }
    }
    known
}
