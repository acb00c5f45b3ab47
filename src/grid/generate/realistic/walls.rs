//! Walls thicker or thinner by a cell, and doors narrower. None of it opens or closes a passage,
//! so that a map keeps its connected regions.

use rand::{Rng, RngExt, SeedableRng};

use super::passages::{Passages, with_blocked};
use crate::grid::generate::Dice;
use crate::grid::{Cost, Costmap};

/// The widest gap in a wall that counts as a door, cells.
const WIDEST_DOOR: usize = 6;
/// The thickest wall that has doors, cells; a gap in a thicker one is a corridor.
const THICKEST_WALL: usize = 4;

/// The map with its obstacles one cell larger on every side, except where that would close a
/// passage: free cells beside a blocked one become lethal, those beside the border stay.
pub fn thickened(map: &Costmap) -> Costmap {
    let passages = Passages::of(map);
    let geometry = map.geometry();
    let (height, width) = (geometry.height(), geometry.width());
    let lethal = |index: usize| map.costs()[index] == Cost::LETHAL;
    let mut beside = Vec::new();
    for row in 0..height {
        for col in 0..width {
            let index = row * width + col;
            if map.costs()[index].is_traversable(false)
                && ((col > 0 && lethal(index - 1))
                    || (col + 1 < width && lethal(index + 1))
                    || (row > 0 && lethal(index - width))
                    || (row + 1 < height && lethal(index + width)))
            {
                beside.push(index);
            }
        }
    }
    with_blocked(map, passages, beside)
}

/// The map with its obstacles one cell smaller on every side, except where that would open a
/// passage or make an obstacle in the open vanish: lethal cells beside a free one become free.
/// Obstacles at the border hang together with what is beyond it, and may vanish.
pub fn thinned(map: &Costmap) -> Costmap {
    let mut passages = Passages::of(map);
    let geometry = map.geometry();
    let (height, width) = (geometry.height(), geometry.width());
    let free = |index: usize| map.costs()[index].is_traversable(false);
    let mut beside = Vec::new();
    for row in 0..height {
        for col in 0..width {
            let index = row * width + col;
            if map.costs()[index] == Cost::LETHAL
                && ((col > 0 && free(index - 1))
                    || (col + 1 < width && free(index + 1))
                    || (row > 0 && free(index - width))
                    || (row + 1 < height && free(index + width)))
            {
                beside.push(index);
            }
        }
    }
    let mut changed = map.clone();
    for index in beside {
        let place = passages.place(index);
        if passages.open(place) {
            changed.costs_mut()[index] = Cost::FREE;
        }
    }
    changed
}

/// The map with this share (0..=1) of its doors narrowed to fewer cells, at least one: gaps of two
/// to six cells in walls up to four cells thick.
pub fn narrowed(map: &Costmap, share: f64, rng: &mut impl Rng) -> Costmap {
    let dice = &mut Dice::from_rng(rng);
    let share = share.clamp(0.0, 1.0);
    let geometry = map.geometry();
    let (height, width) = (geometry.height(), geometry.width());
    let mut blocked = Vec::new();
    // Gaps that lie along a row, then those along a column.
    for (lanes, along, step, across) in [(height, width, 1, width), (width, height, width, 1)] {
        for lane in 0..lanes {
            let first = lane * across;
            let lethal = |at: usize| map.costs()[first + at * step] == Cost::LETHAL;
            let mut wall_before = None;
            for at in 0..along {
                if !lethal(at) {
                    continue;
                }
                if let Some(before) = wall_before.replace(at) {
                    let gap = at - before - 1;
                    let door = (2..=WIDEST_DOOR).contains(&gap)
                        && [before, at].iter().all(|&jamb| {
                            thickness(map, first + jamb * step, lane, lanes, across)
                                <= THICKEST_WALL
                        });
                    if door && dice.random_bool(share) {
                        let cut = dice.random_range(1..gap);
                        let from_left = dice.random_range(0..=cut);
                        let left = before + 1..before + 1 + from_left;
                        let right = at - (cut - from_left)..at;
                        blocked.extend(left.chain(right.rev()).map(|at| first + at * step));
                    }
                }
            }
        }
    }
    with_blocked(map, Passages::of(map), blocked)
}

/// How many lethal cells lie in a row across a wall through the one at `index`, up to one more
/// than [`THICKEST_WALL`]; `step` apart, on lane `lane` of `lanes`.
fn thickness(map: &Costmap, index: usize, lane: usize, lanes: usize, step: usize) -> usize {
    let lethal = |at: usize| map.costs()[at] == Cost::LETHAL;
    let before = (1..=lane.min(THICKEST_WALL))
        .take_while(|back| lethal(index - back * step))
        .count();
    let behind = (1..(lanes - lane).min(THICKEST_WALL + 1))
        .take_while(|ahead| lethal(index + ahead * step))
        .count();
    before + 1 + behind
}
