//! The map as it was when it was made ready for planning: immutable, shared by requests, search
//! and verifier, so that a map that changes in between can neither crash nor mislead a request.

use std::sync::atomic::{AtomicU64, Ordering};

use super::PlannerConfig;
use super::footprint::Outline;
use super::regions::Regions;
use crate::grid::{Cost, Costmap, Geometry, Pose2, Workspace, inflate};
use crate::search::Rules;
use crate::{Error, Result};

/// A map made ready for planning; made once per map, shared by [`std::sync::Arc`].
///
/// It keeps the settings it was made with: those that concern the map (`robot_radius`,
/// `footprint`, `inflation_radius`, `cost_scaling_factor`, `cost_weight`, `moves`, `allow_unknown`, `max_cells`) take
/// effect here, and changing them means a new snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    raw: Costmap,
    inflated: Costmap,
    regions: Regions,
    rules: Rules,
    robot_radius_m: f64,
    outline: Option<Outline>,
    stamp: Option<f64>,
    id: u64,
}

/// The number of the next snapshot of this program.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Snapshot {
    /// Makes a map ready: inflates it and finds out which cells reach each other.
    ///
    /// # Errors
    /// [`Error::TooManyCells`] for more cells than `max_cells`; settings outside their ranges.
    pub fn new(raw: Costmap, config: &PlannerConfig) -> Result<Self> {
        config.validate()?;
        let cells = raw.geometry().cells();
        if cells > config.max_cells {
            return Err(Error::TooManyCells {
                cells,
                max_cells: config.max_cells,
            });
        }
        let rules = config.rules()?;
        let inflated = inflate(&raw, &config.inflation()?, &mut Workspace::default());
        let (width, height) = (raw.geometry().width(), raw.geometry().height());
        let regions = Regions::new(width, height, |index| {
            inflated.costs()[index].is_traversable(rules.allow_unknown())
        });
        Ok(Self {
            outline: Outline::new(&config.footprint, &raw),
            raw,
            inflated,
            regions,
            rules,
            robot_radius_m: config.radius(),
            stamp: None,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// The snapshot with the map's stamp, seconds; reports repeat it.
    #[must_use]
    pub fn with_stamp(mut self, stamp: f64) -> Self {
        self.stamp = Some(stamp);
        self
    }

    /// Where the map lies.
    pub fn geometry(&self) -> &Geometry {
        self.raw.geometry()
    }

    /// The map as it came: obstacles without inflation.
    pub fn raw(&self) -> &Costmap {
        &self.raw
    }

    /// The inflated map: what plans are made and verified on.
    pub fn inflated(&self) -> &Costmap {
        &self.inflated
    }

    /// How travel cost is counted, and whether unknown cells may be entered.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The outline of a robot that is not round.
    pub(super) fn outline(&self) -> Option<&Outline> {
        self.outline.as_ref()
    }

    /// Whether at a pose an obstacle is under the robot's footprint that is not under it where the robot
    /// stands. Never for a round robot.
    pub(crate) fn touching(&self, stands: &Pose2) -> impl Fn(&Pose2) -> bool {
        let outline = self.outline();
        let spared = outline.map(|outline| outline.touched(self, stands));
        move |pose| {
            let touches = |spared: &Vec<usize>| outline?.touches(self, pose, spared);
            spared.as_ref().and_then(touches).is_some()
        }
    }

    /// The radius of the robot's circle, metres.
    pub fn robot_radius_m(&self) -> f64 {
        self.robot_radius_m
    }

    /// The map's stamp, seconds.
    pub fn stamp(&self) -> Option<f64> {
        self.stamp
    }

    /// What tells this snapshot from all others of the program; clones are the same snapshot.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Which cells of the inflated map reach each other.
    pub(super) fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Whether the recorded map, without inflation, has an obstacle here.
    pub(super) fn is_obstacle(&self, index: usize) -> bool {
        self.raw.costs().get(index) == Some(&Cost::LETHAL)
    }
}
