//! Generated maps made to look like those that robots make: turned, enlarged, cluttered, scanned,
//! inflated.
//!
//! Any map goes in, generated or not, and each step is a function of its own: [`turned`],
//! [`thickened`] or [`thinned`], [`narrowed`], [`cluttered`], [`scanned`], then
//! [`inflate`]. [`Realism`] draws how strong each step is, and [`realistic`] does
//! all of it to a new map of a kind. Everything comes from generators and a seed: no recorded map
//! is involved.

mod clutter;
mod passages;
mod scan;
mod sight;
mod turn;
mod walls;

use rand::{Rng, RngExt, SeedableRng};

pub use clutter::{Clutter, cluttered};
pub use scan::{Scan, scanned};
pub use turn::{MAX_SCALE, Turn, turned};
pub use walls::{narrowed, thickened, thinned};

use super::{Components, Dice, Kind, choose, generate};
use crate::grid::{Cost, Costmap, Inflation, Workspace, inflate};

/// The least share of a realistic map's cells that the largest connected region has.
pub const LEAST_REGION: f64 = 0.12;
/// The least cells of that region, for tiny maps.
const LEAST_CELLS: usize = 8;
/// How often a map is drawn anew because its largest region is too small.
const TRIES: usize = 4;
/// Rotations by any angle leave corridors one cell wide in one piece from this scale on: a
/// diagonal strip of cells is connected by straight moves where it is at least sqrt 2 wide.
const LEAST_TURNED_SCALE: f64 = 1.5;
/// The largest radius of a robot, cells.
const LARGEST_RADIUS: f64 = 6.0;
/// The farthest that costs reach beyond the robot's radius, cells.
const FARTHEST_COSTS: f64 = 15.0;

/// What is done to a map's walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walls {
    /// Nothing.
    Keep,
    /// [`thickened`] this many times.
    Thicken(usize),
    /// [`thinned`] once.
    Thin,
}

/// How strong each step is that makes a map realistic; see [`Realism::draw`].
#[derive(Debug, Clone, PartialEq)]
pub struct Realism {
    /// How the map is turned and enlarged. Its centre is set by [`Realism::map`].
    pub turn: Turn,
    /// What happens to the walls.
    pub walls: Walls,
    /// The share of doors that are made one cell narrower again and again, 0..=1.
    pub narrowed: f64,
    /// Small obstacles.
    pub clutter: Clutter,
    /// What the robot has seen of the map; all of it if `None`.
    pub scan: Option<Scan>,
    /// The costs around obstacles, in cells (one metre is one cell); none if `None`.
    pub inflation: Option<Inflation>,
}

impl Realism {
    /// Strengths for a map of `height` x `width` cells, each step weak or left out now and then.
    pub fn draw(height: usize, width: usize, rng: &mut impl Rng) -> Self {
        Self::throw(height, width, &mut Dice::from_rng(rng))
    }

    fn throw(height: usize, width: usize, dice: &mut Dice) -> Self {
        let clutter = if dice.random_bool(0.3) {
            Clutter::NONE
        } else {
            Clutter::draw(dice)
        };
        Self {
            turn: draw_turn(height, width, dice),
            walls: choose(
                &[
                    (5, Walls::Keep),
                    (2, Walls::Thicken(1)),
                    (1, Walls::Thicken(2)),
                    (2, Walls::Thin),
                ],
                dice,
            ),
            narrowed: if dice.random_bool(0.3) {
                dice.random_range(0.1..=1.0)
            } else {
                0.0
            },
            clutter,
            scan: dice
                .random_bool(0.7)
                .then(|| Scan::draw(height, width, dice)),
            inflation: dice.random_bool(0.85).then(|| draw_inflation(dice)),
        }
    }

    /// Strengths for a window of `height` x `width` cells of a map that a robot has made: it is turned
    /// and enlarged a little, gets new obstacles and another robot's costs, and keeps its walls and
    /// its unknown space.
    pub fn draw_recorded(height: usize, width: usize, rng: &mut impl Rng) -> Self {
        let dice = &mut Dice::from_rng(rng);
        let mut drawn = Self::throw(height, width, dice);
        drawn.turn.scale = LEAST_TURNED_SCALE.powf(dice.random_range(0.0..=1.0));
        drawn.turn.outside = Cost::UNKNOWN;
        if drawn.turn.scale < LEAST_TURNED_SCALE {
            let quarters = f64::from(dice.random_range(0..4));
            drawn.turn.angle = quarters * std::f64::consts::FRAC_PI_2;
        }
        Self {
            walls: Walls::Keep,
            narrowed: 0.0,
            scan: None,
            ..drawn
        }
    }

