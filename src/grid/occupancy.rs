//! Occupancy grids with the values of `nav_msgs/OccupancyGrid`, and what they mean as costs.
//!
//! In go a [`Geometry`] and one `i8` per cell: -1 unknown, 0 free, up to 100 occupied. Out comes a
//! [`Costmap`], under one of the three readings that Nav2 knows ([`CostRule`]). Messages and
//! updates are checked in the neighbouring `occupancy_message`; files are read in `map_file`.

use super::{Cost, Costmap, Geometry};
use crate::{Error, Result};

/// The occupancy of a cell never observed.
pub(super) const UNKNOWN: i8 = -1;
/// The occupancy of a free cell.
pub(super) const FREE: i8 = 0;
/// The occupancy of a cell that is certainly occupied.
pub(super) const OCCUPIED: i8 = 100;

/// A grid of occupancies, row-major, row 0 at the bottom. Every value is -1 or 0..=100.
#[derive(Debug, Clone, PartialEq)]
pub struct OccupancyGrid {
    geometry: Geometry,
    data: Vec<i8>,
}

/// How many cells hold which kind of occupancy; the four sum to the number of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Cells of value 0.
    pub free: usize,
    /// Cells of value 100.
    pub occupied: usize,
    /// Cells of value -1.
    pub unknown: usize,
    /// Cells of value 1..=99.
    pub other: usize,
}

impl Counts {
    /// Counts of row-major occupancies.
    pub fn of(data: &[i8]) -> Self {
        let mut counts = Self::default();
        for &value in data {
            match value {
                FREE => counts.free += 1,
                OCCUPIED => counts.occupied += 1,
                UNKNOWN => counts.unknown += 1,
                _ => counts.other += 1,
            }
        }
        counts
    }
}

/// What an occupancy means as a cost. -1 is unknown under every rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostRule {
    /// Lethal from the threshold on, free below: Nav2's static layer with `trinary_costmap` true.
    Trinary {
        /// `lethal_cost_threshold`; limited to 0..=100, as Nav2 does.
        lethal_threshold: i8,
    },
    /// Lethal from the threshold on, below it growing linearly with the occupancy: Nav2's static
    /// layer with `trinary_costmap` false.
    Scale {
        /// `lethal_cost_threshold`; limited to 0..=100, as Nav2 does.
        lethal_threshold: i8,
    },
    /// The grid is a costmap that Nav2 published: 100 lethal, 99 inscribed, 1..=98 the costs
    /// 1..=252 in 98 steps. A step stands for two or three costs; the middle one is taken, which
    /// Nav2 would publish as the same occupancy again.
    PublishedCostmap,
}

impl Default for CostRule {
    /// Nav2's default: trinary, lethal at 100.
    fn default() -> Self {
        Self::Trinary {
            lethal_threshold: OCCUPIED,
        }
    }
}

impl CostRule {
    /// The cost of an occupancy (-1 or 0..=100).
    ///
    /// Sources: `StaticLayer::interpretValue` (`nav2_costmap_2d/plugins/static_layer.cpp`) and the
    /// translation table of `nav2_costmap_2d/src/costmap_2d_publisher.cpp`.
    pub fn cost(self, occupancy: i8) -> Cost {
        if occupancy < 0 {
            return Cost::UNKNOWN;
        }
        match self {
            Self::Trinary { lethal_threshold } => {
                if occupancy >= lethal_threshold.clamp(FREE, OCCUPIED) {
                    Cost::LETHAL
                } else {
                    Cost::FREE
                }
            }
            Self::Scale { lethal_threshold } => {
                let threshold = lethal_threshold.clamp(FREE, OCCUPIED);
                if occupancy >= threshold {
                    return Cost::LETHAL;
                }
                // The threshold is over an occupancy of at least 0 here, so never 0.
                let share = f64::from(occupancy) / f64::from(threshold);
                Cost((share * f64::from(Cost::LETHAL.0)) as u8)
            }
            Self::PublishedCostmap => match occupancy {
                FREE => Cost::FREE,
                1..=98 => published_cost(occupancy as u32),
                99 => Cost::INSCRIBED,
                _ => Cost::LETHAL,
            },
        }
    }
}

/// The occupancy that Nav2 publishes a cost as: 0 free, 1..=98 costs, 99 inscribed, 100 lethal, -1
/// unknown (`nav2_costmap_2d/src/costmap_2d_publisher.cpp`); [`CostRule::PublishedCostmap`] reads it.
pub fn published_occupancy(cost: Cost) -> i8 {
    match cost {
        Cost::FREE => FREE,
        Cost::UNKNOWN => UNKNOWN,
        Cost::LETHAL => OCCUPIED,
        Cost::INSCRIBED => 99,
        Cost(cost) => (1 + 97 * (i32::from(cost) - 1) / 251) as i8,
    }
}

/// The middle of the costs that Nav2 publishes as `step` (1..=98). The publisher maps a cost c of
/// 1..=252 to 1 + 97 (c - 1) / 251 in whole numbers; the bounds below solve that for c.
fn published_cost(step: u32) -> Cost {
    let lowest = (251 * (step - 1)).div_ceil(97) + 1;
    let highest = ((251 * step - 1) / 97 + 1).min(u32::from(Cost::MAX_TRAVERSABLE.0));
    Cost(u32::midpoint(lowest, highest) as u8)
}

impl OccupancyGrid {
    /// A grid from row-major occupancies.
    ///
    /// # Errors
    /// The number of values is not that of the geometry's cells, or a value is neither -1 nor in
    /// 0..=100.
    pub fn new(geometry: Geometry, data: Vec<i8>) -> Result<Self> {
        if data.len() != geometry.cells() {
            return Err(Error::DataLength {
                width: geometry.width(),
                height: geometry.height(),
                actual: data.len(),
            });
        }
        check_values(&data)?;
        Ok(Self { geometry, data })
    }

    /// Where the grid lies.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// All occupancies, row-major.
    pub fn data(&self) -> &[i8] {
        &self.data
    }

    /// For updates, which keep every value in the domain.
    pub(super) fn data_mut(&mut self) -> &mut [i8] {
        &mut self.data
    }

    /// How many cells are free, occupied, unknown and in between.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.data)
    }

    /// The grid as costs, not inflated.
    pub fn to_costmap(&self, rule: CostRule) -> Costmap {
        let mut costmap = Costmap::filled(self.geometry, Cost::UNKNOWN);
        for (cost, &occupancy) in costmap.costs_mut().iter_mut().zip(&self.data) {
            *cost = rule.cost(occupancy);
        }
        costmap
    }
}

/// Fails on the first value that is neither -1 nor in 0..=100.
pub(super) fn check_values(data: &[i8]) -> Result<()> {
    let is_wrong = |value: &i8| !(UNKNOWN..=OCCUPIED).contains(value);
    // Without a way out in the middle many values are compared at once.
    if !data.iter().fold(false, |any, value| any | is_wrong(value)) {
        return Ok(());
    }
    match data.iter().position(is_wrong) {
        Some(index) => Err(Error::OccupancyValue {
            index,
            value: data[index],
        }),
        None => Ok(()),
    }
}
