//! The cost of a cell, as Nav2 uses it (`nav2_costmap_2d/cost_values.hpp`).

/// The cost of a cell: 0 free, 1..=252 increasing, 253 inscribed, 254 lethal, 255 unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Cost(pub u8);

impl Cost {
    /// Nothing near.
    pub const FREE: Cost = Cost(0);
    /// The highest cost that a robot's centre may have.
    pub const MAX_TRAVERSABLE: Cost = Cost(252);
    /// A robot whose centre is here touches an obstacle, whatever its heading.
    pub const INSCRIBED: Cost = Cost(253);
    /// An obstacle.
    pub const LETHAL: Cost = Cost(254);
    /// Never observed.
    pub const UNKNOWN: Cost = Cost(255);

    /// Whether a robot's centre may be here; unknown only if `allow_unknown`.
    pub fn is_traversable(self, allow_unknown: bool) -> bool {
        self <= Self::MAX_TRAVERSABLE || (allow_unknown && self == Self::UNKNOWN)
    }
}
