//! The obstacle layer: what sensors saw, as marks on the grid, and what they saw through, cleared.
//!
//! In go measurements in the planning frame; out comes the map with them on it. As Nav2's obstacle
//! layer (`nav2_costmap_2d/plugins/obstacle_layer.cpp`): rays of the new measurements clear, then
//! all measurements that are still kept mark. Cells keep what was seen last until a ray says
//! otherwise or somebody clears them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::settings::ObservationSource;
use crate::grid::{Cell, Cost, Costmap, Geometry, Pose2};

/// A measurement in the planning frame.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Where the rays start, metres.
    pub origin: (f64, f64),
    /// Where something was, metres (x, y, z).
    pub hits: Vec<(f64, f64, f64)>,
    /// Ends of rays that met nothing, metres.
    pub misses: Vec<(f64, f64)>,
}

/// A measurement that still marks.
#[derive(Debug)]
struct Kept {
    at: Instant,
    cells: Vec<Cell>,
}

/// What sensors saw.
#[derive(Debug, Default)]
pub struct Obstacles {
    geometry: Option<Geometry>,
    /// Row-major: [`Cost::UNKNOWN`] where nothing was seen.
    seen: Vec<Cost>,
    kept: BTreeMap<String, Vec<Kept>>,
}

/// Which cells to clear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Region {
    /// All of them.
    Everything,
    /// Those of a square around the robot, of this side, metres.
    Around(f64),
    /// All but those.
    Except(f64),
}

impl Obstacles {
    /// Makes the layer fit a grid; on another grid everything is forgotten.
    pub fn fit(&mut self, geometry: &Geometry) {
        if self.geometry.as_ref() != Some(geometry) {
            self.geometry = Some(*geometry);
            self.seen.clear();
            self.seen.resize(geometry.cells(), Cost::UNKNOWN);
            self.kept.clear();
        }
    }

    /// Takes a sensor's measurement in.
    pub fn observe(&mut self, name: &str, settings: &ObservationSource, seen: &Observation) {
        let Some(geometry) = self.geometry else {
            return;
        };
        let (x, y) = seen.origin;
        let heights = settings.min_obstacle_height..=settings.max_obstacle_height;
        let counted: Vec<(f64, f64)> = seen
            .hits
            .iter()
            .filter(|hit| heights.contains(&hit.2))
            .map(|hit| (hit.0, hit.1))
            .collect();
        if settings.clearing {
            let ranges = (settings.raytrace_min_range, settings.raytrace_max_range);
            for &end in counted.iter().chain(&seen.misses) {
                self.clear_ray(&geometry, (x, y), end, ranges);
            }
        }
        let now = Instant::now();
        let persistence = Duration::from_secs_f64(settings.observation_persistence);
        let kept = self.kept.entry(name.to_owned()).or_default();
        kept.retain(|kept| now.duration_since(kept.at) < persistence);
        if settings.marking {
            let ranges = settings.obstacle_min_range..=settings.obstacle_max_range;
            let mut cells: Vec<Cell> = counted
                .iter()
                .filter(|hit| ranges.contains(&(hit.0 - x).hypot(hit.1 - y)))
                .filter_map(|hit| geometry.world_to_cell(hit.0, hit.1))
                .collect();
            cells.sort_unstable();
            cells.dedup();
            kept.push(Kept { at: now, cells });
        }
        for kept in self.kept.values().flatten() {
            for &cell in &kept.cells {
                self.seen[geometry.index(cell)] = Cost::LETHAL;
            }
        }
    }

