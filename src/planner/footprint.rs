//! The robot's outline, for robots that are not round.
//!
//! Search and model plan for a point: costs keep the inscribed circle clear, which holds at any
//! heading. What sticks out of it depends on the heading, and is looked at pose by pose: no obstacle's
//! centre may lie under the outline. Turning on the spot between two poses is not looked at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Snapshot;
use super::frame::Point;
use crate::grid::distance::{MAX_REACH, Workspace, squared_distances};
use crate::grid::{Cost, Costmap, Pose2};
use crate::{Error, Result};

/// No robot is longer than this, metres from its origin.
const LARGEST_M: f64 = 100.0;

/// A robot's outline: a polygon around its origin (`base_link`), or none for a round robot.
///
/// As text, as in Nav2's costmaps: `[[0.3, 0.2], [0.3, -0.2], [-0.3, -0.2], [-0.3, 0.2]]`, metres, x
/// ahead and y to the left; `[]` for none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Footprint {
    corners: Vec<[f64; 2]>,
}

impl Footprint {
    /// The outline with these corners, in order, metres.
    ///
    /// # Errors
    /// [`Error::Footprint`] for one or two corners, for one that is not finite or very far away, or for
    /// an outline that does not go around the robot's origin.
    pub fn new(corners: Vec<[f64; 2]>) -> Result<Self> {
        let bad = |reason: &str| Error::Footprint {
            reason: reason.to_owned(),
        };
        let footprint = Self { corners };
        if footprint.is_none() {
            return Ok(footprint);
        }
        if footprint.corners.len() < 3 {
            return Err(bad("it has fewer than three corners"));
        }
        let is_near = |corner: &[f64; 2]| corner[0].hypot(corner[1]) <= LARGEST_M;
        if !footprint.corners.iter().all(is_near) {
            return Err(bad("a corner is not finite, or over 100 m away"));
        }
        if !contains(&footprint.corners, [0.0, 0.0]) || footprint.inscribed_radius() <= 0.0 {
            return Err(bad("it does not go around the robot's origin"));
        }
        Ok(footprint)
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.corners.is_empty()
    }

    /// The radius of the largest circle around the origin inside the outline, metres.
    pub fn inscribed_radius(&self) -> f64 {
        let edges = edges(&self.corners);
        let distance = |[a, b]: [[f64; 2]; 2]| {
            let along = [b[0] - a[0], b[1] - a[1]];
            let length = along[0].powi(2) + along[1].powi(2);
            let share = -(a[0] * along[0] + a[1] * along[1]) / length;
            let share = if length > 0.0 {
                share.clamp(0.0, 1.0)
            } else {
                0.0
            };
            (a[0] + share * along[0]).hypot(a[1] + share * along[1])
        };
        let distances = edges.map(distance);
        distances.min_by(f64::total_cmp).unwrap_or(0.0)
    }

    /// The radius of the smallest circle around the origin that the outline is inside of, metres.
    pub fn circumscribed_radius(&self) -> f64 {
        let distances = self.corners.iter().map(|corner| corner[0].hypot(corner[1]));
        distances.max_by(f64::total_cmp).unwrap_or(0.0)
    }

    /// The corners of a robot at a pose, metres in the map frame.
    fn at(&self, pose: &Pose2) -> Vec<[f64; 2]> {
        let (sin, cos) = pose.yaw.sin_cos();
        let place = |&[x, y]: &[f64; 2]| [pose.x + cos * x - sin * y, pose.y + sin * x + cos * y];
        self.corners.iter().map(place).collect()
    }
}

impl FromStr for Footprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let corners = serde_json::from_str(text).map_err(|error| Error::Footprint {
            reason: error.to_string(),
        })?;
        Self::new(corners)
    }
}

impl TryFrom<String> for Footprint {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Footprint> for String {
    fn from(footprint: Footprint) -> Self {
        footprint.to_string()
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let corners = self.corners.iter().map(|[x, y]| format!("[{x}, {y}]"));
        write!(f, "[{}]", corners.collect::<Vec<_>>().join(", "))
    }
}

/// The sides of a polygon.
fn edges(corners: &[[f64; 2]]) -> impl Iterator<Item = [[f64; 2]; 2]> {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(&a, &b)| [a, b])
}

/// Whether a point lies inside a polygon: a ray from it crosses an odd number of sides.
fn contains(corners: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let crosses = |[a, b]: [[f64; 2]; 2]| {
        (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    };
    edges(corners).filter(|&edge| crosses(edge)).count() % 2 == 1
}

/// An outline on a map.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    footprint: Footprint,
    /// Of each cell, row-major, the squared distance to the nearest obstacle, in cells, where it is
    /// within reach of the outline.
    squared: Vec<u32>,
    /// The outline's reach squared, cells: from a pose farther away from all obstacles it touches none.
    reach_squared: f64,
}

impl Outline {
    /// A footprint on a map without inflation; `None` for a round robot.
    pub fn new(footprint: &Footprint, raw: &Costmap) -> Option<Self> {
        if footprint.is_none() {
            return None;
        }
        let geometry = raw.geometry();
        // A pose may be anywhere in its cell.
        let half_diagonal = std::f64::consts::FRAC_1_SQRT_2;
        let reach = footprint.circumscribed_radius() / geometry.resolution() + half_diagonal;
        let is_obstacle = |index: usize| raw.costs()[index] == Cost::LETHAL;
        let mut workspace = Workspace::default();
        let squared = squared_distances(
            geometry.width(),
            geometry.height(),
            is_obstacle,
            reach.ceil().min(f64::from(MAX_REACH)) as u32,
            &mut workspace,
        );
        Some(Self {
            footprint: footprint.clone(),
            squared: squared.to_vec(),
            reach_squared: reach * reach,
        })
    }

    /// Whether a robot in this cell may touch an obstacle at some heading.
    fn may_touch(&self, index: usize) -> bool {
        f64::from(self.squared[index]) <= self.reach_squared
    }

    /// The obstacles under the outline of a robot at a pose, row-major indices, ascending.
    pub fn touched(&self, snapshot: &Snapshot, pose: &Pose2) -> Vec<usize> {
        let geometry = snapshot.geometry();
        let here = geometry.world_to_cell(pose.x, pose.y);
        let Some(here) = here.filter(|&cell| self.may_touch(geometry.index(cell))) else {
            return Vec::new(); // or not on the map, which is somebody else's business
        };
        let corners: Vec<[f64; 2]> = self
            .footprint
            .at(pose)
            .into_iter()
            .map(|[x, y]| {
                let Point { u, v } = Point::from_world(geometry, x, y);
                [u, v]
            })
            .collect();
        let reach = self.reach_squared.sqrt() as usize + 1;
        let (rows, cols) = geometry.around(here, reach);
        let mut touched = Vec::new();
        for row in rows {
            for col in cols.clone() {
                let index = row * geometry.width() + col;
                if snapshot.is_obstacle(index)
                    && contains(&corners, [col as f64 + 0.5, row as f64 + 0.5])
                {
                    touched.push(index);
                }
            }
        }
        touched
    }

    /// An obstacle under the outline of a robot at a pose that is not `spared` (ascending), if there is
    /// any.
    pub fn touches(&self, snapshot: &Snapshot, pose: &Pose2, spared: &[usize]) -> Option<usize> {
        let touched = self.touched(snapshot, pose).into_iter();
        let mut new = touched.filter(|place| spared.binary_search(place).is_err());
        new.next()
    }
}