    /// A map of `height` x `width` cells of this kind with these steps done to it: free, travel
    /// costs, inscribed, lethal and unknown cells.
    ///
    /// A robot too large for the map shrinks until the largest region has [`LEAST_REGION`] of the
    /// map's cells; `None` if that region is too small even for a point.
    pub fn map(
        &self,
        kind: Kind,
        height: usize,
        width: usize,
        rng: &mut impl Rng,
    ) -> Option<Costmap> {
        let dice = &mut Dice::from_rng(rng);
        let (rows, cols) = self.turn.source_size(height, width);
        // The window may look over the edge of its source, as on the last rows of a building.
        let share = if dice.random_bool(0.7) { 1.1 } else { 0.9 };
        let side = |cells: f64| (cells * share).ceil() as usize;
        let source = generate(kind, side(rows), side(cols), dice);
        let geometry = source.geometry();
        let centre = (
            geometry.height() as f64 / 2.0,
            geometry.width() as f64 / 2.0,
        );
        self.window(&source, centre, (height, width), dice)
    }

    /// The window of (height, width) cells of a map around a point of it, (row, column) in cells,
    /// with these steps done to it; `None` as for [`Realism::map`].
    pub fn window(
        &self,
        source: &Costmap,
        centre: (f64, f64),
        (height, width): (usize, usize),
        rng: &mut impl Rng,
    ) -> Option<Costmap> {
        let dice = &mut Dice::from_rng(rng);
        let turn = Turn {
            centre,
            ..self.turn
        };
        let mut map = turned(source, &turn, height, width);
        match self.walls {
            Walls::Keep => {}
            Walls::Thicken(times) => {
                for _ in 0..times {
                    map = thickened(&map);
                }
            }
            Walls::Thin => map = thinned(&map),
        }
        if self.narrowed > 0.0 {
            map = narrowed(&map, self.narrowed, dice);
        }
        map = cluttered(&map, &self.clutter, dice);
        if let Some(scan) = &self.scan {
            map = scanned(&map, scan, dice);
        }
        self.inflated(map)
    }

    /// The map inflated for this robot or, where that leaves too little, for a smaller one.
    fn inflated(&self, map: Costmap) -> Option<Costmap> {
        let mut components = Components::default();
        let mut roomy = |map: &Costmap| {
            components.label(map);
            let largest = components
                .largest()
                .map_or(0, |label| components.cells(label).len());
            let least = (LEAST_REGION * map.costs().len() as f64) as usize;
            largest >= least.max(LEAST_CELLS)
        };
        let Some(mut inflation) = self.inflation else {
            return roomy(&map).then_some(map);
        };
        let mut workspace = Workspace::default();
        loop {
            let inflated = inflate(&map, &inflation, &mut workspace);
            if roomy(&inflated) {
                return Some(inflated);
            }
            if inflation.radius_m() == 0.0 {
                return None;
            }
            inflation = smaller(&inflation);
        }
    }
}

/// A map of this kind with randomly drawn steps done to it (see [`Realism`]): `height` x `width`
/// cells, unit geometry, costs from free to unknown, and a region of at least [`LEAST_REGION`] of
/// all cells that reach each other. Sides outside [`super::SIDES`] are moved to its nearer end.
///
/// `None` if the map, drawn anew four times, never had such a region; rare.
pub fn realistic(kind: Kind, height: usize, width: usize, rng: &mut impl Rng) -> Option<Costmap> {
    let height = height.clamp(*super::SIDES.start(), *super::SIDES.end());
    let width = width.clamp(*super::SIDES.start(), *super::SIDES.end());
    let dice = &mut Dice::from_rng(rng);
    (0..TRIES).find_map(|_| Realism::throw(height, width, dice).map(kind, height, width, dice))
}

fn draw_turn(height: usize, width: usize, dice: &mut Dice) -> Turn {
    // The source keeps some structure: a dozen cells on its shorter side.
    let largest = (height.min(width) as f64 / 12.0).clamp(1.0, MAX_SCALE);
    let straight = largest <= LEAST_TURNED_SCALE || dice.random_bool(0.3);
    let least = if straight { 1.0 } else { LEAST_TURNED_SCALE };
    let angle = if straight {
        f64::from(dice.random_range(0..4)) * std::f64::consts::FRAC_PI_2
    } else {
        dice.random_range(0.0..std::f64::consts::TAU)
    };
    Turn {
        angle,
        // As many maps between one and two cells as between four and eight.
        scale: least * (largest / least).powf(dice.random_range(0.0..=1.0)),
        centre: (0.0, 0.0),
        outside: choose(&[(1, Cost::LETHAL), (2, Cost::UNKNOWN)], dice),
    }
}

/// Small robots are more frequent than large ones, steep costs as frequent as flat ones.
fn draw_inflation(dice: &mut Dice) -> Inflation {
    let radius = LARGEST_RADIUS * dice.random_range(0.0..=1.0_f64).powi(2);
    let outer = radius + dice.random_range(0.0..=FARTHEST_COSTS);
    let fall_per_cell = 0.05 * 20.0_f64.powf(dice.random_range(0.0..=1.0));
    Inflation::new(radius, outer, fall_per_cell).unwrap_or_default()
}

/// The inflation for a robot of half the radius, for a point below half a cell.
fn smaller(inflation: &Inflation) -> Inflation {
    let radius = inflation.radius_m() / 2.0;
    let radius = if radius < 0.5 { 0.0 } else { radius };
    let outer = inflation.inflation_radius_m() - inflation.radius_m() + radius;
    Inflation::new(radius, outer.max(0.0), inflation.cost_scaling_factor()).unwrap_or_default()
}
