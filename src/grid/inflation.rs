//! Inflation: costs around obstacles, so that a robot can be planned for as a point.
//!
//! A costmap goes in and one comes out in which every cell also says how near the closest lethal
//! cell is, on Nav2's curve: inscribed as far as the robot's radius, then an exponential decay out
//! to the inflation radius. Distances are exact (see [`distance`](super::distance)); Nav2's older
//! releases spread them from cell to cell and may be off by a fraction of a cell. Robots that are
//! not round are for the verifier: here only their inscribed circle counts.

use rayon::prelude::*;

use super::distance::{self, FAR, MAX_REACH};
use super::{Cost, Costmap};
use crate::{Error, Result};

/// Squared distances up to this get their cost from a table; 724 cells, more than any usual radius.
const TABLE_LIMIT: u32 = 1 << 19;

/// How obstacles are inflated. Lengths are finite and at least 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inflation {
    radius_m: f64,
    outer_radius_m: f64,
    cost_scaling_factor: f64,
}

/// Buffers kept between calls to [`inflate`].
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    distances: distance::Workspace,
    /// The cost at each squared distance, in cells.
    costs: Vec<Cost>,
}

impl Inflation {
    /// An inflation for a robot whose inscribed circle has `radius_m` metres, with costs out to
    /// `inflation_radius_m` metres that fall by a factor e every 1 / `cost_scaling_factor` metres.
    ///
    /// An inflation radius below the robot's radius counts as that radius: cells where the robot
    /// would touch an obstacle are always inscribed.
    ///
    /// # Errors
    /// A parameter is negative or not finite.
    pub fn new(radius_m: f64, inflation_radius_m: f64, cost_scaling_factor: f64) -> Result<Self> {
        let parameters = [
            ("the robot's radius (m)", radius_m),
            ("the inflation radius (m)", inflation_radius_m),
            ("cost_scaling_factor (1/m)", cost_scaling_factor),
        ];
        for (name, value) in parameters {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::Inflation { name, value });
            }
        }
        Ok(Self {
            radius_m,
            outer_radius_m: inflation_radius_m,
            cost_scaling_factor,
        })
    }

    /// The radius of the robot's inscribed circle, metres.
    pub fn radius_m(&self) -> f64 {
        self.radius_m
    }

    /// The radius that costs reach out to, metres.
    pub fn inflation_radius_m(&self) -> f64 {
        self.outer_radius_m
    }

    /// How fast costs fall, 1/m.
    pub fn cost_scaling_factor(&self) -> f64 {
        self.cost_scaling_factor
    }

    /// The farthest that costs reach on a grid of `resolution` metres per cell, in whole cells:
    /// rounded up, as Nav2 does (`Costmap2D::cellDistance`). At most [`MAX_REACH`].
    pub fn reach_cells(&self, resolution: f64) -> u32 {
        let reach_m = self.outer_radius_m.max(self.radius_m);
        (reach_m / resolution).ceil().min(f64::from(MAX_REACH)) as u32
    }

    /// The cost of a cell whose nearest lethal cell is `distance_cells` away, which must not be
    /// over [`Inflation::reach_cells`].
    ///
    /// Source: `InflationLayer::computeCost` (`nav2_costmap_2d/inflation_layer.hpp`), including
    /// that the decayed cost is cut, not rounded, to a whole number.
    pub fn cost(&self, distance_cells: f64, resolution: f64) -> Cost {
        let distance_m = distance_cells * resolution;
        if distance_cells == 0.0 {
            Cost::LETHAL
        } else if distance_m <= self.radius_m {
            Cost::INSCRIBED
        } else {
            let decay = (-self.cost_scaling_factor * (distance_m - self.radius_m)).exp();
            Cost((f64::from(Cost::MAX_TRAVERSABLE.0) * decay) as u8)
        }
    }
}

impl Default for Inflation {
    /// Nav2's defaults: a robot of 0.1 m radius, costs out to 0.55 m, falling by e every 0.1 m.
    fn default() -> Self {
        Self {
            radius_m: 0.1,
            outer_radius_m: 0.55,
            cost_scaling_factor: 10.0,
        }
    }
}

/// The costmap with its lethal cells inflated.
///
/// A cell gets the higher of its own cost and the inflated one. An unknown cell stays unknown
/// unless the inflated cost is inscribed or more: `inflate_unknown` false, Nav2's default
/// (`InflationLayer::updateCosts`, `nav2_costmap_2d/plugins/inflation_layer.cpp`). Only lethal
/// cells inflate; inscribed ones of the input do not.
pub fn inflate(costmap: &Costmap, inflation: &Inflation, workspace: &mut Workspace) -> Costmap {
    let geometry = costmap.geometry();
    let resolution = geometry.resolution();
    let reach = inflation.reach_cells(resolution);
    let cost_at = |squared: u32| inflation.cost(f64::from(squared).sqrt(), resolution);

    let table = &mut workspace.costs;
    table.clear();
    table.extend((0..=reach.saturating_mul(reach).min(TABLE_LIMIT)).map(cost_at));
    let source_costs = costmap.costs();
    let squared = distance::squared_distances(
        geometry.width(),
        geometry.height(),
        |index| source_costs[index] == Cost::LETHAL,
        reach,
        &mut workspace.distances,
    );

    let mut inflated = costmap.clone();
    inflated
        .costs_mut()
        .par_iter_mut()
        .zip(squared)
        .filter(|&(_, &squared)| squared != FAR)
        .for_each(|(cost, &squared)| {
            let near = match table.get(squared as usize) {
                Some(&near) => near,
                None => cost_at(squared),
            };
            if *cost == Cost::UNKNOWN {
                if near >= Cost::INSCRIBED {
                    *cost = near;
                }
            } else {
                *cost = near.max(*cost);
            }
        });
    inflated
}