    /// Clears the cells from one point to another, both ends included, within these ranges.
    fn clear_ray(
        &mut self,
        geometry: &Geometry,
        from: (f64, f64),
        to: (f64, f64),
        (least, greatest): (f64, f64),
    ) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        // Without a length there is no direction.
        let has_direction = length.is_finite() && length > 0.0;
        if !has_direction || least > length {
            return;
        }
        let point = |range: f64| {
            let share = range / length;
            geometry.world_to_grid(
                from.0 + share * (to.0 - from.0),
                from.1 + share * (to.1 - from.1),
            )
        };
        let Some((start, end)) = clipped(point(least), point(length.min(greatest)), geometry)
        else {
            return;
        };
        for (u, v) in cells_between(start, end) {
            if u < geometry.width() && v < geometry.height() {
                self.seen[geometry.index(Cell::new(v, u))] = Cost::FREE;
            }
        }
    }

    /// Clears the cells that a robot of this radius covers.
    pub fn clear_robot(&mut self, pose: &Pose2, radius_m: f64) {
        let Some(geometry) = self.geometry else {
            return;
        };
        self.each_within(pose, radius_m, |cell, centre, seen| {
            if centre.0.hypot(centre.1) <= radius_m {
                seen[geometry.index(cell)] = Cost::FREE;
            }
        });
    }

    /// Forgets what was seen in a region; the squares lie around `robot`.
    pub fn clear(&mut self, region: Region, robot: &Pose2) {
        let Some(geometry) = self.geometry else {
            return;
        };
        // What is kept would mark again.
        self.kept.clear();
        match region {
            Region::Everything => self.seen.fill(Cost::UNKNOWN),
            Region::Around(side) => self.each_within(robot, side / 2.0, |cell, _, seen| {
                seen[geometry.index(cell)] = Cost::UNKNOWN;
            }),
            Region::Except(side) => {
                let mut kept = Vec::new();
                self.each_within(robot, side / 2.0, |cell, _, seen| {
                    let index = geometry.index(cell);
                    kept.push((index, seen[index]));
                });
                self.seen.fill(Cost::UNKNOWN);
                for (index, cost) in kept {
                    self.seen[index] = cost;
                }
            }
        }
    }

    /// Calls `change` for each cell whose centre is within `reach_m` of a pose along both of the
    /// grid's axes, with the centre's offset, metres.
    fn each_within(
        &mut self,
        pose: &Pose2,
        reach_m: f64,
        mut change: impl FnMut(Cell, (f64, f64), &mut [Cost]),
    ) {
        let Some(geometry) = self.geometry else {
            return;
        };
        let (u, v) = geometry.world_to_grid(pose.x, pose.y);
        let reach = reach_m / geometry.resolution();
        if !(u.is_finite() && v.is_finite() && reach.is_finite()) {
            return;
        }
        let span = |centre: f64, limit: usize| {
            let first = (centre - reach - 0.5).ceil().max(0.0) as usize;
            let end = ((centre + reach - 0.5).floor() + 1.0).clamp(0.0, limit as f64) as usize;
            first..end
        };
        for row in span(v, geometry.height()) {
            for col in span(u, geometry.width()) {
                let offset = (
                    (col as f64 + 0.5 - u) * geometry.resolution(),
                    (row as f64 + 0.5 - v) * geometry.resolution(),
                );
                change(Cell::new(row, col), offset, &mut self.seen);
            }
        }
    }

    /// Puts what was seen on the map.
    pub fn apply(&self, map: &mut Costmap, combination: Combination) {
        if self.geometry.as_ref() != Some(map.geometry()) {
            return;
        }
        for (cost, &seen) in map.costs_mut().iter_mut().zip(&self.seen) {
            let counts = match combination {
                _ if seen == Cost::UNKNOWN => false,
                Combination::Overwrite => true,
                Combination::Maximum => *cost == Cost::UNKNOWN || seen > *cost,
                Combination::MaximumOfKnown => *cost != Cost::UNKNOWN && seen > *cost,
            };
            if counts {
                *cost = seen;
            }
        }
    }
}

/// What counts where both the map and a sensor know a cell (Nav2's `combination_method`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// What the sensor saw.
    Overwrite,
    /// The higher cost; what the sensor saw where the map knows nothing.
    Maximum,
    /// The higher cost; nothing where the map knows nothing.
    MaximumOfKnown,
}

impl Combination {
    /// By Nav2's number: 0, 1 or 2.
    pub fn by_number(number: i64) -> Self {
        match number {
            0 => Combination::Overwrite,
            2 => Combination::MaximumOfKnown,
            _ => Combination::Maximum,
        }
    }
}

/// The part of a line that lies on the grid, in grid coordinates (Liang and Barsky, 1984).
fn clipped(
    from: (f64, f64),
    to: (f64, f64),
    geometry: &Geometry,
) -> Option<((f64, f64), (f64, f64))> {
    let (du, dv) = (to.0 - from.0, to.1 - from.1);
    let (mut first, mut last) = (0.0_f64, 1.0_f64);
    let borders = [
        (-du, from.0),
        (du, geometry.width() as f64 - from.0),
        (-dv, from.1),
        (dv, geometry.height() as f64 - from.1),
    ];
    for (along, room) in borders {
        if along == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if along < 0.0 {
            first = first.max(room / along);
        } else {
            last = last.min(room / along);
        }
    }
    let is_on = first <= last;
    let at = |share: f64| (from.0 + share * du, from.1 + share * dv);
    is_on.then(|| (at(first), at(last)))
}

/// The cells (column, row) that a line enters, by walking from border to border (Amanatides and
/// Woo, 1987). Both ends lie on a grid, or on its upper borders.
fn cells_between(from: (f64, f64), to: (f64, f64)) -> impl Iterator<Item = (usize, usize)> {
    let cell = |p: (f64, f64)| (p.0.max(0.0) as i64, p.1.max(0.0) as i64);
    let (mut here, end) = (cell(from), cell(to));
    let steps = here.0.abs_diff(end.0) + here.1.abs_diff(end.1);
    let (du, dv) = (to.0 - from.0, to.1 - from.1);
    // The share of the line at the next border along one axis, and from border to border.
    let axis = |start: f64, cell: i64, d: f64| {
        let border = if d > 0.0 { cell + 1 } else { cell } as f64;
        if d == 0.0 {
            (f64::INFINITY, f64::INFINITY)
        } else {
            ((border - start) / d, (1.0 / d).abs())
        }
    };
    let (mut next_u, step_u) = axis(from.0, here.0, du);
    let (mut next_v, step_v) = axis(from.1, here.1, dv);
    std::iter::once((here.0 as usize, here.1 as usize)).chain((0..steps).map(move |_| {
        if (next_u < next_v && here.0 != end.0) || here.1 == end.1 {
            here.0 += if du > 0.0 { 1 } else { -1 };
            next_u += step_u;
        } else {
            here.1 += if dv > 0.0 { 1 } else { -1 };
            next_v += step_v;
        }
        (here.0.max(0) as usize, here.1.max(0) as usize)
    }))
}
